#include "route/filter.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/ddl_lex.h"
#include "route/filter_event.h"
#include "route/pattern.h"

struct rule {
    struct pattern *schema, *table; /* table NULL: the whole schema */
    struct filter_word *words;
    size_t n_words;
    struct pattern **patterns;
    size_t n_patterns;
    bool everywhere; /* for every schema: expressions see a whole statement, as logged */
};

struct filter {
    struct rule *rules;
    size_t n_rules;
};

/* --- building --- */

static void rule_fini(struct rule *r)
{
    pattern_free(r->schema);
    pattern_free(r->table);
    free(r->words);
    for (size_t i = 0; i < r->n_patterns; i++)
        pattern_free(r->patterns[i]);
    free(r->patterns);
}

void filter_free(struct filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n_rules; i++)
        rule_fini(&f->rules[i]);
    free(f->rules);
    free(f);
}

static int add_words(struct rule *r, const struct filter_rule *from, struct err *err)
{
    r->words = xcalloc(from->n_events + 1, sizeof *r->words);
    for (size_t i = 0; i < from->n_events; i++)
        if (!filter_word_of(from->events[i], &r->words[r->n_words++]))
            return err_set(err, -EINVAL, "ignore_event: there is no event %s", from->events[i]);
    return 0;
}

static int add_patterns(struct rule *r, const struct filter_rule *from, struct err *err)
{
    r->patterns = xcalloc(from->n_patterns + 1, sizeof(struct pattern *));
    for (size_t i = 0; i < from->n_patterns; i++) {
        SCOPED(freep) char *text = xasprintf("~%s", from->patterns[i]);
        int rc = pattern_new(text, true, &r->patterns[r->n_patterns], err);

        if (rc < 0)
            return err_wrap(err, "ignore_sql");
        r->n_patterns++;
    }
    return 0;
}

static int rule_init(struct rule *r, const struct filter_rule *from, bool fold, struct err *err)
{
    int rc = 0;

    *r = (struct rule){ .everywhere = from->schema && strcmp(from->schema, "*") == 0 };
    if (from->schema)
        rc = pattern_new(from->schema, fold, &r->schema, err);
    if (rc == 0 && from->table && *from->table)
        rc = pattern_new(from->table, fold, &r->table, err);
    if (rc == 0)
        rc = add_words(r, from, err);
    if (rc == 0)
        rc = add_patterns(r, from, err);
    return rc < 0 ? err_wrap(err, "binlog_filter_rule %s", from->name) : 0;
}

int filter_check(const struct filter_rule *rule, struct err *err)
{
    struct rule r;
    int rc = rule_init(&r, rule, true, err);

    rule_fini(&r);
    return rc;
}

int filter_new(const struct filter_rule *rules, size_t n, bool fold_case, struct filter **ret,
               struct err *err)
{
    struct filter *f = xcalloc(1, sizeof *f);
    int rc = 0;

    f->rules = xcalloc(n + 1, sizeof *f->rules);
    while (rc == 0 && f->n_rules < n) {
        rc = rule_init(&f->rules[f->n_rules], &rules[f->n_rules], fold_case, err);
        f->n_rules++;
    }
    if (rc < 0) {
        filter_free(f);
        return rc;
    }
    *ret = f;
    return 0;
}

/* --- asking --- */

static bool covers(const struct rule *r, const char *schema, const char *table)
{
    return pattern_match(r->schema, schema) > 0 &&
           (!r->table || pattern_match(r->table, table) > 0);
}

/* The first word that covers one of the events decides. */
static bool words_drop(const struct rule *r, uint64_t events)
{
    for (size_t i = 0; i < r->n_words; i++)
        if (r->words[i].events & events)
            return !r->words[i].keeps;
    return false;
}

unsigned filter_rows(const struct filter *f, const char *schema, const char *table)
{
    unsigned bits = 0;

    for (size_t i = 0; f && i < f->n_rules; i++) {
        if (!covers(&f->rules[i], schema, table))
            continue;
        for (unsigned bit = FILTER_ROWS_INSERT; bit <= FILTER_ROWS_DELETE; bit <<= 1)
            if (words_drop(&f->rules[i], filter_events_of_rows(bit)))
                bits |= bit;
    }
    return bits;
}

/* --- statements as expressions see them --- */

static void quote(struct buf *out, struct slice name)
{
    buf_byte(out, '`');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '`')
            buf_byte(out, '`');
        buf_byte(out, name.data[i]);
    }
    buf_byte(out, '`');
}

static void quote_table(struct buf *out, const char *schema, const char *table)
{
    quote(out, slice_str(schema));
    if (*table) {
        buf_byte(out, '.');
        quote(out, slice_str(table));
    }
}

static bool is_mark(const struct ddl_lexer *l, const struct ddl_token *t, const char *marks)
{
    return t->kind == DDL_TOKEN_PUNCT && strchr(marks, l->sql.data[t->at]) != NULL;
}

/* DECIMAL(10,2), but (`a`, `b`) */
static bool is_digit(const struct ddl_lexer *l, const struct ddl_token *t)
{
    uint8_t c = l->sql.data[t->at];

    return c >= '0' && c <= '9';
}

/* The tokens from 'at' to 'end', with one blank where DM's printer has one; those of the name at
 * 'name_at' as 'name'. */
static void print_tokens(const struct filter_statement *st, size_t at, size_t end, size_t name_at,
                         size_t name_size, const struct buf *name, struct buf *out)
{
    struct ddl_lexer l = { .sql = slice_of(st->sql.data, end),
                           .at = at,
                           .ansi_quotes = st->ansi_quotes,
                           .no_backslash_escapes = st->no_backslash_escapes };
    bool glued = out->size == 0, comma = false, named = false;

    for (struct ddl_token t = ddl_lex(&l); t.kind != DDL_TOKEN_END; t = ddl_lex(&l)) {
        bool in_name = name_size && t.at >= name_at && t.at < name_at + name_size;

        if (in_name && named)
            continue;
        if (!glued && !is_mark(&l, &t, "(),.=;") && !(comma && is_digit(&l, &t)))
            buf_byte(out, ' ');
        if (in_name)
            buf_add(out, name->data, name->size);
        else
            buf_add(out, st->sql.data + t.at, t.size);
        named = named || in_name;
        glued = is_mark(&l, &t, "(.=");
        comma = is_mark(&l, &t, ",");
    }
}

/* ALTER TABLE `db`.`t` ADD COLUMN `c` INT */
static void print_clause(const struct filter_statement *st, const struct alter_clause *c,
                         struct buf *out)
{
    static const char *const verbs[ALTER_N_KINDS] = {
        [ALTER_ADD_COLUMN] = " ADD COLUMN",       [ALTER_DROP_COLUMN] = " DROP COLUMN",
        [ALTER_MODIFY_COLUMN] = " MODIFY COLUMN", [ALTER_CHANGE_COLUMN] = " CHANGE COLUMN",
        [ALTER_RENAME_COLUMN] = " RENAME COLUMN", [ALTER_DROP_INDEX] = " DROP INDEX",
    };
    SCOPED(buf_fini) struct buf name = BUF_INIT;

    buf_str(out, "ALTER TABLE ");
    quote_table(out, st->schema, st->table);
    if (c->name.size)
        quote(&name, c->name);
    if (verbs[c->kind] && c->name.size)
        buf_str(out, verbs[c->kind]);
    print_tokens(st, verbs[c->kind] && c->name.size ? c->name_at : c->at, c->at + c->size,
                 c->name_at, c->name_size, &name, out);
}

static void print_whole(const struct filter_statement *st, struct buf *out)
{
    const struct ddl_name *n = st->ddl->n_names ? &st->ddl->names[0] : NULL;
    SCOPED(buf_fini) struct buf name = BUF_INIT;

    quote_table(&name, st->schema, n && n->table.size ? st->table : "");
    print_tokens(st, 0, st->sql.size, n ? n->at : 0, n ? n->size : 0, &name, out);
}

static bool matches(const struct rule *r, struct slice sql)
{
    SCOPED(freep) char *text = xstrndup((const char *)sql.data, sql.size);

    for (size_t i = 0; i < r->n_patterns; i++)
        if (pattern_match(r->patterns[i], text) > 0)
            return true;
    return false;
}

/* --- judging a statement --- */

static bool whole_dropped(const struct rule *r, const struct filter_statement *st)
{
    SCOPED(buf_fini) struct buf printed = BUF_INIT;

    if (words_drop(r, filter_events_of_class(st->ddl->class)))
        return true;
    if (r->n_patterns == 0)
        return false;
    if (matches(r, st->sql))
        return true;
    print_whole(st, &printed);
    return matches(r, slice_of(printed.data, printed.size));
}

static bool clause_dropped(const struct rule *r, const struct filter_statement *st,
                           const struct alter *a, const struct alter_clause *c)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    if (words_drop(r, filter_events_of_clause(st, c) |
                          (a->n_clauses > 1 ? filter_events_of_many() : 0)))
        return true;
    if (r->n_patterns == 0)
        return false;
    buf_add(&text, st->sql.data, a->at); /* as logged, but alone */
    buf_add(&text, st->sql.data + c->at, c->size);
    if (matches(r, slice_of(text.data, text.size)))
        return true;
    buf_clear(&text);
    print_clause(st, c, &text);
    return matches(r, slice_of(text.data, text.size));
}

static enum filter_verdict judge_clauses(const struct filter *f, const struct filter_statement *st,
                                         struct arena *arena, struct buf *rest)
{
    struct alter a;
    unsigned n_dropped = 0, n_how = 0;
    bool *drop;

    alter_scan(st->sql, st->ddl, st->ansi_quotes, st->no_backslash_escapes, arena, &a);
    drop = arena_alloc(arena, a.n_clauses + 1);
    for (unsigned i = 0; i < a.n_clauses; i++) {
        const struct alter_clause *c = &a.clauses[i];

        drop[i] = false;
        n_how += c->kind == ALTER_HOW;
        for (size_t k = 0; k < f->n_rules && !drop[i] && c->kind != ALTER_HOW; k++)
            drop[i] = covers(&f->rules[k], st->schema, st->table) &&
                      clause_dropped(&f->rules[k], st, &a, c);
        n_dropped += drop[i];
    }
    if (n_dropped == 0)
        return FILTER_KEEP;
    if (n_dropped + n_how == a.n_clauses)
        return FILTER_IGNORE;
    if (a.in_comment)
        return FILTER_TANGLE;
    alter_without(st->sql, &a, drop, rest);
    return FILTER_PART;
}

enum filter_verdict filter_ddl(const struct filter *f, const struct filter_statement *st,
                               struct arena *arena, struct buf *rest)
{
    bool alters = st->ddl->class == DDL_ALTER_TABLE;

    for (size_t i = 0; f && i < f->n_rules; i++) {
        const struct rule *r = &f->rules[i];

        if (!covers(r, st->schema, st->table))
            continue;
        if (alters ? r->everywhere && matches(r, st->sql) : whole_dropped(r, st))
            return FILTER_IGNORE;
    }
    return f && alters ? judge_clauses(f, st, arena, rest) : FILTER_KEEP;
}
