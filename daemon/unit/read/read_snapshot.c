#include "unit/read/read_snapshot.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"

enum {
    LOCK_TRIES = 10,
    XA_DEADLINE_S = 60,
    ER_ACCESS_DENIED = 1227,
    ER_LOCK_WAIT_TIMEOUT = 1205,
    ER_XA_ACCESS = 1401,
};

/* How a flavour holds commits back; how long is up to lock_wait_timeout. */
static const char *const lock_sql[] = {
    [FLAVOR_MARIADB] = "BACKUP STAGE START",
    [FLAVOR_MYSQL] = "FLUSH TABLES WITH READ LOCK",
};
static const char *const lock_more_sql[] = {
    [FLAVOR_MARIADB] = "BACKUP STAGE BLOCK_COMMIT",
    [FLAVOR_MYSQL] = "DO 0",
};
static const char *const unlock_sql[] = {
    [FLAVOR_MARIADB] = "BACKUP STAGE END",
    [FLAVOR_MYSQL] = "UNLOCK TABLES",
};

static int exec(struct mysql_conn *c, const char *sql, struct err *err)
{
    return mysql_conn_exec(c, slice_str(sql), NULL, err);
}

static int nap(struct job_link *l, unsigned ms, struct err *err)
{
    for (unsigned done = 0; done < ms; done += 50) {
        if (job_link_stopping(l))
            return err_set(err, -ECANCELED, "the copy is being stopped");
        usleep(50000);
    }
    return 0;
}

/* --- positions --- */

static int gtids_read(struct mysql_conn *c, const char *file, uint64_t offset,
                      struct gtid_set **ret, struct err *err)
{
    SCOPED(freep) char *text = NULL;
    enum flavor flavor = mysql_conn_flavor(c);
    int rc;

    if (flavor == FLAVOR_MARIADB)
        rc = sql_scalar(c, &text, err, "SELECT BINLOG_GTID_POS(%q, %u)", file, offset);
    else
        rc = sql_scalar(c, &text, err, "SELECT @@GLOBAL.gtid_executed");
    return rc < 0 ? rc : gtid_set_parse(ret, flavor, text, err);
}

int read_snapshot_position(struct mysql_conn *c, struct position *ret, struct err *err)
{
    struct mysql_result *r;
    struct mysql_row row;
    int rc = sql_query(c, &r, err, "SHOW STATUS LIKE 'binlog_snapshot_%%'");

    if (rc < 0)
        return rc;
    while ((rc = mysql_result_next(r, &row, err)) > 0) {
        if (row.sizes[0] == strlen("Binlog_snapshot_file"))
            snprintf(ret->file, sizeof ret->file, "%.*s", (int)row.sizes[1], row.values[1]);
        else if (row.sizes[0] == strlen("Binlog_snapshot_position"))
            ret->offset = mysql_row_u64(&row, 1);
    }
    mysql_result_free(r);
    return rc;
}

int read_position_now(struct mysql_conn *c, struct position *ret, struct err *err)
{
    bool new_name = mysql_conn_flavor(c) == FLAVOR_MYSQL && mysql_conn_version(c) >= 80200;
    struct position p = { .offset = 0 };
    struct mysql_result *r;
    struct mysql_row row;
    int rc =
        sql_query(c, &r, err, "%r", new_name ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS");

    if (rc < 0)
        return err_wrap(err, "reading the position");
    rc = mysql_result_next(r, &row, err);
    if (rc > 0) {
        snprintf(p.file, sizeof p.file, "%.*s", (int)row.sizes[0], row.values[0]);
        p.offset = mysql_row_u64(&row, 1);
    }
    mysql_result_free(r);
    if (rc > 0)
        rc = gtids_read(c, p.file, p.offset, &p.gtids, err);
    if (rc < 0) {
        position_fini(&p);
        return err_wrap(err, "reading the position");
    }
    *ret = p;
    return 0;
}

/* --- XA --- */

/* 0: none is prepared; 1: some are, named in 'xids'. */
static int xa_prepared(struct mysql_conn *c, struct buf *xids, struct err *err)
{
    struct mysql_result *r;
    struct mysql_row row;
    int rc = sql_query(c, &r, err, "XA RECOVER");

    if (rc < 0 && (err->sql == ER_ACCESS_DENIED || err->sql == ER_XA_ACCESS))
        return err_set(err, -EACCES,
                       "prepared XA transactions cannot be seen, and their rows would be lost: "
                       "GRANT XA_RECOVER_ADMIN ON *.* TO CURRENT_USER");
    if (rc < 0)
        return rc;
    buf_clear(xids);
    while ((rc = mysql_result_next(r, &row, err)) > 0)
        buf_printf(xids, "%s'%.*s'", xids->size ? ", " : "", (int)row.sizes[3], row.values[3]);
    mysql_result_free(r);
    return rc < 0 ? rc : xids->size > 0;
}

static int xa_wait(struct job_link *l, struct mysql_conn *c, struct err *err)
{
    SCOPED(buf_fini) struct buf xids = BUF_INIT;
    int64_t deadline = clock_mono_us() + XA_DEADLINE_S * 1000000LL;
    int rc;

    while ((rc = xa_prepared(c, &xids, err)) > 0) {
        if (clock_mono_us() > deadline)
            return err_set(err, -EBUSY,
                           "XA transactions are prepared at the source and not finished after "
                           "%d s: %.*s; XA COMMIT or XA ROLLBACK them",
                           XA_DEADLINE_S, SLICE_HEAD(xids, 600));
        rc = nap(l, 500, err);
        if (rc < 0)
            break;
    }
    return rc;
}

/* --- snapshots --- */

int read_snapshot_release_tables(struct mysql_conn *c, struct err *err)
{
    return exec(c, "ROLLBACK TO SAVEPOINT sluice", err);
}

static int snapshot_begin(struct mysql_conn *c, struct err *err)
{
    int rc = exec(c, "START TRANSACTION WITH CONSISTENT SNAPSHOT", err);

    return rc < 0 ? rc : exec(c, "SAVEPOINT sluice", err);
}

static void snapshot_end(struct read_snapshot *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        struct err ignored = ERR_INIT;

        (void)exec(s->conns[i], "ROLLBACK", &ignored);
    }
    position_fini(&s->low);
    position_fini(&s->high);
    s->low = s->high = (struct position){ .offset = 0 };
}

/* All connections under the lock.  -EAGAIN: they differ, or a transaction was
 * prepared meanwhile.  Under a lock of our tables alone others go on, and so does the position:
 * the first is good for all. */
static int begin_all(struct mysql_conn *ctl, const struct read_way *way, struct read_snapshot *s,
                     struct err *err)
{
    SCOPED(buf_fini) struct buf xids = BUF_INIT;
    bool one_position = mysql_conn_flavor(ctl) == FLAVOR_MYSQL || way->lock_tables;
    int rc = xa_prepared(ctl, &xids, err);

    if (rc > 0)
        return err_set(err, -EAGAIN, "XA transactions were prepared: %s", xids.data);
    if (rc == 0 && one_position)
        rc = read_position_now(ctl, &s->low, err);
    for (unsigned i = 0; rc == 0 && i < s->n; i++) {
        struct position p = { .offset = 0 };

        rc = snapshot_begin(s->conns[i], err);
        if (rc < 0 || one_position)
            continue;
        rc = read_snapshot_position(s->conns[i], &p, err);
        if (rc == 0 && i == 0)
            s->low = p;
        else if (rc == 0 && position_compare(&p, &s->low) != 0)
            /* Nothing commits under the lock, so this is seen only where a server lets go of it
             * early: none that is known does, and no test can make one. */
            rc = err_set(err, -EAGAIN, "the snapshots differ");
    }
    return rc;
}

static int lock_and_begin(struct mysql_conn *ctl, const struct read_way *way,
                          struct read_snapshot *s, struct err *err)
{
    enum flavor flavor = mysql_conn_flavor(ctl);
    bool tables = way->lock_tables != NULL;
    struct err unlock_err = ERR_INIT;
    int rc = exec(ctl, "SET lock_wait_timeout = 5", err);

    if (rc == 0)
        rc = exec(ctl, tables ? way->lock_tables : lock_sql[flavor], err);
    if (rc < 0)
        return err_because(err, REASON_READ_LOCK);
    rc = tables ? 0 : exec(ctl, lock_more_sql[flavor], err);
    if (rc == 0)
        rc = begin_all(ctl, way, s, err);
    if (rc == 0 && way->held)
        rc = way->held(way->arg, err);
    if (exec(ctl, tables ? "UNLOCK TABLES" : unlock_sql[flavor], &unlock_err) < 0 && rc == 0) {
        *err = unlock_err;
        rc = unlock_err.code;
    }
    if (rc == 0 && !s->low.gtids && s->low.file[0])
        rc = gtids_read(ctl, s->low.file, s->low.offset, &s->low.gtids, err);
    if (rc == 0)
        position_copy(&s->high, &s->low);
    s->exact = true;
    return rc;
}

/* Without the right to hold commits back. */
static int begin_unlocked(struct mysql_conn *ctl, const struct read_way *way,
                          struct read_snapshot *s, struct err *err)
{
    SCOPED(freep) char *mode = NULL;
    int rc;

    if (way->held)
        return err_set(err, -EACCES,
                       "tables without transactions are of no moment unless commits are held "
                       "back: GRANT RELOAD ON *.* TO CURRENT_USER");

    s->n = 1;
    s->exact = true;
    if (mysql_conn_flavor(ctl) == FLAVOR_MARIADB) {
        rc = snapshot_begin(s->conns[0], err);
        if (rc == 0)
            rc = read_snapshot_position(s->conns[0], &s->low, err);
        if (rc == 0 && s->low.file[0])
            rc = gtids_read(ctl, s->low.file, s->low.offset, &s->low.gtids, err);
        if (rc == 0)
            position_copy(&s->high, &s->low);
        return rc;
    }
    /* gtid_executed is what the engine has committed: it is all in a snapshot that starts
     * later.  A file and offset would be ahead of the engine and cannot be the low one. */
    rc = sql_scalar(ctl, &mode, err, "SELECT @@GLOBAL.gtid_mode");
    if (rc == 0 && strcmp(mode, "ON") != 0)
        return err_set(err, -EACCES,
                       "no consistent snapshot without the right to hold commits back: "
                       "GRANT RELOAD ON *.* TO CURRENT_USER, or gtid_mode = ON at the source");
    if (rc == 0)
        rc = gtids_read(ctl, "", 0, &s->low.gtids, err);
    if (rc == 0)
        rc = snapshot_begin(s->conns[0], err);
    if (rc == 0)
        rc = read_position_now(ctl, &s->high, err);
    if (rc == 0) {
        s->exact = gtid_set_equal(s->low.gtids, s->high.gtids);
        if (s->exact) {
            position_fini(&s->low);
            position_copy(&s->low, &s->high);
        }
    }
    return rc;
}

static int take(struct job_link *l, struct mysql_conn *ctl, const struct read_way *way,
                struct read_snapshot *s, struct err *err)
{
    int rc = -EAGAIN;

    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        rc = xa_wait(l, ctl, err);
        if (rc < 0)
            return rc;
        if (way->how == CONSISTENT_UNLOCKED)
            return begin_unlocked(ctl, way, s, err);
        rc = lock_and_begin(ctl, way, s, err);
        if (rc < 0 && err->sql == ER_ACCESS_DENIED && way->how == CONSISTENT_AUTO) {
            snapshot_end(s);
            return begin_unlocked(ctl, way, s, err);
        }
        if (rc == 0 || (rc != -EAGAIN && err->sql != ER_LOCK_WAIT_TIMEOUT))
            return rc;
        snapshot_end(s);
        if (nap(l, 500 * (i + 1), err) < 0)
            return -ECANCELED;
    }
    return err_wrap(err,
                    "commits could not be held back in %d tries; a long statement or "
                    "another backup may be running at the source",
                    LOCK_TRIES);
}

int read_snapshot_take(struct job_link *l, unsigned n, const struct read_way *way,
                       struct read_snapshot *ret, struct err *err)
{
    struct read_snapshot s = { .conns = xcalloc(n, sizeof *s.conns) };
    struct mysql_conn *ctl = NULL;
    int rc = job_link_source(l, &ctl, err);

    while (rc == 0 && s.n < n) {
        rc = job_link_source(l, &s.conns[s.n], err);
        if (rc == 0)
            s.n++;
    }
    n = s.n;
    if (rc == 0)
        rc = take(l, ctl, way, &s, err);
    for (unsigned i = s.n; i < n; i++) /* those that a fallback does without */
        job_link_close(l, s.conns[i]);
    job_link_close(l, ctl);
    if (rc < 0) {
        read_snapshot_close(l, &s);
        return err_wrap(err, "snapshot");
    }
    *ret = s;
    return 0;
}

void read_snapshot_close(struct job_link *l, struct read_snapshot *s)
{
    for (unsigned i = 0; i < s->n; i++)
        job_link_close(l, s->conns[i]);
    free(s->conns);
    position_fini(&s->low);
    position_fini(&s->high);
    *s = (struct read_snapshot){ .n = 0 };
}
