/* sql_set.c - SET, and the user variables of a connection. */
#include <errno.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/packet.h"
#include "mysql/sql_priv.h"

enum { MAX_VARS = 256, MAX_VARS_SIZE = 8 << 20 };

struct sql_var {
    char *name, *value; /* NULL value: NULL */
};

struct sql_vars {
    struct sql_var at[MAX_VARS];
    size_t n, size;
};

void sql_session_init(struct sql_session *s, const struct sql_host *host, struct wire *w)
{
    *s = (struct sql_session){ .host = host, .wire = w, .user = "" };
}

void sql_session_clear(struct sql_session *s)
{
    for (size_t i = 0; s->vars && i < s->vars->n; i++) {
        free(s->vars->at[i].name);
        free(s->vars->at[i].value);
    }
    free(s->vars);
    s->vars = NULL;
}

void sql_session_fini(struct sql_session *s)
{
    sql_session_clear(s);
}

static struct sql_var *find(struct sql_vars *v, const char *name)
{
    for (size_t i = 0; v && i < v->n; i++)
        if (strcasecmp(v->at[i].name, name) == 0)
            return &v->at[i];
    return NULL;
}

const char *sql_session_get(const struct sql_session *s, const char *name)
{
    const struct sql_var *v = find(s->vars, name);

    return v ? v->value : NULL;
}

static int sql_vars_set(struct sql_vars **vars, const char *name, const char *value,
                        struct err *err)
{
    struct sql_vars *v = *vars ? *vars : xcalloc(1, sizeof *v);
    struct sql_var *var = find(v, name);
    size_t was = var && var->value ? strlen(var->value) : 0, is = value ? strlen(value) : 0;

    *vars = v;
    if ((!var && v->n == MAX_VARS) || v->size - was + is > MAX_VARS_SIZE)
        return err_set(err, -E2BIG, "too many user variables, or too large");
    v->size = v->size - was + is;
    if (!var) {
        var = &v->at[v->n++];
        *var = (struct sql_var){ .name = xstrdup(name) };
    }
    free(var->value);
    var->value = value ? xstrdup(value) : NULL;
    return 0;
}

/* Up to the next assignment. */
static void skip_value(struct sql_reader *r)
{
    int depth = 0;

    for (; r->at->kind != SQL_END; r->at++) {
        if (depth == 0 && (sql_is_sign(r->at, ',') || sql_is_sign(r->at, ';')))
            return;
        depth += sql_is_sign(r->at, '(') - sql_is_sign(r->at, ')');
    }
}

static int assign_user(struct sql_reader *r, const char *name, struct err *err)
{
    struct sql_session *s = r->session;
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    int known = sql_expression(r, &value, err);
    const char *text;

    if (known < 0)
        return known;
    buf_str(&value, ""); /* for its NUL */
    text = known ? value.data : NULL;
    r->code = s->host->check ? s->host->check(s->host->arg, name, text, err) : 0;
    return r->code ? err->code : sql_vars_set(&s->vars, name, text, err);
}

static bool take_assign(struct sql_reader *r)
{
    (void)sql_take_sign(r, ':');
    return sql_take_sign(r, '=');
}

/* @x = value; anything else that can be set is of no consequence here. */
static int assign(struct sql_reader *r, struct err *err)
{
    if (r->at->kind == SQL_USER) {
        SCOPED(freep) char *name = xstrndup((const char *)r->at->text.data, r->at->text.size);

        r->at++;
        return take_assign(r) ? assign_user(r, name, err) : sql_syntax(r, err);
    }
    if (r->at->kind != SQL_WORD && r->at->kind != SQL_SYSTEM)
        return sql_syntax(r, err);
    skip_value(r);
    return 0;
}

int sql_run_set(struct sql_reader *r, struct err *err)
{
    int rc;

    do
        rc = assign(r, err);
    while (rc == 0 && sql_take_sign(r, ','));
    if (rc == 0 && !sql_at_end(r))
        rc = sql_syntax(r, err);
    if (rc == 0)
        packet_ok(r->session->wire);
    return rc;
}
