#include "unit/sync/sync_collate.h"

#include <stdio.h>
#include <strings.h>

#include "base/arena.h"
#include "base/scope.h"
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

void collate_translate(struct slice sql, bool ansi_quotes, bool no_backslash_escapes,
                       struct server_kind from, struct server_kind to, struct buf *out)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct ddl_lexer l = { .sql = sql,
                           .ansi_quotes = ansi_quotes,
                           .no_backslash_escapes = no_backslash_escapes };
    size_t done = 0;

    for (struct ddl_token t = ddl_lex(&l); t.kind != DDL_TOKEN_END; t = ddl_lex(&l)) {
        struct collation_change change;
        char name[65];

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
