#include "unit/retry.h"

#include <errno.h>
#include <stddef.h>

#include "base/mem.h"

#define MAX_DELAY_MS 300000

/* By the server's own number.  Source: MySQL 8.4 Error Reference; MariaDB Knowledge Base,
 * "MariaDB Error Codes".  A number from 2000 is the client library's. */
static const struct {
    unsigned sql;
    enum retry_kind kind;
} by_sql[] = {
    { 1040, RETRY_SOON },  /* too many connections */
    { 1053, RETRY_SOON },  /* server shutdown in progress */
    { 1077, RETRY_SOON },  /* normal shutdown */
    { 1079, RETRY_SOON },  /* shutdown complete */
    { 1152, RETRY_SOON },  /* aborted connection */
    { 1158, RETRY_SOON },  /* error reading communication packets */
    { 1159, RETRY_SOON },  /* timeout reading them */
    { 1160, RETRY_SOON },  /* error writing them */
    { 1161, RETRY_SOON },  /* timeout writing them */
    { 1184, RETRY_SOON },  /* new aborting connection */
    { 1203, RETRY_SOON },  /* max_user_connections */
    { 1205, RETRY_SOON },  /* lock wait timeout */
    { 1213, RETRY_SOON },  /* deadlock */
    { 1226, RETRY_LATER }, /* max_..._per_hour of the account */
    { 1317, RETRY_SOON },  /* query was interrupted */
    { 1412, RETRY_SOON },  /* table definition has changed */
    { 1613, RETRY_SOON },  /* XA branch rolled back: took too long */
    { 1614, RETRY_SOON },  /* XA branch rolled back: deadlock */
    { 1637, RETRY_SOON },  /* too many active concurrent transactions */
    { 1927, RETRY_SOON },  /* MariaDB: connection was killed */
    { 1969, RETRY_SOON },  /* MariaDB: max_statement_time */
    { 2002, RETRY_SOON },  /* cannot connect through the socket */
    { 2003, RETRY_SOON },  /* cannot connect to the host */
    { 2006, RETRY_SOON },  /* server has gone away */
    { 2013, RETRY_SOON },  /* lost connection during query */
    { 2026, RETRY_SOON },  /* TLS connection error: also a server that stops in the handshake */
    { 2055, RETRY_SOON },  /* lost connection, extended */
    { 3024, RETRY_SOON },  /* MySQL: max_execution_time */
    { 3101, RETRY_SOON },  /* MySQL: group replication rolled it back */
    { 3168, RETRY_SOON },  /* MySQL: server is not ready yet */
    { 3572, RETRY_SOON },  /* MySQL: lock not available at once, NOWAIT */
    { 4031, RETRY_SOON },  /* MySQL: disconnected after inactivity */
    { 1047, RETRY_SOON },  /* Galera: WSREP has not yet prepared this node */
    { 1021, RETRY_LATER }, /* disk full */
    { 1026, RETRY_LATER }, /* error writing file */
    { 1114, RETRY_LATER }, /* the table is full */
    { 1290, RETRY_LATER }, /* --read-only: a failover is under way */
    { 1836, RETRY_LATER }, /* running in read-only mode */
    { 3, RETRY_LATER },    /* error writing file (from the file layer) */
    { 28, RETRY_LATER },   /* no space left on device (from the storage engine) */
};

static const struct {
    int code;
    enum retry_kind kind;
} by_code[] = {
    { -ECONNRESET, RETRY_SOON },   { -ECONNREFUSED, RETRY_SOON }, { -ECONNABORTED, RETRY_SOON },
    { -ENOTCONN, RETRY_SOON },     { -EPIPE, RETRY_SOON },        { -ETIMEDOUT, RETRY_SOON },
    { -EHOSTUNREACH, RETRY_SOON }, { -ENETUNREACH, RETRY_SOON },  { -ENETDOWN, RETRY_SOON },
    { -EHOSTDOWN, RETRY_SOON },    { -EAGAIN, RETRY_SOON },       { -EINTR, RETRY_SOON },
    { -EDEADLK, RETRY_SOON },      { -ENOSPC, RETRY_LATER },      { -EDQUOT, RETRY_LATER },
};

enum retry_kind retry_kind_of(const struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(by_sql) && err->sql; i++)
        if (by_sql[i].sql == err->sql)
            return by_sql[i].kind;
    for (size_t i = 0; i < ARRAY_LEN(by_code); i++)
        if (by_code[i].code == err->code)
            return by_code[i].kind;
    return RETRY_NEVER;
}

/* Data that is in the way stays, refused definitions stay refused, and binlogs do not come back. */
bool retry_resumes(const struct err *err)
{
    static const unsigned never_sql[] = {
        1048, /* fenced: another owner */
        1059, /* identifier too long */
        1062, /* duplicate entry */
        1064, /* syntax */
        1067, /* invalid default */
        1069, /* too many keys */
        1117, /* too many columns */
        1236, /* the source has no such binlog */
        1366, /* incorrect value */
        1406, /* data too long */
    };
    static const int never_code[] = { -ECANCELED, -ENODATA, -EREMCHG, -EUCLEAN,
                                      -ENOTSUP,   -EBADMSG, -ERANGE,  -EILSEQ };

    for (size_t i = 0; i < ARRAY_LEN(never_sql); i++)
        if (err->sql == never_sql[i])
            return false;
    for (size_t i = 0; i < ARRAY_LEN(never_code); i++)
        if (err->code == never_code[i])
            return false;
    return true;
}

int64_t retry_delay_ms(enum retry_kind kind, unsigned nth)
{
    int64_t ms = kind == RETRY_LATER ? 30000 : 1000;

    for (unsigned i = 1; i < nth && ms < MAX_DELAY_MS; i++)
        ms *= 2;
    return ms < MAX_DELAY_MS ? ms : MAX_DELAY_MS;
}

int64_t retry_jitter_ms(int64_t ms, unsigned random)
{
    return ms - (int64_t)(random % (unsigned)(ms / 2 + 1));
}

unsigned retry_forget(unsigned n, int64_t ran_ms, int64_t calm_ms)
{
    int64_t times = calm_ms > 0 ? ran_ms / calm_ms : 0;

    return times < n ? n - (unsigned)times : 0;
}
