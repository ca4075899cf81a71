/* precheck_key.c - keys, engines and foreign keys of a table: can its changes be applied, once? */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/job.h"
#include "unit/precheck/precheck_priv.h"

/* The target may insist on what the table does not have. */
static void check_required_key(struct tables *t, const struct pair *pair)
{
    const struct server_info *to = &t->p->to.info;
    const struct table_def *def = pair->from;
    bool primary = def->n_keys > 0 && def->keys[0].primary;
    const char *variable =
        to->flavor == FLAVOR_MYSQL ? "sql_require_primary_key" : "innodb_force_primary_key";
    char fix[120];

    if (pair->to || !to->requires_key || primary ||
        (to->flavor == FLAVOR_MARIADB && table_row_key(def)))
        return;
    snprintf(fix, sizeof fix, "type at the target: SET GLOBAL %s=OFF", variable);
    precheck_add(t->p, PRECHECK_FAIL, "required_key", fix,
                 "%s has no primary key, and the target takes no table without one (%s)",
                 pair->label, variable);
}

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
                     "%s has no primary key: its changes are slow, each searches the table, and "
                     "continuous validation does not look at them",
                     pair->label);
}

/* The binlog has versions of rows: a DELETE is an UPDATE of the end of one, an UPDATE comes with an
 * INSERT of what was.  A copy takes the rows of now. */
static void check_versioning(struct tables *t, const struct pair *pair)
{
    struct precheck *p = t->p;
    char fix[320];

    if (!pair->from->versioned)
        return;
    snprintf(fix, sizeof fix, "type at the source: ALTER TABLE `%s`.`%s` DROP SYSTEM VERSIONING",
             pair->from->db, pair->from->name);
    if (p->scope.sync)
        precheck_add(p, PRECHECK_FAIL, "versioning", fix,
                     "%s is WITH SYSTEM VERSIONING: its binlog has versions of rows and not the "
                     "changes to them, so it can be copied and not followed; or leave it out by "
                     "block_allow_list/ignore_tables",
                     pair->label);
    else if (p->to.info.flavor == FLAVOR_MARIADB || pair->to)
        precheck_add(p, PRECHECK_WARN, "versioning", NULL,
                     "%s is WITH SYSTEM VERSIONING: the history of its rows stays behind",
                     pair->label);
    else
        precheck_add(p, PRECHECK_FAIL, "versioning", "make the table at the target without it",
                     "%s is WITH SYSTEM VERSIONING, which the target lacks: the history of its "
                     "rows stays behind",
                     pair->label);
}

static void check_engine(struct tables *t, const struct pair *pair)
{
    struct precheck *p = t->p;
    const struct table_def *def = pair->from;
    char fix[320];

    if (def->transactional)
        return;
    snprintf(fix, sizeof fix, "type at the source: ALTER TABLE `%s`.`%s` ENGINE=InnoDB", def->db,
             def->name);
    precheck_add(p, PRECHECK_WARN, "engine", fix,
                 "%s is %s, without transactions: it is read under a lock, and changes are applied "
                 "at least once",
                 pair->label, def->engine ? def->engine : "?");
}

/* Tables without transactions are locked while they are read, and the others by choice. */
static void check_lock(struct tables *t, const struct pair *pair)
{
    struct precheck *p = t->p;

    if (!p->scope.dump)
        return;
    if (p->job->consistency == CONSISTENT_LOCK)
        precheck_right(p, &p->from, PRECHECK_FAIL, "LOCK TABLES", pair->from->db,
                       "lock tables, as consistency lock does");
    else if (!pair->from->transactional)
        precheck_right(p, &p->from, PRECHECK_FAIL, "LOCK TABLES", pair->from->db,
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

/* The tables of schema 'db' that have foreign keys; those of one schema come one after another. */
static const json_t *joined_tables(struct tables *t, const char *db)
{
    SCOPED(buf_fini) struct buf schema = BUF_INIT;
    struct mysql_result *r = NULL;
    struct mysql_row row;
    struct err err = ERR_INIT;

    if (t->joined.schema && strcmp(t->joined.schema, db) == 0)
        return t->joined.names;
    free(t->joined.schema);
    json_decref(t->joined.names);
    t->joined.schema = xstrdup(db);
    t->joined.names = json_object();
    sql_text(&schema, db);
    if (mysql_conn_queryf(t->p->from.conn, &r, &err,
                          "SELECT DISTINCT table_name FROM information_schema.key_column_usage"
                          " WHERE table_schema = %s AND referenced_table_name IS NOT NULL",
                          schema.data) < 0)
        return t->joined.names;
    while (mysql_result_next(r, &row, &err) > 0)
        json_object_set_new(t->joined.names, row.values[0], json_true());
    mysql_result_free(r);
    return t->joined.names;
}

/* MariaDB shows what a key does on DELETE and UPDATE only to who has some right beyond SELECT. */
static void check_hidden_keys(struct tables *t, const struct pair *pair)
{
    const struct table_def *def = pair->from;

    if (def->n_foreign || t->p->from.info.flavor != FLAVOR_MARIADB ||
        !json_object_get(joined_tables(t, def->db), def->name))
        return;
    t->n_foreign++;
    precheck_right(t->p, &t->p->from, PRECHECK_FAIL, "REFERENCES", def->db,
                   "see how tables are joined by foreign keys");
}

void precheck_keys(struct tables *t, const struct pair *pair)
{
    t->n_foreign += pair->from->has_foreign_keys;
    check_hidden_keys(t, pair);
    check_required_key(t, pair);
    check_keys(t, pair);
    check_versioning(t, pair);
    check_engine(t, pair);
    check_lock(t, pair);
    check_foreign(t, pair);
}
