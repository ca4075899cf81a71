#include <criterion/criterion.h>
#include <errno.h>

#include "base/log.h"
#include "base/scope.h"
#include "node/lines.h"
#include "node/node.h"
#include "options.h"
#include "root.h"

static struct options o;
static struct node *root;
static struct err err;
static const struct node_part no_parts[] = { { .type = NULL } };

static void setup(void)
{
    SCOPED(buf_fini) struct buf problems = BUF_INIT;
    const char *argv[] = { "sluiced", "--log-level=error", "--group=" };
    enum command command;

    cr_assert_eq(options_read(&o, 3, (char *const *)argv, (char *[]){ NULL }, &command, &problems),
                 0, "%s", problems.data);
    cr_assert_eq(node_type_check(root_type(no_parts), &err), 0, "%s", err.text);
    root = root_new(&o);
}

static void teardown(void)
{
    node_unref(root);
    options_fini(&o);
}

TestSuite(root, .init = setup, .fini = teardown);

static json_t *read_path(const char *path)
{
    struct target t;
    json_t *v;

    cr_assert_eq(node_find(root, path, &t, &err), 0, "%s", err.text);
    v = target_read(&t, &err);
    target_release(&t);
    return v;
}

static int write_path(const char *path, json_t *v)
{
    struct target t;
    int rc;

    cr_assert_eq(node_find(root, path, &t, &err), 0, "%s", err.text);
    rc = target_write(&t, v, NULL, &err);
    target_release(&t);
    json_decref(v);
    return rc;
}

Test(root, settings_shows_every_row_of_the_table)
{
    for (const struct option_row *row = option_rows; row->key; row++) {
        SCOPED(freep) char *path = NULL;
        json_t *shown, *expected = option_json(&o, row);

        cr_assert_geq(asprintf(&path, "/settings/%s", row->key), 0);
        shown = read_path(path);
        cr_assert(json_equal(shown, expected), "%s", row->key);
        json_decref(shown);
        json_decref(expected);
    }
}

Test(root, log_level_changes_while_it_runs)
{
    json_t *v;

    log_set_level(LOG_LEVEL_WARN);
    cr_assert_eq(write_path("/log_level", json_string("debug")), 0, "%s", err.text);
    cr_assert_eq(log_get_level(), LOG_LEVEL_DEBUG);
    cr_assert_eq(write_path("/log_level", json_string("loud")), -EINVAL);
    cr_assert_eq(log_get_level(), LOG_LEVEL_DEBUG);
    v = read_path("/log_level");
    cr_assert_str_eq(json_string_value(v), "debug");
    json_decref(v);
}

Test(root, memory_is_that_of_this_process)
{
    json_t *v = read_path("/memory_bytes");

    cr_assert_gt(json_integer_value(v), 1 << 20);
    cr_assert_lt(json_integer_value(v), 1LL << 40);
    json_decref(v);
}

Test(root, events_show_what_node_event_says)
{
    json_t *v;

    node_event(root, "start", json_object());
    v = read_path("/events");
    cr_assert_eq(json_array_size(v), 1);
    cr_assert_str_eq(json_string_value(json_object_get(json_array_get(v, 0), "event")), "start");
    cr_assert_gt(lines_end(root_events(root)), 0);
    json_decref(v);
}
