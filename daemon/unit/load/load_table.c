/* How the rows of a dump's files go into the target's tables: the way of a load. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/copy/copy_engine.h"
#include "unit/load/load.h"
#include "unit/load/load_folder.h"
#include "unit/load/load_priv.h"

enum { RANGES_PER_WORKER = 4 };

/* --- databases --- */

static int collation_of(struct copy *c, const char *db, char **ret, struct err *err)
{
    const struct load_database *d = load_folder_database(c->files, db);
    int rc;

    if (!d || (!d->collation && !d->charset))
        return 0;
    if (d->collation) {
        *ret = xstrdup(d->collation);
        return 0;
    }
    rc = sql_scalar(c->target, ret, err,
                    "SELECT DEFAULT_COLLATE_NAME FROM information_schema.CHARACTER_SETS "
                    "WHERE CHARACTER_SET_NAME = %q",
                    d->charset);
    if (rc != -ENOENT)
        return rc;
    *err = ERR_INIT;
    return 0;
}

/* --- tables --- */

/* Every column that the rows name must be there, which columns_set() sees to. */
static int shape_any(struct copy *c, const struct copy_table *t, const struct table_def *there,
                     struct err *err)
{
    (void)c, (void)t, (void)there, (void)err;
    return 0;
}

/* What is known of the target's table, under the names of the dump, for those who watch too. */
static int def_replace(struct copy *c, struct copy_table *t, struct err *err)
{
    struct table_def *def, *old = t->def;
    int rc = table_read(c->target, t->to.to_schema, t->to.to_table, &def, err);

    if (rc < 0)
        return rc;
    free(def->db);
    free(def->name);
    def->db = xstrdup(old->db);
    def->name = xstrdup(old->name);
    def->rows_estimate = old->rows_estimate;
    def->size_estimate = old->size_estimate;
    mutex_lock(&c->lock);
    t->def = def;
    mutex_unlock(&c->lock);
    table_free(old);
    return 0;
}

/* From the columns on: names before them are routed. */
static uint64_t body_shape(const char *create)
{
    return copy_table_shape(create + strcspn(create, "("));
}

/* Did the target make the table as the dump has it?  A collation of its own could hold two keys
 * for one, and LOAD DATA would leave out the second. */
static int made_alike(struct copy *c, const struct copy_table *t, bool *ret, struct err *err)
{
    SCOPED(freep) char *there = NULL;
    struct mysql_result *r;
    struct mysql_row row;
    int rc =
        sql_query(c->target, &r, err, "SHOW CREATE TABLE %i.%i", t->to.to_schema, t->to.to_table);

    if (rc < 0)
        return rc;
    rc = mysql_result_next(r, &row, err);
    if (rc > 0)
        there = mysql_row_text(&row, 1);
    mysql_result_free(r);
    *ret = there && t->create && body_shape(there) == body_shape(t->create);
    return rc < 0 ? rc : 0;
}

static int columns_set(struct copy *c, struct copy_table *t, const struct table_def *there,
                       struct err *err)
{
    bool alike = false;
    int rc = def_replace(c, t, err);

    if (rc == 0)
        rc = made_alike(c, t, &alike, err);
    t->resumable = there->transactional;
    t->bulk = alike && c->can_load && !t->merged && there->transactional &&
              t->def->size_estimate <= c->bulk_max_bytes && there->kind != TABLE_SEQUENCE;
    return rc < 0 ? rc : read_columns_named(&t->columns, there, &t->files->words, &t->extra, err);
}

/* Runs of files (load_priv.h). */
static int runs_cut(struct copy *c, struct copy_table *t, struct err *err)
{
    unsigned n_files = t->files->n_files, most = copy_threads(c->job) * RANGES_PER_WORKER;
    unsigned n = t->bulk || !t->resumable || n_files == 0 ? 1 : n_files < most ? n_files : most;

    (void)err;
    t->ranges = xcalloc(n, sizeof *t->ranges);
    t->n_ranges = n;
    for (unsigned i = 0; i < n; i++) {
        t->ranges[i].no = i;
        t->ranges[i].low = xasprintf("%u", i * n_files / n);
        t->ranges[i].high = xasprintf("%u", (i + 1) * n_files / n);
    }
    return 0;
}

const struct copy_way load_way = { .target = true,
                                   .run = load_run,
                                   .fini = load_fini,
                                   .collation = collation_of,
                                   .shape = shape_any,
                                   .columns = columns_set,
                                   .cut = runs_cut,
                                   .range = copy_work_range,
                                   .end = copy_work_end,
                                   .rows_open = load_rows_open,
                                   .rows_next = load_rows_next,
                                   .rows_at = load_rows_at,
                                   .rows_close = load_rows_close };
