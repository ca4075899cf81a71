#include "unit/sync/sync_ddl_look.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "mysql/quote.h"

/* --- looking --- */

/* The counter follows the engine; it moves with rows and says nothing about a DDL. */
static void add_uncounted(struct slice text, struct buf *ret)
{
    static const char engine[] = "\n) ENGINE=", counter[] = " AUTO_INCREMENT=";
    const char *from = (const char *)text.data, *end = from + text.size, *at;

    at = memmem(from, text.size, engine, sizeof engine - 1);
    if (at)
        at = memchr(at + sizeof engine - 1, ' ', (size_t)(end - at) - (sizeof engine - 1));
    if (at && (size_t)(end - at) > sizeof counter && memcmp(at, counter, sizeof counter - 1) == 0) {
        buf_add(ret, from, (size_t)(at - from));
        at += sizeof counter - 1;
        while (at < end && *at >= '0' && *at <= '9')
            at++;
        from = at;
    }
    buf_add(ret, from, (size_t)(end - from));
}

static bool is_absent(const struct err *err)
{
    return err->sql == 1146 || err->sql == 1049 || err->sql == 1051 || err->sql == 1932;
}

static int look_at(struct mysql_conn *c, const struct route *at, struct buf *ret, struct err *err)
{
    struct mysql_result *res;
    struct mysql_row row;
    int rc = at->to_table[0]
                 ? sql_query(c, &res, err, "SHOW CREATE TABLE %i.%i", at->to_schema, at->to_table)
                 : sql_query(c, &res, err, "SHOW CREATE DATABASE %i", at->to_schema);

    if (rc < 0)
        return is_absent(err) ? 0 : rc;
    rc = mysql_result_next(res, &row, err);
    if (rc > 0 && row.n_cols > 1 && row.values[1])
        add_uncounted(slice_of(row.values[1], row.sizes[1]), ret);
    mysql_result_free(res);
    return rc < 0 ? rc : 0;
}

int ddl_look(struct mysql_conn *c, const struct route *tables, size_t n, struct buf *ret,
             struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = look_at(c, &tables[i], ret, err);
        buf_byte(ret, '\0');
    }
    return rc;
}

struct slice ddl_look_of(struct slice look, size_t i)
{
    const uint8_t *at = look.data, *end = slice_end(look);

    for (;; i--) {
        const uint8_t *nul = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;

        if (!nul || i == 0)
            return nul ? slice_of(at, (size_t)(nul - at)) : slice_of(NULL, 0);
        at = nul + 1;
    }
}

/* --- trying --- */

static bool seen_before(const struct route *tables, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(tables[k].to_table, tables[i].to_table) == 0)
            return true;
    return false;
}

static int make_schema(struct mysql_conn *c, const char *like, const char *scratch, struct err *err)
{
    SCOPED(freep) char *collation = NULL;
    int rc = sql_exec(c, err, "DROP DATABASE IF EXISTS %i", scratch);

    if (rc == 0)
        rc = sql_scalar(c, &collation, err,
                        "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA"
                        " WHERE SCHEMA_NAME=%q",
                        like);
    if (rc == 0)
        rc = sql_exec(c, err, "CREATE DATABASE %i COLLATE %r", scratch, collation);
    return rc == 0 ? sql_exec(c, err, "USE %i", scratch) : rc;
}

static int make_tables(struct mysql_conn *c, const struct route *tables, size_t n,
                       struct slice before, struct err *err)
{
    int rc = mysql_conn_execf(c, err, "SET SESSION foreign_key_checks=0,sql_mode=''");

    for (size_t i = 0; i < n && rc == 0; i++) {
        struct slice text = ddl_look_of(before, i);

        if (text.size && !seen_before(tables, i))
            rc = mysql_conn_exec(c, text, NULL, err);
    }
    return rc;
}

/* The same tables, but there. */
static int look_there(struct mysql_conn *c, const struct route *tables, size_t n,
                      const char *scratch, struct buf *ret, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        struct route there = tables[i];

        snprintf(there.to_schema, sizeof there.to_schema, "%s", scratch);
        rc = ddl_look(c, &there, 1, ret, err);
    }
    return rc;
}

// NOLINTNEXTLINE(readability-function-size): all that a statement needs
int ddl_try(struct mysql_conn *c, const struct route *tables, size_t n, struct slice before,
            const char *scratch, struct slice session, struct slice sql, struct buf *ret,
            struct err *err)
{
    struct err ignored = ERR_INIT;
    int rc;

    for (size_t i = 1; i < n; i++)
        if (strcmp(tables[i].to_schema, tables[0].to_schema) != 0)
            return err_set(err, -EIO, "tables of several schemas");
    rc = make_schema(c, tables[0].to_schema, scratch, err);
    if (rc == 0)
        rc = make_tables(c, tables, n, before, err);
    if (rc == 0)
        rc = mysql_conn_exec(c, session, NULL, err);
    if (rc == 0)
        rc = mysql_conn_exec(c, sql, NULL, err);
    if (rc == 0)
        rc = look_there(c, tables, n, scratch, ret, err);
    sql_exec(c, &ignored, "DROP DATABASE IF EXISTS %i", scratch);
    return rc;
}
