/* table_priv.h - rows of information_schema that make a table_def: for table.c, which asks for one
 * table, and table_many.c, which asks for all of a schema. */
#ifndef SLUICE_MYSQL_TABLE_PRIV_H
#define SLUICE_MYSQL_TABLE_PRIV_H

#include "base/buf.h"
#include "mysql/table.h"

typedef void (*table_row_fn)(void *arg, const struct mysql_row *row);

/* Runs 'sql' (cleared afterwards) and gives each row to 'add'. */
int table_each_row(struct mysql_conn *c, struct buf *sql, table_row_fn add, void *arg,
                   struct err *err);

/* What is selected, from where, and who takes the row; 'arg' is the table_def.  Columns may
 * follow. */
#define TABLE_SELECT                                                  \
    "SELECT t.table_type, t.engine, t.table_collation, t.table_rows," \
    " COALESCE(t.data_length, 0) + COALESCE(t.index_length, 0), e.transactions"
#define TABLE_FROM                      \
    " FROM information_schema.tables t" \
    " LEFT JOIN information_schema.engines e ON e.engine = t.engine WHERE "
void table_add_table(void *arg, const struct mysql_row *row);

#define COLUMN_SELECT                                                        \
    "SELECT column_name, LOWER(data_type), column_type, character_set_name," \
    " collation_name, is_nullable, extra, column_default IS NULL"
#define COLUMN_FROM " FROM information_schema.columns WHERE "
void table_add_column(void *arg, const struct mysql_row *row);

/* Key by key, part by part. */
#define KEY_SELECT "SELECT index_name, seq_in_index, column_name, sub_part, non_unique"
#define KEY_FROM " FROM information_schema.statistics WHERE "
#define KEY_ORDER "index_name <> 'PRIMARY', non_unique, index_name, seq_in_index"
void table_add_key_part(void *arg, const struct mysql_row *row);

enum { FOREIGN_CHILD_DB = 1, FOREIGN_CHILD = 2, FOREIGN_PARENT = 4 }; /* columns of the row */
#define FOREIGN_SELECT                                                                 \
    "SELECT constraint_name, constraint_schema, table_name, unique_constraint_schema," \
    " referenced_table_name, update_rule, delete_rule"                                 \
    " FROM information_schema.referential_constraints WHERE "
void table_add_foreign(void *arg, const struct mysql_row *row);

/* Does InnoDB's own dictionary write the name as it is? */
bool table_plain_name(const char *s);

#endif
