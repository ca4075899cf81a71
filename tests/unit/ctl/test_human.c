#include "ctl/human.h"

#include <criterion/criterion.h>

#include "base/scope.h"

static void expect(const char *row, const char *value, const char *wanted)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;
    json_t *r = row ? json_loads(row, 0, NULL) : NULL;
    json_t *v = json_loads(value, JSON_DECODE_ANY, NULL);

    human_value(r, v, &out);
    cr_expect_str_eq(out.size ? out.data : "", wanted, "%s: '%s'", value, out.data);
    json_decref(v);
    json_decref(r);
}

#define BYTES "{\"type\":\"bytes\"}"
#define SECONDS "{\"type\":\"seconds\"}"
#define COUNT "{\"type\":\"count\"}"

Test(human, shows_bytes_in_a_unit_that_fits)
{
    expect(BYTES, "0", "0 B");
    expect(BYTES, "1023", "1023 B");
    expect(BYTES, "1024", "1.0 KiB");
    expect(BYTES, "1288490188", "1.2 GiB");
    expect("{\"type\":\"bytes\",\"unit\":\"bytes/s\"}", "2048", "2.0 KiB/s");
}

Test(human, shows_seconds_in_two_units)
{
    expect(SECONDS, "0", "0 s");
    expect(SECONDS, "0.25", "0.2 s");
    expect(SECONDS, "59.4", "59 s");
    expect(SECONDS, "61", "1m 1s");
    expect(SECONDS, "3723", "1h 2m");
    expect(SECONDS, "200000", "2d 7h");
}

Test(human, groups_counts)
{
    expect(COUNT, "3306", "3306");
    expect(COUNT, "12345678", "12,345,678");
    expect("{\"type\":\"count\",\"unit\":\"rows/s\"}", "12000", "12,000 rows/s");
    expect("{\"type\":\"count\",\"unit\":\"rows\"}", "-1000", "-1,000 rows");
}

Test(human, shows_the_rest_on_one_line)
{
    expect(NULL, "\"two\\nlines\"", "two lines");
    expect(NULL, "true", "yes");
    expect(NULL, "null", "");
    expect(NULL, "{\"a\":[1,2]}", "{\"a\":[1,2]}");
}

static double fraction(const char *text)
{
    json_t *v = json_loads(text, 0, NULL);
    double f = -1;

    if (!human_fraction(v, &f))
        f = -1;
    json_decref(v);
    return f;
}

Test(human, finds_how_much_is_done)
{
    cr_expect_float_eq(fraction("{\"percent\":25}"), 0.25, 1e-9);
    cr_expect_float_eq(fraction("{\"rows\":1,\"rows_total\":2,\"bytes\":1,\"bytes_total\":4}"),
                       0.25, 1e-9);
    cr_expect_float_eq(fraction("{\"tables\":3,\"tables_total\":4}"), 0.75, 1e-9);
    cr_expect_float_eq(fraction("{\"rows\":5,\"rows_total\":4}"), 1, 1e-9);
    cr_expect_float_eq(fraction("{\"rows\":5,\"rows_total\":0}"), -1, 1e-9);
    cr_expect_float_eq(fraction("{\"rows\":5}"), -1, 1e-9);
}

Test(human, finds_a_percentage_in_a_sentence)
{
    double f = -1;

    cr_expect(human_percent("copy 45 %: 1,234 of about 2,700 rows", &f));
    cr_expect_float_eq(f, 0.45, 1e-9);
    cr_expect(human_percent("7.5% done", &f));
    cr_expect_float_eq(f, 0.075, 1e-9);
    cr_expect_not(human_percent("a % of what", &f));
    cr_expect_not(human_percent("sync: 0.2 s behind", &f));
}

Test(human, draws_bars_of_one_width)
{
    static const struct {
        double f;
        const char *bar;
    } rows[] = { { 0, "····" }, { 0.5, "██··" }, { 0.53125, "██▏·" }, { 1, "████" } };

    for (size_t i = 0; i < 4; i++) {
        SCOPED(buf_fini) struct buf out = BUF_INIT;

        human_bar(rows[i].f, 4, &out);
        cr_expect_str_eq(out.data, rows[i].bar);
    }
}

Test(plain, keeps_numbers_and_stays_on_one_line)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;
    json_t *v = json_loads("[1234567, \"a\\tb\\n\", 0.5, {\"x\":1}]", 0, NULL);

    for (size_t i = 0; i < 4; i++) {
        plain_value(json_array_get(v, i), &out);
        buf_byte(&out, '|');
    }
    cr_assert_str_eq(out.data, "1234567|a b |0.5|{\"x\":1}|");
    json_decref(v);
}
