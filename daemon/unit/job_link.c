#include "unit/job_link.h"

#include <errno.h>

#include "base/scope.h"

/* An index that is built at the end of a LOAD, or a lock at the other end, may take hours. */
enum { PATIENCE_S = 86400 };

/* Names and literals in statements are UTF-8, values of results come as they are stored. */
#define SESSION_BOTH                                                           \
    "SET NAMES utf8mb4, character_set_results = NULL, time_zone = '+00:00', "  \
    "sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', autocommit = 1, " \
    "sql_quote_show_create = 1, sql_notes = 0, wait_timeout = 604800, "        \
    "net_read_timeout = 86400, net_write_timeout = 86400, lock_wait_timeout = 300"

struct session_setting {
    bool source, target, mysql, mariadb;
    const char *sql;
    bool optional; /* an older server, or a right we can do without */
};

static const struct session_setting settings[] = {
    { .source = true, .target = true, .mysql = true, .mariadb = true, .sql = SESSION_BOTH },
    { .source = true,
      .mysql = true,
      .mariadb = true,
      .sql = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ" },
    { .source = true, .mysql = true, .sql = "SET max_execution_time = 0", .optional = true },
    { .source = true, .mariadb = true, .sql = "SET max_statement_time = 0", .optional = true },
    { .target = true,
      .mysql = true,
      .mariadb = true,
      .sql = "SET foreign_key_checks = 0, innodb_lock_wait_timeout = 300" },
    { .target = true,
      .mysql = true,
      .sql = "SET sql_generate_invisible_primary_key = 0",
      .optional = true },
    { .target = true, .mysql = true, .sql = "SET sql_require_primary_key = 0", .optional = true },
    { .sql = NULL },
};

void job_link_init(struct job_link *l, const struct job *job)
{
    *l = (struct job_link){ .job = job };
    mutex_init(&l->lock);
}

void job_link_fini(struct job_link *l)
{
    mutex_fini(&l->lock);
}

static int link_add(struct job_link *l, struct mysql_conn *c, struct err *err)
{
    bool refused;

    mutex_lock(&l->lock);
    refused = l->stopping || l->n_conns == JOB_MAX_LINKS;
    if (!refused)
        l->conns[l->n_conns++] = c;
    mutex_unlock(&l->lock);
    return refused ? err_set(err, -ECANCELED, "the copy is being stopped") : 0;
}

void job_link_close(struct job_link *l, struct mysql_conn *c)
{
    mutex_lock(&l->lock);
    for (unsigned i = 0; i < l->n_conns; i++)
        if (l->conns[i] == c)
            l->conns[i] = l->conns[--l->n_conns];
    mutex_unlock(&l->lock);
    mysql_conn_close(c);
}

void job_link_stop(struct job_link *l)
{
    mutex_lock(&l->lock);
    l->stopping = true;
    for (unsigned i = 0; i < l->n_conns; i++)
        mysql_conn_shutdown(l->conns[i]);
    mutex_unlock(&l->lock);
}

void job_link_restart(struct job_link *l)
{
    mutex_lock(&l->lock);
    l->stopping = false;
    mutex_unlock(&l->lock);
}

bool job_link_stopping(struct job_link *l)
{
    bool stopping;

    mutex_lock(&l->lock);
    stopping = l->stopping;
    mutex_unlock(&l->lock);
    return stopping;
}

static int session_set(struct mysql_conn *c, bool source, struct err *err)
{
    bool mysql = mysql_conn_flavor(c) == FLAVOR_MYSQL;

    for (const struct session_setting *s = settings; s->sql; s++) {
        int rc;

        if (!(source ? s->source : s->target) || !(mysql ? s->mysql : s->mariadb))
            continue;
        rc = mysql_conn_exec(c, slice_str(s->sql), NULL, err);
        if (rc < 0 && (!s->optional || rc == -ECONNRESET))
            return rc;
    }
    *err = ERR_INIT;
    return 0;
}

static int link_open(struct job_link *l, bool source, struct mysql_conn **ret, struct err *err)
{
    struct mysql_params p = source ? l->job->from : l->job->to; /* borrows its strings */
    struct mysql_conn *c;
    int rc;

    p.io_timeout_s = PATIENCE_S;
    rc = mysql_conn_open(&c, &p, err);
    if (rc < 0)
        return rc;
    rc = link_add(l, c, err);
    if (rc < 0) {
        mysql_conn_close(c);
        return rc;
    }
    *ret = c;
    return 0;
}

int job_link_source(struct job_link *l, struct mysql_conn **ret, struct err *err)
{
    struct mysql_conn *c;
    int rc = link_open(l, true, &c, err);

    if (rc == 0) {
        rc = session_set(c, true, err);
        if (rc < 0)
            job_link_close(l, c);
    }
    if (rc < 0)
        return err_wrap(err, "source %s", l->job->source);
    *ret = c;
    return 0;
}

int job_link_target(struct job_link *l, struct checkpoint *fence, struct mysql_conn **ret,
                    struct err *err)
{
    struct mysql_conn *c;
    int rc = link_open(l, false, &c, err);

    if (rc == 0) {
        if (fence)
            rc = checkpoint_enlist(fence, c, err);
        if (rc == 0) /* after it: it makes the session strict */
            rc = session_set(c, false, err);
        if (rc < 0)
            job_link_close(l, c);
    }
    if (rc < 0)
        return err_of_target(err);
    *ret = c;
    return 0;
}
