/* The list of a run, and what it says about the stream's changes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/refill/refill_priv.h"

/* A server with lower_case_table_names logs a statement as it was typed. */
static struct refill_entry *refill_find(const struct refill *f, const char *schema,
                                        const char *table)
{
    for (unsigned i = 0; f && i < f->n; i++)
        if (strcasecmp(f->entries[i].row.schema, schema) == 0 &&
            strcasecmp(f->entries[i].row.table, table) == 0)
            return &f->entries[i];
    return NULL;
}

bool refill_reached(const struct sync_run *r, const char *server, const struct position *p)
{
    const struct position *at = &r->grouper.pos;

    if (!p->file[0] || strcmp(server, r->cp.source_id) == 0)
        return position_compare(at, p) >= 0;
    return p->gtids && at->gtids && gtid_set_subset(p->gtids, at->gtids);
}

/* Is the transaction at hand one of those up to 'p'? */
static bool within(const struct sync_run *r, const struct refill_row *row, const struct position *p)
{
    bool same_server = strcmp(row->source_id, r->cp.source_id) == 0;
    bool by_gtid = p->gtids && r->at_gtid && r->at_gtid->number && !same_server;

    if (!p->file[0] || !r->at)
        return false;
    return by_gtid ? gtid_set_has(p->gtids, r->at_gtid) : position_compare(r->at, p) <= 0;
}

static enum copy_when when(const struct sync_run *r, const struct refill_entry *e)
{
    const struct refill_row *row = &e->row;

    switch (row->state) {
    case REFILL_NEW:
        return row->create || e->absent ? COPY_SKIP : COPY_APPLY;
    case REFILL_FAILED:
        if (row->create && !row->key[0])
            return COPY_SKIP;
        return row->at[0] ? COPY_SAFE : COPY_APPLY;
    case REFILL_LOADING:
    case REFILL_SETTLING:
        if (within(r, row, &row->skip))
            return COPY_SKIP;
        return row->whole ? COPY_APPLY : COPY_SAFE;
    case REFILL_DONE:
        break;
    }
    return COPY_APPLY;
}

enum copy_when refill_when(const struct sync_run *r, const char *schema, const char *table)
{
    const struct refill_entry *e = refill_find(r->refill, schema, table);

    return e ? when(r, e) : COPY_APPLY;
}

bool refill_skips_ddl(const struct sync_run *r, const char *schema, const char *table)
{
    const struct refill_entry *e = refill_find(r->refill, schema, table);

    return e && (when(r, e) == COPY_SKIP ||
                 (e->row.state != REFILL_DONE && within(r, &e->row, &e->row.ddl)));
}

bool refill_outran(const struct sync_run *r, const char *schema, const char *table)
{
    const struct refill_entry *e = refill_find(r->refill, schema, table);

    return e && e->row.state != REFILL_DONE && within(r, &e->row, &e->row.ddl);
}

bool refill_any(const struct refill *f)
{
    for (unsigned i = 0; f && i < f->n; i++)
        if (f->entries[i].row.state != REFILL_DONE)
            return true;
    return false;
}

bool refill_concerns(const struct refill *f, const char *schema, const char *table)
{
    const struct refill_entry *e = refill_find(f, schema, table);

    return e && e->row.state != REFILL_DONE;
}

/* --- reading it --- */

static int target_has(struct sync_run *r, const struct route *to, bool *ret, struct err *err)
{
    SCOPED(freep) char *n = NULL;
    int rc = sql_scalar(r->admin, &n, err,
                        "SELECT COUNT(*) FROM information_schema.TABLES WHERE "
                        "TABLE_SCHEMA=_utf8mb4%q AND TABLE_NAME=_utf8mb4%q",
                        to->to_schema, to->to_table);

    *ret = rc == 0 && strcmp(n, "0") != 0;
    return rc;
}

/* What the task no longer covers is nobody's business. */
static int add(struct refill *f, struct sync_run *r, struct refill_row *row, struct err *err)
{
    struct refill_entry e = { .row = *row };
    struct route to;
    bool has = false;
    int rc;

    if (!router_table(r->job->router, row->schema, row->table, &to)) {
        refill_row_fini(row);
        return 0;
    }
    rc = target_has(r, &to, &has, err);
    e.absent = !has;
    f->entries = xrealloc(f->entries, (f->n + 1) * sizeof *f->entries);
    f->entries[f->n++] = e;
    *row = (struct refill_row){ .schema = NULL };
    return rc;
}

int refill_open(struct refill **ret, struct sync_run *r, struct err *err)
{
    struct refill *f = xcalloc(1, sizeof *f);
    struct refill_row *rows = NULL;
    unsigned n = 0;
    int rc = refill_state_create(r->admin, r->job, err);

    job_link_init(&f->link, r->job);
    if (rc == 0)
        rc = refill_state_read(r->admin, r->job, r->flavor, &rows, &n, err);
    for (unsigned i = 0; rc == 0 && i < n; i++)
        rc = add(f, r, &rows[i], err);
    refill_rows_free(rows, n);
    if (rc < 0) {
        refill_free(f);
        return rc;
    }
    *ret = f;
    return 0;
}

void refill_stop(struct refill *f)
{
    if (f)
        job_link_stop(&f->link);
}

void refill_free(struct refill *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < f->n; i++) {
        refill_row_fini(&f->entries[i].row);
        position_fini(&f->entries[i].not_before);
    }
    free(f->entries);
    if (f->source)
        job_link_close(&f->link, f->source);
    job_link_fini(&f->link);
    free(f);
}

/* --- showing it --- */

json_t *refill_json(const struct refill *f)
{
    json_t *all = json_array();

    for (unsigned i = 0; f && i < f->n; i++) {
        const struct refill_row *row = &f->entries[i].row;
        SCOPED(freep) char *name = xasprintf("%s.%s", row->schema, row->table);

        json_array_append_new(
            all, json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:b, s:s}", "table", name, "state",
                           refill_state_names[row->state], "where", row->where, "rows",
                           (json_int_t)row->rows, "rows_estimated", (json_int_t)row->estimated,
                           "way", row->whole ? "whole" : "chunks", "keeps_extra_rows",
                           row->keep_extra, "reason", row->reason ? row->reason : ""));
    }
    return all;
}
