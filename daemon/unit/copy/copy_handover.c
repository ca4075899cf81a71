/* The rounds and tables of a finished copy, as sync wants them: copy_state.h. */
#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/copy/copy_state.h"

struct round {
    unsigned no;
    struct position low, high;
};

static void rounds_free(struct round *rounds, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        position_fini(&rounds[i].low);
        position_fini(&rounds[i].high);
    }
    free(rounds);
}

static int position_read(const struct mysql_row *row, unsigned col, enum flavor flavor,
                         struct position *p, struct err *err)
{
    SCOPED(freep) char *gtids = mysql_row_text(row, col + 2);

    snprintf(p->file, sizeof p->file, "%.*s", (int)row->sizes[col], row->values[col]);
    p->offset = mysql_row_u64(row, col + 1);
    return gtids ? gtid_set_parse(&p->gtids, flavor, gtids, err) : 0;
}

static int rounds_read(struct mysql_conn *c, const struct job *job, struct round **ret, unsigned *n,
                       struct err *err)
{
    struct round *rounds = NULL;
    struct mysql_result *r;
    struct mysql_row row;
    unsigned n_rounds = 0;
    int rc = sql_query(c, &r, err,
                       "SELECT round, flavor, low_file, low_offset, low_gtids, "
                       "high_file, high_offset, high_gtids FROM %i.sluice_copy_round "
                       "WHERE task = %q AND source = %q ORDER BY round",
                       job->meta_schema, job->task, job->source);

    if (rc < 0)
        return rc;
    while ((rc = mysql_result_next(r, &row, err)) > 0) {
        enum flavor flavor = (enum flavor)mysql_row_u64(&row, 1);
        struct round *round;

        rounds = xrealloc(rounds, (n_rounds + 1) * sizeof *rounds);
        round = &rounds[n_rounds++];
        *round = (struct round){ .no = (unsigned)mysql_row_u64(&row, 0) };
        rc = position_read(&row, 2, flavor, &round->low, err);
        if (rc == 0)
            rc = position_read(&row, 5, flavor, &round->high, err);
        if (rc < 0)
            break;
    }
    mysql_result_free(r);
    if (rc < 0) {
        rounds_free(rounds, n_rounds);
        return rc;
    }
    *ret = rounds;
    *n = n_rounds;
    return 0;
}

static const struct round *round_find(const struct round *rounds, unsigned n, unsigned no)
{
    for (unsigned i = 0; i < n; i++)
        if (rounds[i].no == no)
            return &rounds[i];
    return NULL;
}

static void window_add(struct copy_handover *h, const struct copy_table_row *t,
                       const struct round *first, const struct round *last)
{
    struct copy_window *w;

    h->windows = xrealloc(h->windows, (h->n_windows + 1) * sizeof *h->windows);
    w = &h->windows[h->n_windows++];
    *w = (struct copy_window){ .schema = xstrdup(t->schema), .table = xstrdup(t->table) };
    position_copy(&w->skip, &first->low);
    position_copy(&w->safe, &last->high);
}

/* Positions of one source only grow with the rounds, so the oldest round that
 * still has a table is the start. */
static int handover_fill(struct copy_handover *h, const struct round *rounds, unsigned n_rounds,
                         const struct copy_table_row *tables, unsigned n_tables, struct err *err)
{
    const struct round *start = NULL;

    for (unsigned i = 0; i < n_tables; i++) {
        const struct round *first = round_find(rounds, n_rounds, tables[i].first_round);

        if (!first || !round_find(rounds, n_rounds, tables[i].last_round))
            return err_set(err, -EIO, "%s.%s was read in a round that is not recorded",
                           tables[i].schema, tables[i].table);
        if (!start || first->no < start->no)
            start = first;
    }
    if (!start)
        start = &rounds[n_rounds - 1]; /* no table at all: all that comes is new */
    position_copy(&h->start, &start->low);
    for (unsigned i = 0; i < n_tables; i++) {
        const struct round *first = round_find(rounds, n_rounds, tables[i].first_round);
        const struct round *last = round_find(rounds, n_rounds, tables[i].last_round);

        if (first != start || last != start || position_compare(&last->low, &last->high) != 0)
            window_add(h, &tables[i], first, last);
    }
    return 0;
}

int copy_handover_read(struct mysql_conn *target, const struct job *job, struct copy_handover *ret,
                       struct err *err)
{
    struct copy_handover h = { .n_windows = 0 };
    struct copy_table_row *tables = NULL;
    struct round *rounds = NULL;
    unsigned n_tables = 0, n_rounds = 0;
    int rc = copy_state_finished(target, job, err);

    if (rc == 0)
        return err_set(err, -ENOENT, "no finished copy of %s for task %s", job->source, job->task);
    if (rc > 0)
        rc = rounds_read(target, job, &rounds, &n_rounds, err);
    if (rc == 0)
        rc = copy_state_tables(target, job, &tables, &n_tables, err);
    if (rc == 0 && n_rounds == 0)
        rc = err_set(err, -ENOENT, "the copy of %s for task %s was DM's", job->source, job->task);
    if (rc == 0)
        rc = handover_fill(&h, rounds, n_rounds, tables, n_tables, err);
    rounds_free(rounds, n_rounds);
    copy_state_rows_free(tables, n_tables);
    if (rc < 0) {
        copy_handover_fini(&h);
        return err_wrap(err, "reading what the copy left");
    }
    *ret = h;
    return 0;
}

void copy_handover_fini(struct copy_handover *h)
{
    for (unsigned i = 0; i < h->n_windows; i++) {
        free(h->windows[i].schema);
        free(h->windows[i].table);
        position_fini(&h->windows[i].skip);
        position_fini(&h->windows[i].safe);
    }
    free(h->windows);
    position_fini(&h->start);
    *h = (struct copy_handover){ .n_windows = 0 };
}

const struct copy_window *copy_handover_find(const struct copy_handover *h, const char *schema,
                                             const char *table)
{
    for (unsigned i = 0; i < h->n_windows; i++)
        if (strcmp(h->windows[i].schema, schema) == 0 && strcmp(h->windows[i].table, table) == 0)
            return &h->windows[i];
    return NULL;
}

/* By GTID where that is how we stream: after a failover offsets mean nothing. */
static bool within(const struct position *p, bool by_gtid, const struct gtid *gtid,
                   const struct position *end)
{
    if (by_gtid && p->gtids && gtid && gtid->number)
        return gtid_set_has(p->gtids, gtid);
    return position_compare(end, p) <= 0;
}

enum copy_when copy_window_when(const struct copy_window *w, bool by_gtid, const struct gtid *gtid,
                                const struct position *end)
{
    if (!w)
        return COPY_APPLY;
    if (within(&w->skip, by_gtid, gtid, end))
        return COPY_SKIP;
    return within(&w->safe, by_gtid, gtid, end) ? COPY_SAFE : COPY_APPLY;
}
