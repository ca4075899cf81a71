/* sql_select.c - SELECT of variables, literals and functions, in one row. */
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/packet.h"
#include "mysql/sql_priv.h"

enum { MAX_ITEMS = 256, MAX_ARGS = 8, MAX_DEPTH = 16 };

/* --- functions that need nothing of the server --- */

static int unix_timestamp(const struct sql_session *s, struct buf *ret)
{
    (void)s;
    buf_i64_text(ret, clock_wall_us() / 1000000);
    return 1;
}

static int now(const struct sql_session *s, struct buf *ret)
{
    time_t seconds = (time_t)(clock_wall_us() / 1000000);
    struct tm tm;
    char text[32];

    (void)s;
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    buf_str(ret, text);
    return 1;
}

static int connection_id(const struct sql_session *s, struct buf *ret)
{
    buf_u64_text(ret, s->connection);
    return 1;
}

static int user(const struct sql_session *s, struct buf *ret)
{
    buf_printf(ret, "%s@%%", s->user);
    return 1;
}

static int null(const struct sql_session *s, struct buf *ret)
{
    (void)s, (void)ret;
    return 0;
}

static int version(const struct sql_session *s, struct buf *ret)
{
    return s->host->variable(s->host->arg, "version", ret);
}

static const struct {
    const char *name;
    int (*value)(const struct sql_session *s, struct buf *ret);
} functions[] = {
    { "UNIX_TIMESTAMP", unix_timestamp },
    { "NOW", now },
    { "CURRENT_TIMESTAMP", now },
    { "UTC_TIMESTAMP", now },
    { "VERSION", version },
    { "CONNECTION_ID", connection_id },
    { "USER", user },
    { "CURRENT_USER", user },
    { "SESSION_USER", user },
    { "SYSTEM_USER", user },
    { "DATABASE", null },
    { "SCHEMA", null },
};

/* --- expressions --- */

static void free_args(char **args, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(args[i]);
}

/* Behind the opening parenthesis, to behind the closing one. */
static int read_args(struct sql_reader *r, char **args, size_t *n, struct err *err)
{
    while (!sql_take_sign(r, ')')) {
        SCOPED(buf_fini) struct buf value = BUF_INIT;
        int known;

        if ((*n > 0 && !sql_take_sign(r, ',')) || *n == MAX_ARGS)
            return sql_syntax(r, err);
        known = sql_expression(r, &value, err);
        if (known < 0)
            return known;
        args[(*n)++] = known ? buf_steal(&value) : NULL;
    }
    return 0;
}

static int call(struct sql_reader *r, const struct sql_token *name, struct buf *ret,
                struct err *err)
{
    struct sql_session *s = r->session;
    SCOPED(freep) char *text = xstrndup((const char *)name->text.data, name->text.size);
    char *args[MAX_ARGS];
    size_t n = 0;
    int rc = r->depth < MAX_DEPTH ? 0 : sql_syntax(r, err);

    r->depth++;
    if (rc == 0)
        rc = read_args(r, args, &n, err);
    r->depth--;

    for (size_t i = 0; rc == 0 && n == 0 && i < ARRAY_LEN(functions); i++)
        if (sql_is(name, functions[i].name))
            return functions[i].value(s, ret);
    if (rc == 0)
        rc = s->host->function(s->host->arg, text, args, n, ret, err);
    free_args(args, n);
    if (rc == -ENOENT) {
        r->code = 1305;
        return err_set(err, rc, "FUNCTION %s does not exist", text);
    }
    return rc;
}

static int system_variable(struct sql_reader *r, const struct sql_token *t, struct buf *ret,
                           struct err *err)
{
    const struct sql_host *h = r->session->host;
    SCOPED(freep) char *name = xstrndup((const char *)t->text.data, t->text.size);

    if (h->variable(h->arg, name, ret))
        return 1;
    r->code = PACKET_UNKNOWN_VARIABLE;
    return err_set(err, -ENOENT, "Unknown system variable '%s'", name);
}

static int user_variable(const struct sql_session *s, const struct sql_token *t, struct buf *ret)
{
    SCOPED(freep) char *name = xstrndup((const char *)t->text.data, t->text.size);
    const char *value = sql_session_get(s, name);

    if (value)
        buf_str(ret, value);
    return value != NULL;
}

static int word(struct sql_reader *r, const struct sql_token *t, struct buf *ret, struct err *err)
{
    if (sql_take_sign(r, '('))
        return call(r, t, ret, err);
    if (sql_is(t, "NULL"))
        return 0;
    if (sql_is(t, "TRUE") || sql_is(t, "FALSE")) {
        buf_byte(ret, sql_is(t, "TRUE") ? '1' : '0');
        return 1;
    }
    if (sql_is(t, "CURRENT_USER") || sql_is(t, "CURRENT_TIMESTAMP"))
        return sql_is(t, "CURRENT_USER") ? user(r->session, ret) : now(r->session, ret);
    r->code = 1054;
    return err_set(err, -EINVAL, "Unknown column '%.*s'", SLICE_ARG(t->text));
}

int sql_expression(struct sql_reader *r, struct buf *ret, struct err *err)
{
    const struct sql_token *t = r->at;

    if (t->kind == SQL_END)
        return sql_syntax(r, err);
    r->at++;
    switch (t->kind) {
    case SQL_WORD:
        return word(r, t, ret, err);
    case SQL_TEXT:
    case SQL_NUMBER:
        sql_token_text(t, ret);
        return 1;
    case SQL_USER:
        return user_variable(r->session, t, ret);
    case SQL_SYSTEM:
        return system_variable(r, t, ret, err);
    case SQL_SIGN:
        if (sql_is_sign(t, '-') && r->at->kind == SQL_NUMBER) {
            buf_byte(ret, '-');
            return sql_expression(r, ret, err);
        }
        break;
    case SQL_END:
        break;
    }
    r->at = t;
    return sql_syntax(r, err);
}

/* --- the statement --- */

struct item {
    char *name, *value;
};

/* As the client wrote it: it may look for the column by that. */
static char *written(const struct sql_token *from, const struct sql_token *to)
{
    const uint8_t *end = to[-1].raw.data + to[-1].raw.size;

    return xstrndup((const char *)from->raw.data, (size_t)(end - from->raw.data));
}

static char *alias(struct sql_reader *r)
{
    static const char *const ends[] = { "FROM", "LIMIT", "WHERE", "INTO" };
    struct buf name = BUF_INIT;

    if (!sql_take(r, "AS") && r->at->kind != SQL_WORD && r->at->kind != SQL_TEXT)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (sql_is(r->at, ends[i]))
            return NULL;
    sql_token_text(r->at, &name);
    if (r->at->kind != SQL_END)
        r->at++;
    return buf_steal(&name);
}

static int read_item(struct sql_reader *r, struct item *ret, struct err *err)
{
    const struct sql_token *from = r->at;
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    int known = sql_expression(r, &value, err);

    if (known < 0)
        return known;
    ret->value = known ? buf_steal(&value) : NULL;
    ret->name = written(from, r->at);
    if (r->at->kind != SQL_END) {
        char *as = alias(r);

        if (as) {
            free(ret->name);
            ret->name = as;
        }
    }
    return 0;
}

/* LIMIT n, FROM DUAL. */
static int read_tail(struct sql_reader *r, struct err *err)
{
    if (sql_take(r, "FROM") && !sql_take(r, "DUAL"))
        return sql_syntax(r, err);
    if (sql_take(r, "LIMIT") && r->at->kind == SQL_NUMBER)
        r->at++;
    return sql_at_end(r) ? 0 : sql_syntax(r, err);
}

static void send_items(struct wire *w, const struct item *items, size_t n)
{
    struct packet_column columns[MAX_ITEMS];

    for (size_t i = 0; i < n; i++)
        columns[i] = (struct packet_column){ .name = items[i].name };
    packet_columns(w, columns, n);
    packet_row(w);
    for (size_t i = 0; i < n; i++)
        packet_text(w, items[i].value);
    packet_row_end(w);
    packet_eof(w);
}

int sql_run_select(struct sql_reader *r, struct err *err)
{
    struct item items[MAX_ITEMS] = { { NULL, NULL } };
    size_t n = 0;
    int rc = 0;

    do
        rc = n < MAX_ITEMS ? read_item(r, &items[n], err) : sql_syntax(r, err);
    while (rc == 0 && ++n && sql_take_sign(r, ','));
    if (rc == 0)
        rc = read_tail(r, err);
    if (rc == 0)
        send_items(r->session->wire, items, n);
    for (size_t i = 0; i < n; i++) {
        free(items[i].name);
        free(items[i].value);
    }
    return rc;
}
