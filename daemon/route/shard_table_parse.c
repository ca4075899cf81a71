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
    struct ddl_reader in;
    struct shard_table *ret;
    unsigned cap_cols, cap_keys;
    const char *charset, *collation; /* of the table; "" until they are known */
};

static const char *keep(struct parse *p, const void *data, size_t size)
{
    return arena_text(&p->ret->arena, data, size);
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
    return slice_of(p->in.lexer.sql.data + p->in.tok.at, p->in.tok.size);
}

static const char *name(struct parse *p)
{
    struct slice n = ddl_name_here(&p->in, &p->ret->arena);
    const char *kept = keep(p, n.data, n.size);

    ddl_advance(&p->in);
    return kept;
}

/* The token at hand, in a form in which letter case and quotes of names do not count. */
static void add_token(struct parse *p, struct buf *out)
{
    struct slice text = token(p);

    if (p->in.tok.kind == DDL_TOKEN_QUOTED)
        text = ddl_name_here(&p->in, &p->ret->arena);
    if (out->size && p->in.tok.kind != DDL_TOKEN_PUNCT &&
        !strchr("(,=-+.", out->data[out->size - 1]))
        buf_byte(out, ' ');
    for (size_t i = 0; i < text.size; i++)
        buf_byte(out,
                 (char)(p->in.tok.kind == DDL_TOKEN_STRING ? text.data[i] : tolower(text.data[i])));
    ddl_advance(&p->in);
}

/* What stands in brackets, with them; nothing if none is here. */
static void add_brackets(struct parse *p, struct buf *out)
{
    unsigned depth = 0;

    if (!ddl_is(&p->in, "("))
        return;
    do {
        depth += ddl_is(&p->in, "(");
        depth -= ddl_is(&p->in, ")");
        add_token(p, out);
    } while (depth && !ddl_at_end(&p->in));
}

/* Whether a key is looked at by queries: MySQL's words and MariaDB's. */
static bool says_who_sees(struct parse *p)
{
    return ddl_accept(&p->in, "VISIBLE") || ddl_accept(&p->in, "INVISIBLE") ||
           ddl_accept(&p->in, "IGNORED");
}

/* Up to the comma, or the bracket, that ends this element of the list. */
static void add_rest(struct parse *p, struct buf *out)
{
    while (!ddl_at_end(&p->in) && !ddl_is(&p->in, ",") && !ddl_is(&p->in, ")")) {
        if (says_who_sees(p))
            continue;
        if (ddl_is(&p->in, "("))
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
    bool is_null = ddl_is(&p->in, "NULL"), sign = ddl_is(&p->in, "-") || ddl_is(&p->in, "+");
    bool word = p->in.tok.kind == DDL_TOKEN_WORD;

    if (ddl_is(&p->in, "(")) {
        add_brackets(p, &text);
    } else {
        add_token(p, &text);
        if (sign || (word && p->in.tok.kind == DDL_TOKEN_STRING))
            add_token(p, &text);
        while (ddl_accept(&p->in, ".")) { /* 1.5 */
            buf_byte(&text, '.');
            if (p->in.tok.kind == DDL_TOKEN_WORD)
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
    if (ddl_is(&p->in, "PRECISION") || ddl_is(&p->in, "VARYING"))
        add_token(p, &text);
    add_brackets(p, &text);
    return kept_text(p, &text);
}

static const char *generated(struct parse *p)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    add_brackets(p, &text);
    if (ddl_accept(&p->in, "STORED") || ddl_accept(&p->in, "PERSISTENT"))
        buf_str(&text, " stored");
    else
        buf_str(&text, " virtual");
    ddl_accept(&p->in, "VIRTUAL");
    return kept_text(p, &text);
}

/* One attribute that has a place of its own; false: none is here. */
static bool known_attribute(struct parse *p, struct shard_column *c)
{
    if (ddl_accept(&p->in, "UNSIGNED")) {
        c->is_unsigned = true;
    } else if (ddl_accept(&p->in, "ZEROFILL")) {
        c->zerofill = c->is_unsigned = true;
    } else if (ddl_accept(&p->in, "CHARSET") ||
               (ddl_is(&p->in, "CHARACTER") && (ddl_advance(&p->in), ddl_accept(&p->in, "SET")))) {
        c->charset = keep_lower(p, token(p));
        ddl_advance(&p->in);
    } else if (ddl_accept(&p->in, "COLLATE")) {
        c->collation = keep_lower(p, token(p));
        ddl_advance(&p->in);
    } else if (ddl_accept(&p->in, "NOT")) {
        c->nullable = !ddl_accept(&p->in, "NULL");
    } else if (ddl_accept(&p->in, "NULL")) {
        c->nullable = true;
    } else if (ddl_accept(&p->in, "DEFAULT")) {
        c->fallback = value(p);
    } else if (ddl_accept(&p->in, "AUTO_INCREMENT")) {
        c->auto_increment = true;
    } else if (ddl_accept(&p->in, "COMMENT")) {
        ddl_advance(&p->in);
    } else if (!ddl_accept(&p->in, "VISIBLE") && !ddl_accept(&p->in, "INVISIBLE") &&
               !ddl_accept(&p->in, "SIGNED")) {
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

    t->cols = arena_grow(&t->arena, t->cols, t->n_cols, &p->cap_cols, sizeof *t->cols);
    t->cols[t->n_cols] = (struct shard_column){ .nullable = true, .others = "" };
    return &t->cols[t->n_cols++];
}

static struct shard_key *push_key(struct parse *p)
{
    struct shard_table *t = p->ret;

    t->keys = arena_grow(&t->arena, t->keys, t->n_keys, &p->cap_keys, sizeof *t->keys);
    t->keys[t->n_keys] = (struct shard_key){ .name = "", .text = "" };
    return &t->keys[t->n_keys++];
}

static void column(struct parse *p)
{
    SCOPED(buf_fini) struct buf others = BUF_INIT;
    struct shard_column c = { .nullable = true, .charset = "", .collation = "" };

    c.name = name(p);
    c.type = type(p);
    while (!ddl_at_end(&p->in) && !ddl_is(&p->in, ",") && !ddl_is(&p->in, ")")) {
        if (known_attribute(p, &c))
            continue;
        if (ddl_accept(&p->in, "GENERATED"))
            ddl_accept(&p->in, "ALWAYS");
        if (ddl_accept(&p->in, "AS"))
            c.generated = generated(p);
        else if (ddl_is(&p->in, "("))
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
    struct shard_key k = { .name = "", .primary = ddl_is(&p->in, "PRIMARY") };

    while (p->in.tok.kind == DDL_TOKEN_WORD && !ddl_is(&p->in, "USING") &&
           !ddl_is(&p->in, "CHECK") && !ddl_is(&p->in, "FOREIGN"))
        add_token(p, &text);
    if (p->in.tok.kind == DDL_TOKEN_QUOTED)
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

    return ddl_is_any(&p->in, words);
}

/* --- the table --- */

static void table_options(struct parse *p)
{
    while (!ddl_at_end(&p->in)) {
        bool charset = ddl_is(&p->in, "CHARSET"), collation = ddl_is(&p->in, "COLLATE");

        if (ddl_is(&p->in, "PARTITION"))
            return;
        ddl_advance(&p->in);
        ddl_accept(&p->in, "=");
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
    struct parse p = { .in.lexer = { .sql = create }, .ret = ret, .charset = "", .collation = "" };

    *ret = (struct shard_table){ .n_cols = 0 };
    ddl_advance(&p.in);
    while (!ddl_at_end(&p.in) && !ddl_is(&p.in, "("))
        ddl_advance(&p.in);
    if (!ddl_accept(&p.in, "("))
        return err_set(err, -EINVAL, "no list of columns in %.*s", SLICE_HEAD(create, 200));
    do {
        if (at_key(&p))
            key(&p);
        else
            column(&p);
    } while (ddl_accept(&p.in, ","));
    if (!ddl_accept(&p.in, ")") || ret->n_cols == 0)
        return err_set(err, -EINVAL, "the list of columns does not end: %.*s",
                       SLICE_HEAD(create, 200));
    table_options(&p);
    inherit(&p);
    return 0;
}

void shard_table_fini(struct shard_table *t)
{
    arena_fini(&t->arena);
}
