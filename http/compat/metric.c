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

/* One sample of a row. */
struct sample {
    const struct metric_row *row;
    const json_t *labels; /* of its node, in order; NULL: none */
    const char *of;       /* the value of row->key; NULL: it has none */
};

static void add_label(const char **comma, const char *name, const char *value, struct buf *out)
{
    buf_printf(out, "%s%s=", *comma, name);
    add_quoted(value, out);
    *comma = ",";
}

/* The row's own label stands where its name belongs. */
static void add_row_labels(const struct metric_row *row, const char **comma, struct buf *out)
{
    buf_printf(out, "%s%s", *comma, row->labels);
    *comma = ",";
}

static void add_labels(const struct sample *s, const char *le, struct buf *out)
{
    const char *comma = "", *name;
    bool done = s->row->labels == NULL;
    json_t *v;

    json_object_foreach ((json_t *)s->labels, name, v) {
        if (!done && strcmp(s->row->labels, name) < 0) {
            add_row_labels(s->row, &comma, out);
            done = true;
        }
        add_label(&comma, name, json_string_value(v), out);
    }
    if (!done)
        add_row_labels(s->row, &comma, out);
    if (s->of)
        add_label(&comma, s->row->key, s->of, out);
    if (le)
        add_label(&comma, "le", le, out);
}

/* name_suffix{labels,key="of",le="bound"} */
static void add_name(const struct sample *s, const char *suffix, const char *le, struct buf *out)
{
    buf_printf(out, "%s%s", s->row->name, suffix);
    if (!s->row->labels && !json_object_size(s->labels) && !s->of && !le) {
        buf_byte(out, ' ');
        return;
    }
    buf_byte(out, '{');
    add_labels(s, le, out);
    buf_str(out, "} ");
}

static void add_histogram(const struct sample *s, const json_t *v, struct buf *out)
{
    const json_t *le = json_object_get(v, "le"), *n = json_object_get(v, "n");
    long long count = (long long)json_integer_value(json_object_get(v, "count"));
    char bound[32];

    for (size_t i = 0; i < json_array_size(le); i++) {
        snprintf(bound, sizeof bound, "%.9g", json_number_value(json_array_get(le, i)));
        add_name(s, "_bucket", bound, out);
        buf_printf(out, "%lld\n", (long long)json_integer_value(json_array_get(n, i)));
    }
    add_name(s, "_bucket", "+Inf", out);
    buf_printf(out, "%lld\n", count);
    add_name(s, "_sum", NULL, out);
    buf_printf(out, "%.15g\n", json_number_value(json_object_get(v, "sum")));
    add_name(s, "_count", NULL, out);
    buf_printf(out, "%lld\n", count);
}

static void add_sample(const struct sample *s, const json_t *v, struct buf *out)
{
    if (strcmp(s->row->type, "histogram") == 0) {
        add_histogram(s, v, out);
        return;
    }
    if (!json_is_number(v) && !json_is_boolean(v))
        return;
    add_name(s, "", NULL, out);
    add_value(s->row, v, out);
}

static void add_row(const struct metric_row *row, const json_t *labels, const json_t *attrs,
                    struct buf *out)
{
    const json_t *v = row->attr ? json_object_get(attrs, row->attr) : NULL;
    struct sample s = { row, labels, NULL };
    json_t *each;

    if (row->field)
        v = json_object_get(v, row->field);
    if (!row->attr && strcmp(row->type, "histogram") != 0) {
        add_name(&s, "", NULL, out);
        buf_str(out, "0\n");
    } else if (row->key) {
        json_object_foreach ((json_t *)v, s.of, each)
            add_sample(&s, each, out);
    } else {
        add_sample(&s, v, out);
    }
}

static void add_head(const struct metric_row *row, const char **last, struct buf *out)
{
    if (strcmp(*last, row->name) != 0)
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name, row->type);
    *last = row->name;
}

void metrics_of_rows(const struct metric_row *rows, const json_t *attrs, struct buf *out)
{
    const char *last = "";

    for (const struct metric_row *row = rows; row->name; row++) {
        add_head(row, &last, out);
        add_row(row, NULL, attrs, out);
    }
}

void metrics_of_nodes(const struct metric_row *rows, const json_t *nodes, struct buf *out)
{
    const char *last = "";

    for (const struct metric_row *row = rows; row->name; row++) {
        const json_t *node;
        size_t i;

        add_head(row, &last, out);
        json_array_foreach ((json_t *)nodes, i, node)
            add_row(row, json_object_get(node, "labels"), json_object_get(node, "attrs"), out);
    }
}
