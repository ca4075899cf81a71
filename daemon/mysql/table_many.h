/*
 * table_many.h - table_read() for who reads many tables: of a schema with many that are wanted,
 * all are read at once, which takes a few questions instead of several a table.
 *
 *     struct table_many m = { .conn = c };
 *     table_many_want(&m, "shop", 10000);                  first, for each schema
 *     table_many_read(&m, "shop", "orders", &def, &err);   then, as table_read()
 *     table_many_fini(&m);
 *
 * A definition is as of the first reading of its schema; one that is not there then is asked for
 * by itself.
 */
#ifndef SLUICE_MYSQL_TABLE_MANY_H
#define SLUICE_MYSQL_TABLE_MANY_H

#include "mysql/table.h"

struct table_many {
    struct mysql_conn *conn;
    unsigned n_schemas;
    struct table_schema {
        char *db;
        unsigned n_wanted;
        bool read;
        unsigned n;
        struct table_slot {
            char *name;
            struct table_def *def; /* NULL: handed out */
        } * slots;                 /* by name */
    } * schemas;
};

void table_many_want(struct table_many *m, const char *db, unsigned n);
/* Returns 0 or -ENOENT.  The table is the caller's. */
int table_many_read(struct table_many *m, const char *db, const char *name, struct table_def **ret,
                    struct err *err);
void table_many_fini(struct table_many *m);

#endif
