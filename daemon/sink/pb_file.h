/*
 * pb_file.h - TiDB-Binlog's binlog files, as drainer writes and reparo reads them.
 *
 * A file is a sequence of records: magic (u32), length of the payload (u64), payload, CRC-32C of
 * the payload (u32), little-endian.  A payload is a protobuf message Binlog: type, commit_ts, and
 * either row events or a statement.  A row event has its columns each as a message of its own:
 * name, type, TiDB's name of the type, value, and of an update the value after it; values are in
 * TiDB's codec (a flag byte, then the value).
 *
 * Source: pingcap/tidb-binlog proto/binlog.proto, pkg/binlogfile/encoder.go, drainer/translator/
 * pb.go; pingcap/tidb util/codec/codec.go.
 *
 * Pure.
 */
#ifndef SLUICE_SINK_PB_FILE_H
#define SLUICE_SINK_PB_FILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "sink/change.h"

#define PB_FILE_MAGIC 471532804u
#define PB_FILE_HEAD 12 /* before the payload */
#define PB_FILE_TAIL 4  /* after it */
#define PB_FILE_MAX ((uint64_t)2 << 30)

/* Appends the payload.  An update's columns that one image lacks have the value of the other. */
void pb_file_encode(const struct change_txn *t, struct buf *out);
/* Everything of 'ret' points into 'payload' or is in 'arena'.  -EBADMSG. */
int pb_file_decode(struct slice payload, struct arena *arena, struct change_txn *ret,
                   struct err *err);

/* Appends a record with this payload. */
void pb_file_frame(struct slice payload, struct buf *out);
/* The record that begins at 'c': 1 and its payload, c behind it; 0: 'c' is at its end; -ENODATA:
 * what is there is no whole record (*need bytes would be); -EBADMSG: damaged. */
int pb_file_next(struct cursor *c, struct slice *payload, uint64_t *need, struct err *err);

uint32_t pb_crc32c(const void *bytes, size_t size);

/* "use `db`; " of a statement taken off it: the schema ("" if there is none), unquoted, in
 * 'arena', and what remains. */
void pb_file_statement(struct slice query, struct arena *arena, const char **schema,
                       struct slice *rest);

#endif
