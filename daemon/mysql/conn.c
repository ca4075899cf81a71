#include "mysql/conn.h"

#include <ctype.h>
#include <errmsg.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/conn_priv.h"
#include "mysql/conn_set.h"
#include "mysql/load.h"
#include "mysql/tls.h"

#define CONNECT_TIMEOUT_S 10
#define IO_TIMEOUT_S 60
#define MAX_PACKET (1ul << 30) /* the most that either server sends */

/* --- errors --- */

/* Numbers of either server or of the library that mean more than "refused". */
static const struct {
    unsigned number;
    int code;
} error_codes[] = {
    { CR_CONNECTION_ERROR, -ECONNRESET },
    { CR_CONN_HOST_ERROR, -ECONNRESET },
    { CR_UNKNOWN_HOST, -ECONNRESET },
    { CR_SERVER_GONE_ERROR, -ECONNRESET },
    { CR_SERVER_LOST, -ECONNRESET },
    { CR_SERVER_LOST_EXTENDED, -ECONNRESET },
    { CR_SERVER_HANDSHAKE_ERR, -ECONNRESET },
    { CR_ERR_NET_READ, -ECONNRESET },
    { CR_ERR_NET_WRITE, -ECONNRESET },
    { 1053, -ECONNRESET }, /* server shutdown in progress */
    { 1077, -ECONNRESET }, /* normal shutdown */
    { 1079, -ECONNRESET }, /* shutdown complete */
    { 1152, -ECONNRESET }, /* aborted connection */
    { 1158, -ECONNRESET }, /* network: reading */
    { 1159, -ECONNRESET }, /* network: read timeout */
    { 1160, -ECONNRESET }, /* network: writing */
    { 1161, -ECONNRESET }, /* network: write timeout */
    { 1184, -ECONNRESET }, /* new aborted connection */
    { 1927, -ECONNRESET }, /* MariaDB: connection was killed */
    { 3169, -ECONNRESET }, /* MySQL: session was killed */
    { 4031, -ECONNRESET }, /* MySQL: disconnected, too long inactive */
    { 1044, -EACCES },     /* no right to the database */
    { 1045, -EACCES },     /* user or password */
    { 1130, -EACCES },     /* host not allowed */
    { 1251, -EACCES },     /* authentication protocol */
    { 1524, -EACCES },     /* authentication plugin not loaded */
    { 1698, -EACCES },     /* access denied without password */
    { 1862, -EACCES },     /* password expired */
    { 3118, -EACCES },     /* account locked */
    { 3159, -EACCES },     /* MySQL: only secure transport */
    { 4151, -EACCES },     /* MariaDB: account locked */
    { CR_SSL_CONNECTION_ERROR, -EACCES },
    { CR_AUTH_PLUGIN_CANNOT_LOAD, -EACCES },
    { CR_AUTH_PLUGIN_ERR, -EACCES },
};

/* What passes by itself: the same work may succeed when it is done again. */
static const unsigned transient[] = {
    1020, /* MariaDB: record has changed since last read */
    1040, /* too many connections */
    1203, /* too many connections of this user */
    1205, /* lock wait timeout */
    1213, /* deadlock */
    1290, /* read-only: a failover is going on */
    1317, /* query interrupted: KILL QUERY */
    1836, /* read-only mode */
    3024, /* MySQL: maximum statement execution time */
    3101, /* group replication rolled the transaction back */
    4024, /* MariaDB: row was not locked in time */
};

int conn_error(struct err *err, unsigned number, const char *sqlstate, const char *text)
{
    int code = -EIO;

    for (size_t i = 0; i < ARRAY_LEN(error_codes); i++)
        if (error_codes[i].number == number)
            code = error_codes[i].code;
    err_set(err, code, "%s (error %u)", text, number);
    err->sql = number;
    snprintf(err->sqlstate, sizeof err->sqlstate, "%.5s", sqlstate);
    return code;
}

int conn_fail(struct mysql_conn *c, struct err *err)
{
    int cause = errno; /* the library leaves it as the socket call did */
    int code = conn_error(err, mysql_errno(c->my), mysql_sqlstate(c->my), mysql_error(c->my));

    if (c->logged_in && err->sql == CR_SSL_CONNECTION_ERROR)
        err->code = code = -ECONNRESET; /* then it is the network, not a certificate */
    if (code == -ECONNRESET && c->logged_in)
        shutdown(c->socket, SHUT_RDWR); /* the library closed its copy only */
    if (code == -ECONNRESET && (cause == ETIMEDOUT || cause == EAGAIN))
        err->code = code = -ETIMEDOUT;
    if (c->set && conn_set_is_shut(c->set))
        code = err_set(err, -ECANCELED, "stopping");
    return code;
}

bool mysql_err_transient(const struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(transient); i++)
        if (err->sql == transient[i])
            return true;
    return err->code == -ECONNRESET || err->code == -ETIMEDOUT || err->code == -ECONNREFUSED;
}

/* --- parameters --- */

static char *dup_or_null(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

void mysql_params_copy(struct mysql_params *to, const struct mysql_params *from)
{
    *to = *from;
    to->host = dup_or_null(from->host);
    to->user = dup_or_null(from->user);
    to->password = dup_or_null(from->password);
    to->session = dup_or_null(from->session);
    to->tls.ca = dup_or_null(from->tls.ca);
    to->tls.cert = dup_or_null(from->tls.cert);
    to->tls.key = dup_or_null(from->tls.key);
    to->tls.allowed_cn = dup_or_null(from->tls.allowed_cn);
}

static void wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
}

void mysql_params_fini(struct mysql_params *p)
{
    free(p->host);
    free(p->user);
    wipe(&p->password);
    free(p->session);
    free(p->tls.ca);
    free(p->tls.cert);
    wipe(&p->tls.key);
    free(p->tls.allowed_cn);
    *p = (struct mysql_params){ 0 };
}

/* --- open and close --- */

static void library_init(void)
{
    mysql_server_init(0, NULL, NULL);
}

static void set_options(MYSQL *my, const struct mysql_params *p)
{
    unsigned connect_s = p->connect_timeout_s ? p->connect_timeout_s : CONNECT_TIMEOUT_S;
    unsigned io_s = p->io_timeout_s ? p->io_timeout_s : IO_TIMEOUT_S;
    unsigned protocol = MYSQL_PROTOCOL_TCP; /* "localhost" must not mean a socket file */
    unsigned long max_packet = MAX_PACKET;

    mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_options(my, MYSQL_OPT_READ_TIMEOUT, &io_s);
    mysql_options(my, MYSQL_OPT_WRITE_TIMEOUT, &io_s);
    mysql_options(my, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(my, MYSQL_OPT_MAX_ALLOWED_PACKET, &max_packet);
    mysql_options(my, MYSQL_SET_CHARSET_NAME, "binary");
    mysql_optionsv(my, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "sluiced");
    load_announce(my);
}

/* Text in quotes is escaped with backslashes (sql_quote), so a server whose global sql_mode has
 * NO_BACKSLASH_ESCAPES must not be believed: what we quote would end early. */
static int probe(struct mysql_conn *c, struct err *err)
{
    struct mysql_result *r = NULL;
    struct mysql_row row;
    int rc =
        mysql_conn_execf(c, err,
                         "SET SESSION sql_mode = REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', '')"
                         " /*!80000 , information_schema_stats_expiry = 0 */");

    if (rc == 0)
        rc = mysql_conn_queryf(c, &r, err,
                               "SELECT VERSION(), @@max_allowed_packet, CONNECTION_ID()");
    if (rc < 0)
        return rc;
    rc = mysql_result_next(r, &row, err);
    if (rc == 0) {
        rc = err_set(err, -EIO, "the server does not tell its version");
    } else if (rc > 0) {
        c->version_text = xstrdup(row.values[0]);
        c->flavor = strstr(c->version_text, "MariaDB") ? FLAVOR_MARIADB : FLAVOR_MYSQL;
        c->version = mysql_version_of_text(c->version_text);
        c->max_packet = strtoull(row.values[1], NULL, 10);
        c->id = strtoull(row.values[2], NULL, 10);
        rc = 0;
    }
    mysql_result_free(r);
    return rc;
}

static void conn_freep(struct mysql_conn **c)
{
    mysql_conn_close(*c);
}

/* The connection that this thread is making, and its set to be: the library's hook has no
 * argument for it. */
static __thread struct {
    struct mysql_conn *conn;
    struct conn_set *set;
} making;

/* The library uses 'socket', a new one for each address of a host: who shuts the set reaches it
 * from here on.  -ECANCELED: the set was shut before. */
static int adopt(struct mysql_conn *c, struct conn_set *set, int socket, struct err *err)
{
    int rc = c->socket < 0 ? c->socket = dup(socket) : dup2(socket, c->socket);

    if (rc < 0)
        return err_set(err, -errno, "cannot duplicate the socket: error %d", errno);
    if (set && !c->set)
        conn_set_add(set, c);
    return set && conn_set_is_shut(set) ? err_set(err, -ECANCELED, "stopping") : 0;
}

/* The library waits in here while it connects and logs in.  1: go on; 0: too late; -1: failed. */
static int connect_wait(my_socket socket, my_bool is_read, int timeout_ms)
{
    struct pollfd p = { .fd = socket, .events = is_read ? POLLIN : POLLOUT };
    struct err ignored = ERR_INIT;
    int rc;

    if (adopt(making.conn, making.set, socket, &ignored) < 0)
        return -1;
    do {
        rc = poll(&p, 1, timeout_ms);
    } while (rc < 0 && errno == EINTR);
    if (rc == 0)
        errno = ETIMEDOUT;
    return rc;
}

static int log_in(struct mysql_conn *c, const struct mysql_params *p, struct err *err)
{
    SCOPED(tls_files_fini) struct tls_files files = TLS_FILES_INIT;
    int rc = tls_options(c->my, &p->tls, &files, err);
    MYSQL *done;

    if (rc < 0)
        return rc;
    if (p->set && conn_set_is_shut(p->set))
        return err_set(err, -ECANCELED, "stopping");
    making.conn = c;
    making.set = p->set;
    mysql_optionsv(c->my, MARIADB_OPT_IO_WAIT, connect_wait);
    errno = 0;
    done = mysql_real_connect(c->my, p->host, p->user, p->password ? p->password : "", NULL,
                              p->port, NULL, CLIENT_MULTI_STATEMENTS | CLIENT_FOUND_ROWS);
    mysql_optionsv(c->my, MARIADB_OPT_IO_WAIT, NULL);
    if (!done && p->set && conn_set_is_shut(p->set))
        return err_set(err, -ECANCELED, "stopping");
    if (!done)
        return conn_fail(c, err);
    rc = adopt(c, p->set, mysql_get_socket(c->my), err);
    c->logged_in = rc == 0;
    return rc < 0 ? rc : tls_check(c->my, &p->tls, err);
}

/* A peer that is gone without a word is noticed by the kernel within a minute, also while a
 * statement runs for hours and nothing is to be read. */
static void notice_dead_peers(int socket)
{
    static const struct {
        int level, option, value;
    } options[] = {
        { SOL_SOCKET, SO_KEEPALIVE, 1 },          { IPPROTO_TCP, TCP_KEEPIDLE, 20 },
        { IPPROTO_TCP, TCP_KEEPINTVL, 5 },        { IPPROTO_TCP, TCP_KEEPCNT, 4 },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, 45000 },
    };

    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        setsockopt(socket, options[i].level, options[i].option, &options[i].value, sizeof(int));
}

int mysql_conn_open(struct mysql_conn **ret, const struct mysql_params *p, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    SCOPED(conn_freep) struct mysql_conn *c = xcalloc(1, sizeof *c);
    int rc;

    pthread_once(&once, library_init);
    c->socket = -1;
    c->where = xasprintf("%s:%u", p->host ? p->host : "", p->port);
    if (!p->host || !*p->host)
        return err_set(err, -EINVAL, "no host given");
    c->my = mysql_init(NULL);
    if (!c->my)
        return err_set(err, -ENOMEM, "cannot start the client library");
    set_options(c->my, p);
    rc = log_in(c, p, err);
    if (rc == 0) {
        notice_dead_peers(c->socket);
        load_refuse(c->my);
        rc = probe(c, err);
    }
    if (rc == 0 && p->session && mysql_conn_exec(c, slice_str(p->session), NULL, err) < 0)
        rc = err_wrap(err, "variables of the session");
    if (rc < 0)
        return err_wrap(err, "%s as '%s'", c->where, p->user ? p->user : "");
    *ret = STEAL(c);
    return 0;
}

void mysql_conn_close(struct mysql_conn *c)
{
    if (!c)
        return;
    conn_set_remove(c);
    if (c->my)
        mysql_close(c->my);
    closep(&c->socket);
    free(c->version_text);
    free(c->where);
    free(c);
}

void mysql_conn_shutdown(struct mysql_conn *c)
{
    shutdown(c->socket, SHUT_RDWR);
}

unsigned mysql_version_of_text(const char *text)
{
    unsigned long part[3] = { 0, 0, 0 };

    for (unsigned i = 0; i < 3 && isdigit((unsigned char)*text); i++) {
        char *end;

        part[i] = strtoul(text, &end, 10);
        text = *end == '.' ? end + 1 : "";
    }
    return (unsigned)(part[0] * 10000 + part[1] * 100 + part[2]);
}

enum flavor mysql_conn_flavor(const struct mysql_conn *c)
{
    return c->flavor;
}

unsigned mysql_conn_version(const struct mysql_conn *c)
{
    return c->version;
}

const char *mysql_conn_version_text(const struct mysql_conn *c)
{
    return c->version_text;
}

uint64_t mysql_conn_id(const struct mysql_conn *c)
{
    return c->id;
}

uint64_t mysql_conn_max_packet(const struct mysql_conn *c)
{
    return c->max_packet;
}

/* --- statements --- */

int conn_command(struct mysql_conn *c, unsigned command, struct slice body, struct err *err)
{
    errno = 0;
    return c->my->methods->db_command(c->my, (enum enum_server_command)command,
                                      (const char *)body.data, body.size, 1, NULL)
               ? conn_fail(c, err)
               : 0;
}

int conn_reply(struct mysql_conn *c, struct err *err)
{
    errno = 0;
    return c->my->methods->db_read_query_result(c->my) ? conn_fail(c, err) : 0;
}

int mysql_conn_exec(struct mysql_conn *c, struct slice sql, uint64_t *affected, struct err *err)
{
    unsigned n_done;
    int rc = mysql_conn_send(c, sql, err);

    return rc < 0 ? rc : mysql_conn_recv(c, &n_done, affected, err);
}

int mysql_conn_execf(struct mysql_conn *c, struct err *err, const char *fmt, ...)
{
    SCOPED(freep) char *sql = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&sql, fmt, ap);
    va_end(ap);
    if (n < 0) {
        sql = NULL;
        return err_set(err, -ENOMEM, "out of memory");
    }
    return mysql_conn_exec(c, slice_of(sql, (size_t)n), NULL, err);
}

unsigned mysql_conn_warnings(const struct mysql_conn *c)
{
    return mysql_warning_count(c->my);
}

int mysql_conn_send(struct mysql_conn *c, struct slice sql, struct err *err)
{
    errno = 0;
    return mysql_send_query(c->my, (const char *)sql.data, sql.size) ? conn_fail(c, err) : 0;
}

/* Reads the result of the statement that just succeeded and throws it away. */
static int drop_result(struct mysql_conn *c, struct err *err)
{
    MYSQL_RES *res;
    int rc = 0;

    if (mysql_field_count(c->my) == 0)
        return 0;
    res = mysql_use_result(c->my);
    if (!res)
        return conn_fail(c, err);
    while (mysql_fetch_row(res))
        ;
    if (mysql_errno(c->my))
        rc = conn_fail(c, err);
    mysql_free_result(res);
    return rc;
}

int mysql_conn_recv_one(struct mysql_conn *c, bool first, uint64_t *affected, struct err *err)
{
    int rc;

    errno = 0;
    if (first)
        rc = mysql_read_query_result(c->my) ? 1 : 0;
    else if ((rc = mysql_next_result(c->my)) < 0)
        return 0;
    if (rc > 0)
        return conn_fail(c, err);
    *affected = mysql_field_count(c->my) ? 0 : mysql_affected_rows(c->my);
    rc = drop_result(c, err);
    return rc < 0 ? rc : 1;
}

int mysql_conn_recv(struct mysql_conn *c, unsigned *n_done, uint64_t *affected, struct err *err)
{
    uint64_t sum = 0, one = 0;
    int rc;

    *n_done = 0;
    while ((rc = mysql_conn_recv_one(c, *n_done == 0, &one, err)) > 0) {
        ++*n_done;
        sum += one;
    }
    if (affected)
        *affected = sum;
    return rc;
}
