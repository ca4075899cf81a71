/* The store on disk: reading and writing.  rocksdb_priv.h says who else knows RocksDB. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "store/disk_guard.h"
#include "store/folder.h"
#include "store/format.h"
#include "store/rocksdb_priv.h"
#include "store/store.h"

#define SPARE_SIZE (2 * MIB)

static int get_entered(struct store *s, enum store_family f, struct slice key, struct buf *ret,
                       struct err *err)
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;
    rocksdb_pinnableslice_t *pinned;
    char *message = NULL;
    const char *value;
    size_t size;

    pinned = rocksdb_get_pinned_cf(r->db, rocks_has_documents(f) ? r->read_document : r->read,
                                   r->handles[f], (const char *)key.data, key.size, &message);
    if (message)
        return rocks_failed(message, err);
    if (!pinned)
        return err_set(err, -ENOENT, "store: no such key");
    value = rocksdb_pinnableslice_value(pinned, &size);
    buf_add(ret, value, size);
    rocksdb_pinnableslice_destroy(pinned);
    return 0;
}

static int rocks_get(struct store *s, enum store_family f, struct slice key, struct buf *ret,
                     struct err *err)
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;
    int rc;

    rocks_enter(r);
    rc = r->db ? get_entered(s, f, key, ret, err) : rocks_not_open(err);
    rocks_leave(r);
    return rc;
}

static void add_record(rocksdb_writebatch_t *w, rocksdb_column_family_handle_t *h,
                       const struct batch_record *b)
{
    const char *key = (const char *)b->key.data, *value = (const char *)b->value.data;

    switch (b->op) {
    case BATCH_PUT:
        rocksdb_writebatch_put_cf(w, h, key, b->key.size, value, b->value.size);
        break;
    case BATCH_DELETE:
        rocksdb_writebatch_delete_cf(w, h, key, b->key.size);
        break;
    case BATCH_DELETE_RANGE:
        rocksdb_writebatch_delete_range_cf(w, h, key, b->key.size, value, b->value.size);
        break;
    }
}

/* RocksDB calls a range whose end is before its start an error; here it is empty. */
static bool is_empty_range(const struct batch_record *b)
{
    size_t least = b->key.size < b->value.size ? b->key.size : b->value.size;
    int order = least ? memcmp(b->key.data, b->value.data, least) : 0;

    return b->op == BATCH_DELETE_RANGE &&
           (order > 0 || (order == 0 && b->key.size >= b->value.size));
}

static rocksdb_writebatch_t *take_batch(struct store_rocksdb *r)
{
    rocksdb_writebatch_t *w;

    mutex_lock(&r->gate);
    w = r->spare;
    r->spare = NULL;
    mutex_unlock(&r->gate);
    return w ? w : rocksdb_writebatch_create();
}

static void give_batch(struct store_rocksdb *r, rocksdb_writebatch_t *w, size_t size)
{
    rocksdb_writebatch_t *was = w;

    if (size <= SPARE_SIZE) {
        rocksdb_writebatch_clear(w);
        mutex_lock(&r->gate);
        was = r->spare;
        r->spare = w;
        mutex_unlock(&r->gate);
    }
    if (was)
        rocksdb_writebatch_destroy(was);
}

static int rocks_commit(struct store *s, const struct store_batch *b, bool sync, struct err *err)
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;
    struct cursor c = cursor_of(slice_of(b->records.data, b->records.size));
    rocksdb_writebatch_t *w;
    struct batch_record record;
    char *message = NULL;
    int rc;

    if (rocks_mend(r, err) < 0)
        return err->code;
    w = take_batch(r);
    rocks_enter(r);
    while (r->db && batch_next(&c, &record))
        if (!is_empty_range(&record))
            add_record(w, r->handles[record.family], &record);
    if (r->db)
        rocksdb_write(r->db, sync ? r->write_sync : r->write, w, &message);
    rc = !r->db ? rocks_not_open(err) : message ? rocks_failed(message, err) : 0;
    rocks_leave(r);
    give_batch(r, w, b->records.size);
    if (rc < 0)
        rocks_breaks(r, rc);
    return rc;
}

static uint64_t rocks_size(struct store *s, enum store_family f, struct slice from, struct slice to)
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;
    const char *start = (const char *)from.data, *end = (const char *)to.data;
    char *message = NULL;
    uint64_t size = 0;

    rocks_enter(r);
    if (r->db)
        rocksdb_approximate_sizes_cf(r->db, r->handles[f], 1, &start, &from.size, &end, &to.size,
                                     &size, &message);
    rocks_leave(r);
    rocksdb_free(message); /* a figure to show: not worth an error */
    return size;
}

static int rocks_drop_files(struct store *s, enum store_family f, struct slice from,
                            struct slice to, struct err *err)
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;
    char *message = NULL;

    rocks_enter(r);
    if (r->db)
        rocksdb_delete_file_in_range_cf(r->db, r->handles[f], (const char *)from.data, from.size,
                                        (const char *)to.data, to.size, &message);
    rocks_leave(r);
    return message ? rocks_failed(message, err) : 0;
}

static int rocks_room(struct store *s, struct err *err)
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;
    struct disk_guard *g, *fresh = NULL;

    mutex_lock(&r->gate);
    g = r->guard;
    mutex_unlock(&r->gate);
    if (!g) {
        fresh = disk_guard_new(r->dir);
        mutex_lock(&r->gate);
        if (!r->guard)
            r->guard = STEAL(fresh);
        g = r->guard;
        mutex_unlock(&r->gate);
        disk_guard_free(fresh); /* another thread was first */
    }
    return disk_guard_check(g, err);
}

static void rocks_close(struct store *s) NO_THREAD_CHECK
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;

    rocks_close_database(r);
    if (r->spare)
        rocksdb_writebatch_destroy(r->spare);
    for (int i = 0; i < N_HANDLES; i++)
        rocksdb_options_destroy(r->options[i]);
    rocksdb_cache_destroy(r->cache);
    rocksdb_readoptions_destroy(r->read);
    rocksdb_readoptions_destroy(r->read_document);
    rocksdb_writeoptions_destroy(r->write);
    rocksdb_writeoptions_destroy(r->write_sync);
    if (r->lock_fd >= 0)
        close(r->lock_fd);
    disk_guard_free(r->guard);
    cond_fini(&r->gate_moved);
    mutex_fini(&r->gate);
    free(r->dir);
    free(r->path);
    free(r);
}

static const struct store_ops rocks_ops = {
    .get = rocks_get,
    .commit = rocks_commit,
    .iter_new = rocks_iter_new,
    .size = rocks_size,
    .drop_files = rocks_drop_files,
    .room = rocks_room,
    .close = rocks_close,
};

int store_open(const char *dir, struct store **ret, struct err *err)
{
    return store_open_sized(dir, &(struct store_sizes){ 0 }, ret, err);
}

int store_open_sized(const char *dir, const struct store_sizes *sizes, struct store **ret,
                     struct err *err)
{
    int fd = folder_lock(dir, err);
    struct store_rocksdb *r;

    if (fd < 0)
        return fd;
    r = xcalloc(1, sizeof *r);
    r->store.ops = &rocks_ops;
    r->lock_fd = fd;
    r->dir = xstrdup(dir);
    r->path = xasprintf("%s/store", dir);
    mutex_init(&r->gate);
    cond_init(&r->gate_moved);
    rocks_make_options(r, sizes);
    if (rocks_open_database(r, err) < 0 || folder_sync_name(r->path, err) < 0 ||
        store_format_check(&r->store, err) < 0) {
        store_close(&r->store);
        return err_wrap(err, "data folder %s", dir);
    }
    *ret = &r->store;
    return 0;
}
