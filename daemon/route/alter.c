#include "route/alter.h"

#include "base/mem.h"
#include "route/ddl_lex.h"

struct scan {
    struct ddl_reader in;
    struct arena *arena;
    struct alter *ret;
    unsigned cap;
    struct alter_clause *c; /* at hand */
};

static struct slice name_here(struct scan *s)
{
    struct slice name = slice_of(NULL, 0);

    if (!ddl_at_name(&s->in))
        return name;
    name = ddl_name_here(&s->in, s->arena);
    s->c->name_at = s->in.tok.at;
    s->c->name_size = s->in.tok.size;
    ddl_advance(&s->in);
    return name;
}

/* --- the head of a clause says what it is --- */

static enum alter_kind named(struct scan *s, enum alter_kind kind)
{
    ddl_accept_if_exists(&s->in);
    s->c->name = name_here(s);
    return kind;
}

static enum alter_kind column(struct scan *s, enum alter_kind kind)
{
    named(s, kind);
    s->c->definition_at = s->c->name.size ? s->in.tok.at : 0;
    return kind;
}

/* What an ADD adds. */
static const struct part {
    const char *word;
    enum alter_kind add, drop;
    bool is_named;    /* behind DROP */
    const char *next; /* it is a name unless this follows; NULL: always */
} parts[] = {
    { "INDEX", ALTER_ADD_INDEX, ALTER_DROP_INDEX, true },
    { "KEY", ALTER_ADD_INDEX, ALTER_DROP_INDEX, true },
    { "FULLTEXT", ALTER_ADD_INDEX, ALTER_DROP_COLUMN, true },
    { "SPATIAL", ALTER_ADD_INDEX, ALTER_DROP_COLUMN, true },
    { "VECTOR", ALTER_ADD_INDEX, ALTER_OTHER, false, "INDEX" },
    { "UNIQUE", ALTER_ADD_UNIQUE, ALTER_OTHER, false },
    { "PRIMARY", ALTER_ADD_PRIMARY, ALTER_DROP_PRIMARY, false },
    { "FOREIGN", ALTER_ADD_FOREIGN, ALTER_DROP_FOREIGN, false },
    { "CHECK", ALTER_ADD_CHECK, ALTER_DROP_CHECK, true },
    { "PARTITION", ALTER_ADD_PARTITION, ALTER_DROP_PARTITION, false },
    { "PERIOD", ALTER_OTHER, ALTER_OTHER, false, "FOR" },
    { "SYSTEM", ALTER_OTHER, ALTER_OTHER, false, "VERSIONING" },
};

static const struct part *part_here(const struct scan *s)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (ddl_is(&s->in, parts[i].word) && (!parts[i].next || ddl_next_is(&s->in, parts[i].next)))
            return &parts[i];
    return NULL;
}

static enum alter_kind clause_add(struct scan *s)
{
    bool constraint = ddl_accept(&s->in, "CONSTRAINT");
    const struct part *p;

    if (constraint && !part_here(s)) {
        ddl_accept_if_exists(&s->in);
        ddl_advance(&s->in); /* its symbol */
    }
    p = part_here(s);
    if (p) {
        ddl_advance(&s->in);
        return p->add;
    }
    if (constraint)
        return ALTER_OTHER;
    ddl_accept(&s->in, "COLUMN");
    ddl_accept_if_exists(&s->in);
    return ddl_is(&s->in, "(") ? ALTER_ADD_COLUMN : column(s, ALTER_ADD_COLUMN);
}

static enum alter_kind clause_drop(struct scan *s)
{
    const struct part *p = part_here(s);

    if (p) {
        ddl_advance(&s->in);
        return p->is_named ? named(s, p->drop) : p->drop;
    }
    if (ddl_accept(&s->in, "CONSTRAINT"))
        return named(s, ALTER_DROP_CHECK);
    ddl_accept(&s->in, "COLUMN");
    return named(s, ALTER_DROP_COLUMN);
}

static enum alter_kind clause_modify(struct scan *s)
{
    ddl_accept(&s->in, "COLUMN");
    return column(s, ALTER_MODIFY_COLUMN);
}

static enum alter_kind clause_change(struct scan *s)
{
    ddl_accept(&s->in, "COLUMN");
    ddl_accept_if_exists(&s->in);
    s->c->name = name_here(s);
    if (ddl_at_name(&s->in)) {
        s->c->to = ddl_name_here(&s->in, s->arena);
        ddl_advance(&s->in);
    }
    s->c->definition_at = s->in.tok.at;
    return ALTER_CHANGE_COLUMN;
}

static enum alter_kind clause_alter(struct scan *s)
{
    if (ddl_accept(&s->in, "CHECK") || ddl_accept(&s->in, "CONSTRAINT"))
        return named(s, ALTER_CHECK);
    if (ddl_accept(&s->in, "INDEX") || ddl_accept(&s->in, "KEY"))
        return named(s, ALTER_INDEX_VISIBILITY);
    ddl_accept(&s->in, "COLUMN");
    named(s, ALTER_OTHER);
    if (ddl_accept(&s->in, "SET"))
        return ddl_is(&s->in, "DEFAULT") ? ALTER_SET_DEFAULT : ALTER_OTHER;
    return ddl_accept(&s->in, "DROP") && ddl_is(&s->in, "DEFAULT") ? ALTER_DROP_DEFAULT
                                                                   : ALTER_OTHER;
}

static enum alter_kind clause_rename(struct scan *s)
{
    enum alter_kind kind = ddl_is(&s->in, "COLUMN")                           ? ALTER_RENAME_COLUMN
                           : ddl_is(&s->in, "INDEX") || ddl_is(&s->in, "KEY") ? ALTER_RENAME_INDEX
                                                                              : ALTER_RENAME_TABLE;

    if (kind == ALTER_RENAME_TABLE)
        return kind;
    ddl_advance(&s->in);
    named(s, kind);
    if (ddl_accept(&s->in, "TO") && ddl_at_name(&s->in))
        s->c->to = ddl_name_here(&s->in, s->arena);
    return kind;
}

static enum alter_kind clause_truncate(struct scan *s)
{
    return ddl_is(&s->in, "PARTITION") ? ALTER_TRUNCATE_PARTITION : ALTER_OTHER;
}

static enum alter_kind clause_convert(struct scan *s)
{
    return ddl_accept(&s->in, "TO") ? ALTER_CHARSET : ALTER_OTHER;
}

static enum alter_kind clause_default(struct scan *s)
{
    return ddl_is(&s->in, "CHARACTER") || ddl_is(&s->in, "CHARSET") || ddl_is(&s->in, "COLLATE")
               ? ALTER_CHARSET
               : ALTER_OTHER;
}

static enum alter_kind clause_remove(struct scan *s)
{
    return ddl_is(&s->in, "PARTITIONING") ? ALTER_REMOVE_PARTITIONING : ALTER_OTHER;
}

static const struct head {
    const char *word;
    enum alter_kind kind;
    enum alter_kind (*scan)(struct scan *s); /* behind the word; or NULL: it is 'kind' */
} heads[] = {
    { "ADD", ALTER_OTHER, clause_add },
    { "DROP", ALTER_OTHER, clause_drop },
    { "MODIFY", ALTER_OTHER, clause_modify },
    { "CHANGE", ALTER_OTHER, clause_change },
    { "ALTER", ALTER_OTHER, clause_alter },
    { "RENAME", ALTER_OTHER, clause_rename },
    { "TRUNCATE", ALTER_OTHER, clause_truncate },
    { "CONVERT", ALTER_OTHER, clause_convert },
    { "DEFAULT", ALTER_OTHER, clause_default },
    { "REMOVE", ALTER_OTHER, clause_remove },
    { "CHARACTER", ALTER_CHARSET, NULL },
    { "CHARSET", ALTER_CHARSET, NULL },
    { "COLLATE", ALTER_CHARSET, NULL },
    { "ENGINE", ALTER_ENGINE, NULL },
    { "COMMENT", ALTER_COMMENT, NULL },
    { "AUTO_INCREMENT", ALTER_AUTO_INCREMENT, NULL },
    { "EXCHANGE", ALTER_EXCHANGE_PARTITION, NULL },
    { "REORGANIZE", ALTER_REORGANIZE_PARTITION, NULL },
    { "REBUILD", ALTER_REBUILD_PARTITION, NULL },
    { "COALESCE", ALTER_COALESCE_PARTITION, NULL },
    { "PARTITION", ALTER_PARTITION_BY, NULL },
    { "ALGORITHM", ALTER_HOW, NULL },
    { "LOCK", ALTER_HOW, NULL },
    { "FORCE", ALTER_HOW, NULL },
    { "WITH", ALTER_HOW, NULL },
    { "WITHOUT", ALTER_HOW, NULL },
};

static enum alter_kind head(struct scan *s)
{
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        if (!ddl_is(&s->in, heads[i].word))
            continue;
        ddl_advance(&s->in);
        return heads[i].scan ? heads[i].scan(s) : heads[i].kind;
    }
    return ALTER_OTHER;
}

/* --- clauses --- */

static bool has_definition(const struct alter_clause *c)
{
    return c->kind == ALTER_ADD_COLUMN || c->kind == ALTER_MODIFY_COLUMN ||
           c->kind == ALTER_CHANGE_COLUMN;
}

static void note_word(struct scan *s)
{
    struct alter_clause *c = s->c;

    if (!has_definition(c))
        return;
    c->has_default = c->has_default || ddl_is(&s->in, "DEFAULT");
    c->has_charset = c->has_charset || ddl_is(&s->in, "CHARSET") || ddl_is(&s->in, "CHARACTER");
    c->has_collate = c->has_collate || ddl_is(&s->in, "COLLATE");
    c->has_place = c->has_place || ddl_is(&s->in, "FIRST") || ddl_is(&s->in, "AFTER");
    c->has_auto_increment = c->has_auto_increment || ddl_is(&s->in, "AUTO_INCREMENT");
}

static struct alter_clause *push(struct scan *s)
{
    struct alter *a = s->ret;

    a->clauses = arena_grow(s->arena, a->clauses, a->n_clauses, &s->cap, sizeof *a->clauses);
    a->clauses[a->n_clauses] = (struct alter_clause){ .at = s->in.tok.at };
    return &a->clauses[a->n_clauses++];
}

/* Names of partitions have commas between them, and nothing else goes with them. */
static bool is_of_partitions(enum alter_kind k)
{
    return k >= ALTER_DROP_PARTITION && k <= ALTER_PARTITION_BY;
}

static void clause(struct scan *s)
{
    bool open = s->in.lexer.n_open > 0;
    bool to_the_end = ddl_is(&s->in, "ORDER"); /* commas are its own */

    s->c = push(s);
    s->c->kind = head(s);
    to_the_end = to_the_end || is_of_partitions(s->c->kind);
    while (!ddl_at_end(&s->in) && (s->in.depth || to_the_end || !ddl_is(&s->in, ","))) {
        note_word(s);
        ddl_advance(&s->in);
    }
    s->c->size = s->in.end > s->c->at ? s->in.end - s->c->at : 0;
    s->ret->in_comment = s->ret->in_comment || open || s->in.lexer.n_open;
}

void alter_scan(struct slice sql, const struct ddl *d, bool ansi_quotes, bool no_backslash_escapes,
                struct arena *arena, struct alter *ret)
{
    struct scan s = { .in.lexer = { .sql = sql,
                                    .ansi_quotes = ansi_quotes,
                                    .no_backslash_escapes = no_backslash_escapes },
                      .arena = arena,
                      .ret = ret };
    size_t from = d->n_names ? d->names[0].at + d->names[0].size : sql.size;

    *ret = (struct alter){ .n_clauses = 0 };
    do
        ddl_advance(&s.in);
    while (!ddl_at_end(&s.in) && s.in.tok.at < from);
    s.in.depth = 0;
    if (ddl_accept(&s.in, "WAIT"))
        ddl_advance(&s.in);
    else
        ddl_accept(&s.in, "NOWAIT");
    ret->at = s.in.tok.at;
    while (!ddl_at_end(&s.in)) {
        clause(&s);
        ddl_accept(&s.in, ",");
    }
}

/* --- writing --- */

void alter_without(struct slice sql, const struct alter *a, const bool *drop, struct buf *out)
{
    size_t end = a->at;
    const char *between = "";

    buf_add(out, sql.data, a->at);
    for (unsigned i = 0; i < a->n_clauses; i++) {
        const struct alter_clause *c = &a->clauses[i];

        end = c->at + c->size;
        if (drop[i])
            continue;
        buf_str(out, between);
        buf_add(out, sql.data + c->at, c->size);
        between = ", ";
    }
    buf_add(out, sql.data + end, sql.size - end);
}
