/* metric.c - Prometheus text under another system's names. */
#include "http/compat/metric.h"

#include <string.h>

#include "base/buf.h"

static void add_quoted(const char *text, struct buf *out)
{
    buf_byte(out, '"');
    for (; *text; text++) {
        if (*text == '\n')
            buf_str(out, "\\n");
        else if (*text == '"' || *text == '\\')
            buf_printf(out, "\\%c", *text);
        else
            buf_byte(out, *text);
    }
    buf_byte(out, '"');
}

static void add_value(const struct metric_row *row, const json_t *v, struct buf *out)
{
    if (row->scale == METRIC_TSO_MS)
        buf_printf(out, "%lld\n", (long long)(json_integer_value(v) >> 18));
    else if (json_is_integer(v))
        buf_printf(out, "%lld\n", (long long)json_integer_value(v));
    else
        buf_printf(out, "%.15g\n", json_is_boolean(v) ? json_is_true(v) : json_number_value(v));
}

static void add_sample(const struct metric_row *row, const char *of, const json_t *v,
                       struct buf *out)
{
    if (!json_is_number(v) && !json_is_boolean(v))
        return;
    buf_str(out, row->name);
    if (row->labels || of)
        buf_printf(out, "{%s%s", row->labels ? row->labels : "", row->labels && of ? "," : "");
    if (of) {
        buf_printf(out, "%s=", row->key);
        add_quoted(of, out);
    }
    buf_str(out, row->labels || of ? "} " : " ");
    add_value(row, v, out);
}

static void add_row(const struct metric_row *row, const json_t *attrs, struct buf *out)
{
    const json_t *v = row->attr ? json_object_get(attrs, row->attr) : NULL;
    const char *of;
    json_t *each;

    if (!row->attr) {
        buf_printf(out, "%s 0\n", row->name);
    } else if (row->key) {
        json_object_foreach ((json_t *)v, of, each)
            add_sample(row, of, each, out);
    } else {
        add_sample(row, NULL, v, out);
    }
}

void metrics_of_rows(const struct metric_row *rows, const json_t *attrs, struct buf *out)
{
    const char *last = "";

    for (const struct metric_row *row = rows; row->name; row++) {
        if (strcmp(last, row->name) != 0)
            buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                       row->type);
        last = row->name;
        add_row(row, attrs, out);
    }
}
