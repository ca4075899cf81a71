/*
 * sync_session.h - the session in which a statement of the source ran, as a SET
 * for the target: sql_mode, character sets, time zone, time, checks.
 *
 * Pure.
 */
#ifndef SLUICE_UNIT_SYNC_SESSION_H
#define SLUICE_UNIT_SYNC_SESSION_H

#include "base/buf.h"
#include "binlog/query_context.h"

#define SESSION_ANSI_QUOTES (1u << 2)
#define SESSION_NO_BACKSLASH_ESCAPES (1u << 20)

/* One SET statement without ';'.  Between flavours, what the other does not know is left out.
 * 'system_zone' stands for the source's SYSTEM; NULL: it is the target's. */
void session_sql(const struct query_context *ctx, uint32_t timestamp, enum flavor from,
                 enum flavor to, const char *system_zone, struct buf *out);
/* Brings the session back to what a sink needs beyond its own settings. */
extern const char session_restore[];

#endif
