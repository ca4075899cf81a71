/*
 * key.h - every key of the store is made and parsed here; FORMAT.md has them
 * byte by byte.
 *
 * The first byte says what a key is.  Numbers are big-endian, so that keys sort
 * by number; names end in a zero byte, so that "s1" and "s10" keep apart and
 * a prefix of whole names is a prefix of the bytes.
 *
 *     SCOPED(buf_fini) struct buf k = BUF_INIT;
 *     key_position(&k, "orders", "s1", "sync");
 *     store_get(s, STORE_CHECKPOINT, key_slice(&k), &value, err);
 *
 * Makers empty 'k' first, so one buffer serves a loop.  Names are UTF-8 without
 * zero bytes; the tree lets no other pass.
 */
#ifndef SLUICE_STORE_KEY_H
#define SLUICE_STORE_KEY_H

#include "base/buf.h"
#include "base/slice.h"

enum key_kind {
    KEY_FORMAT = 1,   /* meta */
    KEY_DOCUMENT = 2, /* meta: path */
    KEY_POSITION = 3, /* checkpoint: task, source, part */
    KEY_XA = 4,       /* checkpoint: task, source, xid, chunk */
    /* 5 is free */
    KEY_TABLE = 6, /* schema: source, db, table, seq */
    KEY_LINE = 7,  /* audit: log, number */

    /* of a stored binlog */
    KEY_BLOCK = 8,     /* journal: journal, seq, chunk */
    KEY_HEAD = 9,      /* journal_index: journal */
    KEY_FIRST = 10,    /* journal_index: journal */
    KEY_STRETCH = 11,  /* journal_index: journal, seq */
    KEY_GTID = 12,     /* journal_index: journal, origin, number, seq */
    KEY_FILE = 13,     /* journal_index: journal, incarnation, number */
    KEY_STATE = 14,    /* journal_index: journal, seq */
    KEY_FILE_END = 15, /* journal_index: journal, incarnation, number */
    KEY_HOLD = 16,     /* journal_index: journal, who */
};

static inline struct slice key_slice(const struct buf *k)
{
    return slice_of(k->data, k->size);
}

/* The kind and as many names as are given, NULL-terminated: a prefix for an iterator.
 *     key_prefix(&k, KEY_XA, "orders", "s1", NULL) */
void key_prefix(struct buf *k, enum key_kind kind, ...) __attribute__((sentinel));
/* The least key above all that begin with 'k': the end of a range.  False if there is none. */
bool key_after(struct buf *k);

void key_format(struct buf *k);

/* Path of the node whose document it is: "tasks/orders".  Not zero-terminated:
 * the prefix "tasks/" is that of all tasks. */
void key_document(struct buf *k, const char *path);
bool key_document_parse(struct slice key, struct slice *path);

/* What 'part' of a task ("sync", "load", "quarantine") remembers for one of its sources. */
void key_position(struct buf *k, const char *task, const char *source, const char *part);

/* Piece 'chunk' of the body of a prepared XA transaction; xid as the server prints it. */
void key_xa(struct buf *k, const char *task, const char *source, const char *xid, uint32_t chunk);
bool key_xa_parse(struct slice key, struct slice *xid, uint32_t *chunk);

/* A table's definition from 'seq' on; the one that holds at a position is the
 * last with seq <= that position, within key_prefix(KEY_TABLE, source, db, table). */
void key_table(struct buf *k, const char *source, const char *db, const char *table, uint64_t seq);
bool key_table_parse(struct slice key, struct slice *db, struct slice *table, uint64_t *seq);

/* Line 'number' of the log called 'log' ("events", "audit"). */
void key_line(struct buf *k, const char *log, uint64_t number);
bool key_line_parse(struct slice key, uint64_t *number);

/* A block of records that begins with 'seq' (KEY_WHOLE), or piece 'chunk' (from 1) of the record
 * 'seq', which is larger than a block.  Pieces come before the block that has the record, so that
 * keys are written in their order. */
#define KEY_WHOLE UINT32_MAX
void key_block(struct buf *k, const char *journal, uint64_t seq, uint32_t chunk);
bool key_block_parse(struct slice key, uint64_t *seq, uint32_t *chunk);

/* KEY_STRETCH and KEY_STATE: what is known of the journal at 'seq'. */
void key_at_seq(struct buf *k, enum key_kind kind, const char *journal, uint64_t seq);
bool key_at_seq_parse(struct slice key, enum key_kind kind, uint64_t *seq);

/* 'origin' says whose number it is; its bytes tell where it ends. */
void key_gtid(struct buf *k, const char *journal, struct slice origin, uint64_t number,
              uint64_t seq);
bool key_gtid_parse(struct slice key, struct slice *origin, uint64_t *number, uint64_t *seq);

/* KEY_FILE and KEY_FILE_END: a file of the source. */
void key_file(struct buf *k, enum key_kind kind, const char *journal, uint32_t incarnation,
              uint32_t number);
bool key_file_parse(struct slice key, enum key_kind kind, uint32_t *incarnation, uint32_t *number);

bool key_hold_parse(struct slice key, struct slice *who);

#endif
