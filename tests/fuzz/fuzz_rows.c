/* A rows event under a table map, both from the input: type, size of the map, map, rows. */
#include <assert.h>
#include <stdlib.h>

#include "base/scope.h"
#include "binlog/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct event_format fmt = { .flavor = FLAVOR_MYSQL };
    struct event map_event = { .type = EVENT_TABLE_MAP }, rows_event = { 0 };
    SCOPED(freep) struct table_map *copy = NULL;
    struct value *before, *after;
    struct table_map map;
    struct rows rows;
    struct err err;
    size_t n;

    if (size < 3)
        return 0;
    n = data[1] | (size_t)data[2] << 8;
    if (n > size - 3)
        return 0;
    fmt.flavor = data[0] & 0x80 ? FLAVOR_MARIADB : FLAVOR_MYSQL;
    rows_event.type = data[0] & 0x80 ? 144 + (data[0] & 0x3f) : data[0] & 0x3f;
    map_event.body = slice_of(data + 3, n);
    rows_event.body = slice_of(data + 3 + n, size - 3 - n);
    if (table_map_decode(&map_event, &fmt, &arena, &map, &err) < 0)
        return 0;
    copy = table_map_dup(&map);
    before = arena_alloc(&arena, map.n_cols * sizeof *before);
    after = arena_alloc(&arena, map.n_cols * sizeof *after);
    if (rows_open(&rows, &rows_event, &fmt, copy, &arena, &err) < 0)
        return 0;
    while (rows_next(&rows, before, after, &err) > 0)
        ;
    return 0;
}
