/* Which tables there are to compare, and how. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/router.h"
#include "unit/read/read_range.h"
#include "unit/verify/verify_priv.h"

const char *const verify_state_names[] = { "pending", "running", "done", "failed", NULL };

static void part_fini(struct verify_part *p)
{
    free(p->db);
    free(p->name);
    table_free(p->def);
    verify_exprs_fini(&p->exprs);
    row_left_fini(&p->left);
}

void verify_tables_free(struct verify_table *tables, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < tables[i].n_parts; k++)
            part_fini(&tables[i].parts[k]);
        free(tables[i].parts);
        free(tables[i].db);
        free(tables[i].name);
        table_free(tables[i].def);
        free(tables[i].at);
        free(tables[i].reason);
    }
    free(tables);
}

/* --- which --- */

static void add(struct verify_run *r, unsigned source, const struct table_name *n,
                const struct route *to)
{
    struct verify_table *t;

    r->tables = xrealloc(r->tables, (r->n_tables + 1) * sizeof *r->tables);
    t = &r->tables[r->n_tables++];
    *t = (struct verify_table){ .db = xstrdup(to->to_schema),
                                .name = xstrdup(to->to_table),
                                .n_parts = 1,
                                .parts = xcalloc(1, sizeof *t->parts),
                                .at = xstrdup(""),
                                .reason = xstrdup("") };
    t->parts[0] =
        (struct verify_part){ .source = source, .db = xstrdup(n->db), .name = xstrdup(n->name) };
}

static int list(struct verify_run *r, unsigned source, struct err *err)
{
    const struct job *job = r->sources[source].job;
    struct table_names names = { .n = 0 };
    struct route to;
    int rc = table_list(r->sources[source].conn, NULL, &names, err);

    for (unsigned i = 0; rc == 0 && i < names.n; i++) {
        const struct table_name *n = &names.names[i];

        if (n->kind == TABLE_BASE && strcmp(n->db, job->meta_schema) != 0 &&
            router_table(job->router, n->db, n->name, &to))
            add(r, source, n, &to);
    }
    table_names_fini(&names);
    return rc;
}

static int by_target(const void *a, const void *b)
{
    const struct verify_table *x = a, *y = b;
    int order = strcmp(x->db, y->db);

    return order ? order : strcmp(x->name, y->name);
}

static void merge(struct verify_table *to, struct verify_table *from)
{
    to->parts = xrealloc(to->parts, (to->n_parts + 1) * sizeof *to->parts);
    to->parts[to->n_parts++] = from->parts[0];
    free(from->parts);
    free(from->db);
    free(from->name);
    free(from->at);
    free(from->reason);
}

int verify_plan(struct verify_run *r, struct err *err)
{
    unsigned kept = 0;
    int rc = 0;

    for (unsigned i = 0; i < r->n_sources && rc == 0; i++)
        rc = list(r, i, err);
    if (rc < 0 || r->n_tables == 0)
        return rc;
    qsort(r->tables, r->n_tables, sizeof *r->tables, by_target);
    for (unsigned i = 0; i < r->n_tables; i++) {
        if (kept && by_target(&r->tables[kept - 1], &r->tables[i]) == 0)
            merge(&r->tables[kept - 1], &r->tables[i]);
        else
            r->tables[kept++] = r->tables[i];
    }
    r->n_tables = kept;
    if (r->verify)
        atomic_store(&r->verify->tables, kept);
    return 0;
}

/* --- how --- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Is a range of its key the same rows at both ends, under the same names? */
static bool same_ranges(const struct table_def *a, const struct table_def *b)
{
    const struct table_key *x = read_range_key(a), *y = read_range_key(b);

    if (!x || !y || x->n_parts != y->n_parts)
        return false;
    for (unsigned i = 0; i < x->n_parts; i++) {
        const struct table_column *c = &a->cols[x->cols[i]], *d = &b->cols[y->cols[i]];

        if (strcasecmp(c->name, d->name) != 0 || !same_text(c->data_type, d->data_type) ||
            !same_text(c->collation, d->collation) || c->is_unsigned != d->is_unsigned ||
            !strcasestr(c->column_type, "zerofill") != !strcasestr(d->column_type, "zerofill"))
            return false;
    }
    return true;
}

static int look_at_part(struct verify_run *r, struct verify_table *t, struct verify_part *p,
                        struct err *err)
{
    int rc;

    table_free(p->def);
    p->def = NULL;
    verify_exprs_fini(&p->exprs);
    row_left_fini(&p->left);
    rc = table_read(r->sources[p->source].conn, p->db, p->name, &p->def, err);
    if (rc == -ENOENT)
        return err_set(err, rc, "the source has no table %s.%s any more", p->db, p->name);
    if (rc == 0)
        rc = verify_exprs_init(&p->exprs, p->def, t->def, err);
    if (rc == 0)
        rc = row_left_init(&p->left, r->sources[p->source].job, r->sources[p->source].conn, p->db,
                           p->name, err);
    if (rc < 0)
        return rc;
    t->ranges = t->ranges && same_ranges(p->def, t->def);
    if (p->exprs.left_out[0]) {
        free(t->reason);
        t->reason = xasprintf("not compared, since MySQL prints JSON anew: %s", p->exprs.left_out);
    }
    if (p != t->parts && strcmp(p->exprs.target, t->parts[0].exprs.target) != 0)
        return err_set(err, -ENOTSUP, "the tables that are merged into it have different columns");
    return 0;
}

int verify_look(struct verify_run *r, struct verify_table *t, struct err *err)
{
    int rc;

    table_free(t->def);
    t->def = NULL;
    rc = table_read(r->target, t->db, t->name, &t->def, err);
    if (rc == -ENOENT)
        return err_set(err, rc, "the target has no table %s.%s", t->db, t->name);
    t->ranges = true;
    free(t->reason); /* what is said of it is of an earlier look */
    t->reason = xstrdup("");
    for (unsigned i = 0; i < t->n_parts && rc == 0; i++)
        rc = look_at_part(r, t, &t->parts[i], err);
    return rc;
}
