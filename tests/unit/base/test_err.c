#include "base/err.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(err, context_is_put_in_front)
{
    struct err err = ERR_INIT;

    cr_assert_eq(err_set(&err, -ENOENT, "no table %s", "t"), -ENOENT);
    cr_assert_eq(err_wrap(&err, "task %s", "orders"), -ENOENT);
    cr_assert_str_eq(err.text, "task orders: no table t");
}

Test(err, a_new_error_forgets_the_servers_number)
{
    struct err err = { .code = -EIO, .sql = 1062, .sqlstate = "23000" };

    err_wrap(&err, "group 7");
    cr_assert_eq(err.sql, 1062);
    err_set(&err, -EINVAL, "other");
    cr_assert_eq(err.sql, 0);
    cr_assert_str_empty(err.sqlstate);
}

Test(err, a_sentence_is_utf8_whatever_it_quotes)
{
    struct err err = ERR_INIT;
    char longer[3000] = "x";

    err_set(&err, -EINVAL, "the row: %s",
            "4711,'\xe9\xfc', 'na\xc3\xafve', '\xf0\x9f\x98\x80', '\xed\xa0\x80'");
    cr_assert_str_eq(err.text, "the row: 4711,'?"
                               "?', 'na\xc3\xafve', '\xf0\x9f\x98\x80', '?"
                               "?"
                               "?'");

    for (size_t i = 1; i + 2 < sizeof longer; i += 2)
        memcpy(longer + i, "\xc3\xa9", 2);
    err_set(&err, -EINVAL, "%s", longer);
    cr_assert_str_eq(err.text + sizeof err.text - 3, "\xc3\xa9", "%zu", strlen(err.text));
    err_wrap(&err, "a");
    cr_assert_eq(err.text[sizeof err.text - 2], '?', "a half of a character is left");
}

Test(err, a_sentence_longer_than_the_room_is_cut_not_overrun)
{
    struct err err = ERR_INIT;
    char longer[3000];

    memset(longer, 'y', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    err_set(&err, -EINVAL, "%s", longer);
    err_wrap(&err, "%s", longer);

    cr_assert_eq(strlen(err.text), sizeof err.text - 1);
}
