#include "unit/refill/refill_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "mysql/quote.h"

#define WHOLE_NUMBER "CAST(%s AS UNSIGNED)" /* +0 would be a double, too small for a SET */

/* What is not here is bytes, as it is. */
static const struct {
    const char *type;
    enum refill_form form;
    const char *as; /* NULL: the column itself */
} forms[] = {
    { "tinyint", REFILL_INT, NULL },
    { "smallint", REFILL_INT, NULL },
    { "mediumint", REFILL_INT, NULL },
    { "int", REFILL_INT, NULL },
    { "bigint", REFILL_INT, NULL },
    { "year", REFILL_INT, NULL },
    { "bit", REFILL_UINT, WHOLE_NUMBER },
    { "enum", REFILL_UINT, WHOLE_NUMBER },
    { "set", REFILL_UINT, WHOLE_NUMBER },
    { "float", REFILL_FLOAT, "%s*1e0" }, /* else six digits are printed; +0e0 would lose -0 */
    { "double", REFILL_DOUBLE, NULL },
    { "decimal", REFILL_TEXT, NULL },
    { "date", REFILL_TEXT, NULL },
    { "time", REFILL_TEXT, NULL },
    { "datetime", REFILL_TEXT, NULL },
    { "timestamp", REFILL_TEXT, NULL },
    { "uuid", REFILL_BYTES, "UNHEX(REPLACE(CAST(%s AS CHAR),'-',''))" },
    { "inet4", REFILL_BYTES, "INET6_ATON(CAST(%s AS CHAR))" },
    { "inet6", REFILL_BYTES, "INET6_ATON(CAST(%s AS CHAR))" },
};

/* Kept as text where the target has no such type. */
static bool is_address(const char *type)
{
    return strcmp(type, "uuid") == 0 || strncmp(type, "inet", 4) == 0;
}

static void add_as(struct buf *out, const char *as, const char *column)
{
    const char *at = as ? strstr(as, "%s") : NULL;

    if (at)
        buf_add(out, as, (size_t)(at - as));
    sql_ident(out, slice_str(column));
    if (at)
        buf_str(out, at + 2);
}

static enum refill_form column_add(const struct table_column *c, const struct table_column *to,
                                   struct buf *select)
{
    size_t i = 0;

    if (c->generated)
        return REFILL_ABSENT;
    buf_str(select, select->size ? "," : "");
    while (i < ARRAY_LEN(forms) && strcmp(forms[i].type, c->data_type) != 0)
        i++;
    if (to && is_address(c->data_type) && strcmp(c->data_type, to->data_type) != 0) {
        add_as(select, "CAST(%s AS CHAR)", c->name);
        return REFILL_BYTES;
    }
    add_as(select, i < ARRAY_LEN(forms) ? forms[i].as : NULL, c->name);
    if (i == ARRAY_LEN(forms))
        return c->json ? REFILL_JSON : REFILL_BYTES;
    return forms[i].form == REFILL_INT && c->is_unsigned ? REFILL_UINT : forms[i].form;
}

void refill_columns_init(struct refill_columns *c, const struct table_def *def,
                         const struct table_def *to)
{
    struct buf select = BUF_INIT;

    *c = (struct refill_columns){ .n = def->n_cols,
                                  .forms = xcalloc(def->n_cols + 1, sizeof *c->forms) };
    for (unsigned i = 0; i < def->n_cols; i++) {
        int at = to ? table_column_find(to, def->cols[i].name) : -1;

        c->forms[i] = column_add(&def->cols[i], at >= 0 ? &to->cols[at] : NULL, &select);
    }
    c->select = buf_steal(&select);
}

void refill_columns_fini(struct refill_columns *c)
{
    free(c->forms);
    free(c->select);
    *c = (struct refill_columns){ .n = 0 };
}

static void number(enum refill_form form, const char *text, struct value *v)
{
    switch (form) {
    case REFILL_INT:
        v->kind = VALUE_INT;
        v->i = strtoll(text, NULL, 10);
        break;
    case REFILL_UINT:
        v->kind = VALUE_UINT;
        v->u = strtoull(text, NULL, 10);
        break;
    case REFILL_FLOAT:
        v->kind = VALUE_FLOAT;
        v->f = (float)strtod(text, NULL);
        break;
    default:
        v->kind = VALUE_DOUBLE;
        v->d = strtod(text, NULL);
        break;
    }
}

static void value_of(enum refill_form form, const char *p, size_t size, struct arena *a,
                     struct value *v)
{
    char text[400];

    if (form < REFILL_TEXT) { /* numbers are not longer than DBL_MAX with all its digits */
        snprintf(text, sizeof text, "%.*s", (int)size, p);
        number(form, text, v);
        return;
    }
    v->kind = form == REFILL_TEXT ? VALUE_TEXT : form == REFILL_JSON ? VALUE_JSON : VALUE_BYTES;
    v->size = (uint32_t)size;
    v->p = arena_dup(a, p, size);
}

void refill_values(const struct refill_columns *c, const struct mysql_row *row, struct arena *a,
                   struct value *ret)
{
    unsigned at = 0;

    for (unsigned i = 0; i < c->n; i++) {
        ret[i] = (struct value){ .kind = VALUE_ABSENT };
        if (c->forms[i] == REFILL_ABSENT)
            continue;
        if (row->values[at])
            value_of(c->forms[i], row->values[at], row->sizes[at], a, &ret[i]);
        else
            ret[i].kind = VALUE_NULL;
        at++;
    }
}
