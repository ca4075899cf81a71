/*
 * value.h - one column's value in a row.
 *
 * Both ways to a value, a snapshot's SELECT and a row event, end here, and for
 * every type the two give the same value.  Bytes are slices of the event or of
 * the arena that the decoder was given; nothing is owned.
 */
#ifndef SLUICE_BINLOG_VALUE_H
#define SLUICE_BINLOG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

enum value_kind {
    VALUE_ABSENT, /* the column is not in this image */
    VALUE_NULL,
    VALUE_INT,       /* i: signed integers, YEAR */
    VALUE_UINT,      /* u: unsigned integers, BIT, ENUM index, SET mask */
    VALUE_FLOAT,     /* f */
    VALUE_DOUBLE,    /* d */
    VALUE_TEXT,      /* ASCII: DECIMAL, DATE, TIME, DATETIME, TIMESTAMP (in UTC) */
    VALUE_BYTES,     /* CHAR, VARCHAR, TEXT, BLOB, GEOMETRY, UUID, ...: the column's own bytes */
    VALUE_JSON,      /* UTF-8 text of MySQL's binary JSON */
    VALUE_JSON_DIFF, /* MySQL's partial update: the binary diffs, applied by json_diff.h */
};

struct value {
    enum value_kind kind;
    uint32_t size; /* of 'p' */
    union {
        int64_t i;
        uint64_t u;
        float f;
        double d;
        const uint8_t *p;
    };
};

/* The same kind, and the same bytes. */
bool value_same(const struct value *a, const struct value *b);

#endif
