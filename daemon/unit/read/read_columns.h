/*
 * read_columns.h - how each column of a table travels: read as which
 * expression, sent in which form, stored through which.
 *
 * Rows are read as text and reach the target as the same bytes, so a value is
 * the same there, with these exceptions:
 *
 *   FLOAT              printed with six digits only: read as a double
 *   JSON, UUID, INET   read as UTF-8 text, and must arrive as text, not as bytes
 *   ENUM               index 0, the value of what could not be stored, reads as '':
 *                      storing it warns, once a value.  Those warnings are expected.
 *                      Where '' is a member too, the index is read instead
 *   generated          left out
 */
#ifndef SLUICE_UNIT_READ_COLUMNS_H
#define SLUICE_UNIT_READ_COLUMNS_H

#include <stdbool.h>

#include "mysql/table.h"

enum read_kind {
    READ_NUMBER, /* digits: as they are */
    READ_PLAIN,  /* other ASCII that needs no escape: dates, decimals */
    READ_BYTES,
    READ_TEXT,  /* UTF-8 */
    READ_INDEX, /* of an ENUM: digits */
};

struct read_column {
    enum read_kind kind;
    bool is_enum; /* index 0 warns: '' of READ_BYTES, 0 of READ_INDEX */
    bool is_bit;
    char *charset; /* NULL if it is not of a character type */
};

struct read_columns {
    unsigned n;
    struct read_column *cols;
    unsigned n_constants; /* the last of them are the same for all rows */
    const struct router_extracted *constants;
    char *select; /* expressions, commas between */
    char *names;  /* `a`, `b` */
    char *first;  /* `a` */
    char *load;   /* (`a`, @v2) SET `b` = CONVERT(@v2 USING utf8mb4) */
};

/* 'from' at the source; 'to' at the target, NULL while it does not exist.  'extra': columns of 'to'
 * that are the same for all rows, borrowed; NULL: none. */
struct router_extracted;
void read_columns_init(struct read_columns *c, const struct table_def *from,
                       const struct table_def *to, const struct router_extracted *extra);

/* What a file of a dump says of its rows. */
struct dump_words {
    char **names; /* the column list of its INSERTs; none: every column that is not generated */
    unsigned n_names;
    bool utf8; /* strings are UTF-8; else the bytes that the column has */
    bool ours; /* written by us */
};

/* The same for rows of a file that go into 'to'.  -EINVAL: there is no such column. */
int read_columns_named(struct read_columns *c, const struct table_def *to,
                       const struct dump_words *words, const struct router_extracted *extra,
                       struct err *err);
void read_columns_fini(struct read_columns *c);

/* True if storing this value warns, as it should: index 0 of an ENUM. */
static inline bool read_column_warns(const struct read_column *c, const char *value, size_t size)
{
    return c->is_enum && value && (size == 0 || (c->kind == READ_INDEX && *value == '0'));
}

/* True if the ENUM type, as information_schema prints it, has the member ''. */
bool enum_has_blank(const char *column_type);

#endif
