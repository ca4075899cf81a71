/* metric.c - Prometheus text under another system's names. */
#include "http/compat/metric.h"

#include <stdio.h>
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

/* name_suffix{labels,key="of",le="bound"} */
static void add_name(const struct metric_row *row, const char *suffix, const char *of,
                     const char *le, struct buf *out)
{
    const char *comma = "";

    buf_printf(out, "%s%s", row->name, suffix);
    if (!row->labels && !of && !le) {
        buf_byte(out, ' ');
        return;
    }
    buf_byte(out, '{');
    if (row->labels) {
        buf_str(out, row->labels);
        comma = ",";
    }
    if (of) {
        buf_printf(out, "%s%s=", comma, row->key);
        add_quoted(of, out);
        comma = ",";
    }
    if (le)
        buf_printf(out, "%sle=\"%s\"", comma, le);
    buf_str(out, "} ");
}

static void add_histogram(const struct metric_row *row, const char *of, const json_t *v,
                          struct buf *out)
{
    const json_t *le = json_object_get(v, "le"), *n = json_object_get(v, "n");
    long long count = (long long)json_integer_value(json_object_get(v, "count"));
    char bound[32];

    for (size_t i = 0; i < json_array_size(le); i++) {
        snprintf(bound, sizeof bound, "%.9g", json_number_value(json_array_get(le, i)));
        add_name(row, "_bucket", of, bound, out);
        buf_printf(out, "%lld\n", (long long)json_integer_value(json_array_get(n, i)));
    }
    add_name(row, "_bucket", of, "+Inf", out);
    buf_printf(out, "%lld\n", count);
    add_name(row, "_sum", of, NULL, out);
    buf_printf(out, "%.15g\n", json_number_value(json_object_get(v, "sum")));
    add_name(row, "_count", of, NULL, out);
    buf_printf(out, "%lld\n", count);
}

static void add_sample(const struct metric_row *row, const char *of, const json_t *v,
                       struct buf *out)
{
    if (strcmp(row->type, "histogram") == 0) {
        add_histogram(row, of, v, out);
        return;
    }
    if (!json_is_number(v) && !json_is_boolean(v))
        return;
    add_name(row, "", of, NULL, out);
    add_value(row, v, out);
}

static void add_row(const struct metric_row *row, const json_t *attrs, struct buf *out)
{
    const json_t *v = row->attr ? json_object_get(attrs, row->attr) : NULL;
    const char *of;
    json_t *each;

    if (row->field)
        v = json_object_get(v, row->field);
    if (!row->attr && strcmp(row->type, "histogram") != 0) {
        add_name(row, "", NULL, NULL, out);
        buf_str(out, "0\n");
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
