#include "unit/precheck.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/job.h"
#include "unit/precheck_item.h"
#include "unit/precheck_priv.h"

#define CONNECT_S 5
#define IO_S 30
#define SKEW_S 2.0

const char *const precheck_level_names[] = {
    [PRECHECK_OK] = "OK",
    [PRECHECK_WARN] = "WARN",
    [PRECHECK_FAIL] = "FAIL",
};

/* --- the report --- */

void precheck_add(struct precheck *p, enum precheck_level level, const char *id, const char *fix,
                  const char *fmt, ...)
{
    struct precheck_report *r = &p->report;
    struct err unknown = ERR_INIT;
    char *text = NULL;
    va_list ap;

    assert(precheck_item_check(id, &unknown) == 0); /* or nobody could leave it out */
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = xstrdup(fmt);
    va_end(ap);
    r->lines = xrealloc(r->lines, (r->n + 1) * sizeof *r->lines);
    r->lines[r->n++] = (struct precheck_line){ level, id, text, fix ? xstrdup(fix) : NULL };
    r->n_warn += level == PRECHECK_WARN;
    r->n_fail += level == PRECHECK_FAIL;
}

void precheck_report_fini(struct precheck_report *r)
{
    for (unsigned i = 0; i < r->n; i++) {
        free(r->lines[i].text);
        free(r->lines[i].fix);
    }
    free(r->lines);
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

json_t *precheck_report_json(const struct precheck_report *r)
{
    json_t *lines = json_array();

    for (unsigned i = 0; i < r->n; i++)
        json_array_append_new(lines, json_pack("{s:s,s:s,s:s,s:s*}", "level",
                                               precheck_level_names[r->lines[i].level], "check",
                                               r->lines[i].id, "found", r->lines[i].text, "fix",
                                               r->lines[i].fix));
    return lines;
}

/* --- one end --- */

struct server_kind precheck_kind(const struct end *e)
{
    return (struct server_kind){ e->info.flavor, e->info.version };
}

bool precheck_open(struct precheck *p, struct end *e, const struct mysql_params *params,
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
        precheck_add(p, PRECHECK_FAIL, "connection", NULL, "%s: %s", e->name, err->text);
        return false;
    }
    e->account = server_account(e->conn);
    precheck_add(p, PRECHECK_OK, "connection", NULL, "%s: %s as %s", e->name, e->info.version_text,
                 e->account);
    return true;
}

void precheck_end_fini(struct end *e)
{
    mysql_conn_close(e->conn);
    server_info_fini(&e->info);
    grants_fini(&e->grants);
    free(e->account);
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

/* --- the source --- */

static void check_version(struct precheck *p, const struct end *e)
{
    unsigned v = e->info.version;
    bool known =
        e->info.flavor == FLAVOR_MARIADB ? v >= 100500 && v < 130000 : v >= 50700 && v < 100000;

    if (!known)
        precheck_add(p, PRECHECK_WARN, "version", NULL,
                     "%s: %s has not been tried; MariaDB 10.5 to 12 and MySQL 5.7 to 9 are known",
                     e->name, e->info.version_text);
}

static void check_binlog(struct precheck *p)
{
    const struct server_info *i = &p->from.info;

    if (!i->log_bin) {
        precheck_add(p, PRECHECK_FAIL, "binlog",
                     "put log_bin=bin and server_id=<a number of its own> into the source's "
                     "configuration and restart it",
                     "the source keeps no binlog");
        return;
    }
    if (i->binlog_format && strcasecmp(i->binlog_format, "ROW") != 0)
        precheck_add(p, PRECHECK_FAIL, "binlog_format",
                     "type at the source: SET GLOBAL binlog_format='ROW' (then reconnect its "
                     "clients, and put binlog_format=ROW into its configuration)",
                     "the binlog has statements (%s) instead of rows", i->binlog_format);
    else
        precheck_add(p, PRECHECK_OK, "binlog_format", NULL, "ROW");
    if (!i->row_image || strncasecmp(i->row_image, "FULL", 4) == 0)
        precheck_add(p, PRECHECK_OK, "binlog_row_image", NULL, "FULL");
    else
        precheck_add(p, PRECHECK_WARN, "binlog_row_image",
                     "type at the source: SET GLOBAL binlog_row_image='FULL'",
                     "%s: changes of keys are applied one by one, and tables without a key not at "
                     "all",
                     i->row_image);
    precheck_add(p, PRECHECK_OK, "binlog_row_metadata", NULL, "%s",
                 i->row_metadata && strcasecmp(i->row_metadata, "FULL") == 0
                     ? "FULL"
                     : "without names: the source's tables are asked for them");
}

static void check_identity(struct precheck *p)
{
    const struct server_info *i = &p->from.info;

    if (i->server_id == 0)
        precheck_add(p, PRECHECK_FAIL, "server_id", "type at the source: SET GLOBAL server_id=1",
                     "it is 0: no replica may connect");
    else
        precheck_add(p, PRECHECK_OK, "server_id", NULL, "%u", i->server_id);
    if (!p->by_gtid)
        return;
    if (i->gtid)
        precheck_add(p, PRECHECK_OK, "gtid", NULL, "on");
    else
        precheck_add(p, PRECHECK_FAIL, "gtid",
                     "type at the source: SET GLOBAL enforce_gtid_consistency=ON; SET GLOBAL "
                     "gtid_mode=OFF_PERMISSIVE; SET GLOBAL gtid_mode=ON_PERMISSIVE; SET GLOBAL "
                     "gtid_mode=ON (or echo false > enable_gtid here)",
                     "enable_gtid is set, and the source's gtid_mode is not ON");
}

static void check_replication_rights(struct precheck *p)
{
    struct position pos = { .gtids = NULL };
    struct err err = ERR_INIT;
    const char *const rights[] = { "REPLICATION SLAVE", dialect_of(p->from.conn)->monitor_grant,
                                   NULL };

    if (!precheck_rights(p, &p->from, PRECHECK_FAIL, rights, NULL, "read the binlog") ||
        !p->from.info.log_bin)
        return;
    if (server_position(p->from.conn, &pos, &err) < 0)
        precheck_add(p, PRECHECK_FAIL, "binlog", NULL, "%s", err.text);
    else
        precheck_add(p, PRECHECK_OK, "grants", NULL,
                     "source: the binlog can be read, up to %s:%llu", pos.file,
                     (unsigned long long)pos.offset);
    position_fini(&pos);
}

static void check_clock(struct precheck *p, const struct end *e)
{
    double skew = e->info.clock_skew_s;

    if (fabs(skew) < SKEW_S)
        precheck_add(p, PRECHECK_OK, "clock", NULL, "%s: the same as ours", e->name);
    else
        precheck_add(p, PRECHECK_WARN, "clock", "type on both machines: timedatectl set-ntp true",
                     "the %s's clock is %.1f s %s ours", e->name, fabs(skew),
                     skew > 0 ? "ahead of" : "behind");
}

/* What binlog_do_db and binlog_ignore_db say is not in any variable before MySQL 8. */
static void check_binlog_filters(struct precheck *p)
{
    struct mysql_result *r = NULL;
    struct mysql_row row;
    struct err err = ERR_INIT;

    if (mysql_conn_queryf(p->from.conn, &r, &err, "%s", dialect_of(p->from.conn)->show_position) <
        0)
        return; /* check_replication_rights() has said so */
    if (mysql_result_next(r, &row, &err) > 0 && row.n_cols > 3 &&
        ((row.values[2] && *row.values[2]) || (row.values[3] && *row.values[3])))
        precheck_add(p, PRECHECK_FAIL, "binlog_do_db",
                     "take binlog_do_db and binlog_ignore_db out of the source's configuration and "
                     "restart it",
                     "the source leaves schemas out of its binlog (do: '%s', ignore: '%s'), by the "
                     "session's schema, not the table's",
                     row.values[2] ? row.values[2] : "", row.values[3] ? row.values[3] : "");
    mysql_result_free(r);
}

static void check_prepared(struct precheck *p)
{
    struct mysql_result *r = NULL;
    struct mysql_row row;
    struct err err = ERR_INIT;
    unsigned n = 0;

    if (mysql_conn_queryf(p->from.conn, &r, &err, "XA RECOVER") < 0)
        return; /* MySQL 8 wants XA_RECOVER_ADMIN; the dump will ask again */
    while (mysql_result_next(r, &row, &err) > 0)
        n++;
    mysql_result_free(r);
    if (n)
        precheck_add(
            p, PRECHECK_WARN, "xa",
            "type at the source: XA RECOVER, and XA COMMIT or XA ROLLBACK what is left over",
            "%u prepared transactions: the copy waits until they end", n);
}

void precheck_source_lines(struct precheck *p)
{
    check_version(p, &p->from);
    check_clock(p, &p->from);
    if (p->scope.sync) {
        check_binlog(p);
        check_identity(p);
        check_replication_rights(p);
        check_binlog_filters(p);
    }
    if (p->scope.dump) {
        check_prepared(p);
        precheck_right(p, &p->from, PRECHECK_WARN, dialect_of(p->from.conn)->backup_grant, NULL,
                       "copy over several connections (without it, over one)");
    }
    if (p->job && p->job->has_start && p->scope.sync && !p->scope.dump && !p->scope.again) {
        struct err err = ERR_INIT;

        if (server_has_position(p->from.conn, &p->job->start, p->by_gtid, &err) < 0)
            precheck_add(p, PRECHECK_FAIL, "start", NULL, "%s", err.text);
        else
            precheck_add(p, PRECHECK_OK, "start", NULL,
                         "the source has the position to start from");
    }
}

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

    if (precheck_open(&p, &p.from, &job->from, err))
        precheck_source_lines(&p);
    if (precheck_open(&p, &p.to, &job->to, err))
        precheck_target_lines(&p);
    if (p.from.account && p.to.account)
        rc = precheck_table_lines(&p, err);
    precheck_end_fini(&p.from);
    precheck_end_fini(&p.to);
    if (rc < 0)
        precheck_report_fini(&p.report);
    else
        *ret = p.report;
    return rc;
}
