#include "unit/copy/copy_dialect.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/scope.h"

enum token_kind {
    TOKEN_SPACE,
    TOKEN_NEWLINE,
    TOKEN_WORD,
    TOKEN_IDENT,
    TOKEN_STRING,
    TOKEN_COMMENT,
    TOKEN_PUNCT
};

struct token {
    enum token_kind kind;
    const char *p;
    size_t size;
    const char *to;   /* what is written instead; NULL: itself */
    bool open, close; /* a parenthesis to write before, after */
};

struct text {
    struct token *tokens;
    unsigned n;
    struct server_kind from, to;
    bool across;        /* the flavours differ; else only the version */
    struct arena arena; /* what tokens are replaced by */
};

/* --- tables --- */

static const char *const engines_kept[] = { "InnoDB", "MyISAM",    "MEMORY", "ARCHIVE",
                                            "CSV",    "BLACKHOLE", NULL };

/* Options of a MariaDB table that MySQL does not take. */
static const char *const mariadb_options[] = {
    "PAGE_CHECKSUM",
    "TRANSACTIONAL",
    "PAGE_COMPRESSED",
    "PAGE_COMPRESSION_LEVEL",
    "ENCRYPTED",
    "ENCRYPTION_KEY_ID",
    "IETF_QUOTES",
    "SEQUENCE",
    NULL,
};

/* Words of a definition that say what the other flavour cannot do. */
static const struct {
    enum flavor from;
    const char *words, *what;
} refused[] = {
    { FLAVOR_MARIADB, "SYSTEM VERSIONING", "system versioning" },
    { FLAVOR_MARIADB, "PERIOD FOR", "an application-time period" },
    { FLAVOR_MARIADB, "WITHOUT OVERLAPS", "an application-time period" },
    { FLAVOR_MARIADB, "REF_SYSTEM_ID", "a spatial reference system" },
    { FLAVOR_MARIADB, "VECTOR KEY", "a vector index" },
    { FLAVOR_MARIADB, "PARTITION BY SYSTEM_TIME", "partitions by system time" },
    { FLAVOR_MARIADB, "NEXTVAL", "a default from a sequence" },
};

/* --- tokens --- */

static size_t quoted_size(const char *p)
{
    char quote = *p;
    size_t n = 1;

    while (p[n]) {
        if (p[n] == quote && p[n + 1] != quote)
            return n + 1;
        n += (p[n] == quote || (p[n] == '\\' && quote == '\'')) && p[n + 1] ? 2 : 1;
    }
    return n;
}

static struct token token_at(const char *p)
{
    struct token t = { .kind = TOKEN_PUNCT, .p = p, .size = 1 };

    if (*p == '\n') {
        t.kind = TOKEN_NEWLINE;
    } else if (*p == ' ') {
        t.kind = TOKEN_SPACE;
    } else if (*p == '\'' || *p == '`') {
        t.kind = *p == '`' ? TOKEN_IDENT : TOKEN_STRING;
        t.size = quoted_size(p);
    } else if (p[0] == '/' && p[1] == '*') {
        const char *end = strstr(p + 2, "*/");

        t.kind = TOKEN_COMMENT;
        t.size = end ? (size_t)(end + 2 - p) : strlen(p);
    } else if (isalnum((unsigned char)*p) || *p == '_') {
        t.kind = TOKEN_WORD;
        while (isalnum((unsigned char)p[t.size]) || p[t.size] == '_' || p[t.size] == '.')
            t.size++;
    }
    return t;
}

static void text_scan(struct text *x, const char *p)
{
    unsigned cap = 0;

    while (*p) {
        GROW(x->tokens, x->n, cap);
        x->tokens[x->n] = token_at(p);
        p += x->tokens[x->n++].size;
    }
}

static bool is_word(const struct token *t, const char *word)
{
    return t->kind == TOKEN_WORD && t->size == strlen(word) &&
           strncasecmp(t->p, word, t->size) == 0;
}

static bool is_punct(const struct token *t, char c)
{
    return t->kind == TOKEN_PUNCT && *t->p == c;
}

/* The token after 'i' that is no space; n at the end. */
static unsigned after(const struct text *x, unsigned i)
{
    for (i++; i < x->n && x->tokens[i].kind == TOKEN_SPACE; i++)
        ;
    return i;
}

static bool words_at(const struct text *x, unsigned i, const char *words)
{
    while (*words) {
        size_t size = strcspn(words, " ");

        if (i >= x->n || x->tokens[i].kind != TOKEN_WORD || x->tokens[i].size != size ||
            strncasecmp(x->tokens[i].p, words, size) != 0)
            return false;
        words += size;
        words += strspn(words, " ");
        i = after(x, i);
    }
    return true;
}

static void drop(struct text *x, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        x->tokens[i].to = "";
}

/* The token after the parenthesis that 'i' opens. */
static unsigned past_group(const struct text *x, unsigned i)
{
    unsigned depth = 0;

    for (; i < x->n; i++) {
        depth += is_punct(&x->tokens[i], '(');
        if (is_punct(&x->tokens[i], ')') && --depth == 0)
            return i + 1;
    }
    return i;
}

/* --- rules --- */

static bool to_mysql(const struct text *x)
{
    return x->across && x->to.flavor == FLAVOR_MYSQL;
}

static bool to_mariadb(const struct text *x)
{
    return x->across && x->to.flavor == FLAVOR_MARIADB;
}

static const char *keep(struct text *x, const char *text)
{
    return arena_dup(&x->arena, text, strlen(text) + 1);
}

static int rule_refused(const struct text *x, unsigned i, struct err *err)
{
    for (size_t r = 0; r < ARRAY_LEN(refused); r++)
        if (x->across && refused[r].from == x->from.flavor && words_at(x, i, refused[r].words))
            return err_set(err, -ENOTSUP, "it has %s, which %s does not know", refused[r].what,
                           x->to.flavor == FLAVOR_MYSQL ? "MySQL" : "MariaDB");
    return 0;
}

static int rule_collation(struct text *x, unsigned i, struct err *err)
{
    struct collation_change change;
    struct token *t;
    char name[65];

    if (!is_word(&x->tokens[i], "COLLATE"))
        return 0;
    i = after(x, i);
    if (i < x->n && is_punct(&x->tokens[i], '='))
        i = after(x, i);
    if (i >= x->n)
        return 0;
    t = &x->tokens[i];
    snprintf(name, sizeof name, "%.*s", (int)t->size, t->p);
    change = dialect_collation(x->from, x->to, name);
    if (change.fidelity == FIDELITY_REFUSED)
        return err_set(err, -ENOTSUP, "the collation %s: %s", name, change.note);
    if (strcmp(change.to, name) != 0)
        t->to = keep(x, change.to);
    return 0;
}

static int rule_type(struct text *x, struct token *type, struct err *err)
{
    struct type_change change;
    char name[65];

    snprintf(name, sizeof name, "%.*s", (int)type->size, type->p);
    change = dialect_type(x->from, x->to, name, name);
    if (change.fidelity == FIDELITY_REFUSED)
        return err_set(err, -ENOTSUP, "a column of type %s: %s", name, change.note);
    if (change.to)
        type->to = change.to;
    return 0;
}

static bool is_lob(const struct token *type)
{
    static const char *const lobs[] = { "tinytext", "text",       "mediumtext", "longtext",
                                        "tinyblob", "blob",       "mediumblob", "longblob",
                                        "json",     "geometry",   "point",      "linestring",
                                        "polygon",  "multipoint", NULL };

    for (unsigned i = 0; lobs[i]; i++)
        if (is_word(type, lobs[i]))
            return true;
    return false;
}

/* MySQL wants parentheses around every default but literals and the current time,
 * and around literals too where the type has no size. */
static void rule_default(struct text *x, unsigned i, const struct token *type)
{
    unsigned value = after(x, i), end;
    struct token *t;

    if (!to_mysql(x) || !is_word(&x->tokens[i], "DEFAULT") || value >= x->n)
        return;
    t = &x->tokens[value];
    if (is_word(t, "NULL") || is_punct(t, '(') || words_at(x, value, "current_timestamp"))
        return;
    end = value + 1;
    if (end < x->n && is_punct(&x->tokens[end], '('))
        end = past_group(x, end);
    else if (t->kind == TOKEN_WORD && end < x->n && x->tokens[end].kind == TOKEN_STRING)
        end++; /* x'00', b'1', _utf8mb4'...' */
    else if (!is_lob(type))
        return;
    if (!is_lob(type) && x->tokens[end - 1].kind == TOKEN_STRING)
        return;
    t->open = true;
    x->tokens[end - 1].close = true;
}

/* Executable comments of MySQL 8 (80023 INVISIBLE), which MariaDB skips. */
static void rule_comment(struct text *x, unsigned i, bool key)
{
    struct token *t = &x->tokens[i];

    if (!to_mariadb(x) || t->kind != TOKEN_COMMENT)
        return;
    if (memmem(t->p, t->size, " INVISIBLE ", 11))
        t->to = !key ? "INVISIBLE" : x->to.version >= 100600 ? "IGNORED" : "";
}

static int element_column(struct text *x, unsigned i, unsigned end, struct err *err)
{
    struct token *type = &x->tokens[after(x, i)];
    int rc = rule_type(x, type, err);

    for (i++; rc == 0 && i < end; i++) {
        rule_default(x, i, type);
        rule_comment(x, i, false);
        rc = rule_refused(x, i, err);
        if (rc == 0)
            rc = rule_collation(x, i, err);
    }
    return rc;
}

/* MariaDB's names of checks are unique in a table only, MySQL's in a schema. */
static void rule_check_name(struct text *x, unsigned i)
{
    unsigned name = after(x, i), check = after(x, name);

    if (to_mysql(x) && is_word(&x->tokens[i], "CONSTRAINT") && check < x->n &&
        is_word(&x->tokens[check], "CHECK"))
        drop(x, i, check);
}

static int element_key(struct text *x, unsigned i, unsigned end, struct err *err)
{
    rule_check_name(x, i);
    for (; i < end; i++) {
        struct token *t = &x->tokens[i];
        int rc = rule_refused(x, i, err);

        if (rc < 0)
            return rc;
        if (to_mariadb(x) && is_punct(t, '(') && i + 1 < end && is_punct(t + 1, '(') &&
            !is_word(&x->tokens[i > 1 ? i - 2 : 0], "CHECK"))
            return err_set(err, -ENOTSUP, "it has a key over an expression");
        if (to_mysql(x) && is_word(t, "IGNORED"))
            t->to = "INVISIBLE";
        rule_comment(x, i, true);
        if (t->kind == TOKEN_COMMENT && memmem(t->p, t->size, "NOT ENFORCED", 12))
            return err_set(err, -ENOTSUP, "it has a check that is not enforced");
    }
    return 0;
}

static bool listed(const struct token *t, const char *const *names)
{
    const char *p = t->p + (t->kind == TOKEN_IDENT);
    size_t size = t->size - (t->kind == TOKEN_IDENT ? 2 : 0);

    for (; (t->kind == TOKEN_WORD || t->kind == TOKEN_IDENT) && *names; names++)
        if (strlen(*names) == size && strncasecmp(*names, p, size) == 0)
            return true;
    return false;
}

/* ") ENGINE=InnoDB DEFAULT CHARSET=..." and the partitions after it. */
static int elements_options(struct text *x, unsigned i, struct err *err)
{
    for (; i < x->n; i++) {
        struct token *t = &x->tokens[i];
        unsigned value = i + 1 < x->n && is_punct(t + 1, '=') ? i + 2 : 0;
        int rc = rule_refused(x, i, err);

        if (rc == 0)
            rc = rule_collation(x, i, err);
        if (rc < 0)
            return rc;
        if (!to_mysql(x))
            continue;
        if (value && (listed(t, mariadb_options) ||
                      (is_word(t, "ROW_FORMAT") && is_word(&x->tokens[value], "PAGE"))))
            drop(x, i, value + 1);
        else if (value && is_word(t, "ENGINE") && !listed(&x->tokens[value], engines_kept))
            x->tokens[value].to = "InnoDB";
        else if (value && x->tokens[i].kind != TOKEN_SPACE && value < x->n)
            i = value;
    }
    return 0;
}

static int text_translate(struct text *x, struct err *err)
{
    unsigned depth = 0;

    for (unsigned i = 0; i < x->n;) {
        unsigned first, end;
        int rc = 0;

        for (first = i; first < x->n && x->tokens[first].kind == TOKEN_SPACE; first++)
            ;
        for (end = first; end < x->n && x->tokens[end].kind != TOKEN_NEWLINE; end++)
            ;
        if (depth++ > 0 && first < end) { /* not the line with the table's name */
            if (is_punct(&x->tokens[first], ')'))
                return elements_options(x, first, err);
            rc = x->tokens[first].kind == TOKEN_IDENT ? element_column(x, first, end, err)
                                                      : element_key(x, first, end, err);
        }
        if (rc < 0)
            return rc;
        i = end + 1;
    }
    return 0;
}

int copy_dialect_create(const char *create, struct server_kind from, struct server_kind to,
                        struct buf *out, struct err *err)
{
    struct text x = { .from = from, .to = to, .across = from.flavor != to.flavor };
    int rc;

    text_scan(&x, create);
    rc = text_translate(&x, err);
    for (unsigned i = 0; rc == 0 && i < x.n; i++) {
        const struct token *t = &x.tokens[i];

        buf_str(out, t->open ? "(" : "");
        buf_add(out, t->to ? t->to : t->p, t->to ? strlen(t->to) : t->size);
        buf_str(out, t->close ? ")" : "");
    }
    free(x.tokens);
    arena_fini(&x.arena);
    return rc;
}
