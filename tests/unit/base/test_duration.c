#include "base/duration.h"

#include <criterion/criterion.h>

static int64_t us(const char *text)
{
    struct err err = ERR_INIT;
    int64_t ret = -1;

    return duration_parse(text, &ret, &err) < 0 ? err.code : ret;
}

Test(duration, knows_the_units_of_go)
{
    cr_assert_eq(us("600s"), 600000000);
    cr_assert_eq(us("1h30m"), 5400000000);
    cr_assert_eq(us("1.5h"), 5400000000);
    cr_assert_eq(us("250ms"), 250000);
    cr_assert_eq(us("7us"), 7);
    cr_assert_eq(us("2m0.5s"), 120500000);
}

Test(duration, takes_bare_seconds)
{
    cr_assert_eq(us("0"), 0);
    cr_assert_eq(us("90"), 90000000);
    cr_assert_eq(us("1.5"), 1500000);
}

Test(duration, refuses_what_is_none)
{
    const char *bad[] = { "", "s", "10x", "-5s", "1h 30m", ".", "1h30", "10 s", "9e9h" };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(us(bad[i]), -22, "%s", bad[i]);
    cr_assert_eq(us("99999999999h"), -22);
}
