/* precheck_source.c - the source by itself: its binlog, who it is, what the account may do. */
#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "base/scope.h"
#include "mysql/server_find.h"
#include "unit/job.h"
#include "unit/precheck/precheck_priv.h"

#define SKEW_S 2.0

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

/* A replica that does not log what it applies would hand on nothing but its own changes. */
static void check_log_updates(struct precheck *p)
{
    struct mysql_result *r = NULL;
    struct mysql_row row;
    struct err err = ERR_INIT;

    if (p->from.info.log_updates || !p->from.info.log_bin ||
        mysql_conn_queryf(p->from.conn, &r, &err, "%s", dialect_of(p->from.conn)->show_replica) < 0)
        return;
    if (mysql_result_next(r, &row, &err) > 0)
        precheck_add(p, PRECHECK_FAIL, "log_updates",
                     "put log_slave_updates=ON into the source's configuration and restart it (or "
                     "take its own source as the source)",
                     "the source is a replica and does not log what it applies "
                     "(log_slave_updates=OFF): its binlog lacks all changes from elsewhere");
    mysql_result_free(r);
}

static void check_prepared(struct precheck *p)
{
    struct mysql_result *r = NULL;
    struct mysql_row row;
    struct err err = ERR_INIT;
    unsigned n = 0;

    if (mysql_conn_queryf(p->from.conn, &r, &err, "XA RECOVER") < 0) {
        char fix[400];

        snprintf(fix, sizeof fix, "type at the source: GRANT XA_RECOVER_ADMIN ON *.* TO %s",
                 p->from.account);
        precheck_add(p, PRECHECK_FAIL, "xa", fix,
                     "prepared transactions cannot be seen, and their rows would be lost: %s",
                     err.text);
        return;
    }
    while (mysql_result_next(r, &row, &err) > 0)
        n++;
    mysql_result_free(r);
    if (n)
        precheck_add(
            p, PRECHECK_WARN, "xa",
            "type at the source: XA RECOVER, and XA COMMIT or XA ROLLBACK what is left over",
            "%u prepared transactions: the copy waits until they end", n);
}

/* What was given may be completed by what is asked for: GTIDs by a file, a file by GTIDs. */
static int find_start(struct precheck *p, const struct position *start, struct err *err)
{
    const struct job *job = p->job;
    struct position at = { .offset = 0 };
    bool at_end;
    int rc = 0;

    position_copy(&at, start);
    if (job->start_us)
        rc = server_find_time(&job->from, job->start_us, &at, &at_end, err);
    else if (p->by_gtid && !at.gtids)
        rc = server_has_position(p->from.conn, &at, false, err);
    else
        rc = server_has_position(p->from.conn, &at, p->by_gtid || !at.file[0], err);
    if (rc == 0 && p->by_gtid && !at.gtids)
        rc = server_find_gtids(&job->from, &at, err);
    else if (rc == 0 && !p->by_gtid && !at.file[0])
        rc = server_find_file(&job->from, &at, err);
    position_fini(&at);
    return rc;
}

void precheck_start_line(struct precheck *p, const struct position *start)
{
    struct err err = ERR_INIT;

    if (find_start(p, start, &err) < 0)
        precheck_add(p, PRECHECK_FAIL, "start",
                     "give the source another start in source_conf: start_time, or binlog_name "
                     "and binlog_pos, or binlog_gtid; none of them: from now on",
                     "%s", err.text);
    else
        precheck_add(p, PRECHECK_OK, "start", NULL, "the source has the position to start from");
}

static void check_start(struct precheck *p)
{
    if (p->job && p->job->has_start && !p->scope.dump && !p->scope.again)
        precheck_start_line(p, &p->job->start);
}

/* What the account must have for the consistency that was asked for; LOCK TABLES is asked for
 * table by table. */
static void check_consistency(struct precheck *p)
{
    const char *right = dialect_of(p->from.conn)->backup_grant;

    if (!p->job || p->job->consistency == CONSISTENT_AUTO)
        precheck_right(p, &p->from, PRECHECK_WARN, right, NULL,
                       "copy over several connections (without it, over one)");
    else if (p->job->consistency == CONSISTENT_FLUSH)
        precheck_right(p, &p->from, PRECHECK_FAIL, right, NULL,
                       "hold commits back, as consistency flush does");
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
        check_log_updates(p);
        check_start(p);
    }
    if (p->scope.dump) {
        check_prepared(p);
        check_consistency(p);
    }
}
