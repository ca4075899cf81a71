/* verify_past_priv.h - what the files of a reading of the past share. */
#ifndef SLUICE_UNIT_VERIFY_PAST_PRIV_H
#define SLUICE_UNIT_VERIFY_PAST_PRIV_H

#include "binlog/rows.h"
#include "binlog/txn.h"
#include "mysql/table.h"
#include "unit/verify/verify_past.h"

/* A table that had rows. */
struct past_table {
    char *db, *name;
    bool in_scope;
    bool unsure; /* all of it is compared: its rows need not be named */
    struct table_def *def;
    unsigned *key;         /* its columns, by their place in the rows; */
    unsigned n_key;        /* ... 0: none in whose order both ends can be read */
    struct table_map *map; /* of the last TABLE_MAP, completed */
    void *body;            /* ... to know it again */
    size_t body_size;
};

struct past_tables {
    const struct verify_past_config *c;
    struct past_table **all; /* by name */
    unsigned n;
    struct past_open { /* of the transaction at hand */
        uint64_t id;
        struct past_table *table;
    } * open;
    size_t n_open, cap_open;
    struct arena arena;
};

void past_tables_fini(struct past_tables *t);
int past_tables_map(struct past_tables *t, const struct event *ev, const struct event_format *fmt,
                    struct err *err);
/* *n: how many were taken. */
int past_tables_rows(struct past_tables *t, const struct event *ev, const struct event_format *fmt,
                     size_t *n, struct err *err);
void past_tables_ended(struct past_tables *t); /* the transaction: ids mean nothing any more */
/* A statement: tables that it names may have been others before it. */
void past_tables_statement(struct past_tables *t, const struct query *q, enum flavor flavor);

#endif
