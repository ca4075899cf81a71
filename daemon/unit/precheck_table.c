/* precheck_table.c - the tables in scope, one by one: can the target hold them? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/router.h"
#include "unit/job.h"
#include "unit/precheck_priv.h"

/* A table in scope. */
struct pair {
    struct table_def *from, *to; /* to: NULL if the target does not have it */
    struct route route;
    char *label; /* "shop.orders", or "shop.orders -> s2.orders" */
};

struct tables {
    struct precheck *p;
    struct table_names there; /* what the target has */
    char **collations;        /* names that the target knows, sorted */
    size_t n_collations;
    char **targets; /* names already taken by tables of this source */
    size_t n_targets;
    unsigned n, n_keyless; /* in scope */
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* --- columns --- */

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
    return bsearch(&name, t->collations, t->n_collations, sizeof *t->collations, by_text) != NULL;
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

static void check_columns(struct tables *t, const struct pair *pair)
{
    struct precheck *p = t->p;
    bool invisible = false;

    for (unsigned i = 0; i < pair->from->n_cols; i++) {
        const struct table_column *col = &pair->from->cols[i];

        if (pair->to && !col->generated && table_column_find(pair->to, col->name) < 0)
            precheck_add(p, PRECHECK_FAIL, "columns", NULL, "%s: the target has no column %s",
                         pair->label, col->name);
        if (!pair->to) {
            check_type(t, pair, col);
            check_collation(t, pair, i);
        }
        invisible |= col->invisible;
    }
    if (invisible && !dialect_of(p->to.conn)->invisible_columns)
        precheck_add(p, PRECHECK_WARN, "columns", NULL,
                     "%s: invisible columns are visible at the target", pair->label);
}

/* --- keys, engine, foreign keys --- */

static void check_keys(struct tables *t, const struct pair *pair)
{
    struct precheck *p = t->p;
    const struct table_def *def = pair->from;
    SCOPED(buf_fini) struct buf fix = BUF_INIT;

    for (unsigned k = 0; k < def->n_keys; k++)
        if (def->keys[k].functional && !dialect_of(p->to.conn)->functional_keys && !pair->to)
            precheck_add(p, PRECHECK_FAIL, "keys",
                         "drop the key, or make the table at the target without it",
                         "%s: the target has no keys on expressions (%s)", pair->label,
                         def->keys[k].name);
    if (table_row_key(def))
        return;
    t->n_keyless++;
    buf_str(&fix, "type at the source: ALTER TABLE ");
    sql_table(&fix, def->db, def->name);
    buf_str(&fix, " ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY");
    if (!def->transactional && !p->job->safe_mode)
        precheck_add(p, PRECHECK_FAIL, "keys", fix.data,
                     "%s has no primary key and no transactions (%s): changes could be applied "
                     "twice",
                     pair->label, def->engine ? def->engine : "?");
    else if (p->scope.sync && p->from.info.row_image &&
             strncasecmp(p->from.info.row_image, "FULL", 4) != 0)
        precheck_add(
            p, PRECHECK_FAIL, "keys", fix.data,
            "%s has no primary key, and binlog_row_image is not FULL: rows cannot be found",
            pair->label);
    else if (p->scope.sync)
        precheck_add(p, PRECHECK_WARN, "keys", fix.data,
                     "%s has no primary key: its changes are slow, each searches the table",
                     pair->label);
}

static void check_engine(struct tables *t, const struct pair *pair)
{
    struct precheck *p = t->p;
    const struct table_def *def = pair->from;
    char fix[320];

    if (def->versioned && p->to.info.flavor != FLAVOR_MARIADB)
        precheck_add(
            p, pair->to ? PRECHECK_WARN : PRECHECK_FAIL, "versioning",
            pair->to ? NULL : "make the table at the target without it",
            "%s is WITH SYSTEM VERSIONING, which the target lacks: the history of its rows "
            "stays behind",
            pair->label);
    if (def->transactional)
        return;
    snprintf(fix, sizeof fix, "type at the source: ALTER TABLE `%s`.`%s` ENGINE=InnoDB", def->db,
             def->name);
    precheck_add(p, PRECHECK_WARN, "engine", fix,
                 "%s is %s, without transactions: it is read under a lock, and changes are applied "
                 "at least once",
                 pair->label, def->engine ? def->engine : "?");
    if (p->scope.dump)
        precheck_right(p, &p->from, PRECHECK_FAIL, "LOCK TABLES", def->db,
                       "read tables without transactions");
}

static bool changes_children(const struct table_foreign_key *f)
{
    static const char *const words[] = { "CASCADE", "SET NULL", "SET DEFAULT" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasecmp(f->on_update, words[i]) == 0 || strcasecmp(f->on_delete, words[i]) == 0)
            return true;
    return false;
}

static bool target_has_foreign(const struct table_def *to, const struct table_foreign_key *f)
{
    for (unsigned i = 0; i < to->n_foreign; i++)
        if (strcasecmp(to->foreign[i].name, f->name) == 0 &&
            strcasecmp(to->foreign[i].on_delete, f->on_delete) == 0 &&
            strcasecmp(to->foreign[i].on_update, f->on_update) == 0)
            return true;
    return false;
}

/* Where the source does not log what a cascade changes, the target must do the same cascade; where
 * it does, the target must not. */
static void check_cascade(struct tables *t, const struct pair *pair,
                          const struct table_foreign_key *f)
{
    struct precheck *p = t->p;
    enum foreign_keys how = p->job->foreign_keys;
    struct route parent;

    if (dialect_of(p->from.conn)->logs_cascades) {
        if (how == FOREIGN_KEYS_ON)
            precheck_add(p, PRECHECK_FAIL, "foreign_keys",
                         "echo source > target/session/foreign_key_checks",
                         "%s: the binlog has what %s changes by cascade, and with "
                         "foreign_key_checks=1 the target would do it too",
                         pair->label, f->name);
        return;
    }
    if (how == FOREIGN_KEYS_OFF)
        precheck_add(p, PRECHECK_FAIL, "foreign_keys",
                     "echo source > target/session/foreign_key_checks",
                     "%s: the binlog does not have what %s changes by cascade, and with "
                     "foreign_key_checks=0 the target would not do it either",
                     pair->label, f->name);
    else if (!router_table(p->job->router, f->to_db, f->to_table, &parent))
        precheck_add(p, PRECHECK_FAIL, "foreign_keys",
                     "take the parent table into the task, or the child out of it",
                     "%s: %s.%s, which changes it by cascade (%s), is not in scope, and the "
                     "source's binlog does not have what cascades change",
                     pair->label, f->to_db, f->to_table, f->name);
    else if (pair->to && !target_has_foreign(pair->to, f))
        precheck_add(p, PRECHECK_FAIL, "foreign_keys", "make the same foreign key at the target",
                     "%s: the target lacks %s ON DELETE %s ON UPDATE %s, and the source's binlog "
                     "does not have what cascades change",
                     pair->label, f->name, f->on_delete, f->on_update);
    else if (pair->to)
        precheck_add(p, PRECHECK_OK, "foreign_keys", NULL, "%s: %s is the same there", pair->label,
                     f->name);
}

static void check_foreign(struct tables *t, const struct pair *pair)
{
    for (unsigned i = 0; t->p->scope.sync && i < pair->from->n_foreign; i++) {
        const struct table_foreign_key *f = &pair->from->foreign[i];

        if (changes_children(f) && strcmp(f->db, pair->from->db) == 0 &&
            strcmp(f->table, pair->from->name) == 0)
            check_cascade(t, pair, f);
    }
}

/* --- the target's table --- */

static const struct table_name *name_there(const struct tables *t, const struct route *r)
{
    bool fold = t->p->to.info.lower_case_table_names != 0;

    for (unsigned i = 0; i < t->there.n; i++) {
        const struct table_name *n = &t->there.names[i];
        int differs = fold ? strcasecmp(n->name, r->to_table) || strcasecmp(n->db, r->to_schema)
                           : strcmp(n->name, r->to_table) || strcmp(n->db, r->to_schema);

        if (!differs)
            return n;
    }
    return NULL;
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

static void check_there(struct tables *t, const struct pair *pair)
{
    struct precheck *p = t->p;

    if (!pair->to) {
        if (!p->scope.dump && !p->scope.again)
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
    if (p->scope.dump && !p->scope.again)
        check_empty(t, pair);
}

static void check_merged(struct tables *t, const struct pair *pair)
{
    char *target = xasprintf("%s.%s", pair->route.to_schema, pair->route.to_table);

    if (t->p->to.info.lower_case_table_names)
        for (char *c = target; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    for (size_t i = 0; i < t->n_targets; i++)
        if (strcmp(t->targets[i], target) == 0) {
            precheck_add(t->p, PRECHECK_WARN, "merge", NULL,
                         "%s: several tables become %s; their keys must not collide", pair->label,
                         target);
            break;
        }
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
        rc = table_read(t->p->from.conn, n->db, n->name, &pair.from, err);
        if (rc == 0 && there)
            rc = table_read(t->p->to.conn, there->db, there->name, &pair.to, err);
        if (rc == -ENOENT) /* dropped meanwhile */
            rc = 0;
        else if (rc == 0) {
            check_keys(t, &pair);
            check_engine(t, &pair);
            check_columns(t, &pair);
            check_foreign(t, &pair);
            check_there(t, &pair);
            check_merged(t, &pair);
        }
    }
    table_free(pair.from);
    table_free(pair.to);
    free(pair.label);
    return rc;
}

static void check_sequence(struct tables *t, const struct table_name *n)
{
    if (t->p->to.info.flavor != FLAVOR_MARIADB)
        precheck_add(t->p, PRECHECK_WARN, "sequence", NULL,
                     "%s.%s stays behind: the target has no sequences", n->db, n->name);
}

static int check_all(struct tables *t, struct err *err)
{
    struct precheck *p = t->p;
    struct table_names names;
    struct route r;
    int rc = table_list(p->from.conn, NULL, &names, err);

    if (rc < 0)
        return rc;
    for (unsigned i = 0; rc == 0 && i < names.n; i++) {
        const struct table_name *n = &names.names[i];

        if (!router_table(p->job->router, n->db, n->name, &r) || n->kind == TABLE_VIEW)
            continue;
        if (n->kind == TABLE_SEQUENCE) {
            check_sequence(t, n);
            continue;
        }
        t->n++;
        rc = check_table(t, n, &r, err);
    }
    table_names_fini(&names);
    if (rc == 0 && t->n)
        precheck_add(p, PRECHECK_OK, "tables", NULL, "%u in scope, %u of them without a key", t->n,
                     t->n_keyless);
    else if (rc == 0)
        precheck_add(p, PRECHECK_FAIL, "tables", "see table_migrate_rule, and cat sources/*/tables",
                     "no table of the source that the account can see is in scope");
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
        qsort(t->collations, t->n_collations, sizeof *t->collations, by_text);
    return rc;
}

static void free_texts(char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
    free(texts);
}

/* Each target schema once. */
static void check_schema_rights(struct tables *t)
{
    static const char *const rights[] = { "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE",
                                          "ALTER",  "DROP",   "INDEX",  NULL };
    char last[200] = "";

    qsort(t->targets, t->n_targets, sizeof *t->targets, by_text);
    for (size_t i = 0; i < t->n_targets; i++) {
        char schema[200];

        snprintf(schema, sizeof schema, "%.*s", (int)strcspn(t->targets[i], "."), t->targets[i]);
        if (strcmp(schema, last) == 0)
            continue;
        if (precheck_rights(t->p, &t->p->to, PRECHECK_FAIL, rights, schema,
                            "write what the source has"))
            precheck_add(t->p, PRECHECK_OK, "grants", NULL, "target: %s can be written", schema);
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
    struct tables t = { .p = p };
    int rc = table_list(p->to.conn, NULL, &t.there, err);

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
    table_names_fini(&t.there);
    free_texts(t.collations, t.n_collations);
    free_texts(t.targets, t.n_targets);
    return rc;
}
