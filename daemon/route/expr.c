#include "route/expr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/expr_impl.h"

#define MAX_TEXT 16384 /* as deep as evaluating goes */

/* --- comparing --- */

static int compare_moments(struct expr_state *s, enum expr_type as, const struct expr_value *x,
                           const struct expr_value *y, int *ret)
{
    int64_t a, b;

    if (!expr_moment(x, as, &a) || !expr_moment(y, as, &b))
        return err_set(s->err, -ENOTSUP, "a date or time cannot be read");
    *ret = a < b ? -1 : a > b;
    return 0;
}

int expr_compare(struct expr_state *s, const struct expr_node *a, const struct expr_value *x,
                 const struct expr_node *b, const struct expr_value *y,
                 const struct expr_collation *c, bool order, int *ret)
{
    struct expr_value p, q;

    if (expr_is_moment(a->type))
        return compare_moments(s, a->type, x, y, ret);
    if (expr_is_moment(b->type))
        return compare_moments(s, b->type, x, y, ret);
    if (x->kind == EXPR_TEXT && y->kind == EXPR_TEXT)
        return expr_compare_text(x->text, y->text, c, order, ret, s->err);
    p = expr_number_of(x);
    q = expr_number_of(y);
    *ret = expr_compare_numbers(&p, &q);
    return 0;
}

/* --- values --- */

static struct expr_value truth(bool b)
{
    return (struct expr_value){ .kind = EXPR_INT, .i = b };
}

static const struct expr_value null = { .kind = EXPR_NULL };

static int eval_logic(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    bool decides = n->op == OP_OR; /* an operand that is this is the result */
    struct expr_value a, b;
    int rc = expr_eval(s, n->args[0], &a);

    if (rc < 0)
        return rc;
    if (a.kind != EXPR_NULL && expr_truth(&a) == decides) {
        *ret = truth(decides);
        return 0;
    }
    rc = expr_eval(s, n->args[1], &b);
    if (rc < 0)
        return rc;
    if (b.kind != EXPR_NULL && expr_truth(&b) == decides)
        *ret = truth(decides);
    else
        *ret = a.kind == EXPR_NULL || b.kind == EXPR_NULL ? null : truth(!decides);
    return 0;
}

/* Both operands; 0: one of them is NULL. */
static int operands(struct expr_state *s, const struct expr_node *n, struct expr_value *a,
                    struct expr_value *b)
{
    int rc = expr_eval(s, n->args[0], a);

    *b = null;
    if (rc == 0 && n->n > 1)
        rc = expr_eval(s, n->args[1], b);
    return rc < 0 ? rc : a->kind != EXPR_NULL && (n->n < 2 || b->kind != EXPR_NULL);
}

static bool holds(enum expr_op op, int order)
{
    switch ((int)op) {
    case OP_EQ:
    case OP_NULL_EQ:
        return order == 0;
    case OP_NE:
        return order != 0;
    case OP_LT:
        return order < 0;
    case OP_LE:
        return order <= 0;
    case OP_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static int eval_compare(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    bool ordered = n->op != OP_EQ && n->op != OP_NE && n->op != OP_NULL_EQ;
    struct expr_value a, b;
    int order = 0, rc = operands(s, n, &a, &b);

    if (rc < 0)
        return rc;
    if (rc == 0) {
        *ret = n->op == OP_NULL_EQ ? truth(a.kind == b.kind) : null;
        return 0;
    }
    rc = expr_compare(s, n->args[0], &a, n->args[1], &b, &n->collation, ordered, &order);
    *ret = truth(holds(n->op, order));
    return rc;
}

static int eval_in(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    struct expr_value what, one;
    bool any_null = false;
    int order, rc = expr_eval(s, n->args[0], &what);

    *ret = null;
    if (rc < 0 || what.kind == EXPR_NULL)
        return rc;
    for (unsigned i = 1; i < n->n; i++) {
        rc = expr_eval(s, n->args[i], &one);
        if (rc < 0)
            return rc;
        if (one.kind == EXPR_NULL) {
            any_null = true;
            continue;
        }
        rc = expr_compare(s, n->args[0], &what, n->args[i], &one, &n->collation, false, &order);
        if (rc < 0)
            return rc;
        if (order == 0) {
            *ret = truth(true);
            return 0;
        }
    }
    *ret = any_null ? null : truth(false);
    return 0;
}

/* As two comparisons: NULL on one side may be decided by the other. */
static int eval_between(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    struct expr_value v[3];
    bool unknown = false;

    for (int i = 0; i < 3; i++) {
        int rc = expr_eval(s, n->args[i], &v[i]);

        if (rc < 0)
            return rc;
    }
    for (int i = 1; i < 3; i++) {
        int order, rc;

        if (v[0].kind == EXPR_NULL || v[i].kind == EXPR_NULL) {
            unknown = true;
            continue;
        }
        rc = expr_compare(s, n->args[0], &v[0], n->args[i], &v[i], &n->collation, true, &order);
        if (rc < 0)
            return rc;
        if (i == 1 ? order < 0 : order > 0) {
            *ret = truth(false);
            return 0;
        }
    }
    *ret = unknown ? null : truth(true);
    return 0;
}

static int eval_like(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    struct expr_value a, b;
    int escape = '\\', rc = operands(s, n, &a, &b);
    bool is;

    *ret = null;
    if (rc <= 0)
        return rc;
    if (n->n == 3)
        escape = n->args[2]->value.text.size ? n->args[2]->value.text.data[0] : -1;
    rc = expr_like(expr_text_of(s, &a), expr_text_of(s, &b), escape, &n->collation, &is, s->err);
    if (rc == 0)
        *ret = truth(is);
    return rc;
}

static int eval_truth(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    struct expr_value v;
    int rc = expr_eval(s, n->args[0], &v);

    if (rc < 0)
        return rc;
    if (n->op == OP_IS_NULL)
        *ret = truth(v.kind == EXPR_NULL);
    else if (n->op == OP_NOT)
        *ret = v.kind == EXPR_NULL ? null : truth(!expr_truth(&v));
    else
        *ret = truth(v.kind != EXPR_NULL && expr_truth(&v) == (n->op == OP_IS_TRUE));
    return 0;
}

static int eval_xor(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    struct expr_value a, b;
    int rc = operands(s, n, &a, &b);

    if (rc < 0)
        return rc;
    *ret = rc == 0 ? null : truth(expr_truth(&a) != expr_truth(&b));
    return 0;
}

static int eval_arithmetic(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    const struct expr_value zero = { .kind = EXPR_INT, .i = 0 };
    struct expr_value a, b;
    int rc = operands(s, n, &a, &b);

    *ret = null;
    if (rc <= 0)
        return rc;
    if (n->op != OP_NEG)
        return expr_arithmetic(n->op, &a, &b, ret, s->err);
    if (a.kind == EXPR_UINT) { /* a literal may be the smallest of all */
        a = (struct expr_value){ .kind = EXPR_DEC, .dec = { a.u, 0 } };
        rc = expr_arithmetic(OP_SUB, &zero, &a, ret, s->err);
        if (rc == 0 && ret->dec.n >= INT64_MIN)
            *ret = (struct expr_value){ .kind = EXPR_INT, .i = (int64_t)ret->dec.n };
        return rc;
    }
    return expr_arithmetic(OP_SUB, &zero, &a, ret, s->err);
}

static int eval_bits(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    struct expr_value a, b;
    int rc = operands(s, n, &a, &b);

    *ret = null;
    if (rc <= 0)
        return rc;
    rc = expr_bits(n->op, &a, n->n > 1 ? &b : NULL, ret);
    return rc < 0 ? err_set(s->err, rc, "a BIGINT value is out of range") : 0;
}

static int eval_case(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    for (unsigned i = 0; i + 1 < n->n; i += 2) {
        struct expr_value when;
        int rc = expr_eval(s, n->args[i], &when);

        if (rc < 0)
            return rc;
        if (expr_truth(&when))
            return expr_eval(s, n->args[i + 1], ret);
    }
    return expr_eval(s, n->args[n->n - 1], ret);
}

static int eval_call(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    struct expr_value *args = arena_alloc(&s->arena, (n->n + 1) * sizeof *args);

    *ret = null;
    for (unsigned i = 0; i < n->n; i++) {
        int rc = expr_eval(s, n->args[i], &args[i]);

        if (rc < 0)
            return rc;
        if (args[i].kind == EXPR_NULL && !n->function->sees_null)
            return 0;
    }
    return n->function->run(s, n, args, ret);
}

static int eval_collate(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    struct expr_value v;
    int rc = expr_eval(s, n->args[0], &v);

    *ret = v;
    if (rc == 0 && v.kind != EXPR_NULL)
        *ret = (struct expr_value){ .kind = EXPR_TEXT, .text = expr_text_of(s, &v) };
    return rc;
}

int expr_eval(struct expr_state *s, const struct expr_node *n, struct expr_value *ret)
{
    switch (n->op) {
    case OP_CONST:
        *ret = n->value;
        return 0;
    case OP_COLUMN:
        *ret = s->get(s->arg, n->column);
        return 0;
    case OP_OR:
    case OP_AND:
        return eval_logic(s, n, ret);
    case OP_XOR:
        return eval_xor(s, n, ret);
    case OP_NOT:
    case OP_IS_NULL:
    case OP_IS_TRUE:
    case OP_IS_FALSE:
        return eval_truth(s, n, ret);
    case OP_EQ:
    case OP_NULL_EQ:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
        return eval_compare(s, n, ret);
    case OP_IN:
        return eval_in(s, n, ret);
    case OP_BETWEEN:
        return eval_between(s, n, ret);
    case OP_LIKE:
        return eval_like(s, n, ret);
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_DIV:
    case OP_INT_DIV:
    case OP_MOD:
    case OP_NEG:
        return eval_arithmetic(s, n, ret);
    case OP_BIT_OR:
    case OP_BIT_AND:
    case OP_BIT_XOR:
    case OP_BIT_NOT:
    case OP_SHL:
    case OP_SHR:
        return eval_bits(s, n, ret);
    case OP_CASE:
        return eval_case(s, n, ret);
    case OP_COLLATE:
        return eval_collate(s, n, ret);
    case OP_CALL:
        return eval_call(s, n, ret);
    }
    return 0;
}

/* --- the outside --- */

static void expr_freep(struct expr **e)
{
    expr_free(*e);
}

int expr_new(const char *text, const struct expr_column *columns, unsigned n, struct expr **ret,
             struct err *err)
{
    SCOPED(expr_freep) struct expr *e = xcalloc(1, sizeof *e);
    int rc;

    if (strlen(text) > MAX_TEXT)
        return err_set(err, -EINVAL, "an expression has at most %d bytes", MAX_TEXT);
    e->text = xstrdup(text);
    rc = expr_parse(e, err);
    if (rc == 0)
        rc = expr_bind(e, columns, n, err);
    if (rc < 0)
        return rc;
    *ret = STEAL(e);
    return 0;
}

void expr_free(struct expr *e)
{
    if (!e)
        return;
    arena_fini(&e->arena);
    free(e->text);
    free(e);
}

int expr_true(const struct expr *e, struct expr_value (*get)(void *arg, unsigned column), void *arg,
              struct err *err)
{
    struct expr_state s = { .get = get, .arg = arg, .arena = ARENA_INIT, .err = err };
    struct expr_value v = null;
    int rc = expr_eval(&s, e->root, &v);

    if (rc == 0)
        rc = expr_truth(&v);
    arena_fini(&s.arena);
    return rc;
}
