/* watch.c - what changes, a line each, as it happens. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "ctl/ctl.h"
#include "ctl/human.h"
#include "ctl/table.h"

struct watching {
    struct ctl *c;
    long n_left; /* events still to show; -1: no end */
};

/* On a terminal a line is a line. */
static void print_line(const struct ctl *c, const char *event, const json_t *data)
{
    SCOPED(buf_fini) struct buf line = BUF_INIT;
    SCOPED(buf_fini) struct buf cut = BUF_INIT;
    const char *path = row_text(data, "path"), *key;
    char when[CLOCK_TEXT_SIZE];
    json_t *v;

    clock_text(clock_wall_us(), when);
    buf_printf(&line, "%.8s %s", when + 11, *path ? path : "/");
    if (strcmp(event, "change") != 0)
        buf_printf(&line, " %s", event);
    json_object_foreach (json_object_get(data, "changed"), key, v) {
        buf_printf(&line, " %s=", key);
        plain_value(v, &line);
    }
    text_cut(line.data, c->width ? c->width : SIZE_MAX, &cut);
    puts(cut.data);
}

static bool show(void *arg, const char *event, const json_t *data)
{
    struct watching *w = arg;

    if (strcmp(event, "line") == 0) {
        json_dumpf(data, stdout, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        putchar('\n');
    } else if (w->c->output == OUTPUT_JSON) {
        json_t *all = json_copy((json_t *)data);

        json_object_set_new(all, "event", json_string(event));
        json_dumpf(all, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
        putchar('\n');
        json_decref(all);
    } else {
        print_line(w->c, event, data);
    }
    if (fflush(stdout) != 0)
        return false; /* nobody reads any more */
    return w->n_left < 0 || --w->n_left > 0;
}

/* Is it a file of lines, like events? */
static bool is_lines(struct ctl *c, const char *path)
{
    struct err none = ERR_INIT;
    const json_t *schema = ctl_schema(c, &none);
    SCOPED(freep) char *dir = NULL;
    const char *name;

    ctl_split(path, &dir, &name);
    return schema &&
           strcmp(row_text(schema_attr(schema_type(schema, dir), name), "type"), "lines") == 0;
}

int verb_watch(struct ctl *c, int argc, char **argv)
{
    SCOPED(freep) char *path = ctl_path(argc ? argv[0] : "");
    struct watching w = { .c = c, .n_left = c->n_times ? c->n_times : -1 };
    struct err err = ERR_INIT;

    if (argc > 1)
        return ctl_usage("watch [PATH]");
    if (c->mount && is_lines(c, path))
        return ctl_usage("tail -f %s/%s does that", c->mount, path);
    return c->client->ops->watch(c->client, path, show, &w, &err) < 0 ? ctl_fail(&err) : EXIT_OK;
}
