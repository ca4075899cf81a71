#include <criterion/criterion.h>

#include "binlog/temporal.h"

static void expect(const char *got, size_t size, const char *expected)
{
    cr_expect(size == strlen(expected) && memcmp(got, expected, size) == 0, "%.*s is not %s",
              (int)size, got, expected);
}

static uint64_t datetime_bits(unsigned y, unsigned mo, unsigned d, unsigned h, unsigned mi,
                              unsigned s)
{
    return ((uint64_t)(y * 13 + mo) << 22 | d << 17 | h << 12 | mi << 6 | s);
}

Test(temporal, prints_dates)
{
    char to[TEMPORAL_SIZE];

    expect(to, date_print(to, 0), "0000-00-00");
    expect(to, date_print(to, 9999 << 9 | 12 << 5 | 31), "9999-12-31");
    expect(to, date_print(to, 2024 << 9), "2024-00-00");
    cr_expect_eq(date_print(to, 10000 << 9), 0);
}

Test(temporal, prints_the_old_forms)
{
    char to[TEMPORAL_SIZE];

    expect(to, time_print_old(to, -8385959), "-838:59:59");
    expect(to, time_print_old(to, 0), "00:00:00");
    expect(to, time_print_old(to, -1), "-00:00:01");
    expect(to, datetime_print_old(to, 99991231235959), "9999-12-31 23:59:59");
    expect(to, datetime_print_old(to, 0), "0000-00-00 00:00:00");
    cr_expect_eq(datetime_print_old(to, 100000000000000), 0);
    cr_expect_eq(datetime_print_old(to, 20241301000000), 0);
}

/* The packed numbers are what MariaDB 10.11 wrote with mysql56_temporal_format=OFF. */
Test(temporal, prints_mariadbs_old_forms_with_a_fraction)
{
    char to[TEMPORAL_SIZE];

    expect(to, time_print_mariadb53(to, 0x02c01bc6f4c1, 6), "01:02:03.000001");
    expect(to, time_print_mariadb53(to, 30204000 - 1, 1), "-00:00:00.1");
    expect(to, time_print_mariadb53(to, 999999, 6), "-838:59:59.000001");
    expect(to, time_print_mariadb53(to, 30204000ull * 100 + 302039999, 3), "83:53:59.999");
    cr_expect_eq(time_print_mariadb53(to, 0xffffffffffff, 6), 0);
    expect(to, datetime_print_mariadb53(to, 0x422bb3243b73, 3), "2024-02-29 01:02:03.123");
    expect(to, datetime_print_mariadb53(to, 0, 6), "0000-00-00 00:00:00.000000");
    cr_expect_eq(datetime_print_mariadb53(to, UINT64_MAX, 6), 0);
}

Test(temporal, prints_timestamps_in_utc)
{
    char to[TEMPORAL_SIZE];

    expect(to, timestamp_print(to, 0, 0, 0), "0000-00-00 00:00:00");
    expect(to, timestamp_print(to, 0, 0, 3), "0000-00-00 00:00:00.000");
    expect(to, timestamp_print(to, 1, 0, 0), "1970-01-01 00:00:01");
    expect(to, timestamp_print(to, 951827696, 780000, 2), "2000-02-29 12:34:56.78");
    expect(to, timestamp_print(to, 2147483647, 999999, 6), "2038-01-19 03:14:07.999999");
    expect(to, timestamp_print(to, 4294967295, 0, 0), "2106-02-07 06:28:15");
}

/* Every day from 1970 to 2106, against the calendar's own rules. */
Test(temporal, knows_every_day)
{
    static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned y = 1970, m = 1, d = 1;

    for (uint32_t day = 0; day <= 4294967295 / 86400; day++) {
        bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        char to[TEMPORAL_SIZE], expected[40];

        snprintf(expected, sizeof expected, "%04u-%02u-%02u 00:00:01", y, m, d);
        cr_assert_eq(timestamp_print(to, day * 86400 + 1, 0, 0), 19);
        cr_assert_eq(memcmp(to, expected, 19), 0, "%.19s is not %s", to, expected);
        if (++d > days[m - 1] + (leap && m == 2)) {
            d = 1;
            if (++m > 12) {
                m = 1;
                y++;
            }
        }
    }
}

Test(temporal, prints_datetimes)
{
    uint64_t zero = (uint64_t)1 << 39, bits = datetime_bits(2024, 2, 29, 12, 34, 56);
    char to[TEMPORAL_SIZE];

    expect(to, datetime2_print(to, zero, 0), "0000-00-00 00:00:00");
    expect(to, datetime2_print(to, zero + bits, 0), "2024-02-29 12:34:56");
    expect(to, datetime2_print(to, (zero + bits) << 8 | 70, 1), "2024-02-29 12:34:56.7");
    expect(to, datetime2_print(to, (zero + bits) << 16 | 7890, 3), "2024-02-29 12:34:56.789");
    expect(to, datetime2_print(to, (zero + bits) << 24 | 1, 6), "2024-02-29 12:34:56.000001");
    cr_expect_eq(datetime2_print(to, bits, 0), 0, "a negative one");
    cr_expect_eq(datetime2_print(to, zero + datetime_bits(10000, 1, 1, 0, 0, 0), 0), 0);
    cr_expect_eq(datetime2_print(to, (zero + bits) << 24 | 1000000, 6), 0);
}

Test(temporal, prints_times_below_zero)
{
    uint64_t zero = (uint64_t)1 << 23;
    char to[TEMPORAL_SIZE];

    expect(to, time2_print(to, zero, 0), "00:00:00");
    expect(to, time2_print(to, zero + (838 << 12 | 59 << 6 | 59), 0), "838:59:59");
    expect(to, time2_print(to, zero - (838 << 12 | 59 << 6 | 59), 0), "-838:59:59");
    expect(to, time2_print(to, (zero << 8) - 1, 2), "-00:00:00.01");
    expect(to, time2_print(to, (zero << 8) - 10, 1), "-00:00:00.1");
    expect(to, time2_print(to, (zero << 16) - 10, 4), "-00:00:00.0010");
    expect(to, time2_print(to, (zero << 24) - 1, 6), "-00:00:00.000001");
    expect(to, time2_print(to, (zero << 24) - ((uint64_t)1 << 24 | 500000), 6), "-00:00:01.500000");
}

Test(temporal, prints_the_form_inside_json)
{
    int64_t day = (int64_t)datetime_bits(2024, 2, 29, 1, 2, 3) << 24;
    int64_t time = (int64_t)(12 << 12 | 34 << 6 | 56) << 24 | 789000;
    char to[TEMPORAL_SIZE];

    expect(to, datetime_print_packed(to, day | 5), "2024-02-29 01:02:03.000005");
    expect(to, date_print_packed(to, day), "2024-02-29");
    expect(to, time_print_packed(to, time), "12:34:56.789000");
    expect(to, time_print_packed(to, -time), "-12:34:56.789000");
    cr_expect_eq(datetime_print_packed(to, -1), 0);
}
