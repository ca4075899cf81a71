/*
 * rocksdb_open.c - families and options.
 *
 * Memory is bounded: one strict block cache that also holds index and filter blocks, and write
 * buffers that count towards one limit for the whole database.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "store/rocksdb_priv.h"

#define BLOCK_CACHE_SIZE (32 * MIB)
#define ALL_WRITE_BUFFERS_SIZE (64 * MIB)
#define WAL_SIZE (256 * MIB)
#define MAX_OPEN_FILES 256
#define BLOOM_BITS_PER_KEY 10
#define HOT_SIZE (2048 * MIB) /* of the journals: the newest, compressed lightly */

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

bool rocks_is_log(enum store_family f)
{
    return families[f].kind == LOG;
}

bool rocks_has_documents(enum store_family f)
{
    return f == STORE_META || f == STORE_CHECKPOINT || f == STORE_SCHEMA;
}

int rocks_failed(char *message, struct err *err)
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

/* What is only ever added at the end: each file that is flushed moves down as it is, since a level
 * takes one at a time and the next has the same compression, until HOT_SIZE is behind it; then it
 * is written once more, for good. */
static void set_log_options(rocksdb_options_t *o, rocksdb_block_based_table_options_t *t,
                            const struct store_sizes *sizes)
{
    int by_level[] = { rocksdb_lz4_compression, rocksdb_lz4_compression, rocksdb_zstd_compression,
                       rocksdb_zstd_compression };

    rocksdb_options_set_compression_per_level(o, by_level, ARRAY_LEN(by_level));
    rocksdb_options_set_level0_file_num_compaction_trigger(o, 1);
    rocksdb_options_set_max_bytes_for_level_base(o, sizes->hot ? sizes->hot : HOT_SIZE);
    if (sizes->buffer)
        rocksdb_options_set_write_buffer_size(o, (size_t)sizes->buffer);
    rocksdb_options_set_target_file_size_base(o, 64 * MIB);
    rocksdb_block_based_options_set_block_size(t, MIB / 32);
}

static rocksdb_options_t *family_options(rocksdb_cache_t *cache, uint64_t buffer,
                                         enum family_kind kind, const struct store_sizes *sizes)
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
        set_log_options(o, t, sizes);
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

void rocks_make_options(struct store_rocksdb *r, const struct store_sizes *sizes)
{
    r->cache = rocksdb_cache_create_lru_with_strict_capacity_limit(BLOCK_CACHE_SIZE);
    for (int i = 0; i < STORE_N_FAMILIES; i++)
        r->options[i] =
            family_options(r->cache, families[i].write_buffer_size, families[i].kind, sizes);
    r->options[DEFAULT_HANDLE] = family_options(r->cache, MIB, PLAIN, sizes);
    set_database_options(r->options[DEFAULT_HANDLE]);
    r->read = rocksdb_readoptions_create();
    r->read_document = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(r->read_document, 0);
    r->write = rocksdb_writeoptions_create();
    r->write_sync = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(r->write_sync, 1);
}

int rocks_open_database(struct store_rocksdb *r, struct err *err)
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
    return message ? rocks_failed(message, err) : 0;
}

void rocks_close_database(struct store_rocksdb *r)
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
