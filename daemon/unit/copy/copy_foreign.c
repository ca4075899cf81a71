/*
 * Tables joined by foreign keys are read in one round, all of them or none.
 *
 * Between two rounds the events of one table are left out and those of the
 * other applied: a child's row would miss its parent, and a cascade that the
 * source did not log (MariaDB logs none) would never reach the children.  So
 * when one of a class is still to be read, the others are read again with it.
 */
#include <errno.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/copy/copy_engine.h"

static struct copy_table *neighbour(const struct copy_tables *tables, const struct copy_table *t,
                                    const struct table_foreign_key *f)
{
    bool own = strcmp(f->table, t->def->name) == 0 && strcmp(f->db, t->def->db) == 0;

    return copy_tables_find(tables, own ? f->to_db : f->db, own ? f->to_table : f->table);
}

/* 'behind' spreads along the keys until nothing changes. */
static bool spread(struct copy_tables *tables, bool *behind)
{
    bool changed = false;

    for (unsigned i = 0; i < tables->n; i++) {
        const struct copy_table *t = tables->all[i];

        for (unsigned k = 0; k < t->def->n_foreign; k++) {
            const struct copy_table *other = neighbour(tables, t, &t->def->foreign[k]);

            if (!other || behind[i] == behind[other->index])
                continue;
            behind[i] = behind[other->index] = true;
            changed = true;
        }
    }
    return changed;
}

int copy_foreign_classes(struct copy *c, struct copy_tables *tables, struct err *err)
{
    SCOPED(freep) bool *behind = xcalloc(tables->n + 1, sizeof *behind);

    for (unsigned i = 0; i < tables->n; i++) {
        tables->all[i]->index = i;
        behind[i] =
            tables->all[i]->def->has_foreign_keys && tables->all[i]->row.state < COPY_TABLE_LOADED;
    }
    while (spread(tables, behind))
        ;
    for (unsigned i = 0; i < tables->n; i++) {
        struct copy_table *t = tables->all[i];

        if (!behind[i] || t->row.state == COPY_TABLE_NEW)
            continue;
        if (t->merged)
            return err_set(err, -EIO,
                           "%s has foreign keys, and other sources write to the same table: its "
                           "copy cannot go on after an interruption; empty the tables and start "
                           "the task anew",
                           t->label);
        if (t->row.state >= COPY_TABLE_LOADED)
            log_info(c->job->path, "%s is read again, with the tables that its foreign keys join",
                     t->label);
        t->row.state = COPY_TABLE_LOADING;
        atomic_store(&t->state, COPY_TABLE_LOADING);
    }
    return 0;
}
