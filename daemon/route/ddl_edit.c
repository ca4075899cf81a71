/* What is done with a statement that ddl.c has scanned: parted into clauses, written with other
 * names. */
#include "route/ddl.h"
#include "route/ddl_lex.h"

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
    struct ddl_reader in = { .lexer = { .sql = sql,
                                        .at = d->n_names ? d->names[0].at + d->names[0].size : 0,
                                        .ansi_quotes = ansi_quotes,
                                        .no_backslash_escapes = no_backslash_escapes } };
    size_t from = in.lexer.at;
    unsigned n = 0, cap = 0;

    if (d->class != DDL_ALTER_TABLE || d->n_names == 0)
        return 0;
    ddl_advance(&in);
    for (;;) {
        struct ddl_reader comma = in;
        bool ends = ddl_at_end(&in) || ddl_is(&in, ";");

        if (!ends && !(in.depth == 0 && ddl_accept(&in, ",") && ddl_is_any(&in, clause_words))) {
            if (in.tok.at == comma.tok.at)
                ddl_advance(&in);
            continue;
        }
        *ret = arena_grow(arena, *ret, n, &cap, sizeof **ret);
        (*ret)[n++] = slice_of(sql.data + from, comma.tok.at - from);
        if (ends)
            return n;
        from = in.tok.at;
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
