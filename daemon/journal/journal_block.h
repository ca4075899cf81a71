/*
 * journal_block.h - the bytes of a block: some whole records, one after another.
 *
 * FORMAT.md has them.  What most records share with the one before (the file, the next
 * number of the same origin) is a bit.  Decoding is told nothing but the bytes and the seq
 * of the first record, and refuses all that no encoder writes.  Pure.
 */
#ifndef SLUICE_JOURNAL_JOURNAL_BLOCK_H
#define SLUICE_JOURNAL_JOURNAL_BLOCK_H

#include "base/cursor.h"
#include "journal/journal.h"

#define BLOCK_SIZE 65536     /* of events in a block; of a piece */
#define BLOCK_HEAD_SIZE 13   /* checksum u64, version u8, number of records u32 */
#define BLOCK_RECORD_MAX 160 /* most that a record takes beside its events */
#define BLOCK_CHECKSUM_SIZE 8

/* What a record has that is larger than a block, in place of its events. */
struct block_large {
    uint32_t n_pieces; /* 0: they are here all the same, as in memory before it goes to the disk */
    uint64_t checksum; /* of the checksums of its pieces */
};

/* --- building --- */

/* Appends all of a record but its events, which the caller puts behind; 'prev' is the record
 * before (zeroed: it is the first of its block) and becomes 'r'.  'large': JOURNAL_LARGE only. */
void block_add(struct buf *out, struct journal_record *prev, const struct journal_record *r,
               const struct block_large *large);
/* Makes the head of a block that was built behind BLOCK_HEAD_SIZE empty bytes. */
void block_finish(uint8_t *block, size_t size, uint32_t n_records, struct slice key);

/* --- reading --- */

struct block_cursor {
    struct cursor c;
    struct journal_record prev;
    uint64_t next_seq;
};

/* Checks checksum and version. -EBADMSG. */
int block_check(struct slice block, struct slice key, uint32_t *n_records, struct err *err);
/* 'block' with its head. */
void block_begin(struct block_cursor *b, struct slice block, uint64_t first_seq);
/* The next record; 'events' is empty when large->n_pieces is not 0.  1; 0 at the end; -EBADMSG. */
int block_next(struct block_cursor *b, struct journal_record *ret, struct slice *events,
               struct block_large *large, struct err *err);

/* --- any value with a checksum in front that also covers its key --- */

/* Appends room for the checksum; then the value; then checked_finish(). */
void checked_begin(struct buf *value);
uint64_t checked_finish(struct buf *value, struct slice key); /* the sum */
/* What is behind the checksum. -EBADMSG. */
int checked_open(struct slice value, struct slice key, struct slice *ret, struct err *err);
int checked_open_sum(struct slice value, struct slice key, struct slice *ret, uint64_t *ret_sum,
                     struct err *err);
uint64_t checked_sum(struct slice value, struct slice key); /* of what is behind it */
uint64_t checked_chain(uint64_t sums, uint64_t sum);        /* of many */

/* A GTID without its number, in bytes that tell their own end. */
void origin_add(struct buf *out, const struct gtid *g);
bool origin_parse(struct cursor *c, struct gtid *ret);
bool origin_equal(const struct gtid *a, const struct gtid *b);

#endif
