/* metrics.c - /metrics in Prometheus' text exposition format 0.0.4. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/export.h"
#include "node/node.h"
#include "node/private.h"

/* One metric: all samples of a row must stand together, so nodes are gathered first. */
struct metric {
    const struct attr *attr; /* key */
    struct buf samples;
    char *name;
    UT_hash_handle hh;
};

static bool is_metric(const struct attr *a)
{
    if (!a->get || a->flags & (ATTR_ASKS | ATTR_LARGE | ATTR_BULK))
        return false;
    switch (a->type) {
    case ATTR_BOOL:
    case ATTR_COUNT:
    case ATTR_BYTES:
    case ATTR_SECONDS:
        return true;
    case ATTR_ENUM:
        return a->flags & ATTR_METRIC;
    case ATTR_TIME:
    case ATTR_TEXT:
    case ATTR_JSON:
    case ATTR_DOCUMENT:
    case ATTR_LINES:
        break;
    }
    return false;
}

/* Does it only rise?  Settings and gauges do not. */
static bool is_counter(const struct attr *a)
{
    return (a->type == ATTR_COUNT || a->type == ATTR_BYTES) && !a->set && !(a->flags & ATTR_GAUGE);
}

static bool ends_in(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);

    return n >= m && strcmp(s + n - m, tail) == 0;
}

static char *metric_name(const struct node_type *t, const struct attr *a)
{
    struct buf b = BUF_INIT;

    buf_printf(&b, "sluice_%s_%s", t->name, a->name);
    if (a->type == ATTR_BYTES && !strstr(a->name, "bytes"))
        buf_str(&b, "_bytes");
    if (a->type == ATTR_SECONDS && !ends_in(a->name, "seconds"))
        buf_str(&b, "_seconds");
    if (is_counter(a) && !ends_in(a->name, "_total"))
        buf_str(&b, "_total");
    return buf_steal(&b);
}

static void add_label(struct buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            buf_str(b, "\\n");
        else if (*text == '\\' || *text == '"')
            buf_printf(b, "\\%c", *text);
        else
            buf_byte(b, *text);
    }
}

static void add_help(struct buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n' || *text == '\\')
            buf_str(b, *text == '\n' ? "\\n" : "\\\\");
        else
            buf_byte(b, *text);
    }
}

static struct metric *metric_of(struct metric **all, const struct node_type *t,
                                const struct attr *a)
{
    struct metric *m;

    HASH_FIND_PTR(*all, &a, m);
    if (m)
        return m;
    m = xcalloc(1, sizeof *m);
    m->attr = a;
    m->name = metric_name(t, a);
    HASH_ADD_PTR(*all, attr, m);
    return m;
}

static void sample_name(struct metric *m, const char *path)
{
    buf_str(&m->samples, m->name);
    buf_str(&m->samples, "{path=\"");
    add_label(&m->samples, path);
    buf_byte(&m->samples, '"');
}

static void add_sample(struct metric *m, const char *path, const json_t *v)
{
    const struct attr *a = m->attr;

    if (a->type == ATTR_ENUM) {
        for (const char *const *c = a->choices; *c; c++) {
            sample_name(m, path);
            buf_printf(&m->samples, ",%s=\"%s\"} %d\n", a->name, *c,
                       json_is_string(v) && strcmp(*c, json_string_value(v)) == 0);
        }
        return;
    }
    sample_name(m, path);
    if (json_is_integer(v))
        buf_printf(&m->samples, "} %lld\n", (long long)json_integer_value(v));
    else
        buf_printf(&m->samples, "} %.15g\n",
                   json_is_boolean(v) ? (double)json_is_true(v) : json_number_value(v));
}

static void gather(void *arg, struct node *n)
{
    struct metric **all = arg;
    struct target t = { .node = n };
    struct err err = ERR_INIT;
    SCOPED(freep) char *path = node_path(n);
    SCOPED(json_decrefp) json_t *values = target_read(&t, &err);

    for (const struct attr *a = n->type->attrs; values && a && a->name; a++) {
        const json_t *v = is_metric(a) ? json_object_get(values, a->name) : NULL;

        if (v && !json_is_null(v))
            add_sample(metric_of(all, n->type, a), path, v);
    }
    node_each(n, gather, arg);
}

void metrics_print(struct node *root, struct buf *out)
{
    struct metric *all = NULL, *m, *next;

    gather(&all, root);
    HASH_ITER(hh, all, m, next)
    {
        buf_printf(out, "# HELP %s ", m->name);
        add_help(out, m->attr->help);
        buf_printf(out, "\n# TYPE %s %s\n", m->name, is_counter(m->attr) ? "counter" : "gauge");
        buf_add(out, m->samples.data, m->samples.size);
        HASH_DEL(all, m);
        buf_fini(&m->samples);
        free(m->name);
        free(m);
    }
}

json_t *metrics_get(const struct node *root, const struct attr *a, struct err *err)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    (void)a, (void)err;
    metrics_print((struct node *)root, &b);
    return json_stringn(b.size ? b.data : "", b.size);
}
