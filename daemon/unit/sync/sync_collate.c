#include "unit/sync/sync_collate.h"

#include <stdio.h>
#include <strings.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/address.h"
#include "route/ddl_lex.h"

/* A name, plain or quoted in any way; what is too long for one is none. */
static bool name_of(const struct ddl_lexer *l, const struct ddl_token *t, struct arena *arena,
                    char name[static 65])
{
    struct slice s;

    if (t->kind == DDL_TOKEN_STRING && t->size > 2)
        s = slice_of(l->sql.data + t->at + 1, t->size - 2);
    else if (t->kind == DDL_TOKEN_WORD || t->kind == DDL_TOKEN_QUOTED)
        s = ddl_token_name(l, t, arena);
    else
        return false;
    if (s.size == 0 || s.size > 64)
        return false;
    snprintf(name, 65, "%.*s", SLICE_ARG(s));
    return true;
}

/* --- types --- */

/* Unquoted, these are no names of columns where a type could follow. */
static const char *const before_names[] = { "ADD",   "COLUMN",     "MODIFY", "CHANGE", "DROP",
                                            "AFTER", "TO",         "BY",     "KEY",    "INDEX",
                                            "TABLE", "CONSTRAINT", "AS",     "RENAME", "EXISTS",
                                            "ALTER", "UNIQUE",     "SET",    "DEFAULT" };
static const char *const after_types[] = {
    ",",   ")",       "NOT",   "NULL",    "DEFAULT",   "PRIMARY",   "UNIQUE",
    "KEY", "COMMENT", "CHECK", "FIRST",   "AFTER",     "VIRTUAL",   "GENERATED",
    "AS",  "WITHOUT", "WITH",  "COLLATE", "INVISIBLE", "REFERENCES"
};

static bool is_any(const struct ddl_lexer *l, const struct ddl_token *t, const char *const *words,
                   size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ddl_token_is(l, t, words[i]))
            return true;
    return false;
}

/* What is written for 't', a type that the target lacks; NULL: it is none. */
static const char *type_for(const struct ddl_lexer *l, const struct ddl_token *before,
                            const struct ddl_token *t, struct server_kind from,
                            struct server_kind to)
{
    struct ddl_lexer ahead = *l;
    struct ddl_token next;
    char word[8] = "";

    if (t->kind != DDL_TOKEN_WORD || t->after_dot || t->size >= sizeof word)
        return NULL;
    for (size_t i = 0; i < t->size; i++)
        word[i] = (char)(l->sql.data[t->at + i] | 0x20); /* digits have the bit already */
    if (!address_of_type(word) || (before->kind != DDL_TOKEN_QUOTED &&
                                   (before->kind != DDL_TOKEN_WORD ||
                                    is_any(l, before, before_names, ARRAY_LEN(before_names)))))
        return NULL;
    next = ddl_lex(&ahead);
    if (next.kind != DDL_TOKEN_END && !is_any(l, &next, after_types, ARRAY_LEN(after_types)))
        return NULL;
    return dialect_type(from, to, word, word).to;
}

void collate_translate(struct slice sql, bool ansi_quotes, bool no_backslash_escapes,
                       struct server_kind from, struct server_kind to, struct buf *out)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct ddl_lexer l = { .sql = sql,
                           .ansi_quotes = ansi_quotes,
                           .no_backslash_escapes = no_backslash_escapes };
    struct ddl_token t = { .kind = DDL_TOKEN_END }, before;
    size_t done = 0;

    for (before = t, t = ddl_lex(&l); t.kind != DDL_TOKEN_END; before = t, t = ddl_lex(&l)) {
        const char *type = type_for(&l, &before, &t, from, to);
        struct collation_change change;
        char name[65];

        if (type) {
            buf_add(out, sql.data + done, t.at - done);
            buf_str(out, type);
            done = t.at + t.size;
        }
        if (!ddl_token_is(&l, &t, "COLLATE"))
            continue;
        t = ddl_lex(&l);
        if (ddl_token_is(&l, &t, "="))
            t = ddl_lex(&l);
        if (t.kind == DDL_TOKEN_END)
            break;
        if (!name_of(&l, &t, &arena, name))
            continue;
        change = dialect_collation(from, to, name);
        if (change.fidelity == FIDELITY_REFUSED || strcasecmp(change.to, name) == 0)
            continue;
        buf_add(out, sql.data + done, t.at - done);
        buf_str(out, change.to);
        done = t.at + t.size;
    }
    buf_add(out, sql.data + done, sql.size - done);
}
