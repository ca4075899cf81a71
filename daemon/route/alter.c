#include "route/alter.h"

#include "base/mem.h"
#include "route/ddl_lex.h"

struct scan {
    struct ddl_lexer lexer;
    struct ddl_token tok; /* the current one */
    size_t end;           /* of the one before */
    unsigned depth;       /* of parentheses around it */
    struct arena *arena;
    struct alter *ret;
    unsigned cap;
    struct alter_clause *c; /* at hand */
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
    s->end = s->tok.at + s->tok.size;
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

static bool at_name(const struct scan *s)
{
    return s->tok.kind == DDL_TOKEN_WORD || s->tok.kind == DDL_TOKEN_QUOTED;
}

static struct slice name_here(struct scan *s)
{
    struct slice name = slice_of(NULL, 0);

    if (!at_name(s))
        return name;
    name = ddl_token_name(&s->lexer, &s->tok, s->arena);
    s->c->name_at = s->tok.at;
    s->c->name_size = s->tok.size;
    advance(s);
    return name;
}

static void if_exists(struct scan *s)
{
    if (!accept(s, "IF"))
        return;
    accept(s, "NOT");
    accept(s, "EXISTS");
}

/* --- the head of a clause says what it is --- */

static enum alter_kind named(struct scan *s, enum alter_kind kind)
{
    if_exists(s);
    s->c->name = name_here(s);
    return kind;
}

static enum alter_kind column(struct scan *s, enum alter_kind kind)
{
    named(s, kind);
    s->c->definition_at = s->c->name.size ? s->tok.at : 0;
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
        if (is(s, parts[i].word) && (!parts[i].next || next_is(s, parts[i].next)))
            return &parts[i];
    return NULL;
}

static enum alter_kind clause_add(struct scan *s)
{
    bool constraint = accept(s, "CONSTRAINT");
    const struct part *p;

    if (constraint && !part_here(s)) {
        if_exists(s);
        advance(s); /* its symbol */
    }
    p = part_here(s);
    if (p) {
        advance(s);
        return p->add;
    }
    if (constraint)
        return ALTER_OTHER;
    accept(s, "COLUMN");
    if_exists(s);
    return is(s, "(") ? ALTER_ADD_COLUMN : column(s, ALTER_ADD_COLUMN);
}

static enum alter_kind clause_drop(struct scan *s)
{
    const struct part *p = part_here(s);

    if (p) {
        advance(s);
        return p->is_named ? named(s, p->drop) : p->drop;
    }
    if (accept(s, "CONSTRAINT"))
        return named(s, ALTER_DROP_CHECK);
    accept(s, "COLUMN");
    return named(s, ALTER_DROP_COLUMN);
}

static enum alter_kind clause_modify(struct scan *s)
{
    accept(s, "COLUMN");
    return column(s, ALTER_MODIFY_COLUMN);
}

static enum alter_kind clause_change(struct scan *s)
{
    accept(s, "COLUMN");
    if_exists(s);
    s->c->name = name_here(s);
    if (at_name(s)) {
        s->c->to = ddl_token_name(&s->lexer, &s->tok, s->arena);
        advance(s);
    }
    s->c->definition_at = s->tok.at;
    return ALTER_CHANGE_COLUMN;
}

static enum alter_kind clause_alter(struct scan *s)
{
    if (accept(s, "CHECK") || accept(s, "CONSTRAINT"))
        return named(s, ALTER_CHECK);
    if (accept(s, "INDEX") || accept(s, "KEY"))
        return named(s, ALTER_INDEX_VISIBILITY);
    accept(s, "COLUMN");
    named(s, ALTER_OTHER);
    if (accept(s, "SET"))
        return is(s, "DEFAULT") ? ALTER_SET_DEFAULT : ALTER_OTHER;
    return accept(s, "DROP") && is(s, "DEFAULT") ? ALTER_DROP_DEFAULT : ALTER_OTHER;
}

static enum alter_kind clause_rename(struct scan *s)
{
    enum alter_kind kind = is(s, "COLUMN")                  ? ALTER_RENAME_COLUMN
                           : is(s, "INDEX") || is(s, "KEY") ? ALTER_RENAME_INDEX
                                                            : ALTER_RENAME_TABLE;

    if (kind == ALTER_RENAME_TABLE)
        return kind;
    advance(s);
    named(s, kind);
    if (accept(s, "TO") && at_name(s))
        s->c->to = ddl_token_name(&s->lexer, &s->tok, s->arena);
    return kind;
}

static enum alter_kind clause_truncate(struct scan *s)
{
    return is(s, "PARTITION") ? ALTER_TRUNCATE_PARTITION : ALTER_OTHER;
}

static enum alter_kind clause_convert(struct scan *s)
{
    return accept(s, "TO") ? ALTER_CHARSET : ALTER_OTHER;
}

static enum alter_kind clause_default(struct scan *s)
{
    return is(s, "CHARACTER") || is(s, "CHARSET") || is(s, "COLLATE") ? ALTER_CHARSET : ALTER_OTHER;
}

static enum alter_kind clause_remove(struct scan *s)
{
    return is(s, "PARTITIONING") ? ALTER_REMOVE_PARTITIONING : ALTER_OTHER;
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
        if (!is(s, heads[i].word))
            continue;
        advance(s);
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
    c->has_default = c->has_default || is(s, "DEFAULT");
    c->has_charset = c->has_charset || is(s, "CHARSET") || is(s, "CHARACTER");
    c->has_collate = c->has_collate || is(s, "COLLATE");
    c->has_place = c->has_place || is(s, "FIRST") || is(s, "AFTER");
    c->has_auto_increment = c->has_auto_increment || is(s, "AUTO_INCREMENT");
}

static struct alter_clause *push(struct scan *s)
{
    struct alter *a = s->ret;

    if (a->n_clauses == s->cap) {
        struct alter_clause *more;

        s->cap = s->cap ? s->cap * 2 : 8;
        more = arena_alloc(s->arena, s->cap * sizeof *more);
        if (a->n_clauses)
            memcpy(more, a->clauses, a->n_clauses * sizeof *more);
        a->clauses = more;
    }
    a->clauses[a->n_clauses] = (struct alter_clause){ .at = s->tok.at };
    return &a->clauses[a->n_clauses++];
}

/* Names of partitions have commas between them, and nothing else goes with them. */
static bool is_of_partitions(enum alter_kind k)
{
    return k >= ALTER_DROP_PARTITION && k <= ALTER_PARTITION_BY;
}

static void clause(struct scan *s)
{
    bool open = s->lexer.n_open > 0;
    bool to_the_end = is(s, "ORDER"); /* commas are its own */

    s->c = push(s);
    s->c->kind = head(s);
    to_the_end = to_the_end || is_of_partitions(s->c->kind);
    while (!at_end(s) && (s->depth || to_the_end || !is(s, ","))) {
        note_word(s);
        advance(s);
    }
    s->c->size = s->end > s->c->at ? s->end - s->c->at : 0;
    s->ret->in_comment = s->ret->in_comment || open || s->lexer.n_open;
}

void alter_scan(struct slice sql, const struct ddl *d, bool ansi_quotes, bool no_backslash_escapes,
                struct arena *arena, struct alter *ret)
{
    struct scan s = { .lexer = { .sql = sql,
                                 .ansi_quotes = ansi_quotes,
                                 .no_backslash_escapes = no_backslash_escapes },
                      .arena = arena,
                      .ret = ret };
    size_t from = d->n_names ? d->names[0].at + d->names[0].size : sql.size;

    *ret = (struct alter){ .n_clauses = 0 };
    do
        advance(&s);
    while (!at_end(&s) && s.tok.at < from);
    s.depth = 0;
    if (accept(&s, "WAIT"))
        advance(&s);
    else
        accept(&s, "NOWAIT");
    ret->at = s.tok.at;
    while (!at_end(&s)) {
        clause(&s);
        accept(&s, ",");
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
