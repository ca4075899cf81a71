/*
 * rocksdb_priv.h - the store on disk, for the files that know RocksDB:
 *
 *     store_rocksdb.c   reading and writing       rocksdb_iter.c   iterators
 *     rocksdb_open.c    families and options      rocksdb_gate.c   opened anew after the disk
 * failed
 *
 * RocksDB's "char **errptr" becomes a struct err by rocks_failed().
 */
#ifndef SLUICE_STORE_ROCKSDB_PRIV_H
#define SLUICE_STORE_ROCKSDB_PRIV_H

#include <rocksdb/c.h>

#include "base/thread.h"
#include "store/store_impl.h"

#define MIB (UINT64_C(1) << 20)

struct disk_guard;

/* RocksDB always has a family called "default" and wants it opened; we keep nothing in it. */
enum { N_HANDLES = STORE_N_FAMILIES + 1, DEFAULT_HANDLE = STORE_N_FAMILIES };

struct store_rocksdb {
    struct store store;
    int lock_fd;
    char *dir, *path;

    /* Who uses 'db', each iterator too; opening it anew waits until nobody does. */
    struct mutex gate;
    struct cond gate_moved;
    unsigned n_users GUARDED;
    bool closed GUARDED; /* for who wants in */
    bool broken GUARDED; /* RocksDB takes no writes until it is opened anew */
    struct disk_guard *guard GUARDED;
    rocksdb_writebatch_t *spare GUARDED; /* one that is kept, with its memory; NULL: in use */

    rocksdb_t *db; /* NULL: it could not be opened anew */
    rocksdb_cache_t *cache;
    rocksdb_options_t *options[N_HANDLES];
    rocksdb_column_family_handle_t *handles[N_HANDLES];
    rocksdb_readoptions_t *read, *read_document;
    rocksdb_writeoptions_t *write, *write_sync;
};

/* Turns and frees what RocksDB said. */
int rocks_failed(char *message, struct err *err);

/* --- rocksdb_open.c --- */
bool rocks_is_log(enum store_family f); /* read in order, deleted from the start */
/* Values of any size, read seldom: one that is larger than a shard of the strict cache, 512 KiB,
 * cannot be read at all if it is to go there. */
bool rocks_has_documents(enum store_family f);
void rocks_make_options(struct store_rocksdb *r, const struct store_sizes *sizes);
int rocks_open_database(struct store_rocksdb *r, struct err *err);
void rocks_close_database(struct store_rocksdb *r); /* of what is open */

/* --- rocksdb_gate.c --- */
/* Whoever uses r->db is inside; there it may be NULL: rocks_not_open(). */
void rocks_enter(struct store_rocksdb *r);
void rocks_leave(struct store_rocksdb *r);
int rocks_not_open(struct err *err);
/* Before a write: opens it anew if the last one failed.  Only one at a time; the others wait at the
 * gate, and find it mended. */
int rocks_mend(struct store_rocksdb *r, struct err *err);
/* A write failed: RocksDB takes no more. */
void rocks_breaks(struct store_rocksdb *r, int code);

/* rocksdb_iter.c */
struct store_iter *rocks_iter_new(struct store *s, enum store_family f, struct slice prefix);

#endif
