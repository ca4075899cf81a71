#include "fixture.h"

static void assert_shown(const char *plain, const char *shown)
{
    SCOPED(freep) char *s = node_name_shown(plain), *back = node_name_plain(shown);

    cr_assert_str_eq(s, shown);
    cr_assert(back && strcmp(back, plain) == 0, "%s leads back to %s", shown, back);
}

Test(name, escapes_what_a_file_name_cannot_hold)
{
    assert_shown("orders", "orders");
    assert_shown("a/b", "a%2Fb");
    assert_shown(".hidden", "%2Ehidden");
    assert_shown("a.b", "a.b");
    assert_shown("100%", "100%25");
    assert_shown("a\nb\x7f", "a%0Ab%7F");
    assert_shown("größe 漢字", "größe 漢字");
    assert_shown("\xff", "%FF");
}

Test(name, has_one_form_only)
{
    static const char *const bad[] = { "a/b", ".x", "%", "%2", "%2f", "%41", "a\nb", "\xff", "" };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_assert_null(node_name_plain(bad[i]), "%s", bad[i]);
}

Test(name, hashes_what_is_too_long)
{
    char plain[400], other[400];
    SCOPED(freep) char *a = NULL, *b = NULL;
    SCOPED(json_decrefp) json_t *text = NULL;

    memset(plain, 'x', sizeof plain);
    memcpy(plain + 236, "ä", 2); /* a character across the cut */
    plain[399] = '\0';
    memcpy(other, plain, sizeof plain);
    other[398] = 'y';
    a = node_name_shown(plain);
    b = node_name_shown(other);
    cr_assert_leq(strlen(a), 255);
    cr_assert_geq(strlen(a), 250);
    cr_assert_str_neq(a, b);
    text = json_string(a);
    cr_assert(text, "cut in the middle of a character");
    cr_assert_null(node_name_plain(plain));
}
