/*
 * journal_impl.h - what the files of this folder share.
 *
 * Who touches what.  The writer's thread has struct writer.  The disk thread, which runs while
 * there is a writer, has 'plan'.  Everything else of struct journal is under its lock; bytes of
 * a block are read without it, since they only grow, and a block that outgrows its memory moves
 * to a new one while readers keep the old by a reference.
 */
#ifndef SLUICE_JOURNAL_JOURNAL_IMPL_H
#define SLUICE_JOURNAL_JOURNAL_IMPL_H

#include "base/thread.h"
#include "journal/journal.h"
#include "journal/journal_block.h"
#include "journal/journal_index.h"

#define TAIL_SIZE (8u << 20) /* of the newest blocks, in memory */
#define TAIL_BLOCKS 8192
#define QUEUE_SIZE (4u << 20) /* of blocks that wait for the disk: then the writer waits */
#define LARGE_SIZE (1u << 20) /* longer records are written as they come */
#define GROUP_SIZE (1u << 20) /* written as one batch */

/* --- memory of a block: journal_tail.c --- */

struct bytes {
    _Atomic unsigned refs;
    size_t cap;
    uint8_t data[];
};
struct bytes *bytes_new(size_t cap);
struct bytes *bytes_widen(struct bytes *b, size_t cap); /* of the only reference */
struct bytes *bytes_ref(struct bytes *b);
void bytes_unref(struct bytes *b); /* NULL is fine */

struct block {
    uint64_t id; /* no two blocks of a process have the same */
    uint64_t first_seq;
    uint32_t n;      /* records */
    size_t size;     /* of 'bytes' in use, with the head, which is made when it goes to the disk */
    bool large;      /* one record, which goes to the disk in pieces */
    int64_t born_us; /* monotonic: when its first record was committed */
    struct bytes *bytes;
};

struct tail { /* sorted by seq */
    struct block **at;
    size_t first, end, cap;
    size_t size; /* of their memory */
};
/* A block with room for a first record of 'size' bytes in all. */
struct block *tail_add(struct tail *t, uint64_t first_seq, size_t size);
struct block *tail_find(const struct tail *t, uint64_t seq); /* that has it; NULL */
/* Appends to the block, which is the newest. */
void tail_append(struct tail *t, struct block *b, struct slice head, struct slice events);
void tail_evict(struct tail *t, uint64_t before_seq); /* the oldest, while there are too many */
void tail_drop(struct tail *t, uint64_t from_seq);    /* the newest */
void tail_fini(struct tail *t);

/* --- what waits for the disk --- */

enum item_kind { ITEM_BLOCK, ITEM_FILE, ITEM_INCARNATION, ITEM_FLOOR };

struct item {
    struct item *next;
    enum item_kind kind;
    struct block *block;      /* of the tail */
    struct journal_file file; /* ITEM_FILE */
    char source_id[64];       /* ITEM_INCARNATION */
    struct gtid_set *gtids;   /* ITEM_INCARNATION */
    uint64_t floor;           /* ITEM_FLOOR */
};
void item_free(struct item *i);

struct queue {
    struct item *first, **last;
    size_t size; /* bytes of its blocks */
};

struct writer {
    struct buf pending; /* events of the open record that are not yet written as pieces */
    struct buf head;
    struct block_large large; /* pieces written so far */
    uint64_t streamed;        /* their bytes */
    struct store_batch *batch;
    struct journal_record prev; /* of the open block; under the journal's lock */
    uint32_t incarnation, file_no;
    uint64_t offset;
    bool has_file;
};

struct hold {
    struct hold *next;
    uint64_t seq;
    bool kept;
    char who[];
};

struct journal {
    struct journals *all;
    char *name;
    struct store *store;
    enum store_family blocks; /* as the head says */
    int64_t (*now_us)(void);

    struct mutex lock;
    struct cond written;                           /* a record was written, or the state changed */
    struct cond durable;                           /* a group is on disk, or the state changed */
    struct cond work;                              /* for the disk thread */
    struct cond room;                              /* for the writer */
    unsigned n_written GUARDED, n_durable GUARDED; /* who waits for them */
    struct tail tail GUARDED;
    struct block *open GUARDED;     /* of the tail: takes records */
    uint64_t next_seq GUARDED;      /* after the last written */
    uint64_t last_ts GUARDED;       /* the last that was given to a record, or promised */
    struct head head GUARDED;       /* as on disk */
    struct stretch stretch GUARDED; /* not yet in the index: the last records on disk */
    struct gtid_set *gtids GUARDED; /* all before head.next_seq; NULL: not known */
    struct first first GUARDED;
    uint64_t first_ts GUARDED;   /* of the oldest record; 0: there is none */
    uint64_t disk_bytes GUARDED; /* as last measured */
    struct gtid_set *purged GUARDED;
    struct hold *holds GUARDED;
    bool writing GUARDED, collecting GUARDED;

    struct queue queue GUARDED;
    bool flush GUARDED; /* the open block is to go as well */
    bool ending GUARDED, busy GUARDED;
    bool failed GUARDED;   /* the disk thread waits to be told to try again */
    bool reported GUARDED; /* and the writer knows */
    struct err failure GUARDED;
    pthread_t thread;

    struct journal_stats stats;
    struct err damaged; /* found when opened: no writer can go on; code 0: none */
    struct writer w;
};

/* --- between the files --- */

void *journal_disk_run(void *arg); /* journal_disk.c: the thread */
void journal_seal(struct journal *j) REQUIRES(j->lock);
void journal_enqueue(struct journal *j, struct item *i) REQUIRES(j->lock);
/* The open block is to go to the disk as soon as that is free. */
void journal_flush_open(struct journal *j) REQUIRES(j->lock);
/* Puts the next piece of record 'seq' into the batch; 'l' counts them. */
void journal_put_piece(const struct journal *j, struct store_batch *b, uint64_t seq,
                       struct slice bytes, struct block_large *l);
/* Wakes who waits for records. */
void journal_wake_written(struct journal *j) REQUIRES(j->lock);
void journal_wake_durable(struct journal *j) REQUIRES(j->lock);

/* Waits for 'c' till 'until_us' of the monotonic clock (timeout_ms -1: for ever); false when that
 * is over.  May wake early. */
bool journal_wait(struct journal *j, struct cond *c, int64_t timeout_ms, int64_t until_us)
    REQUIRES(j->lock);

/* Asks the store how much room the blocks take: may read, so getters show what it found last. */
void journal_measure(struct journal *j);

/* --- journal_find.c --- */

struct range {
    uint64_t first, next; /* readable: first .. next - 1 */
    uint64_t gone_ts;     /* commit_ts of the last that is purged */
    uint64_t open;        /* where the stretch in memory begins */
};
struct range journal_range(struct journal *j);

/* The first durable record in from .. to - 1 that is 'wanted'.  1; 0: none. */
int journal_scan(struct journal *j, uint64_t from, uint64_t to,
                 bool (*wanted)(void *arg, const struct journal_record *r), void *arg,
                 struct journal_record *ret, struct err *err);

/* All before 'seq': the last state at or before it, and the records from there on. NULL in 'ret':
 * not known. */
int journal_set_before(struct journal *j, uint64_t seq, struct gtid_set **ret, struct err *err);

/* --- journal_open.c, for the registry --- */

/* Empty; journal_load() fills it in. -ENOENT, -EBADMSG. */
struct journal *journal_make(struct journals *all, struct store *s, const char *name);
int journal_load(struct journal *j, bool create, struct err *err);
void journal_free(struct journal *j); /* NULL is fine */

#endif
