/*
 * prewrite.h - a stored transaction as TiDB-Binlog's /debug/binlog/{ts} shows it.
 *
 *     tp:Commit start_ts:41251… commit_ts:41251… prewrite_key:"0-1-77"
 *
 *      PrewriteValue:
 *     …
 *
 * One line in the style of protobuf's text format, of the fields that are set, then what is in it.
 * There are no keys of a storage with us: the key is what the source calls the transaction, its
 * GTID or else its file and offset.
 */
#ifndef SLUICE_HTTP_PREWRITE_H
#define SLUICE_HTTP_PREWRITE_H

#include <jansson.h>

struct buf;

/* 'record' is the file binlog/<commit_ts>.json, 'dump' the file binlog/<commit_ts>. */
void prewrite_text(long long commit_ts, const json_t *record, const char *dump, struct buf *out);

/* "…" with C escapes, octal where nothing else will do. */
void prewrite_quote(const char *text, size_t size, struct buf *out);

#endif
