#include "fixture.h"

static void assert_lines(struct lines *l, const char *want)
{
    struct buf b = BUF_INIT;

    lines_copy(l, &b);
    cr_assert_str_eq(b.size ? b.data : "", want);
    buf_fini(&b);
}

Test(lines, are_read_by_absolute_offset)
{
    struct lines *l = lines_new(2, 20);
    char bytes[16] = "";

    lines_append(l, "one");
    lines_append(l, "two\nmore");
    cr_assert_eq(lines_read(l, 4, bytes, 15), 9);
    cr_assert_str_eq(bytes, "two more\n");
    cr_assert_eq(lines_read(l, lines_end(l), bytes, 15), 0);
    lines_free(l);
}

Test(lines, forget_the_oldest_but_never_shrink)
{
    struct lines *l = lines_new(2, 20);

    for (int i = 0; i < 100; i++) {
        char line[32];

        snprintf(line, sizeof line, "line %d", i);
        lines_append(l, line);
    }
    assert_lines(l, "line 98\nline 99\n");
    cr_assert_eq(lines_end(l), 10 * 7 + 90 * 8);
    cr_assert_eq(lines_end(l) - lines_start(l), 16);
    lines_free(l);
}

Test(lines, keep_the_least_number_whatever_their_size)
{
    struct lines *l = lines_new(3, 10);

    for (int i = 0; i < 5; i++)
        lines_append(l, "longer than the limit");
    cr_assert_eq(lines_end(l) - lines_start(l), 3 * 22);
    lines_free(l);
}

static void keep(void *arg, uint64_t number, const char *line)
{
    buf_printf(arg, "%d:%s ", (int)number, line);
}

Test(lines, tell_the_hook_of_new_ones_only)
{
    struct lines *l = lines_new(10, 1000);
    struct buf b = BUF_INIT;

    lines_restore(l, "old");
    lines_set_number(l, 41);
    lines_on_append(l, keep, &b);
    lines_append(l, "new");
    lines_append(l, "newer");
    cr_assert_str_eq(b.data, "41:new 42:newer ");
    assert_lines(l, "old\nnew\nnewer\n");
    buf_fini(&b);
    lines_free(l);
}

Test(lines, are_json_where_they_are)
{
    struct lines *l = lines_new(10, 1000);
    json_t *v;

    lines_append(l, "{\"a\":1}");
    lines_append(l, "text");
    v = lines_json(l);
    cr_assert_eq(json_integer_value(json_object_get(json_array_get(v, 0), "a")), 1);
    cr_assert_str_eq(json_string_value(json_array_get(v, 1)), "text");
    json_decref(v);
    lines_free(l);
}

Test(lines, events_reach_every_ancestor)
{
    struct node *root = tree_new();
    struct target t;
    struct err err = ERR_INIT;
    static const char *const files[] = { "events", "a/events", "a/c/events" };

    cr_assert_eq(node_find(root, "a/c", &t, &err), 0);
    node_event(t.node, "state", json_pack("{s:s}", "to", "running"));
    target_release(&t);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        SCOPED(freep) char *text = read_text(root, files[i]);

        cr_assert(strstr(text, "\"path\":\"a/c\",\"event\":\"state\",\"to\":\"running\"}\n"), "%s",
                  text);
    }
    assert_text(root, "b/events", "");
    node_unref(root);
}
