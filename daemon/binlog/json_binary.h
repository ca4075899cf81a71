/*
 * json_binary.h - MySQL's binary JSON, as it stands in rows, into the text that
 * a SELECT gives.
 *
 * Containers are read in place: a value is its type and the bytes from its
 * start to the end of what holds it.  Damaged input makes functions return
 * false; nothing reads outside of the bytes given, nests deeper than
 * JSON_MAX_DEPTH or prints more than a sound value of that size could.
 *
 * Source: json_binary.h of the MySQL server (format) and json_dom.cc (text).
 */
#ifndef SLUICE_BINLOG_JSON_BINARY_H
#define SLUICE_BINLOG_JSON_BINARY_H

#include "base/arena.h"
#include "base/slice.h"

#define JSON_MAX_DEPTH 100 /* the server's own limit */

enum json_type {
    JSON_SMALL_OBJECT = 0,
    JSON_LARGE_OBJECT = 1,
    JSON_SMALL_ARRAY = 2,
    JSON_LARGE_ARRAY = 3,
    JSON_LITERAL = 4,
    JSON_INT16 = 5,
    JSON_UINT16 = 6,
    JSON_INT32 = 7,
    JSON_UINT32 = 8,
    JSON_INT64 = 9,
    JSON_UINT64 = 10,
    JSON_DOUBLE = 11,
    JSON_STRING = 12,
    JSON_OPAQUE = 15,
};

struct json_value {
    uint8_t type; /* enum json_type */
    struct slice data;
};

struct json_container {
    bool object, large;
    uint32_t n;        /* members */
    struct slice data; /* all of it */
};

static inline bool json_is_object(struct json_value v)
{
    return v.type <= JSON_LARGE_OBJECT;
}

static inline bool json_is_array(struct json_value v)
{
    return v.type == JSON_SMALL_ARRAY || v.type == JSON_LARGE_ARRAY;
}

/* The value of a whole document; none at all is the literal null. */
struct json_value json_of_binary(struct slice binary);
bool json_open(struct json_value v, struct json_container *ret);
/* Member 'i'; 'key' is set for objects only. */
bool json_member(const struct json_container *c, uint32_t i, struct slice *key,
                 struct json_value *ret);

/* Text that grows in an arena; goes bad when it would pass its limit. */
struct json_text {
    struct arena *arena;
    char *data;
    size_t size, cap, limit;
    bool bad;
};

struct json_text json_text_of(struct arena *arena, size_t binary_size);
void json_text_add(struct json_text *t, const void *p, size_t size);
void json_text_string(struct json_text *t, struct slice s); /* quoted */
bool json_binary_print(struct json_text *t, struct json_value v, unsigned depth);

/* The text of a column's value, in the arena. */
bool json_binary_text(struct slice binary, struct arena *arena, struct slice *ret);

#endif
