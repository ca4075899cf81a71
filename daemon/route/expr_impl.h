/* expr_impl.h - what the parts of expr.h share. */
#ifndef SLUICE_ROUTE_EXPR_IMPL_H
#define SLUICE_ROUTE_EXPR_IMPL_H

#include <strings.h>

#include "base/arena.h"
#include "route/expr.h"

enum expr_op {
    OP_CONST,
    OP_COLUMN,
    OP_OR,
    OP_XOR,
    OP_AND,
    OP_NOT,
    OP_EQ,
    OP_NULL_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_IN,      /* what, one, two, ... */
    OP_BETWEEN, /* what, from, to */
    OP_LIKE,    /* what, pattern[, escape] */
    OP_IS_NULL,
    OP_IS_TRUE,
    OP_IS_FALSE,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_INT_DIV,
    OP_MOD,
    OP_NEG,
    OP_BIT_OR,
    OP_BIT_AND,
    OP_BIT_XOR,
    OP_BIT_NOT,
    OP_SHL,
    OP_SHR,
    OP_CASE,    /* when, then, when, then, ..., else (may be a NULL constant) */
    OP_COLLATE, /* what; the collation is in 'text' */
    OP_CALL,
};

/* How strings of a node compare. */
enum expr_fold {
    FOLD_BYTES,
    FOLD_LETTERS, /* case does not count, of ASCII; the rest may fold too */
    FOLD_UNKNOWN, /* a collation with rules of its own: comparing is refused */
};

struct expr_collation {
    enum expr_fold fold;
    bool pad;       /* spaces at the end do not count */
    bool utf8;      /* characters are those of UTF-8; else of one byte, or only ASCII is known */
    unsigned force; /* who decides: 0 constants, 1 results of functions, 2 columns, 3 COLLATE */
    const char *name;
};

static inline bool slice_eq_nocase(struct slice a, const char *word)
{
    return a.size == strlen(word) && strncasecmp((const char *)a.data, word, a.size) == 0;
}

static inline bool expr_is_moment(enum expr_type t)
{
    return t == EXPR_TYPE_DATE || t == EXPR_TYPE_DATETIME || t == EXPR_TYPE_TIME;
}

struct expr_node;

struct expr_state {
    struct expr_value (*get)(void *arg, unsigned column);
    void *arg;
    struct arena arena; /* texts made on the way */
    struct err *err;
};

struct expr_function {
    const char *name;
    unsigned min, max; /* arguments */
    int type;          /* enum expr_type; -1: of its arguments */
    /* Evaluates; NULL is -ve only for errors.  Arguments that are NULL make NULL unless
     * 'sees_null'. */
    int (*run)(struct expr_state *s, const struct expr_node *n, struct expr_value *args,
               struct expr_value *ret);
    bool sees_null;
    enum { ARGS_ANY, ARGS_TEXT, ARGS_NUMBERS, ARGS_COMPARED, ARGS_MOMENTS } args;
};

struct expr_node {
    enum expr_op op;
    unsigned n;
    struct expr_node **args;
    struct expr_value value; /* OP_CONST */
    struct slice text;       /* OP_COLUMN, OP_COLLATE: a name */
    unsigned column;
    bool bytes; /* a constant x'..', or BINARY */
    enum expr_type type;
    struct expr_collation collation;
    const struct expr_function *function;
    int target; /* CAST: enum expr_type */
};

struct expr {
    struct arena arena;
    struct expr_node *root;
    char *text;
};

/* expr_parse.c */
int expr_parse(struct expr *e, struct err *err);
/* expr_bind.c */
int expr_bind(struct expr *e, const struct expr_column *columns, unsigned n_columns,
              struct err *err);
/* expr.c */
int expr_eval(struct expr_state *s, const struct expr_node *n, struct expr_value *ret);
/* 'c': of the operator or function that compares.  *ret: <0, 0, >0; without 'order' only 0 or not.
 */
int expr_compare(struct expr_state *s, const struct expr_node *a, const struct expr_value *x,
                 const struct expr_node *b, const struct expr_value *y,
                 const struct expr_collation *c, bool order, int *ret);
/* expr_call.c */
const struct expr_function *expr_function_of(struct slice name);

/* expr_number.c: 'ret' is never text. */
struct expr_value expr_number_of(const struct expr_value *v); /* text: what it begins with */
double expr_real_of(const struct expr_value *v);
int expr_compare_numbers(const struct expr_value *a, const struct expr_value *b);
int expr_arithmetic(enum expr_op op, const struct expr_value *a, const struct expr_value *b,
                    struct expr_value *ret, struct err *err);
int expr_bits(enum expr_op op, const struct expr_value *a, const struct expr_value *b,
              struct expr_value *ret);
bool expr_truth(const struct expr_value *v);
/* To a whole number, away from zero at halves. */
struct expr_value expr_round(const struct expr_value *v, int places);
struct slice expr_text_of(struct expr_state *s, const struct expr_value *v);

/* expr_text.c: -ENOTSUP when it cannot be told.  *ret: <0, 0, >0; without 'order' only 0 or not. */
int expr_compare_text(struct slice a, struct slice b, const struct expr_collation *c, bool order,
                      int *ret, struct err *err);
int expr_like(struct slice text, struct slice pattern, int escape, const struct expr_collation *c,
              bool *ret, struct err *err);
size_t expr_character(struct slice s, size_t at, const struct expr_collation *c); /* its bytes */

/* expr_time.c: a date or time as one number that orders as it does; false if it is none. */
bool expr_moment(const struct expr_value *v, enum expr_type as, int64_t *ret);
struct expr_moment_parts {
    unsigned year, month, day, hour, minute, second, micro;
    bool negative;
};
bool expr_moment_split(const struct expr_value *v, enum expr_type as,
                       struct expr_moment_parts *ret);

#endif
