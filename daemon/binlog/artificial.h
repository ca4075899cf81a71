/*
 * artificial.h - events that are in no file: a server of binlogs makes them for one connection, to
 * say where it is.
 *
 * All are whole events, with a checksum when the stream has one then ('crc').  Appended to 'out'.
 *
 * Source: MySQL Source Code Documentation, "Rotate_event", "Heartbeat_event_v2"; MariaDB Knowledge
 * Base, "GTID_LIST_EVENT", "Fake Rotate Event"; both servers' streams as recorded.
 */
#ifndef SLUICE_BINLOG_ARTIFICIAL_H
#define SLUICE_BINLOG_ARTIFICIAL_H

#include "base/buf.h"
#include "binlog/gtid_set.h"

/* What follows is of 'file', from 'offset' on. */
void artificial_rotate(struct buf *out, uint32_t server_id, const char *file, uint64_t offset,
                       bool crc);
/* Nothing new up to 'offset'.  'v2': MySQL's, with all 64 bits of it. */
void artificial_heartbeat(struct buf *out, uint32_t server_id, const char *file, uint64_t offset,
                          bool v2, bool crc);

#define GTID_LIST_UNTIL_REACHED 0x10000000U /* of 'flags' */
/* MariaDB: whoever reads on at 'offset' has all of 'state'. */
void artificial_gtid_list(struct buf *out, uint32_t server_id, const struct gtid_set *state,
                          unsigned flags, uint64_t offset, bool crc);

/* A format description as it is sent: never "in use"; without its place ('log_pos' 0) when the
 * events before 'offset' are not sent; without the time at which the server started, which
 * would make a replica roll back, when what follows is not the file's beginning. */
void artificial_format(struct buf *out, struct slice stored, bool without_place,
                       bool without_created);

#endif
