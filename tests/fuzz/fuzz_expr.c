/* Expressions: any text is parsed or refused; what is parsed evaluates to the same twice. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/expr.h"

static const struct expr_column columns[] = {
    { "a", EXPR_TYPE_INTEGER, NULL },       { "b", EXPR_TYPE_DECIMAL, NULL },
    { "c", EXPR_TYPE_REAL, NULL },          { "d", EXPR_TYPE_TEXT, "utf8mb4_general_ci" },
    { "e", EXPR_TYPE_TEXT, NULL },          { "f", EXPR_TYPE_DATETIME, NULL },
    { "g", EXPR_TYPE_ENUM, "utf8mb4_bin" }, { "h", EXPR_TYPE_OPAQUE, NULL },
};

static struct expr_value value_of(void *arg, unsigned column)
{
    const uint8_t *seed = arg;
    struct expr_value v = { .kind = EXPR_NULL };

    if (seed[0] == 0)
        return v;
    if (column == 0)
        return (struct expr_value){ .kind = EXPR_INT, .i = INT64_MIN + seed[0] };
    if (column == 1)
        return expr_decimal_of(slice_str("-99999999999999999999999999999999.12345"));
    if (column == 2)
        return (struct expr_value){ .kind = EXPR_REAL, .d = 1e308 };
    return (struct expr_value){ .kind = EXPR_TEXT,
                                .text = slice_str(column == 5 ? "2031-02-03 04:05:06"
                                                              : "A\xc3\xa9"
                                                                "b ") };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    struct expr *e;

    if (size < 2)
        return 0;
    SCOPED(freep) char *text = xstrndup((const char *)data + 1, size - 1);

    if (expr_new(text, columns, ARRAY_LEN(columns), &e, &err) < 0) {
        assert(err.text[0]);
        return 0;
    }
    assert(expr_true(e, value_of, (void *)data, &err) ==
           expr_true(e, value_of, (void *)data, &err));
    expr_free(e);
    return 0;
}
