/* sql_show.c - SHOW and KILL. */
#include <errno.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/packet.h"
#include "mysql/sql_priv.h"

enum { MAX_WORDS = 3, MAX_PATTERNS = 64 };

static const struct {
    const char *words[MAX_WORDS + 1];
    enum sql_show what;
    bool old_names;
} shows[] = {
    { { "MASTER", "STATUS" }, SQL_BINLOG_STATUS, true },
    { { "BINARY", "LOG", "STATUS" }, SQL_BINLOG_STATUS, false },
    { { "BINLOG", "STATUS" }, SQL_BINLOG_STATUS, false },
    { { "BINARY", "LOGS" }, SQL_BINLOGS, false },
    { { "MASTER", "LOGS" }, SQL_BINLOGS, true },
    { { "BINLOG", "EVENTS" }, SQL_BINLOG_EVENTS, false },
    { { "SLAVE", "HOSTS" }, SQL_REPLICAS, true },
    { { "REPLICAS" }, SQL_REPLICAS, false },
    { { "REPLICA", "HOSTS" }, SQL_REPLICAS, false },
    { { "ALL", "SLAVES", "STATUS" }, SQL_REPLICA_STATUS, true },
    { { "ALL", "REPLICAS", "STATUS" }, SQL_REPLICA_STATUS, false },
    { { "SLAVE", "STATUS" }, SQL_REPLICA_STATUS, true },
    { { "REPLICA", "STATUS" }, SQL_REPLICA_STATUS, false },
    { { "WARNINGS" }, SQL_NOTHING, false },
    { { "ERRORS" }, SQL_NOTHING, false },
    { { "DATABASES" }, SQL_NOTHING, false },
    { { "SCHEMAS" }, SQL_NOTHING, false },
    { { "TABLES" }, SQL_NOTHING, false },
    { { "PROCESSLIST" }, SQL_NOTHING, false },
    { { "FULL", "PROCESSLIST" }, SQL_NOTHING, false },
    { { "PLUGINS" }, SQL_NOTHING, false },
    { { "ENGINES" }, SQL_NOTHING, false },
    { { "SLAVE" }, SQL_REPLICA_STATUS, true },
};

static bool take_words(struct sql_reader *r, const char *const *words)
{
    const struct sql_token *start = r->at;

    for (; *words; words++)
        if (!sql_take(r, *words)) {
            r->at = start;
            return false;
        }
    return true;
}

/* --- SHOW VARIABLES --- */

struct filter {
    char *patterns[MAX_PATTERNS]; /* none: all */
    bool like[MAX_PATTERNS];
    size_t n;
    struct wire *w;
};

static bool passes(const struct filter *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->like[i] ? sql_like(name, f->patterns[i]) : strcasecmp(name, f->patterns[i]) == 0)
            return true;
    return f->n == 0;
}

static void show_variable(void *arg, const char *name, const char *value)
{
    struct filter *f = arg;

    if (!passes(f, name))
        return;
    packet_row(f->w);
    packet_text(f->w, name);
    packet_text(f->w, value);
    packet_row_end(f->w);
}

static int take_pattern(struct sql_reader *r, struct filter *f, bool like, struct err *err)
{
    struct buf text = BUF_INIT;

    if (r->at->kind != SQL_TEXT || f->n == MAX_PATTERNS)
        return sql_syntax(r, err);
    sql_token_text(r->at++, &text);
    f->like[f->n] = like;
    f->patterns[f->n++] = buf_steal(&text);
    return 0;
}

/* Variable_name = 'x', Variable_name LIKE 'x%', Variable_name IN ('x', 'y') */
static int take_condition(struct sql_reader *r, struct filter *f, struct err *err)
{
    int rc = 0;

    if (!sql_take(r, "Variable_name"))
        return sql_syntax(r, err);
    if (sql_take_sign(r, '='))
        return take_pattern(r, f, false, err);
    if (sql_take(r, "LIKE"))
        return take_pattern(r, f, true, err);
    if (!sql_take(r, "IN") || !sql_take_sign(r, '('))
        return sql_syntax(r, err);
    do
        rc = take_pattern(r, f, false, err);
    while (rc == 0 && sql_take_sign(r, ','));
    return rc == 0 && !sql_take_sign(r, ')') ? sql_syntax(r, err) : rc;
}

static int take_filter(struct sql_reader *r, struct filter *f, struct err *err)
{
    int rc = 0;

    if (sql_take(r, "LIKE")) {
        rc = take_pattern(r, f, true, err);
    } else if (sql_take(r, "WHERE")) {
        do
            rc = take_condition(r, f, err);
        while (rc == 0 && sql_take(r, "OR"));
    }
    return rc == 0 && !sql_at_end(r) ? sql_syntax(r, err) : rc;
}

static const struct packet_column variable_columns[] = { { .name = "Variable_name" },
                                                         { .name = "Value" } };

/* SHOW VARIABLES, SHOW STATUS */
static int show_variables(struct sql_reader *r, bool status, struct err *err)
{
    const struct sql_host *h = r->session->host;
    struct filter f = { .w = r->session->wire };
    int rc = take_filter(r, &f, err);

    if (rc == 0) {
        packet_columns(f.w, variable_columns, ARRAY_LEN(variable_columns));
        if (!status)
            h->each_variable(h->arg, show_variable, &f);
        else if (h->each_status)
            h->each_status(h->arg, show_variable, &f);
        packet_eof(f.w);
    }
    for (size_t i = 0; i < f.n; i++)
        free(f.patterns[i]);
    return rc;
}

static bool is_variables(struct sql_reader *r, bool *status)
{
    const struct sql_token *start = r->at;

    if (!sql_take(r, "GLOBAL") && !sql_take(r, "SESSION"))
        (void)sql_take(r, "LOCAL");
    *status = sql_take(r, "STATUS");
    if (*status || sql_take(r, "VARIABLES"))
        return true;
    r->at = start;
    return false;
}

/* --- the others --- */

static bool take_number(struct sql_reader *r, uint64_t *ret)
{
    uint64_t n = 0;

    if (r->at->kind != SQL_NUMBER || r->at->text.size > 19)
        return false;
    for (size_t i = 0; i < r->at->text.size; i++) {
        if (r->at->text.data[i] < '0' || r->at->text.data[i] > '9')
            return false;
        n = n * 10 + (r->at->text.data[i] - '0');
    }
    r->at++;
    *ret = n;
    return true;
}

/* LIMIT n, LIMIT o, n */
static bool take_limit(struct sql_reader *r, struct sql_show_args *a)
{
    if (!take_number(r, &a->limit))
        return false;
    if (!sql_take_sign(r, ','))
        return true;
    a->skip = a->limit;
    return take_number(r, &a->limit);
}

/* A connection's name, FOR CHANNEL, a pattern: there is one of each here. */
static void skip_rest(struct sql_reader *r)
{
    while (r->at->kind != SQL_END)
        r->at++;
}

static int take_args(struct sql_reader *r, enum sql_show what, struct sql_show_args *a,
                     struct err *err)
{
    if (what == SQL_NOTHING || what == SQL_REPLICA_STATUS)
        skip_rest(r);
    if (sql_take(r, "IN")) {
        struct buf file = BUF_INIT;

        if (r->at->kind != SQL_TEXT)
            return sql_syntax(r, err);
        sql_token_text(r->at++, &file);
        a->file = buf_steal(&file);
    }
    if (sql_take(r, "FROM") && !take_number(r, &a->from))
        return sql_syntax(r, err);
    if (sql_take(r, "LIMIT") && !take_limit(r, a))
        return sql_syntax(r, err);
    return sql_at_end(r) ? 0 : sql_syntax(r, err);
}

static int show(struct sql_reader *r, size_t row, struct err *err)
{
    const struct sql_host *h = r->session->host;
    struct sql_show_args a = { .limit = UINT64_MAX, .old_names = shows[row].old_names };
    int rc = take_args(r, shows[row].what, &a, err);

    if (rc == 0)
        rc = h->show(h->arg, shows[row].what, &a, r->session->wire, err);
    if (rc < 0 && err->sql)
        r->code = err->sql;
    free(a.file);
    return rc;
}

int sql_run_show(struct sql_reader *r, struct err *err)
{
    bool status;

    if (is_variables(r, &status))
        return show_variables(r, status, err);
    for (size_t i = 0; i < ARRAY_LEN(shows); i++)
        if (take_words(r, shows[i].words))
            return show(r, i, err);
    return sql_syntax(r, err);
}

int sql_run_kill(struct sql_reader *r, struct err *err)
{
    const struct sql_host *h = r->session->host;
    uint64_t id;

    while (sql_take(r, "CONNECTION") || sql_take(r, "QUERY") || sql_take(r, "HARD") ||
           sql_take(r, "SOFT"))
        ;
    if (!take_number(r, &id) || !sql_at_end(r))
        return sql_syntax(r, err);
    if (!h->kill(h->arg, id)) {
        r->code = PACKET_NO_SUCH_THREAD;
        return err_set(err, -ENOENT, "Unknown thread id: %llu", (unsigned long long)id);
    }
    packet_ok(r->session->wire);
    return 0;
}
