/* precheck_column.c - can the target hold each column as it is? */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/copy/copy_dialect.h"
#include "unit/job.h"
#include "unit/precheck/precheck_fit.h"
#include "unit/precheck/precheck_priv.h"

static void check_type(struct tables *t, const struct pair *pair, const struct table_column *col)
{
    struct precheck *p = t->p;
    struct type_change c = dialect_type(precheck_kind(&p->from), precheck_kind(&p->to),
                                        col->data_type, col->column_type);

    if (c.fidelity == FIDELITY_EXACT)
        return;
    precheck_add(p, c.fidelity == FIDELITY_REFUSED ? PRECHECK_FAIL : PRECHECK_WARN, "type", NULL,
                 "%s.%s is %s%s%s: %s", pair->label, col->name, col->data_type,
                 c.to ? ", there " : "", c.to ? c.to : "", c.note);
}

static bool target_has_collation(const struct tables *t, const char *name)
{
    return bsearch(&name, t->collations, t->n_collations, sizeof *t->collations,
                   precheck_by_text) != NULL;
}

static bool in_unique_key(const struct table_def *def, unsigned col)
{
    for (unsigned k = 0; k < def->n_keys; k++)
        for (unsigned part = 0; def->keys[k].unique && part < def->keys[k].n_parts; part++)
            if (def->keys[k].cols[part] == col)
                return true;
    return false;
}

/* A collation is looked at once a table, unless it is in a unique key. */
static void check_collation(struct tables *t, const struct pair *pair, unsigned at)
{
    struct precheck *p = t->p;
    const struct table_column *col = &pair->from->cols[at];
    struct collation_change c;
    bool unique = in_unique_key(pair->from, at);

    if (!col->collation || target_has_collation(t, col->collation))
        return;
    for (unsigned i = 0; i < at && !unique; i++)
        if (pair->from->cols[i].collation &&
            strcmp(pair->from->cols[i].collation, col->collation) == 0)
            return;
    c = dialect_collation(precheck_kind(&p->from), precheck_kind(&p->to), col->collation);
    if (!target_has_collation(t, c.to))
        precheck_add(p, PRECHECK_FAIL, "collation", NULL,
                     "%s.%s is %s, for which the target has nothing", pair->label, col->name,
                     col->collation);
    else if (unique && c.coarser)
        precheck_add(p, PRECHECK_FAIL, "collation", NULL,
                     "%s.%s, in a unique key, is %s, there %s: rows that differ here may be equal "
                     "there (%s)",
                     pair->label, col->name, col->collation, c.to, c.note);
    else if (c.fidelity != FIDELITY_EXACT)
        precheck_add(p, PRECHECK_WARN, "collation", NULL, "%s.%s is %s, there %s: %s", pair->label,
                     col->name, col->collation, c.to, c.note);
}

/* What the whole statement says when the other flavour has to take it. */
static void check_translation(struct tables *t, const struct pair *pair)
{
    struct server_kind from = precheck_kind(&t->p->from), to = precheck_kind(&t->p->to);
    SCOPED(buf_fini) struct buf name = BUF_INIT, there = BUF_INIT;
    struct mysql_result *r = NULL;
    struct mysql_row row;
    struct err err = ERR_INIT;

    sql_table(&name, pair->from->db, pair->from->name);
    if (mysql_conn_queryf(t->p->from.conn, &r, &err, "SHOW CREATE TABLE %s", name.data) < 0)
        return; /* dropped meanwhile */
    if (mysql_result_next(r, &row, &err) > 0 &&
        copy_dialect_create(row.values[1], from, to, &there, &err) < 0)
        precheck_add(t->p, PRECHECK_FAIL, "type", NULL,
                     "%s cannot be made at the target: %s; make it there without, or leave it out",
                     pair->label, err.text);
    mysql_result_free(r);
}

/* --- columns that say where rows are from --- */

static void extracted_of(const struct tables *t, const struct pair *pair,
                         struct router_extracted *ret)
{
    *ret = (struct router_extracted){ .n = 0 };
    if (t->p->job) /* not the source alone */
        router_extracted(t->p->job->router, t->p->job->source, pair->from->db, pair->from->name,
                         ret);
}

static bool is_extracted(const struct router_extracted *x, const char *column)
{
    for (unsigned i = 0; i < x->n; i++)
        if (strcasecmp(x->at[i].column, column) == 0)
            return true;
    return false;
}

/* The target's table is the user's to make. */
static void check_extracted(struct tables *t, const struct pair *pair)
{
    SCOPED(buf_fini) struct buf fix = BUF_INIT;
    struct router_extracted x;

    extracted_of(t, pair, &x);
    for (unsigned i = 0; i < x.n; i++) {
        buf_clear(&fix);
        if (pair->to && table_column_find(pair->to, x.at[i].column) >= 0)
            continue;
        buf_str(&fix, "type at the target: ALTER TABLE ");
        sql_table(&fix, pair->route.to_schema, pair->route.to_table);
        buf_str(&fix, " ADD COLUMN ");
        sql_ident(&fix, slice_str(x.at[i].column));
        buf_str(&fix, " VARCHAR(255) NOT NULL DEFAULT ''");
        precheck_add(t->p, PRECHECK_FAIL, "columns", pair->to ? fix.data : NULL,
                     pair->to
                         ? "%s: the target has no column %s, which extract_* is to fill"
                         : "%s: the target has no such table: make it first, with the source's "
                           "columns and %s, which extract_* is to fill",
                     pair->label, x.at[i].column);
        if (!pair->to)
            return;
    }
}

/* Columns that only the target has must be able to do without a value. */
static void check_more_columns(struct tables *t, const struct pair *pair)
{
    struct precheck *p = t->p;
    bool equal = p->scope.dump && p->job->shard_mode != SHARD_OPTIMISTIC; /* for a copy */
    SCOPED(buf_fini) struct buf fix = BUF_INIT;
    struct router_extracted x;

    extracted_of(t, pair, &x);
    for (unsigned i = 0; i < pair->to->n_cols; i++) {
        const struct table_column *col = &pair->to->cols[i];

        if (table_column_find(pair->from, col->name) >= 0 || (!col->needs_value && !equal) ||
            is_extracted(&x, col->name))
            continue;
        if (precheck_is_behind(p)) {
            precheck_add(p, PRECHECK_WARN, "columns", NULL,
                         "%s: the source has no column %s now: fine if it had where sync starts",
                         pair->label, col->name);
            continue;
        }
        buf_clear(&fix);
        buf_str(&fix, "type at the target: ALTER TABLE ");
        sql_table(&fix, pair->to->db, pair->to->name);
        buf_str(&fix, equal ? " DROP COLUMN " : " MODIFY ");
        sql_ident(&fix, slice_str(col->name));
        if (!equal)
            buf_printf(&fix, " %s NULL", col->column_type);
        precheck_add(p, PRECHECK_FAIL, "columns", fix.data, "%s: the source has no column %s%s",
                     pair->label, col->name,
                     equal ? ", and a copy needs equal columns"
                           : ", which cannot be NULL and has no default");
    }
}

static void check_missing(struct tables *t, const struct pair *pair, const struct table_column *col)
{
    SCOPED(buf_fini) struct buf fix = BUF_INIT;

    if (precheck_is_behind(t->p)) {
        precheck_add(t->p, PRECHECK_WARN, "columns", NULL,
                     "%s: the target has no column %s: fine if the source had none where sync "
                     "starts",
                     pair->label, col->name);
        return;
    }
    buf_str(&fix, "type at the target: ALTER TABLE ");
    sql_table(&fix, pair->to->db, pair->to->name);
    buf_str(&fix, " ADD COLUMN ");
    sql_ident(&fix, slice_str(col->name));
    buf_printf(&fix, " %s", col->column_type);
    if (col->collation)
        buf_printf(
            &fix, " COLLATE %s",
            dialect_collation(precheck_kind(&t->p->from), precheck_kind(&t->p->to), col->collation)
                .to);
    buf_str(&fix, col->nullable ? " NULL" : " NOT NULL");
    precheck_add(t->p, PRECHECK_FAIL, "columns", fix.data, "%s: the target has no column %s",
                 pair->label, col->name);
}

/* Makes the target's column as the source's is; between flavours the words may be others. */
static void print_modify(const struct tables *t, const struct pair *pair,
                         const struct table_column *col, struct buf *fix)
{
    if (t->p->from.info.flavor != t->p->to.info.flavor)
        return;
    buf_str(fix, "type at the target: ALTER TABLE ");
    sql_table(fix, pair->to->db, pair->to->name);
    buf_str(fix, " MODIFY ");
    sql_ident(fix, slice_str(col->name));
    buf_printf(fix, " %s", col->column_type);
    if (col->collation)
        buf_printf(fix, " COLLATE %s", col->collation);
    buf_str(fix, col->nullable ? " NULL" : " NOT NULL");
}

/* A unique key that was at the target before us, for which two of our values may be one. */
static void check_coarser(struct tables *t, const struct pair *pair, const struct table_column *col)
{
    const struct precheck *p = t->p;
    int at = table_column_find(pair->to, col->name);
    const char *there = at < 0 ? NULL : pair->to->cols[at].collation;
    SCOPED(buf_fini) struct buf fix = BUF_INIT;

    if (!there || !col->collation || p->scope.again || !in_unique_key(pair->to, (unsigned)at) ||
        !collation_is_coarser(col->collation, there))
        return;
    print_modify(t, pair, col, &fix);
    precheck_add(t->p, precheck_is_behind(p) ? PRECHECK_WARN : PRECHECK_FAIL, "collation",
                 fix.size ? fix.data : NULL,
                 "%s.%s is %s; in a unique key of the target it is %s: rows that differ here may "
                 "be equal there",
                 pair->label, col->name, col->collation, there);
}

/* A column that was at the target before us, and takes our values for others. */
static void check_fit(struct tables *t, const struct pair *pair, const struct table_column *col)
{
    const struct precheck *p = t->p;
    int at = table_column_find(pair->to, col->name);
    const struct table_column *there = at < 0 ? NULL : &pair->to->cols[at];
    const char *why = there && !there->generated ? column_misfit(col, there) : NULL;
    SCOPED(buf_fini) struct buf fix = BUF_INIT;

    if (!why || p->scope.again)
        return;
    print_modify(t, pair, col, &fix);
    precheck_add(t->p, precheck_is_behind(p) ? PRECHECK_WARN : PRECHECK_FAIL, "type",
                 fix.size ? fix.data : NULL, "%s.%s is %s%s%s, there %s%s%s: %s", pair->label,
                 col->name, col->column_type, col->charset ? " " : "",
                 col->charset ? col->charset : "", there->column_type, there->charset ? " " : "",
                 there->charset ? there->charset : "", why);
}

void precheck_columns(struct tables *t, const struct pair *pair)
{
    struct precheck *p = t->p;
    bool invisible = false;

    check_extracted(t, pair);
    for (unsigned i = 0; i < pair->from->n_cols; i++) {
        const struct table_column *col = &pair->from->cols[i];

        if (pair->to && !col->generated && table_column_find(pair->to, col->name) < 0)
            check_missing(t, pair, col);
        if (pair->to && !col->generated) {
            check_fit(t, pair, col);
            check_coarser(t, pair, col);
        }
        if (!pair->to) {
            check_type(t, pair, col);
            check_collation(t, pair, i);
        }
        invisible |= col->invisible;
    }
    if (pair->to)
        check_more_columns(t, pair);
    else if (p->scope.dump && p->from.info.flavor != p->to.info.flavor)
        check_translation(t, pair);
    if (invisible && !dialect_of(p->to.conn)->invisible_columns)
        precheck_add(p, PRECHECK_WARN, "columns", NULL,
                     "%s: invisible columns are visible at the target", pair->label);
}
