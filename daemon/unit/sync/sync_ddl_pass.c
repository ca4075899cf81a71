#include "unit/sync/sync_ddl_pass.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_priv.h"

#define MOST_UNDONE 64 /* things that one clause makes */

enum {
    DATABASE_EXISTS = 1007,
    NO_DATABASE = 1008,
    TABLE_EXISTS = 1050,
    NO_TABLE = 1051,
    COLUMN_EXISTS = 1060,
    INDEX_EXISTS = 1061,
    PRIMARY_EXISTS = 1068,
    NOTHING_TO_DROP = 1091,
    NO_PARTITION = 1507,
    PARTITION_EXISTS = 1517,
};

bool sync_ddl_ignorable(const struct err *why)
{
    static const unsigned all[] = { DATABASE_EXISTS, NO_DATABASE,     TABLE_EXISTS,
                                    NO_TABLE,        COLUMN_EXISTS,   INDEX_EXISTS,
                                    PRIMARY_EXISTS,  NOTHING_TO_DROP, NO_PARTITION,
                                    PARTITION_EXISTS };

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (why->sql == all[i])
            return true;
    return false;
}

static bool same(const struct buf *a, const struct buf *b)
{
    return slice_eq(slice_of(a->data, a->size), slice_of(b->data, b->size));
}

/* What the target refuses to try is otherwise there; what passes is tried again later. */
static int refused(struct sync_run *r, int rc, struct err *err)
{
    if (rc >= 0 || mysql_err_transient(err))
        return rc;
    log_info(r->sync->unit.path, "what the refused DDL makes cannot be tried: %s", err->text);
    *err = ERR_INIT;
    return 0;
}

/* 1: it makes 'now' of 'before'. */
static int makes(struct sync_run *r, const struct query *q, const struct ddl *d,
                 const struct buf *before, const struct buf *now, struct err *err)
{
    SCOPED(buf_fini) struct buf after = BUF_INIT;
    int rc = sync_ddl_try(r, q, d, slice_of(before->data, before->size), &after, err);

    return rc < 0 ? refused(r, rc, err) : same(&after, now);
}

/* --- what would take away what is there --- */

/* "Duplicate key name 'k' (error 1061)", "Duplicate partition name p (error 1517)" */
static struct slice named_in(const struct err *why)
{
    const char *quote = strchr(why->text, '\''), *end = strrchr(why->text, '\'');

    if (quote && end > quote)
        return slice_of(quote + 1, (size_t)(end - quote - 1));
    end = strstr(why->text, " (error ");
    quote = end;
    while (quote && quote > why->text && quote[-1] != ' ')
        quote--;
    return quote ? slice_of(quote, (size_t)(end - quote)) : slice_of(NULL, 0);
}

/* Empty: nobody knows. */
static struct slice undoing(struct sync_run *r, const struct query *q, const struct ddl *d,
                            const struct err *why)
{
    static const struct {
        unsigned sql;
        const char *drop;
        bool named;
    } ways[] = { { COLUMN_EXISTS, " DROP COLUMN ", true },
                 { INDEX_EXISTS, " DROP INDEX ", true },
                 { PARTITION_EXISTS, " DROP PARTITION ", true },
                 { PRIMARY_EXISTS, " DROP PRIMARY KEY", false } };
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    const struct ddl_name *table = &d->names[0];
    struct slice name = named_in(why);

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        if (ways[i].sql != why->sql || (ways[i].named && !name.size))
            continue;
        buf_str(&sql, "ALTER TABLE ");
        buf_add(&sql, q->sql.data + table->at, table->size);
        buf_str(&sql, ways[i].drop);
        if (ways[i].named)
            sql_ident(&sql, name);
    }
    return slice_of(arena_dup(&r->scratch, sql.data, sql.size), sql.size);
}

/* --- a clause --- */

/* 'before' as it was before the target had what it refused as there already.  1: it is; 0: nobody
 * knows. */
static int undo(struct sync_run *r, const struct query *q, const struct ddl *d, struct buf *before,
                struct err *err)
{
    SCOPED(buf_fini) struct buf undone = BUF_INIT;
    struct query one = *q;
    struct ddl one_ddl;
    int rc = err->code;

    one.sql = undoing(r, q, d, err);
    if (!one.sql.size)
        return refused(r, rc, err);
    *err = ERR_INIT;
    sync_ddl_scan(r, &one, &one_ddl);
    rc = sync_ddl_try(r, &one, &one_ddl, slice_of(before->data, before->size), &undone, err);
    if (rc == 0) {
        buf_clear(before);
        buf_add(before, undone.data, undone.size);
    }
    return rc < 0 ? refused(r, rc, err) : 1;
}

/* 1: the table is as it makes it, in the end; all of it is tried, since the place of a column
 * depends on what comes with it. */
static int is_made(struct sync_run *r, const struct query *q, const struct ddl *d,
                   const struct buf *now, struct err *err)
{
    SCOPED(buf_fini) struct buf before = BUF_INIT;
    int rc = 1;

    buf_add(&before, now->data, now->size);
    for (unsigned i = 0; i < MOST_UNDONE && rc > 0; i++) {
        SCOPED(buf_fini) struct buf after = BUF_INIT;

        rc = sync_ddl_try(r, q, d, slice_of(before.data, before.size), &after, err);
        if (rc == 0)
            return same(&after, now);
        rc = undo(r, q, d, &before, err);
    }
    return rc < 0 ? rc : 0;
}

static bool is_drop(struct slice clause)
{
    static const char word[] = "DROP";
    size_t at = 0;

    while (at < clause.size && clause.data[at] <= ' ')
        at++;
    return clause.size - at >= sizeof word - 1 &&
           strncasecmp((const char *)clause.data + at, word, sizeof word - 1) == 0;
}

/* 1: the table lacks what the clause drops. */
static int is_dropped(struct sync_run *r, const struct query *q, const struct ddl *d,
                      const struct buf *now, struct err *err)
{
    SCOPED(buf_fini) struct buf after = BUF_INIT;
    int rc = sync_ddl_try(r, q, d, slice_of(now->data, now->size), &after, err);

    if (rc == 0 || (err->sql != NOTHING_TO_DROP && err->sql != NO_PARTITION))
        return rc < 0 ? refused(r, rc, err) : 0;
    *err = ERR_INIT;
    return 1;
}

/* 'more' as a statement of its own, or behind what is in 'sql'. */
static void scan_with(struct sync_run *r, const struct query *q, const struct ddl *d,
                      struct slice more, struct buf *sql, struct query *ret, struct ddl *ret_ddl)
{
    if (sql->size == 0)
        buf_add(sql, q->sql.data, d->names[0].at + d->names[0].size);
    else
        buf_byte(sql, ',');
    buf_byte(sql, ' ');
    buf_add(sql, more.data, more.size);
    *ret = *q;
    ret->sql = slice_of(sql->data, sql->size);
    sync_ddl_scan(r, ret, ret_ddl);
}

static int clauses_done(struct sync_run *r, const struct query *q, const struct ddl *d,
                        struct err *err)
{
    SCOPED(buf_fini) struct buf now = BUF_INIT, sql = BUF_INIT;
    struct slice *clauses;
    unsigned n = d->class == DDL_ALTER_TABLE ? sync_ddl_parts(r, q, d, &clauses) : 0;
    struct query rest = *q;
    struct ddl rest_ddl = *d;
    int rc = sync_ddl_look(r, q, d, &now, err);

    if (rc < 0)
        return rc;
    rc = 1;
    for (unsigned i = 0; i < n && rc > 0; i++) {
        SCOPED(buf_fini) struct buf alone = BUF_INIT;
        struct query one;
        struct ddl one_ddl;

        if (!is_drop(clauses[i])) {
            scan_with(r, q, d, clauses[i], &sql, &rest, &rest_ddl);
            continue;
        }
        scan_with(r, q, d, clauses[i], &alone, &one, &one_ddl);
        rc = is_dropped(r, &one, &one_ddl, &now, err);
    }
    if (rc <= 0 || (n && !sql.size))
        return rc;
    return is_made(r, &rest, &rest_ddl, &now, err);
}

/* --- tables and schemas --- */

static int table_done(struct sync_run *r, const struct query *q, const struct ddl *d,
                      struct err *err)
{
    SCOPED(buf_fini) struct buf now = BUF_INIT, before = BUF_INIT;
    int rc = sync_ddl_look(r, q, d, &now, err);
    size_t first;

    if (rc < 0)
        return rc;
    first = strlen((const char *)now.data);
    buf_add(&before, now.data + first, now.size - first); /* as if it were not there */
    return makes(r, q, d, &before, &now, err);
}

/* Other tables take its collation. */
static int database_done(struct sync_run *r, const struct query *q, const struct ddl *d,
                         struct err *err)
{
    SCOPED(freep) char *is = NULL, *made = NULL;
    struct route to;
    int rc;

    if (!sync_ddl_in_scope(r, q, &d->names[0], &to))
        return 0;
    rc = sync_ddl_try_database(r, q, d, &made, err);
    if (rc == 0)
        rc = sql_scalar(r->admin, &is, err,
                        "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA"
                        " WHERE SCHEMA_NAME=_utf8mb4%q",
                        to.to_schema);
    if (rc < 0)
        return refused(r, rc, err);
    assert(is && made);
    return strcmp(is, made) == 0;
}

int sync_ddl_has_it(struct sync_run *r, const struct query *q, const struct ddl *d,
                    const struct err *why, struct err *err)
{
    switch (d->class) {
    case DDL_CREATE_DATABASE:
        return database_done(r, q, d, err);
    case DDL_CREATE_TABLE:
    case DDL_CREATE_TABLE_LIKE:
        return table_done(r, q, d, err);
    case DDL_ALTER_TABLE:
    case DDL_CREATE_INDEX:
        return clauses_done(r, q, d, err);
    case DDL_DROP_DATABASE:
        return why->sql == NO_DATABASE;
    case DDL_DROP_INDEX:
        return why->sql == NOTHING_TO_DROP;
    default:
        return 0;
    }
}
