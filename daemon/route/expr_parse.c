/* Text -> nodes.  Source: MySQL 8.4 Reference Manual, "Operator Precedence", "Literal Values". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "route/expr_impl.h"

#define MAX_DEPTH 100

enum token { END, WORD, QUOTED, NUMBER, STRING, HEX, MARK };

struct parser {
    struct slice sql;
    size_t at; /* behind the current token */
    enum token token;
    struct slice text; /* of it; of STRING and HEX: what it means */
    unsigned depth;
    struct arena *arena;
    struct err *err;
};

/* --- tokens --- */

static uint8_t peek(const struct parser *p, size_t ahead)
{
    return p->at + ahead < p->sql.size ? p->sql.data[p->at + ahead] : 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '$' || c >= 0x80;
}

static int fail(struct parser *p, const char *what)
{
    size_t from = p->at > 20 ? p->at - 20 : 0;
    size_t n = p->sql.size - from < 40 ? p->sql.size - from : 40;

    return err_set(p->err, -EINVAL, "%s near '%.*s'", what, (int)n,
                   (const char *)p->sql.data + from);
}

static uint8_t unescape(uint8_t c)
{
    static const char from[] = "0nrtbZ", to[] = "\0\n\r\t\b\032";
    const char *at = c ? strchr(from, c) : NULL;

    return at ? (uint8_t)to[at - from] : c;
}

static int read_quoted(struct parser *p, uint8_t quote)
{
    uint8_t *to = arena_alloc(p->arena, p->sql.size - p->at + 1);
    size_t n = 0;

    for (p->at++; p->at < p->sql.size; p->at++) {
        uint8_t c = peek(p, 0);

        if (c == quote && peek(p, 1) != quote) {
            p->at++;
            p->text = slice_of(to, n);
            return 0;
        }
        if (c == quote) {
            p->at++;
        } else if (c == '\\' && quote != '`' && p->at + 1 < p->sql.size) {
            p->at++;
            if (peek(p, 0) == '%' || peek(p, 0) == '_')
                to[n++] = '\\'; /* LIKE wants to see it */
            c = unescape(peek(p, 0));
        }
        to[n++] = c;
    }
    return fail(p, "a quote is not closed");
}

static int hex_digit(uint8_t c)
{
    return is_digit(c) ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Digits of x'..' or 0x.., or b'..' with 'bits' 1. */
static int read_bits(struct parser *p, unsigned bits, bool quoted)
{
    size_t from = p->at, n = 0, len;
    uint8_t *to;

    while (hex_digit(peek(p, 0)) >= 0 && hex_digit(peek(p, 0)) < 1 << bits)
        p->at++;
    n = p->at - from;
    len = (n * bits + 7) / 8;
    to = arena_alloc(p->arena, len + 1);
    memset(to, 0, len + 1);
    for (size_t i = 0; i < n; i++) { /* from the right */
        size_t bit = i * bits;

        to[len - 1 - bit / 8] |= (uint8_t)(hex_digit(p->sql.data[from + n - 1 - i]) << (bit % 8));
    }
    if (quoted && peek(p, 0) != '\'')
        return fail(p, "a literal is not closed");
    p->at += quoted;
    p->token = HEX;
    p->text = slice_of(to, len);
    return n ? 0 : fail(p, "a literal without digits");
}

static int read_number(struct parser *p)
{
    size_t from = p->at;

    while (is_digit(peek(p, 0)))
        p->at++;
    if (peek(p, 0) == '.')
        p->at++;
    while (is_digit(peek(p, 0)))
        p->at++;
    if ((peek(p, 0) | 32) == 'e' &&
        (is_digit(peek(p, 1)) ||
         ((peek(p, 1) == '-' || peek(p, 1) == '+') && is_digit(peek(p, 2)))))
        for (p->at += 2; is_digit(peek(p, 0)); p->at++)
            ;
    p->token = NUMBER;
    p->text = slice_of(p->sql.data + from, p->at - from);
    return 0;
}

static size_t mark_size(const struct parser *p)
{
    static const char *const marks[] = { "<=>", "<=", ">=", "<>", "!=", "<<",
                                         ">>",  "&&", "||", ":=", "->" };

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (p->sql.size - p->at >= strlen(marks[i]) &&
            memcmp(p->sql.data + p->at, marks[i], strlen(marks[i])) == 0)
            return strlen(marks[i]);
    return 1;
}

static int advance(struct parser *p)
{
    uint8_t c;
    size_t from;

    while (p->at < p->sql.size && peek(p, 0) && strchr(" \t\r\n\f\v", peek(p, 0)))
        p->at++;
    from = p->at;
    p->text = slice_of(NULL, 0);
    p->token = END;
    if (p->at >= p->sql.size)
        return 0;
    c = peek(p, 0);
    if ((c | 32) == 'x' && peek(p, 1) == '\'')
        return p->at += 2, read_bits(p, 4, true);
    if ((c | 32) == 'b' && peek(p, 1) == '\'')
        return p->at += 2, read_bits(p, 1, true);
    if (c == '0' && peek(p, 1) == 'x' && hex_digit(peek(p, 2)) >= 0)
        return p->at += 2, read_bits(p, 4, false);
    if (is_digit(c) || (c == '.' && is_digit(peek(p, 1))))
        return read_number(p);
    if (c == '\'' || c == '"')
        return p->token = STRING, read_quoted(p, c);
    if (c == '`')
        return p->token = QUOTED, read_quoted(p, c);
    if (is_word(c)) {
        while (is_word(peek(p, 0)))
            p->at++;
        p->token = WORD;
    } else {
        p->at += mark_size(p);
        p->token = MARK;
    }
    p->text = slice_of(p->sql.data + from, p->at - from);
    return 0;
}

static bool is(const struct parser *p, const char *word)
{
    return (p->token == WORD || p->token == MARK) && p->text.size == strlen(word) &&
           strncasecmp((const char *)p->text.data, word, p->text.size) == 0;
}

/* 1 it was there, 0 it was not, <0. */
static int accept(struct parser *p, const char *word)
{
    int rc;

    if (!is(p, word))
        return 0;
    rc = advance(p);
    return rc < 0 ? rc : 1;
}

static int expect(struct parser *p, const char *word)
{
    int rc = accept(p, word);

    return rc == 0
               ? err_set(p->err, -EINVAL, "'%s' is missing before '%.*s'", word, SLICE_ARG(p->text))
               : rc;
}

/* --- nodes --- */

static struct expr_node *node(struct parser *p, enum expr_op op, unsigned n)
{
    struct expr_node *made = arena_alloc(p->arena, sizeof *made);

    *made = (struct expr_node){ .op = op, .n = n, .target = -1 };
    made->args = arena_alloc(p->arena, (n ? n : 1) * sizeof(struct expr_node *));
    return made;
}

static struct expr_node *with1(struct parser *p, enum expr_op op, struct expr_node *a)
{
    struct expr_node *made = node(p, op, 1);

    made->args[0] = a;
    return made;
}

static struct expr_node *with2(struct parser *p, enum expr_op op, struct expr_node *a,
                               struct expr_node *b)
{
    struct expr_node *made = node(p, op, 2);

    made->args[0] = a;
    made->args[1] = b;
    return made;
}

static struct expr_node *constant(struct parser *p, struct expr_value v)
{
    struct expr_node *made = node(p, OP_CONST, 0);

    made->value = v;
    return made;
}

static struct expr_node *whole(struct parser *p, int64_t i)
{
    return constant(p, (struct expr_value){ .kind = EXPR_INT, .i = i });
}

static void push(struct parser *p, struct expr_node *to, struct expr_node *arg)
{
    struct expr_node **more = arena_alloc(p->arena, (to->n + 1) * sizeof(struct expr_node *));

    if (to->n)
        memcpy(more, to->args, to->n * sizeof(struct expr_node *));
    more[to->n++] = arg;
    to->args = more;
}

/* --- grammar: each level calls the one that binds closer --- */

static int parse_or(struct parser *p, struct expr_node **ret);
static int parse_bits(struct parser *p, struct expr_node **ret);
static int parse_unary(struct parser *p, struct expr_node **ret);

static int number_node(struct parser *p, struct expr_node **ret)
{
    struct expr_value v = expr_decimal_of(p->text);

    if (memchr(p->text.data, 'e', p->text.size) || memchr(p->text.data, 'E', p->text.size)) {
        struct expr_value text = { .kind = EXPR_TEXT, .text = p->text };

        v = expr_number_of(&text);
    } else if (v.kind == EXPR_DEC && !memchr(p->text.data, '.', p->text.size) &&
               v.dec.n <= UINT64_MAX) {
        if (v.dec.n > INT64_MAX)
            v = (struct expr_value){ .kind = EXPR_UINT, .u = (uint64_t)v.dec.n };
        else
            v = (struct expr_value){ .kind = EXPR_INT, .i = (int64_t)v.dec.n };
    }
    *ret = constant(p, v);
    return advance(p);
}

static int string_node(struct parser *p, struct expr_node **ret)
{
    *ret = constant(p, (struct expr_value){ .kind = EXPR_TEXT, .text = p->text });
    (*ret)->bytes = p->token == HEX;
    return advance(p);
}

/* DATE '...', and TIME and TIMESTAMP. */
static int moment_node(struct parser *p, enum expr_type type, struct expr_node **ret)
{
    int rc = string_node(p, ret);

    (*ret)->target = (int)type;
    return rc;
}

static int parse_list(struct parser *p, struct expr_node *to)
{
    int rc;

    do {
        struct expr_node *arg;

        rc = parse_or(p, &arg);
        if (rc < 0)
            return rc;
        push(p, to, arg);
    } while ((rc = accept(p, ",")) > 0);
    return rc < 0 ? rc : expect(p, ")");
}

/* Behind CASE. */
static int parse_case(struct parser *p, struct expr_node **ret)
{
    struct expr_node *subject = NULL, *when, *then, *otherwise = NULL;
    int rc = is(p, "WHEN") ? 0 : parse_or(p, &subject);

    *ret = node(p, OP_CASE, 0);
    while (rc >= 0 && (rc = accept(p, "WHEN")) > 0) {
        rc = parse_or(p, &when);
        if (rc >= 0)
            rc = expect(p, "THEN");
        if (rc >= 0)
            rc = parse_or(p, &then);
        if (rc < 0)
            return rc;
        push(p, *ret, subject ? with2(p, OP_EQ, subject, when) : when);
        push(p, *ret, then);
    }
    if (rc >= 0 && (*ret)->n == 0)
        return fail(p, "CASE without WHEN");
    if (rc >= 0 && (rc = accept(p, "ELSE")) > 0)
        rc = parse_or(p, &otherwise);
    push(p, *ret, otherwise ? otherwise : constant(p, (struct expr_value){ .kind = EXPR_NULL }));
    return rc < 0 ? rc : expect(p, "END");
}

static const struct cast {
    const char *word;
    enum expr_type type;
} casts[] = {
    { "SIGNED", EXPR_TYPE_INTEGER },    { "UNSIGNED", EXPR_TYPE_INTEGER },
    { "CHAR", EXPR_TYPE_TEXT },         { "BINARY", EXPR_TYPE_TEXT },
    { "DOUBLE", EXPR_TYPE_REAL },       { "DATE", EXPR_TYPE_DATE },
    { "DATETIME", EXPR_TYPE_DATETIME },
};

/* Behind CAST(: what AS type) */
static int parse_cast(struct parser *p, struct expr_node **ret)
{
    struct expr_node *what;
    int rc = parse_or(p, &what);

    if (rc >= 0)
        rc = expect(p, "AS");
    for (size_t i = 0; rc >= 0 && i < ARRAY_LEN(casts); i++) {
        if (!is(p, casts[i].word))
            continue;
        *ret = with1(p, OP_CALL, what);
        (*ret)->function = expr_function_of(slice_str(casts[i].word));
        (*ret)->bytes = strcmp(casts[i].word, "BINARY") == 0;
        (*ret)->target = (int)casts[i].type;
        rc = advance(p);
        if (rc >= 0 && casts[i].type == EXPR_TYPE_INTEGER)
            rc = accept(p, "INTEGER");
        return rc < 0 ? rc : expect(p, ")");
    }
    return rc < 0 ? rc
                  : fail(p, "CAST knows SIGNED, UNSIGNED, CHAR, BINARY, DOUBLE, DATE and DATETIME,"
                            " without length");
}

/* Behind name( */
static int parse_call(struct parser *p, struct slice name, struct expr_node **ret)
{
    const struct expr_function *f = expr_function_of(name);
    int rc;

    if (!f || f->min > f->max)
        return err_set(p->err, -EINVAL, "the function %.*s is not known here", SLICE_ARG(name));
    *ret = node(p, OP_CALL, 0);
    (*ret)->function = f;
    rc = accept(p, ")");
    if (rc == 0)
        rc = parse_list(p, *ret);
    if (rc < 0)
        return rc;
    if ((*ret)->n < f->min || (*ret)->n > f->max)
        return err_set(p->err, -EINVAL, "%s takes %u to %u arguments", f->name, f->min, f->max);
    return 0;
}

static int column_node(struct parser *p, struct slice name, struct expr_node **ret)
{
    int rc;

    while ((rc = accept(p, ".")) > 0) { /* table.column: only its own table's are there */
        if (p->token != WORD && p->token != QUOTED)
            return fail(p, "a name is missing");
        name = p->text;
        rc = advance(p);
        if (rc < 0)
            return rc;
    }
    *ret = node(p, OP_COLUMN, 0);
    (*ret)->text = name;
    return rc;
}

/* Words that would be taken for columns. */
static bool is_reserved(const struct parser *p)
{
    static const char *const words[] = { "SELECT",
                                         "FROM",
                                         "WHERE",
                                         "EXISTS",
                                         "INTERVAL",
                                         "REGEXP",
                                         "RLIKE",
                                         "MATCH",
                                         "ALL",
                                         "ANY",
                                         "AND",
                                         "OR",
                                         "XOR",
                                         "IN",
                                         "LIKE",
                                         "BETWEEN",
                                         "WHEN",
                                         "THEN",
                                         "ELSE",
                                         "DIV",
                                         "AS",
                                         "DISTINCT",
                                         "ROW",
                                         "VALUES",
                                         "CURRENT_DATE",
                                         "CURRENT_TIME",
                                         "CURRENT_TIMESTAMP",
                                         "LOCALTIME",
                                         "LOCALTIMESTAMP",
                                         "CURRENT_USER",
                                         "UTC_DATE",
                                         "UTC_TIME",
                                         "UTC_TIMESTAMP",
                                         "COLLATE",
                                         "IS",
                                         "RETURNING" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (is(p, words[i]))
            return true;
    return false;
}

static int word_node(struct parser *p, struct expr_node **ret)
{
    static const struct {
        const char *word;
        int64_t value; /* 2: NULL */
    } constants[] = { { "TRUE", 1 }, { "FALSE", 0 }, { "NULL", 2 }, { "UNKNOWN", 2 } };
    static const struct cast moments[] = { { "DATE", EXPR_TYPE_DATE },
                                           { "TIME", EXPR_TYPE_TIME },
                                           { "TIMESTAMP", EXPR_TYPE_DATETIME } };
    struct slice name = p->text;
    int rc;

    if (p->token == WORD && is_reserved(p))
        return fail(p, "what is not known in such an expression");
    for (size_t i = 0; p->token == WORD && i < ARRAY_LEN(constants); i++)
        if (is(p, constants[i].word)) {
            *ret = constants[i].value == 2 ? constant(p, (struct expr_value){ .kind = EXPR_NULL })
                                           : whole(p, constants[i].value);
            return advance(p);
        }
    if (p->token == QUOTED)
        return (rc = advance(p)) < 0 ? rc : column_node(p, name, ret);
    rc = advance(p);
    if (rc < 0)
        return rc;
    for (size_t i = 0; p->token == STRING && i < ARRAY_LEN(moments); i++)
        if (slice_eq_nocase(name, moments[i].word))
            return moment_node(p, moments[i].type, ret);
    if (p->token == STRING)
        return fail(p, "a character set before a string is not known here,");
    if (is(p, "("))
        return (rc = advance(p)) < 0           ? rc
               : slice_eq_nocase(name, "CAST") ? parse_cast(p, ret)
                                               : parse_call(p, name, ret);
    return column_node(p, name, ret);
}

static int parse_primary(struct parser *p, struct expr_node **ret)
{
    int rc;

    switch (p->token) {
    case NUMBER:
        return number_node(p, ret);
    case STRING:
    case HEX:
        return string_node(p, ret);
    case QUOTED:
        return word_node(p, ret);
    case WORD:
        rc = accept(p, "CASE");
        return rc < 0 ? rc : rc > 0 ? parse_case(p, ret) : word_node(p, ret);
    case MARK:
        rc = accept(p, "(");
        if (rc > 0)
            rc = parse_or(p, ret);
        else if (rc == 0)
            return fail(p, "a value is missing");
        return rc < 0 ? rc : expect(p, ")");
    case END:
        break;
    }
    return fail(p, "a value is missing at the end");
}

static int parse_collate(struct parser *p, struct expr_node **ret)
{
    int rc = parse_primary(p, ret);

    while (rc >= 0 && (rc = accept(p, "COLLATE")) > 0) {
        *ret = with1(p, OP_COLLATE, *ret);
        (*ret)->text = p->text;
        if (p->token != WORD && p->token != QUOTED && p->token != STRING)
            return fail(p, "a collation is missing");
        rc = advance(p);
    }
    return rc;
}

static const struct prefix {
    const char *word;
    enum expr_op op;
} prefixes[] = { { "!", OP_NOT }, { "-", OP_NEG }, { "~", OP_BIT_NOT }, { "BINARY", OP_COLLATE } };

static int parse_unary_here(struct parser *p, struct expr_node **ret)
{
    int rc = accept(p, "+");

    if (rc != 0)
        return rc < 0 ? rc : parse_unary(p, ret);
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        rc = accept(p, prefixes[i].word);
        if (rc == 0)
            continue;
        if (rc > 0)
            rc = parse_unary(p, ret);
        if (rc < 0)
            return rc;
        *ret = with1(p, prefixes[i].op, *ret);
        if (prefixes[i].op == OP_COLLATE)
            (*ret)->text = slice_str("binary");
        return 0;
    }
    return parse_collate(p, ret);
}

static int parse_unary(struct parser *p, struct expr_node **ret)
{
    int rc;

    if (++p->depth > MAX_DEPTH)
        return fail(p, "it is nested too deep");
    rc = parse_unary_here(p, ret);
    p->depth--;
    return rc;
}

/* Left-associative operators, one row a level, the closest first. */
struct level_op {
    const char *word;
    enum expr_op op;
};
static const struct level_op levels[][8] = {
    { { "^", OP_BIT_XOR } },
    { { "*", OP_MUL }, { "/", OP_DIV }, { "%", OP_MOD }, { "DIV", OP_INT_DIV }, { "MOD", OP_MOD } },
    { { "+", OP_ADD }, { "-", OP_SUB } },
    { { "<<", OP_SHL }, { ">>", OP_SHR } },
    { { "&", OP_BIT_AND } },
    { { "|", OP_BIT_OR } },
};

static const struct level_op *level_op_here(const struct parser *p, size_t level)
{
    for (const struct level_op *o = levels[level]; o->word; o++)
        if (is(p, o->word))
            return o;
    return NULL;
}

/* Climbs: operators of 'level' and those that bind closer. */
static int parse_level(struct parser *p, size_t level, struct expr_node **ret)
{
    const struct level_op *o;
    struct expr_node *right;
    int rc = level == 0 ? parse_unary(p, ret) : parse_level(p, level - 1, ret);

    while (rc >= 0 && (o = level_op_here(p, level))) {
        rc = advance(p);
        if (rc >= 0)
            rc = level == 0 ? parse_unary(p, &right) : parse_level(p, level - 1, &right);
        if (rc >= 0)
            *ret = with2(p, o->op, *ret, right);
    }
    return rc;
}

static int parse_bits(struct parser *p, struct expr_node **ret)
{
    return parse_level(p, ARRAY_LEN(levels) - 1, ret);
}

static int parse_in(struct parser *p, struct expr_node **left)
{
    struct expr_node *in = with1(p, OP_IN, *left);
    int rc = expect(p, "(");

    *left = in;
    return rc < 0 ? rc : parse_list(p, in);
}

static int parse_between(struct parser *p, struct expr_node **left)
{
    struct expr_node *b = node(p, OP_BETWEEN, 3);
    int rc = parse_bits(p, &b->args[1]);

    b->args[0] = *left;
    *left = b;
    if (rc >= 0)
        rc = expect(p, "AND");
    return rc < 0 ? rc : parse_bits(p, &b->args[2]);
}

static int parse_like(struct parser *p, struct expr_node **left)
{
    struct expr_node *like = with1(p, OP_LIKE, *left), *arg;
    int rc = parse_bits(p, &arg);

    *left = like;
    if (rc < 0)
        return rc;
    push(p, like, arg);
    rc = accept(p, "ESCAPE");
    if (rc > 0) {
        if (p->token != STRING || p->text.size > 1)
            return fail(p, "ESCAPE takes one character");
        rc = string_node(p, &arg);
        push(p, like, arg);
    }
    return rc;
}

static int parse_is(struct parser *p, struct expr_node **left)
{
    static const struct level_op is_what[] = { { "NULL", OP_IS_NULL },
                                               { "UNKNOWN", OP_IS_NULL },
                                               { "TRUE", OP_IS_TRUE },
                                               { "FALSE", OP_IS_FALSE } };
    int negated = accept(p, "NOT"), rc = negated;

    for (size_t i = 0; rc >= 0 && i < ARRAY_LEN(is_what); i++) {
        if (!is(p, is_what[i].word))
            continue;
        *left = with1(p, is_what[i].op, *left);
        if (negated)
            *left = with1(p, OP_NOT, *left);
        return advance(p);
    }
    return rc < 0 ? rc : fail(p, "IS takes NULL, TRUE, FALSE or UNKNOWN,");
}

/* IN, BETWEEN and LIKE, maybe behind NOT.  1: there was one. */
static int parse_word_test(struct parser *p, struct expr_node **left)
{
    static const struct {
        const char *word;
        int (*parse)(struct parser *p, struct expr_node **left);
    } tests[] = { { "IN", parse_in }, { "BETWEEN", parse_between }, { "LIKE", parse_like } };
    int negated = accept(p, "NOT"), rc = negated;

    for (size_t i = 0; rc >= 0 && i < ARRAY_LEN(tests); i++) {
        if ((rc = accept(p, tests[i].word)) == 0)
            continue;
        if (rc > 0)
            rc = tests[i].parse(p, left);
        if (rc >= 0 && negated)
            *left = with1(p, OP_NOT, *left);
        return rc < 0 ? rc : 1;
    }
    return rc < 0 ? rc : negated ? fail(p, "NOT before what is not known here,") : 0;
}

static int parse_comparison(struct parser *p, struct expr_node **ret)
{
    static const struct level_op signs[] = { { "=", OP_EQ },  { "<=>", OP_NULL_EQ },
                                             { "<>", OP_NE }, { "!=", OP_NE },
                                             { "<=", OP_LE }, { ">=", OP_GE },
                                             { "<", OP_LT },  { ">", OP_GT } };
    struct expr_node *right;
    int rc = parse_bits(p, ret);

    while (rc >= 0) {
        size_t i = 0;

        if ((rc = accept(p, "IS")) != 0) {
            rc = rc < 0 ? rc : parse_is(p, ret);
            continue;
        }
        if ((rc = parse_word_test(p, ret)) != 0)
            continue;
        while (i < ARRAY_LEN(signs) && !is(p, signs[i].word))
            i++;
        if (i == ARRAY_LEN(signs))
            return 0;
        rc = advance(p);
        if (rc >= 0)
            rc = parse_bits(p, &right);
        if (rc >= 0)
            *ret = with2(p, signs[i].op, *ret, right);
    }
    return rc;
}

static int parse_not(struct parser *p, struct expr_node **ret)
{
    unsigned n = 0;
    int rc;

    while ((rc = accept(p, "NOT")) > 0)
        n++;
    if (rc >= 0)
        rc = parse_comparison(p, ret);
    if (rc >= 0 && n)
        *ret = with1(p, OP_NOT, n % 2 ? *ret : with1(p, OP_NOT, *ret));
    return rc;
}

static int parse_logic(struct parser *p, unsigned level, struct expr_node **ret)
{
    static const struct {
        const char *word, *sign;
        enum expr_op op;
    } ops[] = { { "AND", "&&", OP_AND }, { "XOR", "XOR", OP_XOR }, { "OR", "||", OP_OR } };
    struct expr_node *right;
    int rc = level == 0 ? parse_not(p, ret) : parse_logic(p, level - 1, ret);

    while (rc >= 0 && (is(p, ops[level].word) || is(p, ops[level].sign))) {
        rc = advance(p);
        if (rc >= 0)
            rc = level == 0 ? parse_not(p, &right) : parse_logic(p, level - 1, &right);
        if (rc >= 0)
            *ret = with2(p, ops[level].op, *ret, right);
    }
    return rc;
}

static int parse_or(struct parser *p, struct expr_node **ret)
{
    int rc;

    if (++p->depth > MAX_DEPTH)
        return fail(p, "it is nested too deep");
    rc = parse_logic(p, 2, ret);
    p->depth--;
    return rc;
}

int expr_parse(struct expr *e, struct err *err)
{
    struct parser p = { .sql = slice_str(e->text), .arena = &e->arena, .err = err };
    int rc = advance(&p);

    if (rc >= 0)
        rc = parse_or(&p, &e->root);
    if (rc >= 0 && p.token != END)
        return fail(&p, "what is not known in such an expression");
    return rc < 0 ? rc : 0;
}
