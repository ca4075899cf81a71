/*
 * load_parse.h - a file of a dump (ours, mydumper's, mariadb-dump's) as statements and rows.
 *
 *     struct load_parser p;
 *     load_parser_init(&p, read, arg);
 *     while ((rc = load_parse_next(&p, &item, &err)) == 0 && item != LOAD_END)
 *         item == LOAD_ROW ? row(&p) : statement(p.statement);
 *     load_parser_fini(&p);
 *
 * INSERT ... VALUES is taken apart into rows, with every value as the bytes it
 * stands for; all other statements come whole, without the semicolon and out of
 * their executable comment.  Pure: bytes come from a callback, nothing is looked
 * up.  Memory is bounded by the largest row.
 *
 * Strings have backslash escapes, as all dumps do; what else a value can be is a
 * number, NULL, 0x.., x'..', b'..', a string with _binary or _utf8mb4 before it,
 * and CONVERT(.. USING utf8mb4).  Anything else is refused.
 */
#ifndef SLUICE_UNIT_LOAD_PARSE_H
#define SLUICE_UNIT_LOAD_PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"

enum load_item { LOAD_END, LOAD_STATEMENT, LOAD_ROW };

enum load_form {
    LOAD_NULL,
    LOAD_NUMBER, /* as it is written */
    LOAD_STRING, /* in the charset that SET NAMES said */
    LOAD_BYTES,  /* 0x.., x'..', b'..', _binary'..' */
    LOAD_UTF8,   /* _utf8mb4'..', CONVERT(.. USING utf8mb4) */
};

/* Most bytes of a row or a statement: what a server can hold (1 GiB), escaped. */
#define LOAD_MAX_ROW (2ull << 30)

struct load_parser {
    /* read by who asks; the bytes live until the next call */
    struct slice statement;
    char *table;    /* of the INSERT that the row is of */
    char **columns; /* its column list; none: n_columns is 0 */
    unsigned n_columns;
    unsigned n_values;
    const char **values; /* NULL for NULL */
    unsigned long *sizes;
    uint8_t *forms; /* enum load_form */

    /* its own */
    ssize_t (*read)(void *arg, char *to, size_t size);
    void *arg;
    char *data;
    size_t at, size, cap; /* data[at] is the next byte, data[size] the first not read yet */
    uint64_t base;        /* where data[0] is in the file */
    unsigned max_values;
    bool at_end, in_rows;
};

/* 'read' fills 'to' and returns the bytes, 0 at the end, <0 (a negative errno) on failure. */
void load_parser_init(struct load_parser *p, ssize_t (*read)(void *arg, char *to, size_t size),
                      void *arg);
void load_parser_fini(struct load_parser *p);

/* -EBADMSG: this is no dump, or it is cut off; load_parser_at() says where.  -E2BIG.
 * What 'read' returned. */
int load_parse_next(struct load_parser *p, enum load_item *ret, struct err *err);

/* Bytes of the file up to the end of the last item; after a failure, up to what it is about. */
uint64_t load_parser_at(const struct load_parser *p);

#endif
