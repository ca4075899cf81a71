#include "fixture.h"

#include "node/private.h"

static const char *const modes[] = { "full", "incremental", "all", NULL };
static const struct attr rows[] = {
    [ATTR_BOOL] = { .name = "x", .type = ATTR_BOOL },
    [ATTR_COUNT] = { .name = "x", .type = ATTR_COUNT, .min = 0, .max = 100 },
    [ATTR_BYTES] = { .name = "x", .type = ATTR_BYTES },
    [ATTR_SECONDS] = { .name = "x", .type = ATTR_SECONDS },
    [ATTR_TIME] = { .name = "x", .type = ATTR_TIME },
    [ATTR_TEXT] = { .name = "x", .type = ATTR_TEXT },
    [ATTR_ENUM] = { .name = "x", .type = ATTR_ENUM, .choices = modes },
    [ATTR_JSON] = { .name = "x", .type = ATTR_JSON },
    [ATTR_DOCUMENT] = { .name = "x", .type = ATTR_DOCUMENT },
};

/* Parses and checks as a write does. */
static json_t *value(enum attr_type type, const char *text, size_t size, struct err *err)
{
    json_t *v = value_of_text(&rows[type], text, size, err);

    if (v && value_check(&rows[type], v, err) < 0) {
        json_decref(v);
        return NULL;
    }
    return v;
}

static void takes(enum attr_type type, const char *text, const char *json)
{
    struct err err = ERR_INIT;
    SCOPED(json_decrefp) json_t *v = value(type, text, strlen(text), &err);
    SCOPED(json_decrefp) json_t *want = json_loads(json, JSON_DECODE_ANY, NULL);

    cr_assert(want, "the test's own JSON %s", json);
    cr_assert(v, "%s: %s", text, err.text);
    cr_assert(json_equal(v, want), "%s", text);
}

static void refuses(enum attr_type type, const char *text, const char *why)
{
    struct err err = ERR_INIT;
    json_t *v = value(type, text, strlen(text), &err);

    cr_assert_null(v, "%s was taken", text);
    assert_says(&err, -EINVAL, why);
}

Test(value, of_text_by_type)
{
    takes(ATTR_BOOL, "true", "true");
    takes(ATTR_BOOL, "off", "false");
    takes(ATTR_COUNT, "42", "42");
    takes(ATTR_BYTES, "1536", "1536");
    takes(ATTR_BYTES, "64M", "67108864");
    takes(ATTR_BYTES, "2 KiB", "2048");
    takes(ATTR_SECONDS, "10", "10");
    takes(ATTR_SECONDS, "0.25", "0.25");
    takes(ATTR_SECONDS, "2h", "7200");
    takes(ATTR_SECONDS, "200ms", "0.2");
    takes(ATTR_TIME, "2026-01-31T12:00:00Z", "\"2026-01-31T12:00:00Z\"");
    takes(ATTR_TIME, "2026-01-31 12:00:00.25", "\"2026-01-31 12:00:00.25\"");
    takes(ATTR_TEXT, " a text ", "\" a text \"");
    takes(ATTR_TEXT, "", "\"\"");
    takes(ATTR_ENUM, "all", "\"all\"");
    takes(ATTR_JSON, "{\"a\": [1]}", "{\"a\":[1]}");
    takes(ATTR_JSON, "a: [1, x]", "{\"a\":[1,\"x\"]}");
    takes(ATTR_DOCUMENT, "{a: 1}", "{\"a\":1}");
}

Test(value, refuses_with_a_sentence)
{
    refuses(ATTR_BOOL, "maybe", "x: true or false expected");
    refuses(ATTR_COUNT, "101", "from 0 to 100");
    refuses(ATTR_COUNT, "-1", "a whole number from 0 up");
    refuses(ATTR_COUNT, "1.5", "a whole number");
    refuses(ATTR_COUNT, "0x10", "a whole number");
    refuses(ATTR_COUNT, " 1", "a whole number");
    refuses(ATTR_COUNT, "99999999999999999999", "a whole number");
    refuses(ATTR_COUNT, "", "a value is expected");
    refuses(ATTR_BYTES, "10 parsecs", "512K or 64M");
    refuses(ATTR_BYTES, "9999999999T", "bytes");
    refuses(ATTR_SECONDS, "nan", "seconds");
    refuses(ATTR_SECONDS, "1e999", "seconds");
    refuses(ATTR_SECONDS, "0x1p3", "seconds");
    refuses(ATTR_TIME, "2026-13-01T00:00:00Z", "a time in UTC");
    refuses(ATTR_ENUM, "incremntal",
            "full, incremental or all expected: did you mean incremental?");
    refuses(ATTR_TEXT, "\xff", "not UTF-8");
    refuses(ATTR_JSON, "{\"a\": 1", "line 1");
    refuses(ATTR_JSON, "{\"a\":1,\"a\":2}", "duplicate");
    refuses(ATTR_DOCUMENT, "just a text", "named fields");
    refuses(ATTR_DOCUMENT, "a: 1\n b: 2", "line 2");
}

Test(value, refuses_a_zero_byte_but_for_the_one_that_mysql_ends_a_certificate_with)
{
    struct err err = ERR_INIT;
    json_t *pem = value(ATTR_TEXT, "a\nb\n\0", 5, &err);

    cr_assert_str_eq(json_string_value(pem), "a\nb\n");
    json_decref(pem);
    cr_assert_null(value(ATTR_TEXT, "a\0b", 3, &err));
    assert_says(&err, -EINVAL, "zero byte");
}

Test(value, prints_one_line_a_value)
{
    struct node *root = tree_new();
    struct err err;

    assert_text(root, "a/port", "80\n");
    assert_text(root, "a/host", "\n");
    cr_assert_eq(write_text(root, "a/host", "x\n", &err), 0);
    assert_text(root, "a/host", "x\n");
    assert_text(root, "a/level", "low\n");
    node_unref(root);
}

static json_t *words(const char *text, struct err *err)
{
    return args_of_words(&thing_actions[0], text, strlen(text), err);
}

Test(value, words_follow_the_shell)
{
    struct err err = ERR_INIT;
    SCOPED(json_decrefp)
    json_t *v = words(" by=3  key='two \"words\"'\\ here other=\"a\\\"b\\n\" empty= ", &err);

    cr_assert(v, "%s", err.text);
    cr_assert_eq(json_integer_value(json_object_get(v, "by")), 3);
    cr_assert_str_eq(json_string_value(json_object_get(v, "key")), "two \"words\" here");
    cr_assert_str_eq(json_string_value(json_object_get(v, "other")), "a\"b\\n");
    cr_assert_str_eq(json_string_value(json_object_get(v, "empty")), "");
}

Test(value, words_that_are_wrong)
{
    static const char *const bad[][2] = { { "by='3", "not closed" },
                                          { "by", "name=value" },
                                          { "by=1 by=2", "twice" },
                                          { "by=x", "whole number" },
                                          { "key=a\\", "backslash" } };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = ERR_INIT;

        cr_assert_null(words(bad[i][0], &err), "%s", bad[i][0]);
        assert_says(&err, -EINVAL, bad[i][1]);
    }
}
