/* What is done with a statement that ddl.c has scanned: parted into clauses, written with other
 * names. */
#include "base/scope.h"
#include "route/ddl.h"
#include "route/ddl_lex.h"

/* --- clauses --- */

/* What a clause begins with.  Behind other commas a list goes on: DROP PARTITION p, q. */
static const char *const clause_words[] = {
    "ADD",   "DROP",    "MODIFY",    "CHANGE",  "ALTER",   "RENAME",    "CONVERT",
    "ORDER", "ENGINE",  "COMMENT",   "DEFAULT", "CHARSET", "CHARACTER", "ROW_FORMAT",
    "FORCE", "COLLATE", "ALGORITHM", "LOCK",    NULL,
};

struct cutter {
    struct ddl_reader in;
    struct arena *arena;
    struct slice *clauses;
    unsigned n, cap;
    bool lists; /* what a comma parts in a list of partitions is a clause, too */
};

static struct slice between(const struct cutter *c, size_t from, size_t to)
{
    return slice_of(c->in.lexer.sql.data + from, to - from);
}

static void add_clause(struct cutter *c, struct slice clause)
{
    c->clauses = arena_grow(c->arena, c->clauses, c->n, &c->cap, sizeof *c->clauses);
    c->clauses[c->n++] = clause;
}

/* What stands in front of a list, and then one member of it. */
static void add_member(struct cutter *c, const char *front, size_t from, size_t to)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct slice member = between(c, from, to);

    buf_str(&text, front);
    buf_add(&text, member.data, member.size);
    add_clause(c, slice_of(arena_dup(c->arena, text.data, text.size), text.size));
}

/* The list at hand, 'depth' parentheses deep, up to 'to'.  False: something else comes behind it,
 * or it is not closed; then nothing is added. */
static bool add_list(struct cutter *c, struct ddl_reader *in, const char *front, unsigned depth,
                     size_t to)
{
    unsigned before = c->n;
    size_t from = in->tok.at;

    while (!ddl_at_end(in) && in->tok.at < to && !(ddl_is(in, ")") && in->depth == depth)) {
        bool comma = ddl_is(in, ",") && in->depth == depth;

        if (comma)
            add_member(c, front, from, in->tok.at);
        ddl_advance(in);
        if (comma)
            from = in->tok.at;
    }
    if (depth == 0 || (ddl_is(in, ")") && in->tok.at < to)) {
        add_member(c, front, from, depth ? in->tok.at : to);
        if (depth)
            ddl_advance(in);
        if (ddl_at_end(in) || in->tok.at >= to)
            return true;
    }
    c->n = before;
    return false;
}

/* One that is about several columns or partitions. */
static bool add_parts(struct cutter *c, struct ddl_reader in, size_t to)
{
    if (ddl_accept(&in, "ADD")) {
        ddl_accept(&in, "COLUMN");
        return ddl_accept(&in, "(") && add_list(c, &in, "ADD ", 1, to);
    }
    return c->lists && ddl_accept(&in, "DROP") && ddl_accept(&in, "PARTITION") &&
           !ddl_is(&in, "IF") && add_list(c, &in, "DROP PARTITION ", 0, to);
}

static unsigned cut(struct cutter *c, const struct ddl *d)
{
    struct ddl_reader *in = &c->in, first;
    size_t from = in->lexer.at;

    if (d->class != DDL_ALTER_TABLE || d->n_names == 0)
        return 0;
    ddl_advance(in);
    first = *in;
    for (;;) {
        struct ddl_reader comma = *in;
        bool ends = ddl_at_end(in) || ddl_is(in, ";");

        if (!ends && !(in->depth == 0 && ddl_accept(in, ",") && ddl_is_any(in, clause_words))) {
            if (in->tok.at == comma.tok.at)
                ddl_advance(in);
            continue;
        }
        if (!add_parts(c, first, comma.tok.at))
            add_clause(c, between(c, from, comma.tok.at));
        if (ends)
            return c->n;
        from = in->tok.at;
        first = *in;
    }
}

static struct cutter cutter_of(struct slice sql, const struct ddl *d, bool ansi_quotes,
                               bool no_backslash_escapes, struct arena *arena)
{
    size_t at = d->n_names ? d->names[0].at + d->names[0].size : 0;

    return (struct cutter){ .in = { .lexer = { .sql = sql,
                                               .at = at,
                                               .ansi_quotes = ansi_quotes,
                                               .no_backslash_escapes = no_backslash_escapes } },
                            .arena = arena };
}

unsigned ddl_clauses(struct slice sql, const struct ddl *d, bool ansi_quotes,
                     bool no_backslash_escapes, struct arena *arena, struct slice **ret)
{
    struct cutter c = cutter_of(sql, d, ansi_quotes, no_backslash_escapes, arena);
    unsigned n = cut(&c, d);

    *ret = c.clauses;
    return n;
}

unsigned ddl_parts(struct slice sql, const struct ddl *d, bool ansi_quotes,
                   bool no_backslash_escapes, struct arena *arena, struct slice **ret)
{
    struct cutter c = cutter_of(sql, d, ansi_quotes, no_backslash_escapes, arena);
    unsigned n;

    c.lists = true;
    n = cut(&c, d);
    *ret = c.clauses;
    return n;
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
