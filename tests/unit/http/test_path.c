#include <criterion/criterion.h>
#include <errno.h>

#include "base/scope.h"
#include "http/path.h"

static void expect_path(const char *url, const char *wanted)
{
    SCOPED(buf_fini) struct buf path = BUF_INIT;
    struct err err = ERR_INIT;

    cr_expect_eq(path_of_url(url, &path, &err), 0, "%s: %s", url, err.text);
    cr_expect_str_eq(path.size ? path.data : "", wanted, "%s", url);
}

Test(path, leaves_plain_names_as_they_are)
{
    expect_path("tasks/t1/lag_seconds", "tasks/t1/lag_seconds");
    expect_path("", "");
}

Test(path, leaves_out_empty_segments)
{
    expect_path("//tasks///t1/", "tasks/t1");
}

Test(path, keeps_a_slash_within_its_name)
{
    expect_path("tasks/a%2Fb/state", "tasks/a%2Fb/state");
    expect_path("tasks/a%2fb/state", "tasks/a%2Fb/state");
}

Test(path, takes_a_listed_name_that_a_client_encoded_again)
{
    expect_path("tasks/a%252Fb", "tasks/a%2Fb");
    expect_path("tasks/100%2525", "tasks/100%25");
}

Test(path, does_not_climb)
{
    expect_path("tasks/../sources", "tasks/%2E./sources");
    expect_path("tasks/%2e%2e/sources", "tasks/%2E./sources");
}

Test(path, decodes_utf8_and_blanks)
{
    expect_path("tasks/gr%C3%BCn%20blau", "tasks/gr\xc3\xbcn blau");
    expect_path("tasks/a+b", "tasks/a+b");
}

Test(path, refuses_broken_escapes_and_zero_bytes)
{
    static const char *const bad[] = { "a%", "a%4", "a%zz", "a%00b" };

    for (size_t i = 0; i < 4; i++) {
        SCOPED(buf_fini) struct buf path = BUF_INIT;
        struct err err = ERR_INIT;

        cr_expect_eq(path_of_url(bad[i], &path, &err), -EINVAL, "%s", bad[i]);
    }
}

Test(path, comes_back_from_the_url_it_makes)
{
    static const char *const paths[] = { "tasks/a%2Fb", "tasks/100%25", "gr\xc3\xbcn/x y",
                                         "a?b/c#d" };

    for (size_t i = 0; i < 4; i++) {
        SCOPED(buf_fini) struct buf url = BUF_INIT;

        url_of_path(paths[i], &url);
        expect_path(url.data, paths[i]);
    }
}

Test(percent_decode, reads_plus_as_a_blank_only_in_a_query)
{
    char query[] = "a+b%2B", path[] = "a+b%2B";

    cr_assert_eq(percent_decode(query, true), 0);
    cr_assert_str_eq(query, "a b+");
    cr_assert_eq(percent_decode(path, false), 0);
    cr_assert_str_eq(path, "a+b+");
}
