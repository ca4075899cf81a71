#include "unit/precheck/precheck.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/job.h"
#include "unit/precheck/precheck_item.h"
#include "unit/precheck/precheck_priv.h"

#define CONNECT_S 5
#define IO_S 30

const char *const precheck_level_names[] = {
    [PRECHECK_OK] = "OK",
    [PRECHECK_WARN] = "WARN",
    [PRECHECK_FAIL] = "FAIL",
    [PRECHECK_IGNORED] = "IGNORED",
};

/* --- the report --- */

void precheck_report_add(struct precheck_report *r, enum precheck_level level, const char *id,
                         const char *fix, const char *text)
{
    struct err unknown = ERR_INIT;

    assert(precheck_item_check(id, &unknown) == 0); /* or nobody could leave it out */
    r->lines = xrealloc(r->lines, (r->n + 1) * sizeof *r->lines);
    r->lines[r->n++] =
        (struct precheck_line){ level, id, xstrdup(text), fix ? xstrdup(fix) : NULL, REASON_NONE };
    r->n_warn += level == PRECHECK_WARN;
    r->n_fail += level == PRECHECK_FAIL;
}

void precheck_add(struct precheck *p, enum precheck_level level, const char *id, const char *fix,
                  const char *fmt, ...)
{
    SCOPED(freep) char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = xstrdup(fmt);
    va_end(ap);
    precheck_report_add(&p->report, level, id, fix, text);
}

void precheck_report_fini(struct precheck_report *r)
{
    for (unsigned i = 0; i < r->n; i++) {
        free(r->lines[i].text);
        free(r->lines[i].fix);
    }
    free(r->lines);
    for (size_t i = 0; i < r->n_targets; i++)
        free(r->targets[i]);
    free(r->targets);
    json_decref(r->shards);
    *r = (struct precheck_report){ 0 };
}

void precheck_report_print(const struct precheck_report *r, struct buf *out)
{
    for (unsigned i = 0; i < r->n; i++) {
        const struct precheck_line *l = &r->lines[i];

        buf_printf(out, "%-4s  %s: %s", precheck_level_names[l->level], l->id, l->text);
        if (l->fix)
            buf_printf(out, "; %s", l->fix);
        buf_byte(out, '\n');
    }
}

void precheck_report_ignore(struct precheck_report *r, const json_t *words)
{
    for (unsigned i = 0; i < r->n; i++) {
        struct precheck_line *l = &r->lines[i];

        if (l->level == PRECHECK_OK || !precheck_items_cover(words, l->id))
            continue;
        r->n_warn -= l->level == PRECHECK_WARN;
        r->n_fail -= l->level == PRECHECK_FAIL;
        l->level = PRECHECK_IGNORED;
    }
}

int precheck_report_verdict(const struct precheck_report *r, struct err *err)
{
    const struct precheck_line *first = r->lines;

    if (r->n_fail == 0)
        return 0;
    while (first->level != PRECHECK_FAIL)
        first++;
    err_set(err, -EINVAL, "%s: %s%s%s%s", first->id, first->text, first->fix ? "; " : "",
            first->fix ? first->fix : "", r->n_fail > 1 ? " (and more: see check_report)" : "");
    return err_because(err, first->reason);
}

/* --- one end --- */

struct server_kind precheck_kind(const struct end *e)
{
    return (struct server_kind){ e->info.flavor, e->info.version };
}

/* What to type when a server is not reached; NULL where nobody knows. */
static char *connect_fix(const struct precheck *p, const struct end *e,
                         const struct mysql_params *params, const struct err *err)
{
    bool is_source = e == &p->from;
    SCOPED(freep)
    char *dir = is_source && !p->job ? xstrdup("") /* in the source's directory */
                : is_source          ? xasprintf("sources/%s/", p->job->source)
                                     : xstrdup("target/");
    SCOPED(buf_fini) struct buf user = BUF_INIT;

    sql_quote(&user, slice_str(params->user ? params->user : ""));
    switch (err->sql) {
    case 1045: /* access denied */
    case 1698:
        return xasprintf("echo PASSWORD > %spassword; or at the %s: ALTER USER %s IDENTIFIED BY "
                         "'PASSWORD'; or, if the account is for TLS alone: echo true > "
                         "%ssecurity/required",
                         dir, e->name, user.data, dir);
    case 1130: /* host not allowed */
        return xasprintf("at the %s: CREATE USER %s@'%%' IDENTIFIED BY 'PASSWORD'", e->name,
                         user.data);
    case 2002: /* nobody listens, or nobody answers */
    case 2003:
        return xasprintf("start the server; or say where it is: echo HOST > %shost; echo PORT > "
                         "%sport",
                         dir, dir);
    case 2005: /* unknown host */
        return xasprintf("echo HOST > %shost", dir);
    case 2026: /* TLS */
        if (strstr(err->text, "Validation of SSL server certificate"))
            return xasprintf("its certificate is made out for another name: echo '[\"NAME\"]' > "
                             "%ssecurity/cert_allowed_cn; or do without: echo false > "
                             "%ssecurity/required and echo > %ssecurity/ssl_ca_content",
                             dir, dir, dir);
        return xasprintf(
            "echo file:/PATH/ca.pem > %ssecurity/ssl_ca_content; or do without: echo false > "
            "%ssecurity/required",
            dir, dir);
    case 1193: /* no such variable; it is not to be set; it has no such value */
    case 1231:
    case 1232:
    case 1238:
        return xstrdup("without it: echo '{}' > target/session/variables");
    case 3159: /* only by TLS */
        return xasprintf("echo true > %ssecurity/required", dir);
    default:
        return NULL;
    }
}

/* Connects; a refusal is a FAIL line and false. */
static bool precheck_open(struct precheck *p, struct end *e, const struct mysql_params *params,
                          struct err *err)
{
    struct mysql_params mine;
    int rc;

    mysql_params_copy(&mine, params);
    if (!mine.connect_timeout_s)
        mine.connect_timeout_s = CONNECT_S;
    if (!mine.io_timeout_s)
        mine.io_timeout_s = IO_S;
    rc = mysql_conn_open(&e->conn, &mine, err);
    mysql_params_fini(&mine);
    if (rc == 0)
        rc = server_read(e->conn, &e->info, err);
    if (rc == 0)
        rc = grants_read(e->conn, &e->grants, err);
    if (rc < 0) {
        SCOPED(freep) char *fix = connect_fix(p, e, params, err);

        precheck_add(p, PRECHECK_FAIL, "connection", fix, "%s: %s", e->name, err->text);
        p->report.lines[p->report.n - 1].reason = e == &p->from ? REASON_SOURCE : REASON_TARGET;
        return false;
    }
    e->account = server_account(e->conn);
    precheck_add(p, PRECHECK_OK, "connection", NULL, "%s: %s as %s", e->name, e->info.version_text,
                 e->account);
    return true;
}

static void precheck_end_fini(struct end *e)
{
    mysql_conn_close(e->conn);
    server_info_fini(&e->info);
    grants_fini(&e->grants);
    free(e->account);
}

static bool is_said(const struct precheck_report *r, const char *fix)
{
    for (unsigned i = 0; i < r->n; i++)
        if (r->lines[i].fix && strcmp(r->lines[i].fix, fix) == 0)
            return true;
    return false;
}

bool precheck_rights(struct precheck *p, const struct end *e, enum precheck_level level,
                     const char *const *rights, const char *db, const char *what_for)
{
    SCOPED(buf_fini) struct buf missing = BUF_INIT, fix = BUF_INIT;

    for (; *rights; rights++)
        if (!grants_have(&e->grants, *rights, db))
            buf_printf(&missing, "%s%s", missing.size ? ", " : "", *rights);
    if (!missing.size)
        return true;
    buf_printf(&fix, "type at the %s: GRANT %s ON ", e->name, missing.data);
    if (db)
        sql_ident(&fix, slice_str(db));
    else
        buf_byte(&fix, '*');
    buf_printf(&fix, ".* TO %s", e->account);
    if (!is_said(&p->report, fix.data)) /* by another table of the schema */
        precheck_add(p, level, "grants", fix.data, "%s: missing %s, needed to %s", e->name,
                     missing.data, what_for);
    return false;
}

bool precheck_right(struct precheck *p, const struct end *e, enum precheck_level level,
                    const char *right, const char *db, const char *what_for)
{
    const char *const rights[] = { right, NULL };

    return precheck_rights(p, e, level, rights, db, what_for);
}

/* --- both --- */

int precheck_source(const struct mysql_params *source, bool by_gtid, struct precheck_report *ret,
                    struct err *err)
{
    struct precheck p = { .by_gtid = by_gtid,
                          .scope = { .dump = true, .sync = true },
                          .from.name = "source" };

    if (precheck_open(&p, &p.from, source, err))
        precheck_source_lines(&p);
    precheck_end_fini(&p.from);
    *ret = p.report;
    return 0;
}

int precheck_run(const struct job *job, const struct precheck_scope *scope,
                 struct precheck_report *ret, struct err *err)
{
    struct precheck p = { .job = job,
                          .by_gtid = job->by_gtid,
                          .scope = *scope,
                          .from.name = "source",
                          .to.name = "target" };
    int rc = 0;

    if (job->files != FILES_LOAD && precheck_open(&p, &p.from, &job->from, err))
        precheck_source_lines(&p);
    if (job->files != FILES_DUMP && precheck_open(&p, &p.to, &job->to, err))
        precheck_target_lines(&p);
    if (job->files == FILES_NONE && p.from.account && p.to.account)
        precheck_dm_lines(&p);
    if (job->files != FILES_NONE)
        rc = precheck_folder_lines(&p, err);
    else if (p.from.account && p.to.account)
        rc = precheck_table_lines(&p, err);
    precheck_end_fini(&p.from);
    precheck_end_fini(&p.to);
    if (rc < 0)
        precheck_report_fini(&p.report);
    else
        *ret = p.report;
    return rc;
}
