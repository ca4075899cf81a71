/*
 * journal.h - the stored binlog of one source.
 *
 * Written once, by the relay of the source, and read by all: tasks, pumps, drainers,
 * servers.  A journal is a sequence of records.  A record is a whole transaction, or one
 * event that is in none (format description, rotate, GTID list, ...), as the source sent it,
 * byte for byte; so what is stored of one of its files is all of the file.
 *
 *     journal.c        open, close, registry         journal_write.c      records -> blocks
 *     journal_open.c   what is in the store          journal_disk.c       blocks -> the disk
 *     journal_tail.c   the newest blocks, in memory  journal_read.c       blocks -> records
 *     journal_block.c  bytes of a block (FORMAT.md)  journal_ahead.c      blocks from the store
 *     journal_index.c  stretches, and their search   journal_find.c       seq of a time, a place
 *     journal_values.c bytes of the index            journal_find_gtid.c  seq of a GTID, a set
 *     commit_ts.c      time stamps                   journal_gc.c         what may go, and goes
 *
 * Numbers.  'seq' (commit_seq) is ours: it grows by one a record, belongs to one journal, and
 * means nothing elsewhere.  'commit_ts' is physical ms << 18 | logical, assigned at ingest,
 * strictly growing with seq, and unlike that of any record of another journal (commit_ts.h).  A
 * source's file has a number (its suffix) and an incarnation, which grows when the source is
 * another server or begins its files anew.
 *
 * Written, then durable.  What was committed is readable at once from memory (JOURNAL_WRITTEN:
 * tasks) and, when the disk has it, by all (JOURNAL_DURABLE: acknowledgements,
 * replicas, drainers).  One group is built while the one before is synced.
 *
 * Threads: one writer at a time; any number of readers, each of one thread; the rest is for
 * any thread.
 */
#ifndef SLUICE_JOURNAL_JOURNAL_H
#define SLUICE_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/histogram.h"
#include "base/slice.h"
#include "binlog/position.h"
#include "store/store.h"

struct journal;
struct journal_reader;
struct journals; /* all that are open, by the name of their source */

/* 'store' is borrowed and outlives it. */
struct journals *journals_new(struct store *store);
void journals_free(struct journals *all); /* every journal was closed; NULL is fine */

/* The journal called 'name', opened when it is not yet; 'create' makes one that is not there
 * (else -ENOENT).  What was written and not published when the daemon died is deleted here.  A
 * reference: journal_close() it.  -EBADMSG: the index is damaged, with a sentence. */
int journal_open(struct journals *all, const char *name, bool create, struct journal **ret,
                 struct err *err);
struct journal *journal_ref(struct journal *j);
void journal_close(struct journal *j); /* NULL is fine */
/* Deletes it whole; nobody else may have it open (-EBUSY). */
int journal_delete(struct journals *all, const char *name, struct err *err);
const char *journal_name(const struct journal *j);

/* --- records --- */

enum journal_kind {
    JOURNAL_TXN = 1,   /* from its GTID event (or BEGIN) to its end; DDL, XA steps too */
    JOURNAL_EVENT = 2, /* one event outside of transactions */
};

enum journal_flag {
    JOURNAL_DDL = 1,    /* commits by itself */
    JOURNAL_XA = 2,     /* a step of an XA transaction */
    JOURNAL_SKEWED = 4, /* the source's time was not to be believed: commit_ts is our clock's */
    JOURNAL_LARGE = 8,  /* streamed: it was longer than a block */
};

struct journal_record {
    uint64_t seq; /* assigned by journal_commit() */
    uint64_t commit_ts;
    int64_t commit_us; /* as the source says, wall; 0: it does not */
    enum journal_kind kind;
    unsigned flags;   /* enum journal_flag */
    uint8_t type;     /* JOURNAL_EVENT: of the event; JOURNAL_TXN: of its last */
    struct gtid gtid; /* number 0: none */
    uint32_t incarnation, file_no;
    uint64_t from, to; /* of its bytes in the source's file; they follow one another without gap */
    uint64_t size;     /* bytes of its events: to - from, except in what was sent encrypted */
};

/* --- the files of the source, as records refer to them --- */

struct journal_file {
    uint32_t incarnation, no;
    char name[BINLOG_NAME_SIZE];
    uint64_t first_seq;       /* of its first record */
    struct slice format;      /* its format description, raw; also when the journal begins later */
    struct gtid_set *at_from; /* all transactions before its first record; NULL: not known */
    uint64_t from;            /* offset of its first record: 4, unless the journal begins inside */
    /* filled when read: */
    uint64_t end; /* offset after its last record that is readable */
    int64_t created_us;
    struct buf bytes; /* holds 'format' */
};
void journal_file_fini(struct journal_file *f);

/* --- writing: the relay's thread --- */

struct journal_head { /* where the writer goes on; fini by journal_head_fini() */
    uint64_t next_seq, commit_ts;
    uint32_t incarnation;
    struct position pos; /* after the last record: file, offset, all GTIDs so far */
    char source_id[64];  /* server_uuid, or "server_id 101", of the incarnation */
    uint64_t tail_hash;  /* XXH3 of the bytes of the last record (of a long one: of its pieces'
                            checksums): whether the same server still has the same there.  Another
                            server's bytes differ in offsets: read the last records for that */
};
/* Of an empty journal: next_seq 1 and an empty file.  Becomes the writer: -EBUSY if there is one.
 */
int journal_write_begin(struct journal *j, struct journal_head *ret, struct err *err);
void journal_head_fini(struct journal_head *h);
/* Ends it: what was committed is synced, what is open is dropped.  Also when it fails: then what
 * is not on disk is gone, and the next writer's head is before it. */
int journal_write_end(struct journal *j, struct err *err);

/* The next incarnation: another server, or files that begin anew.  'gtids' (NULL: not known) are
 * those of all transactions before what comes. */
int journal_incarnation(struct journal *j, const char *source_id, const struct gtid_set *gtids,
                        struct err *err);
/* The records that follow are of this file. 'f' is copied. */
int journal_file_begin(struct journal *j, const struct journal_file *f, struct err *err);
/* Adds events, whole or in pieces, to the open record.  Beyond a block they go to the disk,
 * unseen, so a record may be of any size. -ENOSPC, -EIO. */
int journal_add(struct journal *j, struct slice bytes, struct err *err);
/* Ends the open record.  'r' has all but seq, commit_ts, JOURNAL_SKEWED, JOURNAL_LARGE and size,
 * which are filled in; readers of JOURNAL_WRITTEN see it from here on. */
int journal_commit(struct journal *j, struct journal_record *r, struct err *err);
void journal_drop(struct journal *j); /* what is open, e.g. when the connection was lost */
/* Nothing more came for now: what is built goes to the disk as soon as the group before is there.
 * Does not wait.  An error of the disk comes back at the next call of the writer, once: nothing is
 * lost, and any call after that one has the same group tried again. */
int journal_flush(struct journal *j, struct err *err);
/* An idle source: no later record will have a commit_ts up to the one returned (persisted). */
int journal_idle(struct journal *j, uint64_t *safe_ts, struct err *err);

/* A time stamp that splits the journal, for who is to read from here on: the records that were
 * committed so far have one up to it, all later ones have a greater one.  On disk when this
 * returns, so that it holds after a crash.  Any thread, while there is a writer (else -ESHUTDOWN,
 * and safe_ts below is such a one); -ETIMEDOUT. */
int journal_promise(struct journal *j, uint64_t at_least, int64_t timeout_ms, uint64_t *ret,
                    struct err *err);

/* --- how fast it is, since the daemon opened it --- */

struct journal_stats {
    struct histogram record_bytes, record_us; /* of a record; from its commit till it is on disk */
    struct histogram group_bytes, group_us;   /* of what goes to the disk at once */
    struct histogram sync_us;                 /* of that, until the disk has it */
    struct histogram file_us;                 /* to begin a file */
    struct histogram read_us, read_bytes;     /* reads of blocks that memory does not have */
    struct histogram streams_us[2];           /* readers of drainers: how long; [1]: ended well */
    _Atomic uint64_t group_errors, record_errors, read_errors;
};
/* Borrowed; of atomics, so for any thread. */
struct journal_stats *journal_stats(struct journal *j);

/* --- how far it is --- */

struct journal_state {
    uint64_t first_seq;   /* oldest record kept; next_seq when empty */
    uint64_t next_seq;    /* after the last that was written */
    uint64_t durable_seq; /* the last on disk; 0: none */
    uint64_t commit_ts;   /* of the last durable record */
    uint64_t safe_ts;     /* no later record has one up to this: >= commit_ts */
    uint64_t last_ts;     /* the last that was given, also to what is not yet on disk */
    uint64_t first_ts;    /* of the oldest record kept */
    uint64_t bytes;       /* of all that is kept, as the source sent it */
    uint64_t disk_bytes;  /* roughly, on disk */
    uint32_t incarnation;
    bool writing; /* a writer is at work */
};
void journal_state(struct journal *j, struct journal_state *ret);
/* The position after the last durable record; position_fini() it. */
void journal_position(struct journal *j, struct position *ret);
/* All transactions before the oldest record kept; a copy, NULL when not known. */
struct gtid_set *journal_purged(struct journal *j);
/* Waits until 'seq' is on disk, and sees to it that it goes there.  0, -ETIMEDOUT, -ESHUTDOWN when
 * the writer ended without, or what the disk said (the writer hears of it too, and may have it
 * tried again). */
int journal_wait_durable(struct journal *j, uint64_t seq, int64_t timeout_ms, struct err *err);

/* --- reading --- */

enum journal_depth { JOURNAL_WRITTEN, JOURNAL_DURABLE };

struct journal_reader *journal_reader_new(struct journal *j, enum journal_depth depth);
void journal_reader_free(struct journal_reader *r); /* NULL is fine */
/* The next record will be 'seq', or the oldest after it. -ERANGE below first_seq: it is gone. */
int journal_reader_seek(struct journal_reader *r, uint64_t seq, struct err *err);
/* The next record, whole or not read to its end the one before.  Waits at most 'timeout_ms' (-1
 * for ever, 0 not).  1; 0: none came; -EBADMSG, or -EIO when the disk says so: damaged, with
 * journal, seq, file and offset in the sentence (a seek beyond goes on); -ERANGE: purged
 * meanwhile; -ECANCELED after _stop(). */
int journal_reader_next(struct journal_reader *r, struct journal_record *ret, int64_t timeout_ms,
                        struct err *err);
/* Its bytes, piece by piece: valid until the next call of the reader.  1; 0 at its end.  All but
 * JOURNAL_LARGE records are one piece; of those, pieces end anywhere. */
int journal_reader_piece(struct journal_reader *r, struct slice *ret, struct err *err);
/* Its events, one by one (raw, whole; copied together only where pieces split one).  1; 0. */
int journal_reader_event(struct journal_reader *r, struct slice *ret, struct err *err);
/* True when journal_reader_next() would not wait. */
bool journal_reader_ready(struct journal_reader *r);
/* After -EBADMSG or -EIO: where to seek to go on behind what is damaged. */
uint64_t journal_reader_beyond(const struct journal_reader *r);
void journal_reader_stop(struct journal_reader *r); /* any thread: next() returns -ECANCELED */

/* --- finding --- */

/* The record with this commit_ts, or the first after it.  0; -ENOENT: none is that late; -ERANGE:
 * it would be older than what is kept. */
int journal_find_ts(struct journal *j, uint64_t commit_ts, uint64_t *seq, struct err *err);
/* The record that begins at this place of the source's file of the newest incarnation that has
 * it; at the end of a file the next there is, or that will come. -ENOENT: no such file; -ERANGE:
 * beyond its end, or purged; -EINVAL: not between two records ('seq' is the one it is inside of).
 */
int journal_find_place(struct journal *j, const char *file, uint64_t offset, uint64_t *seq,
                       struct err *err);
int journal_find_gtid(struct journal *j, const struct gtid *g, uint64_t *seq, struct err *err);
/* Where somebody goes on who has 'has': the first record that may not be in it, and the GTIDs of
 * all transactions before that record.  The reader skips what 'has' contains.  -ERANGE: what it
 * lacks is purged ('missing', a new set, says what; may be NULL); -ENOENT: MariaDB: a GTID of it
 * is not in this journal. */
int journal_find_set(struct journal *j, const struct gtid_set *has, uint64_t *seq,
                     struct gtid_set **before, struct gtid_set **missing, struct err *err);
/* All GTIDs before record 'seq'; a new set; NULL: not known. */
struct gtid_set *journal_gtids_before(struct journal *j, uint64_t seq, struct err *err);
/* Files, oldest first: visit() until it returns false. */
int journal_files(struct journal *j, bool (*visit)(void *arg, const struct journal_file *f),
                  void *arg, struct err *err);
/* The file that record 'seq' is in. */
int journal_file_of(struct journal *j, uint64_t seq, struct journal_file *ret, struct err *err);

/* --- what may go --- */

/* 'who' ("tasks/orders", "replicas/7") still needs all from 'seq' on.  Persisted when 'keep', so
 * that it holds after a restart before its owner comes back. */
int journal_hold(struct journal *j, const char *who, uint64_t seq, bool keep, struct err *err);
int journal_release(struct journal *j, const char *who, struct err *err);
/* The holds: {"who": seq, ...}; for the tree. */
void journal_holds(struct journal *j, void (*visit)(void *arg, const char *who, uint64_t seq),
                   void *arg);

struct journal_keep {
    int64_t max_age_us; /* by commit_ts; 0: any */
    uint64_t max_bytes; /* 0: any */
    uint64_t until_seq; /* all before it, whatever age and size say; 0: no */
    bool despite_holds; /* the disk guard, or the operator */
};
struct journal_gone {
    uint64_t records, bytes;
    char held_by[128]; /* who kept us from deleting more; "" if nobody */
    char lost_by[128]; /* despite_holds: the first whose records went; "" */
};
/* Deletes whole blocks from the old end; the newest block always stays.  Two at a time: -EBUSY. */
int journal_gc(struct journal *j, const struct journal_keep *k, struct journal_gone *ret,
               struct err *err);
/* Reads all of it and compares checksums; 'bad' is called with a sentence a damaged place. */
int journal_verify(struct journal *j, void (*bad)(void *arg, uint64_t seq, const char *what),
                   void *arg, uint64_t *records, struct err *err);

#endif
