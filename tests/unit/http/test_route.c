#include "http/compat/route.h"

#include "base/scope.h"
#include "mock.h"

static void fits(const char *pattern, const char *url, const char *a, const char *b)
{
    struct call c = { 0 };

    cr_expect(route_fits(pattern, url, &c), "%s does not fit %s", url, pattern);
    if (a)
        cr_expect_str_eq(call_param(&c, "a"), a);
    if (b)
        cr_expect_str_eq(call_param(&c, "b"), b);
    call_fini(&c);
}

static void fits_not(const char *pattern, const char *url)
{
    struct call c = { 0 };

    cr_expect_not(route_fits(pattern, url, &c), "%s fits %s", url, pattern);
    call_fini(&c);
}

Test(route, matches_segment_by_segment)
{
    fits("/status", "/status", NULL, NULL);
    fits("/status", "/status/", NULL, NULL);
    fits("/status", "/st%61tus", NULL, NULL);
    fits_not("/status", "/statu");
    fits_not("/status", "/statuss");
    fits_not("/status", "/status/x");
    fits_not("/status", "status");
    fits_not("/status", "");
    fits_not("/status", "//status");
    fits_not("/a/b", "/a");
    fits_not("/a", "/a//");
}

Test(route, takes_names_out_of_the_path_decoded)
{
    fits("/state/{a}/{b}", "/state/ip-172-16-5-71:8250/stop", "ip-172-16-5-71:8250", "stop");
    fits("/state/{a}/{b}", "/state/x%2Fy%3A1/%C3%8B", "x/y:1", "\xc3\x8b");
    fits("/x/{a}", "/x/{a}", "{a}", NULL);
    fits_not("/state/{a}/{b}", "/state//stop");
    fits_not("/state/{a}/{b}", "/state/x");
    fits_not("/state/{a}", "/state/%zz");
    fits_not("/state/{a}", "/state/%00");
}

static int nothing(struct call *c, struct err *err)
{
    (void)c, (void)err;
    return 0;
}

static const struct route toy_routes[] = {
    { "GET", "/x/{a}", nothing },
    { "PUT", "/x/{a}", nothing },
    { "*", "/any", nothing },
    { "GET", "/x/fixed", nothing },
    { 0 },
};
static const struct facade toy = { .name = "toy", .prefix = "/toys/{unit}", .routes = toy_routes };

Test(route, tells_an_unknown_path_from_a_wrong_method)
{
    struct call c = { 0 };
    struct err err = ERR_INIT;

    cr_assert_eq(route_find(&toy, "u", "GET", "/nope", &c, &err), -ENOENT);
    cr_assert_null(c.facade);
    cr_assert_eq(route_find(&toy, "u", "POST", "/x/1", &c, &err), -EOPNOTSUPP);
    cr_assert_eq(c.facade, &toy);
    cr_assert_null(c.route);
    cr_assert_str_eq(c.allow, "GET, PUT");
    call_fini(&c);
}

Test(route, is_below_its_prefix_on_a_shared_listener)
{
    struct call c = { 0 };
    struct err err = ERR_INIT;

    cr_assert_eq(route_find(&toy, NULL, "GET", "/toys/t%2F1/x/2", &c, &err), 0);
    cr_assert_str_eq(call_param(&c, "unit"), "t/1");
    SCOPED(freep) char *path = call_path(&c, "toys/{unit}/parts/{a}");

    cr_assert_str_eq(path, "toys/t%2F1/parts/2");
    cr_assert_eq(route_find(&toy, NULL, "GET", "/x/2", &(struct call){ 0 }, &err), -ENOENT);
    call_fini(&c);
}

Test(route, takes_any_method_where_the_row_says_so)
{
    struct call c = { 0 };
    struct err err = ERR_INIT;

    cr_assert_eq(route_find(&toy, "u", "BREW", "/any", &c, &err), 0);
    cr_assert_str_eq(call_param(&c, "unit"), "u");
    call_fini(&c);
}

static json_t *twice(const json_t *v, const json_t *attrs)
{
    return json_integer(2 * json_integer_value(v) +
                        json_integer_value(json_object_get(attrs, "more")));
}

static json_t *nothing_made(const json_t *v, const json_t *attrs)
{
    (void)v, (void)attrs;
    return NULL;
}

Test(route, shapes_what_is_there_and_what_is_not)
{
    static const struct field fields[] = {
        { "A", "a", JSON_INTEGER, twice },
        { "Text", "text", JSON_STRING },
        { "Gone", "gone", JSON_STRING },
        { "List", NULL, JSON_ARRAY },
        { "Object", NULL, JSON_OBJECT },
        { "Null", "null", JSON_NULL },
        { "Number", "null", JSON_INTEGER },
        { "Flag", "gone", JSON_TRUE },
        { "Made", "a", JSON_STRING, nothing_made },
        { 0 },
    };
    static const struct shape shape = { "x", fields };
    json_t *attrs = mock_json("{'a': 412518831548007863, 'more': 1, 'text': 't', 'null': null}");
    json_t *got = shape_of(&shape, attrs), *none = shape_of(&shape, NULL);
    json_t *want = mock_json("{'A': 825037663096015727, 'Text': 't', 'Gone': '', 'List': [],"
                             "'Object': {}, 'Null': null, 'Number': 0, 'Flag': false, 'Made': ''}");

    cr_assert(json_equal(got, want), "%s", json_dumps(got, 0));
    cr_assert_eq(json_integer_value(json_object_get(none, "A")), 0);
    json_decref(attrs);
    json_decref(got);
    json_decref(none);
    json_decref(want);
}

Test(route, checks_a_body_by_its_types)
{
    static const struct field fields[] = { { "id", NULL, JSON_INTEGER },
                                           { "on", NULL, JSON_FALSE },
                                           { "name", NULL, JSON_STRING },
                                           { 0 } };
    json_t *body = mock_json("{'id': 7, 'on': true, 'other': []}");
    json_t *wrong = mock_json("{'id': '7'}");
    struct err err = ERR_INIT;

    cr_assert_eq(call_check_body(body, fields, &err), 0);
    cr_assert_str_eq(json_string_value(json_object_get(body, "name")), "");
    cr_assert_eq(call_check_body(wrong, fields, &err), -EINVAL);
    cr_assert_str_eq(err.text, "id: a whole number is expected");
    json_decref(body);
    json_decref(wrong);
}
