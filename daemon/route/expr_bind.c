/* What the nodes of an expression are, and which of them cannot be had. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "route/expr_impl.h"

struct binder {
    const struct expr_column *columns;
    unsigned n;
    struct arena *arena;
    struct err *err;
};

/* --- collations --- */

static bool ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcasecmp(s + n - m, end) == 0;
}

static bool begins_with_any(const char *s, const char *const *words)
{
    for (; *words; words++)
        if (strncasecmp(s, *words, strlen(*words)) == 0)
            return true;
    return false;
}

/* Letters of ASCII fold pairwise and no two characters are one there. */
static bool folds_simply(const char *name)
{
    static const char *const ends[] = { "_general_ci",          "_unicode_ci",
                                        "_unicode_520_ci",      "_0900_ai_ci",
                                        "_uca1400_ai_ci",       "latin1_swedish_ci",
                                        "_general_nopad_ci",    "_unicode_nopad_ci",
                                        "_uca1400_nopad_ai_ci", "_general_mysql500_ci" };

    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (ends_in(name, ends[i]))
            return true;
    return false;
}

static struct expr_collation collation_of(const char *name, unsigned force)
{
    static const char *const utf8[] = { "utf8", "ascii", NULL };
    static const char *const wide[] = { "ucs2",    "utf16", "utf32", "gbk",   "gb2312",
                                        "gb18030", "big5",  "sjis",  "cp932", "ujis",
                                        "eucjpms", "euckr", NULL };
    struct expr_collation c = { .fold = FOLD_BYTES, .force = force };

    if (!name || strcasecmp(name, "binary") == 0)
        return c;
    c.name = name;
    c.utf8 = begins_with_any(name, utf8);
    c.pad = !strcasestr(name, "nopad") && !strcasestr(name, "_0900_");
    if (begins_with_any(name, wide))
        c.fold = FOLD_UNKNOWN;
    else if (!ends_in(name, "_bin"))
        c.fold = folds_simply(name) ? FOLD_LETTERS : FOLD_UNKNOWN;
    return c;
}

static bool same_collation(const struct expr_collation *a, const struct expr_collation *b)
{
    return a->fold == b->fold && a->pad == b->pad && a->utf8 == b->utf8;
}

/* Of one character set, the one without a collation's own order wins. */
static bool same_charset(const struct expr_collation *a, const struct expr_collation *b)
{
    size_t n = strcspn(a->name, "_");

    return n == strcspn(b->name, "_") && strncasecmp(a->name, b->name, n) == 0;
}

/* Of two operands the one with more force decides; bytes do against anything of the same. */
static int merge(struct binder *b, struct expr_collation *to, const struct expr_collation *other)
{
    if (other->force < to->force)
        return 0;
    if (other->force > to->force || !other->name) {
        *to = *other;
        return 0;
    }
    if (!to->name || same_collation(to, other))
        return 0;
    if (same_charset(to, other) && (to->fold == FOLD_BYTES) != (other->fold == FOLD_BYTES)) {
        *to = to->fold == FOLD_BYTES ? *to : *other;
        return 0;
    }
    return err_set(b->err, -EINVAL, "%s and %s are compared: say which by COLLATE", to->name,
                   other->name);
}

static bool is_null(const struct expr_node *n)
{
    return n->op == OP_CONST && n->value.kind == EXPR_NULL;
}

static bool is_text(const struct expr_node *n)
{
    return n->type == EXPR_TYPE_TEXT || n->type == EXPR_TYPE_ENUM;
}

/* The collation in which the arguments from 'from' on meet. */
static int meet(struct binder *b, struct expr_node *n, unsigned from)
{
    bool any = false;

    n->collation = (struct expr_collation){ .fold = FOLD_BYTES };
    for (unsigned i = from; i < n->n; i++) {
        int rc;

        if (!is_text(n->args[i]) || is_null(n->args[i]))
            continue;
        rc = any ? merge(b, &n->collation, &n->args[i]->collation) : 0;
        if (!any)
            n->collation = n->args[i]->collation;
        any = true;
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int comparable_text(struct binder *b, const struct expr_node *n)
{
    if (n->collation.fold != FOLD_UNKNOWN)
        return 0;
    return err_set(
        b->err, -EINVAL,
        "how %s compares is known to the server alone: add COLLATE utf8mb4_bin, or BINARY",
        n->collation.name);
}

/* --- operands --- */

/* x'4142' is a number where one is wanted. */
static void hex_as_number(struct expr_node *n)
{
    uint64_t u = 0;

    if (n->op != OP_CONST || !n->bytes || n->value.kind != EXPR_TEXT || n->value.text.size > 8)
        return;
    for (size_t i = 0; i < n->value.text.size; i++)
        u = u << 8 | n->value.text.data[i];
    n->value = (struct expr_value){ .kind = EXPR_UINT, .u = u };
    n->type = EXPR_TYPE_INTEGER;
}

static int refuse(struct binder *b, const struct expr_node *n, const char *what)
{
    static const char *const types[] = {
        [EXPR_TYPE_INTEGER] = "a number",    [EXPR_TYPE_DECIMAL] = "a number",
        [EXPR_TYPE_REAL] = "a number",       [EXPR_TYPE_TEXT] = "text",
        [EXPR_TYPE_DATE] = "a date",         [EXPR_TYPE_DATETIME] = "a time",
        [EXPR_TYPE_TIME] = "a time of day",  [EXPR_TYPE_ENUM] = "an ENUM or SET",
        [EXPR_TYPE_OPAQUE] = "JSON or alike"
    };

    if (n->op == OP_COLUMN)
        return err_set(b->err, -EINVAL, "column %.*s is %s: %s is not known here",
                       SLICE_ARG(n->text), types[n->type], what);
    return err_set(b->err, -EINVAL, "%s: %s is not known here", types[n->type], what);
}

static int number(struct binder *b, struct expr_node *n)
{
    hex_as_number(n);
    if (expr_is_moment(n->type) || n->type == EXPR_TYPE_ENUM || n->type == EXPR_TYPE_OPAQUE)
        return refuse(b, n, "calculating with it");
    return 0;
}

static bool is_number(const struct expr_node *n)
{
    return n->type == EXPR_TYPE_INTEGER || n->type == EXPR_TYPE_DECIMAL ||
           n->type == EXPR_TYPE_REAL;
}

/* A date against what may stand for one. */
static int moment_pair(struct binder *b, struct expr_node *m, struct expr_node *other)
{
    int64_t at;

    if (expr_is_moment(other->type)) {
        if ((m->type == EXPR_TYPE_TIME) != (other->type == EXPR_TYPE_TIME))
            return refuse(b, m, "comparing it with the other");
        return 0;
    }
    if (other->op != OP_CONST)
        return refuse(b, other, "comparing it with a date or time");
    return expr_moment(&other->value, m->type, &at)
               ? 0
               : refuse(b, m, "comparing it with what is no date or time");
}

static int pair(struct binder *b, struct expr_node *x, struct expr_node *y)
{
    if (x->type == EXPR_TYPE_OPAQUE || y->type == EXPR_TYPE_OPAQUE)
        return refuse(b, x->type == EXPR_TYPE_OPAQUE ? x : y, "comparing it");
    if (is_null(x) || is_null(y))
        return 0;
    if (expr_is_moment(x->type))
        return moment_pair(b, x, y);
    if (expr_is_moment(y->type))
        return moment_pair(b, y, x);
    if (x->type == EXPR_TYPE_ENUM && !is_text(y))
        return refuse(b, x, "comparing it with a number");
    if (y->type == EXPR_TYPE_ENUM && !is_text(x))
        return refuse(b, y, "comparing it with a number");
    if (is_number(x))
        hex_as_number(y);
    if (is_number(y))
        hex_as_number(x);
    return 0;
}

/* The first argument against each of the others. */
static int compared(struct binder *b, struct expr_node *n)
{
    int rc = 0;

    for (unsigned i = 1; i < n->n && rc == 0; i++)
        rc = pair(b, n->args[0], n->args[i]);
    n->type = EXPR_TYPE_INTEGER;
    if (rc == 0)
        rc = meet(b, n, 0);
    return rc < 0 ? rc : comparable_text(b, n);
}

static int truths(struct binder *b, struct expr_node *n)
{
    for (unsigned i = 0; i < n->n; i++) {
        hex_as_number(n->args[i]);
        if (n->args[i]->type == EXPR_TYPE_OPAQUE || n->args[i]->type == EXPR_TYPE_ENUM ||
            expr_is_moment(n->args[i]->type))
            return refuse(b, n->args[i], "taking it for true or false");
    }
    n->type = EXPR_TYPE_INTEGER;
    return 0;
}

static enum expr_type common(enum expr_type a, enum expr_type b)
{
    if (a == b)
        return a;
    if (a > EXPR_TYPE_REAL || b > EXPR_TYPE_REAL)
        return EXPR_TYPE_TEXT;
    return a > b ? a : b;
}

static int arithmetic(struct binder *b, struct expr_node *n)
{
    n->type = n->op == OP_DIV ? EXPR_TYPE_DECIMAL : EXPR_TYPE_INTEGER;
    for (unsigned i = 0; i < n->n; i++) {
        enum expr_type t;
        int rc = number(b, n->args[i]);

        if (rc < 0)
            return rc;
        t = n->args[i]->type == EXPR_TYPE_TEXT ? EXPR_TYPE_REAL : n->args[i]->type;
        n->type = common(n->type, t);
    }
    return 0;
}

static int bits(struct binder *b, struct expr_node *n)
{
    for (unsigned i = 0; i < n->n; i++) {
        int rc = number(b, n->args[i]);

        if (rc < 0)
            return rc;
        if (n->args[i]->collation.fold == FOLD_BYTES && n->args[i]->op == OP_COLUMN &&
            n->args[i]->type == EXPR_TYPE_TEXT && !n->args[i]->collation.name)
            return refuse(b, n->args[i], "the bits of a binary string");
    }
    n->type = EXPR_TYPE_INTEGER;
    return 0;
}

/* Of the arguments from 'from' on, every 'step'th is a possible result. */
static int results(struct binder *b, struct expr_node *n, unsigned from, unsigned step)
{
    bool any = false;

    n->type = EXPR_TYPE_INTEGER;
    n->collation = (struct expr_collation){ .fold = FOLD_BYTES };
    for (unsigned i = from; i < n->n; i += step) {
        const struct expr_node *a = n->args[i];
        int rc = 0;

        if (is_null(a))
            continue;
        if (a->type == EXPR_TYPE_OPAQUE)
            return refuse(b, a, "more than IS NULL");
        if (is_text(a))
            rc = any && n->collation.name ? merge(b, &n->collation, &a->collation)
                                          : (n->collation = a->collation, 0);
        if (rc < 0)
            return rc;
        n->type = any ? common(n->type, a->type) : a->type;
        any = true;
    }
    if (n->type == EXPR_TYPE_ENUM)
        n->type = EXPR_TYPE_TEXT;
    return 0;
}

static int bind_case(struct binder *b, struct expr_node *n)
{
    struct expr_node whens = *n;
    int rc = 0;

    for (unsigned i = 0; i + 1 < n->n && rc == 0; i += 2) {
        whens.args = &n->args[i];
        whens.n = 1;
        rc = truths(b, &whens);
    }
    whens = *n;
    if (rc == 0)
        rc = results(b, &whens, 1, 2);
    *n = whens;
    if (rc == 0 && !is_null(n->args[n->n - 1])) { /* ELSE stands at an even place */
        struct expr_node *last = n->args[n->n - 1];

        if (last->type == EXPR_TYPE_OPAQUE)
            return refuse(b, last, "more than IS NULL");
        n->type = common(n->type, last->type == EXPR_TYPE_ENUM ? EXPR_TYPE_TEXT : last->type);
        if (is_text(last) && n->collation.name)
            rc = merge(b, &n->collation, &last->collation);
        else if (is_text(last))
            n->collation = last->collation;
    }
    return rc;
}

/* --- functions --- */

static int bind_args(struct binder *b, struct expr_node *n)
{
    int rc = 0;

    for (unsigned i = 0; i < n->n && rc == 0; i++) {
        struct expr_node *a = n->args[i];

        if (n->function->args == ARGS_NUMBERS)
            rc = number(b, a);
        else if (n->function->args == ARGS_MOMENTS)
            rc = expr_is_moment(a->type) || is_null(a) ? 0 : refuse(b, a, "taking it for a date");
        else if (a->type == EXPR_TYPE_OPAQUE && !n->function->sees_null)
            rc = refuse(b, a, "more than IS NULL");
        else if (n->function->args == ARGS_TEXT && expr_is_moment(a->type) && n->target < 0)
            rc = refuse(b, a, "taking it for text");
    }
    return rc;
}

static int bind_call(struct binder *b, struct expr_node *n)
{
    bool chooses = n->function->type < 0;
    unsigned from = chooses && n->function->args == ARGS_ANY && n->n == 3 ? 1 : 0; /* IF */
    struct expr_node as_bound;
    int rc = bind_args(b, n);

    if (rc == 0 && n->function->args == ARGS_COMPARED)
        rc = compared(b, n);
    as_bound = *n;
    if (rc == 0)
        rc = results(b, &as_bound, from, 1);
    if (rc < 0)
        return rc;
    n->collation = as_bound.collation;
    n->type = chooses ? as_bound.type : (enum expr_type)n->function->type;
    if (n->bytes)
        n->collation = collation_of(NULL, 2);
    if (n->target >= 0)
        n->type = (enum expr_type)n->target;
    return 0;
}

/* --- all of them --- */

static int bind_constant(struct binder *b, struct expr_node *n)
{
    int64_t at;

    n->collation = n->bytes ? collation_of(NULL, 2) : collation_of("utf8mb4_general_ci", 0);
    switch (n->value.kind) {
    case EXPR_NULL:
    case EXPR_INT:
    case EXPR_UINT:
        n->type = EXPR_TYPE_INTEGER;
        break;
    case EXPR_DEC:
        n->type = EXPR_TYPE_DECIMAL;
        break;
    case EXPR_REAL:
        n->type = EXPR_TYPE_REAL;
        break;
    case EXPR_TEXT:
        n->type = n->target >= 0 ? (enum expr_type)n->target : EXPR_TYPE_TEXT;
        if (n->target >= 0 && !expr_moment(&n->value, n->type, &at))
            return err_set(b->err, -EINVAL, "'%.*s' is no date or time", SLICE_ARG(n->value.text));
        break;
    }
    return 0;
}

static int bind_column(struct binder *b, struct expr_node *n)
{
    if (!b->columns) { /* only the syntax: it may be anything */
        n->type = EXPR_TYPE_OPAQUE;
        return 0;
    }
    for (unsigned i = 0; i < b->n; i++) {
        if (!b->columns[i].name || !slice_eq_nocase(n->text, b->columns[i].name))
            continue;
        n->column = i;
        n->type = b->columns[i].type;
        n->collation = collation_of(b->columns[i].collation, 2);
        if (n->collation.name)
            n->collation.name =
                arena_dup(b->arena, n->collation.name, strlen(n->collation.name) + 1);
        return 0;
    }
    return err_set(b->err, -ENOENT, "there is no column %.*s", SLICE_ARG(n->text));
}

static int bind_collate(struct binder *b, struct expr_node *n)
{
    char name[64];

    snprintf(name, sizeof name, "%.*s", SLICE_ARG(n->text));
    if (n->args[0]->type == EXPR_TYPE_OPAQUE || expr_is_moment(n->args[0]->type))
        return refuse(b, n->args[0], "taking it for text");
    n->type = EXPR_TYPE_TEXT;
    n->collation = collation_of(name, 3);
    if (n->collation.name)
        n->collation.name = n->collation.fold == FOLD_BYTES ? "a binary collation" : "a collation";
    return 0;
}

static int bind_node(struct binder *b, struct expr_node *n)
{
    switch (n->op) {
    case OP_CONST:
        return bind_constant(b, n);
    case OP_COLUMN:
        return bind_column(b, n);
    case OP_OR:
    case OP_XOR:
    case OP_AND:
    case OP_NOT:
    case OP_IS_TRUE:
    case OP_IS_FALSE:
        return truths(b, n);
    case OP_IS_NULL:
        n->type = EXPR_TYPE_INTEGER;
        return 0;
    case OP_EQ:
    case OP_NULL_EQ:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
    case OP_IN:
    case OP_BETWEEN:
        return compared(b, n);
    case OP_LIKE:
        if (!is_text(n->args[0]) && !is_number(n->args[0]))
            return refuse(b, n->args[0], "LIKE of it");
        return compared(b, n);
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_DIV:
    case OP_INT_DIV:
    case OP_MOD:
    case OP_NEG:
        return arithmetic(b, n);
    case OP_BIT_OR:
    case OP_BIT_AND:
    case OP_BIT_XOR:
    case OP_BIT_NOT:
    case OP_SHL:
    case OP_SHR:
        return bits(b, n);
    case OP_CASE:
        return bind_case(b, n);
    case OP_COLLATE:
        return bind_collate(b, n);
    case OP_CALL:
        return bind_call(b, n);
    }
    return 0;
}

static int bind(struct binder *b, struct expr_node *n)
{
    int rc = 0;

    for (unsigned i = 0; i < n->n && rc == 0; i++)
        rc = bind(b, n->args[i]);
    if (rc == 0 && (b->columns || n->op == OP_CONST))
        rc = bind_node(b, n);
    return rc;
}

int expr_bind(struct expr *e, const struct expr_column *columns, unsigned n_columns,
              struct err *err)
{
    struct binder b = { columns, n_columns, &e->arena, err };
    const struct expr_node *n = e->root;
    int rc = bind(&b, e->root);

    if (rc == 0 && columns &&
        (n->type == EXPR_TYPE_OPAQUE || n->type == EXPR_TYPE_ENUM || expr_is_moment(n->type)))
        return refuse(&b, n, "taking it for true or false");
    return rc;
}
