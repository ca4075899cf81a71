#include "mysql/frame.h"

#include <errno.h>

#include "mysql/wire.h"

enum {
    FLUSH_SIZE = 256 << 10,
    LEND_FROM = 48 << 10, /* so much at once is sent from where it is */
    AT_TYPE = 4,
    SEMI_SYNC_MAGIC = 0xef,
    SEQ_AFTER_ASKING = 1, /* both ends count anew from the acknowledgement, which is 0 */
};

static size_t prefix_size(const struct frame *f)
{
    return f->semi_sync ? 3 : 1;
}

static void put_prefix(struct frame *f, bool ask)
{
    const uint8_t prefix[] = { 0, SEMI_SYNC_MAGIC, ask };

    buf_add(&f->wire->out, prefix, prefix_size(f));
}

static int put_bytes(struct frame *f, struct slice bytes, struct err *err)
{
    int rc = 0;

    if (f->lends)
        rc = wire_lend(f->wire, bytes, f->timeout_ms, err);
    else
        buf_add(&f->wire->out, bytes.data, bytes.size);
    if (rc == 0 && wire_queued(f->wire) >= FLUSH_SIZE)
        rc = wire_flush(f->wire, f->timeout_ms, err);
    return rc;
}

static bool is_skipped(const struct frame *f, const uint8_t *header)
{
    return f->skips_annotate && header[AT_TYPE] == EVENT_MARIADB_ANNOTATE_ROWS;
}

/* --- an event that is all here, and fits into a packet --- */

static bool is_whole(const struct frame *f, struct slice bytes)
{
    uint32_t size = bytes.size >= EVENT_HEADER_SIZE ? event_size(bytes.data) : 0;

    return f->event_left == 0 && f->header_size == 0 && size >= EVENT_HEADER_SIZE &&
           size <= bytes.size && size <= f->record_left && size + prefix_size(f) < WIRE_MAX_PIECE;
}

static int send_whole(struct frame *f, struct slice event, struct err *err)
{
    bool ask = f->ask && event.size == f->record_left;

    f->record_left -= event.size;
    if (is_skipped(f, event.data))
        return 0;
    wire_header(f->wire, event.size + prefix_size(f));
    put_prefix(f, ask);
    f->events++;
    f->bytes += event.size;
    if (ask)
        f->wire->seq = SEQ_AFTER_ASKING;
    return put_bytes(f, event, err);
}

/* --- an event in pieces, or in several packets --- */

static void begin_packet(struct frame *f, uint64_t payload)
{
    f->packet_full = payload >= WIRE_MAX_PIECE;
    f->packet_left = f->packet_full ? WIRE_MAX_PIECE : payload;
    wire_header(f->wire, f->packet_left);
}

/* Passes on what 'bytes' has of the event, up to the end of the packet; '*n': how much. */
static int pass(struct frame *f, struct slice bytes, size_t *n, struct err *err)
{
    size_t size = bytes.size < f->event_left ? bytes.size : f->event_left;
    int rc;

    if (!f->skipping && size > f->packet_left)
        size = f->packet_left;
    *n = size;
    f->event_left -= size;
    f->record_left -= size;
    if (f->skipping)
        return 0;
    rc = put_bytes(f, slice_of(bytes.data, size), err);
    f->packet_left -= size;
    if (f->packet_left == 0 && f->packet_full)
        begin_packet(f, f->event_left); /* perhaps an empty one: it says that there is no more */
    if (f->event_left == 0 && f->asking)
        f->wire->seq = SEQ_AFTER_ASKING;
    return rc;
}

/* The header is here. */
static int begin_event(struct frame *f, struct err *err)
{
    uint32_t size = event_size(f->header);
    size_t n;

    f->header_size = 0;
    if (size < EVENT_HEADER_SIZE || size > f->record_left)
        return err_set(err, -EBADMSG, "an event of %u bytes where %llu are left", (unsigned)size,
                       (unsigned long long)f->record_left);
    f->event_left = size;
    f->asking = f->ask && size == f->record_left;
    f->skipping = is_skipped(f, f->header);
    if (!f->skipping) {
        begin_packet(f, size + prefix_size(f));
        put_prefix(f, f->asking);
        f->packet_left -= prefix_size(f);
        f->events++;
        f->bytes += size;
    }
    return pass(f, slice_of(f->header, EVENT_HEADER_SIZE), &n, err);
}

static int take_header(struct frame *f, struct slice bytes, size_t *n, struct err *err)
{
    size_t size = EVENT_HEADER_SIZE - f->header_size;

    if (size > bytes.size)
        size = bytes.size;
    memcpy(f->header + f->header_size, bytes.data, size);
    f->header_size += size;
    *n = size;
    return f->header_size == EVENT_HEADER_SIZE ? begin_event(f, err) : 0;
}

/* --- both --- */

void frame_begin(struct frame *f, uint64_t size, bool ask)
{
    f->record_left = size;
    f->ask = ask;
    f->header_size = 0;
    f->event_left = 0;
}

int frame_bytes(struct frame *f, struct slice bytes, struct err *err)
{
    int rc = 0;

    f->lends = bytes.size >= LEND_FROM;
    while (rc == 0 && bytes.size) {
        size_t n;

        if (is_whole(f, bytes)) {
            n = event_size(bytes.data);
            rc = send_whole(f, slice_of(bytes.data, n), err);
        } else if (f->event_left) {
            rc = pass(f, bytes, &n, err);
        } else {
            rc = take_header(f, bytes, &n, err);
        }
        bytes = slice_of(bytes.data + n, bytes.size - n);
    }
    if (f->lends) { /* the bytes are the caller's again, whatever happened */
        struct err ignored = ERR_INIT;
        int sent = wire_flush(f->wire, f->timeout_ms, rc < 0 ? &ignored : err);

        rc = rc < 0 ? rc : sent;
        f->lends = false;
    }
    return rc;
}

int frame_event(struct frame *f, struct slice event, bool ask, struct err *err)
{
    frame_begin(f, event.size, ask);
    return frame_bytes(f, event, err);
}
