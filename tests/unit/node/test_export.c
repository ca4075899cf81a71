#include "fixture.h"

static bool has(const struct buf *b, const char *part)
{
    return strstr(b->data, part) != NULL;
}

Test(export, schema_tells_all_of_a_type)
{
    SCOPED(json_decrefp) json_t *v = schema_json(&thing_type);
    json_t *type = json_object_get(json_object_get(v, "types"), "thing"), *row = NULL, *action;
    size_t i;

    cr_assert_str_eq(json_string_value(json_object_get(json_object_get(v, "paths"), "")), "thing");
    cr_assert(json_is_true(json_object_get(type, "create")));
    json_array_foreach (json_object_get(type, "attributes"), i, row) {
        if (strcmp(json_string_value(json_object_get(row, "name")), "port") == 0)
            break;
    }
    cr_assert_eq(json_integer_value(json_object_get(row, "max")), 65535);
    cr_assert_str_eq(json_string_value(json_object_get(row, "mode")), "0644");
    cr_assert(json_is_true(json_object_get(row, "write")));
    action = json_array_get(json_object_get(type, "actions"), 0);
    cr_assert_eq(json_array_size(json_object_get(action, "params")), 2);
}

Test(export, metrics_are_grouped_and_typed)
{
    struct node *root = tree_new();
    struct err err = ERR_INIT;
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    cr_assert_eq(thing_create(root, "q\"u\\o", NULL, &err), 0);
    metrics_print(root, &b);
    cr_assert(has(&b, "# HELP sluice_thing_rows_total Rows that passed\n"
                      "# TYPE sluice_thing_rows_total counter\n"
                      "sluice_thing_rows_total{path=\"\"} 0\n"
                      "sluice_thing_rows_total{path=\"a\"} 0\n"
                      "sluice_thing_rows_total{path=\"a/c\"} 0\n"),
              "%s", b.data);
    cr_assert(has(&b, "# TYPE sluice_thing_port gauge\n"));
    cr_assert(has(&b, "sluice_thing_level{path=\"a\",level=\"low\"} 1\n"
                      "sluice_thing_level{path=\"a\",level=\"high\"} 0\n"));
    cr_assert(has(&b, "{path=\"q\\\"u\\\\o\"}"));
    cr_assert(!has(&b, "host"));
    node_unref(root);
}

Test(export, the_manual_has_every_row)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    manual_print(&thing_type, &b);
    for (const struct attr *a = thing_attrs; a->name; a++)
        cr_assert(has(&b, a->help), "%s", a->name);
    cr_assert(has(&b, ".TH SLUICE\\-TREE 5"));
    cr_assert(has(&b, "from 1 to 65535"));
    cr_assert(has(&b, ".SH WRITING\n.PP\nTo a value, each write is one new value"));
    cr_assert(has(&b, "tail \\-f follows them"));
}
