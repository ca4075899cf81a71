#include "route/ddl.h"

#include "base/mem.h"
#include "route/ddl_lex.h"

/* --- the state of one scan --- */

struct scan {
    struct ddl_lexer lexer;
    struct ddl_token tok; /* the current one */
    unsigned depth;       /* of parentheses around it */
    struct arena *arena;
    struct ddl *ret;
    unsigned cap; /* names that ret->names has room for */
};

static bool is(const struct scan *s, const char *word)
{
    return ddl_token_is(&s->lexer, &s->tok, word);
}

static bool at_end(const struct scan *s)
{
    return s->tok.kind == DDL_TOKEN_END;
}

static void advance(struct scan *s)
{
    if (is(s, "("))
        s->depth++;
    else if (is(s, ")") && s->depth)
        s->depth--;
    s->tok = ddl_lex(&s->lexer);
}

static bool accept(struct scan *s, const char *word)
{
    if (!is(s, word))
        return false;
    advance(s);
    return true;
}

/* Is the token after the current one this word? */
static bool next_is(const struct scan *s, const char *word)
{
    struct ddl_lexer ahead = s->lexer;
    struct ddl_token t = ddl_lex(&ahead);

    return ddl_token_is(&ahead, &t, word);
}

static bool is_any(const struct scan *s, const char *const *words)
{
    for (; *words; words++)
        if (is(s, *words))
            return true;
    return false;
}

/* --- names --- */

static bool at_name(const struct scan *s)
{
    return s->tok.kind == DDL_TOKEN_WORD || s->tok.kind == DDL_TOKEN_QUOTED;
}

static struct ddl_name *push_name(struct scan *s)
{
    struct ddl *d = s->ret;

    if (d->n_names == s->cap) {
        struct ddl_name *more;

        s->cap = s->cap ? s->cap * 2 : 4;
        more = arena_alloc(s->arena, s->cap * sizeof *more);
        if (d->n_names)
            memcpy(more, d->names, d->n_names * sizeof *more);
        d->names = more;
    }
    d->names[d->n_names] = (struct ddl_name){ .at = s->tok.at };
    return &d->names[d->n_names++];
}

static void name_part(struct scan *s, struct ddl_name *n)
{
    n->table = ddl_token_name(&s->lexer, &s->tok, s->arena);
    n->size = s->tok.at + s->tok.size - n->at;
    advance(s);
}

/* table, schema.table, or .table (the default schema).  False, with nothing done, if none
 * stands here. */
static bool table_name(struct scan *s)
{
    struct ddl_name *n;

    if (!at_name(s) && !is(s, "."))
        return false;
    n = push_name(s);
    if (at_name(s))
        name_part(s, n);
    if (accept(s, ".")) {
        n->schema = n->table;
        if (!at_name(s)) {
            s->ret->n_names--;
            return false;
        }
        name_part(s, n);
    }
    return true;
}

static void table_names(struct scan *s)
{
    while (table_name(s) && accept(s, ","))
        ;
}

static void schema_name(struct scan *s)
{
    struct ddl_name *n;

    if (!at_name(s))
        return;
    n = push_name(s);
    n->schema = ddl_token_name(&s->lexer, &s->tok, s->arena);
    n->size = s->tok.size;
    advance(s);
}

static void if_exists(struct scan *s)
{
    if (!accept(s, "IF"))
        return;
    accept(s, "NOT");
    if (accept(s, "EXISTS"))
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

    if (is_any(s, options))
        push_name(s);
    else
        schema_name(s);
}

/* UNION = (t1, t2) of a MERGE table, not the UNION of a SELECT. */
static void union_tables(struct scan *s)
{
    accept(s, "=");
    if (accept(s, "(") && !is(s, "SELECT"))
        table_names(s);
}

static void start_transaction(struct scan *s)
{
    size_t at = s->tok.at;

    advance(s);
    s->ret->start_transaction = true;
    s->ret->start_transaction_at = at;
    s->ret->start_transaction_size = s->tok.at + s->tok.size - at;
    advance(s);
}

/* What CREATE TABLE and ALTER TABLE have in common: other tables named among their columns
 * and options.  True if it took a step. */
static bool common_part(struct scan *s)
{
    if (accept(s, "REFERENCES"))
        table_name(s);
    else if (accept(s, "UNION"))
        union_tables(s);
    else
        return false;
    return true;
}

static void create_table(struct scan *s)
{
    one_table(s);
    if (is(s, "(") && next_is(s, "LIKE"))
        advance(s);
    if (accept(s, "LIKE")) {
        s->ret->class = DDL_CREATE_TABLE_LIKE;
        table_name(s);
        return;
    }
    while (!at_end(s)) {
        if (is(s, "SELECT")) {
            s->ret->class = DDL_CREATE_TABLE_SELECT;
            return;
        }
        if (s->depth == 0 && is(s, "START") && next_is(s, "TRANSACTION"))
            start_transaction(s);
        else if (!common_part(s))
            advance(s);
    }
}

/* RENAME [TO | AS | =] name, not RENAME COLUMN, INDEX, KEY or CONSTRAINT. */
static void alter_rename(struct scan *s)
{
    static const char *const others[] = { "COLUMN", "INDEX", "KEY", "CONSTRAINT", NULL };

    if (is_any(s, others))
        return;
    if (!accept(s, "TO") && !accept(s, "AS"))
        accept(s, "=");
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

    return (is_any(s, functions) && next_is(s, "(")) || (is(s, "NEXT") && next_is(s, "VALUE"));
}

/* Notes what an ALTER does to rows that are there; takes no step. */
static void alter_rows(struct scan *s, bool adds)
{
    struct ddl *d = s->ret;

    d->own_values = d->own_values || (adds && at_own_value(s));
    d->numbers_rows = d->numbers_rows || (adds && is(s, "AUTO_INCREMENT"));
    d->tablespace = d->tablespace || (s->depth == 0 && (is(s, "DISCARD") || is(s, "IMPORT")) &&
                                      (next_is(s, "TABLESPACE") || next_is(s, "PARTITION")));
}

static void alter_table(struct scan *s)
{
    bool adds = false;

    one_table(s);
    while (!at_end(s)) {
        if (s->depth == 0 && (is(s, "ADD") || is(s, ",")))
            adds = is(s, "ADD");
        alter_rows(s, adds);
        if (common_part(s))
            continue;
        if (s->depth == 0 && accept(s, "RENAME")) {
            alter_rename(s);
        } else if ((is(s, "WITH") || is(s, "TO") || is(s, "CONVERT")) && next_is(s, "TABLE")) {
            advance(s); /* EXCHANGE PARTITION p WITH TABLE t, CONVERT PARTITION p TO TABLE t, */
            advance(s); /* CONVERT TABLE t TO PARTITION p */
            table_name(s);
        } else {
            advance(s);
        }
    }
}

/* CREATE or DROP INDEX: the table stands behind ON. */
static void index_on(struct scan *s)
{
    if_exists(s);
    while (!at_end(s) && !is(s, "ON"))
        advance(s);
    if (accept(s, "ON"))
        table_name(s);
}

/* MariaDB: WAIT n or NOWAIT behind a table. */
static void wait_option(struct scan *s)
{
    if (accept(s, "WAIT"))
        advance(s);
    else
        accept(s, "NOWAIT");
}

static void rename_tables(struct scan *s)
{
    if_exists(s);
    do {
        if (!table_name(s))
            return;
        wait_option(s);
        if (!accept(s, "TO") || !table_name(s))
            return;
        s->ret->names[s->ret->n_names - 1].to = true;
    } while (accept(s, ","));
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
        if (is(s, objects[i].word))
            return &objects[i];
    return NULL;
}

/* DEFINER = user@host: a user may be called like an object. */
static void definer(struct scan *s)
{
    advance(s);
    if (!accept(s, "="))
        return;
    advance(s);
    if (accept(s, "@"))
        advance(s);
}

/* Skips what stands between the verb and the object: OR REPLACE, TEMPORARY, UNIQUE, ... */
static const struct object *find_object(struct scan *s)
{
    const struct object *o;

    while (!(o = object_here(s)) && !at_end(s)) {
        if (is(s, "DEFINER")) {
            definer(s);
            continue;
        }
        s->ret->temporary = s->ret->temporary || is(s, "TEMPORARY");
        s->ret->or_replace = s->ret->or_replace || is(s, "REPLACE");
        advance(s);
    }
    if (o)
        advance(s);
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
    if (accept(s, "TABLE") || accept(s, "TABLES"))
        statement(s, DDL_RENAME_TABLE, rename_tables);
    else if (is(s, "USER"))
        s->ret->class = DDL_ACCOUNT;
}

static void verb_truncate(struct scan *s)
{
    accept(s, "TABLE");
    statement(s, DDL_TRUNCATE_TABLE, one_table);
}

static void verb_set(struct scan *s)
{
    if (is(s, "PASSWORD") || is(s, "ROLE") || (is(s, "DEFAULT") && next_is(s, "ROLE")))
        s->ret->class = DDL_ACCOUNT;
}

static void verb_start(struct scan *s)
{
    if (is(s, "TRANSACTION"))
        s->ret->class = DDL_TRANSACTION;
}

static void verb_begin(struct scan *s)
{
    if (is(s, "NOT")) /* MariaDB: BEGIN NOT ATOMIC is a block of statements */
        s->ret->class = DDL_DML;
}

static void skip_modifiers(struct scan *s)
{
    static const char *const words[] = { "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE",
                                         "QUICK",        "INTO",          NULL };

    while (is_any(s, words))
        advance(s);
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
    if (!is(s, "FROM"))
        table_names(s);
    while (!at_end(s) && !is(s, "SET") && !is(s, "WHERE")) {
        if (accept(s, "FROM") || accept(s, "JOIN") || accept(s, "USING") || accept(s, ","))
            table_names(s);
        else
            advance(s);
    }
}

/* WITH ... UPDATE or DELETE; a SELECT calls a function that writes. */
static void verb_with(struct scan *s)
{
    while (!at_end(s) && !(s->depth == 0 && (is(s, "UPDATE") || is(s, "DELETE"))))
        advance(s);
    if (at_end(s))
        return;
    advance(s);
    verb_change(s);
}

static void verb_load(struct scan *s)
{
    if (is(s, "INDEX")) {
        s->ret->class = DDL_ADMIN;
        return;
    }
    while (!at_end(s) && !(is(s, "INTO") && next_is(s, "TABLE")))
        advance(s);
    advance(s);
    advance(s);
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
    if (!is(s, "SET") || !next_is(s, "STATEMENT"))
        return;
    while (!at_end(s) && !is(s, "FOR"))
        advance(s);
    advance(s);
}

void ddl_scan(struct slice sql, bool ansi_quotes, bool no_backslash_escapes, struct arena *arena,
              struct ddl *ret)
{
    struct scan s = { .lexer = { .sql = sql,
                                 .ansi_quotes = ansi_quotes,
                                 .no_backslash_escapes = no_backslash_escapes },
                      .arena = arena,
                      .ret = ret };

    *ret = (struct ddl){ .class = DDL_UNKNOWN };
    advance(&s);
    while (is(&s, "(") || is(&s, ";"))
        advance(&s);
    s.depth = 0;
    skip_set_statement(&s);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (!is(&s, verbs[i].word))
            continue;
        advance(&s);
        statement(&s, verbs[i].class, verbs[i].scan);
        return;
    }
}

/* --- clauses --- */

/* What a clause begins with.  Behind other commas a list goes on: DROP PARTITION p, q. */
static const char *const clause_words[] = {
    "ADD",   "DROP",    "MODIFY",    "CHANGE",  "ALTER",   "RENAME",    "CONVERT",
    "ORDER", "ENGINE",  "COMMENT",   "DEFAULT", "CHARSET", "CHARACTER", "ROW_FORMAT",
    "FORCE", "COLLATE", "ALGORITHM", "LOCK",    NULL,
};

unsigned ddl_clauses(struct slice sql, const struct ddl *d, bool ansi_quotes,
                     bool no_backslash_escapes, struct arena *arena, struct slice **ret)
{
    struct scan s = { .lexer = { .sql = sql,
                                 .at = d->n_names ? d->names[0].at + d->names[0].size : 0,
                                 .ansi_quotes = ansi_quotes,
                                 .no_backslash_escapes = no_backslash_escapes } };
    size_t from = s.lexer.at;
    unsigned n = 0, cap = 0;

    if (d->class != DDL_ALTER_TABLE || d->n_names == 0)
        return 0;
    advance(&s);
    for (;;) {
        struct scan comma = s;
        bool ends = at_end(&s) || is(&s, ";");

        if (!ends && !(s.depth == 0 && accept(&s, ",") && is_any(&s, clause_words))) {
            if (s.tok.at == comma.tok.at)
                advance(&s);
            continue;
        }
        if (n == cap) {
            struct slice *more = arena_alloc(arena, (cap = cap * 2 + 4) * sizeof *more);

            if (n)
                memcpy(more, *ret, n * sizeof *more);
            *ret = more;
        }
        (*ret)[n++] = slice_of(sql.data + from, comma.tok.at - from);
        if (ends)
            return n;
        from = s.tok.at;
    }
}

/* --- writing --- */

static size_t cut_transaction(struct slice sql, const struct ddl *d, size_t at, struct buf *out)
{
    buf_add(out, sql.data + at, d->start_transaction_at - at);
    return d->start_transaction_at + d->start_transaction_size;
}

void ddl_rewrite(struct slice sql, const struct ddl *d,
                 bool (*rename)(void *arg, const struct ddl_name *n, struct buf *quoted), void *arg,
                 struct buf *out)
{
    struct buf quoted = BUF_INIT;
    bool cut = d->start_transaction;
    size_t at = 0;

    for (unsigned i = 0; i < d->n_names; i++) {
        const struct ddl_name *n = &d->names[i];

        buf_clear(&quoted);
        if (!rename || !rename(arg, n, &quoted))
            continue;
        if (cut && d->start_transaction_at < n->at) {
            at = cut_transaction(sql, d, at, out);
            cut = false;
        }
        buf_add(out, sql.data + at, n->at - at);
        buf_add(out, quoted.data, quoted.size);
        if (n->size == 0)
            buf_byte(out, ' ');
        at = n->at + n->size;
    }
    if (cut)
        at = cut_transaction(sql, d, at, out);
    buf_add(out, sql.data + at, sql.size - at);
    buf_fini(&quoted);
}

const char *ddl_class_name(enum ddl_class c)
{
    static const char *const names[DDL_N_CLASSES] = {
        [DDL_UNKNOWN] = "unknown",
        [DDL_CREATE_DATABASE] = "create database",
        [DDL_DROP_DATABASE] = "drop database",
        [DDL_ALTER_DATABASE] = "alter database",
        [DDL_CREATE_TABLE] = "create table",
        [DDL_CREATE_TABLE_LIKE] = "create table like",
        [DDL_CREATE_TABLE_SELECT] = "create table select",
        [DDL_DROP_TABLE] = "drop table",
        [DDL_ALTER_TABLE] = "alter table",
        [DDL_RENAME_TABLE] = "rename table",
        [DDL_TRUNCATE_TABLE] = "truncate table",
        [DDL_CREATE_INDEX] = "create index",
        [DDL_DROP_INDEX] = "drop index",
        [DDL_CREATE_VIEW] = "create view",
        [DDL_DROP_VIEW] = "drop view",
        [DDL_ALTER_VIEW] = "alter view",
        [DDL_CREATE_SEQUENCE] = "create sequence",
        [DDL_ALTER_SEQUENCE] = "alter sequence",
        [DDL_DROP_SEQUENCE] = "drop sequence",
        [DDL_TRIGGER] = "trigger",
        [DDL_ROUTINE] = "routine",
        [DDL_EVENT] = "event",
        [DDL_ACCOUNT] = "account",
        [DDL_ADMIN] = "administration",
        [DDL_DML] = "dml",
        [DDL_TRANSACTION] = "transaction",
    };

    return names[c];
}
