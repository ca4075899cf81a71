#include "unit/sync/sync_definition.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/server.h"
#include "unit/schema/schema_shape.h"
#include "unit/schema/schema_store.h"
#include "unit/source/source_def.h"
#include "unit/sync/sync_drop.h"

static bool fits(const struct sync_table *t, const struct table_def *def)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);
    struct err ignored = ERR_INIT;

    return shape_fit(t->map, def, cols, &ignored) == 0;
}

/* The target is where the stream is, by what a checkpoint means, so its definition is of the right
 * moment where the source's may be ahead.  Not if its columns are others by design: then the
 * shapes differ, or the source has the same columns in another order, or bytes where the target
 * has what is made of an address. */
static bool mirrors(const struct sync_table *t, const struct table_def *now,
                    const struct table_def *target)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);
    struct err ignored = ERR_INIT;

    return shape_fit(t->map, target, cols, &ignored) == 0 && !shape_guesses(t->map, cols, now) &&
           !(now && shape_permuted(now, target));
}

/* Why the target's definition is not asked. */
static void misfit(const struct sync_table *t, const struct table_def *target, struct err *err)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);

    if (shape_fit(t->map, target, cols, err) == 0)
        err_set(err, -EAGAIN, "it has the columns in another order");
    err_wrap(err, "the target's table is not as the source's was");
}

/* Whose definition tells the columns of the rows: *ret is 'target', or another to be freed. */
static int choose_def(struct definitions *d, const struct sync_table *t, struct table_def *target,
                      uint64_t seq, struct table_def **ret, struct position *hold_until,
                      struct err *err)
{
    struct known_table *m = NULL;
    struct table_def *now;
    int rc = known_load(&d->known, t->schema, t->name, &m, err);

    if (rc < 0 && rc != -ENOENT)
        return rc;
    if (m && m->told && fits(t, m->told)) {
        *ret = m->told;
        return 0;
    }
    if (m && m->mirror && fits(t, target)) {
        *ret = target;
        return 0;
    }
    if (m && m->given) {
        *ret = m->given;
        return 0;
    }
    if (m && m->accepted && m->proposal) {
        *ret = m->proposal;
        return 0;
    }
    rc = source_def_read(&d->source, &d->job->from, t->schema, t->name, &now, err);
    if (rc < 0 && rc != -ENOENT)
        return rc;
    if (mirrors(t, rc == 0 ? now : NULL, target)) {
        if (rc == 0)
            table_free(now);
        *ret = target;
        return known_save(&d->known, t->schema, t->name, true, seq, err);
    }
    if (rc == -ENOENT)
        return err_set(err, -EINVAL,
                       "the source has dropped or renamed it since, so its columns can only be "
                       "known from names in the binlog: SET GLOBAL binlog_row_metadata=FULL at the "
                       "source, or copy the task's tables again");
    rc = server_end(d->source, hold_until, err);
    if (rc == 0 && !m)
        rc = schema_store_put(d->job, t->schema, t->name, SCHEMA_APART, seq, err);
    if (rc < 0) {
        table_free(now);
        return rc;
    }
    if (!m)
        m = known_add(&d->known, t->schema, t->name);
    table_free(m->proposal);
    m->proposal = now;
    misfit(t, target, err);
    return err->code = -EAGAIN;
}

static char **names_of_map(const struct table_map *map)
{
    char **names = xcalloc(map->n_cols + 1, sizeof *names);

    for (unsigned i = 0; i < map->n_cols; i++)
        names[i] = xstrndup((const char *)map->cols[i].name.data, map->cols[i].name.size);
    return names;
}

static void names_free(char **names, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* The target's columns by the names in the map; NULL where it has none. */
static void columns_by_name(const struct table_def *def, char *const *names, unsigned n,
                            const struct table_column **cols)
{
    for (unsigned i = 0; i < n; i++) {
        cols[i] = NULL;
        for (unsigned c = 0; c < def->n_cols; c++)
            if (strcasecmp(def->cols[c].name, names[i]) == 0)
                cols[i] = &def->cols[c];
    }
}

/* Names do not tell an address from a CHAR of its size: for such columns 'cols' gets the source's,
 * as far as it has them now.  '*now' is to be freed; NULL: there was no need to ask. */
static int ask_addresses(struct definitions *d, const struct sync_table *t,
                         const struct table_column **cols, struct table_def **now, struct err *err)
{
    int rc = 0;

    *now = NULL;
    for (unsigned i = 0; i < t->map->n_cols; i++) {
        int at;

        if (!cols[i] || !shape_asks(&t->map->cols[i], cols[i]))
            continue;
        if (!*now)
            rc = source_def_read(&d->source, &d->job->from, t->schema, t->name, now, err);
        if (rc < 0)
            return rc == -ENOENT ? 0 : rc;
        at = table_column_find(*now, cols[i]->name);
        if (at >= 0)
            cols[i] = &(*now)->cols[at];
    }
    return 0;
}

static int complete_named(struct definitions *d, struct sync_table *t,
                          const struct table_def *target, const char *const *names,
                          const struct table_column **cols, struct err *err)
{
    struct table_def *now = NULL;
    int rc = extra_target(d->job, t->schema, t->name, target, names, t->map->n_cols, &t->extra,
                          &t->target, err);

    if (rc == 0)
        rc = ask_addresses(d, t, cols, &now, err);
    if (rc == 0) {
        shape_complete(t->map, cols);
        shape_say(t->map, t->target);
        rc = drops_new(d->job, t->schema, t->name, t->map, cols, names, &t->drops, err);
    }
    table_free(now);
    return rc;
}

static int complete_by_names(struct definitions *d, struct sync_table *t,
                             const struct table_def *target, struct err *err)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);
    char **names = names_of_map(t->map);
    int rc;

    columns_by_name(target, names, t->map->n_cols, cols);
    rc = complete_named(d, t, target, (const char *const *)names, cols, err);
    names_free(names, t->map->n_cols);
    return rc;
}

/* Only somebody who knows it can tell how the table was. */
static int changed_since(const struct definitions *d, const struct sync_table *t, struct err *err)
{
    const struct err why = *err;

    return err_set(
        err, -EINVAL,
        "%s, since the source has changed it meanwhile: write its CREATE TABLE of then to "
        "sources/%s/schemas/%s/%s.sql of the task, and resume (SET GLOBAL "
        "binlog_row_metadata=FULL at the source avoids this)",
        why.text, d->job->source, t->schema, t->name);
}

static int complete_by_def(struct definitions *d, struct sync_table *t, const struct table_def *def,
                           const struct table_def *target, struct err *err)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);
    SCOPED(freep) const char **names = xcalloc(t->map->n_cols + 1, sizeof *names);
    int rc = shape_fit(t->map, def, cols, err);

    if (rc < 0)
        return changed_since(d, t, err);
    for (unsigned i = 0; i < t->map->n_cols; i++)
        names[i] = cols[i]->name;
    rc = extra_target(d->job, t->schema, t->name, target, names, t->map->n_cols, &t->extra,
                      &t->target, err);
    if (rc < 0)
        return rc;
    shape_complete(t->map, cols);
    shape_say(t->map, t->target);
    return drops_new(d->job, t->schema, t->name, t->map, cols, names, &t->drops, err);
}

int definitions_complete(struct definitions *d, struct sync_table *t, const struct route *to,
                         uint64_t seq, struct position *hold_until, struct err *err)
{
    struct table_def *target, *def = NULL;
    int rc = router_check(d->job->router, t->schema, t->name, err);

    if (rc < 0)
        return rc;
    rc = table_read(d->target, to->to_schema, to->to_table, &target, err);
    if (rc == -ENOENT) {
        err_set(err, rc, "the target has no table %s.%s", to->to_schema, to->to_table);
        return err_because(err, REASON_NO_TABLE);
    }
    if (rc < 0)
        return rc;
    if (target->versioned) {
        table_free(target);
        return err_set(err, -ENOTSUP,
                       "it is WITH SYSTEM VERSIONING: its binlog has versions of rows and not the "
                       "changes to them; leave it out (block_allow_list/ignore_tables)");
    }
    if (t->map->has_names) {
        rc = complete_by_names(d, t, target, err);
        if (rc == 0)
            rc = known_save_named(&d->known, t->schema, t->name, seq, err);
    } else {
        rc = choose_def(d, t, target, seq, &def, hold_until, err);
        if (rc == 0)
            rc = complete_by_def(d, t, def, target, err);
    }
    table_free(target);
    return rc;
}
