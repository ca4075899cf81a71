/*
 * control.h - the events that speak about the log itself: format description,
 * rotate, heartbeat.
 *
 * Sources: MySQL Source Code Documentation, "Format_description_event",
 * "Rotate_event", "Heartbeat_event_v2"; MariaDB Knowledge Base, "Replication
 * Protocol".  All return 0 or -EBADMSG; slices point into the event.
 */
#ifndef SLUICE_BINLOG_CONTROL_H
#define SLUICE_BINLOG_CONTROL_H

#include "binlog/event.h"

/* 'created' is not 0 when the server started with this file: a transaction that
 * the file before left open is void. */
int format_decode(const struct event *ev, struct event_format *ret, uint32_t *created,
                  struct err *err);

struct rotate {
    uint64_t offset; /* in the next file */
    struct slice file;
};
int rotate_decode(const struct event *ev, struct rotate *ret, struct err *err);

struct heartbeat {
    uint64_t offset; /* where the source's dump is; 32 bits of it only if !whole */
    bool whole;
    struct slice file;
};
int heartbeat_decode(const struct event *ev, enum flavor flavor, struct heartbeat *ret,
                     struct err *err);

#endif
