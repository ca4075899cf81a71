#include "sink/pb_file.h"

#include <errno.h>
#include <pthread.h>
#include <strings.h>

#include "base/mem.h"
#include "sink/proto.h"

enum { BINLOG_TP = 1, BINLOG_COMMIT_TS = 2, BINLOG_DML = 3, BINLOG_DDL = 4 };
enum { EVENT_SCHEMA = 1, EVENT_TABLE = 2, EVENT_TP = 3, EVENT_ROW = 4 };
enum { COLUMN_NAME = 1, COLUMN_TP = 2, COLUMN_TYPE = 3, COLUMN_VALUE = 4, COLUMN_CHANGED = 5 };
enum { TP_DML = 0, TP_DDL = 1 };
enum { ROW_INSERT = 0, ROW_UPDATE = 1, ROW_DELETE = 2 };

/* Source: util/codec/codec.go. */
enum codec_flag {
    CODEC_NIL = 0,
    CODEC_BYTES = 2, /* compact: length, bytes */
    CODEC_INT = 3,
    CODEC_UINT = 4,
    CODEC_FLOAT = 5,
    CODEC_VARINT = 8,
    CODEC_UVARINT = 9,
};

/* --- CRC-32C --- */

static uint32_t crc_table[8][256];

/* Eight bytes at a time, by a table for each. */
static void make_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? 0x82f63b78u : 0);
        crc_table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++)
            crc_table[t][i] = crc_table[t - 1][i] >> 8 ^ crc_table[0][crc_table[t - 1][i] & 0xff];
}

static uint32_t crc_eight(uint32_t crc, const uint8_t *p)
{
    uint32_t low =
        crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);

    return crc_table[7][low & 0xff] ^ crc_table[6][low >> 8 & 0xff] ^
           crc_table[5][low >> 16 & 0xff] ^ crc_table[4][low >> 24] ^ crc_table[3][p[4]] ^
           crc_table[2][p[5]] ^ crc_table[1][p[6]] ^ crc_table[0][p[7]];
}

uint32_t pb_crc32c(const void *bytes, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const uint8_t *p = bytes;
    uint32_t crc = 0xffffffffu;

    pthread_once(&once, make_table);
    for (; size >= 8; size -= 8, p += 8)
        crc = crc_eight(crc, p);
    for (; size > 0; size--)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *p++) & 0xff];
    return ~crc;
}

/* --- values --- */

/* Floats compare as bytes: the sign turned over, of negative ones all bits. */
static void put_float(struct buf *b, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    bits = bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
    buf_byte(b, CODEC_FLOAT);
    buf_be(b, bits, 8);
}

static void put_bytes(struct buf *b, const struct value *v)
{
    buf_byte(b, CODEC_BYTES);
    proto_zigzag(b, v->size);
    buf_add(b, v->p, v->size);
}

static void put_value(struct buf *b, const struct value *v)
{
    switch (v->kind) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        buf_byte(b, CODEC_NIL);
        return;
    case VALUE_INT:
        buf_byte(b, CODEC_VARINT);
        proto_zigzag(b, v->i);
        return;
    case VALUE_UINT:
        buf_byte(b, CODEC_UVARINT);
        proto_varint(b, v->u);
        return;
    case VALUE_FLOAT:
        put_float(b, (double)v->f);
        return;
    case VALUE_DOUBLE:
        put_float(b, v->d);
        return;
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_JSON:
    case VALUE_JSON_DIFF:
        put_bytes(b, v);
        return;
    }
}

/* VALUE_TEXT is put into statements as it is, so it is only what a number or a time can be. */
static enum value_kind kind_of(uint8_t code, struct slice s)
{
    static const char plain[] = "0123456789+-.: eE";

    if (code == 0xf5)
        return VALUE_JSON;
    if (code != 0xf6 && code != 0 && code != 7 && !(code >= 10 && code <= 14))
        return VALUE_BYTES;
    for (size_t i = 0; i < s.size; i++)
        if (!memchr(plain, s.data[i], sizeof plain - 1))
            return VALUE_BYTES;
    return s.size ? VALUE_TEXT : VALUE_BYTES;
}

/* Likewise back; the kind is that of the column's type. */
static bool get_value(struct slice bytes, uint8_t type, struct value *ret)
{
    struct cursor c = cursor_of(bytes);
    uint8_t flag = cursor_u8(&c);
    uint64_t bits;

    *ret = (struct value){ .kind = VALUE_NULL };
    switch (flag) {
    case CODEC_NIL:
        break;
    case CODEC_VARINT:
        *ret = (struct value){ .kind = VALUE_INT, .i = proto_read_zigzag(&c) };
        break;
    case CODEC_UVARINT:
        *ret = (struct value){ .kind = VALUE_UINT, .u = proto_read_varint(&c) };
        break;
    case CODEC_INT:
        *ret = (struct value){ .kind = VALUE_INT,
                               .i = (int64_t)(cursor_be(&c, 8) ^ (uint64_t)1 << 63) };
        break;
    case CODEC_UINT:
        *ret = (struct value){ .kind = VALUE_UINT, .u = cursor_be(&c, 8) };
        break;
    case CODEC_FLOAT:
        bits = cursor_be(&c, 8);
        bits = bits >> 63 ? bits & ~((uint64_t)1 << 63) : ~bits;
        *ret = (struct value){ .kind = VALUE_DOUBLE };
        memcpy(&ret->d, &bits, sizeof bits);
        if (type == COL_FLOAT)
            *ret = (struct value){ .kind = VALUE_FLOAT, .f = (float)ret->d };
        break;
    case CODEC_BYTES: {
        int64_t size = proto_read_zigzag(&c);
        struct slice s = cursor_bytes(&c, size < 0 ? SIZE_MAX : (size_t)size);

        *ret = (struct value){ .kind = kind_of(type, s), .size = (uint32_t)s.size };
        ret->p = s.data;
        break;
    }
    default:
        return false;
    }
    return !c.bad && cursor_left(&c) == 0;
}

/* --- encoding --- */

static void put_encoded(struct buf *b, unsigned field, const struct value *v)
{
    size_t at = proto_begin(b, field);

    put_value(b, v);
    proto_end(b, at);
}

static bool is_there(const struct value *v)
{
    return v && v->kind != VALUE_ABSENT;
}

static void put_column(struct buf *b, const struct change_column *col, const struct value *value,
                       const struct value *changed)
{
    uint8_t code = change_type_code(col);
    size_t at = proto_begin(b, EVENT_ROW);

    proto_str(b, COLUMN_NAME, col->name);
    proto_bytes(b, COLUMN_TP, &code, 1);
    proto_str(b, COLUMN_TYPE, change_type_name(col));
    put_encoded(b, COLUMN_VALUE, value);
    if (changed)
        put_encoded(b, COLUMN_CHANGED, changed);
    proto_end(b, at);
}

static void put_row(struct buf *b, const struct change *c)
{
    static const uint8_t kinds[] = {
        [ROWS_INSERT] = ROW_INSERT, [ROWS_UPDATE] = ROW_UPDATE, [ROWS_DELETE] = ROW_DELETE
    };
    const struct change_table *t = c->table;
    size_t at = proto_begin(b, 1);

    proto_str(b, EVENT_SCHEMA, t->schema);
    proto_str(b, EVENT_TABLE, t->name);
    proto_u64(b, EVENT_TP, kinds[c->kind]);
    for (unsigned i = 0; i < t->n_cols; i++) {
        const struct value *before = c->before ? &c->before[i] : NULL;
        const struct value *after = c->after ? &c->after[i] : NULL;

        if (t->cols[i].generated || (!is_there(before) && !is_there(after)))
            continue;
        if (c->kind == ROWS_UPDATE)
            put_column(b, &t->cols[i], is_there(before) ? before : after,
                       is_there(after) ? after : before);
        else
            put_column(b, &t->cols[i], is_there(after) ? after : before, NULL);
    }
    proto_end(b, at);
}

static void put_identifier(struct buf *b, struct slice name)
{
    buf_byte(b, '`');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '`')
            buf_byte(b, '`');
        buf_byte(b, (char)name.data[i]);
    }
    buf_byte(b, '`');
}

static void put_statement(struct buf *b, const struct change_txn *t)
{
    size_t at = proto_begin(b, BINLOG_DDL);

    if (t->schema.size && !t->creates_schema) {
        buf_str(b, "use ");
        put_identifier(b, t->schema);
        buf_str(b, "; ");
    }
    buf_add(b, t->query.data, t->query.size);
    buf_byte(b, ';');
    proto_end(b, at);
}

void pb_file_encode(const struct change_txn *t, struct buf *out)
{
    size_t at;

    proto_u64(out, BINLOG_TP, t->ddl ? TP_DDL : TP_DML);
    proto_u64(out, BINLOG_COMMIT_TS, t->commit_ts);
    if (t->ddl) {
        put_statement(out, t);
        return;
    }
    at = proto_begin(out, BINLOG_DML);
    for (size_t i = 0; i < t->n_changes; i++)
        put_row(out, &t->changes[i]);
    proto_end(out, at);
}

/* --- decoding --- */

/* Names of binary types tell bytes from characters. */
static bool names_bytes(struct slice type)
{
    static const char *const names[] = { "binary",   "varbinary",  "blob",
                                         "tinyblob", "mediumblob", "longblob" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (slice_eq(type, slice_str(names[i])))
            return true;
    return false;
}

struct parsed_column {
    struct change_column col;
    struct slice value, changed;
    bool has_changed;
};

static bool parse_column(struct slice bytes, struct arena *arena, struct parsed_column *ret)
{
    struct cursor c = cursor_of(bytes);
    struct proto_field f;
    int rc;

    *ret = (struct parsed_column){ .col = { .name = "" },
                                   .value = slice_str(""),
                                   .changed = slice_str("") };
    while ((rc = proto_next(&c, &f)) > 0) {
        if (f.number == COLUMN_NAME)
            ret->col.name = arena_text(arena, f.bytes.data, f.bytes.size);
        else if (f.number == COLUMN_TP && f.bytes.size == 1)
            ret->col.type = f.bytes.data[0];
        else if (f.number == COLUMN_TYPE)
            ret->col.binary = names_bytes(f.bytes);
        else if (f.number == COLUMN_VALUE)
            ret->value = f.bytes;
        else if (f.number == COLUMN_CHANGED)
            ret->changed = f.bytes, ret->has_changed = true;
    }
    return rc == 0 && ret->col.name[0];
}

struct parsed_event {
    const char *schema, *table;
    uint64_t tp;
    unsigned n_cols;
};

static bool parse_event(struct slice bytes, struct arena *arena, struct parsed_event *ret)
{
    struct cursor c = cursor_of(bytes);
    struct proto_field f;
    int rc;

    *ret = (struct parsed_event){ .schema = "", .table = "" };
    while ((rc = proto_next(&c, &f)) > 0) {
        if (f.number == EVENT_SCHEMA)
            ret->schema = arena_text(arena, f.bytes.data, f.bytes.size);
        else if (f.number == EVENT_TABLE)
            ret->table = arena_text(arena, f.bytes.data, f.bytes.size);
        else if (f.number == EVENT_TP)
            ret->tp = f.u;
        else if (f.number == EVENT_ROW)
            ret->n_cols++;
    }
    return rc == 0 && ret->table[0] && ret->tp <= ROW_DELETE;
}

static struct value *values_of(struct arena *arena, unsigned n)
{
    return arena_alloc(arena, (n ? n : 1) * sizeof(struct value));
}

/* The columns of one row: all that is known of its table. */
static bool fill_change(struct slice bytes, struct arena *arena, struct change_table *t,
                        struct change *c)
{
    struct cursor at = cursor_of(bytes);
    struct proto_field f;
    unsigned i = 0;

    while (proto_next(&at, &f) > 0) {
        struct parsed_column p;

        if (f.number != EVENT_ROW)
            continue;
        if (i == t->n_cols || !parse_column(f.bytes, arena, &p))
            return false;
        if (c->kind == ROWS_UPDATE && !p.has_changed)
            return false;
        t->cols[i] = p.col;
        if (!get_value(p.value, p.col.type, c->before ? &c->before[i] : &c->after[i]))
            return false;
        if (c->kind == ROWS_UPDATE && !get_value(p.changed, p.col.type, &c->after[i]))
            return false;
        i++;
    }
    return i == t->n_cols;
}

static bool add_change(struct slice bytes, struct arena *arena, struct change *ret)
{
    static const enum rows_kind kinds[] = { ROWS_INSERT, ROWS_UPDATE, ROWS_DELETE };
    struct parsed_event e;
    struct change_table *t;

    if (!parse_event(bytes, arena, &e))
        return false;
    t = arena_alloc(arena, sizeof *t);
    *t = (struct change_table){ .schema = e.schema, .name = e.table, .n_cols = e.n_cols };
    t->cols = arena_alloc(arena, (e.n_cols + 1) * sizeof *t->cols);
    *ret = (struct change){ .table = t, .kind = kinds[e.tp] };
    if (ret->kind != ROWS_INSERT)
        ret->before = values_of(arena, e.n_cols);
    if (ret->kind != ROWS_DELETE)
        ret->after = values_of(arena, e.n_cols);
    return fill_change(bytes, arena, t, ret);
}

static size_t count_events(struct slice dml)
{
    struct cursor c = cursor_of(dml);
    struct proto_field f;
    size_t n = 0;

    while (proto_next(&c, &f) > 0)
        n += f.number == 1;
    return n;
}

static bool parse_dml(struct slice dml, struct arena *arena, struct change_txn *ret)
{
    struct cursor c = cursor_of(dml);
    struct proto_field f;
    int rc;

    ret->cap_changes = count_events(dml);
    ret->changes = arena_alloc(arena, (ret->cap_changes + 1) * sizeof *ret->changes);
    ret->n_changes = 0;
    while ((rc = proto_next(&c, &f)) > 0)
        if (f.number == 1 && !add_change(f.bytes, arena, &ret->changes[ret->n_changes++]))
            return false;
    return rc == 0;
}

int pb_file_decode(struct slice payload, struct arena *arena, struct change_txn *ret,
                   struct err *err)
{
    struct cursor c = cursor_of(payload);
    struct change_txn t = { .query = slice_str("") };
    struct slice dml = slice_str("");
    struct proto_field f;
    int rc;

    while ((rc = proto_next(&c, &f)) > 0) {
        if (f.number == BINLOG_TP)
            t.ddl = f.u == TP_DDL;
        else if (f.number == BINLOG_COMMIT_TS)
            t.commit_ts = f.u;
        else if (f.number == BINLOG_DML)
            dml = f.bytes;
        else if (f.number == BINLOG_DDL)
            t.query = f.bytes;
    }
    if (rc < 0 || (!t.ddl && !parse_dml(dml, arena, &t)))
        return err_set(err, -EBADMSG, "the transaction %llu is no binlog message",
                       (unsigned long long)t.commit_ts);
    t.commit_us = (int64_t)(t.commit_ts >> 18) * 1000;
    *ret = t;
    return 0;
}

/* --- records --- */

void pb_file_frame(struct slice payload, struct buf *out)
{
    buf_le(out, PB_FILE_MAGIC, 4);
    buf_le(out, payload.size, 8);
    buf_add(out, payload.data, payload.size);
    buf_le(out, pb_crc32c(payload.data, payload.size), 4);
}

int pb_file_next(struct cursor *c, struct slice *payload, uint64_t *need, struct err *err)
{
    struct cursor at = *c;
    uint64_t size;
    uint32_t crc;

    if (cursor_left(c) == 0)
        return 0;
    *need = PB_FILE_HEAD;
    if (cursor_left(c) < PB_FILE_HEAD)
        return -ENODATA;
    if (cursor_u32(&at) != PB_FILE_MAGIC)
        return err_set(err, -EBADMSG, "no record begins here");
    size = cursor_u64(&at);
    if (size > PB_FILE_MAX)
        return err_set(err, -EBADMSG, "a record of %llu bytes", (unsigned long long)size);
    *need = PB_FILE_HEAD + size + PB_FILE_TAIL;
    if (cursor_left(c) < *need)
        return -ENODATA;
    *payload = cursor_bytes(&at, (size_t)size);
    crc = cursor_u32(&at);
    if (crc != pb_crc32c(payload->data, payload->size))
        return err_set(err, -EBADMSG, "the checksum of a record is wrong");
    *c = at;
    return 1;
}

/* --- statements --- */

static void skip_space(struct slice *s)
{
    while (s->size && strchr(" \t\r\n", s->data[0]))
        s->data++, s->size--;
}

void pb_file_statement(struct slice query, struct arena *arena, const char **schema,
                       struct slice *rest)
{
    struct slice s = query;
    char *name = arena_alloc(arena, query.size + 1);
    size_t n = 0;
    bool quoted;

    *schema = "";
    *rest = query;
    skip_space(&s);
    if (s.size < 5 || strncasecmp((const char *)s.data, "use ", 4) != 0)
        return;
    s = slice_of(s.data + 4, s.size - 4);
    skip_space(&s);
    quoted = s.size && s.data[0] == '`';
    if (quoted)
        s.data++, s.size--;
    for (; s.size; s.data++, s.size--) {
        if (quoted && s.data[0] == '`') {
            if (s.size < 2 || s.data[1] != '`')
                break;
            s.data++, s.size--;
        } else if (!quoted && (s.data[0] == ';' || s.data[0] == ' ')) {
            break;
        }
        name[n++] = (char)s.data[0];
    }
    if (quoted && s.size)
        s.data++, s.size--;
    skip_space(&s);
    if (n == 0 || s.size == 0 || s.data[0] != ';')
        return;
    s.data++, s.size--;
    skip_space(&s);
    name[n] = '\0';
    *schema = name;
    *rest = s;
}
