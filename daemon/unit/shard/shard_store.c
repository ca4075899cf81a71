#include "unit/shard/shard_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/job.h"

#define ER_DATA_OUT_OF_RANGE 1690
#define INSERT_SIZE ((size_t)1 << 20)

static const char create_table[] =
    "CREATE TABLE IF NOT EXISTS %i." SHARD_TABLE " (task VARBINARY(255) NOT NULL,"
    " db VARBINARY(255) NOT NULL, name VARBINARY(255) NOT NULL, version BIGINT UNSIGNED NOT NULL,"
    " state LONGBLOB NOT NULL, PRIMARY KEY (task, db, name)) ENGINE=InnoDB";

/* --- JSON --- */

/* A statement may be in any character set: what is not UTF-8 in it is shown as '?'. */
static json_t *text_of(const char *s)
{
    SCOPED(freep) char *copy = NULL;
    json_t *v;

    if (!s)
        return NULL;
    v = json_string(s);
    if (v)
        return v;
    copy = xstrdup(s);
    for (char *c = copy; *c; c++)
        *c = *c & 0x80 ? '?' : *c;
    return json_string(copy);
}

/* NULL: there are none. */
static json_t *texts_of(char *const *texts, unsigned n)
{
    json_t *all = n ? json_array() : NULL;

    for (unsigned i = 0; i < n; i++)
        json_array_append_new(all, text_of(texts[i]));
    return all;
}

static json_t *json_of_member(const struct shard_member *m)
{
    return json_pack(
        "{s:o, s:o, s:o, s:s, s:s, s:I, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, "
        "s:I, s:o*, s:I, s:o*, s:I}",
        "source", text_of(m->source), "schema", text_of(m->schema), "table", text_of(m->table),
        "state", shard_state_names[m->state], "word", shard_word_names[m->word], "step",
        (json_int_t)m->step, "now", text_of(m->now), "dropped", text_of(m->dropped), "ddl",
        text_of(m->ddl), "wanted", text_of(m->wanted), "steps", texts_of(m->steps, m->n_steps),
        "conflict", text_of(m->conflict), "file", text_of(m->from_file), "at",
        (json_int_t)m->from_at, "gtids", text_of(m->from_gtids), "since", (json_int_t)m->since_us,
        "ddl_file", text_of(m->ddl_file), "ddl_at", (json_int_t)m->ddl_at);
}

static char *text_in(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s ? xstrdup(s) : NULL;
}

static char *name_in(const json_t *object, const char *key)
{
    char *s = text_in(object, key);

    return s ? s : xstrdup("");
}

static unsigned word_in(const json_t *object, const char *key, const char *const *words)
{
    const char *s = json_string_value(json_object_get(object, key));

    for (unsigned i = 0; s && words[i]; i++)
        if (strcmp(words[i], s) == 0)
            return i;
    return 0;
}

static int64_t number_in(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static char **texts_in(const json_t *array, unsigned *n)
{
    char **texts = xcalloc(json_array_size(array) + 1, sizeof *texts);
    const json_t *v;
    size_t i;

    *n = 0;
    json_array_foreach (array, i, v)
        texts[(*n)++] = xstrdup(json_is_string(v) ? json_string_value(v) : "");
    return texts;
}

static void member_of_json(const json_t *v, struct shard_member *m)
{
    *m = (struct shard_member){ .source = name_in(v, "source"),
                                .schema = name_in(v, "schema"),
                                .table = name_in(v, "table"),
                                .state = word_in(v, "state", shard_state_names),
                                .word = word_in(v, "word", shard_word_names),
                                .step = (uint64_t)number_in(v, "step"),
                                .now = text_in(v, "now"),
                                .dropped = text_in(v, "dropped"),
                                .ddl = text_in(v, "ddl"),
                                .ddl_file = text_in(v, "ddl_file"),
                                .ddl_at = (uint64_t)number_in(v, "ddl_at"),
                                .wanted = text_in(v, "wanted"),
                                .conflict = text_in(v, "conflict"),
                                .from_file = text_in(v, "file"),
                                .from_at = (uint64_t)number_in(v, "at"),
                                .from_gtids = text_in(v, "gtids"),
                                .since_us = number_in(v, "since") };
    m->steps = texts_in(json_object_get(v, "steps"), &m->n_steps);
}

static char *state_of_group(const struct shard_group *g)
{
    json_t *members = json_array(), *history = texts_of(g->history, g->n_history);
    SCOPED(json_decrefp) json_t *all = NULL;

    for (unsigned i = 0; i < g->n; i++)
        json_array_append_new(members, json_of_member(&g->members[i]));
    all = json_pack("{s:I, s:o*, s:o, s:o*}", "step", (json_int_t)g->step, "history", history,
                    "members", members, "runner", text_of(g->runner));
    return json_dumps(all, JSON_COMPACT | JSON_ENSURE_ASCII);
}

static int group_of_state(struct slice state, struct shard_group *g, struct err *err)
{
    json_error_t why;
    SCOPED(json_decrefp)
    json_t *all = json_loadb((const char *)state.data, state.size, 0, &why);
    const json_t *members = json_object_get(all, "members"), *v;
    size_t i;

    if (!all)
        return err_set(err, -EBADMSG, "the shards of %s.%s as stored in the target: %s", g->schema,
                       g->table, why.text);
    g->step = (uint64_t)number_in(all, "step");
    g->runner = text_in(all, "runner");
    g->members = xcalloc(json_array_size(members) + 1, sizeof *g->members);
    json_array_foreach (members, i, v)
        member_of_json(v, &g->members[g->n++]);
    g->history = texts_in(json_object_get(all, "history"), &g->n_history);
    return 0;
}

/* --- reading --- */

void shard_row_fini(struct shard_row *r)
{
    shard_group_fini(&r->group);
}

void shard_rows_fini(struct shard_rows *r)
{
    for (unsigned i = 0; i < r->n; i++)
        shard_row_fini(&r->at[i]);
    for (unsigned i = 0; i < r->n_sources; i++)
        free(r->sources[i]);
    free(r->at);
    free(r->sources);
    *r = (struct shard_rows){ .n = 0 };
}

static int read_row(const struct mysql_row *row, const struct job *job, struct shard_row *ret,
                    struct err *err)
{
    *ret = (struct shard_row){ .version = mysql_row_u64(row, 2) };
    ret->group.mode = job->shard_mode;
    ret->group.schema = mysql_row_text(row, 0);
    ret->group.table = mysql_row_text(row, 1);
    return group_of_state(slice_of(row->values[3], row->sizes[3]), &ret->group, err);
}

static int add_row(struct shard_rows *rows, const struct mysql_row *row, const struct job *job,
                   struct err *err)
{
    if (row->sizes[0] == 0) {
        rows->sources = xrealloc(rows->sources, (rows->n_sources + 1) * sizeof *rows->sources);
        rows->sources[rows->n_sources++] = mysql_row_text(row, 1);
        return 0;
    }
    if ((rows->n & (rows->n - 1)) == 0) /* room for a power of two */
        rows->at = xrealloc(rows->at, (rows->n ? 2 * rows->n : 1) * sizeof *rows->at);
    return read_row(row, job, &rows->at[rows->n++], err);
}

static bool has_source(const struct shard_rows *r, const char *name)
{
    for (unsigned i = 0; i < r->n_sources; i++)
        if (strcmp(r->sources[i], name) == 0)
            return true;
    return false;
}

static bool all_sources(const struct shard_rows *r, const struct job *job)
{
    const json_t *name;
    size_t i;

    json_array_foreach (job->sources, i, name)
        if (!has_source(r, json_string_value(name)))
            return false;
    return true;
}

int shard_store_prepare(struct mysql_conn *c, const struct job *job, struct err *err)
{
    return sql_exec(c, err, create_table, job->meta_schema);
}

int shard_store_read(struct mysql_conn *c, const struct job *job, struct shard_rows *ret,
                     struct err *err)
{
    struct mysql_result *res;
    struct mysql_row row;
    int rc;

    *ret = (struct shard_rows){ .n = 0 };
    rc = sql_query(c, &res, err,
                   "SELECT db,name,version,state FROM %i." SHARD_TABLE
                   " WHERE task=%q ORDER BY db,name",
                   job->meta_schema, job->task);
    if (rc < 0)
        return rc;
    while ((rc = mysql_result_next(res, &row, err)) > 0) {
        rc = add_row(ret, &row, job, err);
        if (rc < 0)
            break;
    }
    mysql_result_free(res);
    for (unsigned i = 0; i < ret->n; i++)
        ret->at[i].group.incomplete = !all_sources(ret, job);
    return rc;
}

struct shard_row *shard_rows_find(const struct shard_rows *r, const char *schema, const char *table)
{
    for (unsigned i = 0; i < r->n; i++)
        if (strcmp(r->at[i].group.schema, schema) == 0 && strcmp(r->at[i].group.table, table) == 0)
            return &r->at[i];
    return NULL;
}

int shard_store_read_one(struct mysql_conn *c, const struct job *job, const char *schema,
                         const char *table, struct shard_row *ret, struct err *err)
{
    SCOPED(shard_rows_fini) struct shard_rows rows = { .n = 0 };
    struct mysql_result *res;
    struct mysql_row row;
    int rc = sql_query(c, &res, err,
                       "SELECT db,name,version,state FROM %i." SHARD_TABLE
                       " WHERE task=%q AND ((db=%q AND name=%q) OR db='') ORDER BY db",
                       job->meta_schema, job->task, schema, table);

    *ret = (struct shard_row){ .version = 0 };
    if (rc < 0)
        return rc;
    while ((rc = mysql_result_next(res, &row, err)) > 0) {
        rc = add_row(&rows, &row, job, err);
        if (rc < 0)
            break;
    }
    mysql_result_free(res);
    if (rc < 0)
        return rc;
    if (rows.n == 0)
        return -ENOENT;
    *ret = rows.at[0];
    ret->group.incomplete = !all_sources(&rows, job);
    rows.n = 0;
    return 0;
}

/* --- writing --- */

/* A version that is not the one that was read takes the number below zero: an error on any server
 * and in any mode. */
void shard_store_sql(const struct job *job, const struct shard_row *r, struct buf *sql)
{
    SCOPED(freep) char *state = state_of_group(&r->group);

    sql_add(sql,
            "UPDATE %i." SHARD_TABLE
            " SET state=%q, version=IF(version=%u, version+1, version-version-1)"
            " WHERE task=%q AND db=%q AND name=%q",
            job->meta_schema, state, r->version, job->task, r->group.schema, r->group.table);
}

bool shard_store_stale(const struct err *err)
{
    return err->sql == ER_DATA_OUT_OF_RANGE;
}

int shard_store_insert(struct mysql_conn *c, const struct job *job, const struct shard_rows *r,
                       struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc = 0;

    for (unsigned i = 0; i < r->n && rc == 0; i++) {
        const struct shard_group *g = &r->at[i].group;
        SCOPED(freep) char *state = state_of_group(g);

        if (sql.size == 0)
            sql_add(&sql, "INSERT IGNORE INTO %i." SHARD_TABLE " VALUES ", job->meta_schema);
        else
            buf_byte(&sql, ',');
        sql_add(&sql, "(%q,%q,%q,0,%q)", job->task, g->schema, g->table, state);
        if (sql.size > INSERT_SIZE || i + 1 == r->n) {
            rc = mysql_conn_exec(c, slice_of(sql.data, sql.size), NULL, err);
            buf_clear(&sql);
        }
    }
    return rc;
}

int shard_store_register(struct mysql_conn *c, const struct job *job, struct err *err)
{
    return sql_exec(c, err, "INSERT IGNORE INTO %i." SHARD_TABLE " VALUES (%q,'',%q,0,'{}')",
                    job->meta_schema, job->task, job->source);
}

/* --- forgetting --- */

static bool drop_source(struct shard_group *g, const char *source)
{
    unsigned before = g->n;

    for (unsigned i = g->n; i-- > 0;)
        if (strcmp(g->members[i].source, source) == 0)
            shard_leave(g, &g->members[i]);
    if (g->n != before)
        shard_settle(g);
    return g->n != before;
}

static int forget_source(struct mysql_conn *c, const struct job *job, struct err *err)
{
    SCOPED(shard_rows_fini) struct shard_rows rows = { .n = 0 };
    int rc = shard_store_read(c, job, &rows, err);

    if (rc == 0 && rows.n_sources == 0)
        return sql_exec(c, err, "DELETE FROM %i." SHARD_TABLE " WHERE task=%q", job->meta_schema,
                        job->task);
    for (unsigned i = 0; i < rows.n && rc == 0; i++) {
        SCOPED(buf_fini) struct buf sql = BUF_INIT;

        if (!drop_source(&rows.at[i].group, job->source))
            continue;
        shard_store_sql(job, &rows.at[i], &sql);
        rc = mysql_conn_exec(c, slice_of(sql.data, sql.size), NULL, err);
    }
    return rc;
}

int shard_store_forget(struct mysql_conn *c, const struct job *job, struct err *err)
{
    int rc = sql_exec(c, err, "DELETE FROM %i." SHARD_TABLE " WHERE task=%q AND db='' AND name=%q",
                      job->meta_schema, job->task, job->source);

    if (rc < 0 && (err->sql == 1146 || err->sql == 1049))
        return 0; /* no task there ever merged shards */
    if (rc < 0)
        return rc;
    do {
        *err = ERR_INIT;
        rc = forget_source(c, job, err);
    } while (rc < 0 && shard_store_stale(err));
    return rc;
}
