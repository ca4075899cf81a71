#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/conn_priv.h"

struct mysql_result {
    struct mysql_conn *conn;
    MYSQL_RES *res; /* NULL: the statement had no result */
    MYSQL_FIELD *fields;
    bool failed; /* the connection is in no state to read the rest */
};

int mysql_conn_query(struct mysql_conn *c, struct slice sql, bool buffered,
                     struct mysql_result **ret, struct err *err)
{
    struct mysql_result *r;
    MYSQL_RES *res = NULL;

    errno = 0;
    if (mysql_real_query(c->my, (const char *)sql.data, sql.size))
        return conn_fail(c, err);
    if (mysql_field_count(c->my)) {
        res = buffered ? mysql_store_result(c->my) : mysql_use_result(c->my);
        if (!res)
            return conn_fail(c, err);
    }
    r = xcalloc(1, sizeof *r);
    r->conn = c;
    r->res = res;
    r->fields = res ? mysql_fetch_fields(res) : NULL;
    *ret = r;
    return 0;
}

static int vqueryf(struct mysql_conn *c, struct mysql_result **ret, struct err *err,
                   const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

static int vqueryf(struct mysql_conn *c, struct mysql_result **ret, struct err *err,
                   const char *fmt, va_list ap)
{
    SCOPED(freep) char *sql = NULL;
    int n = vasprintf(&sql, fmt, ap);

    if (n < 0) {
        sql = NULL;
        return err_set(err, -ENOMEM, "out of memory");
    }
    return mysql_conn_query(c, slice_of(sql, (size_t)n), true, ret, err);
}

int mysql_conn_queryf(struct mysql_conn *c, struct mysql_result **ret, struct err *err,
                      const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = vqueryf(c, ret, err, fmt, ap);
    va_end(ap);
    return rc;
}

int mysql_result_next(struct mysql_result *r, struct mysql_row *row, struct err *err)
{
    MYSQL_ROW values;

    assert(r);
    if (!r->res)
        return 0;
    errno = 0;
    values = mysql_fetch_row(r->res);
    if (!values) {
        if (!mysql_errno(r->conn->my))
            return 0;
        r->failed = true;
        return conn_fail(r->conn, err);
    }
    row->n_cols = mysql_num_fields(r->res);
    row->values = (const char *const *)values;
    row->sizes = mysql_fetch_lengths(r->res);
    return 1;
}

static unsigned mysql_result_cols(const struct mysql_result *r)
{
    return r->res ? mysql_num_fields(r->res) : 0;
}

int mysql_result_find(const struct mysql_result *r, const char *name)
{
    for (unsigned i = 0; i < mysql_result_cols(r); i++)
        if (strcasecmp(r->fields[i].name, name) == 0)
            return (int)i;
    return -1;
}

void mysql_result_free(struct mysql_result *r)
{
    if (!r)
        return;
    if (r->res)
        mysql_free_result(r->res);
    free(r);
}

int mysql_scalar(struct mysql_conn *c, char **ret, struct err *err, const char *fmt, ...)
{
    struct mysql_result *r = NULL;
    struct mysql_row row = { .values = NULL };
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = vqueryf(c, &r, err, fmt, ap);
    va_end(ap);
    if (rc < 0)
        return rc;
    rc = mysql_result_next(r, &row, err);
    if (rc == 0) {
        rc = err_set(err, -ENOENT, "no row");
    } else if (rc > 0) {
        assert(row.values);
        *ret = row.values[0] ? xstrndup(row.values[0], row.sizes[0]) : xstrdup("");
        rc = 0;
    }
    mysql_result_free(r);
    return rc;
}
