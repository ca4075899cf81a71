#include <errno.h>
#include <inttypes.h>

#include "base/mem.h"
#include "binlog/column.h"
#include "binlog/rows.h"

#define MAX_COLUMNS 4096       /* of both servers */
#define OLD_POST_HEADER_SIZE 6 /* then table ids have 4 bytes */

/* The optional metadata, a list of (type, size, value). */
enum metadata_field {
    FIELD_SIGNEDNESS = 1,
    FIELD_DEFAULT_CHARSET = 2,
    FIELD_COLUMN_CHARSET = 3,
    FIELD_COLUMN_NAME = 4,
    FIELD_PRIMARY_KEY = 8,
    FIELD_PRIMARY_KEY_WITH_PREFIX = 9,
    FIELD_ENUM_AND_SET_DEFAULT_CHARSET = 10,
    FIELD_ENUM_AND_SET_COLUMN_CHARSET = 11,
    FIELD_VISIBILITY = 12,
};

static bool bit_from_left(struct slice bits, size_t i)
{
    return i / 8 < bits.size && bits.data[i / 8] >> (7 - i % 8) & 1;
}

static void read_signedness(struct cursor *c, struct table_map *m)
{
    struct slice bits = cursor_rest(c);
    size_t n = 0;

    for (unsigned i = 0; i < m->n_cols; i++)
        if (column_is_numeric(&m->cols[i]))
            m->cols[i].is_unsigned = bit_from_left(bits, n++);
    m->has_signedness = bits.size >= (n + 7) / 8;
}

static void read_visibility(struct cursor *c, struct table_map *m)
{
    struct slice bits = cursor_rest(c);

    for (unsigned i = 0; i < m->n_cols && i < bits.size * 8; i++)
        m->cols[i].invisible = !bit_from_left(bits, i);
}

static bool has_charset(const struct column *col, bool enums, enum flavor flavor)
{
    return enums ? column_is_enum_or_set(col) : column_is_character(col, flavor);
}

/* The collation of most columns, then (index among such columns, collation) of the others. */
static void read_default_charset(struct cursor *c, struct table_map *m, bool enums,
                                 enum flavor flavor)
{
    uint32_t most = (uint32_t)cursor_lenenc(c);
    uint64_t other = cursor_left(c) ? cursor_lenenc(c) : UINT64_MAX, n = 0;

    for (unsigned i = 0; i < m->n_cols; i++) {
        if (!has_charset(&m->cols[i], enums, flavor))
            continue;
        m->cols[i].collation = most;
        if (n++ == other) {
            m->cols[i].collation = (uint32_t)cursor_lenenc(c);
            other = cursor_left(c) ? cursor_lenenc(c) : UINT64_MAX;
        }
    }
}

static void read_column_charset(struct cursor *c, struct table_map *m, bool enums,
                                enum flavor flavor)
{
    for (unsigned i = 0; i < m->n_cols && cursor_left(c); i++)
        if (has_charset(&m->cols[i], enums, flavor))
            m->cols[i].collation = (uint32_t)cursor_lenenc(c);
}

static void read_names(struct cursor *c, struct table_map *m)
{
    for (unsigned i = 0; i < m->n_cols; i++)
        m->cols[i].name = cursor_bytes(c, cursor_lenenc(c));
    m->has_names = !c->bad;
}

static void read_primary_key(struct cursor *c, struct table_map *m, bool prefixes)
{
    while (cursor_left(c)) {
        uint64_t i = cursor_lenenc(c);

        if (prefixes)
            (void)cursor_lenenc(c);
        if (i < m->n_cols)
            m->cols[i].primary_key = true;
    }
}

static void read_field(unsigned type, struct cursor *c, struct table_map *m, enum flavor flavor)
{
    switch (type) {
    case FIELD_SIGNEDNESS:
        read_signedness(c, m);
        break;
    case FIELD_DEFAULT_CHARSET:
    case FIELD_ENUM_AND_SET_DEFAULT_CHARSET:
        read_default_charset(c, m, type == FIELD_ENUM_AND_SET_DEFAULT_CHARSET, flavor);
        break;
    case FIELD_COLUMN_CHARSET:
    case FIELD_ENUM_AND_SET_COLUMN_CHARSET:
        read_column_charset(c, m, type == FIELD_ENUM_AND_SET_COLUMN_CHARSET, flavor);
        break;
    case FIELD_COLUMN_NAME:
        read_names(c, m);
        break;
    case FIELD_PRIMARY_KEY:
    case FIELD_PRIMARY_KEY_WITH_PREFIX:
        read_primary_key(c, m, type == FIELD_PRIMARY_KEY_WITH_PREFIX);
        break;
    case FIELD_VISIBILITY:
        read_visibility(c, m);
        break;
    default: /* members of ENUM and SET, geometry types: not needed; others are newer */
        break;
    }
}

static void read_optional_metadata(struct cursor *c, struct table_map *m, enum flavor flavor)
{
    while (cursor_left(c)) {
        unsigned type = cursor_u8(c);
        struct cursor field = cursor_of(cursor_bytes(c, cursor_lenenc(c)));

        if (!c->bad)
            read_field(type, &field, m, flavor);
        c->bad |= field.bad;
    }
}

static int read_columns(struct cursor *c, struct table_map *m, struct arena *arena, struct err *err)
{
    uint64_t n = cursor_lenenc(c);
    struct slice types = cursor_bytes(c, n), nullable;
    struct cursor metadata;

    if (c->bad || n == 0 || n > MAX_COLUMNS)
        return err_set(err, -EBADMSG, "%" PRIu64 " columns", n);
    m->n_cols = (unsigned)n;
    m->cols = arena_alloc(arena, n * sizeof *m->cols);
    memset(m->cols, 0, n * sizeof *m->cols);
    metadata = cursor_of(cursor_bytes(c, cursor_lenenc(c)));
    nullable = cursor_bytes(c, (n + 7) / 8);
    if (c->bad)
        return err_set(err, -EBADMSG, "cut short");
    for (unsigned i = 0; i < m->n_cols; i++) {
        struct column *col = &m->cols[i];

        col->type = types.data[i];
        col->nullable = nullable.data[i / 8] >> (i % 8) & 1;
        if (!column_resolve(col, &metadata))
            return err_set(err, -EBADMSG, "column %u of type %u cannot be read", i + 1,
                           types.data[i]);
    }
    return 0;
}

static struct slice read_name(struct cursor *c)
{
    struct slice name = cursor_bytes(c, cursor_u8(c));

    cursor_skip(c, 1); /* NUL */
    return name;
}

int table_map_decode(const struct event *ev, const struct event_format *fmt, struct arena *arena,
                     struct table_map *ret, struct err *err)
{
    struct cursor c = cursor_of(ev->body);
    struct table_map m = { 0 };

    m.table_id =
        cursor_le(&c, fmt->post_header_size[EVENT_TABLE_MAP] == OLD_POST_HEADER_SIZE ? 4 : 6);
    m.flags = cursor_u16(&c);
    m.db = read_name(&c);
    m.name = read_name(&c);
    if (c.bad)
        return err_set(err, -EBADMSG, "table map event of %zu bytes is cut short", ev->raw.size);
    if (read_columns(&c, &m, arena, err) < 0)
        return err_wrap(err, "table map of %.*s.%.*s", SLICE_ARG(m.db), SLICE_ARG(m.name));
    read_optional_metadata(&c, &m, fmt->flavor);
    if (c.bad)
        return err_set(err, -EBADMSG, "table map of %.*s.%.*s: bad optional metadata",
                       SLICE_ARG(m.db), SLICE_ARG(m.name));
    *ret = m;
    return 0;
}

static struct slice keep(uint8_t **at, struct slice s)
{
    struct slice kept = { *at, s.size };

    if (s.size)
        memcpy(*at, s.data, s.size);
    *at += s.size;
    return kept;
}

struct table_map *table_map_dup(const struct table_map *m)
{
    size_t size = sizeof *m + m->n_cols * sizeof *m->cols + m->db.size + m->name.size;
    struct table_map *copy;
    uint8_t *at;

    for (unsigned i = 0; i < m->n_cols; i++)
        size += m->cols[i].name.size;
    copy = xmalloc(size);
    *copy = *m;
    copy->cols = (struct column *)(copy + 1);
    memcpy(copy->cols, m->cols, m->n_cols * sizeof *m->cols);
    at = (uint8_t *)(copy->cols + m->n_cols);
    copy->db = keep(&at, m->db);
    copy->name = keep(&at, m->name);
    for (unsigned i = 0; i < m->n_cols; i++)
        copy->cols[i].name = keep(&at, m->cols[i].name);
    return copy;
}
