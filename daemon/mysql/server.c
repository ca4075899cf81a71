#include "mysql/server.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/dialect.h"
#include "mysql/quote.h"

/* --- variables --- */

/* FIELD_ON: fully, not ON_PERMISSIVE or OFF_PERMISSIVE. */
enum field_kind { FIELD_TEXT, FIELD_BOOL, FIELD_ON, FIELD_U32, FIELD_U64 };

/* One row, one variable.  Those that only some servers have are asked for by name, so that one
 * query serves all: a missing one is no row, not an error. */
static const struct variable {
    const char *name;
    enum field_kind kind;
    size_t offset;
} variables[] = {
    { "server_uuid", FIELD_TEXT, offsetof(struct server_info, uuid) },
    { "hostname", FIELD_TEXT, offsetof(struct server_info, host_name) },
    { "server_id", FIELD_U32, offsetof(struct server_info, server_id) },
    { "gtid_domain_id", FIELD_U32, offsetof(struct server_info, domain_id) },
    { "log_bin", FIELD_BOOL, offsetof(struct server_info, log_bin) },
    { "gtid_mode", FIELD_ON, offsetof(struct server_info, gtid) },
    { "binlog_format", FIELD_TEXT, offsetof(struct server_info, binlog_format) },
    { "binlog_row_image", FIELD_TEXT, offsetof(struct server_info, row_image) },
    { "binlog_row_metadata", FIELD_TEXT, offsetof(struct server_info, row_metadata) },
    { "time_zone", FIELD_TEXT, offsetof(struct server_info, time_zone) },
    { "sql_mode", FIELD_TEXT, offsetof(struct server_info, sql_mode) },
    { "collation_server", FIELD_TEXT, offsetof(struct server_info, collation) },
    { "lower_case_table_names", FIELD_U32, offsetof(struct server_info, lower_case_table_names) },
    { "local_infile", FIELD_BOOL, offsetof(struct server_info, local_infile) },
    { "read_only", FIELD_BOOL, offsetof(struct server_info, read_only) },
    { "log_slave_updates", FIELD_BOOL, offsetof(struct server_info, log_updates) },
    { "log_replica_updates", FIELD_BOOL, offsetof(struct server_info, log_updates) },
    { "sql_require_primary_key", FIELD_BOOL, offsetof(struct server_info, requires_key) },
    { "innodb_force_primary_key", FIELD_BOOL, offsetof(struct server_info, requires_key) },
    { "event_scheduler", FIELD_BOOL, offsetof(struct server_info, event_scheduler) },
    { "wsrep_on", FIELD_BOOL, offsetof(struct server_info, galera) },
    { "group_replication_group_name", FIELD_BOOL, offsetof(struct server_info, group_replication) },
    { "max_allowed_packet", FIELD_U64, offsetof(struct server_info, max_packet) },
    { "max_connections", FIELD_U64, offsetof(struct server_info, max_connections) },
    { "max_binlog_cache_size", FIELD_U64, offsetof(struct server_info, binlog_cache) },
    { "wsrep_max_ws_size", FIELD_U64, offsetof(struct server_info, max_transaction) },
    { "group_replication_transaction_size_limit", FIELD_U64,
      offsetof(struct server_info, max_transaction) },
};

/* A word that stands for no; any other text stands for yes. */
static bool is_off(const char *v)
{
    return !*v || strcasecmp(v, "OFF") == 0 || strcmp(v, "0") == 0 ||
           strcasecmp(v, "DISABLED") == 0;
}

static void set_field(struct server_info *i, const struct variable *v, const char *value)
{
    char *at = (char *)i + v->offset;

    switch (v->kind) {
    case FIELD_TEXT:
        free(*(char **)at);
        *(char **)at = xstrdup(value);
        break;
    case FIELD_BOOL:
        *(bool *)at = !is_off(value);
        break;
    case FIELD_ON:
        *(bool *)at = strcasecmp(value, "ON") == 0;
        break;
    case FIELD_U32:
        *(uint32_t *)at = (uint32_t)strtoul(value, NULL, 10);
        break;
    case FIELD_U64:
        *(uint64_t *)at = strtoull(value, NULL, 10);
        break;
    }
}

static void take_variable(struct server_info *i, const char *name, const char *value)
{
    for (size_t v = 0; v < ARRAY_LEN(variables); v++)
        if (strcasecmp(variables[v].name, name) == 0)
            set_field(i, &variables[v], value);
}

static int read_variables(struct mysql_conn *c, struct server_info *i, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct mysql_result *r = NULL;
    struct mysql_row row;
    int rc;

    buf_str(&sql, "SHOW GLOBAL VARIABLES WHERE variable_name IN (");
    for (size_t v = 0; v < ARRAY_LEN(variables); v++)
        buf_printf(&sql, "%s'%s'", v ? ", " : "", variables[v].name);
    buf_byte(&sql, ')');
    rc = mysql_conn_query(c, slice_of(sql.data, sql.size), true, &r, err);
    while (rc == 0 && (rc = mysql_result_next(r, &row, err)) > 0) {
        take_variable(i, row.values[0], row.values[1] ? row.values[1] : "");
        rc = 0;
    }
    mysql_result_free(r);
    return rc;
}

static int read_clock(struct mysql_conn *c, struct server_info *i, struct err *err)
{
    SCOPED(freep) char *text = NULL;
    int64_t before = clock_wall_us(), after;
    int rc = mysql_scalar(c, &text, err, "SELECT UNIX_TIMESTAMP(SYSDATE(6))");

    after = clock_wall_us();
    if (rc == 0)
        i->clock_skew_s = strtod(text, NULL) - ((double)before + (double)after) / 2e6;
    return rc;
}

static int read_connections(struct mysql_conn *c, struct server_info *i, struct err *err)
{
    struct mysql_result *r = NULL;
    struct mysql_row row;
    int rc = mysql_conn_queryf(c, &r, err, "SHOW GLOBAL STATUS LIKE 'Threads_connected'");

    if (rc == 0 && (rc = mysql_result_next(r, &row, err)) > 0) {
        i->n_connections = strtoull(row.values[1], NULL, 10);
        rc = 0;
    }
    mysql_result_free(r);
    return rc;
}

int server_read(struct mysql_conn *c, struct server_info *ret, struct err *err)
{
    struct server_info i = {
        .flavor = mysql_conn_flavor(c),
        .version = mysql_conn_version(c),
        .version_text = xstrdup(mysql_conn_version_text(c)),
    };
    int rc = read_variables(c, &i, err);

    if (rc == 0)
        rc = read_connections(c, &i, err);
    if (rc == 0)
        rc = read_clock(c, &i, err);
    if (i.flavor == FLAVOR_MARIADB)
        i.gtid = true;
    if (rc == 0)
        *ret = i;
    else
        server_info_fini(&i);
    return rc;
}

void server_info_fini(struct server_info *i)
{
    free(i->version_text);
    free(i->uuid);
    free(i->host_name);
    free(i->binlog_format);
    free(i->row_image);
    free(i->row_metadata);
    free(i->time_zone);
    free(i->sql_mode);
    free(i->collation);
    *i = (struct server_info){ 0 };
}

/* --- positions --- */

#define ER_NO_RIGHT 1227
#define ER_NO_BINLOG 1381

char *server_account(struct mysql_conn *c)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    SCOPED(freep) char *user = NULL;
    struct err ignored = ERR_INIT;
    const char *at;

    if (mysql_scalar(c, &user, &ignored, "SELECT CURRENT_USER()") < 0)
        return xstrdup("CURRENT_USER()");
    at = strrchr(user, '@'); /* a user's name may have one too */
    if (!at)
        at = user + strlen(user);
    sql_quote(&b, slice_of(user, (size_t)(at - user)));
    buf_byte(&b, '@');
    sql_quote(&b, slice_str(*at ? at + 1 : "%"));
    return buf_steal(&b);
}

/* Makes of a refusal what the user can do about it. */
static int explain(struct mysql_conn *c, int rc, struct err *err)
{
    unsigned sql = err->sql;

    if (sql == ER_NO_RIGHT) {
        SCOPED(freep) char *user = server_account(c);

        rc = err_set(err, -EACCES, "%s may not read the binlog's position: GRANT %s ON *.* TO %s",
                     user, dialect_of(c)->monitor_grant, user);
        err->sql = sql;
    } else if (sql == ER_NO_BINLOG) {
        rc = err_set(err, -ENODATA, "the server keeps no binlog: start it with log_bin");
        err->sql = sql;
    }
    return rc;
}

int server_gtid_at(struct mysql_conn *c, const char *file, uint64_t offset, struct gtid_set **ret,
                   struct err *err)
{
    SCOPED(buf_fini) struct buf name = BUF_INIT;
    SCOPED(freep) char *text = NULL;
    int rc;

    sql_quote(&name, slice_str(file));
    /* NULL, for a place that is not there, is told from '', the start of all, by a number. */
    rc = mysql_scalar(c, &text, err, "SELECT COALESCE(BINLOG_GTID_POS(%s, %llu), 'none')",
                      name.data, (unsigned long long)offset);
    if (rc < 0)
        return rc;
    if (strcmp(text, "none") == 0)
        return err_set(err, -ENODATA, "the source has no binlog %s:%llu", file,
                       (unsigned long long)offset);
    return gtid_set_parse(ret, FLAVOR_MARIADB, text, err);
}

static int take_position(struct mysql_conn *c, struct mysql_result *r, struct position *pos,
                         struct err *err)
{
    int set_col = mysql_result_find(r, "Executed_Gtid_Set");
    struct mysql_row row;
    int rc = mysql_result_next(r, &row, err);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(err, -ENODATA, "the server keeps no binlog: start it with log_bin");
    snprintf(pos->file, sizeof pos->file, "%s", row.values[0]);
    pos->offset = strtoull(row.values[1], NULL, 10);
    if (mysql_conn_flavor(c) == FLAVOR_MYSQL && set_col >= 0)
        return gtid_set_parse(&pos->gtids, FLAVOR_MYSQL,
                              row.values[set_col] ? row.values[set_col] : "", err);
    return 0;
}

/* What the server says in one round trip: MariaDB no set. */
static int show_position(struct mysql_conn *c, struct position *pos, struct err *err)
{
    struct mysql_result *r = NULL;
    int rc = mysql_conn_queryf(c, &r, err, "%s", dialect_of(c)->show_position);

    if (rc < 0)
        return explain(c, rc, err);
    rc = take_position(c, r, pos, err);
    mysql_result_free(r);
    return rc;
}

int server_end(struct mysql_conn *c, struct position *ret, struct err *err)
{
    SCOPED(position_fini) struct position pos = { .gtids = NULL };
    int rc = show_position(c, &pos, err);

    if (rc < 0)
        return rc;
    *ret = (struct position){ .offset = pos.offset };
    memcpy(ret->file, pos.file, sizeof ret->file);
    return 0;
}

int server_position(struct mysql_conn *c, struct position *ret, struct err *err)
{
    struct position pos = { .gtids = NULL };
    int rc = show_position(c, &pos, err);

    if (rc == 0 && mysql_conn_flavor(c) == FLAVOR_MARIADB)
        rc = server_gtid_at(c, pos.file, pos.offset, &pos.gtids, err);
    if (rc == 0)
        *ret = pos;
    else
        position_fini(&pos);
    return rc;
}

/* --- binlog files --- */

int server_binlogs(struct mysql_conn *c, struct binlog_files *ret, struct err *err)
{
    struct binlog_files f = { 0 };
    struct mysql_result *r = NULL;
    struct mysql_row row;
    int rc = mysql_conn_queryf(c, &r, err, "SHOW BINARY LOGS");

    if (rc < 0)
        return explain(c, rc, err);
    while ((rc = mysql_result_next(r, &row, err)) > 0) {
        f.files = xrealloc(f.files, (f.n + 1) * sizeof *f.files);
        f.files[f.n].name = xstrdup(row.values[0]);
        f.files[f.n++].size = strtoull(row.values[1], NULL, 10);
    }
    mysql_result_free(r);
    if (rc == 0)
        *ret = f;
    else
        binlog_files_fini(&f);
    return rc;
}

void binlog_files_fini(struct binlog_files *f)
{
    for (unsigned i = 0; i < f->n; i++)
        free(f->files[i].name);
    free(f->files);
    *f = (struct binlog_files){ 0 };
}

/* Why a file is not among 'f': it was purged, or never was. */
static int no_file(const struct binlog_files *f, const char *file, struct err *err)
{
    struct position asked = { .offset = 4 }, newest = { .offset = 4 };
    const char *last = f->n ? f->files[f->n - 1].name : "";
    const char *dot = strrchr(file, '.'), *last_dot = strrchr(last, '.');

    snprintf(asked.file, sizeof asked.file, "%s", file);
    snprintf(newest.file, sizeof newest.file, "%s", last);
    if (!f->n)
        return err_set(err, -ENODATA, "the server keeps no binlog: start it with log_bin");
    if (!dot || !last_dot || dot - file != last_dot - last ||
        strncmp(file, last, (size_t)(dot - file)) != 0)
        return err_set(err, -ENODATA, "the source has no %s: its binlogs are %s to %s", file,
                       f->files[0].name, last);
    if (position_compare(&asked, &newest) > 0)
        return err_set(err, -ERANGE, "the source has no %s yet: its newest binlog is %s", file,
                       last);
    return err_set(err, -ENODATA, "the source no longer has %s; its oldest binlog is %s", file,
                   f->files[0].name);
}

static int has_file(struct mysql_conn *c, const struct position *pos, struct err *err)
{
    struct binlog_files f;
    int rc = server_binlogs(c, &f, err);
    unsigned i = 0;

    if (rc < 0)
        return rc;
    while (i < f.n && strcmp(f.files[i].name, pos->file) != 0)
        i++;
    if (i == f.n)
        rc = no_file(&f, pos->file, err);
    else if (pos->offset > f.files[i].size)
        rc = err_set(err, -ERANGE, "%s ends at %llu, before %llu: the source has lost its end",
                     pos->file, (unsigned long long)f.files[i].size,
                     (unsigned long long)pos->offset);
    binlog_files_fini(&f);
    return rc;
}

/* What a dump must not need: the set of transactions before the oldest binlog. */
static int read_purged(struct mysql_conn *c, struct gtid_set **ret, struct err *err)
{
    SCOPED(freep) char *text = NULL;
    struct binlog_files f;
    int rc;

    if (mysql_conn_flavor(c) == FLAVOR_MYSQL) {
        rc = mysql_scalar(c, &text, err, "SELECT @@GLOBAL.gtid_purged");
        return rc < 0 ? rc : gtid_set_parse(ret, FLAVOR_MYSQL, text, err);
    }
    rc = server_binlogs(c, &f, err);
    if (rc < 0)
        return rc;
    if (f.n == 0)
        rc = err_set(err, -ENODATA, "the server keeps no binlog: start it with log_bin");
    else
        rc = server_gtid_at(c, f.files[0].name, 4, ret, err);
    binlog_files_fini(&f);
    return rc;
}

/* Nobody can go on after what has not happened here. */
static int not_ahead(struct mysql_conn *c, const struct gtid_set *gtids, struct err *err)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct position now = { .gtids = NULL };
    int rc = server_position(c, &now, err);

    if (rc == 0 && !gtid_set_subset(gtids, now.gtids)) {
        gtid_set_print(now.gtids, &text);
        rc = err_set(err, -ERANGE, "the source has not made all of these transactions; it has %s",
                     text.size ? text.data : "none");
    }
    position_fini(&now);
    return rc;
}

static int has_gtids(struct mysql_conn *c, const struct gtid_set *gtids, struct err *err)
{
    struct gtid_set *purged = NULL;
    int rc = not_ahead(c, gtids, err);

    if (rc == 0)
        rc = read_purged(c, &purged, err);

    if (rc == 0 && !gtid_set_subset(purged, gtids)) {
        SCOPED(buf_fini) struct buf text = BUF_INIT;

        gtid_set_print(purged, &text);
        rc = err_set(err, -ENODATA, "the source has purged transactions that are needed: of %s",
                     text.data);
    }
    gtid_set_free(purged);
    return rc;
}

int server_has_position(struct mysql_conn *c, const struct position *pos, bool by_gtid,
                        struct err *err)
{
    if (pos->gtids && gtid_set_flavor(pos->gtids) != mysql_conn_flavor(c))
        return err_set(err, -EINVAL, "the GTIDs to start from are of the other flavour of server");
    if (!by_gtid || !pos->gtids)
        return has_file(c, pos, err);
    return has_gtids(c, pos->gtids, err);
}
