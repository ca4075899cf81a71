/* serve_session.c - one connection: login, then commands until it ends. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal.h"
#include "mysql/dump_command.h"
#include "mysql/packet.h"
#include "unit/serve/serve.h"
#include "unit/serve/server_priv.h"

enum {
    MAX_COMMAND = 4 << 20,        /* bytes; a set of GTIDs is the longest */
    IDLE_MS = 8 * 60 * 60 * 1000, /* as wait_timeout */
};

/* Numbers of commands. Source: MySQL Source Code Documentation, "Command Phase". */
enum command {
    QUIT = 1,
    INIT_DB = 2,
    QUERY = 3,
    FIELD_LIST = 4,
    STATISTICS = 9,
    PROCESS_KILL = 12,
    PING = 14,
    CHANGE_USER = 17,
    BINLOG_DUMP = 18,
    REGISTER_REPLICA = 21,
    STMT_PREPARE = 22,
    STMT_FETCH = 28,
    SET_OPTION = 27,
    BINLOG_DUMP_GTID = 30,
    RESET_CONNECTION = 31,
};

enum session_end session_ended(struct session *s)
{
    enum session_end end;

    mutex_lock(&s->serve->lock);
    end = s->end;
    mutex_unlock(&s->serve->lock);
    return end;
}

/* --- who it is --- */

static int log_in(struct session *s, struct err *err)
{
    struct serve *v = s->serve;
    int rc = serve_flavor(v, &s->flavor, s->version, sizeof s->version, err);

    if (rc < 0) {
        packet_err(&s->wire, PACKET_BINLOG, err->text);
        return rc;
    }
    s->auth = (struct auth){
        .user = v->user,
        .password = v->password,
        .first_plugin =
            s->flavor == FLAVOR_MYSQL ? "caching_sha2_password" : "mysql_native_password",
        .version = s->version,
        .connection = s->connection,
        .tls = v->tls,
        .timeout_ms = SERVE_LOGIN_TIMEOUT_MS,
    };
    return auth_login(&s->wire, &s->auth, err);
}

/* --- commands: each queues its answer; 0, or the connection ends --- */

static int do_quit(struct session *s, struct slice body, struct err *err)
{
    (void)s, (void)body;
    return err_set(err, -ECONNRESET, "the client has quit");
}

static int do_ok(struct session *s, struct slice body, struct err *err)
{
    (void)body, (void)err;
    packet_ok(&s->wire);
    return 0;
}

static int do_eof(struct session *s, struct slice body, struct err *err)
{
    (void)body, (void)err;
    packet_eof(&s->wire);
    return 0;
}

static int do_query(struct session *s, struct slice body, struct err *err)
{
    (void)err;
    sql_answer(&s->sql, body);
    return 0;
}

static int do_statistics(struct session *s, struct slice body, struct err *err)
{
    (void)body, (void)err;
    buf_str(wire_begin(&s->wire), "a binlog server of sluice");
    wire_end(&s->wire);
    return 0;
}

static int do_kill(struct session *s, struct slice body, struct err *err)
{
    uint32_t id = 0;

    (void)err;
    for (size_t i = body.size < 4 ? body.size : 4; i-- > 0;)
        id = id << 8 | body.data[i];
    if (serve_end(s->serve, id, SESSION_KICKED))
        packet_ok(&s->wire);
    else
        packet_err(&s->wire, PACKET_NO_SUCH_THREAD, "Unknown thread id");
    return 0;
}

static int do_reset(struct session *s, struct slice body, struct err *err)
{
    (void)body, (void)err;
    sql_session_clear(&s->sql);
    packet_ok(&s->wire);
    return 0;
}

/* Who fails is sent away, as everywhere. */
static int do_change_user(struct session *s, struct slice body, struct err *err)
{
    int rc = auth_change_user(&s->wire, &s->auth, body, err);

    if (rc < 0)
        return rc;
    sql_session_clear(&s->sql);
    s->registered = false;
    s->server_id = 0;
    s->host[0] = '\0';
    return 0;
}

static int do_register(struct session *s, struct slice body, struct err *err)
{
    struct dump_register r;

    if (dump_register_parse(body, &r, err) < 0) {
        packet_err(&s->wire, PACKET_MALFORMED, err->text);
        return err->code;
    }
    s->registered = true;
    s->server_id = r.server_id;
    s->port = r.port;
    snprintf(s->host, sizeof s->host, "%.*s", SLICE_ARG(r.host));
    packet_ok(&s->wire);
    return 0;
}

static int dump(struct session *s, struct slice body, bool by_gtid, struct err *err)
{
    struct dump_command c;
    int rc = by_gtid ? dump_gtid_parse(body, &c, err) : dump_parse(body, &c, err);

    if (rc < 0) {
        packet_err(&s->wire, PACKET_MALFORMED, err->text);
        return rc;
    }
    return serve_dump(s, &c, err);
}

static int do_dump(struct session *s, struct slice body, struct err *err)
{
    return dump(s, body, false, err);
}

static int do_dump_gtid(struct session *s, struct slice body, struct err *err)
{
    return dump(s, body, true, err);
}

static const struct {
    enum command command;
    int (*run)(struct session *s, struct slice body, struct err *err);
} commands[] = {
    { QUIT, do_quit },
    { INIT_DB, do_ok },
    { QUERY, do_query },
    { FIELD_LIST, do_eof },
    { STATISTICS, do_statistics },
    { PROCESS_KILL, do_kill },
    { PING, do_ok },
    { CHANGE_USER, do_change_user },
    { BINLOG_DUMP, do_dump },
    { REGISTER_REPLICA, do_register },
    { SET_OPTION, do_eof },
    { BINLOG_DUMP_GTID, do_dump_gtid },
    { RESET_CONNECTION, do_reset },
};

static int unknown(struct session *s, uint8_t command)
{
    if (command >= STMT_PREPARE && command <= STMT_FETCH)
        packet_err(&s->wire, PACKET_NO_PREPARED,
                   "This command is not supported in the prepared statement protocol yet");
    else
        packet_err(&s->wire, PACKET_UNKNOWN_COMMAND, "Unknown command");
    return 0;
}

static int command(struct session *s, struct slice packet, struct err *err)
{
    if (packet.size == 0) {
        packet_err(&s->wire, PACKET_MALFORMED, "Malformed communication packet");
        return err_set(err, -EBADMSG, "an empty packet");
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].command == packet.data[0])
            return commands[i].run(s, slice_of(packet.data + 1, packet.size - 1), err);
    return unknown(s, packet.data[0]);
}

/* --- the connection --- */

static void logged_in(struct session *s)
{
    mutex_lock(&s->serve->lock);
    s->serve->n_logins--;
    mutex_unlock(&s->serve->lock);
}

static int next_command(struct session *s, struct err *err)
{
    struct slice packet;
    int rc = wire_flush(&s->wire, SERVE_WRITE_TIMEOUT_MS, err);

    if (rc < 0)
        return rc;
    wire_restart(&s->wire);
    rc = wire_read(&s->wire, MAX_COMMAND, IDLE_MS, &packet, err);
    if (rc == -EMSGSIZE)
        packet_err(&s->wire, PACKET_TOO_LARGE,
                   "Got a packet bigger than 'max_allowed_packet' bytes");
    return rc < 0 ? rc : command(s, packet, err);
}

static void finish(struct session *s)
{
    struct err ignored = ERR_INIT;

    wire_flush(&s->wire, 1000, &ignored);
    sql_session_fini(&s->sql);
    /* Others may shut the socket down until 'over' is set, so it closes under the lock. */
    mutex_lock(&s->serve->lock);
    wire_fini(&s->wire);
    s->over = true;
    cond_broadcast(&s->serve->cond);
    mutex_unlock(&s->serve->lock);
}

/* Whoever went away by himself is no news. */
static void say_end(const struct session *s, const struct err *err)
{
    const char *path = s->serve->server->unit.path;

    if (err->code == -EPIPE || err->code == -ECONNRESET || err->code == -ECANCELED)
        log_debug(path, "connection %u from %s: %s", (unsigned)s->connection, s->peer, err->text);
    else
        log_warn(path, "connection %u from %s: %s", (unsigned)s->connection, s->peer, err->text);
}

void *session_run(void *session)
{
    struct session *s = session;
    struct sql_host host = serve_sql_host;
    struct err err = ERR_INIT;
    int rc;

    host.arg = s;
    sql_session_init(&s->sql, &host, &s->wire);
    s->sql.connection = s->connection;
    s->sql.user = s->auth.name;
    rc = log_in(s, &err);
    logged_in(s);
    while (rc == 0)
        rc = next_command(s, &err);
    say_end(s, &err);
    finish(s);
    return NULL;
}
