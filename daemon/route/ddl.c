#include "route/ddl.h"

#include "base/mem.h"
#include "route/ddl_lex.h"

/* --- the state of one scan --- */

struct scan {
    struct ddl_reader in;
    struct arena *arena;
    struct ddl *ret;
    unsigned cap; /* names that ret->names has room for */
};

/* --- names --- */

static struct ddl_name *push_name(struct scan *s)
{
    struct ddl *d = s->ret;

    d->names = arena_grow(s->arena, d->names, d->n_names, &s->cap, sizeof *d->names);
    d->names[d->n_names] = (struct ddl_name){ .at = s->in.tok.at };
    return &d->names[d->n_names++];
}

static void name_part(struct scan *s, struct ddl_name *n)
{
    n->table = ddl_name_here(&s->in, s->arena);
    n->size = s->in.tok.at + s->in.tok.size - n->at;
    ddl_advance(&s->in);
}

/* table, schema.table, or .table (the default schema).  False, with nothing done, if none
 * stands here. */
static bool table_name(struct scan *s)
{
    struct ddl_name *n;

    if (!ddl_at_name(&s->in) && !ddl_is(&s->in, "."))
        return false;
    n = push_name(s);
    if (ddl_at_name(&s->in))
        name_part(s, n);
    if (ddl_accept(&s->in, ".")) {
        n->schema = n->table;
        if (!ddl_at_name(&s->in)) {
            s->ret->n_names--;
            return false;
        }
        name_part(s, n);
    }
    return true;
}

static void table_names(struct scan *s)
{
    while (table_name(s) && ddl_accept(&s->in, ","))
        ;
}

static void schema_name(struct scan *s)
{
    struct ddl_name *n;

    if (!ddl_at_name(&s->in))
        return;
    n = push_name(s);
    n->schema = ddl_name_here(&s->in, s->arena);
    n->size = s->in.tok.size;
    ddl_advance(&s->in);
}

static void if_exists(struct scan *s)
{
    if (ddl_accept_if_exists(&s->in))
        s->ret->if_exists = true;
}

static void one_table(struct scan *s)
{
    if_exists(s);
    table_name(s);
}

static void some_tables(struct scan *s)
{
    if_exists(s);
    table_names(s);
}

static void one_schema(struct scan *s)
{
    if_exists(s);
    schema_name(s);
}

/* --- statements --- */

/* ALTER DATABASE may leave out the name; then an option stands in its place. */
static void alter_schema(struct scan *s)
{
    static const char *const options[] = { "DEFAULT", "CHARACTER",  "CHARSET", "COLLATE",
                                           "COMMENT", "ENCRYPTION", "READ",    NULL };

    if (ddl_is_any(&s->in, options))
        push_name(s);
    else
        schema_name(s);
}

/* UNION = (t1, t2) of a MERGE table, not the UNION of a SELECT. */
static void union_tables(struct scan *s)
{
    ddl_accept(&s->in, "=");
    if (ddl_accept(&s->in, "(") && !ddl_is(&s->in, "SELECT"))
        table_names(s);
}

static void start_transaction(struct scan *s)
{
    size_t at = s->in.tok.at;

    ddl_advance(&s->in);
    s->ret->start_transaction = true;
    s->ret->start_transaction_at = at;
    s->ret->start_transaction_size = s->in.tok.at + s->in.tok.size - at;
    ddl_advance(&s->in);
}

/* What CREATE TABLE and ALTER TABLE have in common: other tables named among their columns
 * and options.  True if it took a step. */
static bool common_part(struct scan *s)
{
    if (ddl_accept(&s->in, "REFERENCES"))
        table_name(s);
    else if (ddl_accept(&s->in, "UNION"))
        union_tables(s);
    else
        return false;
    return true;
}

static void create_table(struct scan *s)
{
    one_table(s);
    if (ddl_is(&s->in, "(") && ddl_next_is(&s->in, "LIKE"))
        ddl_advance(&s->in);
    if (ddl_accept(&s->in, "LIKE")) {
        s->ret->class = DDL_CREATE_TABLE_LIKE;
        table_name(s);
        return;
    }
    while (!ddl_at_end(&s->in)) {
        if (ddl_is(&s->in, "SELECT")) {
            s->ret->class = DDL_CREATE_TABLE_SELECT;
            return;
        }
        if (s->in.depth == 0 && ddl_is(&s->in, "START") && ddl_next_is(&s->in, "TRANSACTION"))
            start_transaction(s);
        else if (!common_part(s))
            ddl_advance(&s->in);
    }
}

/* RENAME [TO | AS | =] name, not RENAME COLUMN, INDEX, KEY or CONSTRAINT. */
static void alter_rename(struct scan *s)
{
    static const char *const others[] = { "COLUMN", "INDEX", "KEY", "CONSTRAINT", NULL };

    if (ddl_is_any(&s->in, others))
        return;
    if (!ddl_accept(&s->in, "TO") && !ddl_accept(&s->in, "AS"))
        ddl_accept(&s->in, "=");
    if (table_name(s))
        s->ret->names[s->ret->n_names - 1].to = true;
}

/* What would be another value at another server.  MySQL refuses it by itself. */
static bool at_own_value(const struct scan *s)
{
    static const char *const functions[] = { "UUID",    "UUID_SHORT", "UUID_V4",
                                             "UUID_V7", "RAND",       "RANDOM_BYTES",
                                             "SYSDATE", "SYS_GUID",   "NEXTVAL",
                                             NULL };

    return (ddl_is_any(&s->in, functions) && ddl_next_is(&s->in, "(")) ||
           (ddl_is(&s->in, "NEXT") && ddl_next_is(&s->in, "VALUE"));
}

/* Notes what an ALTER does to rows that are there; takes no step. */
static void alter_rows(struct scan *s, bool adds)
{
    struct ddl *d = s->ret;

    d->own_values = d->own_values || (adds && at_own_value(s));
    d->numbers_rows = d->numbers_rows || (adds && ddl_is(&s->in, "AUTO_INCREMENT"));
    d->tablespace = d->tablespace ||
                    (s->in.depth == 0 && (ddl_is(&s->in, "DISCARD") || ddl_is(&s->in, "IMPORT")) &&
                     (ddl_next_is(&s->in, "TABLESPACE") || ddl_next_is(&s->in, "PARTITION")));
}

static void alter_table(struct scan *s)
{
    bool adds = false;

    one_table(s);
    while (!ddl_at_end(&s->in)) {
        if (s->in.depth == 0 && (ddl_is(&s->in, "ADD") || ddl_is(&s->in, ",")))
            adds = ddl_is(&s->in, "ADD");
        alter_rows(s, adds);
        if (common_part(s))
            continue;
        if (s->in.depth == 0 && ddl_accept(&s->in, "RENAME")) {
            alter_rename(s);
        } else if ((ddl_is(&s->in, "WITH") || ddl_is(&s->in, "TO") || ddl_is(&s->in, "CONVERT")) &&
                   ddl_next_is(&s->in, "TABLE")) {
            ddl_advance(
                &s->in); /* EXCHANGE PARTITION p WITH TABLE t, CONVERT PARTITION p TO TABLE t, */
            ddl_advance(&s->in); /* CONVERT TABLE t TO PARTITION p */
            table_name(s);
        } else {
            ddl_advance(&s->in);
        }
    }
}

/* CREATE or DROP INDEX: the table stands behind ON. */
static void index_on(struct scan *s)
{
    if_exists(s);
    while (!ddl_at_end(&s->in) && !ddl_is(&s->in, "ON"))
        ddl_advance(&s->in);
    if (ddl_accept(&s->in, "ON"))
        table_name(s);
}

/* MariaDB: WAIT n or NOWAIT behind a table. */
static void wait_option(struct scan *s)
{
    if (ddl_accept(&s->in, "WAIT"))
        ddl_advance(&s->in);
    else
        ddl_accept(&s->in, "NOWAIT");
}

static void rename_tables(struct scan *s)
{
    if_exists(s);
    do {
        if (!table_name(s))
            return;
        wait_option(s);
        if (!ddl_accept(&s->in, "TO") || !table_name(s))
            return;
        s->ret->names[s->ret->n_names - 1].to = true;
    } while (ddl_accept(&s->in, ","));
}

/* What CREATE, ALTER and DROP are about; DDL_UNKNOWN: there is no such statement. */
static const struct object {
    const char *word;
    enum ddl_class create, alter, drop;
    void (*scan_create)(struct scan *s), (*scan_alter)(struct scan *s),
        (*scan_drop)(struct scan *s);
} objects[] = {
    { "TABLE", DDL_CREATE_TABLE, DDL_ALTER_TABLE, DDL_DROP_TABLE, create_table, alter_table,
      some_tables },
    { "TABLES", DDL_UNKNOWN, DDL_UNKNOWN, DDL_DROP_TABLE, NULL, NULL, some_tables },
    { "DATABASE", DDL_CREATE_DATABASE, DDL_ALTER_DATABASE, DDL_DROP_DATABASE, one_schema,
      alter_schema, one_schema },
    { "SCHEMA", DDL_CREATE_DATABASE, DDL_ALTER_DATABASE, DDL_DROP_DATABASE, one_schema,
      alter_schema, one_schema },
    { "INDEX", DDL_CREATE_INDEX, DDL_UNKNOWN, DDL_DROP_INDEX, index_on, NULL, index_on },
    { "VIEW", DDL_CREATE_VIEW, DDL_ALTER_VIEW, DDL_DROP_VIEW, one_table, one_table, some_tables },
    { "SEQUENCE", DDL_CREATE_SEQUENCE, DDL_ALTER_SEQUENCE, DDL_DROP_SEQUENCE, one_table, one_table,
      some_tables },
    { "TRIGGER", DDL_TRIGGER, DDL_TRIGGER, DDL_TRIGGER, NULL, NULL, NULL },
    { "PROCEDURE", DDL_ROUTINE, DDL_ROUTINE, DDL_ROUTINE, NULL, NULL, NULL },
    { "FUNCTION", DDL_ROUTINE, DDL_ROUTINE, DDL_ROUTINE, NULL, NULL, NULL },
    { "PACKAGE", DDL_ROUTINE, DDL_ROUTINE, DDL_ROUTINE, NULL, NULL, NULL },
    { "LIBRARY", DDL_ROUTINE, DDL_ROUTINE, DDL_ROUTINE, NULL, NULL, NULL },
    { "EVENT", DDL_EVENT, DDL_EVENT, DDL_EVENT, NULL, NULL, NULL },
    { "USER", DDL_ACCOUNT, DDL_ACCOUNT, DDL_ACCOUNT, NULL, NULL, NULL },
    { "ROLE", DDL_ACCOUNT, DDL_ACCOUNT, DDL_ACCOUNT, NULL, NULL, NULL },
    { "SERVER", DDL_ADMIN, DDL_ADMIN, DDL_ADMIN, NULL, NULL, NULL },
    { "TABLESPACE", DDL_ADMIN, DDL_ADMIN, DDL_ADMIN, NULL, NULL, NULL },
    { "LOGFILE", DDL_ADMIN, DDL_ADMIN, DDL_ADMIN, NULL, NULL, NULL },
    { "INSTANCE", DDL_ADMIN, DDL_ADMIN, DDL_ADMIN, NULL, NULL, NULL },
    { "RESOURCE", DDL_ADMIN, DDL_ADMIN, DDL_ADMIN, NULL, NULL, NULL },  /* RESOURCE GROUP */
    { "REFERENCE", DDL_ADMIN, DDL_ADMIN, DDL_ADMIN, NULL, NULL, NULL }, /* SPATIAL REFERENCE .. */
    { "PREPARE", DDL_UNKNOWN, DDL_UNKNOWN, DDL_ADMIN, NULL, NULL, NULL },
};

static const struct object *object_here(const struct scan *s)
{
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        if (ddl_is(&s->in, objects[i].word))
            return &objects[i];
    return NULL;
}

/* DEFINER = user@host: a user may be called like an object. */
static void definer(struct scan *s)
{
    ddl_advance(&s->in);
    if (!ddl_accept(&s->in, "="))
        return;
    ddl_advance(&s->in);
    if (ddl_accept(&s->in, "@"))
        ddl_advance(&s->in);
}

/* Skips what stands between the verb and the object: OR REPLACE, TEMPORARY, UNIQUE, ... */
static const struct object *find_object(struct scan *s)
{
    const struct object *o;

    while (!(o = object_here(s)) && !ddl_at_end(&s->in)) {
        if (ddl_is(&s->in, "DEFINER")) {
            definer(s);
            continue;
        }
        s->ret->temporary = s->ret->temporary || ddl_is(&s->in, "TEMPORARY");
        s->ret->or_replace = s->ret->or_replace || ddl_is(&s->in, "REPLACE");
        ddl_advance(&s->in);
    }
    if (o)
        ddl_advance(&s->in);
    return o;
}

static void statement(struct scan *s, enum ddl_class class, void (*names)(struct scan *s))
{
    s->ret->class = class;
    if (names)
        names(s);
}

static void verb_create(struct scan *s)
{
    const struct object *o = find_object(s);

    if (o)
        statement(s, o->create, o->scan_create);
}

static void verb_alter(struct scan *s)
{
    const struct object *o = find_object(s);

    if (o)
        statement(s, o->alter, o->scan_alter);
}

static void verb_drop(struct scan *s)
{
    const struct object *o = find_object(s);

    if (o)
        statement(s, o->drop, o->scan_drop);
}

static void verb_rename(struct scan *s)
{
    if (ddl_accept(&s->in, "TABLE") || ddl_accept(&s->in, "TABLES"))
        statement(s, DDL_RENAME_TABLE, rename_tables);
    else if (ddl_is(&s->in, "USER"))
        s->ret->class = DDL_ACCOUNT;
}

static void verb_truncate(struct scan *s)
{
    ddl_accept(&s->in, "TABLE");
    statement(s, DDL_TRUNCATE_TABLE, one_table);
}

static void verb_set(struct scan *s)
{
    if (ddl_is(&s->in, "PASSWORD") || ddl_is(&s->in, "ROLE") ||
        (ddl_is(&s->in, "DEFAULT") && ddl_next_is(&s->in, "ROLE")))
        s->ret->class = DDL_ACCOUNT;
}

static void verb_start(struct scan *s)
{
    if (ddl_is(&s->in, "TRANSACTION"))
        s->ret->class = DDL_TRANSACTION;
}

static void verb_begin(struct scan *s)
{
    if (ddl_is(&s->in, "NOT")) /* MariaDB: BEGIN NOT ATOMIC is a block of statements */
        s->ret->class = DDL_DML;
}

static void skip_modifiers(struct scan *s)
{
    static const char *const words[] = { "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE",
                                         "QUICK",        "INTO",          NULL };

    while (ddl_is_any(&s->in, words))
        ddl_advance(&s->in);
}

static void verb_insert(struct scan *s)
{
    skip_modifiers(s);
    table_name(s);
}

/* UPDATE and DELETE: names behind FROM, JOIN, USING and commas, up to SET or WHERE. */
static void verb_change(struct scan *s)
{
    skip_modifiers(s);
    if (!ddl_is(&s->in, "FROM"))
        table_names(s);
    while (!ddl_at_end(&s->in) && !ddl_is(&s->in, "SET") && !ddl_is(&s->in, "WHERE")) {
        if (ddl_accept(&s->in, "FROM") || ddl_accept(&s->in, "JOIN") ||
            ddl_accept(&s->in, "USING") || ddl_accept(&s->in, ","))
            table_names(s);
        else
            ddl_advance(&s->in);
    }
}

/* WITH ... UPDATE or DELETE; a SELECT calls a function that writes. */
static void verb_with(struct scan *s)
{
    while (!ddl_at_end(&s->in) &&
           !(s->in.depth == 0 && (ddl_is(&s->in, "UPDATE") || ddl_is(&s->in, "DELETE"))))
        ddl_advance(&s->in);
    if (ddl_at_end(&s->in))
        return;
    ddl_advance(&s->in);
    verb_change(s);
}

static void verb_load(struct scan *s)
{
    if (ddl_is(&s->in, "INDEX")) {
        s->ret->class = DDL_ADMIN;
        return;
    }
    while (!ddl_at_end(&s->in) && !(ddl_is(&s->in, "INTO") && ddl_next_is(&s->in, "TABLE")))
        ddl_advance(&s->in);
    ddl_advance(&s->in);
    ddl_advance(&s->in);
    table_name(s);
}

static const struct verb {
    const char *word;
    enum ddl_class class;
    void (*scan)(struct scan *s);
} verbs[] = {
    { "CREATE", DDL_UNKNOWN, verb_create },
    { "ALTER", DDL_UNKNOWN, verb_alter },
    { "DROP", DDL_UNKNOWN, verb_drop },
    { "RENAME", DDL_UNKNOWN, verb_rename },
    { "TRUNCATE", DDL_TRUNCATE_TABLE, verb_truncate },
    { "INSERT", DDL_DML, verb_insert },
    { "REPLACE", DDL_DML, verb_insert },
    { "UPDATE", DDL_DML, verb_change },
    { "DELETE", DDL_DML, verb_change },
    { "LOAD", DDL_DML, verb_load },
    { "CALL", DDL_DML, NULL },
    { "DO", DDL_DML, NULL },
    { "WITH", DDL_DML, verb_with },
    { "SELECT", DDL_DML, NULL },
    { "VALUES", DDL_DML, NULL },
    { "TABLE", DDL_DML, NULL },
    { "HANDLER", DDL_DML, NULL },
    { "EXECUTE", DDL_DML, NULL },
    { "BEGIN", DDL_TRANSACTION, verb_begin },
    { "START", DDL_ADMIN, verb_start },
    { "COMMIT", DDL_TRANSACTION, NULL },
    { "ROLLBACK", DDL_TRANSACTION, NULL },
    { "SAVEPOINT", DDL_TRANSACTION, NULL },
    { "RELEASE", DDL_TRANSACTION, NULL },
    { "XA", DDL_TRANSACTION, NULL },
    { "GRANT", DDL_ACCOUNT, NULL },
    { "REVOKE", DDL_ACCOUNT, NULL },
    { "SET", DDL_ADMIN, verb_set },
    { "ANALYZE", DDL_ADMIN, NULL },
    { "OPTIMIZE", DDL_ADMIN, NULL },
    { "REPAIR", DDL_ADMIN, NULL },
    { "CHECK", DDL_ADMIN, NULL },
    { "CHECKSUM", DDL_ADMIN, NULL },
    { "FLUSH", DDL_ADMIN, NULL },
    { "RESET", DDL_ADMIN, NULL },
    { "PURGE", DDL_ADMIN, NULL },
    { "CHANGE", DDL_ADMIN, NULL },
    { "STOP", DDL_ADMIN, NULL },
    { "INSTALL", DDL_ADMIN, NULL },
    { "UNINSTALL", DDL_ADMIN, NULL },
    { "LOCK", DDL_ADMIN, NULL },
    { "UNLOCK", DDL_ADMIN, NULL },
    { "KILL", DDL_ADMIN, NULL },
    { "CACHE", DDL_ADMIN, NULL },
    { "SHOW", DDL_ADMIN, NULL },
    { "USE", DDL_ADMIN, NULL },
    { "EXPLAIN", DDL_ADMIN, NULL },
    { "DESCRIBE", DDL_ADMIN, NULL },
    { "DESC", DDL_ADMIN, NULL },
    { "PREPARE", DDL_ADMIN, NULL },
    { "DEALLOCATE", DDL_ADMIN, NULL },
    { "BACKUP", DDL_ADMIN, NULL },
    { "SHUTDOWN", DDL_ADMIN, NULL },
    { "RESTART", DDL_ADMIN, NULL },
    { "CLONE", DDL_ADMIN, NULL },
    { "IMPORT", DDL_ADMIN, NULL },
};

/* MariaDB logs SET STATEMENT x = y FOR statement as it was written. */
static void skip_set_statement(struct scan *s)
{
    if (!ddl_is(&s->in, "SET") || !ddl_next_is(&s->in, "STATEMENT"))
        return;
    while (!ddl_at_end(&s->in) && !ddl_is(&s->in, "FOR"))
        ddl_advance(&s->in);
    ddl_advance(&s->in);
}

void ddl_scan(struct slice sql, bool ansi_quotes, bool no_backslash_escapes, struct arena *arena,
              struct ddl *ret)
{
    struct scan s = { .in.lexer = { .sql = sql,
                                    .ansi_quotes = ansi_quotes,
                                    .no_backslash_escapes = no_backslash_escapes },
                      .arena = arena,
                      .ret = ret };

    *ret = (struct ddl){ .class = DDL_UNKNOWN };
    ddl_advance(&s.in);
    while (ddl_is(&s.in, "(") || ddl_is(&s.in, ";"))
        ddl_advance(&s.in);
    s.in.depth = 0;
    skip_set_statement(&s);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (!ddl_is(&s.in, verbs[i].word))
            continue;
        ddl_advance(&s.in);
        statement(&s, verbs[i].class, verbs[i].scan);
        return;
    }
}
