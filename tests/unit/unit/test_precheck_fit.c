#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/precheck/precheck_fit.h"

/* "varchar(20) latin1": the type as the servers print it, and a character set. */
static const char *misfit(const char *from, const char *to)
{
    const char *both[] = { from, to };
    struct table_column cols[2] = { { .generated = false } };
    const char *why;

    for (int i = 0; i < 2; i++) {
        const char *end = both[i] + strcspn(both[i], "( ");
        const char *space = strrchr(both[i], ' ');

        cols[i].data_type = xstrndup(both[i], (size_t)(end - both[i]));
        cols[i].charset = space ? xstrdup(space + 1) : NULL;
        cols[i].column_type =
            xstrndup(both[i], space ? (size_t)(space - both[i]) : strlen(both[i]));
    }
    why = column_misfit(&cols[0], &cols[1]);
    for (int i = 0; i < 2; i++) {
        free(cols[i].data_type);
        free(cols[i].charset);
        free(cols[i].column_type);
    }
    return why;
}

Test(precheck_fit, what_would_change_without_an_error_is_named)
{
    static const char *const rows[][2] = {
        { "varchar(20) latin1", "varchar(20) utf8mb4" },
        { "varchar(20) utf8mb4", "varchar(20) latin1" },
        { "text ascii", "text utf16" },
        { "enum('a','b') utf8mb4", "enum('b','a') utf8mb4" },
        { "enum('a','b') utf8mb4", "enum('a') utf8mb4" },
        { "enum('a','b') utf8mb4", "varchar(9) utf8mb4" },
        { "set('a','b') utf8mb4", "set('a','c','b') utf8mb4" },
        { "bit(8)", "varbinary(8)" },
        { "datetime(6)", "datetime(3)" },
        { "datetime", "date" },
        { "timestamp", "datetime" },
        { "datetime", "timestamp" },
        { "decimal(10,4)", "decimal(12,2)" },
        { "decimal(10,2)", "int(11)" },
        { "double", "float" },
        { "decimal(5,2)", "double" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cr_expect(misfit(rows[i][0], rows[i][1]), "%s to %s", rows[i][0], rows[i][1]);
}

Test(precheck_fit, what_arrives_or_is_refused_by_the_server_is_not)
{
    static const char *const rows[][2] = {
        { "varchar(20) utf8", "varchar(30) utf8mb4" },
        { "text utf8mb4", "longtext utf8mb3" },
        { "char(5) ascii", "varchar(5) latin1" },
        { "varbinary(20)", "varchar(20) utf8mb4" },
        { "enum('a','b') latin1", "enum('a','b','c') utf8mb4" },
        { "set('a') latin1", "set('a') latin1" },
        { "bit(8)", "bit(16)" },
        { "int(11)", "tinyint(4)" },
        { "time(3)", "time(6)" },
        { "date", "datetime" },
        { "decimal(10,2)", "decimal(12,4)" },
        { "decimal(10,0)", "bigint(20)" },
        { "float", "double" },
        { "datetime(6)", "datetime(6)" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cr_expect(!misfit(rows[i][0], rows[i][1]), "%s to %s: %s", rows[i][0], rows[i][1],
                  misfit(rows[i][0], rows[i][1]));
}

Test(precheck_fit, a_collation_is_coarser_that_takes_more_for_equal)
{
    static const struct {
        const char *from, *to;
        bool is;
    } rows[] = {
        { "utf8mb4_bin", "utf8mb4_general_ci", true },
        { "utf8mb4_0900_as_cs", "utf8mb4_0900_as_ci", true },
        { "utf8mb4_0900_as_ci", "utf8mb4_0900_ai_ci", true },
        { "utf8mb4_0900_ai_ci", "utf8mb4_general_ci", true }, /* 'a' and 'a ' */
        { "utf8mb4_uca1400_nopad_ai_ci", "utf8mb4_uca1400_ai_ci", true },
        { "latin1_general_cs", "latin1_swedish_ci", true },
        { "utf8mb4_general_ci", "utf8mb4_general_ci", false },
        { "utf8mb3_general_ci", "utf8mb4_general_ci", false },
        { "utf8mb4_general_ci", "utf8mb4_bin", false },
        { "utf8mb4_general_ci", "utf8mb4_0900_ai_ci", false },
        { "utf8mb4_uca1400_ai_ci", "utf8mb4_0900_as_cs", false },
        { "utf8mb4_0900_bin", "utf8mb4_nopad_bin", false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cr_expect_eq(collation_is_coarser(rows[i].from, rows[i].to), rows[i].is, "%s to %s",
                     rows[i].from, rows[i].to);
}
