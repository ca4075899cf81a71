#include "mysql/quote.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"

/* What a byte becomes after a backslash; 0: it stands for itself.  Multi-byte character sets in
 * which a backslash can be the second byte (gbk, sjis, big5) do no harm: the client's character
 * set is binary, so the server reads literals byte by byte. */
static const char escapes[256] = {
    ['\0'] = '0', ['\n'] = 'n', ['\r'] = 'r', ['\x1a'] = 'Z', ['\\'] = '\\', ['\''] = '\'',
};

void sql_quote(struct buf *out, struct slice text)
{
    const uint8_t *at = text.data, *end = slice_end(text), *from = at;

    buf_reserve(out, text.size + 2);
    buf_byte(out, '\'');
    for (; at < end; at++) {
        if (escapes[*at]) {
            char pair[2] = { '\\', escapes[*at] };

            buf_add(out, from, (size_t)(at - from));
            buf_add(out, pair, 2);
            from = at + 1;
        }
    }
    buf_add(out, from, (size_t)(end - from));
    buf_byte(out, '\'');
}

void sql_text(struct buf *out, const char *text)
{
    buf_str(out, "_utf8mb4");
    sql_quote(out, slice_str(text));
}

void sql_ident(struct buf *out, struct slice name)
{
    buf_byte(out, '`');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '`')
            buf_byte(out, '`');
        buf_byte(out, (char)name.data[i]);
    }
    buf_byte(out, '`');
}

void sql_table(struct buf *out, const char *db, const char *name)
{
    sql_ident(out, slice_str(db));
    if (name) {
        buf_byte(out, '.');
        sql_ident(out, slice_str(name));
    }
}

static void vsql(struct buf *out, const char *fmt, va_list ap)
{
    for (const char *p; (p = strchr(fmt, '%')) != NULL; fmt = p + 2) {
        buf_add(out, fmt, (size_t)(p - fmt));
        switch (p[1]) {
        case 'i':
            sql_ident(out, slice_str(va_arg(ap, const char *)));
            break;
        case 'q': {
            const char *s = va_arg(ap, const char *);

            if (s)
                sql_quote(out, slice_str(s));
            else
                buf_str(out, "NULL");
            break;
        }
        case 'u':
            buf_u64_text(out, va_arg(ap, uint64_t));
            break;
        case 'r':
            buf_str(out, va_arg(ap, const char *));
            break;
        default:
            buf_byte(out, '%');
        }
    }
    buf_str(out, fmt);
}

void sql_add(struct buf *out, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsql(out, fmt, ap);
    va_end(ap);
}

int sql_exec(struct mysql_conn *c, struct err *err, const char *fmt, ...)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    vsql(&sql, fmt, ap);
    va_end(ap);
    return mysql_conn_exec(c, slice_of(sql.data, sql.size), NULL, err);
}

int sql_query(struct mysql_conn *c, struct mysql_result **ret, struct err *err, const char *fmt,
              ...)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    vsql(&sql, fmt, ap);
    va_end(ap);
    return mysql_conn_query(c, slice_of(sql.data, sql.size), true, ret, err);
}

int sql_scalar(struct mysql_conn *c, char **ret, struct err *err, const char *fmt, ...)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct mysql_result *r;
    struct mysql_row row;
    va_list ap;
    int rc;

    va_start(ap, fmt);
    vsql(&sql, fmt, ap);
    va_end(ap);
    rc = mysql_conn_query(c, slice_of(sql.data, sql.size), true, &r, err);
    if (rc < 0)
        return rc;
    rc = mysql_result_next(r, &row, err);
    if (rc > 0)
        *ret = row.values[0] ? mysql_row_text(&row, 0) : xstrdup("");
    mysql_result_free(r);
    if (rc == 0)
        return err_set(err, -ENOENT, "no row: %.*s", (int)sql.size, sql.data);
    return rc < 0 ? rc : 0;
}

char *mysql_row_text(const struct mysql_row *row, unsigned col)
{
    return row->values[col] ? xstrndup(row->values[col], row->sizes[col]) : NULL;
}

uint64_t mysql_row_u64(const struct mysql_row *row, unsigned col)
{
    uint64_t v = 0;

    for (size_t i = 0; row->values[col] && i < row->sizes[col]; i++) {
        char digit = row->values[col][i];

        if (digit < '0' || digit > '9')
            break;
        v = v * 10 + (uint64_t)(digit - '0');
    }
    return v;
}
