/* Which tables of the source are shards of which group. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/table.h"
#include "route/router.h"
#include "unit/sync/sync_shard_priv.h"

#define TRIES 50

static struct shard_row *add_group(struct shard_rows *rows, const struct job *job,
                                   const struct route *to)
{
    struct shard_row *row;

    rows->at = xrealloc(rows->at, (rows->n + 1) * sizeof *rows->at);
    row = &rows->at[rows->n++];
    *row = (struct shard_row){ .group = { .mode = job->shard_mode,
                                          .schema = xstrdup(to->to_schema),
                                          .table = xstrdup(to->to_table) } };
    return row;
}

/* The newest groups are asked most. */
static struct shard_row *find_or_add(struct shard_rows *rows, const struct job *job,
                                     const struct route *to)
{
    struct shard_row *last = rows->n ? &rows->at[rows->n - 1] : NULL;

    if (last && strcmp(last->group.table, to->to_table) == 0 &&
        strcmp(last->group.schema, to->to_schema) == 0)
        return last;
    last = shard_rows_find(rows, to->to_schema, to->to_table);
    return last ? last : add_group(rows, job, to);
}

/* By target, with this source's tables alone. */
static int list_tables(struct sync_run *r, struct shard_rows *ret, struct err *err)
{
    struct table_names names = { .n = 0 };
    struct mysql_conn *c;
    struct route to;
    int rc = mysql_conn_open(&c, &r->job->from, err);

    if (rc < 0)
        return err_of_source(err);
    rc = table_list(c, NULL, &names, err);
    mysql_conn_close(c);
    for (unsigned i = 0; i < names.n && rc == 0; i++) {
        const struct table_name *n = &names.names[i];

        if (n->kind == TABLE_BASE && router_table(r->job->router, n->db, n->name, &to))
            shard_join(&find_or_add(ret, r->job, &to)->group, r->job->source, n->db, n->name, NULL);
    }
    table_names_fini(&names);
    return rc;
}

static bool is_of_task(const struct job *job, const char *source)
{
    const json_t *name;
    size_t i;

    json_array_foreach (job->sources, i, name)
        if (strcmp(json_string_value(name), source) == 0)
            return true;
    return false;
}

/* The rules of the task may be others than before. */
static bool still_belongs(const struct sync_run *r, const struct shard_group *g,
                          const struct shard_member *m)
{
    struct route to;

    if (strcmp(m->source, r->job->source) != 0)
        return is_of_task(r->job, m->source);
    return router_table(r->job->router, m->schema, m->table, &to) &&
           strcmp(to.to_schema, g->schema) == 0 && strcmp(to.to_table, g->table) == 0;
}

/* Makes the group know of 'now', the tables that the source has.  True: something changed. */
static bool update(struct sync_run *r, struct shard_group *g, const struct shard_group *now)
{
    bool changed = false;

    for (unsigned i = g->n; i-- > 0;)
        if (!still_belongs(r, g, &g->members[i])) {
            shard_leave(g, &g->members[i]);
            changed = true;
        }
    for (unsigned i = 0; now && i < now->n; i++) {
        const struct shard_member *m = &now->members[i];

        if (shard_find(g, m->source, m->schema, m->table))
            continue;
        shard_join(g, m->source, m->schema, m->table, NULL);
        changed = true;
    }
    return changed;
}

static unsigned n_released(const struct shard_group *g)
{
    unsigned n = 0;

    for (unsigned i = 0; i < g->n; i++)
        n += g->members[i].state == SHARD_RELEASED;
    return n;
}

/* One group, until nobody else comes between. */
static int bring_up(struct sync_run *r, const char *schema, const char *table,
                    const struct shard_group *now, struct err *err)
{
    int rc = -EAGAIN;

    for (unsigned i = 0; i < TRIES && rc == -EAGAIN; i++) {
        SCOPED(shard_row_fini) struct shard_row row = { .version = 0 };
        unsigned released;
        bool changed;

        *err = ERR_INIT;
        rc = shard_store_read_one(r->admin, r->job, schema, table, &row, err);
        if (rc < 0)
            return rc;
        changed = update(r, &row.group, now);
        released = n_released(&row.group);
        shard_settle(&row.group);
        if (!changed && released == n_released(&row.group))
            return 0;
        rc = shard_claim(r, &row, err);
    }
    return rc;
}

/* Groups that may have to change: those of which this source has a table that is not known, or that
 * know one that is no part of it any more, or in which somebody waits. */
static bool may_change(struct sync_run *r, const struct shard_group *g,
                       const struct shard_group *now)
{
    for (unsigned i = 0; i < g->n; i++)
        if (g->members[i].ddl || !still_belongs(r, g, &g->members[i]))
            return true;
    for (unsigned i = 0; now && i < now->n; i++)
        if (!shard_find(g, now->members[i].source, now->members[i].schema, now->members[i].table))
            return true;
    return false;
}

static int bring_all_up(struct sync_run *r, const struct shard_rows *now, struct err *err)
{
    SCOPED(shard_rows_fini) struct shard_rows stored = { .n = 0 };
    int rc = shard_store_read(r->admin, r->job, &stored, err);

    for (unsigned i = 0; i < stored.n && rc == 0; i++) {
        const struct shard_group *g = &stored.at[i].group;
        const struct shard_row *mine = shard_rows_find(now, g->schema, g->table);

        if (may_change(r, g, mine ? &mine->group : NULL))
            rc = bring_up(r, g->schema, g->table, mine ? &mine->group : NULL, err);
    }
    return rc;
}

int shard_register(struct sync_run *r, struct err *err)
{
    SCOPED(shard_rows_fini) struct shard_rows now = { .n = 0 };
    int rc = list_tables(r, &now, err);

    if (rc == 0)
        rc = shard_store_insert(r->admin, r->job, &now, err);
    if (rc == 0)
        rc = shard_store_register(r->admin, r->job, err);
    return rc == 0 ? bring_all_up(r, &now, err) : rc;
}
