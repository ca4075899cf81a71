#include "node/yaml.h"

#include <errno.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/err.h"

static json_t *parse(const char *text)
{
    struct err err = ERR_INIT;
    json_t *v = yaml_parse(text, strlen(text), &err);

    cr_assert(v, "%s", err.text);
    return v;
}

static void assert_json(const char *yaml, const char *json)
{
    json_t *v = parse(yaml), *want = json_loads(json, JSON_DECODE_ANY, NULL);

    cr_assert(want, "the test's own JSON");
    cr_assert(json_equal(v, want), "%s", yaml);
    json_decref(v);
    json_decref(want);
}

static void assert_refused(const char *yaml, const char *why)
{
    struct err err = ERR_INIT;
    json_t *v = yaml_parse(yaml, strlen(yaml), &err);

    cr_assert_null(v);
    cr_assert_eq(err.code, -EINVAL);
    cr_assert(strstr(err.text, why), "'%s' does not say '%s'", err.text, why);
}

Test(yaml, reads_plain_scalars_by_the_core_schema)
{
    assert_json(
        "a: 1\nb: -2\nc: 1.5\nd: true\ne: null\nf: ~\ng:\nh: text",
        "{\"a\":1,\"b\":-2,\"c\":1.5,\"d\":true,\"e\":null,\"f\":null,\"g\":null,\"h\":\"text\"}");
}

Test(yaml, keeps_as_text_what_readers_disagree_about)
{
    assert_json("[yes, no, on, 0123, 12:30, 2026-01-31, 1_000, .inf]",
                "[\"yes\",\"no\",\"on\",\"0123\",\"12:30\",\"2026-01-31\",\"1_000\",\".inf\"]");
}

Test(yaml, reads_json)
{
    assert_json("{\"a\": [1, {\"b\": \"\\u00e4\"}], \"c\": \"x: y\"}",
                "{\"a\":[1,{\"b\":\"\\u00e4\"}],\"c\":\"x: y\"}");
}

Test(yaml, copies_aliases_and_merges)
{
    assert_json("base: &b {x: 1, y: 2}\nd:\n  <<: *b\n  y: 3\ne: *b",
                "{\"base\":{\"x\":1,\"y\":2},\"d\":{\"x\":1,\"y\":3},\"e\":{\"x\":1,\"y\":2}}");
}

Test(yaml, says_the_line)
{
    assert_refused("a: 1\nb: [1,\nc: 2\n", "line ");
    assert_refused("a: 1\na: 2\n", "line 2: a key is given twice");
    assert_refused("a: *nothing\n", "line 1: an alias without its anchor");
    assert_refused("--- 1\n--- 2\n", "one document");
    assert_refused("a: !!binary abc\n", "tag");
}

Test(yaml, refuses_a_billion_laughs)
{
    assert_refused("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                   "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
                   "too many");
}

Test(yaml, refuses_what_is_too_deep)
{
    char deep[401];

    memset(deep, '[', 400);
    deep[400] = '\0';
    assert_refused(deep, "too deep");
}

Test(yaml, prints_what_it_reads_back)
{
    static const char *const texts[] = {
        "yes",   "0123",   "1.5",     "null",         "",           "- x",
        "a: b",  "#c",     " x",      "x ",           "two\nlines", "two\nlines\n",
        "\n",    "a\n\nb", "\tx",     "x\r\ny",       "'q'",        "\"q\"",
        "~",     "=",      "<<",      "2026-1-1",     "ä",          "\x01",
        "*a",    "&a",     "!t",      "%d",           "@x",         "`x",
        "|",     ">",      "? x",     "12:30",        "a #b",       "[x",
        "x\n y", " x\ny",  "x\n\n\n", "\xe2\x80\xa8", "0x1f",       "1e3"
    };
    json_t *all = json_array(), *back;
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *o = json_object();

        json_object_set_new(o, texts[i], json_string(texts[i]));
        json_array_append_new(all, o);
    }
    json_array_append_new(
        all, json_pack("{s:[],s:{},s:i,s:f,s:b,s:n}", "a", "b", "c", 1, "d", 0.1, "e", 1, "f"));
    yaml_print(all, &b);
    back = parse(b.data);
    cr_assert(json_equal(all, back), "%s", b.data);
    json_decref(all);
    json_decref(back);
    buf_fini(&b);
}
