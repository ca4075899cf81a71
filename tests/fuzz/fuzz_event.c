/* A whole stream of events: headers, every body that the grouper opens, maps and rows. */
#include "base/scope.h"
#include "binlog/rows.h"
#include "binlog/txn.h"

struct reader {
    struct grouper g;
    struct arena arena;
    struct table_map map;
    struct value *before, *after;
};

static void read_rows(struct reader *r, const struct event *ev)
{
    struct err err;
    struct rows rows;

    if (!r->map.n_cols || rows_open(&rows, ev, &r->g.fmt, &r->map, &r->arena, &err) < 0)
        return;
    r->before = arena_alloc(&r->arena, r->map.n_cols * sizeof *r->before);
    r->after = arena_alloc(&r->arena, r->map.n_cols * sizeof *r->after);
    while (rows_next(&rows, r->before, r->after, &err) > 0)
        ;
}

static void reader_fini(struct reader *r)
{
    grouper_fini(&r->g);
    arena_fini(&r->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(reader_fini) struct reader r = { 0 };
    struct err err;
    size_t at = 1;

    if (size < 1)
        return 0;
    grouper_init(&r.g, data[0] & 1 ? FLAVOR_MARIADB : FLAVOR_MYSQL,
                 &(struct position){ .file = "b.1", .offset = 4 });
    while (size - at >= EVENT_HEADER_SIZE) {
        size_t n = event_size(data + at);
        struct event ev;
        int step;

        if (n < EVENT_HEADER_SIZE || n > size - at)
            n = size - at; /* a wrong size must be found too */
        if (event_parse(slice_of(data + at, n), &r.g.fmt, data[0] & 2, &ev, &err) < 0)
            return 0;
        at += n;
        step = grouper_feed(&r.g, &ev, &err);
        if (step < 0)
            return 0;
        if (step == TXN_MAP && table_map_decode(&ev, &r.g.fmt, &r.arena, &r.map, &err) < 0)
            r.map.n_cols = 0;
        if (step == TXN_ROWS)
            read_rows(&r, &ev);
    }
    return 0;
}
