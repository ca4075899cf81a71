#include "unit/schema/schema_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "route/ddl.h"
#include "route/router.h"
#include "route/shard_table.h"
#include "store/key.h"
#include "store/store.h"

/* --- a definition --- */

/* What types are called in information_schema, where a statement may say otherwise. */
static const struct {
    const char *said, *called;
} aliases[] = {
    { "integer", "int" },
    { "int1", "tinyint" },
    { "int2", "smallint" },
    { "int3", "mediumint" },
    { "int4", "int" },
    { "int8", "bigint" },
    { "middleint", "mediumint" },
    { "bool", "tinyint" },
    { "boolean", "tinyint" },
    { "serial", "bigint" },
    { "dec", "decimal" },
    { "numeric", "decimal" },
    { "fixed", "decimal" },
    { "real", "double" },
    { "float4", "float" },
    { "float8", "double" },
    { "character", "char" },
    { "nchar", "char" },
    { "nvarchar", "varchar" },
    { "varcharacter", "varchar" },
    { "long", "mediumtext" },
};

/* "character varying(20)" is varchar; "varchar(20)" too. */
static char *data_type_of(const char *type)
{
    SCOPED(freep) char *word = xstrndup(type, strcspn(type, " ("));

    if (strstr(type, "varying"))
        return xstrdup("varchar");
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (strcmp(word, aliases[i].said) == 0)
            return xstrdup(aliases[i].called);
    return STEAL(word);
}

static void fill_column(const struct shard_column *from, struct table_column *to)
{
    to->name = xstrdup(from->name);
    to->column_type = xstrdup(from->type);
    to->data_type = data_type_of(from->type);
    to->is_unsigned = from->is_unsigned || from->zerofill || strcmp(from->type, "serial") == 0;
    to->nullable = from->nullable;
    to->generated = from->generated != NULL;
    to->is_virtual = from->generated && strstr(from->generated, " virtual");
    to->auto_increment = from->auto_increment;
    to->json = strcmp(to->data_type, "json") == 0;
}

int schema_def(struct slice create, const char *schema, const char *table, struct table_def **ret,
               struct err *err)
{
    SCOPED(shard_table_fini) struct shard_table parsed = { 0 };
    struct table_def *def;
    int rc = shard_table_parse(create, &parsed, err);

    if (rc == 0 && parsed.n_cols == 0)
        rc = err_set(err, -EINVAL, "it has no columns");
    if (rc < 0)
        return err_wrap(err, "this is no CREATE TABLE with columns");
    def = xcalloc(1, sizeof *def);
    def->db = xstrdup(schema);
    def->name = xstrdup(table);
    def->n_cols = parsed.n_cols;
    def->cols = xcalloc(parsed.n_cols, sizeof *def->cols);
    for (unsigned i = 0; i < parsed.n_cols; i++)
        fill_column(&parsed.cols[i], &def->cols[i]);
    *ret = def;
    return 0;
}

void schema_named(struct slice create, const char *table, struct buf *ret)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct ddl d;

    ddl_scan(create, false, false, &arena, &d);
    if (d.n_names && (d.names[0].schema.size || !slice_eq(d.names[0].table, slice_str(table)))) {
        const struct ddl_name *n = &d.names[0];

        buf_add(ret, create.data, n->at);
        sql_ident(ret, slice_str(table));
        buf_add(ret, create.data + n->at + n->size, create.size - n->at - n->size);
    } else {
        buf_add(ret, create.data, create.size);
    }
}

/* --- records --- */

#define SET_PREFIX "set "

static const char *const words[] = {
    [SCHEMA_MIRROR] = "mirror", [SCHEMA_APART] = "apart", [SCHEMA_NAMED] = "named"
};

static char *owner_of(const struct job *job)
{
    return xasprintf("%s/%s", job->task, job->source);
}

/* What was renamed has the statement behind its word. */
static enum schema_kept kept_of(struct slice v)
{
    const uint8_t *space = v.size ? memchr(v.data, ' ', v.size) : NULL;

    if (v.size >= sizeof SET_PREFIX - 1 && memcmp(v.data, SET_PREFIX, sizeof SET_PREFIX - 1) == 0)
        return SCHEMA_SET;
    if (space)
        v.size = (size_t)(space - v.data);
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        if (slice_eq(v, slice_str(words[i])))
            return (enum schema_kept)i;
    return SCHEMA_APART;
}

/* The record that holds; 'seq' may be NULL. */
static int newest(const struct job *job, const char *schema, const char *table, uint64_t *seq,
                  struct buf *value, struct err *err)
{
    SCOPED(freep) char *owner = owner_of(job);
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice k, v, db, name;
    uint64_t at;
    int rc;

    if (!job->store)
        return -ENOENT;
    key_prefix(&key, KEY_TABLE, owner, schema, table, NULL);
    it = store_iter_new(job->store, STORE_SCHEMA, key_slice(&key));
    store_iter_last(it);
    rc = store_iter_prev(it, &k, &v, err);
    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    if (seq)
        *seq = key_table_parse(k, &db, &name, &at) ? at : 0;
    buf_add(value, v.data, v.size);
    return 0;
}

int schema_store_get(const struct job *job, const char *schema, const char *table,
                     enum schema_kept *ret, struct buf *set, struct err *err)
{
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    size_t prefix = sizeof SET_PREFIX - 1;
    int rc = newest(job, schema, table, NULL, &value, err);

    if (rc < 0)
        return rc;
    *ret = kept_of(slice_of(value.data, value.size));
    if (set && *ret == SCHEMA_SET)
        buf_add(set, value.data + prefix, value.size - prefix);
    return 0;
}

static int put(const struct job *job, const char *schema, const char *table, uint64_t seq,
               struct slice value, bool sync, struct err *err)
{
    SCOPED(freep) char *owner = owner_of(job);
    SCOPED(buf_fini) struct buf key = BUF_INIT;

    if (!job->store)
        return 0;
    key_table(&key, owner, schema, table, seq);
    return store_put(job->store, STORE_SCHEMA, key_slice(&key), value, sync, err);
}

/* That the binlog names the columns is seen again: it need not be on disk. */
int schema_store_put(const struct job *job, const char *schema, const char *table,
                     enum schema_kept kept, uint64_t seq, struct err *err)
{
    return put(job, schema, table, seq, slice_str(words[kept]), kept != SCHEMA_NAMED, err);
}

int schema_store_mirrored(const struct job *job, const char *schema, const char *table,
                          bool on_disk, struct err *err)
{
    return put(job, schema, table, 0, slice_str(words[SCHEMA_MIRROR]), on_disk, err);
}

int schema_store_set(const struct job *job, const char *schema, const char *table,
                     struct slice create, struct err *err)
{
    SCOPED(buf_fini) struct buf value = BUF_INIT, old = BUF_INIT;
    struct table_def *def;
    uint64_t seq = 0;
    int rc = schema_def(create, schema, table, &def, err);

    if (rc < 0)
        return rc;
    table_free(def);
    rc = newest(job, schema, table, &seq, &old, err);
    if (rc < 0 && rc != -ENOENT)
        return rc;
    buf_str(&value, SET_PREFIX);
    buf_add(&value, create.data, create.size);
    return put(job, schema, table, seq, slice_of(value.data, value.size), true, err);
}

/* All records of a table: how many; <0. */
static int drop_in(const struct job *job, const char *schema, const char *table,
                   struct store_batch *b, struct err *err)
{
    SCOPED(freep) char *owner = owner_of(job);
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice k, v;
    int rc, n = 0;

    key_prefix(&key, KEY_TABLE, owner, schema, table, NULL);
    it = store_iter_new(job->store, STORE_SCHEMA, key_slice(&key));
    while ((rc = store_iter_next(it, &k, &v, err)) > 0) {
        store_batch_delete(b, STORE_SCHEMA, k);
        n++;
    }
    return rc < 0 ? rc : n;
}

int schema_store_drop(const struct job *job, const char *schema, const char *table, struct err *err)
{
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();
    int rc = job->store ? drop_in(job, schema, table, b, err) : 0;

    if (rc < 0)
        return rc;
    return rc ? store_batch_commit(job->store, b, true, err) : -ENOENT;
}

/* --- other names --- */

/* A name of the statement; all of them are in one array. */
struct named {
    const char *schema, *table;
    enum schema_kept kept;
    bool there; /* it is a table's of which something is known */
};

struct naming {
    const struct job *job;
    uint64_t seq;
    char mark[32]; /* of the statement, behind a record's word */
    struct named *names;
    unsigned n;
    bool again; /* a record is the statement's own */
};

static int add_name(struct naming *m, const char *schema, const char *table, struct err *err)
{
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    struct named *at = &m->names[m->n];
    uint64_t seq = 0;
    int rc = newest(m->job, schema, table, &seq, &value, err);

    if (rc < 0 && rc != -ENOENT)
        return rc;
    *at = (struct named){ .schema = schema, .table = table, .there = rc == 0 };
    m->n++;
    if (rc < 0)
        return 0;
    at->kept = kept_of(slice_of(value.data, value.size));
    buf_byte(&value, '\0');
    m->again |= seq == m->seq && at->kept != SCHEMA_SET && strstr(value.data, m->mark);
    return 0;
}

static struct named *find_name(struct naming *m, const char *schema, const char *table,
                               struct err *err)
{
    unsigned i = 0;

    while (i < m->n &&
           (strcmp(m->names[i].schema, schema) != 0 || strcmp(m->names[i].table, table) != 0))
        i++;
    return i == m->n && add_name(m, schema, table, err) < 0 ? NULL : &m->names[i];
}

/* What was set by hand holds until a DDL. */
static enum schema_kept carried(const struct named *from)
{
    return from->there && from->kept != SCHEMA_SET ? from->kept : SCHEMA_APART;
}

static int follow(struct naming *m, const struct schema_rename *names, unsigned n, struct err *err)
{
    for (unsigned i = 0; i < n; i++) {
        struct named *from = find_name(m, names[i].from_schema, names[i].from_table, err);
        struct named *to = from ? find_name(m, names[i].schema, names[i].table, err) : NULL;

        if (!to)
            return err->code;
        to->kept = carried(from);
        to->there = true;
        from->there = false;
    }
    return 0;
}

static int write_name(const struct naming *m, const struct named *at, struct store_batch *b,
                      struct err *err)
{
    SCOPED(freep) char *owner = owner_of(m->job), *value = NULL;
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    struct route to;
    int rc = drop_in(m->job, at->schema, at->table, b, err);

    if (rc < 0 || !at->there || !router_table(m->job->router, at->schema, at->table, &to))
        return rc < 0 ? rc : 0;
    value = xasprintf("%s%s", words[at->kept], m->mark);
    key_table(&key, owner, at->schema, at->table, m->seq);
    store_batch_put(b, STORE_SCHEMA, key_slice(&key), slice_str(value));
    return 0;
}

int schema_store_rename(const struct job *job, const struct schema_rename *names, unsigned n,
                        uint64_t seq, uint64_t hash, struct err *err)
{
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();
    SCOPED(freep) struct named *all = xcalloc(2 * (size_t)n + 1, sizeof *all);
    struct naming m = { .job = job, .seq = seq, .names = all };
    int rc;

    if (!job->store)
        return 0;
    snprintf(m.mark, sizeof m.mark, " %016llx", (unsigned long long)hash);
    rc = follow(&m, names, n, err);
    if (rc < 0 || m.again)
        return rc;
    for (unsigned i = 0; i < m.n && rc == 0; i++)
        rc = write_name(&m, &m.names[i], b, err);
    return rc == 0 ? store_batch_commit(job->store, b, true, err) : rc;
}

/* --- all of them --- */

int schema_store_each(const struct job *job, const char *schema,
                      void (*visit)(void *arg, const char *name), void *arg, struct err *err)
{
    SCOPED(freep) char *owner = owner_of(job);
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice k, v, db, table;
    uint64_t seq;
    int rc;

    if (!job->store)
        return 0;
    key_prefix(&key, KEY_TABLE, owner, schema, NULL);
    it = store_iter_new(job->store, STORE_SCHEMA, key_slice(&key));
    while ((rc = store_iter_next(it, &k, &v, err)) > 0) {
        SCOPED(freep) char *name = NULL, *in = NULL;

        if (!key_table_parse(k, &db, &table, &seq))
            continue;
        in = xstrndup((const char *)db.data, db.size);
        name = schema ? xstrndup((const char *)table.data, table.size) : xstrdup(in);
        visit(arg, name);
        key_prefix(&key, KEY_TABLE, owner, in, schema ? name : NULL, NULL); /* all its records */
        if (key_after(&key))
            store_iter_seek(it, key_slice(&key));
    }
    return rc;
}
