#include "unit/sync/sync_aside.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "mysql/quote.h"
#include "unit/retry.h"

struct entry {
    char *schema, *name;
    struct position from;
    char *reason;
    bool joined;   /* by foreign keys: all such tables are set aside with it */
    bool recorded; /* in the target */
    bool gone;     /* the source has purged what follows 'from' */
};

struct aside {
    const struct job *job;
    struct mutex lock;
    struct entry *entries GUARDED;
    unsigned n GUARDED;
};

static const char create_table[] =
    "CREATE TABLE IF NOT EXISTS %i.sluice_aside (task VARBINARY(255) NOT NULL,"
    " source VARBINARY(255) NOT NULL, db VARBINARY(255) NOT NULL, name VARBINARY(255) NOT NULL,"
    " joined TINYINT NOT NULL, binlog_file VARBINARY(255) NOT NULL,"
    " binlog_offset BIGINT UNSIGNED NOT NULL, gtids LONGBLOB NOT NULL, reason LONGBLOB NOT NULL,"
    " PRIMARY KEY (task, source, db, name)) ENGINE=InnoDB";

static void push(struct aside *a, const struct entry *e) REQUIRES(a->lock)
{
    a->entries = xrealloc(a->entries, (a->n + 1) * sizeof *a->entries);
    a->entries[a->n++] = *e;
}

static int read_row(struct aside *a, const struct mysql_row *row, enum flavor flavor,
                    struct err *err)
{
    SCOPED(freep) char *file = mysql_row_text(row, 3), *gtids = mysql_row_text(row, 5);
    struct entry e = { .recorded = true };
    int rc = gtids[0] ? gtid_set_parse(&e.from.gtids, flavor, gtids, err) : 0;

    if (rc < 0)
        return rc;
    e.schema = mysql_row_text(row, 0);
    e.name = mysql_row_text(row, 1);
    e.joined = mysql_row_u64(row, 2);
    e.reason = mysql_row_text(row, 6);
    snprintf(e.from.file, sizeof e.from.file, "%s", file);
    e.from.offset = mysql_row_u64(row, 4);
    mutex_lock(&a->lock);
    push(a, &e);
    mutex_unlock(&a->lock);
    return 0;
}

int aside_open(struct aside **ret, struct mysql_conn *target, const struct job *job,
               enum flavor flavor, struct err *err)
{
    struct aside *a = xcalloc(1, sizeof *a);
    struct mysql_result *res = NULL;
    struct mysql_row row;
    int rc;

    a->job = job;
    mutex_init(&a->lock);
    rc = sql_exec(target, err, create_table, job->meta_schema);
    if (rc == 0)
        rc = sql_query(target, &res, err,
                       "SELECT db,name,joined,binlog_file,binlog_offset,gtids,reason"
                       " FROM %i.sluice_aside WHERE task=%q AND source=%q",
                       job->meta_schema, job->task, job->source);
    if (rc < 0) {
        aside_free(a);
        return rc;
    }
    assert(res);
    while ((rc = mysql_result_next(res, &row, err)) > 0) {
        rc = read_row(a, &row, flavor, err);
        if (rc < 0)
            break;
    }
    mysql_result_free(res);
    if (rc < 0) {
        aside_free(a);
        return rc;
    }
    *ret = a;
    return 0;
}

static void entry_fini(struct entry *e)
{
    free(e->schema);
    free(e->name);
    free(e->reason);
    position_fini(&e->from);
}

static void clear(struct aside *a)
{
    mutex_lock(&a->lock);
    for (unsigned i = 0; i < a->n; i++)
        entry_fini(&a->entries[i]);
    free(a->entries);
    a->entries = NULL;
    a->n = 0;
    mutex_unlock(&a->lock);
}

void aside_free(struct aside *a)
{
    if (!a)
        return;
    clear(a);
    mutex_fini(&a->lock);
    free(a);
}

bool aside_has(struct aside *a, const char *schema, const char *name)
{
    bool found = false;

    mutex_lock(&a->lock);
    for (unsigned i = 0; i < a->n && !found; i++)
        found = strcmp(a->entries[i].schema, schema) == 0 && strcmp(a->entries[i].name, name) == 0;
    mutex_unlock(&a->lock);
    return found;
}

bool aside_has_table(struct aside *a, const struct target_table *t)
{
    bool joined = false;

    mutex_lock(&a->lock);
    for (unsigned i = 0; i < a->n; i++)
        joined = joined || a->entries[i].joined;
    mutex_unlock(&a->lock);
    return (joined && t->foreign_keys) || aside_has(a, t->db, t->name);
}

static char *list(struct aside *a, bool all)
{
    struct buf text = BUF_INIT;

    mutex_lock(&a->lock);
    for (unsigned i = 0; i < a->n; i++)
        if (all || a->entries[i].gone)
            buf_printf(&text, "%s%s.%s", text.size ? "," : "", a->entries[i].schema,
                       a->entries[i].name);
    mutex_unlock(&a->lock);
    return buf_steal(&text);
}

char *aside_text(struct aside *a)
{
    return list(a, true);
}

char *aside_gone_text(struct aside *a)
{
    return list(a, false);
}

bool aside_oldest(struct aside *a, struct position *ret)
{
    const struct position *oldest = NULL;

    mutex_lock(&a->lock);
    for (unsigned i = 0; i < a->n; i++)
        if (!a->entries[i].gone && (!oldest || position_compare(&a->entries[i].from, oldest) < 0))
            oldest = &a->entries[i].from;
    if (oldest) {
        memcpy(ret->file, oldest->file, sizeof ret->file);
        ret->offset = oldest->offset;
    }
    mutex_unlock(&a->lock);
    return oldest != NULL;
}

/* What a table is to blame for: the server refused its rows, or they are not there.  A full disk, a
 * failover, an interrupted statement are not: they pass, and the next table would be no better. */
static bool is_of_table(const struct err *err)
{
    return err->code == -ESTALE ||
           (err->code == -EIO && err->sql != 0 && retry_kind_of(err) == RETRY_NEVER);
}

int aside_failed(struct aside *a, const struct target_table *t, const struct position *from,
                 struct err *err)
{
    struct entry e = { .recorded = false };

    if (!t || a->job->on_error != ON_ERROR_QUARANTINE || !is_of_table(err) || aside_has_table(a, t))
        return err->code;
    e.schema = xstrdup(t->db);
    e.name = xstrdup(t->name);
    e.joined = t->foreign_keys;
    e.reason = xstrdup(err->text);
    position_copy(&e.from, from);
    mutex_lock(&a->lock);
    push(a, &e);
    mutex_unlock(&a->lock);
    return 0;
}

static void insert_sql(const struct aside *a, const struct entry *e, struct buf *sql)
{
    SCOPED(buf_fini) struct buf gtids = BUF_INIT;

    if (e->from.gtids)
        gtid_set_print(e->from.gtids, &gtids);
    sql_add(sql,
            "REPLACE INTO %i.sluice_aside (task,source,db,name,joined,binlog_file,binlog_offset,"
            "gtids,reason) VALUES (%q,%q,%q,%q,%u,%q,%u,%q,%q)",
            a->job->meta_schema, a->job->task, a->job->source, e->schema, e->name,
            (uint64_t)e->joined, e->from.file, e->from.offset, gtids.data ? gtids.data : "",
            e->reason);
}

/* Recorded once that transaction is committed: a statement too many does no harm. */
int aside_write(struct aside *a, struct sink *s, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc = 0;

    for (unsigned i = 0; rc == 0; i++) {
        buf_clear(&sql);
        mutex_lock(&a->lock);
        while (i < a->n && a->entries[i].recorded)
            i++;
        if (i < a->n)
            insert_sql(a, &a->entries[i], &sql);
        mutex_unlock(&a->lock);
        if (sql.size == 0)
            break;
        rc = sink_statement(s, slice_of(sql.data, sql.size), err);
    }
    return rc;
}

/* --- one by one --- */

static bool is_entry(const struct entry *e, const char *table)
{
    SCOPED(freep) char *name = xasprintf("%s.%s", e->schema, e->name);

    return strcmp(name, table) == 0;
}

static char *entry_name(const struct entry *e)
{
    return xasprintf("%s.%s", e->schema, e->name);
}

char *aside_next(struct aside *a, const char *table, bool gone)
{
    char *found = NULL;

    mutex_lock(&a->lock);
    for (unsigned i = 0; i < a->n && !found; i++)
        if (table[0] ? is_entry(&a->entries[i], table) : gone || !a->entries[i].gone)
            found = entry_name(&a->entries[i]);
    mutex_unlock(&a->lock);
    return found;
}

char *aside_at(struct aside *a, unsigned i, struct position *from)
{
    char *name = NULL;

    mutex_lock(&a->lock);
    if (i < a->n) {
        name = entry_name(&a->entries[i]);
        position_copy(from, &a->entries[i].from);
    }
    mutex_unlock(&a->lock);
    return name;
}

void aside_mark_gone(struct aside *a, const char *table)
{
    mutex_lock(&a->lock);
    for (unsigned i = 0; i < a->n; i++)
        a->entries[i].gone = a->entries[i].gone || is_entry(&a->entries[i], table);
    mutex_unlock(&a->lock);
}

bool aside_is_gone(struct aside *a, const char *table)
{
    bool gone = false;

    mutex_lock(&a->lock);
    for (unsigned i = 0; i < a->n && !gone; i++)
        gone = a->entries[i].gone && is_entry(&a->entries[i], table);
    mutex_unlock(&a->lock);
    return gone;
}

bool aside_any_kept(struct aside *a)
{
    bool any = false;

    mutex_lock(&a->lock);
    for (unsigned i = 0; i < a->n && !any; i++)
        any = !a->entries[i].gone;
    mutex_unlock(&a->lock);
    return any;
}

/* Keeps 'table', or all others. */
static void keep(struct aside *a, const char *table, bool the_one)
{
    unsigned kept = 0;

    mutex_lock(&a->lock);
    for (unsigned i = 0; i < a->n; i++) {
        if (is_entry(&a->entries[i], table) == the_one)
            a->entries[kept++] = a->entries[i];
        else
            entry_fini(&a->entries[i]);
    }
    a->n = kept;
    mutex_unlock(&a->lock);
}

void aside_pick(struct aside *a, const char *table)
{
    keep(a, table, true);
}

void aside_drop(struct aside *a, const char *table)
{
    keep(a, table, false);
}

const struct position *aside_from(struct aside *a) NO_THREAD_CHECK
{
    return a->n ? &a->entries[0].from : NULL;
}

int aside_write_drop(struct aside *a, const char *table, struct sink *s, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;

    sql_add(&sql,
            "DELETE FROM %i.sluice_aside WHERE task=%q AND source=%q AND"
            " CONCAT(db, '.', name)=%q",
            a->job->meta_schema, a->job->task, a->job->source, table);
    return sink_statement(s, slice_of(sql.data, sql.size), err);
}
