#include <criterion/criterion.h>
#include <string.h>

#include "http/format.h"

Test(format, is_json_unless_asked_otherwise)
{
    cr_expect_eq(format_accepted(NULL), FORMAT_JSON);
    cr_expect_eq(format_accepted(""), FORMAT_JSON);
    cr_expect_eq(format_accepted("*/*"), FORMAT_JSON);
    cr_expect_eq(format_accepted("application/*"), FORMAT_JSON);
    cr_expect_eq(format_accepted("text/html,application/xhtml+xml,*/*;q=0.8"), FORMAT_JSON);
}

Test(format, follows_the_header)
{
    cr_expect_eq(format_accepted("text/plain"), FORMAT_TEXT);
    cr_expect_eq(format_accepted("TEXT/Plain; charset=utf-8"), FORMAT_TEXT);
    cr_expect_eq(format_accepted("text/*"), FORMAT_TEXT);
    cr_expect_eq(format_accepted("text/event-stream"), FORMAT_EVENTS);
    cr_expect_eq(format_accepted("application/yaml"), FORMAT_YAML);
    cr_expect_eq(format_accepted("image/png"), FORMAT_NONE);
}

Test(format, weighs)
{
    cr_expect_eq(format_accepted("application/json;q=0.5, text/plain"), FORMAT_TEXT);
    cr_expect_eq(format_accepted("text/plain;q=0.1,application/json ;q=0.2"), FORMAT_JSON);
    cr_expect_eq(format_accepted("text/plain;q=0, application/yaml;q=0.001"), FORMAT_YAML);
    cr_expect_eq(format_accepted("application/json;q=0"), FORMAT_NONE);
    cr_expect_eq(format_accepted("text/*;q=nan, application/yaml;q=0.1"), FORMAT_YAML);
    cr_expect_eq(format_accepted("application/openmetrics-text;version=1.0.0;q=0.8,"
                                 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
                 FORMAT_TEXT);
}

static enum format of_body(const char *type, const char *body)
{
    return format_of_body(type, body, strlen(body));
}

Test(format, of_a_body_is_what_it_says)
{
    cr_expect_eq(of_body("application/json", "x"), FORMAT_JSON);
    cr_expect_eq(of_body("text/plain; charset=utf-8", "{}"), FORMAT_TEXT);
    cr_expect_eq(of_body("application/x-yaml", "{}"), FORMAT_YAML);
    cr_expect_eq(of_body("multipart/form-data; boundary=x", "{}"), FORMAT_NONE);
    cr_expect_eq(of_body("*/*", "{}"), FORMAT_NONE);
}

Test(format, of_a_body_that_does_not_say_is_seen_by_its_start)
{
    static const char *const types[] = { NULL, "", "application/x-www-form-urlencoded" };

    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(of_body(types[i], "{\"a\":1}"), FORMAT_JSON);
        cr_expect_eq(of_body(types[i], "\"text\""), FORMAT_JSON);
        cr_expect_eq(of_body(types[i], "10.0.0.1"), FORMAT_TEXT);
        cr_expect_eq(of_body(types[i], "name: t1\n"), FORMAT_TEXT);
        cr_expect_eq(of_body(types[i], ""), FORMAT_TEXT);
    }
}
