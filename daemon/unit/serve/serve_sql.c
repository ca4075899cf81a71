/* serve_sql.c - system variables, functions and KILL of a server.  See mysql/sql.h. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal.h"
#include "mysql/packet.h"
#include "unit/serve/serve.h"
#include "unit/serve/serve_quorum.h"
#include "unit/serve/server_priv.h"

enum { MAX_WAIT_S = 3600, WAIT_TICK_MS = 50 };

/* --- system variables --- */

static void print_set(const struct gtid_set *set, struct buf *ret)
{
    if (set)
        gtid_set_print(set, ret);
}

static void get_executed(const struct session *s, struct buf *ret)
{
    struct position p = { .gtids = NULL };

    journal_position(s->serve->journal, &p);
    print_set(p.gtids, ret);
    position_fini(&p);
}

static void get_purged(const struct session *s, struct buf *ret)
{
    SCOPED(gtid_set_freep) struct gtid_set *set = journal_purged(s->serve->journal);

    print_set(set, ret);
}

static void get_server_id(const struct session *s, struct buf *ret)
{
    buf_u64_text(ret, s->serve->server_id);
}

static void get_server_uuid(const struct session *s, struct buf *ret)
{
    buf_str(ret, s->serve->server_uuid);
}

static void get_version(const struct session *s, struct buf *ret)
{
    buf_str(ret, s->version);
}

static void get_port(const struct session *s, struct buf *ret)
{
    buf_u64_text(ret, s->serve->port);
}

static void get_hostname(const struct session *s, struct buf *ret)
{
    char name[256] = "";

    (void)s;
    gethostname(name, sizeof name - 1);
    buf_str(ret, name);
}

static bool newest_file(struct session *s, struct journal_file *f)
{
    struct journal_state state;
    struct err ignored = ERR_INIT;

    journal_state(s->serve->journal, &state);
    return state.durable_seq &&
           journal_file_of(s->serve->journal, state.durable_seq, f, &ignored) == 0;
}

static void get_checksum(const struct session *s, struct buf *ret)
{
    struct journal_file f = { .no = 0 };
    bool crc = newest_file((struct session *)s, &f) && f.format.size > EVENT_CHECKSUM_SIZE &&
               f.format.data[f.format.size - EVENT_CHECKSUM_SIZE - 1] == 1;

    buf_str(ret, crc ? "CRC32" : "NONE");
    journal_file_fini(&f);
}

/* "bin" of "bin.000017" */
static void get_basename(const struct session *s, struct buf *ret)
{
    struct journal_file f = { .no = 0 };
    const char *dot;

    if (newest_file((struct session *)s, &f) && (dot = strrchr(f.name, '.')))
        buf_add(ret, f.name, (size_t)(dot - f.name));
    journal_file_fini(&f);
}

static void get_semi_sync_number(const struct session *s, struct buf *ret)
{
    buf_byte(ret, s->serve->semi_sync ? '1' : '0');
}

static void get_semi_sync(const struct session *s, struct buf *ret)
{
    buf_str(ret, s->serve->semi_sync ? "ON" : "OFF");
}

static void get_semi_sync_count(const struct session *s, struct buf *ret)
{
    buf_u64_text(ret, s->serve->semi_sync_count);
}

static void get_semi_sync_timeout(const struct session *s, struct buf *ret)
{
    buf_i64_text(ret, s->serve->semi_sync_timeout_ms);
}

enum { BOTH, MYSQL, MARIADB };

static const struct variable {
    const char *name;
    int of; /* which flavour has it */
    const char *text;
    void (*get)(const struct session *s, struct buf *ret);
} variables[] = {
    { "auto_increment_increment", BOTH, "1", NULL },
    { "auto_increment_offset", BOTH, "1", NULL },
    { "autocommit", BOTH, "1", NULL },
    { "binlog_checksum", BOTH, NULL, get_checksum },
    { "binlog_format", BOTH, "ROW", NULL },
    { "binlog_row_image", BOTH, "FULL", NULL },
    { "character_set_client", BOTH, "utf8mb4", NULL },
    { "character_set_connection", BOTH, "utf8mb4", NULL },
    { "character_set_database", BOTH, "utf8mb4", NULL },
    { "character_set_results", BOTH, "utf8mb4", NULL },
    { "character_set_server", BOTH, "utf8mb4", NULL },
    { "character_set_system", BOTH, "utf8mb3", NULL },
    { "collation_connection", BOTH, "utf8mb4_general_ci", NULL },
    { "collation_database", BOTH, "utf8mb4_general_ci", NULL },
    { "collation_server", BOTH, "utf8mb4_general_ci", NULL },
    { "enforce_gtid_consistency", MYSQL, "ON", NULL },
    { "gtid_binlog_pos", MARIADB, NULL, get_executed },
    { "gtid_binlog_state", MARIADB, NULL, get_executed },
    { "gtid_current_pos", MARIADB, NULL, get_executed },
    { "gtid_domain_id", MARIADB, "0", NULL },
    { "gtid_executed", MYSQL, NULL, get_executed },
    { "gtid_mode", MYSQL, "ON", NULL },
    { "gtid_purged", MYSQL, NULL, get_purged },
    { "gtid_slave_pos", MARIADB, NULL, get_executed },
    { "gtid_strict_mode", MARIADB, "0", NULL },
    { "hostname", BOTH, NULL, get_hostname },
    { "init_connect", BOTH, "", NULL },
    { "interactive_timeout", BOTH, "28800", NULL },
    { "license", BOTH, "GPL", NULL },
    { "log_bin", BOTH, "1", NULL },
    { "log_bin_basename", BOTH, NULL, get_basename },
    { "log_replica_updates", MYSQL, "1", NULL },
    { "log_slave_updates", BOTH, "1", NULL },
    { "lower_case_table_names", BOTH, "0", NULL },
    { "max_allowed_packet", BOTH, "1073741824", NULL },
    { "net_buffer_length", BOTH, "16384", NULL },
    { "net_read_timeout", BOTH, "30", NULL },
    { "net_write_timeout", BOTH, "60", NULL },
    { "performance_schema", BOTH, "0", NULL },
    { "port", BOTH, NULL, get_port },
    { "protocol_version", BOTH, "10", NULL },
    { "query_cache_size", BOTH, "0", NULL },
    { "query_cache_type", BOTH, "OFF", NULL },
    { "read_only", BOTH, "1", NULL },
    { "rpl_semi_sync_master_enabled", BOTH, NULL, get_semi_sync },
    { "rpl_semi_sync_master_timeout", BOTH, NULL, get_semi_sync_timeout },
    { "rpl_semi_sync_master_wait_for_slave_count", MYSQL, NULL, get_semi_sync_count },
    { "rpl_semi_sync_source_enabled", MYSQL, NULL, get_semi_sync_number },
    { "rpl_semi_sync_source_timeout", MYSQL, NULL, get_semi_sync_timeout },
    { "rpl_semi_sync_source_wait_for_replica_count", MYSQL, NULL, get_semi_sync_count },
    { "server_id", BOTH, NULL, get_server_id },
    { "server_uuid", MYSQL, NULL, get_server_uuid },
    { "sql_mode", BOTH, "", NULL },
    { "super_read_only", MYSQL, "1", NULL },
    { "system_time_zone", BOTH, "UTC", NULL },
    { "time_zone", BOTH, "SYSTEM", NULL },
    { "transaction_isolation", BOTH, "REPEATABLE-READ", NULL },
    { "tx_isolation", BOTH, "REPEATABLE-READ", NULL },
    { "version", BOTH, NULL, get_version },
    { "version_comment", BOTH, "binlog server of sluice", NULL },
    { "wait_timeout", BOTH, "28800", NULL },
};

static bool has_variable(const struct session *s, const struct variable *v)
{
    return v->of == BOTH || (v->of == MYSQL) == (s->flavor == FLAVOR_MYSQL);
}

static void put_variable(const struct session *s, const struct variable *v, struct buf *ret)
{
    if (v->get)
        v->get(s, ret);
    else
        buf_str(ret, v->text);
}

/* A MySQL replica, known by its new words, asks for gtid_mode first of all and would stop for the
 * lack of it, before it asks for the binlog and is told that this is MariaDB's. */
static bool is_lost_replica(const struct session *s)
{
    return s->flavor == FLAVOR_MARIADB && sql_session_get(&s->sql, "source_binlog_checksum");
}

static bool variable(void *arg, const char *name, struct buf *ret)
{
    const struct session *s = arg;

    if (strcasecmp(name, "gtid_mode") == 0 && is_lost_replica(s)) {
        buf_str(ret, "ON");
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        if (strcasecmp(variables[i].name, name) == 0 && has_variable(s, &variables[i])) {
            put_variable(s, &variables[i], ret);
            return true;
        }
    return false;
}

static void each_variable(void *arg, void (*visit)(void *to, const char *name, const char *value),
                          void *to)
{
    const struct session *s = arg;

    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        SCOPED(buf_fini) struct buf value = BUF_INIT;

        if (!has_variable(s, &variables[i]))
            continue;
        buf_str(&value, "");
        put_variable(s, &variables[i], &value);
        visit(to, variables[i].name, value.data);
    }
}

/* --- functions --- */

/* BINLOG_GTID_POS('file', offset): 1; 0: NULL. */
static int gtid_pos(struct session *s, char *const *args, size_t n, struct buf *ret)
{
    SCOPED(gtid_set_freep) struct gtid_set *before = NULL;
    struct err ignored = ERR_INIT;
    uint64_t seq;
    int rc;

    if (n != 2 || !args[0] || !args[1])
        return 0;
    rc =
        journal_find_place(s->serve->journal, args[0], strtoull(args[1], NULL, 10), &seq, &ignored);
    if (rc < 0 && rc != -EINVAL)
        return 0;
    /* Inside of a transaction, its GTID counts: the server reads it on the way. */
    before = journal_gtids_before(s->serve->journal, seq + (rc == -EINVAL), &ignored);
    if (!before)
        return 0;
    gtid_set_print(before, ret);
    return 1;
}

static bool all_here(struct session *s, const struct gtid_set *wanted)
{
    struct position p = { .gtids = NULL };
    bool here;

    journal_position(s->serve->journal, &p);
    here = p.gtids ? gtid_set_subset(wanted, p.gtids) : gtid_set_empty(wanted);
    position_fini(&p);
    return here;
}

/* Waits until the journal has all of args[0], at most args[1] seconds.  Appends 'late' if not. */
static int wait_for_set(struct session *s, char *const *args, size_t n, const char *late,
                        struct buf *ret, struct err *err)
{
    SCOPED(gtid_set_freep) struct gtid_set *wanted = NULL;
    double left_s = n > 1 && args[1] ? strtod(args[1], NULL) : MAX_WAIT_S;

    if (n == 0 || !args[0])
        return 0;
    if (gtid_set_parse(&wanted, s->flavor, args[0], err) < 0)
        return err->code;
    if (!(left_s >= 0 && left_s < MAX_WAIT_S))
        left_s = MAX_WAIT_S;
    while (!all_here(s, wanted)) {
        if (left_s <= 0 || session_ended(s) != SESSION_GOES_ON ||
            !unit_sleep(&s->serve->server->unit, WAIT_TICK_MS)) {
            buf_str(ret, late);
            return 1;
        }
        left_s -= WAIT_TICK_MS / 1000.0;
    }
    buf_byte(ret, '0');
    return 1;
}

static int function(void *arg, const char *name, char *const *args, size_t n, struct buf *ret,
                    struct err *err)
{
    struct session *s = arg;

    if (strcasecmp(name, "BINLOG_GTID_POS") == 0)
        return gtid_pos(s, args, n, ret);
    if (strcasecmp(name, "MASTER_GTID_WAIT") == 0)
        return wait_for_set(s, args, n, "-1", ret, err);
    if (strcasecmp(name, "WAIT_FOR_EXECUTED_GTID_SET") == 0)
        return wait_for_set(s, args, n, "1", ret, err);
    return -ENOENT;
}

/* --- SET, KILL --- */

static unsigned check(void *arg, const char *name, const char *value, struct err *err)
{
    struct gtid_set *set = NULL;

    (void)arg;
    if (!value ||
        (strcasecmp(name, "slave_connect_state") != 0 && strcasecmp(name, "slave_until_gtid") != 0))
        return 0;
    if (gtid_set_parse(&set, FLAVOR_MARIADB, value, err) < 0)
        return PACKET_BAD_GTID;
    gtid_set_free(set);
    return 0;
}

static bool kill_connection(void *arg, uint64_t connection)
{
    struct session *s = arg;

    return connection <= UINT32_MAX && serve_end(s->serve, (uint32_t)connection, SESSION_KICKED);
}

/* --- status --- */

static void each_status(void *arg, void (*visit)(void *to, const char *name, const char *value),
                        void *to)
{
    const struct session *s = arg;
    const char *side = s->flavor == FLAVOR_MYSQL ? "source" : "master";
    struct quorum_view v;
    char name[64], value[24];

    quorum_look(s->serve->quorum, &v);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "clients", v.clients },
        { "no_times", v.waited.lapses },
        { "yes_tx", v.waited.passed },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(name, sizeof name, "Rpl_semi_sync_%s_%s", side, rows[i].name);
        snprintf(value, sizeof value, "%llu", (unsigned long long)rows[i].value);
        visit(to, name, value);
    }
    snprintf(name, sizeof name, "Rpl_semi_sync_%s_status", side);
    visit(to, name, s->serve->semi_sync && v.clients && !v.waited.lapsed ? "ON" : "OFF");
}

const struct sql_host serve_sql_host = {
    .variable = variable,
    .each_variable = each_variable,
    .each_status = each_status,
    .function = function,
    .show = serve_show,
    .check = check,
    .kill = kill_connection,
};
