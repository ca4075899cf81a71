/*
 * store.h - what sluiced keeps on disk: ordered keys in named families.
 *
 * Nothing of RocksDB shows.  store_rocksdb.c is the store of the daemon,
 * store_mem.c its double in tests, which can fail the n-th call.  All keys are
 * made and parsed in key.c; FORMAT.md documents them byte by byte.
 *
 * Any thread may call anything here; iterators and batches belong to one thread.
 *
 * After the disk was full or failed, RocksDB refuses every write until it is opened anew; that
 * happens here, at the next commit, once all iterators are gone: keep none for long.
 */
#ifndef SLUICE_STORE_STORE_H
#define SLUICE_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct store;
struct store_batch;
struct store_iter;

enum store_family {
    STORE_META,       /* documents of nodes */
    STORE_CHECKPOINT, /* positions, XA bodies, quarantine cursors */
    STORE_SCHEMA,     /* table definitions by (source, position, table) */
    STORE_JOURNAL,
    STORE_JOURNAL_INDEX,
    STORE_AUDIT,     /* audit lines and events, by number */
    STORE_JOURNAL_1, /* to 7: more of STORE_JOURNAL, see store_journal() */
    STORE_N_FAMILIES = STORE_JOURNAL_1 + 7,
};

/* Journals that grow side by side are in families of their own: each then grows at one end only,
 * and nothing of it is ever written twice to make room in the middle. */
enum { STORE_N_JOURNALS = 8 };
static inline enum store_family store_journal(unsigned slot)
{
    return slot == 0 ? STORE_JOURNAL : (enum store_family)(STORE_JOURNAL_1 + slot - 1);
}

/* Opens (makes) the store in 'dir'.  -EBUSY with a sentence naming the pid if
 * another daemon holds it; -EPROTO if its format is newer than ours. */
int store_open(const char *dir, struct store **ret, struct err *err);
/* Sizes of what a journal lies in; 0: as store_open() has it. */
struct store_sizes {
    uint64_t buffer; /* in memory, until it is a file */
    uint64_t hot;    /* the newest files, compressed lightly; what is older is compressed well */
};
int store_open_sized(const char *dir, const struct store_sizes *sizes, struct store **ret,
                     struct err *err);
void store_close(struct store *s); /* NULL is fine; batches and iterators are gone before */

/* The double of tests: in memory, gone when closed.  store_mem_fail_at() makes
 * the n-th call from now (get, commit, a step of an iterator) return -EIO
 * without effect; 0 takes that back. */
struct store *store_open_mem(void);
void store_mem_fail_at(struct store *s, unsigned n);
/* As if the machine stopped there: that call and all after it fail, until taken back. */
void store_mem_stop_at(struct store *s, unsigned n);
void store_mem_fill(struct store *s, bool full); /* what store_room() says */
void store_mem_hold(struct store *s, bool hold); /* a slow disk: commits wait until let go */

/* Appends the value to 'ret'.  Returns 0, -ENOENT, -EBADMSG when it is damaged, or -EIO. */
int store_get(struct store *s, enum store_family f, struct slice key, struct buf *ret,
              struct err *err);
/* 'sync' waits for the disk. */
int store_put(struct store *s, enum store_family f, struct slice key, struct slice value, bool sync,
              struct err *err);
int store_delete(struct store *s, enum store_family f, struct slice key, bool sync,
                 struct err *err);

/* All of a batch or nothing.  After a commit it is empty and can be used again;
 * one that failed keeps its records.  A batch sits whole in memory. */
struct store_batch *store_batch_new(void);
void store_batch_free(struct store_batch *b);
void store_batch_put(struct store_batch *b, enum store_family f, struct slice key,
                     struct slice value);
void store_batch_delete(struct store_batch *b, enum store_family f, struct slice key);
void store_batch_delete_range(struct store_batch *b, enum store_family f, struct slice from,
                              struct slice to);
int store_batch_commit(struct store *s, struct store_batch *b, bool sync, struct err *err);

/* A consistent view, as of now, of all keys with 'prefix' in byte order.  An
 * iterator stands between two keys: at first before all of them; next() returns
 * the key behind it and prev() the one before it, and each steps over it. */
struct store_iter *store_iter_new(struct store *s, enum store_family f, struct slice prefix);
void store_iter_free(struct store_iter *it);
void store_iter_seek(struct store_iter *it, struct slice key); /* before the first key >= 'key' */
void store_iter_last(struct store_iter *it);                   /* behind all keys */
/* 1 with key and value (borrowed until the next call), 0 at the end, -EBADMSG, -EIO. */
int store_iter_next(struct store_iter *it, struct slice *key, struct slice *value, struct err *err);
int store_iter_prev(struct store_iter *it, struct slice *key, struct slice *value, struct err *err);

/* Bytes that the keys from 'from' to before 'to' take on disk, roughly: what is not yet in a file
 * may be left out. */
uint64_t store_size(struct store *s, enum store_family f, struct slice from, struct slice to);
/* Deletes the files that hold nothing but keys of this range, at once and for nothing; keys of the
 * range that are in other files stay. */
int store_drop_files(struct store *s, enum store_family f, struct slice from, struct slice to,
                     struct err *err);

/* Who only adds asks this before: 0, or -ENOSPC with a sentence when too little is left on the
 * disk.  The first call sets a ballast file aside (disk_guard.h). */
int store_room(struct store *s, struct err *err);

/* For SCOPED. */
void store_freep(struct store **s);
void store_batch_freep(struct store_batch **b);
void store_iter_freep(struct store_iter **it);

#endif
