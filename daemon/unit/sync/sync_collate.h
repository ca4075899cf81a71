/*
 * sync_collate.h - the collations and types that a DDL of the stream names, as
 * the other flavour calls them.
 *
 * A statement of the stream is as a person wrote it, and the target is the only
 * full parser.  But what every dump of one flavour says, COLLATE
 * utf8mb4_0900_ai_ci, the other refuses: that one word is told in its own.  So
 * are UUID, INET6 and INET4 (binlog/address.h), where they can only be the type
 * of a column: behind its name, and before what may follow a type.
 * Pure.
 */
#ifndef SLUICE_UNIT_SYNC_COLLATE_H
#define SLUICE_UNIT_SYNC_COLLATE_H

#include "base/buf.h"
#include "base/slice.h"
#include "mysql/dialect.h"

/* Appends 'sql' to 'out'.  'ansi_quotes' and 'no_backslash_escapes' as ddl_scan(). */
void collate_translate(struct slice sql, bool ansi_quotes, bool no_backslash_escapes,
                       struct server_kind from, struct server_kind to, struct buf *out);

#endif
