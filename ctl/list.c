/* list.c - ls and schema. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"
#include "ctl/human.h"

enum { VALUE_WIDTH = 50 };

#define BOLD "\033[1m"
#define DIM "\033[2m"

static void flush(struct ctl *c, struct table *t)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;

    if (t->n_cells)
        table_print(t, c->output == OUTPUT_TABLE ? c->width : 0, c->color, &out);
    fwrite(out.data, 1, out.size, stdout);
    table_fini(t);
}

/* --- for programs: names alone --- */

static void list_names(const json_t *type, const json_t *dir)
{
    json_t *row;
    size_t i, n;
    const char **names = sorted_keys(json_object_get(dir, "children"), &n);

    json_array_foreach (json_object_get(type, "attributes"), i, row)
        puts(row_name(row));
    json_array_foreach (json_object_get(type, "actions"), i, row)
        puts(row_name(row));
    for (i = 0; i < n; i++)
        printf("%s/\n", names[i]);
    free(names);
}

/* --- for people --- */

static void list_attributes(struct ctl *c, const json_t *type, const json_t *dir)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    size_t i;
    json_t *row;

    json_array_foreach (json_object_get(type, "attributes"), i, row) {
        SCOPED(buf_fini) struct buf text = BUF_INIT;
        SCOPED(buf_fini) struct buf shown = BUF_INIT;
        const json_t *v = json_object_get(dir, row_name(row));

        if (v && !json_is_null(v))
            human_value(row, v, &text);
        else if (row_is(row, "secret"))
            buf_str(&text, "******");
        text_cut(text.size ? text.data : "", VALUE_WIDTH, &shown);
        table_cell(&t, row_name(row));
        table_cell(&t, shown.size ? shown.data : "");
        table_cell(&t, row_text(row, "help"));
        table_style(&t, DIM);
        table_end_row(&t);
    }
    flush(c, &t);
}

static void list_actions(struct ctl *c, const json_t *type)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    size_t i, k;
    json_t *row, *param;

    if (json_array_size(json_object_get(type, "actions")))
        printf("\n%sActions%s: sluicectl run PATH ACTION\n", c->color ? BOLD : "",
               c->color ? "\033[0m" : "");
    json_array_foreach (json_object_get(type, "actions"), i, row) {
        SCOPED(buf_fini) struct buf name = BUF_INIT;

        buf_str(&name, row_name(row));
        json_array_foreach (json_object_get(row, "params"), k, param)
            buf_printf(&name, row_is(param, "required") ? " %s=…" : " [%s=…]", row_name(param));
        table_cell(&t, name.data);
        table_cell(&t, row_text(row, "help"));
        table_style(&t, DIM);
        table_end_row(&t);
    }
    flush(c, &t);
}

/* The type that all children have; NULL if they differ. */
static const json_t *common_type(const json_t *schema, const char *path, const json_t *children)
{
    const json_t *common = NULL;
    const char *name;
    json_t *v;

    json_object_foreach ((json_t *)children, name, v) {
        SCOPED(freep) char *child = xasprintf("%s%s%s", path, *path ? "/" : "", name);
        const json_t *type = schema_type(schema, child);

        if (common && type != common)
            return NULL;
        common = type;
    }
    return common;
}

static void list_children(struct ctl *c, const json_t *schema, const char *path,
                          const json_t *children)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    const json_t *common = common_type(schema, path, children);
    size_t n;
    const char **names = sorted_keys(children, &n);

    if (common && columns_any(common)) {
        columns_add(common, children, true, &t);
    } else {
        for (size_t i = 0; i < n; i++) {
            SCOPED(freep) char *child = xasprintf("%s%s%s", path, *path ? "/" : "", names[i]);
            SCOPED(freep) char *shown = xasprintf("%s/", names[i]);

            table_cell(&t, shown);
            table_cell(&t, row_text(schema_type(schema, child), "help"));
            table_style(&t, DIM);
            table_end_row(&t);
        }
    }
    flush(c, &t);
    free(names);
}

static void list_for_people(struct ctl *c, const json_t *schema, const char *path,
                            const json_t *dir)
{
    const json_t *type = schema_type(schema, path), *children = json_object_get(dir, "children");
    bool collection = json_is_true(json_object_get(type, "create"));

    if (!collection) {
        list_attributes(c, type, dir);
        list_actions(c, type);
        if (json_object_size(children))
            putchar('\n');
    }
    if (collection && json_object_size(children) == 0)
        printf("%s is empty; sluicectl create %s/NAME makes one\n", path, path);
    list_children(c, schema, path, children);
}

static int list_one(struct ctl *c, const char *path)
{
    struct err err = ERR_INIT;
    const json_t *schema = ctl_schema(c, &err);
    json_t *dir = schema ? c->client->ops->read(c->client, path, 1, &err) : NULL;

    if (!dir)
        return ctl_fail(&err);
    if (!json_is_object(json_object_get(dir, "children"))) {
        puts(path); /* an attribute is itself, as with ls */
    } else if (c->output == OUTPUT_JSON) {
        size_t n;
        const char **names = sorted_keys(json_object_get(dir, "children"), &n);
        json_t *all = json_array();

        for (size_t i = 0; i < n; i++)
            json_array_append_new(all, json_string(names[i]));
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
        free(names);
    } else if (c->output == OUTPUT_TABLE) {
        list_for_people(c, schema, path, dir);
    } else {
        list_names(schema_type(schema, path), dir);
    }
    json_decref(dir);
    return EXIT_OK;
}

int verb_ls(struct ctl *c, int argc, char **argv)
{
    static char empty[] = "", *root[] = { empty };
    int worst = EXIT_OK;

    if (argc == 0) {
        argc = 1;
        argv = root;
    }
    for (int i = 0; i < argc; i++) {
        struct err err = ERR_INIT;
        json_t *paths = ctl_expand(c, argv[i], &err), *path;
        size_t k;

        if (!paths)
            return ctl_fail(&err);
        json_array_foreach (paths, k, path) {
            int rc;

            if (json_array_size(paths) > 1 || argc > 1)
                printf("%s%s:\n", k || i ? "\n" : "", json_string_value(path));
            rc = list_one(c, json_string_value(path));
            worst = rc > worst ? rc : worst;
        }
        json_decref(paths);
    }
    return worst;
}

/* --- schema --- */

static void describe_row(struct table *t, const json_t *row)
{
    SCOPED(buf_fini) struct buf what = BUF_INIT;
    size_t i;
    json_t *choice;

    buf_str(&what, row_text(row, "type"));
    if (*row_text(row, "unit"))
        buf_printf(&what, ", %s", row_text(row, "unit"));
    json_array_foreach (json_object_get(row, "choices"), i, choice)
        buf_printf(&what, "%s%s", i ? "|" : ": ", json_string_value(choice));
    table_cell(t, row_name(row));
    table_cell(t, row_is(row, "secret")  ? "write"
                  : row_is(row, "write") ? "read, write"
                  : row_is(row, "read")  ? "read"
                                         : "run");
    table_cell(t, what.size ? what.data : "");
    table_cell(t, row_text(row, "help"));
    table_style(t, DIM);
    table_end_row(t);
}

static void describe(struct ctl *c, const json_t *type)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    size_t i;
    json_t *row;

    printf("%s\n\n", row_text(type, "help"));
    json_array_foreach (json_object_get(type, "attributes"), i, row)
        describe_row(&t, row);
    json_array_foreach (json_object_get(type, "actions"), i, row)
        describe_row(&t, row);
    flush(c, &t);
}

int verb_schema(struct ctl *c, int argc, char **argv)
{
    SCOPED(freep) char *path = ctl_path(argc ? argv[0] : "");
    struct err err = ERR_INIT;
    const json_t *schema = ctl_schema(c, &err), *type;

    if (!schema)
        return ctl_fail(&err);
    type = argc ? schema_type(schema, path) : NULL;
    if (argc && !type)
        return ctl_usage("no directory can be at %s", path);
    if (c->output == OUTPUT_JSON || (!argc && c->output == OUTPUT_PLAIN)) {
        json_dumpf(argc ? type : schema, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (argc) {
        describe(c, type);
    } else {
        size_t n;
        const char **paths = sorted_keys(json_object_get(schema, "paths"), &n);
        SCOPED(table_fini) struct table t = TABLE_INIT;

        for (size_t i = 0; i < n; i++) {
            table_cell(&t, *paths[i] ? paths[i] : "/");
            table_cell(&t, row_text(schema_type(schema, paths[i]), "help"));
            table_end_row(&t);
        }
        flush(c, &t);
        free(paths);
    }
    return EXIT_OK;
}
