/*
 * What a snapshot cannot give: tables of engines without transactions, read
 * under a lock with the position taken inside it, and sequences.
 */
#include <errno.h>

#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/copy/copy_engine.h"

/* A round of its own: the position is exact for this table alone. */
static int locked_round(struct copy *c, struct mysql_conn *source, struct copy_table *t,
                        struct err *err)
{
    struct position p = { .offset = 0 };
    unsigned round = 0;
    int rc = read_position_now(source, &p, err);

    if (rc == 0)
        rc = copy_state_add_round(c->target, c->job, &p, &p, &round, err);
    position_fini(&p);
    if (rc < 0)
        return rc;
    t->row.first_round = t->row.last_round = round;
    return copy_state_put_table(c->target, c->job, &t->row, err);
}

static int locked_table(struct copy *c, struct mysql_conn *source, struct copy_table *t,
                        struct err *err)
{
    struct copy_worker w = { .copy = c, .source = source, .target = c->target };
    struct err ignored = ERR_INIT;
    int rc = sql_exec(source, err, "LOCK TABLES %i.%i READ", t->def->db, t->def->name);

    if (rc < 0 && err->sql == 1044)
        return err_wrap(err, "GRANT LOCK TABLES ON `%s`.* TO CURRENT_USER", t->def->db);
    if (rc == 0)
        rc = locked_round(c, source, t, err);
    if (rc == 0)
        rc = copy_work_table(&w, t, err);
    (void)sql_exec(source, &ignored, "UNLOCK TABLES");
    return rc;
}

int copy_locked(struct copy *c, struct copy_tables *tables, struct err *err)
{
    struct mysql_conn *source = NULL;
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < tables->n; i++) {
        struct copy_table *t = tables->all[i];

        if (t->row.state == COPY_TABLE_DONE || t->sequence || t->def->transactional ||
            atomic_load(&t->again))
            continue;
        if (!source)
            rc = job_link_source(&c->link, &source, err);
        if (rc == 0)
            rc = locked_table(c, source, t, err);
        if (rc < 0)
            rc = err_wrap(err, "%s", t->label);
    }
    job_link_close(&c->link, source);
    return rc;
}

/* Not of the snapshot but later, which is safe: sync only ever raises the value. */
int copy_sequence(struct copy *c, struct copy_table *t, struct err *err)
{
    SCOPED(freep) char *next = NULL;
    SCOPED(freep) char *set = NULL;
    int rc = sql_scalar(c->source, &next, err, "SELECT next_not_cached_value FROM %i.%i",
                        t->def->db, t->def->name);

    if (rc == 0)
        rc = sql_scalar(c->target, &set, err, "SELECT SETVAL(%i.%i, %r, 0)", t->to.to_schema,
                        t->to.to_table, next);
    t->row.state = COPY_TABLE_DONE;
    if (rc == 0)
        rc = copy_state_put_table(c->target, c->job, &t->row, err);
    if (rc < 0)
        return err_wrap(err, "%s", t->label);
    atomic_store(&t->state, COPY_TABLE_DONE);
    return 0;
}
