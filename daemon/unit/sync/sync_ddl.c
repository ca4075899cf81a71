#include "unit/sync/sync_ddl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/sync/sync_ddl_pass.h"
#include "unit/sync/sync_ddl_priv.h"
#include "unit/sync/sync_session.h"

enum { ER_BAD_TABLE = 1051, ER_PARSE = 1064 };

/* Without the comment that is ours. */
static struct slice plain(const struct buf *sql)
{
    static const char end[] = "*/ ";
    const char *at = memmem(sql->data, sql->size, end, sizeof end - 1);
    size_t skip = at ? (size_t)(at - sql->data) + sizeof end - 1 : 0;

    return slice_of(sql->data + skip, sql->size - skip);
}

static int run_it(struct sync_run *r, const struct query *q, const struct ddl *d,
                  uint32_t timestamp, struct err *err)
{
    SCOPED(buf_fini) struct buf session = BUF_INIT, sql = BUF_INIT;
    struct mysql_conn *c = sink_conn(r->main.sink);
    struct query_context ctx;
    struct err back = ERR_INIT;
    int rc, rc_back;

    sync_ddl_context(r, q, &ctx);
    session_sql(&ctx, timestamp, r->flavor, mysql_conn_flavor(c), r->job->time_zone, &session);
    sync_ddl_statement(r, q, d, &sql);
    rc = mysql_conn_exec(c, slice_of(session.data, session.size), NULL, err);
    if (rc == 0 && r->job->sql_mode)
        rc = sql_exec(c, err, "SET SESSION sql_mode=%q", r->job->sql_mode);
    atomic_store(&r->main.writing_us, clock_mono_us());
    if (rc == 0)
        rc = mysql_conn_exec(c, slice_of(sql.data, sql.size), NULL, err);
    atomic_store(&r->main.writing_us, 0);
    rc_back = sink_session(r->main.sink, session_restore, &back);
    if (rc < 0) {
        struct slice said = plain(&sql);

        return err_wrap(err, "the target refused %.*s", SLICE_HEAD(said, 300));
    }
    if (rc_back < 0) {
        *err = back;
        return rc_back;
    }
    return 0;
}

static int commit(struct sync_run *r, const struct position *pos, uint32_t sub_seq, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    sync_ddl_delete_intent(r, &sql);
    sink_begin(r->main.sink, pos, sub_seq);
    rc = sink_statement(r->main.sink, slice_of(sql.data, sql.size), err);
    if (rc == 0)
        rc = sink_commit(r->main.sink, err);
    if (rc == 0)
        sync_publish(r);
    return rc;
}

/* Would the target's rows get other values than the source's? */
static int would_differ(struct sync_run *r, const struct query *q, const struct ddl *d, bool *ret,
                        struct err *err)
{
    SCOPED(freep) char *some = NULL;
    struct table_def *def;
    struct route to;
    int rc;

    *ret = false;
    if ((!d->own_values && !d->numbers_rows) || !sync_ddl_in_scope(r, q, &d->names[0], &to))
        return 0;
    rc = sql_scalar(r->admin, &some, err, "SELECT EXISTS (SELECT 1 FROM %i.%i)", to.to_schema,
                    to.to_table);
    if (rc < 0 || strcmp(some, "0") == 0)
        return rc;
    rc = table_read(r->admin, to.to_schema, to.to_table, &def, err);
    if (rc < 0)
        return rc;
    *ret = d->own_values || !table_row_key(def);
    table_free(def);
    return 0;
}

/* Only the operator can say that it may.  Sets r->ddl_done when it was done by hand. */
static int check_values(struct sync_run *r, const struct query *q, const struct ddl *d,
                        struct err *err)
{
    bool differ = false;
    int rc = would_differ(r, q, d, &differ, err);

    if (rc < 0 || !differ)
        return rc;
    rc = sync_ddl_word(r->job, &r->ddl_done, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return err_set(err, -ENOTSUP,
                   "each server gives the rows that are there %s of its own here: 'echo as=run > "
                   "resolve_ddl' (an action of sync) and resume if it does not matter, or make the "
                   "target's as the source's by hand and 'echo as=done > resolve_ddl': %.*s",
                   d->own_values ? "values" : "numbers, in an order", SLICE_HEAD(q->sql, 300));
}

bool sync_ddl_begun(const struct sync_run *r, const struct query *q)
{
    return (r->ddl_again || r->ddl_done) && r->ddl_hash == XXH3_64bits(q->sql.data, q->sql.size);
}

static bool is_refusal(const struct err *why)
{
    bool of_connection = why->sql >= 2000 && why->sql < 3000;

    return why->sql >= 1000 && !of_connection && why->code != -ECONNRESET &&
           why->code != -ETIMEDOUT && why->code != -ECANCELED;
}

/* The target said no, so it did not run and nothing is open: whoever mends what is in the way there
 * is not asked about it.  Of several tables, or a schema's, some may be done all the same. */
static void forget_refused(struct sync_run *r, const struct ddl *d, const struct err *why)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct err ignored = ERR_INIT;
    bool partly = d->class == DDL_DROP_DATABASE || (d->class == DDL_DROP_TABLE && d->n_names > 1) ||
                  (d->class == DDL_RENAME_TABLE && d->n_names > 2);

    if (partly || !is_refusal(why))
        return;
    sync_ddl_delete_intent(r, &sql);
    buf_str(&sql, " AND ");
    checkpoint_owned_sql(&r->cp, &sql); /* it may be another owner's by now */
    mysql_conn_exec(r->admin, slice_of(sql.data, sql.size), NULL, &ignored);
}

/* DM passes over such refusals whatever the target has; here it is to be what the statement makes.
 */
static int pass(struct sync_run *r, const struct query *q, const struct ddl *d, uint32_t timestamp,
                struct err *err)
{
    struct err why = *err;
    int rc;

    if (d->class == DDL_DROP_TABLE && why.sql == ER_BAD_TABLE) {
        r->ddl_again = true; /* of several, those that are there */
        *err = ERR_INIT;
        return run_it(r, q, d, timestamp, err);
    }
    *err = ERR_INIT;
    rc = sync_ddl_has_it(r, q, d, &why, err);
    if (rc < 0)
        return rc;
    if (rc > 0) {
        log_warn(r->sync->unit.path, "passed over, since the target has it so already: %s",
                 why.text);
        return 0;
    }
    *err = why;
    return err_wrap(err, "the target has it otherwise, or only in part: mend it there and resume, "
                         "or 'echo > skip' (an action of sync)");
}

static void refused(struct err *err)
{
    err_wrap(err, "mend it at the target and resume, or 'echo > skip' (an action of sync)");
    if (err->sql == ER_PARSE) /* words that only the source's flavour has */
        err_because(err, REASON_STATEMENT_UNKNOWN);
}

int sync_ddl_execute(struct sync_run *r, const struct query *q, const struct ddl *d,
                     uint32_t timestamp, bool (*passes)(const struct err *err), struct err *err)
{
    int rc = 0;

    if (!sync_ddl_begun(r, q))
        r->ddl_again = r->ddl_done = false; /* an operator has had it replaced since */
    if (rc == 0 && !r->ddl_done && !r->ddl_again)
        rc = check_values(r, q, d, err);
    if (rc == 0 && !r->ddl_done) {
        rc = sync_ddl_write_intent(r, q, d, err);
        if (rc == 0)
            rc = run_it(r, q, d, timestamp, err);
        if (rc < 0 && passes && passes(err)) {
            log_info(r->sync->unit.path, "passed over: %s", err->text);
            *err = ERR_INIT;
            rc = 0;
        }
        if (rc < 0 && !passes && sync_ddl_ignorable(err))
            rc = pass(r, q, d, timestamp, err);
        else if (rc < 0 && !passes && is_refusal(err))
            refused(err);
        if (rc < 0)
            forget_refused(r, d, err);
    }
    return rc < 0 ? rc
                  : sync_ddl_changed(r, q, d, err); /* stored before anything after it is sent */
}

void sync_ddl_consumed(struct sync_run *r)
{
    r->ddl_done = r->ddl_again = false;
    atomic_fetch_add(&r->sync->ddl, 1);
    unit_progressed(&r->sync->unit);
}

int sync_ddl_run(struct sync_run *r, const struct query *q, const struct ddl *d, uint32_t timestamp,
                 const struct position *pos, uint32_t sub_seq, struct err *err)
{
    int rc = r->mode->drain(r, err);

    if (rc == 0)
        rc = sync_ddl_execute(r, q, d, timestamp, NULL, err);
    if (rc == 0)
        rc = commit(r, pos, sub_seq, err);
    if (rc < 0)
        return rc;
    sync_ddl_consumed(r);
    r->mode->passed(r, pos);
    return 0;
}

/* --- kept until its transaction is whole --- */

struct sync_ddl {
    char *sql, *db, *status_vars;
    size_t sql_size, db_size, status_size;
    uint32_t timestamp;
};

struct sync_ddl *sync_ddl_keep(const struct query *q, uint32_t timestamp)
{
    struct sync_ddl *k = xcalloc(1, sizeof *k);

    k->sql = xmemdup(q->sql.data, q->sql.size);
    k->sql_size = q->sql.size;
    k->db = xmemdup(q->db.data, q->db.size);
    k->db_size = q->db.size;
    k->status_vars = xmemdup(q->status_vars.data, q->status_vars.size);
    k->status_size = q->status_vars.size;
    k->timestamp = timestamp;
    return k;
}

void sync_ddl_free(struct sync_ddl *k)
{
    if (!k)
        return;
    free(k->sql);
    free(k->db);
    free(k->status_vars);
    free(k);
}

int sync_ddl_run_kept(struct sync_run *r, const struct sync_ddl *k, struct err *err)
{
    struct query q = { .sql = slice_of(k->sql, k->sql_size),
                       .db = slice_of(k->db, k->db_size),
                       .status_vars = slice_of(k->status_vars, k->status_size) };
    struct ddl d;
    int rc = r->mode->drain(r, err);

    if (rc < 0 || r->cp.sub_seq)
        return rc;
    arena_clear(&r->scratch);
    sync_ddl_scan(r, &q, &d);
    return sync_ddl_run(r, &q, &d, k->timestamp, &r->cp.pos, 1, err);
}
