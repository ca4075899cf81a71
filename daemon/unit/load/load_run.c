/*
 * A load from a folder (load_folder.h): what is in scope of it goes into the
 * target as rows of a source would, and what is done is kept there likewise, so
 * that it goes on after any interruption: in the middle of a file, behind the
 * last row that was committed.
 *
 * The folder must stay as it is meanwhile.  Another dump in it is found by its
 * metadata, and refused: tables of two moments would be mixed.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/copy/copy_engine.h"
#include "unit/load/load_folder.h"
#include "unit/load/load_priv.h"

/* --- what is in scope --- */

static void add_view(struct copy_tables *tables, const struct load_folder *f,
                     const struct load_table *found)
{
    struct copy_view *v;

    tables->views = xrealloc(tables->views, (tables->n_views + 1) * sizeof *tables->views);
    v = &tables->views[tables->n_views++];
    *v = (struct copy_view){ xstrdup(found->db), xstrdup(found->name), xstrdup(found->create),
                             !f->ours };
}

/* Rows are not counted in a dump of others: their bytes stand for them. */
static struct table_def *def_of(const struct load_table *found)
{
    struct table_def *def = xcalloc(1, sizeof *def);

    def->db = xstrdup(found->db);
    def->name = xstrdup(found->name);
    def->kind = found->is_sequence ? TABLE_SEQUENCE : TABLE_BASE;
    def->transactional = true;
    for (unsigned i = 0; i < found->n_files; i++) {
        def->size_estimate += found->files[i].size;
        def->rows_estimate += found->files[i].rows;
    }
    return def;
}

static void add_table(struct copy *c, struct copy_tables *tables, const struct load_table *found,
                      const struct route *to)
{
    struct copy_table *t = xcalloc(1, sizeof *t);

    t->def = def_of(found);
    t->files = found;
    t->create = xstrdup(found->create);
    t->label = xasprintf("%s.%s", found->db, found->name);
    t->to = *to;
    router_extracted(c->job->router, c->job->source, found->db, found->name, &t->extra);
    t->row =
        (struct copy_table_row){ .schema = found->db,
                                 .table = found->name,
                                 .shape = copy_table_shape(found->create) ^ c->files->identity };
    tables->all = xrealloc(tables->all, (tables->n + 1) * sizeof(void *));
    tables->all[tables->n++] = t;
}

static int scope(struct copy *c, struct copy_tables *tables, struct err *err)
{
    const struct load_folder *f = c->files;

    for (unsigned i = 0; i < f->n_tables; i++) {
        const struct load_table *found = &f->tables[i];
        struct route to;

        if (strcmp(found->db, c->job->meta_schema) == 0 ||
            !router_table(c->job->router, found->db, found->name, &to))
            continue;
        if (router_check(c->job->router, found->db, found->name, err) < 0)
            return err->code;
        if (!found->create)
            return err_set(err, -EBADMSG, "%s: %s.%s has rows and no %s.%s-schema.sql", f->path,
                           found->db, found->name, found->db, found->name);
        if (found->is_view)
            add_view(tables, f, found);
        else
            add_table(c, tables, found, &to);
    }
    return 0;
}

/* What was begun is of this dump. */
static int same_dump(struct copy *c, const struct copy_tables *tables, struct err *err)
{
    struct copy_table_row *rows;
    unsigned n;
    int rc = copy_state_tables(c->target, c->job, &rows, &n, err);

    if (rc < 0)
        return rc;
    for (unsigned i = 0; rc == 0 && i < n; i++) {
        const struct copy_table *t = copy_tables_find(tables, rows[i].schema, rows[i].table);

        if (!t || rows[i].shape != t->row.shape)
            rc = err_set(err, -EINVAL,
                         "%s has another dump than the one of which %s.%s was loaded: bring that "
                         "back, or empty the tables at the target and begin anew with: echo "
                         "remove_meta=true > start",
                         c->files->path, rows[i].schema, rows[i].table);
    }
    copy_state_rows_free(rows, n);
    return rc;
}

/* A sequence is not emptied: it is made anew. */
static void sequences_anew(struct copy_tables *tables)
{
    for (unsigned i = 0; i < tables->n; i++)
        if (tables->all[i]->def->kind == TABLE_SEQUENCE)
            tables->all[i]->row.first_round = 0;
}

static int plan(struct copy *c, struct copy_tables *ret, struct err *err)
{
    struct copy_tables tables = { .n = 0 };
    int rc = scope(c, &tables, err);

    if (rc == 0)
        rc = same_dump(c, &tables, err);
    if (rc == 0)
        rc = copy_plan_states(c, &tables, err);
    if (rc < 0) {
        copy_tables_fini(&tables);
        return rc;
    }
    sequences_anew(&tables);
    copy_plan_merged(c, &tables);
    *ret = tables;
    return 0;
}

/* --- loading --- */

static int load_all(struct copy *c, struct err *err)
{
    struct copy_tables tables;
    unsigned round = 0;
    int rc;

    copy_phase_set(c, COPY_PLANNING);
    rc = plan(c, &tables, err);
    if (rc < 0)
        return rc;
    copy_tables_publish(c, &tables);
    copy_position_publish(c, &c->files->position);
    rc = copy_state_add_round(c->target, c->job, &c->files->position, &c->files->position, &round,
                              err);
    if (rc < 0)
        return rc;
    c->round = round;
    log_info(c->job->path, "load from %s: %u tables, of %s:%llu", c->files->path, tables.n,
             c->files->position.file, (unsigned long long)c->files->position.offset);
    copy_phase_set(c, COPY_SCHEMA);
    rc = copy_schema(c, &c->tables, err);
    copy_phase_set(c, COPY_ROWS);
    if (rc == 0)
        rc = copy_work(c, &c->tables, err);
    copy_phase_set(c, COPY_VIEWS);
    if (rc == 0)
        rc = copy_views(c, &c->tables, err);
    return rc == 0 ? copy_state_finish(c->target, c->job, err) : rc;
}

/* Of a dump that does not say: GTIDs show the flavour; else it is that of the target. */
static struct server_kind source_guess(const struct copy *c)
{
    const struct gtid_set *gtids = c->files->position.gtids;

    if (!gtids || gtid_set_flavor(gtids) == c->to.flavor)
        return c->to;
    return gtid_set_flavor(gtids) == FLAVOR_MYSQL ? (struct server_kind){ FLAVOR_MYSQL, 80000 }
                                                  : (struct server_kind){ FLAVOR_MARIADB, 100500 };
}

void load_fini(struct copy *c)
{
    load_folder_free(c->files);
    c->files = NULL;
}

/* Plans that are shown point into the folder: they go with it. */
static void forget_before(struct copy *c)
{
    struct copy_tables none = { .n = 0 };

    copy_tables_publish(c, &none);
    load_fini(c);
}

int load_run(struct copy *c, struct err *err)
{
    int rc;

    forget_before(c);
    rc = load_folder_read(c->job->folder, &c->files, err);
    if (rc < 0)
        return rc;
    if (c->files->n_left_out)
        log_warn(c->job->path, "%s: %u files with triggers, routines and events are left out",
                 c->files->path, c->files->n_left_out);
    c->from = c->files->from;
    rc = copy_target_open(c, err);
    if (rc == 0 && c->from.version == 0)
        c->from = source_guess(c);
    if (rc == 0)
        rc = load_all(c, err);
    copy_target_close(c);
    return rc;
}
