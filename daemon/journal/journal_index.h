/*
 * journal_index.h - what is kept beside the blocks, so that they are found: values of the
 * family journal_index, and their search.
 *
 * A stretch is a run of records, of about a block, that the index knows as one: where it
 * begins (seq, commit_ts, place) and, per origin, the least and greatest number in it.  The
 * search goes by seq, since commit_ts and place grow with it; the last records belong to a
 * stretch that is still in memory.
 */
#ifndef SLUICE_JOURNAL_JOURNAL_INDEX_H
#define SLUICE_JOURNAL_JOURNAL_INDEX_H

#include "journal/journal.h"

#define STRETCH_SIZE 49152 /* a block that is full is one */
#define STRETCH_RECORDS 1024
#define STATE_EVERY 10000 /* records from one GTID state to the next */

/* What is published: all up to next_seq - 1 is whole. */
struct head {
    uint64_t next_seq, commit_ts, floor;
    uint32_t incarnation, file_no;
    char file[BINLOG_NAME_SIZE];
    uint64_t offset;
    char source_id[64];
    uint64_t tail_hash;
    uint64_t bytes;     /* of all that ever came */
    unsigned slot;      /* of the family that has the blocks */
    unsigned mark;      /* of its commit_ts; COMMIT_TS_MARKS: an older version gave it none */
    uint64_t state_seq; /* of the last GTID state; not on disk */
};

/* What is gone. */
struct first {
    uint64_t seq;       /* the oldest kept */
    uint64_t bytes;     /* of all before */
    uint64_t commit_ts; /* of the last before; 0: none */
};

struct origin_range {
    struct gtid origin;
    uint64_t min, max;
};

struct stretch {
    uint64_t first_seq, n; /* n 0: it has not begun */
    uint64_t first_ts, last_ts;
    uint32_t incarnation, file_no;
    uint64_t from, bytes;
    struct origin_range *origins; /* of one that is built only */
    size_t n_origins, cap;
};

void stretch_add(struct stretch *s, const struct journal_record *r);
bool stretch_full(const struct stretch *s);
void stretch_clear(struct stretch *s); /* memory kept */
void stretch_copy(struct stretch *to, const struct stretch *from);
void stretch_fini(struct stretch *s);

/* --- into a batch --- */
void put_head(struct store_batch *b, const char *journal, const struct head *h);
void put_first(struct store_batch *b, const char *journal, const struct first *f);
void put_stretch(struct store_batch *b, const char *journal, const struct stretch *s);
void put_state(struct store_batch *b, const char *journal, uint64_t seq,
               const struct gtid_set *gtids);
void put_file(struct store_batch *b, const char *journal, const struct journal_file *f);
void put_file_end(struct store_batch *b, const char *journal, uint32_t incarnation, uint32_t no,
                  uint64_t end);
void put_hold(struct store_batch *b, const char *journal, const char *who, uint64_t seq);

/* --- from the store --- 0, -ENOENT, -EBADMSG, -EIO */
int get_head(struct store *s, const char *journal, struct head *ret, struct err *err);
int get_first(struct store *s, const char *journal, struct first *ret, struct err *err);
int get_file(struct store *s, const char *journal, uint32_t incarnation, uint32_t no,
             struct journal_file *ret, struct err *err);
/* The one that begins at or last before 'seq'.  1; 0: none. */
int last_stretch(struct store *s, const char *journal, uint64_t seq, struct stretch *ret,
                 struct err *err);
int last_state(struct store *s, const char *journal, uint64_t seq, uint64_t *state_seq,
               struct gtid_set **ret, struct err *err);
int open_head(struct slice key, struct slice value, struct head *ret, struct err *err);
int open_hold(struct slice key, struct slice value, uint64_t *seq, struct err *err);
int open_file(struct slice key, struct slice value, struct journal_file *ret, struct err *err);
int open_state(struct slice key, struct slice value, uint64_t *seq, struct gtid_set **ret,
               struct err *err);
int open_stretch(struct slice key, struct slice value, struct stretch *ret, struct err *err);

struct span { /* of a journal: from .. to - 1 */
    struct store *store;
    const char *journal;
    uint64_t from, to;
};
/* The last stretch that begins in 'in' and of which 'is_before' is true, which it is of all up to
 * some place and of none behind.  1; 0: none. */
int search_stretch(struct span in, bool (*is_before)(const void *arg, const struct stretch *s),
                   const void *arg, struct stretch *ret, struct err *err);
/* Likewise of the GTID states. */
int search_state(struct span in, bool (*is_before)(const void *arg, const struct gtid_set *state),
                 const void *arg, uint64_t *seq, struct gtid_set **ret, struct err *err);

#endif
