/*
 * Real binlogs in which the server wrote down, after each table, what it itself says is in it
 * (table 'expected'): every column type with edge values, decoded here and compared.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/address.h"
#include "binlog/json_diff.h"
#include "story.h"

#define MAX_LINES 64

struct table {
    char name[64];
    char *ours[MAX_LINES], *theirs[MAX_LINES];
    unsigned n_ours, n_theirs;
};

struct tables {
    bool images; /* keep every row, with its kind and both images */
    struct table list[32];
    unsigned n;
};

static struct table *table_named(struct tables *t, struct slice name)
{
    for (unsigned i = 0; i < t->n; i++)
        if (slice_eq(slice_str(t->list[i].name), name))
            return &t->list[i];
    cr_assert_lt(t->n, ARRAY_LEN(t->list));
    snprintf(t->list[t->n].name, sizeof t->list[t->n].name, "%.*s", SLICE_ARG(name));
    return &t->list[t->n++];
}

static void add_diffs(struct buf *out, const struct value *v)
{
    static const char *const ops[] = { "replace", "insert", "remove" };
    struct cursor c = cursor_of(slice_of(v->p, v->size));
    struct arena arena = ARENA_INIT;
    struct json_diff d;

    while (json_diff_next(&c, &d) > 0) {
        struct slice text = { 0 };

        cr_assert(d.op == JSON_DIFF_REMOVE || json_binary_text(d.value, &arena, &text));
        buf_printf(out, "%s %.*s %.*s;", ops[d.op], SLICE_ARG(d.path), SLICE_ARG(text));
    }
    cr_assert(!c.bad);
    arena_fini(&arena);
}

static void add_value(struct buf *out, const struct value *v, uint8_t type)
{
    switch (v->kind) {
    case VALUE_ABSENT:
        buf_str(out, "ABSENT");
        break;
    case VALUE_NULL:
        buf_str(out, "NULL");
        break;
    case VALUE_INT:
        buf_printf(out, type == COL_YEAR ? "%04" PRId64 : "%" PRId64, v->i);
        break;
    case VALUE_UINT:
        buf_printf(out, "%" PRIu64, v->u);
        break;
    case VALUE_BYTES:
        for (uint32_t i = 0; i < v->size; i++)
            buf_printf(out, "%02X", v->p[i]);
        break;
    case VALUE_FLOAT:
        buf_printf(out, "%.6g", (double)v->f);
        break;
    case VALUE_DOUBLE:
        buf_printf(out, "%.17g", v->d);
        break;
    case VALUE_JSON_DIFF:
        add_diffs(out, v);
        break;
    default:
        buf_add(out, v->p, v->size);
        break;
    }
}

static char *line_of(const struct table_map *map, const struct value *v)
{
    struct buf out = BUF_INIT;

    for (unsigned i = 0; i < map->n_cols; i++) {
        if (i)
            buf_byte(&out, '|');
        add_value(&out, &v[i], map->cols[i].type);
    }
    return buf_steal(&out);
}

/* MariaDB's table maps say little: the rest comes from the schema, as in the daemon. */
static void add_schema(struct table_map *map)
{
    if (slice_eq(map->name, slice_str("ints")))
        for (unsigned i = 1; i < 10; i += 2)
            map->cols[i].is_unsigned = true;
    if (slice_eq(map->name, slice_str("strings")))
        map->cols[3].collation = map->cols[4].collation = COLLATION_BINARY;
    if (slice_eq(map->name, slice_str("odd"))) {
        map->cols[0].address = ADDRESS_UUID;
        map->cols[1].collation = map->cols[2].collation = COLLATION_BINARY;
    }
}

static void take_row(struct tables *t, const struct rows *rows, const struct value *v)
{
    const struct table_map *map = rows->map;

    if (slice_eq(map->name, slice_str("expected"))) {
        struct table *of = table_named(t, slice_of(v[0].p, v[0].size));

        cr_assert_lt(of->n_theirs, MAX_LINES);
        of->theirs[of->n_theirs++] = xstrndup((const char *)v[1].p, v[1].size);
    } else {
        struct table *of = table_named(t, map->name);

        if (of->n_ours < MAX_LINES)
            of->ours[of->n_ours++] = line_of(map, v);
    }
}

static void take_images(struct tables *t, const struct rows *rows, const struct value *before,
                        const struct value *after)
{
    struct table *of = table_named(t, rows->map->name);
    SCOPED(freep) char *old = rows->kind == ROWS_INSERT ? NULL : line_of(rows->map, before);
    SCOPED(freep) char *new = rows->kind == ROWS_DELETE ? NULL : line_of(rows->map, after);

    if (of->n_ours == MAX_LINES)
        return;
    of->ours[of->n_ours++] = rows->kind == ROWS_INSERT   ? xasprintf("insert %s", new)
                             : rows->kind == ROWS_DELETE ? xasprintf("delete %s", old)
                                                         : xasprintf("update %s to %s", old, new);
}

static void read_all(const char *path, struct tables *t)
{
    struct binlog_file f = { 0 };
    struct err err = ERR_INIT;
    struct arena arena = ARENA_INIT;
    struct event_format fmt = { 0 };
    struct table_map map = { 0 };
    struct value before[32], after[32];
    struct grouper g;
    struct slice raw;

    grouper_init(&g, FLAVOR_MYSQL, &(struct position){ .offset = 4 });
    cr_assert_eq(binlog_file_open(&f, path, &err), 0, "%s", err.text);
    while (binlog_file_next(&f, &raw, &err) > 0) {
        struct event ev;
        struct rows rows;
        int step;

        cr_assert_eq(event_parse(raw, &fmt, true, &ev, &err), 0, "%s", err.text);
        step = grouper_feed(&g, &ev, &err);
        cr_assert_geq(step, 0, "%s", err.text);
        fmt = g.fmt;
        if (step == TXN_MAP) {
            cr_assert_eq(table_map_decode(&ev, &fmt, &arena, &map, &err), 0, "%s", err.text);
            if (fmt.flavor == FLAVOR_MARIADB)
                add_schema(&map);
        }
        if (step != TXN_ROWS)
            continue;
        cr_assert_eq(rows_open(&rows, &ev, &fmt, &map, &arena, &err), 0, "%s", err.text);
        while (rows_next(&rows, before, after, &err) > 0)
            if (t->images)
                take_images(t, &rows, before, after);
            else if (rows.kind == ROWS_INSERT || rows.partial)
                take_row(t, &rows, after);
        cr_assert_eq(err.code, 0, "%s", err.text);
    }
    cr_assert_eq(err.code, 0, "%s", err.text);
    grouper_fini(&g);
    binlog_file_close(&f);
    arena_fini(&arena);
}

static void expect_same(struct tables *t, const char *name, unsigned n)
{
    struct table *of = table_named(t, slice_str(name));

    cr_expect_eq(of->n_theirs, n, "%s: %u lines of the server, not %u", name, of->n_theirs, n);
    cr_assert_geq(of->n_ours, of->n_theirs, "%s", name);
    for (unsigned i = 0; i < of->n_theirs; i++)
        cr_expect_str_eq(of->ours[i], of->theirs[i], "%s row %u:\n  %.300s\nnot %.300s", name,
                         i + 1, of->ours[i], of->theirs[i]);
}

static void free_tables(struct tables *t)
{
    for (unsigned i = 0; i < t->n; i++)
        for (unsigned k = 0; k < MAX_LINES; k++) {
            free(t->list[i].ours[k]);
            free(t->list[i].theirs[k]);
        }
}

Test(rows, give_what_mariadb_says)
{
    SCOPED(free_tables) struct tables t = { 0 };

    read_all("tests/golden/types/mariadb.binlog", &t);

    expect_same(&t, "ints", 4);
    expect_same(&t, "decimals", 5);
    expect_same(&t, "times", 4);
    expect_same(&t, "old_times", 3);
    expect_same(&t, "strings", 4);
    expect_same(&t, "sets", 4);
    expect_same(&t, "wide_sets", 2);
    expect_same(&t, "odd", 5);
}

Test(rows, give_what_mysql_says)
{
    SCOPED(free_tables) struct tables t = { 0 };

    read_all("tests/golden/types/mysql.binlog", &t);

    expect_same(&t, "ints", 3);
    expect_same(&t, "decimals", 3);
    expect_same(&t, "times", 2);
    expect_same(&t, "strings", 3);
    expect_same(&t, "js", 12);
}

Test(rows, apply_partial_json_updates)
{
    SCOPED(free_tables) struct tables t = { 0 };
    struct table *pj;

    read_all("tests/golden/types/mysql.binlog", &t);

    /* the first of ours is the insert; the images of the last two have no JSON from before, and
     * where a diff would be larger the server sends the whole value */
    pj = table_named(&t, slice_str("pj"));
    cr_assert_eq(pj->n_ours, 8);
    cr_assert_eq(pj->n_theirs, 7);
    for (unsigned i = 0; i < 5; i++)
        cr_expect_str_eq(pj->ours[i + 1], pj->theirs[i]);
    cr_expect_str_eq(pj->ours[6], "ABSENT|replace $.a 7;|ABSENT|ABSENT");
    cr_expect_str_eq(pj->ours[7], "ABSENT|ABSENT|{\"z\": 2}|ABSENT");
}

static void expect_ours(struct tables *t, const char *name, const char *const *lines, unsigned n)
{
    struct table *of = table_named(t, slice_str(name));

    cr_expect_eq(of->n_ours, n, "%s: %u rows", name, of->n_ours);
    for (unsigned i = 0; i < of->n_ours && i < n; i++)
        cr_expect_str_eq(of->ours[i], lines[i]);
}

Test(rows, say_which_columns_an_image_has)
{
    SCOPED(free_tables) struct tables t = { .images = true };
    static const char *const lines[] = {
        "insert 1|6F6E65|74657874|1",
        "insert 2|74776F|74657874|2",
        "insert 3|7468726565|NULL|3",
        "update 1|6F6E65|74657874|1 to 1|6F6E65|74657874|10",
        "update 1|ABSENT|ABSENT|ABSENT to ABSENT|65696E73|ABSENT|ABSENT",
        "delete 2|ABSENT|ABSENT|ABSENT",
        "insert 4|ABSENT|ABSENT|ABSENT",
        "update 1|65696E73|ABSENT|10 to 1|65696E73|ABSENT|11",
        "delete 3|7468726565|ABSENT|3",
        "insert 100|7861|NULL|0",
        "insert 101|7862|NULL|0",
        "insert 102|7863|NULL|0",
        "insert 200|61|NULL|0",
        "insert 201|62|NULL|0",
    };

    read_all("tests/golden/types/mariadb.binlog", &t);
    expect_ours(&t, "images", lines, ARRAY_LEN(lines));
}

Test(rows, read_compressed_events_of_mariadb)
{
    SCOPED(free_tables) struct tables t = { .images = true };
    struct table *of;

    read_all("tests/golden/types/mariadb.binlog", &t);

    of = table_named(&t, slice_str("seventeen"));
    cr_assert_eq(of->n_ours, 1 + 20 + 1 + 4);
    cr_expect_str_eq(of->ours[0], "insert 1|NULL|3|NULL|5|NULL|7|NULL|9|NULL|11|NULL|13|NULL|15|"
                                  "NULL|17");
    cr_expect_str_eq(of->ours[20], "insert 20|20|20|20|20|20|20|20|20|20|20|20|20|20|20|20|20");
    cr_expect_str_eq(of->ours[21], "update 20|20|20|20|20|20|20|20|20|20|20|20|20|20|20|20|20 to "
                                   "120|20|20|20|20|20|20|20|20|20|20|20|20|20|20|20|20");
    cr_expect_str_eq(of->ours[22], "delete 1|1|1|1|1|1|1|1|1|1|1|1|1|1|1|1|1");
}

Test(rows, read_floating_point)
{
    SCOPED(free_tables) struct tables t = { 0 };
    static const char *const lines[] = {
        "-3.40282e+38|3.40282e+38|-1.7976931348623157e+308|2.2250738585072014e-308|1.5",
        "1.17549e-38|0|0.10000000000000001|1.0000000000000001e+300|-1234.57",
        "-0.5|1|0|3|0",
    };

    read_all("tests/golden/types/mariadb.binlog", &t);
    expect_ours(&t, "reals", lines, ARRAY_LEN(lines));
}

Test(rows, refuse_a_map_that_is_not_theirs)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct event_format fmt = { 0 };
    struct column col = { .type = COL_LONG };
    struct table_map map = { .table_id = 1, .n_cols = 1, .cols = &col };
    struct event ev = { .type = EVENT_WRITE_ROWS_V2 };
    struct err err = ERR_INIT;
    struct rows rows;

    ev.body = slice_of("\1\0\0\0\0\0\0\0\2\0\2\1", 12);
    cr_expect_eq(rows_open(&rows, &ev, &fmt, &map, &arena, &err), -EBADMSG);
    ev.body = slice_of("\1\0\0\0\0\0\0\0\2\0\1\1", 12);
    cr_expect_eq(rows_open(&rows, &ev, &fmt, &map, &arena, &err), 0, "%s", err.text);
    map.table_id = 2; /* an equal map from before the table was opened anew */
    cr_expect_eq(rows_open(&rows, &ev, &fmt, &map, &arena, &err), 0, "%s", err.text);
}

/* INSERT INTO t VALUES () under MINIMAL: a row of no bytes, once. */
Test(rows, give_one_row_without_columns)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct event_format fmt = { 0 };
    struct column col = { .type = COL_LONG };
    struct table_map map = { .table_id = 1, .n_cols = 1, .cols = &col };
    struct event ev = { .type = EVENT_WRITE_ROWS_V2,
                        .body = slice_of("\1\0\0\0\0\0\0\0\2\0\1\0", 12) };
    struct value after = { 0 };
    struct err err = ERR_INIT;
    struct rows rows;

    cr_assert_eq(rows_open(&rows, &ev, &fmt, &map, &arena, &err), 0, "%s", err.text);
    cr_expect_eq(rows_next(&rows, NULL, &after, &err), 1);
    cr_expect_eq(after.kind, VALUE_ABSENT);
    cr_expect_eq(rows_next(&rows, NULL, &after, &err), 0);
}
