/*
 * build.h - binlog events made by hand.
 *
 *     struct buf b = BUF_INIT;
 *     build_event(&b, EVENT_XID, 0, next_pos, "\x01\0\0\0\0\0\0\0", 8, with_checksum);
 *     build_parse(&b, &fmt, &ev);
 */
#ifndef SLUICE_TESTS_BINLOG_BUILD_H
#define SLUICE_TESTS_BINLOG_BUILD_H

#include <criterion/criterion.h>

#include "base/buf.h"
#include "binlog/event.h"

static inline void build_event(struct buf *out, uint8_t type, uint16_t flags, uint32_t next_pos,
                               const void *body, size_t size, bool checksum)
{
    buf_clear(out);
    buf_le(out, 1700000000, 4);
    buf_le(out, type, 1);
    buf_le(out, 7, 4);
    buf_le(out, EVENT_HEADER_SIZE + size + (checksum ? 4 : 0), 4);
    buf_le(out, next_pos, 4);
    buf_le(out, flags, 2);
    buf_add(out, body, size);
    if (checksum)
        buf_le(out, event_crc32((uint8_t *)out->data, out->size), 4);
}

static inline void build_parse(const struct buf *b, const struct event_format *fmt,
                               struct event *ev)
{
    struct err err = ERR_INIT;

    cr_assert_eq(event_parse(slice_of(b->data, b->size), fmt, true, ev, &err), 0, "%s", err.text);
}

/* The body of a format description, 'created' as given; its checksum algorithm at the end. */
static inline void build_format(struct buf *out, const char *version, uint32_t created,
                                uint8_t algorithm)
{
    char name[50] = { 0 };

    memcpy(name, version, strlen(version));
    buf_clear(out);
    buf_le(out, 4, 2);
    buf_add(out, name, sizeof name);
    buf_le(out, created, 4);
    buf_le(out, EVENT_HEADER_SIZE, 1);
    for (int i = 1; i <= 42; i++)
        buf_le(out, i == EVENT_QUERY ? 13 : 8, 1);
    buf_le(out, algorithm, 1);
}

#endif
