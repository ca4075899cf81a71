/*
 * copy_dialect.h - a SHOW CREATE TABLE of one flavour as the other takes it.
 *
 * Pure text to text.  The statement is the server's own canonical form, so a
 * token list and a few rules are enough:
 *
 *   column types, collations            mysql/dialect.h
 *   engines                             what MySQL does not have becomes InnoDB
 *   table options of one flavour only   left out
 *   DEFAULT of an expression            in parentheses for MySQL
 *   executable comments of MySQL 8      MariaDB skips them: written out
 *
 * What has no counterpart (system versioning, functional keys, ...) is refused
 * with a sentence that says what it is.
 */
#ifndef SLUICE_UNIT_COPY_DIALECT_H
#define SLUICE_UNIT_COPY_DIALECT_H

#include "base/buf.h"
#include "base/err.h"
#include "mysql/dialect.h"

/* Appends 'create' as 'to' takes it to 'out'.  -ENOTSUP: it cannot be translated. */
int copy_dialect_create(const char *create, struct server_kind from, struct server_kind to,
                        struct buf *out, struct err *err);

#endif
