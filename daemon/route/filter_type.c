/* What a change of a column's type takes away. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "route/filter_event.h"

enum family { INTEGER, FIXED, FLOATING, TEXT, BINARY, MOMENT, OTHER };

/* Rank: of two types of a family the greater holds what the lesser does. */
static const struct type_row {
    const char *name;
    enum family family;
    int rank;
    unsigned long length, scale; /* when none is given */
} rows[] = {
    { "tinyint", INTEGER, 1, 0, 0 },
    { "bool", INTEGER, 1, 0, 0 },
    { "boolean", INTEGER, 1, 0, 0 },
    { "smallint", INTEGER, 2, 0, 0 },
    { "mediumint", INTEGER, 3, 0, 0 },
    { "int", INTEGER, 4, 0, 0 },
    { "integer", INTEGER, 4, 0, 0 },
    { "bigint", INTEGER, 8, 0, 0 },
    { "decimal", FIXED, 0, 10, 0 },
    { "numeric", FIXED, 0, 10, 0 },
    { "fixed", FIXED, 0, 10, 0 },
    { "dec", FIXED, 0, 10, 0 },
    { "float", FLOATING, 1, 0, 0 },
    { "double", FLOATING, 2, 0, 0 },
    { "real", FLOATING, 2, 0, 0 },
    { "char", TEXT, 0, 1, 0 },
    { "varchar", TEXT, 0, 1, 0 },
    { "tinytext", TEXT, 0, 255, 0 },
    { "text", TEXT, 0, 65535, 0 },
    { "mediumtext", TEXT, 0, 16777215, 0 },
    { "longtext", TEXT, 0, 4294967295, 0 },
    { "binary", BINARY, 0, 1, 0 },
    { "varbinary", BINARY, 0, 1, 0 },
    { "tinyblob", BINARY, 0, 255, 0 },
    { "blob", BINARY, 0, 65535, 0 },
    { "mediumblob", BINARY, 0, 16777215, 0 },
    { "longblob", BINARY, 0, 4294967295, 0 },
    { "time", MOMENT, 1, 0, 0 },
    { "datetime", MOMENT, 3, 0, 0 },
    { "timestamp", MOMENT, 2, 0, 0 },
    { "date", MOMENT, 1, 0, 0 },
};

struct type {
    const struct type_row *row; /* NULL: another one */
    unsigned long length, scale;
    bool is_unsigned;
};

static size_t word_at(const char *s, const char *end)
{
    size_t n = 0;

    while (s + n < end && (isalnum((unsigned char)s[n]) || s[n] == '_'))
        n++;
    return n;
}

static const struct type_row *row_of(const char *word, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strlen(rows[i].name) == n && strncasecmp(rows[i].name, word, n) == 0)
            return &rows[i];
    return NULL;
}

static const char *number(const char *s, const char *end, unsigned long *ret)
{
    unsigned long n = 0;

    while (s < end && isspace((unsigned char)*s))
        s++;
    for (; s < end && isdigit((unsigned char)*s) && n < 1000000000; s++)
        n = n * 10 + (unsigned long)(*s - '0');
    *ret = n;
    while (s < end && isspace((unsigned char)*s))
        s++;
    return s;
}

static struct type parse(struct slice text)
{
    const char *s = (const char *)text.data, *end = s + text.size;
    struct type t = { .row = NULL };
    size_t n;

    while (s < end && isspace((unsigned char)*s))
        s++;
    n = word_at(s, end);
    t.row = row_of(s, n);
    if (!t.row)
        return t;
    t.length = t.row->length;
    t.scale = t.row->scale;
    for (s += n; s < end && isspace((unsigned char)*s); s++)
        ;
    if (s < end && *s == '(') {
        s = number(s + 1, end, &t.length);
        if (s < end && *s == ',')
            s = number(s + 1, end, &t.scale);
        s += s < end;
    }
    while (s < end && isspace((unsigned char)*s))
        s++;
    t.is_unsigned = end - s >= 8 && strncasecmp(s, "unsigned", 8) == 0;
    return t;
}

struct filter_loss filter_type_loss(struct slice was, struct slice becomes)
{
    struct type a = parse(was), b = parse(becomes);
    struct filter_loss loss = { .range = false };

    if (!a.row || !b.row)
        return loss;
    if (a.row->family != b.row->family) {
        loss.range = b.row->family != TEXT && b.row->family != BINARY;
        return loss;
    }
    switch (a.row->family) {
    case INTEGER:
        loss.range = b.row->rank < a.row->rank ||
                     (b.row->rank == a.row->rank && a.is_unsigned != b.is_unsigned) ||
                     (b.is_unsigned && !a.is_unsigned);
        break;
    case FIXED:
        loss.range = b.length - b.scale < a.length - a.scale;
        loss.precision = b.scale < a.scale;
        break;
    case FLOATING:
        loss.range = loss.precision = b.row->rank < a.row->rank;
        break;
    case TEXT:
    case BINARY:
        loss.range = b.length < a.length;
        break;
    case MOMENT:
        loss.range = b.row->rank < a.row->rank;
        loss.precision = b.length < a.length;
        break;
    case OTHER:
        break;
    }
    return loss;
}
