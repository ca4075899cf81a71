/* rocksdb_iter.c - iterators: between two entries, in both directions. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "store/key.h"
#include "store/rocksdb_priv.h"

#define READAHEAD_SIZE (MIB / 16)

/* Where an iterator stands, seen from the entry that RocksDB's own points at. */
enum gap { GAP_START, GAP_BEFORE, GAP_BEHIND, GAP_END };

struct iter_rocksdb {
    struct store_iter iter;
    struct store_rocksdb *store;
    rocksdb_readoptions_t *options;
    rocksdb_iterator_t *it;
    struct buf lower, upper; /* borrowed by 'options' */
    enum gap gap;
};

/* What RocksDB's iterator points at, or that it is past an end. */
static int arrive(struct iter_rocksdb *it, enum gap gap, enum gap past, struct slice *key,
                  struct slice *value, struct err *err)
{
    char *message = NULL;
    const char *p;
    size_t size;

    if (!rocksdb_iter_valid(it->it)) {
        rocksdb_iter_get_error(it->it, &message);
        it->gap = past;
        return message ? rocks_failed(message, err) : 0;
    }
    p = rocksdb_iter_key(it->it, &size);
    *key = slice_of(p, size);
    p = rocksdb_iter_value(it->it, &size);
    *value = slice_of(p, size);
    it->gap = gap;
    return 1;
}

static int rocks_iter_next(struct store_iter *iter, struct slice *key, struct slice *value,
                           struct err *err)
{
    struct iter_rocksdb *it = (struct iter_rocksdb *)iter;

    if (!it->it)
        return rocks_not_open(err);
    switch (it->gap) {
    case GAP_START:
        rocksdb_iter_seek_to_first(it->it);
        break;
    case GAP_BEFORE:
        break;
    case GAP_BEHIND:
        rocksdb_iter_next(it->it);
        break;
    case GAP_END:
        return 0;
    }
    return arrive(it, GAP_BEHIND, GAP_END, key, value, err);
}

static int rocks_iter_prev(struct store_iter *iter, struct slice *key, struct slice *value,
                           struct err *err)
{
    struct iter_rocksdb *it = (struct iter_rocksdb *)iter;

    if (!it->it)
        return rocks_not_open(err);
    switch (it->gap) {
    case GAP_START:
        return 0;
    case GAP_BEFORE:
        if (rocksdb_iter_valid(it->it))
            rocksdb_iter_prev(it->it);
        else
            rocksdb_iter_seek_to_last(it->it);
        break;
    case GAP_BEHIND:
        break;
    case GAP_END:
        rocksdb_iter_seek_to_last(it->it);
        break;
    }
    return arrive(it, GAP_BEFORE, GAP_START, key, value, err);
}

static void rocks_iter_seek(struct store_iter *iter, struct slice key)
{
    struct iter_rocksdb *it = (struct iter_rocksdb *)iter;

    if (it->it)
        rocksdb_iter_seek(it->it, (const char *)key.data, key.size);
    it->gap = GAP_BEFORE; /* past the end or failed: the next step finds out which */
}

static void rocks_iter_last(struct store_iter *iter)
{
    ((struct iter_rocksdb *)iter)->gap = GAP_END;
}

static void rocks_iter_free(struct store_iter *iter)
{
    struct iter_rocksdb *it = (struct iter_rocksdb *)iter;

    if (it->it)
        rocksdb_iter_destroy(it->it);
    rocks_leave(it->store);
    rocksdb_readoptions_destroy(it->options);
    buf_fini(&it->lower);
    buf_fini(&it->upper);
    free(it);
}

static const struct store_iter_ops iter_ops = {
    .free = rocks_iter_free,
    .seek = rocks_iter_seek,
    .last = rocks_iter_last,
    .next = rocks_iter_next,
    .prev = rocks_iter_prev,
};

struct store_iter *rocks_iter_new(struct store *s, enum store_family f, struct slice prefix)
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;
    struct iter_rocksdb *it = xcalloc(1, sizeof *it);

    it->iter.ops = &iter_ops;
    it->options = rocksdb_readoptions_create();
    if (rocks_is_log(f)) /* read once, in order */
        rocksdb_readoptions_set_readahead_size(it->options, READAHEAD_SIZE);
    if (rocks_is_log(f) || rocks_has_documents(f))
        rocksdb_readoptions_set_fill_cache(it->options, 0);
    buf_add(&it->lower, prefix.data, prefix.size);
    buf_add(&it->upper, prefix.data, prefix.size);
    if (prefix.size)
        rocksdb_readoptions_set_iterate_lower_bound(it->options, it->lower.data, it->lower.size);
    if (key_after(&it->upper))
        rocksdb_readoptions_set_iterate_upper_bound(it->options, it->upper.data, it->upper.size);
    it->store = r;
    rocks_enter(r);
    if (r->db)
        it->it = rocksdb_create_iterator_cf(r->db, it->options, r->handles[f]);
    it->gap = GAP_START;
    return &it->iter;
}
