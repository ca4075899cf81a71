/*
 * store_impl.h - what store.c asks of store_rocksdb.c and store_mem.c.
 *
 * A batch is kept in a form of its own, so that it can be built before one
 * knows which store it goes to: a run of records, each
 *     op u8, family u8, key size u32, key, value size u32, value
 * (little-endian; the value of a range is its end).
 */
#ifndef SLUICE_STORE_STORE_IMPL_H
#define SLUICE_STORE_STORE_IMPL_H

#include "base/cursor.h"
#include "store/store.h"

enum batch_op { BATCH_PUT, BATCH_DELETE, BATCH_DELETE_RANGE };

struct batch_record {
    enum batch_op op;
    enum store_family family;
    struct slice key, value;
};

struct store_batch {
    struct buf records;
};

/* The next record of 'c', a cursor over a batch's records; false at the end. */
bool batch_next(struct cursor *c, struct batch_record *ret);

struct store_ops {
    int (*get)(struct store *s, enum store_family f, struct slice key, struct buf *ret,
               struct err *err);
    int (*commit)(struct store *s, const struct store_batch *b, bool sync, struct err *err);
    struct store_iter *(*iter_new)(struct store *s, enum store_family f, struct slice prefix);
    uint64_t (*size)(struct store *s, enum store_family f, struct slice from, struct slice to);
    int (*drop_files)(struct store *s, enum store_family f, struct slice from, struct slice to,
                      struct err *err);
    int (*room)(struct store *s, struct err *err);
    void (*close)(struct store *s);
};

struct store_iter_ops {
    void (*free)(struct store_iter *it);
    void (*seek)(struct store_iter *it, struct slice key);
    void (*last)(struct store_iter *it);
    int (*next)(struct store_iter *it, struct slice *key, struct slice *value, struct err *err);
    int (*prev)(struct store_iter *it, struct slice *key, struct slice *value, struct err *err);
};

/* Both are the first member of what a store makes of them. */
struct store {
    const struct store_ops *ops;
};

struct store_iter {
    const struct store_iter_ops *ops;
};

#endif
