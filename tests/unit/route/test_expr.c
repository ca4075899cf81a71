#include "route/expr.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"

static const struct expr_column columns[] = {
    { "id", EXPR_TYPE_INTEGER, NULL },
    { "price", EXPR_TYPE_DECIMAL, NULL },
    { "f", EXPR_TYPE_REAL, NULL },
    { "name", EXPR_TYPE_TEXT, "utf8mb4_general_ci" },
    { "bin", EXPR_TYPE_TEXT, "utf8mb4_bin" },
    { "raw", EXPR_TYPE_TEXT, NULL },
    { "day", EXPR_TYPE_DATE, NULL },
    { "at", EXPR_TYPE_DATETIME, NULL },
    { "state", EXPR_TYPE_ENUM, "utf8mb4_general_ci" },
    { "doc", EXPR_TYPE_OPAQUE, NULL },
    { "none", EXPR_TYPE_INTEGER, NULL },
    { "swedish", EXPR_TYPE_TEXT, "utf8mb4_danish_ci" },
    { "czech", EXPR_TYPE_TEXT, "utf8mb4_0900_ai_ci" },
};

static struct expr_value text(const char *s)
{
    return (struct expr_value){ .kind = EXPR_TEXT, .text = slice_str(s) };
}

static struct expr_value value_of(void *arg, unsigned column)
{
    (void)arg;
    switch (column) {
    case 0:
        return (struct expr_value){ .kind = EXPR_INT, .i = 7 };
    case 1:
        return expr_decimal_of(slice_str("12.50"));
    case 2:
        return (struct expr_value){ .kind = EXPR_REAL, .d = 0.5 };
    case 3:
        return text("Anna ");
    case 4:
        return text("Anna");
    case 5:
        return text("\x01\xff");
    case 6:
        return text("2031-02-03");
    case 7:
        return text("2031-02-03 04:05:06.5");
    case 8:
        return text("new");
    case 12:
        return text("caf\xc3\xa9 \xe4\xb8\xad");
    default:
        return (struct expr_value){ .kind = EXPR_NULL };
    }
}

/* "true", "false", or the sentence.  The caller frees. */
static char *result(const char *sql)
{
    struct err err = ERR_INIT;
    struct expr *e = NULL;
    int rc = expr_new(sql, columns, ARRAY_LEN(columns), &e, &err);

    if (rc == 0)
        rc = expr_true(e, value_of, NULL, &err);
    expr_free(e);
    return xstrdup(rc < 0 ? err.text : rc ? "true" : "false");
}

struct row {
    const char *sql;
    bool is;
};

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        SCOPED(freep) char *got = result(rows[i].sql);

        cr_expect_str_eq(got, rows[i].is ? "true" : "false", "%s: %s", rows[i].sql, got);
    }
}

Test(expr, numbers_are_exact_and_of_the_type_that_the_servers_give_them)
{
    static const struct row rows[] = {
        { "id = 7", true },
        { "id = '7.0'", true },
        { "id = '7x'", true },
        { "id = 7.00", true },
        { "price = 12.5", true },
        { "price * 2 = 25", true },
        { "price > 12.4999", true },
        { "0.1 + 0.2 = 0.3", true },
        { "1e-1 + 2e-1 = 3e-1", false },
        { "f = 0.5", true },
        { "7 / 2 = 3.5", true },
        { "7 DIV 2 = 3", true },
        { "-7 DIV 2 = -3", true },
        { "-7 % 3 = -1", true },
        { "5 MOD 3", true },
        { "1 / 0 IS NULL", true },
        { "18446744073709551615 > 9223372036854775807", true },
        { "-9223372036854775808 < 0", true },
        { "1 | 6 = 7", true },
        { "~0 = 18446744073709551615", true },
        { "1 << 3 = 8", true },
        { "2 + 3 * 4 = 14", true },
        { "(2 + 3) * 4 = 20", true },
        { "- - 2 = 2", true },
        { "0x41 = 65", true },
        { "x'41' = 'A'", true },
        { "x'41' = 'a'", false },
        { "b'101' = 5", true },
        { "ABS(-3) = 3 AND ROUND(2.5) = 3 AND FLOOR(-2.5) = -3 AND CEIL(-2.5) = -2", true },
        { "MOD(id, 4) = 3", true },
        { "SIGN(-price) = -1", true },
        { "CAST('12abc' AS SIGNED) = 12", true },
        { "CAST(-1 AS UNSIGNED) = 18446744073709551615", true },
    };

    check(rows, ARRAY_LEN(rows));
}

Test(expr, null_is_neither_true_nor_false)
{
    static const struct row rows[] = {
        { "none", false },
        { "NOT none", false },
        { "none = none", false },
        { "none <=> NULL", true },
        { "none IS NULL", true },
        { "none IS NOT NULL", false },
        { "none = 1 OR id = 7", true },
        { "none = 1 AND id = 7", false },
        { "(none = 1 AND id = 8) IS FALSE", true },
        { "(none = 1) IS UNKNOWN", true },
        { "none XOR 1", false },
        { "1 XOR 0", true },
        { "id IN (1, NULL, 7)", true },
        { "id IN (1, NULL)", false },
        { "id NOT IN (1, NULL)", false },
        { "id NOT IN (1, 2)", true },
        { "id BETWEEN 1 AND NULL", false },
        { "id NOT BETWEEN 8 AND NULL", true },
        { "id BETWEEN 7 AND 7", true },
        { "none LIKE '%'", false },
        { "IFNULL(none, 3) = 3", true },
        { "COALESCE(none, NULL, id) = 7", true },
        { "NULLIF(id, 7) IS NULL", true },
        { "ISNULL(none)", true },
        { "IF(none, 1, 2) = 2", true },
        { "CASE id WHEN 6 THEN 'a' WHEN 7 THEN 'b' END = 'b'", true },
        { "CASE WHEN id > 9 THEN 1 ELSE 0 END", false },
        { "CASE WHEN id > 9 THEN 1 END IS NULL", true },
        { "doc IS NULL", true },
        { "NOT id = 8", true },
        { "! id = 0", true },
    };

    check(rows, ARRAY_LEN(rows));
}

Test(expr, strings_compare_under_the_collation_of_the_column)
{
    static const struct row rows[] = {
        { "name = 'anna'", true },
        { "name = 'ANNA'", true },
        { "bin = 'anna'", false },
        { "bin = 'Anna  '", true },
        { "BINARY name = 'Anna'", false },
        { "bin = name", true },
        { "name COLLATE utf8mb4_bin = 'Anna'", true },
        { "name = 'Anne'", false },
        { "name < 'anne'", true },
        { "name IN ('bob', 'ANNA')", true },
        { "name LIKE 'a%'", true },
        { "name LIKE 'anna'", false },
        { "name LIKE 'anna_'", true },
        { "bin LIKE 'a%'", false },
        { "bin NOT LIKE '%x%'", true },
        { "'a%b' LIKE 'a\\%b'", true },
        { "'axb' LIKE 'a\\%b'", false },
        { "'axb' LIKE 'a|%b' ESCAPE '|'", false },
        { "raw = x'01ff'", true },
        { "state = 'NEW'", true },
        { "state IN ('old', 'new')", true },
        { "czech LIKE 'caf_ %'", true },
        { "czech <> 'tea'", true },
        { "CONCAT(name, id) = 'anna 7'", true },
        { "LENGTH(czech) = 9 AND CHAR_LENGTH(czech) = 6", true },
        { "LEFT(name, 2) = 'an' AND RIGHT(bin, 2) = 'na' AND SUBSTRING(bin, -2, 1) = 'n'", true },
        { "UPPER(TRIM(name)) COLLATE utf8mb4_bin = 'ANNA'", true },
        { "GREATEST('b', 'a') = 'b'", true },
        { "`name` = \"it's\" OR name <> 'it''s'", true },
    };

    check(rows, ARRAY_LEN(rows));
}

Test(expr, dates_compare_as_dates_however_they_are_written)
{
    static const struct row rows[] = {
        { "day = '2031-2-3'", true },
        { "day = 20310203", true },
        { "day < '2031-02-03 00:00:01'", true },
        { "at > '2031-02-03 04:05:06'", true },
        { "at > day", true },
        { "at BETWEEN '2031-02-03' AND '2031-02-04'", true },
        { "day = DATE '2031-02-03'", true },
        { "at < TIMESTAMP '2031-02-03 04:05:07'", true },
        { "YEAR(at) = 2031 AND MONTH(day) = 2 AND DAY(day) = 3 AND HOUR(at) = 4", true },
        { "DATE(at) = day", true },
        { "CAST('2031-02-03' AS DATE) = day", true },
    };

    check(rows, ARRAY_LEN(rows));
}

Test(expr, what_is_not_known_is_refused_with_a_sentence)
{
    static const struct {
        const char *sql, *want;
    } rows[] = {
        { "nothing = 1", "there is no column nothing" },
        { "id =", "a value is missing" },
        { "id = (1", "')' is missing" },
        { "'abc", "a quote is not closed" },
        { "id IN (SELECT 1)", "not known" },
        { "SLEEP(1)", "SLEEP is not known" },
        { "name REGEXP 'a'", "not known" },
        { "doc->'$.a' = 1", "not known" },
        { "doc = 1", "JSON" },
        { "state = 1", "ENUM" },
        { "day = 'tuesday'", "no date" },
        { "day + 1 > 2", "calculating" },
        { "swedish = 'x'", "COLLATE" },
        { "czech = name", "COLLATE" },
        { "@x = 1", "a value is missing" },
        { "NOW() > at", "NOW is not known" },
        { "id = 1 2", "not known" },
        { "day", "true or false" },
        { "9223372036854775807 + id > 0", "out of range" },
        { "czech = 'caf\xc3\xa8'", "BINARY" },
        { "czech < '_'", "BINARY" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(freep) char *got = result(rows[i].sql);

        cr_expect(strstr(got, rows[i].want), "%s: '%s' does not say '%s'", rows[i].sql, got,
                  rows[i].want);
    }
}

Test(expr, the_syntax_is_checked_without_a_table)
{
    struct err err = ERR_INIT;
    struct expr *e = NULL;

    cr_assert_eq(expr_new("anything > 1 AND day = '2031-01-01'", NULL, 0, &e, &err), 0, "%s",
                 err.text);
    expr_free(e);
    cr_assert_eq(expr_new("a = = 1", NULL, 0, &e, &err), -EINVAL);
    cr_assert_eq(expr_new("a b", NULL, 0, &e, &err), -EINVAL);
}

Test(expr, nesting_is_bounded)
{
    SCOPED(buf_fini) struct buf deep = BUF_INIT;
    struct err err = ERR_INIT;
    struct expr *e = NULL;

    for (int i = 0; i < 5000; i++)
        buf_byte(&deep, '(');
    buf_byte(&deep, '\0');
    cr_assert_eq(expr_new((const char *)deep.data, NULL, 0, &e, &err), -EINVAL);
    cr_assert(strstr(err.text, "deep"), "%s", err.text);
}
