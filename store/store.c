#include "store/store.h"

#include <assert.h>

#include "base/mem.h"
#include "base/scope.h"
#include "store/store_impl.h"

static void add_bytes(struct buf *b, struct slice s)
{
    assert(s.size <= UINT32_MAX);
    buf_le(b, s.size, 4);
    buf_add(b, s.data, s.size);
}

static void add_record(struct store_batch *b, enum batch_op op, enum store_family f,
                       struct slice key, struct slice value)
{
    buf_byte(&b->records, (char)op);
    buf_byte(&b->records, (char)f);
    add_bytes(&b->records, key);
    add_bytes(&b->records, value);
}

bool batch_next(struct cursor *c, struct batch_record *ret)
{
    if (cursor_left(c) == 0)
        return false;
    ret->op = (enum batch_op)cursor_u8(c);
    ret->family = (enum store_family)cursor_u8(c);
    ret->key = cursor_bytes(c, cursor_u32(c));
    ret->value = cursor_bytes(c, cursor_u32(c));
    assert(!c->bad); /* we wrote it */
    return true;
}

struct store_batch *store_batch_new(void)
{
    return xcalloc(1, sizeof(struct store_batch));
}

void store_batch_free(struct store_batch *b)
{
    if (!b)
        return;
    buf_fini(&b->records);
    free(b);
}

void store_batch_put(struct store_batch *b, enum store_family f, struct slice key,
                     struct slice value)
{
    add_record(b, BATCH_PUT, f, key, value);
}

void store_batch_delete(struct store_batch *b, enum store_family f, struct slice key)
{
    add_record(b, BATCH_DELETE, f, key, slice_of(NULL, 0));
}

void store_batch_delete_range(struct store_batch *b, enum store_family f, struct slice from,
                              struct slice to)
{
    add_record(b, BATCH_DELETE_RANGE, f, from, to);
}

int store_batch_commit(struct store *s, struct store_batch *b, bool sync, struct err *err)
{
    int rc = s->ops->commit(s, b, sync, err);

    if (rc == 0)
        buf_clear(&b->records);
    return rc;
}

int store_put(struct store *s, enum store_family f, struct slice key, struct slice value, bool sync,
              struct err *err)
{
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();

    store_batch_put(b, f, key, value);
    return store_batch_commit(s, b, sync, err);
}

int store_delete(struct store *s, enum store_family f, struct slice key, bool sync, struct err *err)
{
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();

    store_batch_delete(b, f, key);
    return store_batch_commit(s, b, sync, err);
}

int store_get(struct store *s, enum store_family f, struct slice key, struct buf *ret,
              struct err *err)
{
    return s->ops->get(s, f, key, ret, err);
}

uint64_t store_size(struct store *s, enum store_family f, struct slice from, struct slice to)
{
    return s->ops->size(s, f, from, to);
}

int store_drop_files(struct store *s, enum store_family f, struct slice from, struct slice to,
                     struct err *err)
{
    return s->ops->drop_files(s, f, from, to, err);
}

int store_room(struct store *s, struct err *err)
{
    return s->ops->room(s, err);
}

void store_close(struct store *s)
{
    if (s)
        s->ops->close(s);
}

struct store_iter *store_iter_new(struct store *s, enum store_family f, struct slice prefix)
{
    return s->ops->iter_new(s, f, prefix);
}

void store_iter_free(struct store_iter *it)
{
    if (it)
        it->ops->free(it);
}

void store_iter_seek(struct store_iter *it, struct slice key)
{
    it->ops->seek(it, key);
}

void store_iter_last(struct store_iter *it)
{
    it->ops->last(it);
}

int store_iter_next(struct store_iter *it, struct slice *key, struct slice *value, struct err *err)
{
    return it->ops->next(it, key, value, err);
}

int store_iter_prev(struct store_iter *it, struct slice *key, struct slice *value, struct err *err)
{
    return it->ops->prev(it, key, value, err);
}

void store_freep(struct store **s)
{
    store_close(*s);
}

void store_batch_freep(struct store_batch **b)
{
    store_batch_free(*b);
}

void store_iter_freep(struct store_iter **it)
{
    store_iter_free(*it);
}
