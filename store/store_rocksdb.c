/*
 * The store on disk.  The only file that knows RocksDB; its "char **errptr"
 * becomes a struct err here and nowhere else.
 *
 * Memory is bounded: one strict block cache that also holds index and filter
 * blocks, and write buffers that count towards one limit for the whole database.
 */
#include <errno.h>
#include <rocksdb/c.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "store/disk_guard.h"
#include "store/folder.h"
#include "store/format.h"
#include "store/key.h"
#include "store/store.h"
#include "store/store_impl.h"

#define MIB (UINT64_C(1) << 20)
#define BLOCK_CACHE_SIZE (32 * MIB)
#define ALL_WRITE_BUFFERS_SIZE (64 * MIB)
#define WAL_SIZE (256 * MIB)
#define MAX_OPEN_FILES 256
#define BLOOM_BITS_PER_KEY 10
#define HOT_SIZE (2048 * MIB) /* of the journals: the newest, compressed lightly */
#define SPARE_SIZE (2 * MIB)
#define READAHEAD_SIZE (MIB / 16)
#define GATE_TIMEOUT_US INT64_C(5000000)

enum family_kind {
    PLAIN,
    COMPRESSED,
    LOG, /* compressed; added at the end, read in order, deleted from the start */
};

/* Family numbers are of the API, names are on disk. */
static const struct {
    const char *name;
    uint64_t write_buffer_size;
    enum family_kind kind;
} families[STORE_N_FAMILIES] = {
    [STORE_META] = { "meta", 2 * MIB, PLAIN },
    [STORE_CHECKPOINT] = { "checkpoint", 2 * MIB, PLAIN },
    [STORE_SCHEMA] = { "schema", 2 * MIB, COMPRESSED },
    [STORE_JOURNAL] = { "journal", 32 * MIB, LOG },
    [STORE_JOURNAL_INDEX] = { "journal_index", 2 * MIB, PLAIN },
    [STORE_AUDIT] = { "audit", 2 * MIB, COMPRESSED },
    [STORE_JOURNAL_1] = { "journal_1", 32 * MIB, LOG },
    [STORE_JOURNAL_1 + 1] = { "journal_2", 32 * MIB, LOG },
    [STORE_JOURNAL_1 + 2] = { "journal_3", 32 * MIB, LOG },
    [STORE_JOURNAL_1 + 3] = { "journal_4", 32 * MIB, LOG },
    [STORE_JOURNAL_1 + 4] = { "journal_5", 32 * MIB, LOG },
    [STORE_JOURNAL_1 + 5] = { "journal_6", 32 * MIB, LOG },
    [STORE_JOURNAL_1 + 6] = { "journal_7", 32 * MIB, LOG },
};

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
    rocksdb_readoptions_t *read;
    rocksdb_writeoptions_t *write, *write_sync;
};

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

/* Turns and frees what RocksDB said. */
static int failed(char *message, struct err *err)
{
    int code = -EIO;

    if (strstr(message, "No space left on device"))
        code = -ENOSPC;
    else if (strncmp(message, "Corruption", 10) == 0)
        code = -EBADMSG;
    else if (strstr(message, "lock file") || strstr(message, "While lock file"))
        code = -EBUSY;
    err_set(err, code, "store: %s", message);
    rocksdb_free(message);
    return code;
}

/* --- the gate --- */

static int not_open(struct err *err)
{
    return err_set(err, -EIO, "store: it could not be opened again after the disk failed");
}

static void leave(struct store_rocksdb *r)
{
    mutex_lock(&r->gate);
    r->n_users--;
    if (r->closed)
        cond_broadcast(&r->gate_moved);
    mutex_unlock(&r->gate);
}

static void enter(struct store_rocksdb *r)
{
    mutex_lock(&r->gate);
    while (r->closed)
        cond_wait(&r->gate_moved, &r->gate, -1);
    r->n_users++;
    mutex_unlock(&r->gate);
}

static int open_database(struct store_rocksdb *r, struct err *err);
static void close_database(struct store_rocksdb *r);

/* Closes the gate and waits until all are out; not for ever, since who keeps an iterator may be
 * waiting for us. */
static bool close_gate(struct store_rocksdb *r)
{
    int64_t until = clock_mono_us() + GATE_TIMEOUT_US;
    bool alone;

    mutex_lock(&r->gate);
    r->closed = true;
    while (r->n_users > 0 && clock_mono_us() < until)
        cond_wait(&r->gate_moved, &r->gate, 100);
    alone = r->n_users == 0;
    mutex_unlock(&r->gate);
    return alone;
}

static void open_gate(struct store_rocksdb *r, bool works)
{
    mutex_lock(&r->gate);
    r->closed = false;
    r->broken = !works;
    cond_broadcast(&r->gate_moved);
    mutex_unlock(&r->gate);
}

/* RocksDB's C API has no Resume(). */
static int open_anew(struct store_rocksdb *r, struct err *err)
{
    int rc;

    if (!close_gate(r)) {
        open_gate(r, false);
        return err_set(err, -EIO,
                       "store: busy readers keep it from being opened again after the "
                       "disk failed");
    }
    close_database(r);
    rc = open_database(r, err);
    if (rc < 0)
        close_database(r);
    open_gate(r, rc == 0);
    return rc;
}

/* Only one at a time; the others wait at the gate, and find it mended. */
static int mend(struct store_rocksdb *r, struct err *err)
{
    bool broken;

    mutex_lock(&r->gate);
    while (r->closed)
        cond_wait(&r->gate_moved, &r->gate, -1);
    broken = r->broken;
    if (broken)
        r->closed = true;
    mutex_unlock(&r->gate);
    return broken ? open_anew(r, err) : 0;
}

static void breaks(struct store_rocksdb *r, int code)
{
    struct disk_guard *g;

    mutex_lock(&r->gate);
    r->broken = true;
    g = r->guard;
    mutex_unlock(&r->gate);
    if (g && code == -ENOSPC)
        disk_guard_was_full(g);
}

static int get_entered(struct store *s, enum store_family f, struct slice key, struct buf *ret,
                       struct err *err)
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;
    rocksdb_pinnableslice_t *pinned;
    char *message = NULL;
    const char *value;
    size_t size;

    pinned = rocksdb_get_pinned_cf(r->db, r->read, r->handles[f], (const char *)key.data, key.size,
                                   &message);
    if (message)
        return failed(message, err);
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

    enter(r);
    rc = r->db ? get_entered(s, f, key, ret, err) : not_open(err);
    leave(r);
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

    if (mend(r, err) < 0)
        return err->code;
    w = take_batch(r);
    enter(r);
    while (r->db && batch_next(&c, &record))
        if (!is_empty_range(&record))
            add_record(w, r->handles[record.family], &record);
    if (r->db)
        rocksdb_write(r->db, sync ? r->write_sync : r->write, w, &message);
    rc = !r->db ? not_open(err) : message ? failed(message, err) : 0;
    leave(r);
    give_batch(r, w, b->records.size);
    if (rc < 0)
        breaks(r, rc);
    return rc;
}

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
        return message ? failed(message, err) : 0;
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
        return not_open(err);
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
        return not_open(err);
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
    leave(it->store);
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

static struct store_iter *rocks_iter_new(struct store *s, enum store_family f, struct slice prefix)
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;
    struct iter_rocksdb *it = xcalloc(1, sizeof *it);

    it->iter.ops = &iter_ops;
    it->options = rocksdb_readoptions_create();
    if (families[f].kind == LOG) { /* read once, in order */
        rocksdb_readoptions_set_readahead_size(it->options, READAHEAD_SIZE);
        rocksdb_readoptions_set_fill_cache(it->options, 0);
    }
    buf_add(&it->lower, prefix.data, prefix.size);
    buf_add(&it->upper, prefix.data, prefix.size);
    if (prefix.size)
        rocksdb_readoptions_set_iterate_lower_bound(it->options, it->lower.data, it->lower.size);
    if (key_after(&it->upper))
        rocksdb_readoptions_set_iterate_upper_bound(it->options, it->upper.data, it->upper.size);
    it->store = r;
    enter(r);
    if (r->db)
        it->it = rocksdb_create_iterator_cf(r->db, it->options, r->handles[f]);
    it->gap = GAP_START;
    return &it->iter;
}

static uint64_t rocks_size(struct store *s, enum store_family f, struct slice from, struct slice to)
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;
    const char *start = (const char *)from.data, *end = (const char *)to.data;
    char *message = NULL;
    uint64_t size = 0;

    enter(r);
    if (r->db)
        rocksdb_approximate_sizes_cf(r->db, r->handles[f], 1, &start, &from.size, &end, &to.size,
                                     &size, &message);
    leave(r);
    rocksdb_free(message); /* a figure to show: not worth an error */
    return size;
}

static int rocks_drop_files(struct store *s, enum store_family f, struct slice from,
                            struct slice to, struct err *err)
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;
    char *message = NULL;

    enter(r);
    if (r->db)
        rocksdb_delete_file_in_range_cf(r->db, r->handles[f], (const char *)from.data, from.size,
                                        (const char *)to.data, to.size, &message);
    leave(r);
    return message ? failed(message, err) : 0;
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

static void close_database(struct store_rocksdb *r)
{
    for (int i = 0; i < N_HANDLES; i++)
        if (r->handles[i]) {
            rocksdb_column_family_handle_destroy(r->handles[i]);
            r->handles[i] = NULL;
        }
    if (r->db)
        rocksdb_close(r->db);
    r->db = NULL;
}

static void rocks_close(struct store *s) NO_THREAD_CHECK
{
    struct store_rocksdb *r = (struct store_rocksdb *)s;

    close_database(r);
    if (r->spare)
        rocksdb_writebatch_destroy(r->spare);
    for (int i = 0; i < N_HANDLES; i++)
        rocksdb_options_destroy(r->options[i]);
    rocksdb_cache_destroy(r->cache);
    rocksdb_readoptions_destroy(r->read);
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

/* What is only ever added at the end: each file that is flushed moves down as it is, since a level
 * takes one at a time and the next has the same compression, until HOT_SIZE is behind it; then it
 * is written once more, for good. */
static void set_log_options(rocksdb_options_t *o, rocksdb_block_based_table_options_t *t)
{
    int by_level[] = { rocksdb_lz4_compression, rocksdb_lz4_compression, rocksdb_zstd_compression,
                       rocksdb_zstd_compression };

    rocksdb_options_set_compression_per_level(o, by_level, ARRAY_LEN(by_level));
    rocksdb_options_set_level0_file_num_compaction_trigger(o, 1);
    rocksdb_options_set_max_bytes_for_level_base(o, HOT_SIZE);
    rocksdb_options_set_target_file_size_base(o, 64 * MIB);
    rocksdb_block_based_options_set_block_size(t, MIB / 32);
}

static rocksdb_options_t *family_options(rocksdb_cache_t *cache, uint64_t buffer,
                                         enum family_kind kind)
{
    rocksdb_options_t *o = rocksdb_options_create();
    rocksdb_block_based_table_options_t *t = rocksdb_block_based_options_create();

    rocksdb_options_set_write_buffer_size(o, (size_t)buffer);
    rocksdb_options_set_max_write_buffer_number(o, 2);
    rocksdb_options_set_compression(o, kind == PLAIN ? rocksdb_no_compression
                                                     : rocksdb_lz4_compression);
    rocksdb_block_based_options_set_block_cache(t, cache);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(t, 1);
    if (kind == LOG)
        set_log_options(o, t);
    else
        rocksdb_block_based_options_set_filter_policy(
            t, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS_PER_KEY));
    rocksdb_options_set_block_based_table_factory(o, t);
    rocksdb_block_based_options_destroy(t);
    return o;
}

/* What holds for the whole database is set on the default family's options. */
static void set_database_options(rocksdb_options_t *o)
{
    enum { LOG_LEVEL_WARNINGS = 2 };

    rocksdb_options_set_create_if_missing(o, 1);
    rocksdb_options_set_create_missing_column_families(o, 1);
    rocksdb_options_set_db_write_buffer_size(o, ALL_WRITE_BUFFERS_SIZE);
    rocksdb_options_set_max_total_wal_size(o, WAL_SIZE);
    rocksdb_options_set_max_open_files(o, MAX_OPEN_FILES);
    rocksdb_options_set_max_background_jobs(o, 2);
    rocksdb_options_set_bytes_per_sync(o, MIB);
    rocksdb_options_set_info_log_level(o, LOG_LEVEL_WARNINGS);
    rocksdb_options_set_keep_log_file_num(o, 4);
    rocksdb_options_set_max_log_file_size(o, 4 * MIB);
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_stats_persist_period_sec(o, 0);
}

/* A family that we do not know is of a newer format; RocksDB would only say
 * "Column families not opened". */
static int check_families(const rocksdb_options_t *o, const char *path, struct err *err)
{
    char *message = NULL;
    size_t n = 0, known;
    char **names = rocksdb_list_column_families(o, path, &n, &message);
    int rc = 0;

    rocksdb_free(message); /* nothing there yet; if it is worse, opening says so */
    for (size_t i = 0; i < n && rc == 0; i++) {
        for (known = 0; known < STORE_N_FAMILIES; known++)
            if (strcmp(names[i], families[known].name) == 0)
                break;
        if (known == STORE_N_FAMILIES && strcmp(names[i], "default") != 0)
            rc = err_set(err, -EPROTO,
                         "the store has a family '%s', made by a newer sluiced: install the newer "
                         "version again, or give another folder with --data",
                         names[i]);
    }
    rocksdb_list_column_families_destroy(names, n);
    return rc;
}

static void make_options(struct store_rocksdb *r)
{
    r->cache = rocksdb_cache_create_lru_with_strict_capacity_limit(BLOCK_CACHE_SIZE);
    for (int i = 0; i < STORE_N_FAMILIES; i++)
        r->options[i] = family_options(r->cache, families[i].write_buffer_size, families[i].kind);
    r->options[DEFAULT_HANDLE] = family_options(r->cache, MIB, PLAIN);
    set_database_options(r->options[DEFAULT_HANDLE]);
    r->read = rocksdb_readoptions_create();
    r->write = rocksdb_writeoptions_create();
    r->write_sync = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(r->write_sync, 1);
}

static int open_database(struct store_rocksdb *r, struct err *err)
{
    const char *names[N_HANDLES] = { [DEFAULT_HANDLE] = "default" };
    const rocksdb_options_t *const *options = (const rocksdb_options_t *const *)r->options;
    char *message = NULL;
    int rc = check_families(r->options[DEFAULT_HANDLE], r->path, err);

    if (rc < 0)
        return rc;
    for (int i = 0; i < STORE_N_FAMILIES; i++)
        names[i] = families[i].name;
    r->db = rocksdb_open_column_families(r->options[DEFAULT_HANDLE], r->path, N_HANDLES, names,
                                         options, r->handles, &message);
    return message ? failed(message, err) : 0;
}

int store_open(const char *dir, struct store **ret, struct err *err)
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
    make_options(r);
    if (open_database(r, err) < 0 || store_format_check(&r->store, err) < 0) {
        store_close(&r->store);
        return err_wrap(err, "data folder %s", dir);
    }
    *ret = &r->store;
    return 0;
}
