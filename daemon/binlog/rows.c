#include "binlog/rows.h"

#include <errno.h>

#include "binlog/inflate.h"
#include "binlog/json_binary.h"
#include "binlog/json_diff.h"

#define OLD_POST_HEADER_SIZE 6 /* then table ids have 4 bytes */
#define PARTIAL_JSON_UPDATES 1

/* What the event types say: one row each. */
struct rows_type {
    enum rows_kind kind;
    bool known;
    bool extra;      /* version 2: a sized piece of extra data before the columns */
    bool compressed; /* MariaDB */
    bool partial;
};

static const struct rows_type types[256] = {
    [EVENT_WRITE_ROWS_V1] = { .known = true, .kind = ROWS_INSERT },
    [EVENT_UPDATE_ROWS_V1] = { .known = true, .kind = ROWS_UPDATE },
    [EVENT_DELETE_ROWS_V1] = { .known = true, .kind = ROWS_DELETE },
    [EVENT_WRITE_ROWS_V2] = { .known = true, .kind = ROWS_INSERT, .extra = true },
    [EVENT_UPDATE_ROWS_V2] = { .known = true, .kind = ROWS_UPDATE, .extra = true },
    [EVENT_DELETE_ROWS_V2] = { .known = true, .kind = ROWS_DELETE, .extra = true },
    [EVENT_PARTIAL_UPDATE_ROWS] = { .known = true,
                                    .kind = ROWS_UPDATE,
                                    .extra = true,
                                    .partial = true },
    [EVENT_MARIADB_WRITE_ROWS_COMPRESSED_V1] = { .known = true,
                                                 .kind = ROWS_INSERT,
                                                 .compressed = true },
    [EVENT_MARIADB_UPDATE_ROWS_COMPRESSED_V1] = { .known = true,
                                                  .kind = ROWS_UPDATE,
                                                  .compressed = true },
    [EVENT_MARIADB_DELETE_ROWS_COMPRESSED_V1] = { .known = true,
                                                  .kind = ROWS_DELETE,
                                                  .compressed = true },
};

bool rows_kind_of(uint8_t type, enum rows_kind *ret)
{
    *ret = types[type].kind;
    return types[type].known;
}

static uint64_t read_table_id(struct cursor *c, const struct event *ev,
                              const struct event_format *fmt)
{
    return cursor_le(c, fmt->post_header_size[ev->type] == OLD_POST_HEADER_SIZE ? 4 : 6);
}

int rows_table_id(const struct event *ev, const struct event_format *fmt, uint64_t *ret,
                  struct err *err)
{
    struct cursor c = cursor_of(ev->body);
    uint64_t id = read_table_id(&c, ev, fmt);

    if (c.bad || !types[ev->type].known)
        return err_set(err, -EBADMSG, "%s event of %zu bytes has no table id",
                       event_type_name(ev->type), ev->raw.size);
    *ret = id;
    return 0;
}

static inline bool bit(const uint8_t *bits, unsigned i)
{
    return bits[i / 8] >> (i % 8) & 1;
}

static unsigned count_bits(const uint8_t *bits, unsigned n)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        count += bit(bits, i);
    return count;
}

static void skip_extra(struct cursor *c)
{
    size_t size = cursor_u16(c); /* counts itself */

    if (size < 2)
        c->bad = true;
    else
        cursor_skip(c, size - 2);
}

static void read_bitmaps(struct cursor *c, struct rows *r, unsigned n_cols)
{
    struct slice first = cursor_bytes(c, (n_cols + 7) / 8), second = first;

    if (r->kind == ROWS_UPDATE)
        second = cursor_bytes(c, (n_cols + 7) / 8);
    if (c->bad)
        return;
    r->before_cols = first.data;
    r->after_cols = second.data;
    r->n_before = count_bits(first.data, n_cols);
    r->n_after = count_bits(second.data, n_cols);
}

int rows_open(struct rows *r, const struct event *ev, const struct event_format *fmt,
              const struct table_map *map, struct arena *arena, struct err *err)
{
    const struct rows_type *type = &types[ev->type];
    struct cursor c = cursor_of(ev->body);
    struct rows rows = { .kind = type->kind, .map = map, .arena = arena, .partial = type->partial };
    uint64_t n_cols;

    rows.table_id = read_table_id(&c, ev, fmt);
    rows.flags = cursor_u16(&c);
    if (type->extra)
        skip_extra(&c);
    n_cols = cursor_lenenc(&c);
    if (c.bad || !type->known)
        return err_set(err, -EBADMSG, "%s event of %zu bytes cannot be read",
                       event_type_name(ev->type), ev->raw.size);
    if (n_cols != map->n_cols)
        return err_set(err, -EBADMSG, "rows event does not fit the table map of %.*s.%.*s",
                       SLICE_ARG(map->db), SLICE_ARG(map->name));
    read_bitmaps(&c, &rows, map->n_cols);
    if (c.bad)
        return err_set(err, -EBADMSG, "rows event of %.*s.%.*s is cut short", SLICE_ARG(map->db),
                       SLICE_ARG(map->name));
    if (type->compressed) {
        struct slice plain;

        if (inflate_event_arena(cursor_rest(&c), arena, &plain, err) < 0)
            return err_wrap(err, "rows event of %.*s.%.*s", SLICE_ARG(map->db),
                            SLICE_ARG(map->name));
        c = cursor_of(plain);
    }
    rows.body = c;
    rows.empty = c.at == c.end;
    *r = rows;
    return 0;
}

/* What precedes the after image of a partial update: a bit for every JSON column of the
 * table, in the image or not.  *ret is NULL if none holds diffs. */
static const uint8_t *read_partial_bits(const struct rows *r, const uint8_t *at, const uint8_t *end,
                                        const uint8_t **ret)
{
    struct cursor c = { .at = at, .end = end };
    uint64_t options = cursor_lenenc(&c);
    unsigned n = 0;

    *ret = NULL;
    if (options & PARTIAL_JSON_UPDATES) {
        for (unsigned i = 0; i < r->map->n_cols; i++)
            n += r->map->cols[i].type == COL_JSON;
        *ret = cursor_bytes(&c, (n + 7) / 8).data;
    }
    return c.bad ? NULL : c.at;
}

/* In a partial update: a JSON value that stays binary until the diffs were applied. */
static const uint8_t *decode_raw_json(const uint8_t *at, const uint8_t *end, enum value_kind kind,
                                      struct value *ret)
{
    struct cursor c = { .at = at, .end = end };
    struct slice raw = cursor_bytes(&c, cursor_u32(&c));

    ret->kind = kind;
    ret->size = (uint32_t)raw.size;
    ret->p = raw.data;
    return c.bad ? NULL : c.at;
}

/* What an image has; the rest is for partial updates, and in all others constant, so that the
 * loop is compiled without it. */
struct image {
    const uint8_t *present;
    unsigned n_present;
    bool raw_json;        /* JSON stays binary */
    const uint8_t *diffs; /* a bit for every JSON column: it holds diffs; NULL: none does */
};

static inline __attribute__((always_inline)) const uint8_t *
decode_image(const struct rows *r, struct image image, const uint8_t *at, const uint8_t *end,
             struct value *ret)
{
    const struct column *col = r->map->cols;
    const uint8_t *nulls = at;
    unsigned n_nulls = 0, n_json = 0;

    if ((size_t)(end - at) < (image.n_present + 7) / 8)
        return NULL;
    at += (image.n_present + 7) / 8;
    for (unsigned i = 0; i < r->map->n_cols; i++, col++) {
        bool is_diff = image.diffs && col->type == COL_JSON && bit(image.diffs, n_json++);

        if (!bit(image.present, i)) {
            ret[i].kind = VALUE_ABSENT;
            continue;
        }
        if (bit(nulls, n_nulls++)) {
            ret[i].kind = VALUE_NULL;
            continue;
        }
        if (is_diff)
            at = decode_raw_json(at, end, VALUE_JSON_DIFF, &ret[i]);
        else if (image.raw_json && col->type == COL_JSON)
            at = decode_raw_json(at, end, VALUE_JSON, &ret[i]);
        else
            at = col->decode(col, at, end, r->arena, &ret[i]);
        if (!at)
            return NULL;
    }
    return at;
}

static const uint8_t *decode_plain(const struct rows *r, const uint8_t *present, unsigned n_present,
                                   const uint8_t *at, const uint8_t *end, struct value *ret)
{
    return decode_image(r, (struct image){ .present = present, .n_present = n_present }, at, end,
                        ret);
}

static bool json_to_text(struct value *v, struct slice raw, struct slice diffs, struct arena *arena)
{
    struct slice text;
    bool ok = diffs.size ? json_diff_apply(raw, diffs, arena, &text)
                         : json_binary_text(raw, arena, &text);

    if (!ok)
        return false;
    v->kind = VALUE_JSON;
    v->size = (uint32_t)text.size;
    v->p = text.data;
    return true;
}

/* Makes text of the binary JSON of both images, with diffs applied where the value from
 * before is known. */
static bool finish_partial(const struct rows *r, struct value *before, struct value *after)
{
    for (unsigned i = 0; i < r->map->n_cols; i++) {
        struct slice old = { 0 }, new = { 0 };

        if (r->map->cols[i].type != COL_JSON)
            continue;
        if (before[i].kind == VALUE_JSON)
            old = slice_of(before[i].p, before[i].size);
        if (after[i].kind == VALUE_JSON || after[i].kind == VALUE_JSON_DIFF)
            new = slice_of(after[i].p, after[i].size);
        if (after[i].kind == VALUE_JSON &&
            !json_to_text(&after[i], new, (struct slice){ 0 }, r->arena))
            return false;
        if (after[i].kind == VALUE_JSON_DIFF && before[i].kind == VALUE_JSON &&
            !json_to_text(&after[i], old, new, r->arena))
            return false;
        if (before[i].kind == VALUE_JSON &&
            !json_to_text(&before[i], old, (struct slice){ 0 }, r->arena))
            return false;
    }
    return true;
}

static const uint8_t *decode_partial(const struct rows *r, const uint8_t *at, const uint8_t *end,
                                     struct value *before, struct value *after)
{
    struct image image = { r->before_cols, r->n_before, .raw_json = true };

    at = decode_image(r, image, at, end, before);
    image = (struct image){ r->after_cols, r->n_after, .raw_json = true };
    if (at)
        at = read_partial_bits(r, at, end, &image.diffs);
    if (at)
        at = decode_image(r, image, at, end, after);
    return at && finish_partial(r, before, after) ? at : NULL;
}

int rows_next(struct rows *r, struct value *before, struct value *after, struct err *err)
{
    const uint8_t *at = r->body.at, *end = r->body.end;

    if (at == end && !r->empty)
        return 0;
    r->empty = false;
    if (r->partial) {
        at = decode_partial(r, at, end, before, after);
    } else {
        if (r->kind != ROWS_INSERT)
            at = decode_plain(r, r->before_cols, r->n_before, at, end, before);
        if (at && r->kind != ROWS_DELETE)
            at = decode_plain(r, r->after_cols, r->n_after, at, end, after);
    }
    if (!at || (at == r->body.at && at != end))
        return err_set(err, -EBADMSG, "a row of %.*s.%.*s cannot be read: is its table map right?",
                       SLICE_ARG(r->map->db), SLICE_ARG(r->map->name));
    r->body.at = at;
    return 1;
}
