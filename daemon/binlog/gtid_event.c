#include "binlog/gtid_event.h"

#include <errno.h>

#include "base/cursor.h"
#include "binlog/varlen.h"

#define LOGICAL_CLOCK 2
#define HAS_ORIGINAL_TIME ((uint64_t)1 << 55)
#define HAS_ORIGINAL_VERSION (1u << 31)

/* What follows the GTID was added release by release: each part is there or the event ends. */
static void decode_mysql_tail(struct cursor *c, struct gtid_event *e)
{
    if (cursor_left(c) >= 17 && cursor_u8(c) == LOGICAL_CLOCK) {
        e->last_committed = (int64_t)cursor_u64(c);
        e->sequence_number = (int64_t)cursor_u64(c);
    }
    if (cursor_left(c) >= 7) {
        uint64_t t = cursor_le(c, 7);

        e->immediate_commit_us = e->original_commit_us = (int64_t)(t & ~HAS_ORIGINAL_TIME);
        if (t & HAS_ORIGINAL_TIME)
            e->original_commit_us = (int64_t)cursor_le(c, 7);
    }
    if (cursor_left(c) >= 1)
        e->transaction_size = cursor_lenenc(c);
    if (cursor_left(c) >= 4) {
        e->immediate_version = e->original_version = cursor_u32(c);
        if (e->immediate_version & HAS_ORIGINAL_VERSION) {
            e->immediate_version &= ~HAS_ORIGINAL_VERSION;
            e->original_version = cursor_u32(c);
        }
    }
}

static void decode_mysql(struct cursor *c, bool anonymous, struct gtid_event *e)
{
    struct slice uuid;

    e->flags = cursor_u8(c);
    uuid = cursor_bytes(c, sizeof e->gtid.uuid);
    e->gtid.number = cursor_u64(c);
    if (uuid.size)
        memcpy(e->gtid.uuid, uuid.data, uuid.size);
    if (anonymous)
        e->gtid.number = 0;
    decode_mysql_tail(c, e);
}

/* The fields of a tagged GTID, by their number in the serialized message. */
enum tagged_field {
    FIELD_FLAGS,
    FIELD_UUID,
    FIELD_NUMBER,
    FIELD_TAG,
    FIELD_LAST_COMMITTED,
    FIELD_SEQUENCE_NUMBER,
    FIELD_IMMEDIATE_TIME,
    FIELD_ORIGINAL_TIME,
    FIELD_TRANSACTION_SIZE,
    FIELD_IMMEDIATE_VERSION,
    FIELD_ORIGINAL_VERSION,
    FIELD_COMMIT_TICKET,
};

static void decode_tagged_field(struct cursor *c, uint64_t field, struct gtid_event *e)
{
    if (field == FIELD_FLAGS)
        e->flags = (uint8_t)cursor_varlen(c);
    else if (field == FIELD_UUID)
        for (size_t i = 0; i < sizeof e->gtid.uuid; i++)
            e->gtid.uuid[i] = (uint8_t)cursor_varlen(c);
    else if (field == FIELD_NUMBER)
        e->gtid.number = (uint64_t)cursor_varlen_signed(c);
    else if (field == FIELD_TAG)
        c->bad |= !gtid_tag(&e->gtid, cursor_bytes(c, cursor_varlen(c)));
    else if (field == FIELD_LAST_COMMITTED)
        e->last_committed = cursor_varlen_signed(c);
    else if (field == FIELD_SEQUENCE_NUMBER)
        e->sequence_number = cursor_varlen_signed(c);
    else if (field == FIELD_IMMEDIATE_TIME)
        e->immediate_commit_us = e->original_commit_us = (int64_t)cursor_varlen(c);
    else if (field == FIELD_ORIGINAL_TIME)
        e->original_commit_us = (int64_t)cursor_varlen(c);
    else if (field == FIELD_TRANSACTION_SIZE)
        e->transaction_size = cursor_varlen(c);
    else if (field == FIELD_IMMEDIATE_VERSION)
        e->immediate_version = e->original_version = (uint32_t)cursor_varlen(c);
    else if (field == FIELD_ORIGINAL_VERSION)
        e->original_version = (uint32_t)cursor_varlen(c);
}

static void decode_tagged(struct cursor *c, struct gtid_event *e)
{
    uint64_t version = cursor_varlen(c), last_needed;

    (void)cursor_varlen(c); /* size of the message */
    last_needed = cursor_varlen(c);
    if (version != 1 || last_needed > FIELD_COMMIT_TICKET) {
        c->bad = true; /* a newer server says that this reader would miss something */
        return;
    }
    while (cursor_left(c) && !c->bad) {
        uint64_t field = cursor_varlen(c);

        if (field >= FIELD_COMMIT_TICKET)
            break; /* fields come in order; what follows is newer than we are */
        decode_tagged_field(c, field, e);
    }
}

/* Sizes of fields that are not flagged are absent, zeros pad the event. */
static void decode_mariadb(struct cursor *c, struct gtid_event *e)
{
    e->gtid.number = cursor_u64(c);
    e->gtid.domain = cursor_u32(c);
    e->flags = cursor_u8(c);
    if (e->flags & GTID_GROUP_COMMIT)
        e->commit_id = cursor_u64(c);
    if (e->flags & (GTID_PREPARED_XA | GTID_COMPLETED_XA)) {
        size_t gtrid_size, bqual_size;

        e->xid.format = cursor_u32(c);
        gtrid_size = cursor_u8(c);
        bqual_size = cursor_u8(c);
        e->xid.gtrid = cursor_bytes(c, gtrid_size);
        e->xid.bqual = cursor_bytes(c, bqual_size);
    }
    if (cursor_left(c))
        e->flags_extra = cursor_u8(c);
}

int gtid_event_decode(const struct event *ev, struct gtid_event *ret, struct err *err)
{
    struct cursor c = cursor_of(ev->body);
    struct gtid_event e = { .gtid.flavor = FLAVOR_MYSQL, .gtid.server_id = ev->server_id };

    if (ev->type == EVENT_MARIADB_GTID) {
        e.gtid.flavor = FLAVOR_MARIADB;
        decode_mariadb(&c, &e);
    } else if (ev->type == EVENT_GTID_TAGGED) {
        decode_tagged(&c, &e);
    } else {
        decode_mysql(&c, ev->type == EVENT_ANONYMOUS_GTID, &e);
    }
    if (c.bad)
        return err_set(err, -EBADMSG, "%s event of %zu bytes cannot be read",
                       event_type_name(ev->type), ev->raw.size);
    *ret = e;
    return 0;
}
