/* precheck_table.c - the tables in scope, one by one: can the target hold them? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "route/router.h"
#include "unit/job.h"
#include "unit/precheck/precheck_priv.h"
#include "unit/precheck/precheck_shard.h"

int precheck_by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* --- the target's table --- */

static int by_name(const void *a, const void *b)
{
    const struct table_name *x = a, *y = b;
    int order = strcmp(x->db, y->db);

    return order ? order : strcmp(x->name, y->name);
}

static int by_folded_name(const void *a, const void *b)
{
    const struct table_name *x = a, *y = b;
    int order = strcasecmp(x->db, y->db);

    return order ? order : strcasecmp(x->name, y->name);
}

static int (*name_order(const struct tables *t))(const void *, const void *)
{
    return t->p->to.info.lower_case_table_names ? by_folded_name : by_name;
}

static const struct table_name *name_there(const struct tables *t, const struct route *r)
{
    struct table_name wanted = { .db = (char *)r->to_schema, .name = (char *)r->to_table };

    return t->there.n ? bsearch(&wanted, t->there.names, t->there.n, sizeof wanted, name_order(t))
                      : NULL;
}

static void check_empty(struct tables *t, const struct pair *pair)
{
    struct precheck *p = t->p;
    SCOPED(buf_fini) struct buf name = BUF_INIT, fix = BUF_INIT;
    SCOPED(freep) char *one = NULL;
    struct err err = ERR_INIT;
    int rc;

    sql_table(&name, pair->to->db, pair->to->name);
    rc = mysql_scalar(p->to.conn, &one, &err, "SELECT 1 FROM %s LIMIT 1", name.data);
    if (rc == -ENOENT)
        return;
    buf_printf(&fix, "type at the target: TRUNCATE TABLE %s", name.data);
    if (rc < 0)
        precheck_add(p, PRECHECK_FAIL, "target_table", NULL, "%s: %s", pair->label, err.text);
    else
        precheck_add(p, PRECHECK_FAIL, "target_table", fix.data,
                     "%s has rows at the target already", pair->label);
}

bool precheck_is_behind(const struct precheck *p)
{
    return p->scope.again || p->behind ||
           (p->job && (p->job->has_start || p->job->start_us) && !p->scope.dump);
}

static void check_there(struct tables *t, const struct pair *pair)
{
    struct precheck *p = t->p;

    if (!pair->to) {
        if (precheck_is_behind(p) && !p->scope.again)
            precheck_add(p, PRECHECK_WARN, "target_table", NULL,
                         "%s is not at the target: fine if the source made it after the place "
                         "where sync starts",
                         pair->label);
        else if (!p->scope.dump && !p->scope.again)
            precheck_add(p, PRECHECK_FAIL, "target_table",
                         "make it there, or use task_mode all, which copies it",
                         "%s is not at the target", pair->label);
        return;
    }
    if (!pair->to->transactional)
        precheck_add(p, PRECHECK_WARN, "engine", NULL,
                     "%s is %s at the target, without transactions: changes are applied at least "
                     "once",
                     pair->label, pair->to->engine ? pair->to->engine : "?");
    if (p->scope.dump && !p->scope.again && p->job->on_duplicate == ON_DUPLICATE_ERROR)
        check_empty(t, pair);
}

/* Shards start from what they are now; later their DDL says how they differ. */
static void check_shard(struct precheck *p, const struct pair *pair, const char *target)
{
    const struct table_def *from = pair->from;
    SCOPED(buf_fini) struct buf name = BUF_INIT;
    SCOPED(json_decrefp) json_t *mine = NULL;
    struct mysql_result *r = NULL;
    struct mysql_row row;
    struct err err = ERR_INIT;
    json_t *first;

    sql_table(&name, from->db, from->name);
    if (mysql_conn_queryf(p->from.conn, &r, &err, "SHOW CREATE TABLE %s", name.data) < 0)
        return; /* dropped meanwhile */
    if (mysql_result_next(r, &row, &err) == 1 && row.n_cols > 1) {
        SCOPED(freep) char *create = xstrndup(row.values[1], row.sizes[1]);
        SCOPED(buf_fini) struct buf make = BUF_INIT;

        sql_table(&make, pair->route.to_schema, pair->route.to_table);
        mine = precheck_shard_new(p->job->source, from->db, from->name, create,
                                  pair->to || !p->scope.dump ? NULL : make.data);
    }
    mysql_result_free(r);
    if (!mine)
        return;
    if (!p->report.shards)
        p->report.shards = json_object();
    first = json_object_get(p->report.shards, target);
    if (first)
        precheck_shard_compare(&p->report, p->job->shard_mode, first, mine);
    else
        json_object_set(p->report.shards, target, mine);
}

static void check_merged(struct tables *t, const struct pair *pair)
{
    char *target = xasprintf("%s.%s", pair->route.to_schema, pair->route.to_table);

    if (t->p->to.info.lower_case_table_names)
        for (char *c = target; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    if (json_object_get(t->taken, target) && t->p->job->shard_mode != SHARD_OFF)
        precheck_add(t->p, PRECHECK_WARN, "merge", NULL,
                     "%s: another table of the task becomes %s too: their keys must not collide",
                     pair->label, target);
    else if (json_object_get(t->taken, target))
        precheck_add(t->p, PRECHECK_FAIL, "merge", PRECHECK_MERGE_FIX,
                     "%s: another table of the task becomes %s too: equal keys would collide, "
                     "and a DROP, TRUNCATE or ALTER of one table would be done to the rows of "
                     "all",
                     pair->label, target);
    json_object_set_new(t->taken, target, json_true());
    if (t->p->job->shard_mode != SHARD_OFF && !t->p->scope.again)
        check_shard(t->p, pair, target);
    t->targets = xrealloc(t->targets, (t->n_targets + 1) * sizeof *t->targets);
    t->targets[t->n_targets++] = target;
}

/* --- one by one --- */

static char *label_of(const struct table_name *n, const struct route *r)
{
    if (strcmp(n->db, r->to_schema) == 0 && strcmp(n->name, r->to_table) == 0)
        return xasprintf("%s.%s", n->db, n->name);
    return xasprintf("%s.%s -> %s.%s", n->db, n->name, r->to_schema, r->to_table);
}

/* The account may know of a table and still not read it. */
static bool readable(struct tables *t, const struct pair *pair, const struct table_name *n)
{
    struct precheck *p = t->p;
    SCOPED(buf_fini) struct buf name = BUF_INIT;
    char fix[600];
    struct err err = ERR_INIT;

    if (grants_have(&p->from.grants, "SELECT", n->db))
        return true;
    sql_table(&name, n->db, n->name);
    if (mysql_conn_execf(p->from.conn, &err, "SELECT * FROM %s LIMIT 0", name.data) == 0)
        return true;
    snprintf(fix, sizeof fix, "type at the source: GRANT SELECT ON %s TO %s", name.data,
             p->from.account);
    precheck_add(p, PRECHECK_FAIL, "grants", err.sql == 1142 || err.sql == 1143 ? fix : NULL,
                 "%s: %s", pair->label, err.text);
    return false;
}

static int check_table(struct tables *t, const struct table_name *n, const struct route *r,
                       struct err *err)
{
    struct pair pair = { .route = *r, .label = label_of(n, r) };
    const struct table_name *there = name_there(t, r);
    int rc = 0;

    if (readable(t, &pair, n)) {
        rc = table_many_read(&t->from, n->db, n->name, &pair.from, err);
        if (rc == 0 && there)
            rc = table_many_read(&t->to, there->db, there->name, &pair.to, err);
        if (rc == -ENOENT) /* dropped meanwhile */
            rc = 0;
        else if (rc == 0) {
            precheck_keys(t, &pair);
            precheck_columns(t, &pair);
            check_there(t, &pair);
            check_merged(t, &pair);
        }
    }
    table_free(pair.from);
    table_free(pair.to);
    free(pair.label);
    return rc;
}

/* "echo '[...]' > block_allow_list/ignore_tables" with one table more in the list. */
static char *ignore_too(const struct job *job, const struct table_name *n)
{
    const json_t *now =
        json_object_get(json_object_get(job->doc, "block_allow_list"), "ignore_tables");
    json_t *list = now ? json_deep_copy(now) : json_array();
    char *text, *fix;

    json_array_append_new(list, json_pack("{s:s,s:s}", "db_name", n->db, "tbl_name", n->name));
    text = json_dumps(list, JSON_COMPACT);
    fix = xasprintf("type here: echo '%s' > block_allow_list/ignore_tables", text);
    free(text);
    json_decref(list);
    return fix;
}

static void check_sequence(struct tables *t, const struct table_name *n)
{
    SCOPED(freep) char *fix = NULL;

    if (t->p->to.info.flavor == FLAVOR_MARIADB)
        return;
    fix = ignore_too(t->p->job, n);
    precheck_add(t->p, t->p->scope.dump ? PRECHECK_FAIL : PRECHECK_WARN, "sequence", fix,
                 "%s.%s: the target has no sequences", n->db, n->name);
}

static int check_object(struct tables *t, const struct table_name *n, const struct route *r,
                        struct err *err)
{
    struct err why = ERR_INIT;

    if (n->kind == TABLE_VIEW) {
        t->n_views++;
        return 0;
    }
    if (n->kind == TABLE_SEQUENCE) {
        check_sequence(t, n);
        return 0;
    }
    t->n++;
    if (router_check(t->p->job->router, n->db, n->name, &why) < 0)
        precheck_add(t->p, PRECHECK_FAIL, "routes", "keep one of them: see table_migrate_rule",
                     "%s", why.text);
    return check_table(t, n, r, err);
}

static void no_tables(struct tables *t)
{
    static const char look[] = "see table_migrate_rule, and cat sources/*/tables";
    struct precheck *p = t->p;
    SCOPED(freep) char *fix = NULL;

    if (!grants_have(&p->from.grants, "SELECT", NULL))
        fix = xasprintf("type at the source: GRANT SELECT ON *.* TO %s (or %s)", p->from.account,
                        look);
    precheck_add(p, PRECHECK_FAIL, "tables", fix ? fix : look,
                 "no table of the source that the account can see is in scope");
}

/* How many definitions of each schema will be read. */
static void count_wanted(struct tables *t, const struct table_names *names)
{
    struct route r;

    for (unsigned i = 0; i < names->n; i++) {
        const struct table_name *n = &names->names[i], *there;

        if (n->kind != TABLE_BASE || !router_table(t->p->job->router, n->db, n->name, &r))
            continue;
        table_many_want(&t->from, n->db, 1);
        there = name_there(t, &r);
        if (there)
            table_many_want(&t->to, there->db, 1);
    }
}

static int check_all(struct tables *t, struct err *err)
{
    struct precheck *p = t->p;
    struct table_names names;
    struct route r;
    int rc = table_list(p->from.conn, NULL, &names, err);

    if (rc < 0)
        return rc;
    count_wanted(t, &names);
    for (unsigned i = 0; rc == 0 && i < names.n; i++) {
        const struct table_name *n = &names.names[i];

        if (router_table(p->job->router, n->db, n->name, &r))
            rc = check_object(t, n, &r, err);
    }
    precheck_online_lines(p, &names);
    if (rc == 0 && p->scope.dump)
        rc = precheck_left_lines(p, &names, err);
    table_names_fini(&names);
    if (t->n_views && p->scope.dump)
        precheck_right(p, &p->from, PRECHECK_WARN, "SHOW VIEW", NULL, "read how views are made");
    if (rc == 0 && t->n)
        precheck_add(p, PRECHECK_OK, "tables", NULL, "%u in scope, %u of them without a key", t->n,
                     t->n_keyless);
    else if (rc == 0)
        no_tables(t);
    return rc;
}

/* Triggers at the target would fire for what the source's triggers have done already. */
static int check_triggers(struct tables *t, struct err *err)
{
    struct mysql_result *r = NULL;
    struct mysql_row row;
    int rc = mysql_conn_queryf(t->p->to.conn, &r, err,
                               "SELECT CONCAT(event_object_schema, '.', event_object_table),"
                               " trigger_schema, trigger_name FROM information_schema.triggers"
                               " WHERE trigger_schema <> 'sys'");

    while (rc == 0 && (rc = mysql_result_next(r, &row, err)) > 0) {
        SCOPED(buf_fini) struct buf fix = BUF_INIT;
        bool ours = false;

        for (size_t i = 0; i < t->n_targets; i++)
            ours |= strcmp(t->targets[i], row.values[0]) == 0;
        rc = 0;
        if (!ours)
            continue;
        buf_str(&fix, "type at the target: DROP TRIGGER ");
        sql_table(&fix, row.values[1], row.values[2]);
        precheck_add(
            t->p, PRECHECK_FAIL, "triggers", fix.data,
            "%s has the trigger %s at the target: it would fire for rows that the source's "
            "triggers have changed already",
            row.values[0], row.values[2]);
    }
    mysql_result_free(r);
    return rc;
}

/* --- what the target has --- */

static int read_collations(struct tables *t, struct err *err)
{
    /* MariaDB since 10.10 lists uca1400 without its character sets, but for here. */
    bool full = t->p->to.info.flavor == FLAVOR_MARIADB && t->p->to.info.version >= 101001;
    struct mysql_result *r = NULL;
    struct mysql_row row;
    int rc = mysql_conn_queryf(t->p->to.conn, &r, err,
                               "SELECT %s FROM"
                               " information_schema.collation_character_set_applicability",
                               full ? "full_collation_name" : "collation_name");

    while (rc == 0 && (rc = mysql_result_next(r, &row, err)) > 0) {
        t->collations = xrealloc(t->collations, (t->n_collations + 1) * sizeof *t->collations);
        t->collations[t->n_collations++] = xstrndup(row.values[0], row.sizes[0]);
        rc = 0;
    }
    mysql_result_free(r);
    if (rc == 0)
        qsort(t->collations, t->n_collations, sizeof *t->collations, precheck_by_text);
    return rc;
}

static void free_texts(char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
    free(texts);
}

/* For what only some schemas have. */
static void check_special_rights(struct tables *t, const char *schema)
{
    static const char *const views[] = { "CREATE VIEW", "SHOW VIEW", NULL };
    struct precheck *p = t->p;

    if (t->n_foreign)
        precheck_right(p, &p->to, PRECHECK_FAIL, "REFERENCES", schema, "make foreign keys");
    if (t->n_views && p->scope.dump)
        precheck_rights(p, &p->to, PRECHECK_WARN, views, schema, "make views");
    precheck_right(p, &p->to, PRECHECK_WARN, "TRIGGER", schema,
                   "see triggers, which would fire for rows that those of the source have changed");
}

/* Each target schema once. */
static void check_schema_rights(struct tables *t)
{
    static const char *const rights[] = { "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE",
                                          "ALTER",  "DROP",   "INDEX",  NULL };
    char last[200] = "";

    if (t->n_targets)
        qsort(t->targets, t->n_targets, sizeof *t->targets, precheck_by_text);
    for (size_t i = 0; i < t->n_targets; i++) {
        char schema[200];

        snprintf(schema, sizeof schema, "%.*s", (int)strcspn(t->targets[i], "."), t->targets[i]);
        if (strcmp(schema, last) == 0)
            continue;
        if (precheck_rights(t->p, &t->p->to, PRECHECK_FAIL, rights, schema,
                            "write what the source has"))
            precheck_add(t->p, PRECHECK_OK, "grants", NULL, "target: %s can be written", schema);
        check_special_rights(t, schema);
        memcpy(last, schema, sizeof last);
    }
}

static void check_letter_case(struct tables *t)
{
    unsigned from = t->p->from.info.lower_case_table_names;
    unsigned to = t->p->to.info.lower_case_table_names;

    if ((from == 0) != (to == 0))
        precheck_add(t->p, PRECHECK_WARN, "lower_case_table_names", NULL,
                     "%u at the source, %u at the target: names that differ in letter case only "
                     "are %s",
                     from, to, to ? "one table there" : "two tables there");
}

int precheck_table_lines(struct precheck *p, struct err *err)
{
    struct tables t = {
        .p = p, .from.conn = p->from.conn, .to.conn = p->to.conn, .taken = json_object()
    };
    int rc = table_list(p->to.conn, NULL, &t.there, err);

    if (t.there.n)
        qsort(t.there.names, t.there.n, sizeof *t.there.names, name_order(&t));
    if (rc == 0)
        rc = read_collations(&t, err);
    if (rc == 0)
        rc = check_all(&t, err);
    if (rc == 0)
        rc = check_triggers(&t, err);
    if (rc == 0) {
        check_schema_rights(&t);
        check_letter_case(&t);
    }
    table_many_fini(&t.from);
    table_many_fini(&t.to);
    table_names_fini(&t.there);
    free_texts(t.collations, t.n_collations);
    json_decref(t.taken);
    json_decref(t.joined.names);
    free(t.joined.schema);
    p->report.targets = t.targets;
    p->report.n_targets = t.n_targets;
    return rc;
}
