/*
 * packet.h - what a server answers: OK, an error, a result set.
 *
 * Source: MySQL Source Code Documentation, "Generic Response Packets" and "Text Resultset".
 */
#ifndef SLUICE_MYSQL_PACKET_H
#define SLUICE_MYSQL_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "mysql/wire.h"

/* Errors that clients act on; packet_err() knows their SQLSTATE. */
enum {
    PACKET_TOO_MANY_CONNECTIONS = 1040,
    PACKET_ACCESS_DENIED = 1045,
    PACKET_UNKNOWN_COMMAND = 1047,
    PACKET_MALFORMED = 1835,
    PACKET_SYNTAX = 1064,
    PACKET_NO_SUCH_THREAD = 1094,
    PACKET_TOO_LARGE = 1153,
    PACKET_UNKNOWN_VARIABLE = 1193,
    PACKET_BINLOG = 1236, /* the only one that stops a replica */
    PACKET_NO_PREPARED = 1295,
    PACKET_BAD_GTID = 1941,
};

void packet_ok(struct wire *w);
void packet_ok_text(struct wire *w, const char *text); /* "": none */
void packet_eof(struct wire *w);
void packet_err(struct wire *w, unsigned code, const char *text);

/* A result set: columns first, then rows of texts. */
struct packet_column {
    const char *name; /* NULL ends a table */
    bool number;
};
void packet_columns(struct wire *w, const struct packet_column *columns, size_t n);
/* One row: begun, as many values as there are columns, ended. */
void packet_row(struct wire *w);
void packet_value(struct wire *w, struct slice text);
void packet_text(struct wire *w, const char *text); /* NULL is NULL */
void packet_number(struct wire *w, uint64_t number);
void packet_row_end(struct wire *w);

#endif
