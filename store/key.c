#include "store/key.h"

#include <stdarg.h>

#include "base/cursor.h"

static void begin(struct buf *k, enum key_kind kind)
{
    buf_clear(k);
    buf_byte(k, (char)kind);
}

static void add_name(struct buf *k, const char *name)
{
    buf_add(k, name, strlen(name) + 1);
}

static bool is_kind(struct cursor *c, enum key_kind kind)
{
    return cursor_u8(c) == (uint8_t)kind && !c->bad;
}

static struct slice parse_name(struct cursor *c)
{
    const uint8_t *zero = cursor_left(c) ? memchr(c->at, 0, cursor_left(c)) : NULL;
    struct slice name;

    if (!zero) {
        c->bad = true;
        return (struct slice){ c->end, 0 };
    }
    name = cursor_bytes(c, (size_t)(zero - c->at));
    cursor_skip(c, 1);
    return name;
}

/* True when all was there and nothing is left. */
static bool is_whole(const struct cursor *c)
{
    return !c->bad && cursor_left(c) == 0;
}

void key_prefix(struct buf *k, enum key_kind kind, ...)
{
    va_list ap;
    const char *name;

    begin(k, kind);
    va_start(ap, kind);
    while ((name = va_arg(ap, const char *)) != NULL)
        add_name(k, name);
    va_end(ap);
}

bool key_after(struct buf *k)
{
    while (k->size && (uint8_t)k->data[k->size - 1] == 0xff)
        k->size--;
    if (k->size == 0)
        return false;
    k->data[k->size - 1] = (char)((uint8_t)k->data[k->size - 1] + 1);
    return true;
}

void key_format(struct buf *k)
{
    begin(k, KEY_FORMAT);
}

void key_document(struct buf *k, const char *path)
{
    begin(k, KEY_DOCUMENT);
    buf_str(k, path);
}

bool key_document_parse(struct slice key, struct slice *path)
{
    struct cursor c = cursor_of(key);

    if (!is_kind(&c, KEY_DOCUMENT))
        return false;
    *path = cursor_rest(&c);
    return true;
}

void key_position(struct buf *k, const char *task, const char *source, const char *part)
{
    key_prefix(k, KEY_POSITION, task, source, part, NULL);
}

void key_xa(struct buf *k, const char *task, const char *source, const char *xid, uint32_t chunk)
{
    key_prefix(k, KEY_XA, task, source, xid, NULL);
    buf_be(k, chunk, 4);
}

bool key_xa_parse(struct slice key, struct slice *xid, uint32_t *chunk)
{
    struct cursor c = cursor_of(key);
    struct slice name;
    uint64_t n;

    if (!is_kind(&c, KEY_XA))
        return false;
    (void)parse_name(&c); /* task */
    (void)parse_name(&c); /* source */
    name = parse_name(&c);
    n = cursor_be(&c, 4);
    if (!is_whole(&c))
        return false;
    *xid = name;
    *chunk = (uint32_t)n;
    return true;
}

void key_table(struct buf *k, const char *source, const char *db, const char *table, uint64_t seq)
{
    key_prefix(k, KEY_TABLE, source, db, table, NULL);
    buf_be(k, seq, 8);
}

bool key_table_parse(struct slice key, struct slice *db, struct slice *table, uint64_t *seq)
{
    struct cursor c = cursor_of(key);
    struct slice in_db, name;
    uint64_t n;

    if (!is_kind(&c, KEY_TABLE))
        return false;
    (void)parse_name(&c); /* source */
    in_db = parse_name(&c);
    name = parse_name(&c);
    n = cursor_be(&c, 8);
    if (!is_whole(&c))
        return false;
    *db = in_db;
    *table = name;
    *seq = n;
    return true;
}

void key_line(struct buf *k, const char *log, uint64_t number)
{
    key_prefix(k, KEY_LINE, log, NULL);
    buf_be(k, number, 8);
}

bool key_line_parse(struct slice key, uint64_t *number)
{
    struct cursor c = cursor_of(key);
    uint64_t n;

    if (!is_kind(&c, KEY_LINE))
        return false;
    (void)parse_name(&c);
    n = cursor_be(&c, 8);
    if (!is_whole(&c))
        return false;
    *number = n;
    return true;
}

void key_block(struct buf *k, const char *journal, uint64_t seq, uint32_t chunk)
{
    key_at_seq(k, KEY_BLOCK, journal, seq);
    buf_be(k, chunk, 4);
}

bool key_block_parse(struct slice key, uint64_t *seq, uint32_t *chunk)
{
    struct cursor c = cursor_of(key);
    uint64_t n, part;

    if (!is_kind(&c, KEY_BLOCK))
        return false;
    (void)parse_name(&c); /* journal */
    n = cursor_be(&c, 8);
    part = cursor_be(&c, 4);
    if (!is_whole(&c))
        return false;
    *seq = n;
    *chunk = (uint32_t)part;
    return true;
}

void key_at_seq(struct buf *k, enum key_kind kind, const char *journal, uint64_t seq)
{
    key_prefix(k, kind, journal, NULL);
    buf_be(k, seq, 8);
}

bool key_at_seq_parse(struct slice key, enum key_kind kind, uint64_t *seq)
{
    struct cursor c = cursor_of(key);
    uint64_t n;

    if (!is_kind(&c, kind))
        return false;
    (void)parse_name(&c); /* journal */
    n = cursor_be(&c, 8);
    if (!is_whole(&c))
        return false;
    *seq = n;
    return true;
}

void key_gtid(struct buf *k, const char *journal, struct slice origin, uint64_t number,
              uint64_t seq)
{
    key_prefix(k, KEY_GTID, journal, NULL);
    buf_add(k, origin.data, origin.size);
    buf_be(k, number, 8);
    buf_be(k, seq, 8);
}

bool key_gtid_parse(struct slice key, struct slice *origin, uint64_t *number, uint64_t *seq)
{
    struct cursor c = cursor_of(key);
    struct slice id;

    if (!is_kind(&c, KEY_GTID))
        return false;
    (void)parse_name(&c); /* journal */
    if (c.bad || cursor_left(&c) < 16)
        return false;
    id = cursor_bytes(&c, cursor_left(&c) - 16);
    *origin = id;
    *number = cursor_be(&c, 8);
    *seq = cursor_be(&c, 8);
    return true;
}

void key_file(struct buf *k, enum key_kind kind, const char *journal, uint32_t incarnation,
              uint32_t number)
{
    key_prefix(k, kind, journal, NULL);
    buf_be(k, incarnation, 4);
    buf_be(k, number, 4);
}

bool key_file_parse(struct slice key, enum key_kind kind, uint32_t *incarnation, uint32_t *number)
{
    struct cursor c = cursor_of(key);
    uint64_t of, n;

    if (!is_kind(&c, kind))
        return false;
    (void)parse_name(&c); /* journal */
    of = cursor_be(&c, 4);
    n = cursor_be(&c, 4);
    if (!is_whole(&c))
        return false;
    *incarnation = (uint32_t)of;
    *number = (uint32_t)n;
    return true;
}

bool key_hold_parse(struct slice key, struct slice *who)
{
    struct cursor c = cursor_of(key);
    struct slice name;

    if (!is_kind(&c, KEY_HOLD))
        return false;
    (void)parse_name(&c); /* journal */
    name = parse_name(&c);
    if (!is_whole(&c))
        return false;
    *who = name;
    return true;
}
