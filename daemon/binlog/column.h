/*
 * column.h - one row per column type: what its metadata in TABLE_MAP looks like
 * and how its value is read from a row image.
 *
 * Source: MySQL Source Code Documentation, "Table_map_event" (column types and
 * metadata) and field.cc of both servers (pack).
 */
#ifndef SLUICE_BINLOG_COLUMN_H
#define SLUICE_BINLOG_COLUMN_H

#include "binlog/rows.h"

/* Reads the metadata of a column whose 'type' is set; resolves type, meta and
 * decode.  False: the type is not known or the metadata makes no sense. */
bool column_resolve(struct column *col, struct cursor *metadata);

/* Makes an old TIME, DATETIME or TIMESTAMP (MariaDB's of before 10.1.2) one with a fraction: the
 * metadata does not say, only the table's definition does.  No-op for other types. */
void column_set_old_fraction(struct column *col, unsigned digits);

/* Which columns an optional metadata field speaks about, in order. */
bool column_is_numeric(const struct column *col);
bool column_is_character(const struct column *col, enum flavor flavor);
bool column_is_enum_or_set(const struct column *col);

#endif
