#include "unit/verify/verify_expr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mysql/quote.h"

enum form {
    FORM_NUMBER,
    FORM_DECIMAL,
    FORM_FLOAT, /* its own text has six digits, and a DOUBLE's of it is not the same everywhere */
    FORM_DOUBLE,
    FORM_ANY_NUMBER,
    FORM_TIME,
    FORM_INDEX, /* BIT; ENUM and SET with the same members */
    FORM_BYTES,
    FORM_LONG_BYTES,
    FORM_TEXT, /* in UTF-8 */
    FORM_LONG_TEXT,
    FORM_ADDRESS,
    FORM_JSON,
    FORM_INTERNAL, /* geometries, vectors */
    FORM_NONE,     /* cannot be compared */
};

static const struct {
    const char *type;
    enum form form;
} types[] = {
    { "tinyint", FORM_NUMBER },      { "smallint", FORM_NUMBER }, { "mediumint", FORM_NUMBER },
    { "int", FORM_NUMBER },          { "bigint", FORM_NUMBER },   { "year", FORM_NUMBER },
    { "decimal", FORM_DECIMAL },     { "float", FORM_FLOAT },     { "double", FORM_DOUBLE },
    { "date", FORM_TIME },           { "time", FORM_TIME },       { "datetime", FORM_TIME },
    { "timestamp", FORM_TIME },      { "bit", FORM_INDEX },       { "enum", FORM_INDEX },
    { "set", FORM_INDEX },           { "char", FORM_BYTES },      { "varchar", FORM_BYTES },
    { "binary", FORM_BYTES },        { "varbinary", FORM_BYTES }, { "tinytext", FORM_BYTES },
    { "tinyblob", FORM_BYTES },      { "text", FORM_LONG_BYTES }, { "mediumtext", FORM_LONG_BYTES },
    { "longtext", FORM_LONG_BYTES }, { "blob", FORM_LONG_BYTES }, { "mediumblob", FORM_LONG_BYTES },
    { "longblob", FORM_LONG_BYTES }, { "uuid", FORM_ADDRESS },    { "inet4", FORM_ADDRESS },
    { "inet6", FORM_ADDRESS },
};

static enum form form_of(const struct table_column *c, bool *chars)
{
    *chars = c->charset != NULL;
    if (c->json)
        return FORM_JSON;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(types[i].type, c->data_type) == 0)
            return types[i].form;
    return FORM_INTERNAL;
}

static bool is_text(enum form f, bool chars)
{
    return chars && (f == FORM_BYTES || f == FORM_LONG_BYTES);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Forms of the two ends of a column, which print the same for equal values. */
static void forms_of(const struct table_column *a, const struct table_column *b, enum form ret[2])
{
    bool chars[2];

    ret[0] = form_of(a, &chars[0]);
    ret[1] = form_of(b, &chars[1]);
    if (ret[0] == FORM_JSON && ret[1] == FORM_JSON)
        return;
    if (ret[0] == FORM_JSON && is_text(ret[1], chars[1])) { /* kept as MySQL prints it */
        ret[1] = FORM_LONG_TEXT;
        return;
    }
    if (ret[0] == FORM_JSON || ret[1] == FORM_JSON) { /* MySQL has printed it anew */
        ret[0] = ret[1] = FORM_NONE;
        return;
    }
    if (ret[0] == FORM_INDEX && ret[1] == FORM_INDEX && strcmp(a->column_type, b->column_type) != 0)
        ret[0] = ret[1] = chars[0] ? FORM_TEXT : FORM_INDEX;
    if (ret[0] == FORM_ADDRESS && chars[1])
        ret[1] = FORM_ADDRESS;
    if (is_text(ret[0], chars[0]) && is_text(ret[1], chars[1])) {
        bool is_long = ret[0] == FORM_LONG_BYTES || ret[1] == FORM_LONG_BYTES;

        if (same_text(a->charset, b->charset))
            ret[0] = ret[1] = is_long ? FORM_LONG_BYTES : FORM_BYTES;
        else
            ret[0] = ret[1] = is_long ? FORM_LONG_TEXT : FORM_TEXT;
        return;
    }
    if (ret[0] != ret[1] && (ret[0] > FORM_ANY_NUMBER || ret[1] > FORM_ANY_NUMBER))
        ret[0] = ret[1] =
            ret[0] == FORM_BYTES || ret[0] == FORM_LONG_BYTES ? FORM_LONG_BYTES : FORM_TEXT;
    else if (ret[0] != ret[1])
        ret[0] = ret[1] = FORM_ANY_NUMBER; /* numbers of different types */
}

static void print(enum form form, const char *name, struct buf *out)
{
    static const char *const formats[] = {
        [FORM_NUMBER] = "%s+0",
        [FORM_DECIMAL] = "%s",
        [FORM_FLOAT] = "IF(%s=0,'0',CONCAT(%s,'/',CAST(%s AS DECIMAL(65,30))))",
        [FORM_DOUBLE] = "IF(%s=0,'0',CONCAT(%s))", /* -0 is 0 */
        [FORM_ANY_NUMBER] = "CAST(%s AS DECIMAL(65,30))",
        [FORM_TIME] = "CAST(%s AS CHAR)",
        [FORM_INDEX] = "CAST(%s AS UNSIGNED)",
        [FORM_BYTES] = "CAST(%s AS BINARY)",
        [FORM_LONG_BYTES] = "SHA2(%s,256)",
        [FORM_TEXT] = "CONVERT(%s USING utf8mb4)",
        [FORM_LONG_TEXT] = "SHA2(CONVERT(%s USING utf8mb4),256)",
        [FORM_ADDRESS] = "LOWER(CAST(%s AS CHAR))",
        [FORM_JSON] = "SHA2(CAST(%s AS CHAR CHARACTER SET utf8mb4),256)",
        [FORM_INTERNAL] = "SHA2(HEX(%s),256)",
    };
    const char *from = formats[form];

    for (const char *at; (at = strstr(from, "%s")); from = at + 2) {
        buf_add(out, from, (size_t)(at - from));
        buf_str(out, name);
    }
    buf_str(out, from);
}

/* CONCAT_WS('|', a, b, ..., lengths): NULL is left out by CONCAT_WS and told by the lengths. */
struct side {
    struct buf values, lengths;
};

static void side_add(struct side *s, enum form form, const char *column)
{
    struct buf name = BUF_INIT;

    sql_ident(&name, slice_str(column));
    buf_str(&s->values, ",");
    print(form, name.data, &s->values);
    buf_str(&s->lengths, s->lengths.size ? ",','," : "");
    buf_str(&s->lengths, "IFNULL(LENGTH(");
    print(form, name.data, &s->lengths);
    buf_str(&s->lengths, "),'N')");
    buf_fini(&name);
}

static char *side_end(struct side *s)
{
    struct buf all = BUF_INIT;

    buf_str(&all, "CONCAT_WS('|'");
    if (s->values.size)
        buf_add(&all, s->values.data, s->values.size);
    buf_printf(&all, ",CONCAT('',%s))", s->lengths.size ? s->lengths.data : "''");
    buf_fini(&s->values);
    buf_fini(&s->lengths);
    return buf_steal(&all);
}

int verify_exprs_init(struct verify_exprs *e, const struct table_def *source,
                      const struct table_def *target, struct err *err)
{
    struct side sides[2] = { { .values = BUF_INIT } };
    struct buf left_out = BUF_INIT;
    int rc = 0;

    for (unsigned i = 0; i < source->n_cols && rc == 0; i++) {
        const struct table_column *a = &source->cols[i];
        int at = table_column_find(target, a->name);
        enum form forms[2];

        if (a->generated || (at >= 0 && target->cols[at].generated))
            continue;
        if (at < 0) {
            rc = err_set(err, -EINVAL, "the target's %s.%s lacks the column %s", target->db,
                         target->name, a->name);
            break;
        }
        forms_of(a, &target->cols[at], forms);
        if (forms[0] == FORM_NONE) {
            buf_printf(&left_out, "%s%s", left_out.size ? "," : "", a->name);
            continue;
        }
        side_add(&sides[0], forms[0], a->name);
        side_add(&sides[1], forms[1], target->cols[at].name);
    }
    *e = (struct verify_exprs){ side_end(&sides[0]), side_end(&sides[1]),
                                left_out.size ? buf_steal(&left_out) : xstrdup("") };
    return rc;
}

void verify_exprs_fini(struct verify_exprs *e)
{
    free(e->source);
    free(e->target);
    free(e->left_out);
    *e = (struct verify_exprs){ .source = NULL };
}
