#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "binlog/double_text.h"

static void expect(double d, const char *expected)
{
    char to[DOUBLE_TEXT_SIZE];
    size_t n = double_text(to, d);

    cr_expect(n == strlen(expected) && memcmp(to, expected, n) == 0, "%.*s is not %s", (int)n, to,
              expected);
}

/* What MySQL 9.7 and MariaDB 10.11 print for these literals. */
Test(double_text, is_laid_out_as_servers_do)
{
    expect(0, "0");
    expect(-0.0, "-0");
    expect(1, "1");
    expect(-1.5, "-1.5");
    expect(0.1, "0.1");
    expect(100, "100");
    expect(123456.789, "123456.789");
    expect(1e14, "100000000000000");
    expect(1e15, "1e15");
    expect(1e16, "1e16");
    expect(1234567890123456.7, "1234567890123456.8");
    expect(123456789012345680000.0, "1.2345678901234568e20");
    expect(1e-7, "0.0000001");
    expect(1e-14, "0.00000000000001");
    expect(1e-15, "0.000000000000001");
    expect(1e-16, "1e-16");
    expect(1e100, "1e100");
    expect(1.7976931348623157e308, "1.7976931348623157e308");
    expect(2.2250738585072014e-308, "2.2250738585072014e-308");
    expect(5e-324, "5e-324");
    expect(1 / 3.0, "0.3333333333333333");
    expect(2 / 3.0, "0.6666666666666666");
}

Test(double_text, reads_back_as_the_same)
{
    srand(1);
    for (int i = 0; i < 200000; i++) {
        char to[DOUBLE_TEXT_SIZE + 1];
        double d = i % 2 ? (double)(rand() % 2000000) / pow(10, rand() % 9)
                         : ldexp((double)rand() * rand(), rand() % 200 - 150);

        to[double_text(to, d)] = '\0';
        cr_assert(strtod(to, NULL) == d, "%s is not %.17g", to, d);
    }
}
