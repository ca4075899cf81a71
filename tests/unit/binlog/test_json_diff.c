/* A real server's diffs are applied in test_rows.c. */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/scope.h"
#include "binlog/json_diff.h"

static const char object[] = "\0\2\0\x15\0\x12\0\1\0\x13\0\2\0\5\1\0\5\2\0abb"; /* {a: 1, bb: 2} */

static void expect(const char *diffs, size_t size, const char *expected)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct slice text = { 0 };
    bool ok =
        json_diff_apply(slice_of(object, sizeof object - 1), slice_of(diffs, size), &arena, &text);

    cr_expect_eq(ok, expected != NULL);
    if (ok && expected)
        cr_expect(slice_eq(text, slice_str(expected)), "%.*s is not %s", SLICE_ARG(text), expected);
}

#define EXPECT(diffs, text) expect(diffs, sizeof(diffs) - 1, text)

Test(json_diff, replaces_inserts_and_removes)
{
    EXPECT("", "{\"a\": 1, \"bb\": 2}");
    EXPECT("\0\3$.a\3\5\7\0", "{\"a\": 7, \"bb\": 2}");
    EXPECT("\2\3$.a", "{\"bb\": 2}");
    EXPECT("\2\3$.a\2\4$.bb", "{}");
    EXPECT("\1\3$.b\3\5\7\0", "{\"a\": 1, \"b\": 7, \"bb\": 2}");
    EXPECT("\1\5$.ccc\3\5\7\0", "{\"a\": 1, \"bb\": 2, \"ccc\": 7}");
}

Test(json_diff, reads_quoted_names)
{
    EXPECT("\1\7$.\"b c\"\3\5\7\0", "{\"a\": 1, \"bb\": 2, \"b c\": 7}");
    EXPECT("\1\x12$.\"\\\"\\\\\\n\\u001f\\t\"\3\5\7\0",
           "{\"a\": 1, \"bb\": 2, \"\\\"\\\\\\n\\u001f\\t\": 7}");
}

Test(json_diff, walks_into_what_it_put_there)
{
    EXPECT("\1\3$.c\5\2\0\0\4\0\1\6$.c[0]\3\5\7\0\1\6$.c[0]\3\5\6\0",
           "{\"a\": 1, \"c\": [6, 7], \"bb\": 2}");
}

Test(json_diff, refuses_what_does_not_fit)
{
    EXPECT("\0\3$.x\3\5\7\0", NULL);
    EXPECT("\2\3$.x", NULL);
    EXPECT("\1\3$.a\3\5\7\0", NULL);
    EXPECT("\0\4$[0]\3\5\7\0", NULL);
    EXPECT("\0\5$.a.b\3\5\7\0", NULL);
    EXPECT("\0\1$\3\5\7\0", NULL);
    EXPECT("\0\3$.a\3\5\7", NULL);
    EXPECT("\3\3$.a", NULL);
    EXPECT("\2\4$.\"a", NULL);
    EXPECT("\2\3$[a", NULL);
}
