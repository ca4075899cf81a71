/*
 * story.h - a binlog as text, one line a step, so that a test compares a story.
 */
#ifndef SLUICE_TESTS_BINLOG_STORY_H
#define SLUICE_TESTS_BINLOG_STORY_H

#include <inttypes.h>

#include "base/buf.h"
#include "binlog/file.h"
#include "binlog/rows.h"
#include "binlog/txn.h"

static const char *const step_names[] = {
    [TXN_NOTHING] = "nothing",
    [TXN_FORMAT] = "format",
    [TXN_ROTATE] = "rotate",
    [TXN_BEGIN] = "begin",
    [TXN_MAP] = "map",
    [TXN_ROWS] = "rows",
    [TXN_STATEMENT] = "statement",
    [TXN_CONTEXT] = "context",
    [TXN_COMMIT] = "commit",
    [TXN_ROLLBACK] = "rollback",
    [TXN_DDL] = "ddl",
    [TXN_XA_PREPARE] = "xa prepare",
    [TXN_XA_COMMIT] = "xa commit",
    [TXN_XA_ROLLBACK] = "xa rollback",
    [TXN_PAYLOAD] = "payload",
    [TXN_INCIDENT] = "incident",
};

static inline void story_value(struct buf *out, const struct value *v)
{
    switch (v->kind) {
    case VALUE_ABSENT:
        buf_str(out, "-");
        break;
    case VALUE_NULL:
        buf_str(out, "NULL");
        break;
    case VALUE_INT:
        buf_printf(out, "%" PRId64, v->i);
        break;
    case VALUE_UINT:
        buf_printf(out, "%" PRIu64 "u", v->u);
        break;
    case VALUE_FLOAT:
        buf_printf(out, "%.9g", (double)v->f);
        break;
    case VALUE_DOUBLE:
        buf_printf(out, "%.17g", v->d);
        break;
    case VALUE_TEXT:
        buf_printf(out, "%.*s", (int)v->size, (const char *)v->p);
        break;
    case VALUE_BYTES:
        buf_byte(out, '\'');
        for (uint32_t i = 0; i < v->size; i++)
            if (v->p[i] < 0x20 || v->p[i] > 0x7e || v->p[i] == '\'' || v->p[i] == '\\')
                buf_printf(out, "\\x%02x", v->p[i]);
            else
                buf_byte(out, (char)v->p[i]);
        buf_byte(out, '\'');
        break;
    case VALUE_JSON:
        buf_printf(out, "json %.*s", (int)v->size, (const char *)v->p);
        break;
    case VALUE_JSON_DIFF:
        buf_printf(out, "diff of %u bytes", v->size);
        break;
    }
}

static inline void story_image(struct buf *out, const struct value *v, unsigned n)
{
    buf_byte(out, '(');
    for (unsigned i = 0; i < n; i++) {
        if (i)
            buf_str(out, ", ");
        story_value(out, &v[i]);
    }
    buf_byte(out, ')');
}

/* "  insert d.t (1, 'x')" for every row of a rows event; false when it cannot be read. */
static inline bool story_rows(struct buf *out, const struct event *ev,
                              const struct event_format *fmt, const struct table_map *map,
                              struct err *err)
{
    static const char *const kinds[] = { "insert", "update", "delete" };
    struct value before[256], after[256];
    struct arena arena = ARENA_INIT;
    struct rows rows;
    int rc = map->n_cols > 256 ? -1 : rows_open(&rows, ev, fmt, map, &arena, err);

    while (rc >= 0 && (rc = rows_next(&rows, before, after, err)) > 0) {
        buf_printf(out, "  %s %.*s.%.*s ", kinds[rows.kind], SLICE_ARG(map->db),
                   SLICE_ARG(map->name));
        if (rows.kind != ROWS_INSERT)
            story_image(out, before, map->n_cols);
        if (rows.kind == ROWS_UPDATE)
            buf_str(out, " -> ");
        if (rows.kind != ROWS_DELETE)
            story_image(out, after, map->n_cols);
        buf_byte(out, '\n');
    }
    arena_fini(&arena);
    return rc == 0;
}

#endif
