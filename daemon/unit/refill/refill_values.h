/*
 * refill_values.h - rows that a SELECT gave, as the values that the stream would have for them
 * (binlog/value.h).
 *
 * Pure but for the definitions.  Columns that the source computes are left out of the SELECT and
 * are VALUE_ABSENT.
 */
#ifndef SLUICE_UNIT_REFILL_VALUES_H
#define SLUICE_UNIT_REFILL_VALUES_H

#include "base/arena.h"
#include "binlog/value.h"
#include "mysql/table.h"

enum refill_form {
    REFILL_ABSENT,
    REFILL_INT,
    REFILL_UINT,
    REFILL_FLOAT,
    REFILL_DOUBLE,
    REFILL_TEXT,
    REFILL_BYTES,
    REFILL_JSON,
};

struct refill_columns {
    unsigned n;              /* of the table */
    enum refill_form *forms; /* in the table's order */
    char *select;            /* expressions of those that are not absent, commas between */
};

/* For rows that go into a table like 'to'; NULL: like 'def'. */
void refill_columns_init(struct refill_columns *c, const struct table_def *def,
                         const struct table_def *to);
void refill_columns_fini(struct refill_columns *c);
/* 'ret' has room for 'n'; bytes go into 'a'. */
void refill_values(const struct refill_columns *c, const struct mysql_row *row, struct arena *a,
                   struct value *ret);

#endif
