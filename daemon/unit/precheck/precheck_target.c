/* precheck_target.c - the target by itself, and against the source. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/job.h"
#include "unit/precheck/precheck_priv.h"

static void check_same_server(struct precheck *p)
{
    const struct server_info *from = &p->from.info, *to = &p->to.info;
    bool same_uuid = from->uuid && to->uuid && strcmp(from->uuid, to->uuid) == 0;
    bool same_maria = !from->uuid && !to->uuid && from->server_id == to->server_id &&
                      from->host_name && to->host_name &&
                      strcmp(from->host_name, to->host_name) == 0;

    if (p->from.account && (same_uuid || same_maria))
        precheck_add(p, PRECHECK_WARN, "target", NULL,
                     "it looks like the source itself (same %s): every table must get another name",
                     same_uuid ? "server_uuid" : "server_id and host");
}

static void check_writable(struct precheck *p)
{
    if (p->to.info.read_only && !grants_have(&p->to.grants, "READ_ONLY ADMIN", NULL) &&
        !grants_have(&p->to.grants, "SUPER", NULL))
        precheck_add(p, PRECHECK_FAIL, "read_only",
                     "type at the target: SET GLOBAL read_only=OFF (or give it as the target the "
                     "server that is written to)",
                     "the target is read-only");
}

static void check_packet(struct precheck *p)
{
    char fix[160];
    uint64_t wanted = p->from.info.max_packet;

    if (!p->from.account || p->to.info.max_packet >= wanted) {
        precheck_add(p, PRECHECK_OK, "max_allowed_packet", NULL, "%llu bytes at the target",
                     (unsigned long long)p->to.info.max_packet);
        return;
    }
    snprintf(fix, sizeof fix, "type at the target: SET GLOBAL max_allowed_packet=%llu",
             (unsigned long long)wanted);
    precheck_add(p, PRECHECK_WARN, "max_allowed_packet", fix,
                 "%llu bytes at the target, %llu at the source: a row of that size would not pass",
                 (unsigned long long)p->to.info.max_packet, (unsigned long long)wanted);
}

static void check_load(struct precheck *p)
{
    const struct server_info *i = &p->to.info;

    if (i->galera || i->group_replication)
        precheck_add(p, PRECHECK_WARN, "cluster", NULL,
                     "the target is a member of %s: rows are loaded by INSERT, in transactions of "
                     "less than %llu bytes",
                     i->galera ? "Galera" : "Group Replication",
                     (unsigned long long)i->max_transaction);
    else if (!i->local_infile)
        precheck_add(p, PRECHECK_WARN, "local_infile",
                     "type at the target: SET GLOBAL local_infile=ON",
                     "it is off: rows are loaded by INSERT, which is slower");
    else
        precheck_add(p, PRECHECK_OK, "local_infile", NULL, "on");
}

/* Sync wants few connections, load as many as it was told. */
static void check_connections(struct precheck *p, const struct end *e, unsigned wanted)
{
    uint64_t max = e->info.max_connections, used = e->info.n_connections;
    char fix[120];

    if (used + wanted <= max)
        return;
    snprintf(fix, sizeof fix, "type at the %s: SET GLOBAL max_connections=%llu", e->name,
             (unsigned long long)used + wanted + 20);
    precheck_add(p, wanted > max ? PRECHECK_FAIL : PRECHECK_WARN, "connections", fix,
                 "%s: %u more are wanted, %llu of %llu are taken", e->name, wanted,
                 (unsigned long long)used, (unsigned long long)max);
}

/* What is written is no error, but not all of it is used. */
static void check_threads(struct precheck *p)
{
    static const struct {
        const char *conf, *name;
    } fields[] = { { "full_migrate_conf", "export_threads" },
                   { "full_migrate_conf", "import_threads" },
                   { "incr_migrate_conf", "repl_threads" } };
    const json_t *config = json_object_get(p->job->doc, "source_config");

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        json_int_t n = json_integer_value(
            json_object_get(json_object_get(config, fields[i].conf), fields[i].name));

        if (n > JOB_THREADS_MAX)
            precheck_add(p, PRECHECK_WARN, "connections", NULL,
                         "%s is %lld: %u are used, the most there can be", fields[i].name,
                         (long long)n, JOB_THREADS_MAX);
    }
}

/* How far the zone SYSTEM is from UTC now, in seconds. */
static bool system_offset(struct precheck *p, struct end *e, long *ret)
{
    SCOPED(freep) char *text = NULL;
    struct err err = ERR_INIT;

    (void)p;
    if (mysql_scalar(e->conn, &text, &err,
                     "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), "
                     "CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM'))") < 0)
        return false;
    *ret = strtol(text, NULL, 10);
    return true;
}

static void check_system_zone(struct precheck *p)
{
    long from, to, minutes;
    char fix[120];

    if (p->job->time_zone || !system_offset(p, &p->from, &from) || !system_offset(p, &p->to, &to) ||
        from == to)
        return;
    minutes = (from < 0 ? -from : from) / 60;
    snprintf(fix, sizeof fix,
             "type here: echo %c%02ld:%02ld > timezone (or its name, if it has "
             "summer time)",
             from < 0 ? '-' : '+', minutes / 60, minutes % 60);
    precheck_add(
        p, PRECHECK_WARN, "time_zone", fix,
        "the source's machine is %ld minutes from UTC, the target's %ld: DDL with times in "
        "it would mean others",
        from / 60, to / 60);
}

/* DDL of a session in a zone with a name runs in that zone at the target too. */
static void check_zone_known(struct precheck *p, const char *zone, const char *whose)
{
    SCOPED(buf_fini) struct buf name = BUF_INIT;
    SCOPED(freep) char *there = NULL;
    struct err err = ERR_INIT;

    if (!zone || strcasecmp(zone, "SYSTEM") == 0 || strchr(zone, ':'))
        return;
    sql_quote(&name, slice_str(zone));
    if (mysql_scalar(p->to.conn, &there, &err,
                     "SELECT COALESCE(CONVERT_TZ('2020-01-01 00:00:00', '+00:00', %s), '')",
                     name.data) == 0 &&
        !*there)
        precheck_add(p, PRECHECK_FAIL, "time_zone",
                     "type on the target's machine: mysql_tzinfo_to_sql /usr/share/zoneinfo | "
                     "mysql -u root mysql",
                     "%s %s is not known at the target", whose, zone);
}

static void check_time_zone(struct precheck *p)
{
    if (!p->scope.sync)
        return;
    check_zone_known(p, p->from.info.time_zone, "the source's time zone");
    check_zone_known(p, p->job->time_zone, "timezone");
    check_system_zone(p);
}

static void check_meta_schema(struct precheck *p)
{
    static const char *const rights[] = { "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", NULL };
    const char *schema = p->job->meta_schema;

    if (precheck_rights(p, &p->to, PRECHECK_FAIL, rights, schema, "keep checkpoints"))
        precheck_add(p, PRECHECK_OK, "meta_schema", NULL, "checkpoints can be kept in %s", schema);
}

void precheck_target_lines(struct precheck *p)
{
    check_same_server(p);
    check_writable(p);
    check_packet(p);
    check_meta_schema(p);
    check_threads(p);
    check_connections(p, &p->to, (p->scope.load ? p->job->load_threads : 0) + 4);
    if (p->from.account) {
        check_connections(p, &p->from, (p->scope.dump ? p->job->dump_threads : 0) + 3);
        check_time_zone(p);
    }
    if (p->scope.load)
        check_load(p);
}
