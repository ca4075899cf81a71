/*
 * frame.h - stored events as the packets of a dump.
 *
 * Every event is a packet: one zero byte (three bytes when semi-synchronous), then the event as
 * it is stored.  Events come in pieces that end anywhere, and are passed on without being put
 * together: of each only the header is looked at, for its size and type.
 *
 * Source: MySQL Source Code Documentation, "Binlog Network Stream"; the kinds of packets and their
 * numbers as recorded between real servers.
 */
#ifndef SLUICE_MYSQL_FRAME_H
#define SLUICE_MYSQL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "binlog/event.h"

struct wire;

struct frame {
    struct wire *wire;
    int64_t timeout_ms;     /* without progress */
    bool semi_sync;         /* the session asked for it: the longer prefix */
    bool skips_annotate;    /* MariaDB: a client that does not want these events */
    bool lends;             /* the bytes at hand are sent without a copy */
    uint64_t events, bytes; /* sent */

    /* of the record that is being sent */
    uint64_t record_left;
    bool ask; /* its last event is to be acknowledged */
    /* of the event */
    uint8_t header[EVENT_HEADER_SIZE];
    size_t header_size;  /* bytes of it that are here */
    uint64_t event_left; /* to be passed on */
    bool skipping, asking;
    /* of the packet */
    uint64_t packet_left;
    bool packet_full; /* another belongs to it */
};

/* What follows are the events of a record of 'size' bytes. */
void frame_begin(struct frame *f, uint64_t size, bool ask);
/* Its next bytes.  -EBADMSG: these are no events; what wire_flush() returns. */
int frame_bytes(struct frame *f, struct slice bytes, struct err *err);
/* One whole event. */
int frame_event(struct frame *f, struct slice event, bool ask, struct err *err);

#endif
