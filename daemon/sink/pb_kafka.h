/*
 * pb_kafka.h - TiDB-Binlog's messages of Kafka, one transaction each.
 *
 * Source: pingcap/tidb-tools tidb-binlog/proto/proto/secondary_binlog.proto (fields), and the type
 * table of the manual.  Pure.
 */
#ifndef SLUICE_SINK_PB_KAFKA_H
#define SLUICE_SINK_PB_KAFKA_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "sink/change.h"

/* Appends the message. */
void pb_kafka_encode(const struct change_txn *t, struct buf *out);

/* For consumers: everything of 'ret' points into 'message' or is in 'arena'.  -EBADMSG. */
int pb_kafka_decode(struct slice message, struct arena *arena, struct change_txn *ret,
                    struct err *err);

#endif
