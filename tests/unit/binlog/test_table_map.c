#include "build.h"

#include <errno.h>

#include "base/scope.h"
#include "binlog/control.h"
#include "binlog/file.h"
#include "binlog/rows.h"

/* The first table map of g.<name> in a golden file; stands alone. */
static struct table_map *golden_map(const char *path, const char *name)
{
    struct arena arena = ARENA_INIT;
    struct binlog_file f = { 0 };
    struct event_format fmt = { 0 };
    struct table_map *found = NULL;
    struct err err = ERR_INIT;
    struct slice raw;
    uint32_t created;

    cr_assert_eq(binlog_file_open(&f, path, &err), 0, "%s", err.text);
    while (!found && binlog_file_next(&f, &raw, &err) > 0) {
        struct table_map map;
        struct event ev;

        cr_assert_eq(event_parse(raw, &fmt, true, &ev, &err), 0, "%s", err.text);
        if (ev.type == EVENT_FORMAT_DESCRIPTION)
            cr_assert_eq(format_decode(&ev, &fmt, &created, &err), 0);
        if (ev.type != EVENT_TABLE_MAP)
            continue;
        cr_assert_eq(table_map_decode(&ev, &fmt, &arena, &map, &err), 0, "%s", err.text);
        if (slice_eq(map.name, slice_str(name)))
            found = table_map_dup(&map);
    }
    binlog_file_close(&f);
    arena_fini(&arena);
    cr_assert(found, "no table map of %s", name);
    return found;
}

static void expect_column(const struct table_map *m, unsigned i, const char *name, uint8_t type,
                          uint16_t meta, uint32_t collation)
{
    cr_expect(slice_eq(m->cols[i].name, slice_str(name)), "%.*s", SLICE_ARG(m->cols[i].name));
    cr_expect_eq(m->cols[i].type, type, "%s: type %u", name, m->cols[i].type);
    cr_expect_eq(m->cols[i].meta, meta, "%s: metadata %u", name, m->cols[i].meta);
    cr_expect_eq(m->cols[i].collation, collation, "%s: collation %u", name, m->cols[i].collation);
}

Test(table_map, reads_full_metadata_of_mariadb)
{
    SCOPED(freep) struct table_map *m = golden_map("tests/golden/types/mariadb.binlog", "meta");

    cr_assert_eq(m->n_cols, 15);
    cr_expect(slice_eq(m->db, slice_str("g")));
    cr_expect(m->has_names && m->has_signedness);
    expect_column(m, 0, "id", COL_LONG, 0, 0);
    expect_column(m, 1, "name", COL_VARCHAR, 10, 8);
    expect_column(m, 2, "n2", COL_VARCHAR, 40, 45);
    expect_column(m, 3, "b", COL_STRING, 3, COLLATION_BINARY);
    expect_column(m, 4, "t", COL_BLOB, 2, 45);
    expect_column(m, 5, "y", COL_YEAR, 0, 0);
    expect_column(m, 6, "u", COL_NEWDECIMAL, 5 << 8 | 2, 0);
    expect_column(m, 7, "f", COL_FLOAT, 4, 0);
    expect_column(m, 8, "vc", COL_VARCHAR_COMPRESSED, 10, 8);
    expect_column(m, 9, "e", COL_ENUM, 1, 8);
    expect_column(m, 10, "g", COL_GEOMETRY, 4, COLLATION_BINARY);
    expect_column(m, 11, "n3", COL_VARCHAR, 4, COLLATION_BINARY);
    expect_column(m, 12, "bt", COL_BIT, 3, 0);
    expect_column(m, 13, "ts", COL_TIMESTAMP2, 2, 0);
    expect_column(m, 14, "i", COL_LONG, 0, 0);
    for (unsigned i = 0; i < m->n_cols; i++) {
        cr_expect_eq(m->cols[i].is_unsigned, i == 0 || i == 5 || i == 6, "column %u", i);
        cr_expect_eq(m->cols[i].primary_key, i <= 1, "column %u", i);
        cr_expect_eq(m->cols[i].nullable, i > 1, "column %u", i);
    }
}

Test(table_map, reads_full_metadata_of_mysql)
{
    SCOPED(freep) struct table_map *m = golden_map("tests/golden/types/mysql.binlog", "meta");

    cr_assert_eq(m->n_cols, 16);
    cr_expect(m->has_names && m->has_signedness);
    expect_column(m, 0, "id", COL_LONG, 0, 0);
    expect_column(m, 1, "name", COL_VARCHAR, 10, 8);
    expect_column(m, 2, "n2", COL_VARCHAR, 40, 255);
    expect_column(m, 3, "b", COL_STRING, 3, COLLATION_BINARY);
    expect_column(m, 4, "t", COL_BLOB, 2, 255);
    expect_column(m, 6, "u", COL_NEWDECIMAL, 5 << 8 | 2, 0);
    expect_column(m, 8, "e", COL_ENUM, 1, 8);
    expect_column(m, 9, "g", COL_GEOMETRY, 4, 0);
    expect_column(m, 10, "n3", COL_VARCHAR, 4, COLLATION_BINARY);
    expect_column(m, 11, "bt", COL_BIT, 3, 0);
    expect_column(m, 12, "ts", COL_TIMESTAMP2, 2, 0);
    expect_column(m, 13, "i", COL_LONG, 0, 0);
    expect_column(m, 14, "vc", COL_VECTOR, 4, COLLATION_BINARY);
    expect_column(m, 15, "j", COL_JSON, 4, 0);
    for (unsigned i = 0; i < m->n_cols; i++) {
        cr_expect_eq(m->cols[i].is_unsigned, i == 0 || i == 5 || i == 6, "column %u", i);
        cr_expect_eq(m->cols[i].primary_key, i <= 1, "column %u", i);
        cr_expect_eq(m->cols[i].invisible, i == 13, "column %u", i);
    }
}

Test(table_map, says_when_mariadb_tells_nothing)
{
    SCOPED(freep) struct table_map *m = golden_map("tests/golden/types/mariadb.binlog", "ints");

    cr_expect_not(m->has_names);
    cr_expect_not(m->has_signedness);
}

Test(table_map, unpacks_sizes_of_strings)
{
    SCOPED(freep) struct table_map *m = golden_map("tests/golden/types/mariadb.binlog", "strings");

    cr_expect_eq(m->cols[0].meta, 20, "CHAR(5) of utf8mb4");
    cr_expect_eq(m->cols[1].meta, 400, "two bits of 400 are in the type");
    cr_expect_eq(m->cols[2].meta, 255);
    cr_expect_eq(m->cols[4].meta, 255);
    for (unsigned i = 0; i <= 4; i++)
        cr_expect_eq(m->cols[i].type, COL_STRING);
}

Test(table_map, refuses_what_it_cannot_read)
{
    static const char map[] = "\1\0\0\0\0\0\1\0\1d\0\1t\0\2\3\x0f\2\x0a\0\0";
    struct event_format fmt = { 0 };
    struct err err = ERR_INIT;
    char odd[sizeof map];

    for (size_t n = 0; n < sizeof map - 1; n++) {
        SCOPED(arena_fini) struct arena arena = ARENA_INIT;
        struct event ev = { .type = EVENT_TABLE_MAP, .body = slice_of(map, n) };
        struct table_map m;

        cr_expect_eq(table_map_decode(&ev, &fmt, &arena, &m, &err), -EBADMSG, "%zu bytes", n);
    }
    memcpy(odd, map, sizeof map);
    odd[16] = (char)200; /* no such type */
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct event ev = { .type = EVENT_TABLE_MAP, .body = slice_of(odd, sizeof odd - 1) };
    struct table_map m;

    cr_expect_eq(table_map_decode(&ev, &fmt, &arena, &m, &err), -EBADMSG);
    cr_expect(strstr(err.text, "d.t"), "%s", err.text);
    cr_expect(strstr(err.text, "200"), "%s", err.text);
}
