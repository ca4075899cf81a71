#include "http/compat/api.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

static const char *const colours[] = { "red", "green", NULL };
static const struct api_field inner_fields[] = {
    { "name", API_TEXT, API_REQUIRED },
    { "size", API_COUNT },
    { "extra", API_TEXT, API_OURS },
    { NULL },
};
static const struct api_schema inner = { "Inner", API_OBJECT, inner_fields };
static const struct api_field fields[] = {
    { "name", API_TEXT, API_REQUIRED },
    { "colour", API_TEXT, .choices = colours },
    { "count", API_COUNT },
    { "on", API_BOOL },
    { "one", API_OBJECT, .of = &inner },
    { "many", API_LIST, .of = &inner },
    { "by_name", API_MAP, .of = &inner },
    { "words", API_LIST },
    { "status", API_TEXT, API_SHOWN },
    { "password", API_TEXT, API_SECRET },
    { NULL },
};
static const struct api_schema outer = { "Outer", API_OBJECT, fields };
static const struct api_schema names = { "Names", API_LIST };

static json_t *json(const char *text)
{
    SCOPED(freep) char *copy = strdup(text);
    json_t *v;

    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    v = json_loads(copy, JSON_DECODE_ANY, NULL);
    cr_assert_not_null(v, "%s", text);
    return v;
}

static void takes(const struct api_schema *s, const char *text, const char *wanted)
{
    SCOPED(json_decrefp) json_t *v = json(text), *want = json(wanted), *got = NULL;
    struct err err = ERR_INIT;

    cr_assert_eq(api_check(s, v, &got, &err), 0, "%s: %s", text, err.text);
    SCOPED(freep) char *shown = json_dumps(got, 0);
    cr_expect(json_equal(got, want), "%s gives %s", text, shown);
}

static void refuses(const struct api_schema *s, const char *text, const char *part)
{
    SCOPED(json_decrefp) json_t *v = json(text), *got = NULL;
    struct err err = ERR_INIT;

    cr_expect_lt(api_check(s, v, &got, &err), 0, "%s", text);
    cr_expect_not_null(strstr(err.text, part), "%s", err.text);
}

Test(api, takes_what_fits_and_passes_over_what_it_does_not_know)
{
    takes(&outer, "{'name': 'a', 'purge': {'x': 1}, 'status': 'x'}", "{'name': 'a'}");
    takes(&outer, "{'name': 'a', 'colour': '', 'count': null, 'one': null}", "{'name': 'a'}");
    takes(&outer, "{'name': 'a', 'count': 3.0, 'many': [{'name': 'b', 'z': 1}], 'words': []}",
          "{'name': 'a', 'count': 3, 'many': [{'name': 'b'}], 'words': []}");
    takes(&outer, "{'name': '', 'by_name': {'r': {'name': 'b'}}}",
          "{'name': '', 'by_name': {'r': {'name': 'b'}}}");
    takes(&names, "['a', 'b']", "['a', 'b']");
}

Test(api, says_where_it_is_wrong)
{
    refuses(&outer, "{}", "Error at \"/name\": property \"name\" is missing");
    refuses(&outer, "{'name': null}", "property \"name\" is missing");
    refuses(&outer, "{'name': 3}", "Error at \"/name\": value must be a string");
    refuses(&outer, "{'name': 'a', 'count': '3'}", "value must be an integer");
    refuses(&outer, "{'name': 'a', 'count': 3.5}", "value must be an integer");
    refuses(&outer, "{'name': 'a', 'on': 1}", "value must be a boolean");
    refuses(&outer, "{'name': 'a', 'many': [{'name': 'b'}, {}]}", "Error at \"/many/1/name\"");
    refuses(&outer, "{'name': 'a', 'by_name': {'r': []}}", "Error at \"/by_name/r\"");
    refuses(&outer, "{'name': 'a', 'colour': 'blue'}", "is not one of: red, green");
    refuses(&outer, "[]", "value must be an object");
    refuses(&names, "[1]", "Error at \"/0\": value must be a string");
}

static const struct api_field query_fields[] = {
    { "on", API_BOOL }, { "n", API_COUNT }, { "name", API_LIST }, { "stage", API_TEXT }, { NULL },
};

static void asks(const char *text, const char *wanted)
{
    SCOPED(json_decrefp) json_t *want = json(wanted), *got = NULL;
    struct err err = ERR_INIT;

    cr_assert_eq(api_query(query_fields, text, &got, &err), 0, "%s: %s", text, err.text);
    cr_expect(json_equal(got, want), "%s", text);
}

Test(api, refuses_what_a_closed_object_does_not_know)
{
    static const struct api_schema closed = { "Closed", API_OBJECT, inner_fields, .closed = true };

    takes(&closed, "{'name': 'a', 'size': 3}", "{'name': 'a', 'size': 3}");
    refuses(&closed, "{'name': 'a', 'colour': 3}",
            "Error at \"/colour\": property \"colour\" is unsupported");
}

Test(api, reads_queries_as_libraries_write_them)
{
    asks("on=True", "{'on': true}");
    asks("on=0&n=12", "{'on': false, 'n': 12}");
    asks("name=a&name=b%20c&x=y", "{'name': ['a', 'b c']}");
    asks("stage=a+b", "{'stage': 'a b'}");
    asks("", "{}");
}

Test(api, refuses_queries_of_the_wrong_type)
{
    static const char *const wrong[] = { "on=yes", "n=x", "n=", "name=%zz", "name=%ff" };
    json_t *got;

    for (size_t i = 0; i < 5; i++) {
        struct err err = ERR_INIT;

        cr_expect_lt(api_query(query_fields, wrong[i], &got, &err), 0, "%s", wrong[i]);
    }
}

static const struct api_body forms[] = { { &inner, "size" }, { &outer }, { NULL } };
static const struct api_operation optional = { "t", "s", .bodies = forms };
static const struct api_operation needed = { "t", "s", .bodies = forms, .needs_body = true };

static int body(const struct api_operation *op, const char *text, unsigned *form, json_t **ret,
                struct err *err)
{
    return api_body(op, slice_str(text), ret, form, err);
}

Test(api, knows_the_forms_of_a_body_by_their_keys)
{
    SCOPED(json_decrefp) json_t *a = NULL, *b = NULL, *c = NULL;
    struct err err = ERR_INIT;
    unsigned form;

    cr_assert_eq(body(&needed, "{\"size\": 1, \"name\": \"x\"}", &form, &a, &err), 0);
    cr_expect_eq(form, 0);
    cr_assert_eq(body(&needed, "{\"name\": \"x\", \"words\": [\"a\",], }", &form, &b, &err), 0,
                 "%s", err.text);
    cr_expect_eq(form, 1);
    cr_assert_eq(body(&optional, " \n", &form, &c, &err), 0);
    cr_expect(json_is_null(c));
}

Test(api, wants_a_body_that_is_json)
{
    json_t *v;
    unsigned form;
    struct err err = ERR_INIT;

    cr_expect_lt(body(&needed, "", &form, &v, &err), 0);
    cr_expect_not_null(strstr(err.text, "required"));
    cr_expect_lt(body(&needed, "name: [", &form, &v, &err), 0);
    cr_expect_lt(body(&needed, "hello", &form, &v, &err), 0);
    cr_expect_not_null(strstr(err.text, "not JSON"), "%s", err.text);
}

Test(api, shows_its_fields_and_no_secret)
{
    SCOPED(json_decrefp)
    json_t *v = json("{'password': 'x', 'mine': 1, 'words': ['a'],"
                     " 'many': [{'name': 'b', 'mine': 1}], 'status': 's'}");
    SCOPED(json_decrefp)
    json_t *want = json("{'name': null, 'password': '******', 'words': ['a'],"
                        " 'many': [{'name': 'b'}], 'status': 's'}");
    SCOPED(json_decrefp) json_t *got = api_shown(&outer, v);

    cr_expect(json_equal(got, want));
}

Test(api, finds_what_is_ours)
{
    SCOPED(json_decrefp) json_t *without = json("{'name': 'a', 'many': [{'name': 'b'}]}");
    SCOPED(json_decrefp) json_t *with = json("{'many': [{'name': 'b'}, {'extra': 'x'}]}");
    SCOPED(json_decrefp) json_t *one = json("{'one': {'extra': 'x'}}");

    cr_expect_null(api_ours(&outer, without));
    cr_expect_str_eq(api_ours(&outer, with), "extra");
    cr_expect_str_eq(api_ours(&outer, one), "extra");
    cr_expect_null(api_ours(&outer, NULL));
}
