/* What SHOW CREATE TABLE says -> struct shard_table. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/scope.h"
#include "route/ddl_lex.h"
#include "route/shard_table.h"

struct parse {
    struct ddl_lexer lexer;
    struct ddl_token tok;
    struct shard_table *ret;
    unsigned cap_cols, cap_keys;
    const char *charset, *collation; /* of the table; "" until they are known */
};

static bool is(const struct parse *p, const char *word)
{
    return ddl_token_is(&p->lexer, &p->tok, word);
}

static bool at_end(const struct parse *p)
{
    return p->tok.kind == DDL_TOKEN_END;
}

static void advance(struct parse *p)
{
    p->tok = ddl_lex(&p->lexer);
}

static bool accept(struct parse *p, const char *word)
{
    if (!is(p, word))
        return false;
    advance(p);
    return true;
}

static const char *keep(struct parse *p, const void *data, size_t size)
{
    char *s = arena_alloc(&p->ret->arena, size + 1);

    if (size) /* 'data' may be NULL then */
        memcpy(s, data, size);
    s[size] = '\0';
    return s;
}

static const char *keep_lower(struct parse *p, struct slice s)
{
    char *kept = (char *)keep(p, s.data, s.size);

    for (char *c = kept; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return kept;
}

static struct slice token(const struct parse *p)
{
    return slice_of(p->lexer.sql.data + p->tok.at, p->tok.size);
}

static const char *name(struct parse *p)
{
    struct slice n = ddl_token_name(&p->lexer, &p->tok, &p->ret->arena);
    const char *kept = keep(p, n.data, n.size);

    advance(p);
    return kept;
}

/* The token at hand, in a form in which letter case and quotes of names do not count. */
static void add_token(struct parse *p, struct buf *out)
{
    struct slice text = token(p);

    if (p->tok.kind == DDL_TOKEN_QUOTED)
        text = ddl_token_name(&p->lexer, &p->tok, &p->ret->arena);
    if (out->size && p->tok.kind != DDL_TOKEN_PUNCT && !strchr("(,=-+.", out->data[out->size - 1]))
        buf_byte(out, ' ');
    for (size_t i = 0; i < text.size; i++)
        buf_byte(out,
                 (char)(p->tok.kind == DDL_TOKEN_STRING ? text.data[i] : tolower(text.data[i])));
    advance(p);
}

/* What stands in brackets, with them; nothing if none is here. */
static void add_brackets(struct parse *p, struct buf *out)
{
    unsigned depth = 0;

    if (!is(p, "("))
        return;
    do {
        depth += is(p, "(");
        depth -= is(p, ")");
        add_token(p, out);
    } while (depth && !at_end(p));
}

/* Up to the comma, or the bracket, that ends this element of the list. */
/* Whether a key is looked at by queries: MySQL's words and MariaDB's. */
static bool says_who_sees(struct parse *p)
{
    return accept(p, "VISIBLE") || accept(p, "INVISIBLE") || accept(p, "IGNORED");
}

static void add_rest(struct parse *p, struct buf *out)
{
    while (!at_end(p) && !is(p, ",") && !is(p, ")")) {
        if (says_who_sees(p))
            continue;
        if (is(p, "("))
            add_brackets(p, out);
        else
            add_token(p, out);
    }
}

static const char *kept_text(struct parse *p, const struct buf *b)
{
    return keep(p, b->data ? b->data : "", b->size);
}

/* --- columns --- */

/* b'1', _utf8mb4'x', -1, now(6), (expression), NULL */
static const char *value(struct parse *p)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    bool is_null = is(p, "NULL"), sign = is(p, "-") || is(p, "+");
    bool word = p->tok.kind == DDL_TOKEN_WORD;

    if (is(p, "(")) {
        add_brackets(p, &text);
    } else {
        add_token(p, &text);
        if (sign || (word && p->tok.kind == DDL_TOKEN_STRING))
            add_token(p, &text);
        while (accept(p, ".")) { /* 1.5 */
            buf_byte(&text, '.');
            if (p->tok.kind == DDL_TOKEN_WORD)
                add_token(p, &text);
        }
        add_brackets(p, &text);
    }
    return is_null ? NULL : kept_text(p, &text);
}

static const char *type(struct parse *p)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    add_token(p, &text);
    if (is(p, "PRECISION") || is(p, "VARYING"))
        add_token(p, &text);
    add_brackets(p, &text);
    return kept_text(p, &text);
}

static const char *generated(struct parse *p)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    add_brackets(p, &text);
    if (accept(p, "STORED") || accept(p, "PERSISTENT"))
        buf_str(&text, " stored");
    else
        buf_str(&text, " virtual");
    accept(p, "VIRTUAL");
    return kept_text(p, &text);
}

/* One attribute that has a place of its own; false: none is here. */
static bool known_attribute(struct parse *p, struct shard_column *c)
{
    if (accept(p, "UNSIGNED")) {
        c->is_unsigned = true;
    } else if (accept(p, "ZEROFILL")) {
        c->zerofill = c->is_unsigned = true;
    } else if (accept(p, "CHARSET") || (is(p, "CHARACTER") && (advance(p), accept(p, "SET")))) {
        c->charset = keep_lower(p, token(p));
        advance(p);
    } else if (accept(p, "COLLATE")) {
        c->collation = keep_lower(p, token(p));
        advance(p);
    } else if (accept(p, "NOT")) {
        c->nullable = !accept(p, "NULL");
    } else if (accept(p, "NULL")) {
        c->nullable = true;
    } else if (accept(p, "DEFAULT")) {
        c->fallback = value(p);
    } else if (accept(p, "AUTO_INCREMENT")) {
        c->auto_increment = true;
    } else if (accept(p, "COMMENT")) {
        advance(p);
    } else if (!accept(p, "VISIBLE") && !accept(p, "INVISIBLE") && !accept(p, "SIGNED")) {
        return false;
    }
    return true;
}

static bool is_character(const char *type)
{
    return strncmp(type, "char", 4) == 0 || strncmp(type, "varchar", 7) == 0 ||
           strstr(type, "text") || strncmp(type, "enum", 4) == 0 || strncmp(type, "set", 3) == 0;
}

static struct shard_column *push_column(struct parse *p)
{
    struct shard_table *t = p->ret;

    if (t->n_cols == p->cap_cols) {
        struct shard_column *more;

        p->cap_cols = p->cap_cols * 2 + 8;
        more = arena_alloc(&t->arena, p->cap_cols * sizeof *more);
        if (t->n_cols)
            memcpy(more, t->cols, t->n_cols * sizeof *more);
        t->cols = more;
    }
    t->cols[t->n_cols] = (struct shard_column){ .nullable = true, .others = "" };
    return &t->cols[t->n_cols++];
}

static struct shard_key *push_key(struct parse *p)
{
    struct shard_table *t = p->ret;

    if (t->n_keys == p->cap_keys) {
        struct shard_key *more;

        p->cap_keys = p->cap_keys * 2 + 4;
        more = arena_alloc(&t->arena, p->cap_keys * sizeof *more);
        if (t->n_keys)
            memcpy(more, t->keys, t->n_keys * sizeof *more);
        t->keys = more;
    }
    t->keys[t->n_keys] = (struct shard_key){ .name = "", .text = "" };
    return &t->keys[t->n_keys++];
}

static void column(struct parse *p)
{
    SCOPED(buf_fini) struct buf others = BUF_INIT;
    struct shard_column c = { .nullable = true, .charset = "", .collation = "" };

    c.name = name(p);
    c.type = type(p);
    while (!at_end(p) && !is(p, ",") && !is(p, ")")) {
        if (known_attribute(p, &c))
            continue;
        if (accept(p, "GENERATED"))
            accept(p, "ALWAYS");
        if (accept(p, "AS"))
            c.generated = generated(p);
        else if (is(p, "("))
            add_brackets(p, &others);
        else
            add_token(p, &others);
    }
    c.others = kept_text(p, &others);
    *push_column(p) = c;
}

/* --- keys --- */

/* PRIMARY KEY (...), UNIQUE KEY `n` (...), KEY, FULLTEXT, SPATIAL, CONSTRAINT `n` ... */
static void key(struct parse *p)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct shard_key k = { .name = "", .primary = is(p, "PRIMARY") };

    while (p->tok.kind == DDL_TOKEN_WORD && !is(p, "USING") && !is(p, "CHECK") && !is(p, "FOREIGN"))
        add_token(p, &text);
    if (p->tok.kind == DDL_TOKEN_QUOTED)
        k.name = name(p);
    add_rest(p, &text);
    k.text = kept_text(p, &text);
    *push_key(p) = k;
}

static bool at_key(const struct parse *p)
{
    static const char *const words[] = { "PRIMARY",  "UNIQUE",  "KEY",        "INDEX",
                                         "FULLTEXT", "SPATIAL", "CONSTRAINT", "FOREIGN",
                                         "CHECK",    "PERIOD",  "VECTOR",     NULL };

    if (p->tok.kind != DDL_TOKEN_WORD)
        return false;
    for (size_t i = 0; words[i]; i++)
        if (is(p, words[i]))
            return true;
    return false;
}

/* --- the table --- */

static void table_options(struct parse *p)
{
    while (!at_end(p)) {
        bool charset = is(p, "CHARSET"), collation = is(p, "COLLATE");

        if (is(p, "PARTITION"))
            return;
        advance(p);
        accept(p, "=");
        if (charset)
            p->charset = keep_lower(p, token(p));
        else if (collation)
            p->collation = keep_lower(p, token(p));
    }
}

/* A column that names none has the table's. */
static void inherit(struct parse *p)
{
    for (unsigned i = 0; i < p->ret->n_cols; i++) {
        struct shard_column *c = &p->ret->cols[i];

        if (!is_character(c->type))
            continue;
        if (!c->charset[0] && !c->collation[0]) {
            c->charset = p->charset;
            c->collation = p->collation;
        } else if (!c->charset[0]) { /* "latin1_bin" is of latin1 */
            c->charset = keep(p, c->collation, strcspn(c->collation, "_"));
        }
        if (strcmp(c->charset, "utf8") == 0)
            c->charset = "utf8mb3";
    }
}

int shard_table_parse(struct slice create, struct shard_table *ret, struct err *err)
{
    struct parse p = { .lexer = { .sql = create }, .ret = ret, .charset = "", .collation = "" };

    *ret = (struct shard_table){ .n_cols = 0 };
    advance(&p);
    while (!at_end(&p) && !is(&p, "("))
        advance(&p);
    if (!accept(&p, "("))
        return err_set(err, -EINVAL, "no list of columns in %.*s",
                       (int)(create.size < 200 ? create.size : 200), create.data);
    do {
        if (at_key(&p))
            key(&p);
        else
            column(&p);
    } while (accept(&p, ","));
    if (!accept(&p, ")") || ret->n_cols == 0)
        return err_set(err, -EINVAL, "the list of columns does not end: %.*s",
                       (int)(create.size < 200 ? create.size : 200), create.data);
    table_options(&p);
    inherit(&p);
    return 0;
}

void shard_table_fini(struct shard_table *t)
{
    arena_fini(&t->arena);
}
