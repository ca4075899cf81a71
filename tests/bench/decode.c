/*
 * Decodes every row of binlog files into values, and throws them away.
 *
 *     bench_decode FILE...      prints events, rows, values, bytes, seconds and MB/s
 *
 * It does what the daemon does and no less: checksums, grouping into transactions, table maps
 * (decoded anew only when they changed), every value of every row.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/file.h"
#include "binlog/payload.h"
#include "binlog/rows.h"
#include "binlog/txn.h"

#define MAX_COLUMNS 4096
#define KNOWN 64 /* maps kept, by table id modulo this */
#define PAYLOAD_EVENT_LIMIT ((size_t)1 << 30)

struct known_map {
    struct buf body;
    struct table_map *map;
};

struct decoder {
    struct grouper grouper;
    struct arena arena;
    struct known_map known[KNOWN];
    struct value before[MAX_COLUMNS], after[MAX_COLUMNS];
    uint64_t events, transactions, rows, values, bytes;
};

static int decode_event(struct decoder *d, const struct event *ev, struct err *err);

static int keep_map(struct decoder *d, const struct event *ev, struct err *err)
{
    struct known_map *k = &d->known[ev->body.data[0] % KNOWN];
    struct table_map map;
    int rc;

    if (k->map && slice_eq(slice_of(k->body.data, k->body.size), ev->body))
        return 0;
    rc = table_map_decode(ev, &d->grouper.fmt, &d->arena, &map, err);
    if (rc < 0)
        return rc;
    free(k->map);
    k->map = table_map_dup(&map);
    buf_clear(&k->body);
    buf_add(&k->body, ev->body.data, ev->body.size);
    return 0;
}

static int decode_rows(struct decoder *d, const struct event *ev, struct err *err)
{
    const struct known_map *k = &d->known[ev->body.data[0] % KNOWN];
    struct rows rows;
    int rc;

    if (!k->map)
        return err_set(err, -1, "rows without a table map");
    rc = rows_open(&rows, ev, &d->grouper.fmt, k->map, &d->arena, err);
    while (rc >= 0 && (rc = rows_next(&rows, d->before, d->after, err)) > 0) {
        d->rows++;
        d->values +=
            (rows.kind != ROWS_INSERT) * rows.n_before + (rows.kind != ROWS_DELETE) * rows.n_after;
        if (d->arena.size > (1 << 20))
            arena_clear(&d->arena);
    }
    return rc;
}

static int decode_payload(struct decoder *d, const struct event *ev, struct err *err)
{
    SCOPED(payload_close) struct payload p = { 0 };
    struct event inner;
    int rc = payload_open(&p, ev, PAYLOAD_EVENT_LIMIT, err);

    while (rc >= 0 && (rc = payload_next(&p, &inner, err)) > 0)
        rc = decode_event(d, &inner, err);
    return rc;
}

static int decode_event(struct decoder *d, const struct event *ev, struct err *err)
{
    int step = grouper_feed(&d->grouper, ev, err);

    d->events++;
    switch (step) {
    case TXN_MAP:
        return keep_map(d, ev, err);
    case TXN_ROWS:
        return decode_rows(d, ev, err);
    case TXN_PAYLOAD:
        return decode_payload(d, ev, err);
    case TXN_COMMIT:
    case TXN_DDL:
        d->transactions++;
        arena_clear(&d->arena);
        return 0;
    default:
        return step < 0 ? step : 0;
    }
}

static int decode_file(struct decoder *d, const char *path, struct err *err)
{
    SCOPED(binlog_file_close) struct binlog_file f = { 0 };
    struct slice raw;
    int rc = binlog_file_open(&f, path, err);

    while (rc >= 0 && (rc = binlog_file_next(&f, &raw, err)) > 0) {
        struct event ev;

        rc = event_parse(raw, &d->grouper.fmt, true, &ev, err);
        if (rc == 0)
            rc = decode_event(d, &ev, err);
        d->bytes += raw.size;
    }
    return rc < 0 ? err_wrap(err, "%s", path) : 0;
}

int main(int argc, char **argv)
{
    struct decoder *d = xcalloc(1, sizeof *d);
    struct err err = ERR_INIT;
    int64_t began = clock_mono_us(), took;

    grouper_init(&d->grouper, FLAVOR_MARIADB, &(struct position){ .offset = 4 });
    for (int i = 1; i < argc; i++) {
        if (decode_file(d, argv[i], &err) < 0) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
    }
    took = clock_mono_us() - began;
    printf("events=%" PRIu64 " transactions=%" PRIu64 " rows=%" PRIu64 " values=%" PRIu64
           " bytes=%" PRIu64 " seconds=%.3f mb_s=%.0f ns_per_value=%.1f\n",
           d->events, d->transactions, d->rows, d->values, d->bytes, (double)took / 1e6,
           (double)d->bytes / (double)(took ? took : 1),
           (double)took * 1000 / (double)(d->values ? d->values : 1));
    return 0;
}
