#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>

#include "mysql/packet.h"
#include "mysql/sql.h"
#include "mysql/sql_lex.h"
#include "mysql/wire.h"

/* --- a host that knows three variables --- */

static const char *const known[][2] = { { "server_id", "7" },
                                        { "binlog_checksum", "CRC32" },
                                        { "binlog_format", "ROW" } };

static bool variable(void *arg, const char *name, struct buf *ret)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        if (strcasecmp(known[i][0], name) == 0) {
            buf_str(ret, known[i][1]);
            return true;
        }
    if (strcasecmp(name, "version") == 0)
        buf_str(ret, "9.7.4");
    return strcasecmp(name, "version") == 0;
}

static void each_variable(void *arg, void (*visit)(void *to, const char *name, const char *value),
                          void *to)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        visit(to, known[i][0], known[i][1]);
}

static int function(void *arg, const char *name, char *const *args, size_t n, struct buf *ret,
                    struct err *err)
{
    (void)arg, (void)err;
    if (strcasecmp(name, "binlog_gtid_pos") != 0)
        return -ENOENT;
    buf_printf(ret, "%zu:%s:%s", n, args[0], args[1]);
    return 1;
}

static int show(void *arg, enum sql_show what, const struct sql_show_args *args, struct wire *w,
                struct err *err)
{
    static const struct packet_column column = { .name = "what" };
    struct buf text = BUF_INIT;

    (void)arg, (void)err;
    buf_printf(&text, "%d %s %llu %llu %lld", what, args->file ? args->file : "-",
               (unsigned long long)args->from, (unsigned long long)args->skip,
               (long long)args->limit);
    packet_columns(w, &column, 1);
    packet_row(w);
    packet_text(w, text.data);
    packet_row_end(w);
    packet_eof(w);
    buf_fini(&text);
    return 0;
}

static unsigned check(void *arg, const char *name, const char *value, struct err *err)
{
    (void)arg;
    if (strcmp(name, "slave_connect_state") != 0 || !value || strcmp(value, "bad") != 0)
        return 0;
    err_set(err, -EINVAL, "no GTID");
    return PACKET_BAD_GTID;
}

static bool kill_one(void *arg, uint64_t id)
{
    (void)arg;
    return id == 5;
}

static const struct sql_host host = { .variable = variable,
                                      .each_variable = each_variable,
                                      .function = function,
                                      .show = show,
                                      .check = check,
                                      .kill = kill_one };

/* --- asking --- */

static struct wire wire;
static struct sql_session session;

static void setup(void)
{
    int fds[2];

    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    wire_init(&wire, fds[0]);
    sql_session_init(&session, &host, &wire);
    session.connection = 9;
    session.user = "rep";
}

static void teardown(void)
{
    sql_session_fini(&session);
    wire_fini(&wire);
}

TestSuite(sql, .init = setup, .fini = teardown);

/* "OK", "error 1064", or the values of the rows: "a|b;c|d". */
static const char *ask(const char *statement)
{
    static char text[4096];
    const uint8_t *p, *end;
    size_t at = 0;
    int eofs = 0;

    buf_clear(&wire.out);
    sql_answer(&session, slice_str(statement));
    p = (const uint8_t *)wire.out.data;
    end = p + wire.out.size;
    text[0] = '\0';
    for (bool first = true; p < end; first = false) {
        size_t size = (size_t)(p[0] | p[1] << 8 | p[2] << 16);
        const uint8_t *b = p + 4, *stop = b + size;

        p = stop;
        if (first && *b == 0)
            return "OK";
        if (*b == 0xff) {
            snprintf(text, sizeof text, "error %d", b[1] | b[2] << 8);
            return text;
        }
        if (*b == 0xfe && size < 9) {
            eofs++;
            continue;
        }
        for (bool value = true; eofs == 1 && b < stop; value = true) {
            size_t n = *b++;

            if (n == 0xfb) {
                n = 0;
                value = false;
            }
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s",
                                   at && text[at - 1] != ';' ? "|" : "", value ? (int)n : 4,
                                   value ? (const char *)b : "NULL");
            b += n;
        }
        if (eofs == 1)
            at += (size_t)snprintf(text + at, sizeof text - at, ";");
    }
    return text;
}

Test(sql, answers_what_a_mysql_replica_asks)
{
    cr_assert_str_eq(ask("SELECT @@GLOBAL.SERVER_ID"), "7;");
    cr_assert_str_eq(ask("SET @master_heartbeat_period = 1000, @source_heartbeat_period = 2000"),
                     "OK");
    cr_assert_str_eq(ask("SET @master_binlog_checksum = @@global.binlog_checksum, "
                         "@source_binlog_checksum = @@global.binlog_checksum"),
                     "OK");
    cr_assert_str_eq(ask("SELECT @source_binlog_checksum"), "CRC32;");
    cr_assert_str_eq(sql_session_get(&session, "SOURCE_HEARTBEAT_PERIOD"), "2000");
    cr_assert_str_eq(ask("SELECT @@global.rpl_semi_sync_source_enabled"), "error 1193");
}

Test(sql, answers_what_a_mariadb_replica_asks)
{
    cr_assert_str_eq(ask("SHOW VARIABLES LIKE 'SERVER_ID'"), "server_id|7;");
    cr_assert_str_eq(ask("SET @slave_connect_state='0-101-11,7-101-1'"), "OK");
    cr_assert_str_eq(sql_session_get(&session, "slave_connect_state"), "0-101-11,7-101-1");
    cr_assert_str_eq(ask("SET @slave_connect_state='bad'"), "error 1941");
    cr_assert_str_eq(ask("SELECT binlog_gtid_pos('mbin.000002',1224)"), "2:mbin.000002:1224;");
    cr_assert_str_eq(ask("KILL 5"), "OK");
    cr_assert_str_eq(ask("KILL CONNECTION 6"), "error 1094");
}

Test(sql, takes_any_spelling)
{
    cr_assert_str_eq(ask("select /* c */ @@`server_id` as id , @@session.version v,1,'it''s\\n' "
                         "limit 1 ; -- end"),
                     "7|9.7.4|1|it's\n;");
    cr_assert_str_eq(ask("SELECT /*!40001 SQL */ 1"), "error 1054");
    cr_assert_str_eq(ask("SELECT @none, NULL, connection_id(), user()"), "NULL|NULL|9|rep@%;");
    cr_assert_str_eq(ask("SET NAMES utf8mb4"), "OK");
    cr_assert_str_eq(ask("SET SESSION sql_mode='', @x := 5, autocommit=1"), "OK");
    cr_assert_str_eq(ask("SELECT @x"), "5;");
    cr_assert_str_eq(ask("SET @x=NULL"), "OK");
    cr_assert_str_eq(ask("SELECT @x"), "NULL;");
}

Test(sql, shows_variables_by_pattern_and_by_name)
{
    cr_assert_str_eq(ask("SHOW GLOBAL VARIABLES LIKE 'binlog\\_%'"),
                     "binlog_checksum|CRC32;binlog_format|ROW;");
    cr_assert_str_eq(ask("SHOW VARIABLES WHERE Variable_name IN ('server_id','nope') OR "
                         "variable_name = 'binlog_format'"),
                     "server_id|7;binlog_format|ROW;");
    cr_assert_str_eq(ask("SHOW VARIABLES LIKE 'rpl_semi_sync_master_enabled'"), "");
}

Test(sql, shows_by_old_and_new_names)
{
    cr_assert_str_eq(ask("SHOW MASTER STATUS"), ask("SHOW BINARY LOG STATUS;"));
    cr_assert_str_eq(ask("SHOW BINLOG EVENTS IN 'b.1' FROM 4 LIMIT 2, 3"), "2 b.1 4 2 3;");
    cr_assert_str_eq(ask("SHOW BINLOG EVENTS"), "2 - 0 0 -1;");
    cr_assert_str_eq(ask("show replica status for channel 'c'"), "4 - 0 0 -1;");
}

Test(sql, what_it_does_not_know_is_an_error_and_no_more)
{
    cr_assert_str_eq(ask("SELECT * FROM t"), "error 1064");
    cr_assert_str_eq(ask("DROP TABLE t"), "error 1064");
    cr_assert_str_eq(ask("select $$"), "error 1054");
    cr_assert_str_eq(ask(""), "error 1064");
    cr_assert_str_eq(ask("SELECT sleep(1)"), "error 1305");
    cr_assert_str_eq(ask("SELECT 'open"), "open;");
    cr_assert_str_eq(ask("SET x"), "OK");
    cr_assert_str_eq(ask("SELECT f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(1"), "error 1064");
    cr_assert_str_eq(ask("SELECT 1"), "1;");
}

Test(sql_lex, likes_as_the_server_does)
{
    cr_assert(sql_like("server_id", "SERVER_ID"));
    cr_assert(sql_like("abcabd", "%ab_"));
    cr_assert(sql_like("a_b", "a\\_b"));
    cr_assert_not(sql_like("axb", "a\\_b"));
    cr_assert(sql_like("", "%"));
    cr_assert_not(sql_like("x", ""));
}
