#include "unit/precheck/precheck_fit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool is_one_of(const char *type, const char *const *types)
{
    for (; *types; types++)
        if (strcmp(type, *types) == 0)
            return true;
    return false;
}

static const char *const integers[] = { "tinyint", "smallint", "mediumint", "int", "bigint", NULL };
static const char *const moments[] = { "time", "datetime", "timestamp", NULL };
static const char *const texts[] = { "char",       "varchar",  "tinytext", "text",
                                     "mediumtext", "longtext", NULL };

/* --- characters: bytes arrive as they are --- */

/* MySQL 5.7 and MariaDB 10.5 call it utf8. */
static const char *charset_name(const char *charset)
{
    return strcmp(charset, "utf8") == 0 ? "utf8mb3" : charset;
}

static bool charset_takes(const char *from, const char *to)
{
    static const char *const utf8[] = { "utf8mb3", "utf8mb4", NULL };
    static const char *const wide[] = { "ucs2", "utf16", "utf16le", "utf32", NULL };

    from = charset_name(from);
    to = charset_name(to);
    if (strcmp(from, to) == 0 || (is_one_of(from, utf8) && is_one_of(to, utf8)))
        return true;
    return strcmp(from, "ascii") == 0 && !is_one_of(to, wide);
}

static const char *text_misfit(const struct table_column *from, const struct table_column *to)
{
    if (!is_one_of(from->data_type, texts) || !is_one_of(to->data_type, texts))
        return NULL;
    if (from->json || to->json || !from->charset || !to->charset)
        return NULL;
    return charset_takes(from->charset, to->charset)
               ? NULL
               : "its bytes would be read as characters of another set";
}

/* --- ENUM, SET and BIT: rows events have a number --- */

/* "enum('a','b')" and one that goes on after its last member. */
static bool members_go_on(const struct table_column *from, const struct table_column *to)
{
    size_t size = strlen(from->column_type);

    return size && strncmp(from->column_type, to->column_type, size - 1) == 0 &&
           (to->column_type[size - 1] == ')' || to->column_type[size - 1] == ',');
}

static const char *number_misfit(const struct table_column *from, const struct table_column *to)
{
    bool same = strcmp(from->data_type, to->data_type) == 0;

    if (strcmp(from->data_type, "enum") == 0 || strcmp(from->data_type, "set") == 0)
        return same && members_go_on(from, to)
                   ? NULL
                   : "members come by their number, and would be others or the number";
    if (strcmp(from->data_type, "bit") == 0)
        return same || is_one_of(to->data_type, integers) ? NULL : "bits would become a number";
    return NULL;
}

/* --- digits --- */

/* What stands at place 'n' of the brackets: 6 of "time(6)", 2 of "decimal(10,2)". */
static unsigned long in_brackets(const char *column_type, unsigned n)
{
    const char *at = strchr(column_type, '(');

    while (at && n--)
        at = strchr(at + 1, ',');
    return at ? strtoul(at + 1, NULL, 10) : 0;
}

static const char *moment_misfit(const struct table_column *from, const struct table_column *to)
{
    bool zoned = strcmp(from->data_type, "timestamp") == 0;

    if (!is_one_of(from->data_type, moments))
        return NULL;
    if (strcmp(to->data_type, "date") == 0)
        return "the time of day would be cut off";
    if (!is_one_of(to->data_type, moments))
        return NULL;
    if (strcmp(from->data_type, "time") != 0 && zoned != (strcmp(to->data_type, "timestamp") == 0))
        return zoned ? "moments would become wall clock times of UTC"
                     : "wall clock times would become moments of UTC";
    return in_brackets(from->column_type, 0) > in_brackets(to->column_type, 0)
               ? "fractions of seconds would be rounded"
               : NULL;
}

static const char *digits_misfit(const struct table_column *from, const struct table_column *to)
{
    bool decimal = strcmp(from->data_type, "decimal") == 0;
    bool real = strcmp(from->data_type, "float") == 0 || strcmp(from->data_type, "double") == 0;

    if (!decimal && !real)
        return NULL;
    if (is_one_of(to->data_type, integers))
        return real || in_brackets(from->column_type, 1) ? "fractions would be rounded" : NULL;
    if (strcmp(to->data_type, "decimal") == 0)
        return real || in_brackets(from->column_type, 1) > in_brackets(to->column_type, 1)
                   ? "digits would be rounded"
                   : NULL;
    if (strcmp(to->data_type, "float") == 0 || strcmp(to->data_type, "double") == 0)
        return decimal || (strcmp(from->data_type, "double") == 0 &&
                           strcmp(to->data_type, "float") == 0)
                   ? "digits would be rounded"
                   : NULL;
    return NULL;
}

/* --- what is equal --- */

static bool ends_with(const char *s, const char *ending)
{
    size_t n = strlen(s), m = strlen(ending);

    return n >= m && strcmp(s + n - m, ending) == 0;
}

/* How much a collation tells apart, as its name says: accents, case, bytes. */
static unsigned told_apart(const char *collation)
{
    static const struct {
        const char *ending;
        unsigned what;
    } rows[] = { { "_bin", 7 },  { "as_cs", 3 },  { "as_ci", 1 }, { "ai_cs", 2 },
                 { "ai_ci", 0 }, { "_cs_ks", 3 }, { "_cs", 3 } };

    if (strcmp(collation, "binary") == 0)
        return 7;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (ends_with(collation, rows[i].ending))
            return rows[i].what;
    return 0;
}

static bool spaces_count(const char *collation)
{
    return strcmp(collation, "binary") == 0 || strstr(collation, "nopad_") ||
           strstr(collation, "_0900_");
}

bool collation_is_coarser(const char *from, const char *to)
{
    return (told_apart(from) & ~told_apart(to)) || (spaces_count(from) && !spaces_count(to));
}

const char *column_misfit(const struct table_column *from, const struct table_column *to)
{
    static const char *(*const checks[])(
        const struct table_column *,
        const struct table_column *) = { text_misfit, number_misfit, moment_misfit, digits_misfit };
    const char *why = NULL;

    for (size_t i = 0; i < ARRAY_LEN(checks) && !why; i++)
        why = checks[i](from, to);
    return why;
}
