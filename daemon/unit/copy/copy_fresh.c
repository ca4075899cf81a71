/*
 * Tables that the target does not have yet, and remembers nothing of: all there are, as a rule.
 * They are made over several connections, what the target made of them is read a schema at a
 * time, and their states are written many in a transaction: with thousands of tables the questions
 * about each are what a copy waits for.  What does not fit here is left to copy_schema().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/table_many.h"
#include "unit/copy/copy_engine.h"
#include "unit/schema/schema_store.h"

enum {
    AT_ONCE = 200, /* states in one transaction */
    FEW = 8,       /* tables that are not worth it */
    ER_TABLE_EXISTS = 1050,
};

struct fresh {
    struct copy *copy;
    struct copy_table **all;
    unsigned n;
    atomic_uint next;
    struct mutex lock;
    struct err err GUARDED; /* the first */
};

struct fresh_thread {
    struct fresh *fresh;
    struct mysql_conn *conn;
    pthread_t thread;
};

/* --- which --- */

static int by_name(const void *a, const void *b)
{
    const struct table_name *x = a, *y = b;
    int order = strcmp(x->db, y->db);

    return order ? order : strcmp(x->name, y->name);
}

static bool is_there(const struct table_names *names, const struct copy_table *t)
{
    struct table_name wanted = { .db = (char *)t->to.to_schema, .name = (char *)t->to.to_table };

    return names->n && bsearch(&wanted, names->names, names->n, sizeof wanted, by_name);
}

static bool may_be_fresh(const struct copy_table *t)
{
    return t->row.state == COPY_TABLE_NEW && !t->merged && !t->sequence && !t->extra.n &&
           !atomic_load(&t->again);
}

static int choose(struct copy *c, const struct copy_tables *tables, struct fresh *f,
                  struct err *err)
{
    struct table_names names = { .n = 0 };
    int rc = table_list(c->target, NULL, &names, err);

    if (rc < 0)
        return rc;
    if (names.n)
        qsort(names.names, names.n, sizeof *names.names, by_name);
    f->all = xcalloc(tables->n + 1, sizeof(struct copy_table *));
    for (unsigned i = 0; i < tables->n; i++)
        if (may_be_fresh(tables->all[i]) && !is_there(&names, tables->all[i]))
            f->all[f->n++] = tables->all[i];
    table_names_fini(&names);
    return 0;
}

/* --- making them --- */

static void failed(struct fresh *f, const struct err *err)
{
    mutex_lock(&f->lock);
    if (!f->err.code)
        f->err = *err;
    mutex_unlock(&f->lock);
    atomic_store(&f->next, f->n); /* the others end */
}

static void *make(void *arg)
{
    struct fresh_thread *t = arg;
    struct fresh *f = t->fresh;
    unsigned i;

    while ((i = atomic_fetch_add(&f->next, 1)) < f->n) {
        struct err err = ERR_INIT;
        int rc = copy_schema_make(f->copy, t->conn, f->all[i], &err);

        f->all[i]->made = rc == 0;
        if (rc < 0 && err.sql != ER_TABLE_EXISTS) { /* under a name in other letters */
            err_wrap(&err, "%s", f->all[i]->label);
            failed(f, &err);
            break;
        }
    }
    return NULL;
}

static int make_all(struct fresh *f, struct err *err)
{
    struct copy *c = f->copy;
    unsigned n = copy_threads(c->job) < f->n ? copy_threads(c->job) : f->n, open = 0;
    SCOPED(freep) struct fresh_thread *threads = xcalloc(n + 1, sizeof *threads);
    int rc = 0;

    for (; rc == 0 && open < n; open += rc == 0) {
        threads[open].fresh = f;
        rc = job_link_target(&c->link, &c->fence, &threads[open].conn, err);
    }
    for (unsigned i = 0; rc == 0 && i < n; i++)
        threads[i].thread = thread_start("copy make", make, &threads[i]);
    for (unsigned i = 0; rc == 0 && i < n; i++)
        thread_join(threads[i].thread);
    for (unsigned i = 0; i < open; i++)
        job_link_close(&c->link, threads[i].conn);
    mutex_lock(&f->lock);
    if (rc == 0 && f->err.code) {
        *err = f->err;
        rc = err->code;
    }
    mutex_unlock(&f->lock);
    return rc;
}

/* --- what the target made of them --- */

static int look(struct fresh *f, struct table_many *defs, struct copy_table *t, bool *mirror,
                struct err *err)
{
    struct table_def *there = NULL;
    int rc = table_many_read(defs, t->to.to_schema, t->to.to_table, &there, err);

    if (rc == -ENOENT) { /* somebody dropped it at once */
        *err = ERR_INIT;
        t->made = false;
        return 0;
    }
    if (rc < 0)
        return rc;
    *mirror = copy_schema_columns(f->copy, t, there);
    table_free(there);
    rc = *mirror ? 0 : copy_schema_keep(f->copy, t, err);
    return rc == 0 ? copy_schema_cut(f->copy, t, err) : rc;
}

/* What sync has to know of the tables is on disk before the target says that they are ours. */
static int remember(struct fresh *f, struct copy_table **all, const bool *mirrors, unsigned n,
                    struct err *err)
{
    struct copy *c = f->copy;
    unsigned last = n;
    int rc = 0;

    for (unsigned i = 0; i < n; i++)
        last = mirrors[i] ? i : last;
    for (unsigned i = 0; rc == 0 && i < n; i++)
        if (mirrors[i])
            rc = schema_store_mirrored(c->job, all[i]->def->db, all[i]->def->name, i == last, err);
    return rc == 0 ? copy_state_put_new(c->target, c->job, all, n, err) : rc;
}

static int begin(struct fresh *f, struct table_many *defs, unsigned first, struct err *err)
{
    struct copy_table *all[AT_ONCE];
    bool mirrors[AT_ONCE] = { false };
    unsigned n = 0;
    int rc = 0;

    for (unsigned i = first; rc == 0 && i < f->n && i < first + AT_ONCE; i++) {
        rc = f->all[i]->made ? look(f, defs, f->all[i], &mirrors[n], err) : 0;
        if (f->all[i]->made)
            all[n++] = f->all[i];
    }
    if (rc == 0 && n)
        rc = remember(f, all, mirrors, n, err);
    for (unsigned i = 0; rc == 0 && i < n; i++)
        atomic_store(&all[i]->state, COPY_TABLE_LOADING);
    return rc;
}

static int begin_all(struct fresh *f, struct err *err)
{
    struct table_many defs = { .conn = f->copy->target };
    int rc = 0;

    for (unsigned i = 0; i < f->n; i++)
        if (f->all[i]->made)
            table_many_want(&defs, f->all[i]->to.to_schema, 1);
    for (unsigned i = 0; rc == 0 && i < f->n; i += AT_ONCE)
        rc = begin(f, &defs, i, err);
    table_many_fini(&defs);
    return rc;
}

int copy_fresh(struct copy *c, const struct copy_tables *tables, struct err *err)
{
    struct fresh f = { .copy = c };
    int rc = 0;

    if (c->way != &copy_way_stream || tables->n < FEW)
        return 0;
    mutex_init(&f.lock);
    rc = choose(c, tables, &f, err);
    if (rc == 0 && f.n >= FEW) {
        rc = make_all(&f, err);
        if (rc == 0)
            rc = begin_all(&f, err);
    }
    mutex_fini(&f.lock);
    free(f.all);
    return rc;
}
