/* Whole values of a real server are compared in test_rows.c; here is what servers do not make. */
#include <criterion/criterion.h>

#include "base/scope.h"
#include "binlog/json_binary.h"

static void expect(const char *binary, size_t size, const char *expected)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct slice text = { 0 };
    bool ok = json_binary_text(slice_of(binary, size), &arena, &text);

    cr_expect_eq(ok, expected != NULL);
    if (ok && expected)
        cr_expect(slice_eq(text, slice_str(expected)), "%.*s is not %s", SLICE_ARG(text), expected);
}

#define EXPECT(binary, text) expect(binary, sizeof(binary) - 1, text)

Test(json_binary, prints_scalars)
{
    EXPECT("", "null");
    EXPECT("\4\0", "null");
    EXPECT("\4\1", "true");
    EXPECT("\4\2", "false");
    EXPECT("\5\xff\xff", "-1");
    EXPECT("\6\xff\xff", "65535");
    EXPECT("\7\x00\x00\x00\x80", "-2147483648");
    EXPECT("\x08\xff\xff\xff\xff", "4294967295");
    EXPECT("\x09\x00\x00\x00\x00\x00\x00\x00\x80", "-9223372036854775808");
    EXPECT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615");
    EXPECT("\x0b\x00\x00\x00\x00\x00\x00\xf0\x3f", "1.0");
    EXPECT("\x0c\x05"
           "a\"\\\x01\n",
           "\"a\\\"\\\\\\u0001\\n\"");
    EXPECT("\x0f\xfc\x02\x00\xff", "\"base64:type252:AP8=\"");
}

Test(json_binary, prints_containers)
{
    EXPECT("\0\0\0\4\0", "{}");
    EXPECT("\2\0\0\4\0", "[]");
    EXPECT("\2\2\0\x0a\0\5\1\0\4\1\0", "[1, true]");
    EXPECT("\0\1\0\x0c\0\x0b\0\1\0\5\1\0a", "{\"a\": 1}");
    EXPECT("\3\1\0\0\0\x0d\0\0\0\7\xff\xff\xff\xff", "[-1]");
}

Test(json_binary, refuses_what_reaches_outside)
{
    EXPECT("\4\3", NULL);
    EXPECT("\5\1", NULL);
    EXPECT("\x0c\5abc", NULL);
    EXPECT("\x0c\xff\xff\xff\xff\xff\xff", NULL);
    EXPECT("\2\2\0\x0b\0\5\1\0\4\1\0", NULL);      /* says one byte more than there is */
    EXPECT("\2\xff\xff\x0a\0\5\1\0\4\1\0", NULL);  /* more members than fit */
    EXPECT("\2\1\0\7\0\x0c\xff\xff", NULL);        /* a string beyond the end */
    EXPECT("\0\1\0\x0c\0\xff\0\1\0\5\1\0a", NULL); /* a key beyond the end */
    EXPECT("\x0d", NULL);
    EXPECT("\x0f\xf6\x02\x46\x00", NULL); /* DECIMAL(70,0) */
}

/* An array whose only member is itself. */
Test(json_binary, does_not_follow_a_circle_for_ever)
{
    EXPECT("\2\1\0\7\0\2\0\0", NULL);
}

/* Each level names the next twice: 2^40 values from 300 bytes. */
Test(json_binary, does_not_print_more_than_a_sound_value_could)
{
    char binary[1 + 40 * 10 + 4], *p = binary;

    *p++ = 2;
    for (int i = 0; i < 40; i++) {
        size_t rest = sizeof binary - 1 - (size_t)i * 10;
        char level[10] = { 2, 0, (char)rest, (char)(rest >> 8), 2, 10, 0, 2, 10, 0 };

        memcpy(p, level, sizeof level);
        p += 10;
    }
    memcpy(p, "\0\0\4\0", 4);
    expect(binary, sizeof binary, NULL);
}
