/* Text -> nodes.  Source: MySQL 8.4 Reference Manual, "Operator Precedence". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "route/expr_impl.h"
#include "route/expr_lex.h"

#define MAX_DEPTH 100

/* --- nodes --- */

static struct expr_node *node(struct expr_lexer *p, enum expr_op op, unsigned n)
{
    struct expr_node *made = arena_alloc(p->arena, sizeof *made);

    *made = (struct expr_node){ .op = op, .n = n, .target = -1 };
    made->args = arena_alloc(p->arena, (n ? n : 1) * sizeof(struct expr_node *));
    return made;
}

static struct expr_node *with1(struct expr_lexer *p, enum expr_op op, struct expr_node *a)
{
    struct expr_node *made = node(p, op, 1);

    made->args[0] = a;
    return made;
}

static struct expr_node *with2(struct expr_lexer *p, enum expr_op op, struct expr_node *a,
                               struct expr_node *b)
{
    struct expr_node *made = node(p, op, 2);

    made->args[0] = a;
    made->args[1] = b;
    return made;
}

static struct expr_node *constant(struct expr_lexer *p, struct expr_value v)
{
    struct expr_node *made = node(p, OP_CONST, 0);

    made->value = v;
    return made;
}

static struct expr_node *whole(struct expr_lexer *p, int64_t i)
{
    return constant(p, (struct expr_value){ .kind = EXPR_INT, .i = i });
}

static void push(struct expr_lexer *p, struct expr_node *to, struct expr_node *arg)
{
    struct expr_node **more = arena_alloc(p->arena, (to->n + 1) * sizeof(struct expr_node *));

    if (to->n)
        memcpy(more, to->args, to->n * sizeof(struct expr_node *));
    more[to->n++] = arg;
    to->args = more;
}

/* --- grammar: each level calls the one that binds closer --- */

static int parse_or(struct expr_lexer *p, struct expr_node **ret);
static int parse_bits(struct expr_lexer *p, struct expr_node **ret);
static int parse_unary(struct expr_lexer *p, struct expr_node **ret);

static int number_node(struct expr_lexer *p, struct expr_node **ret)
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
    return expr_advance(p);
}

static int string_node(struct expr_lexer *p, struct expr_node **ret)
{
    *ret = constant(p, (struct expr_value){ .kind = EXPR_TEXT, .text = p->text });
    (*ret)->bytes = p->token == TOKEN_HEX;
    return expr_advance(p);
}

/* DATE '...', and TIME and TIMESTAMP. */
static int moment_node(struct expr_lexer *p, enum expr_type type, struct expr_node **ret)
{
    int rc = string_node(p, ret);

    (*ret)->target = (int)type;
    return rc;
}

static int parse_list(struct expr_lexer *p, struct expr_node *to)
{
    int rc;

    do {
        struct expr_node *arg;

        rc = parse_or(p, &arg);
        if (rc < 0)
            return rc;
        push(p, to, arg);
    } while ((rc = expr_accept(p, ",")) > 0);
    return rc < 0 ? rc : expr_expect(p, ")");
}

/* Behind CASE. */
static int parse_case(struct expr_lexer *p, struct expr_node **ret)
{
    struct expr_node *subject = NULL, *when, *then, *otherwise = NULL;
    int rc = expr_is(p, "WHEN") ? 0 : parse_or(p, &subject);

    *ret = node(p, OP_CASE, 0);
    while (rc >= 0 && (rc = expr_accept(p, "WHEN")) > 0) {
        rc = parse_or(p, &when);
        if (rc >= 0)
            rc = expr_expect(p, "THEN");
        if (rc >= 0)
            rc = parse_or(p, &then);
        if (rc < 0)
            return rc;
        push(p, *ret, subject ? with2(p, OP_EQ, subject, when) : when);
        push(p, *ret, then);
    }
    if (rc >= 0 && (*ret)->n == 0)
        return expr_fail(p, "CASE without WHEN");
    if (rc >= 0 && (rc = expr_accept(p, "ELSE")) > 0)
        rc = parse_or(p, &otherwise);
    push(p, *ret, otherwise ? otherwise : constant(p, (struct expr_value){ .kind = EXPR_NULL }));
    return rc < 0 ? rc : expr_expect(p, "END");
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
static int parse_cast(struct expr_lexer *p, struct expr_node **ret)
{
    struct expr_node *what;
    int rc = parse_or(p, &what);

    if (rc >= 0)
        rc = expr_expect(p, "AS");
    for (size_t i = 0; rc >= 0 && i < ARRAY_LEN(casts); i++) {
        if (!expr_is(p, casts[i].word))
            continue;
        *ret = with1(p, OP_CALL, what);
        (*ret)->function = expr_function_of(slice_str(casts[i].word));
        (*ret)->bytes = strcmp(casts[i].word, "BINARY") == 0;
        (*ret)->target = (int)casts[i].type;
        rc = expr_advance(p);
        if (rc >= 0 && casts[i].type == EXPR_TYPE_INTEGER)
            rc = expr_accept(p, "INTEGER");
        return rc < 0 ? rc : expr_expect(p, ")");
    }
    return rc < 0
               ? rc
               : expr_fail(p,
                           "CAST knows SIGNED, UNSIGNED, CHAR, BINARY, DOUBLE, DATE and DATETIME,"
                           " without length");
}

/* Behind name( */
static int parse_call(struct expr_lexer *p, struct slice name, struct expr_node **ret)
{
    const struct expr_function *f = expr_function_of(name);
    int rc;

    if (!f || f->min > f->max)
        return err_set(p->err, -EINVAL, "the function %.*s is not known here", SLICE_ARG(name));
    *ret = node(p, OP_CALL, 0);
    (*ret)->function = f;
    rc = expr_accept(p, ")");
    if (rc == 0)
        rc = parse_list(p, *ret);
    if (rc < 0)
        return rc;
    if ((*ret)->n < f->min || (*ret)->n > f->max)
        return err_set(p->err, -EINVAL, "%s takes %u to %u arguments", f->name, f->min, f->max);
    return 0;
}

static int column_node(struct expr_lexer *p, struct slice name, struct expr_node **ret)
{
    int rc;

    while ((rc = expr_accept(p, ".")) > 0) { /* table.column: only its own table's are there */
        if (p->token != TOKEN_WORD && p->token != TOKEN_QUOTED)
            return expr_fail(p, "a name is missing");
        name = p->text;
        rc = expr_advance(p);
        if (rc < 0)
            return rc;
    }
    *ret = node(p, OP_COLUMN, 0);
    (*ret)->text = name;
    return rc;
}

/* Words that would be taken for columns. */
static bool is_reserved(const struct expr_lexer *p)
{
    static const char *const words[] = {
        "ALL",
        "AND",
        "ANY",
        "AS",
        "BETWEEN",
        "COLLATE",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURRENT_USER",
        "DISTINCT",
        "DIV",
        "ELSE",
        "EXISTS",
        "FROM",
        "IN",
        "INTERVAL",
        "IS",
        "LIKE",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "MATCH",
        "OR",
        "REGEXP",
        "RETURNING",
        "RLIKE",
        "ROW",
        "SELECT",
        "THEN",
        "UTC_DATE",
        "UTC_TIME",
        "UTC_TIMESTAMP",
        "VALUES",
        "WHEN",
        "WHERE",
        "XOR",
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (expr_is(p, words[i]))
            return true;
    return false;
}

static int word_node(struct expr_lexer *p, struct expr_node **ret)
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

    if (p->token == TOKEN_WORD && is_reserved(p))
        return expr_fail(p, "what is not known in such an expression");
    for (size_t i = 0; p->token == TOKEN_WORD && i < ARRAY_LEN(constants); i++)
        if (expr_is(p, constants[i].word)) {
            *ret = constants[i].value == 2 ? constant(p, (struct expr_value){ .kind = EXPR_NULL })
                                           : whole(p, constants[i].value);
            return expr_advance(p);
        }
    if (p->token == TOKEN_QUOTED)
        return (rc = expr_advance(p)) < 0 ? rc : column_node(p, name, ret);
    rc = expr_advance(p);
    if (rc < 0)
        return rc;
    for (size_t i = 0; p->token == TOKEN_STRING && i < ARRAY_LEN(moments); i++)
        if (slice_eq_nocase(name, moments[i].word))
            return moment_node(p, moments[i].type, ret);
    if (p->token == TOKEN_STRING)
        return expr_fail(p, "a character set before a string is not known here,");
    if (expr_is(p, "("))
        return (rc = expr_advance(p)) < 0      ? rc
               : slice_eq_nocase(name, "CAST") ? parse_cast(p, ret)
                                               : parse_call(p, name, ret);
    return column_node(p, name, ret);
}

static int parse_primary(struct expr_lexer *p, struct expr_node **ret)
{
    int rc;

    switch (p->token) {
    case TOKEN_NUMBER:
        return number_node(p, ret);
    case TOKEN_STRING:
    case TOKEN_HEX:
        return string_node(p, ret);
    case TOKEN_QUOTED:
        return word_node(p, ret);
    case TOKEN_WORD:
        rc = expr_accept(p, "CASE");
        return rc < 0 ? rc : rc > 0 ? parse_case(p, ret) : word_node(p, ret);
    case TOKEN_MARK:
        rc = expr_accept(p, "(");
        if (rc > 0)
            rc = parse_or(p, ret);
        else if (rc == 0)
            return expr_fail(p, "a value is missing");
        return rc < 0 ? rc : expr_expect(p, ")");
    case TOKEN_END:
        break;
    }
    return expr_fail(p, "a value is missing at the end");
}

static int parse_collate(struct expr_lexer *p, struct expr_node **ret)
{
    int rc = parse_primary(p, ret);

    while (rc >= 0 && (rc = expr_accept(p, "COLLATE")) > 0) {
        *ret = with1(p, OP_COLLATE, *ret);
        (*ret)->text = p->text;
        if (p->token != TOKEN_WORD && p->token != TOKEN_QUOTED && p->token != TOKEN_STRING)
            return expr_fail(p, "a collation is missing");
        rc = expr_advance(p);
    }
    return rc;
}

static const struct prefix {
    const char *word;
    enum expr_op op;
} prefixes[] = { { "!", OP_NOT }, { "-", OP_NEG }, { "~", OP_BIT_NOT }, { "BINARY", OP_COLLATE } };

static int parse_unary_here(struct expr_lexer *p, struct expr_node **ret)
{
    int rc = expr_accept(p, "+");

    if (rc != 0)
        return rc < 0 ? rc : parse_unary(p, ret);
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        rc = expr_accept(p, prefixes[i].word);
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

static int parse_unary(struct expr_lexer *p, struct expr_node **ret)
{
    int rc;

    if (++p->depth > MAX_DEPTH)
        return expr_fail(p, "it is nested too deep");
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

static const struct level_op *level_op_here(const struct expr_lexer *p, size_t level)
{
    for (const struct level_op *o = levels[level]; o->word; o++)
        if (expr_is(p, o->word))
            return o;
    return NULL;
}

/* Climbs: operators of 'level' and those that bind closer. */
static int parse_level(struct expr_lexer *p, size_t level, struct expr_node **ret)
{
    const struct level_op *o;
    struct expr_node *right;
    int rc = level == 0 ? parse_unary(p, ret) : parse_level(p, level - 1, ret);

    while (rc >= 0 && (o = level_op_here(p, level))) {
        rc = expr_advance(p);
        if (rc >= 0)
            rc = level == 0 ? parse_unary(p, &right) : parse_level(p, level - 1, &right);
        if (rc >= 0)
            *ret = with2(p, o->op, *ret, right);
    }
    return rc;
}

static int parse_bits(struct expr_lexer *p, struct expr_node **ret)
{
    return parse_level(p, ARRAY_LEN(levels) - 1, ret);
}

static int parse_in(struct expr_lexer *p, struct expr_node **left)
{
    struct expr_node *in = with1(p, OP_IN, *left);
    int rc = expr_expect(p, "(");

    *left = in;
    return rc < 0 ? rc : parse_list(p, in);
}

static int parse_between(struct expr_lexer *p, struct expr_node **left)
{
    struct expr_node *b = node(p, OP_BETWEEN, 3);
    int rc = parse_bits(p, &b->args[1]);

    b->args[0] = *left;
    *left = b;
    if (rc >= 0)
        rc = expr_expect(p, "AND");
    return rc < 0 ? rc : parse_bits(p, &b->args[2]);
}

static int parse_like(struct expr_lexer *p, struct expr_node **left)
{
    struct expr_node *like = with1(p, OP_LIKE, *left), *arg;
    int rc = parse_bits(p, &arg);

    *left = like;
    if (rc < 0)
        return rc;
    push(p, like, arg);
    rc = expr_accept(p, "ESCAPE");
    if (rc > 0) {
        if (p->token != TOKEN_STRING || p->text.size > 1)
            return expr_fail(p, "ESCAPE takes one character");
        rc = string_node(p, &arg);
        push(p, like, arg);
    }
    return rc;
}

static int parse_is(struct expr_lexer *p, struct expr_node **left)
{
    static const struct level_op is_what[] = { { "NULL", OP_IS_NULL },
                                               { "UNKNOWN", OP_IS_NULL },
                                               { "TRUE", OP_IS_TRUE },
                                               { "FALSE", OP_IS_FALSE } };
    int negated = expr_accept(p, "NOT"), rc = negated;

    for (size_t i = 0; rc >= 0 && i < ARRAY_LEN(is_what); i++) {
        if (!expr_is(p, is_what[i].word))
            continue;
        *left = with1(p, is_what[i].op, *left);
        if (negated)
            *left = with1(p, OP_NOT, *left);
        return expr_advance(p);
    }
    return rc < 0 ? rc : expr_fail(p, "IS takes NULL, TRUE, FALSE or UNKNOWN,");
}

/* IN, BETWEEN and LIKE, maybe behind NOT.  1: there was one. */
static int parse_word_test(struct expr_lexer *p, struct expr_node **left)
{
    static const struct {
        const char *word;
        int (*parse)(struct expr_lexer *p, struct expr_node **left);
    } tests[] = { { "IN", parse_in }, { "BETWEEN", parse_between }, { "LIKE", parse_like } };
    int negated = expr_accept(p, "NOT"), rc = negated;

    for (size_t i = 0; rc >= 0 && i < ARRAY_LEN(tests); i++) {
        if ((rc = expr_accept(p, tests[i].word)) == 0)
            continue;
        if (rc > 0)
            rc = tests[i].parse(p, left);
        if (rc >= 0 && negated)
            *left = with1(p, OP_NOT, *left);
        return rc < 0 ? rc : 1;
    }
    return rc < 0 ? rc : negated ? expr_fail(p, "NOT before what is not known here,") : 0;
}

static int parse_comparison(struct expr_lexer *p, struct expr_node **ret)
{
    static const struct level_op signs[] = { { "=", OP_EQ },  { "<=>", OP_NULL_EQ },
                                             { "<>", OP_NE }, { "!=", OP_NE },
                                             { "<=", OP_LE }, { ">=", OP_GE },
                                             { "<", OP_LT },  { ">", OP_GT } };
    struct expr_node *right;
    int rc = parse_bits(p, ret);

    while (rc >= 0) {
        size_t i = 0;

        if ((rc = expr_accept(p, "IS")) != 0) {
            rc = rc < 0 ? rc : parse_is(p, ret);
            continue;
        }
        if ((rc = parse_word_test(p, ret)) != 0)
            continue;
        while (i < ARRAY_LEN(signs) && !expr_is(p, signs[i].word))
            i++;
        if (i == ARRAY_LEN(signs))
            return 0;
        rc = expr_advance(p);
        if (rc >= 0)
            rc = parse_bits(p, &right);
        if (rc >= 0)
            *ret = with2(p, signs[i].op, *ret, right);
    }
    return rc;
}

static int parse_not(struct expr_lexer *p, struct expr_node **ret)
{
    unsigned n = 0;
    int rc;

    while ((rc = expr_accept(p, "NOT")) > 0)
        n++;
    if (rc >= 0)
        rc = parse_comparison(p, ret);
    if (rc >= 0 && n)
        *ret = with1(p, OP_NOT, n % 2 ? *ret : with1(p, OP_NOT, *ret));
    return rc;
}

static int parse_logic(struct expr_lexer *p, unsigned level, struct expr_node **ret)
{
    static const struct {
        const char *word, *sign;
        enum expr_op op;
    } ops[] = { { "AND", "&&", OP_AND }, { "XOR", "XOR", OP_XOR }, { "OR", "||", OP_OR } };
    struct expr_node *right;
    int rc = level == 0 ? parse_not(p, ret) : parse_logic(p, level - 1, ret);

    while (rc >= 0 && (expr_is(p, ops[level].word) || expr_is(p, ops[level].sign))) {
        rc = expr_advance(p);
        if (rc >= 0)
            rc = level == 0 ? parse_not(p, &right) : parse_logic(p, level - 1, &right);
        if (rc >= 0)
            *ret = with2(p, ops[level].op, *ret, right);
    }
    return rc;
}

static int parse_or(struct expr_lexer *p, struct expr_node **ret)
{
    int rc;

    if (++p->depth > MAX_DEPTH)
        return expr_fail(p, "it is nested too deep");
    rc = parse_logic(p, 2, ret);
    p->depth--;
    return rc;
}

int expr_parse(struct expr *e, struct err *err)
{
    struct expr_lexer p = { .sql = slice_str(e->text), .arena = &e->arena, .err = err };
    int rc = expr_advance(&p);

    if (rc >= 0)
        rc = parse_or(&p, &e->root);
    if (rc >= 0 && p.token != TOKEN_END)
        return expr_fail(&p, "what is not known in such an expression");
    return rc < 0 ? rc : 0;
}
