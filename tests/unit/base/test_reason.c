#include "base/err.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(reason, has_a_word_and_the_word_says_which)
{
    for (unsigned r = 0; r < REASON_N; r++)
        cr_expect_eq(reason_of_word(reason_word((enum reason)r)), r, "%s",
                     reason_word((enum reason)r));
    cr_expect_eq(reason_of_word("nonesuch"), REASON_NONE);
}

Test(reason, is_that_of_who_was_nearest)
{
    struct err err = ERR_INIT;

    err_set(&err, -EINVAL, "no such zone");
    cr_expect_eq(err_because(&err, REASON_TIME_ZONE), -EINVAL);
    cr_expect_eq(err_of_source(&err), -EINVAL);

    cr_expect_eq(err.reason, REASON_TIME_ZONE);
    cr_expect_str_eq(err.text, "source: no such zone");
}

Test(reason, does_not_outlive_its_error)
{
    struct err err = ERR_INIT;

    err_set(&err, -EINVAL, "a");
    err_because(&err, REASON_GTID);
    err_set(&err, -EIO, "b");

    cr_expect_eq(err.reason, REASON_NONE);
}
