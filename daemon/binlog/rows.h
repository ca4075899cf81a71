/*
 * rows.h - TABLE_MAP and the rows events, decoded into values.
 *
 *     table_map_decode(&ev, &fmt, &map, &err);          once per TABLE_MAP
 *     rows_open(&rows, &ev, &fmt, &map, &arena, &err);  once per rows event
 *     while ((rc = rows_next(&rows, before, after, &err)) > 0) ...
 *
 * 'before' and 'after' are arrays of map.n_cols values that the caller brings:
 * an insert fills 'after', a delete 'before', an update both; columns that an
 * image leaves out are VALUE_ABSENT.  Values point into the event or the arena.
 */
#ifndef SLUICE_BINLOG_ROWS_H
#define SLUICE_BINLOG_ROWS_H

#include "base/arena.h"
#include "base/cursor.h"
#include "binlog/event.h"
#include "binlog/value.h"

/* Column types as TABLE_MAP has them (enum_field_types of both servers). */
enum column_type {
    COL_DECIMAL = 0,
    COL_TINY = 1,
    COL_SHORT = 2,
    COL_LONG = 3,
    COL_FLOAT = 4,
    COL_DOUBLE = 5,
    COL_NULL = 6,
    COL_TIMESTAMP = 7,
    COL_LONGLONG = 8,
    COL_INT24 = 9,
    COL_DATE = 10,
    COL_TIME = 11,
    COL_DATETIME = 12,
    COL_YEAR = 13,
    COL_NEWDATE = 14,
    COL_VARCHAR = 15,
    COL_BIT = 16,
    COL_TIMESTAMP2 = 17,
    COL_DATETIME2 = 18,
    COL_TIME2 = 19,
    COL_BLOB_COMPRESSED = 140,
    COL_VARCHAR_COMPRESSED = 141, /* MariaDB */
    COL_VECTOR = 242,
    COL_JSON = 245,
    COL_NEWDECIMAL = 246,
    COL_ENUM = 247,
    COL_SET = 248,
    COL_TINY_BLOB = 249,
    COL_MEDIUM_BLOB = 250,
    COL_LONG_BLOB = 251,
    COL_BLOB = 252,
    COL_VAR_STRING = 253,
    COL_STRING = 254,
    COL_GEOMETRY = 255,
};

struct column;

/* Reads one value at 'at' and returns where the next begins; NULL if the bytes
 * up to 'end' hold no such value. */
typedef const uint8_t *(*column_decode)(const struct column *col, const uint8_t *at,
                                        const uint8_t *end, struct arena *arena, struct value *ret);

/* Collation number of bytes: a BINARY(n) value, logged without its trailing
 * zeros, is given back with them.  A caller who knows the column to be BINARY
 * (or UUID, INET6: MariaDB logs them so) and has no metadata sets 'collation'. */
#define COLLATION_BINARY 63

struct column {
    column_decode decode; /* of the type, from column.c */
    uint8_t type;  /* enum column_type, resolved: STRING that is really ENUM or SET says so */
    uint16_t meta; /* resolved likewise: bytes of length, most bytes, fraction digits, bits, or
                      precision << 8 | scale */
    bool nullable;
    bool is_unsigned;   /* from the optional metadata; else the caller sets it from the schema */
    bool as_text;       /* of an address: its text is the value, not its bytes */
    uint8_t address;    /* enum address_kind, MariaDB's UUID and INET: the caller sets it from the
                           schema; bytes are then put in the order of their text */
    uint32_t collation; /* 0: not said.  MySQL always says it, MariaDB with metadata only */
    /* only with binlog_row_metadata=FULL; else empty or false */
    struct slice name;
    bool primary_key;
    bool invisible;
};

struct table_map {
    uint64_t table_id;
    uint16_t flags;
    struct slice db, name;
    unsigned n_cols;
    struct column *cols; /* in the arena given to table_map_decode */
    bool has_signedness; /* is_unsigned is right as it stands */
    bool has_names;      /* FULL metadata */
};

/* Returns 0 or -EBADMSG.  Everything in 'ret' lives as long as the event's
 * bytes and the arena; table_map_dup() makes a copy that stands alone. */
int table_map_decode(const struct event *ev, const struct event_format *fmt, struct arena *arena,
                     struct table_map *ret, struct err *err);
struct table_map *table_map_dup(const struct table_map *m); /* one malloc; free() it */

enum rows_kind { ROWS_INSERT, ROWS_UPDATE, ROWS_DELETE };

#define ROWS_FLAG_END_OF_STATEMENT 0x01
#define ROWS_FLAG_NO_FOREIGN_KEY_CHECKS 0x02
#define ROWS_FLAG_NO_UNIQUE_KEY_CHECKS 0x04

struct rows {
    enum rows_kind kind;
    uint64_t table_id;
    uint16_t flags;
    const struct table_map *map;
    struct arena *arena;
    struct cursor body;                      /* at the next row */
    const uint8_t *before_cols, *after_cols; /* bitmaps of columns present */
    unsigned n_before, n_after;              /* how many are */
    bool partial;                            /* PARTIAL_UPDATE_ROWS */
    bool empty; /* images without a column: there is one row, of no bytes */
};

/* What a rows event of this type does; false: it is none. */
bool rows_kind_of(uint8_t type, enum rows_kind *ret);
/* The table id of a rows event, to find its map before rows_open(). */
int rows_table_id(const struct event *ev, const struct event_format *fmt, uint64_t *ret,
                  struct err *err);
/* 'map' is that of the rows' table id, or an equal one from before (ids change when a table is
 * opened anew): ids are the caller's to compare, the number of columns is checked. */
int rows_open(struct rows *r, const struct event *ev, const struct event_format *fmt,
              const struct table_map *map, struct arena *arena, struct err *err);
/* 1 a row, 0 the end, -EBADMSG. */
int rows_next(struct rows *r, struct value *before, struct value *after, struct err *err);

#endif
