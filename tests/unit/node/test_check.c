#include "fixture.h"

static json_t *get(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a, (void)err;
    return json_null();
}

static int set(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)n, (void)a, (void)v, (void)err;
    return 0;
}

static void refuses(struct attr row, const char *why)
{
    const struct attr rows[] = { row, { 0 } };
    const struct node_type t = { .name = "t", .help = "A type", .attrs = rows };
    struct err err = ERR_INIT;

    cr_assert_eq(node_type_check(&t, &err), -EINVAL, "%s was accepted", row.name);
    assert_says(&err, -EINVAL, why);
}

Test(check, accepts_sound_tables)
{
    struct err err = ERR_INIT;

    cr_assert_eq(node_type_check(&thing_type, &err), 0, "%s", err.text);
}

Test(check, refuses_rows_that_break_a_rule)
{
    static const char *const two[] = { "a", NULL };

    refuses((struct attr){ .name = "Bad", .help = "x", .get = get }, "not a name");
    refuses((struct attr){ .name = "a-b", .help = "x", .get = get }, "not a name");
    refuses((struct attr){ .name = "x", .get = get }, "help sentence");
    refuses((struct attr){ .name = "x", .help = "A sentence.", .get = get }, "full stop");
    refuses((struct attr){ .name = "x", .help = "x" }, "neither a getter nor a setter");
    refuses((struct attr){ .name = "x", .help = "x", .get = get, .type = ATTR_ENUM }, "choices");
    refuses((struct attr){ .name = "x", .help = "x", .get = get, .choices = two }, "choices");
    refuses((struct attr){ .name = "x", .help = "x", .get = get, .type = ATTR_LINES }, "lines");
    refuses((struct attr){ .name = "x", .help = "x", .get = get, .flags = ATTR_STORED }, "stored");
    refuses(
        (struct attr){ .name = "x", .help = "x", .get = get, .set = set, .flags = ATTR_WATCHED },
        "not announced");
    refuses((struct attr){ .name = "x", .help = "x", .get = get, .min = 2, .max = 1 }, "above");
    refuses((struct attr){ .name = "status", .help = "x", .get = get }, "two rows");
}

Test(check, looks_at_parts)
{
    static const struct attr bad[] = { { .name = "x", .help = "x" }, { 0 } };
    static const struct node_type below = { .name = "below", .help = "x", .attrs = bad };
    static const struct node_part parts[] = { { "below", &below }, { 0 } };
    static const struct node_type t = { .name = "t", .help = "A type", .parts = parts };
    struct err err = ERR_INIT;

    cr_assert_eq(node_type_check(&t, &err), -EINVAL);
    assert_says(&err, -EINVAL, "below/x");
}
