#include "binlog/json_binary.h"

#include "base/cursor.h"
#include "binlog/decimal.h"
#include "binlog/digits.h"
#include "binlog/double_text.h"
#include "binlog/rows.h"
#include "binlog/temporal.h"

#define LITERAL_NULL 0
#define LITERAL_TRUE 1
#define LITERAL_FALSE 2
#define EXPANSION 16 /* no text is longer than this many times its binary form */

struct json_value json_of_binary(struct slice binary)
{
    static const uint8_t null[] = { LITERAL_NULL };

    if (!binary.size)
        return (struct json_value){ JSON_LITERAL, slice_of(null, 1) };
    return (struct json_value){ binary.data[0], slice_of(binary.data + 1, binary.size - 1) };
}

bool json_open(struct json_value v, struct json_container *ret)
{
    struct json_container c = {
        .object = json_is_object(v),
        .large = v.type == JSON_LARGE_OBJECT || v.type == JSON_LARGE_ARRAY,
    };
    struct cursor in = cursor_of(v.data);
    size_t width = c.large ? 4 : 2;
    uint64_t size, entry = 1 + width + (c.object ? width + 2 : 0);

    if (v.type > JSON_LARGE_ARRAY)
        return false;
    c.n = (uint32_t)cursor_le(&in, (unsigned)width);
    size = cursor_le(&in, (unsigned)width);
    if (in.bad || size > v.data.size || 2 * width + c.n * entry > size)
        return false;
    c.data = slice_of(v.data.data, size);
    *ret = c;
    return true;
}

/* Small values stand where others have their offset. */
static bool is_inlined(const struct json_container *c, unsigned type)
{
    return type == JSON_LITERAL || type == JSON_INT16 || type == JSON_UINT16 ||
           (c->large && (type == JSON_INT32 || type == JSON_UINT32));
}

static struct slice from_offset(const struct json_container *c, uint64_t offset)
{
    if (offset > c->data.size)
        offset = c->data.size;
    return slice_of(c->data.data + offset, c->data.size - offset);
}

bool json_member(const struct json_container *c, uint32_t i, struct slice *key,
                 struct json_value *ret)
{
    size_t width = c->large ? 4 : 2;
    size_t keys = 2 * width, values = keys + (c->object ? (size_t)c->n * (width + 2) : 0);
    struct cursor in;

    if (i >= c->n)
        return false;
    if (c->object) {
        in = cursor_of(from_offset(c, keys + (size_t)i * (width + 2)));
        struct cursor at = cursor_of(from_offset(c, cursor_le(&in, (unsigned)width)));

        *key = cursor_bytes(&at, cursor_u16(&in));
        if (in.bad || at.bad)
            return false;
    }
    in = cursor_of(from_offset(c, values + (size_t)i * (width + 1)));
    ret->type = cursor_u8(&in);
    if (is_inlined(c, ret->type))
        ret->data = slice_of(in.at, width);
    else
        ret->data = from_offset(c, cursor_le(&in, (unsigned)width));
    return !in.bad;
}

struct json_text json_text_of(struct arena *arena, size_t binary_size)
{
    struct json_text t = { .arena = arena, .limit = EXPANSION * (binary_size + 16) };

    t.cap = binary_size * 2 + 32;
    t.data = arena_alloc(arena, t.cap);
    return t;
}

static bool grow(struct json_text *t, size_t more)
{
    char *old = t->data;

    if (t->bad || t->size + more > t->limit) {
        t->bad = true;
        return false;
    }
    t->cap = (t->size + more) * 2;
    t->data = arena_alloc(t->arena, t->cap);
    memcpy(t->data, old, t->size);
    return true;
}

void json_text_add(struct json_text *t, const void *p, size_t size)
{
    if (size > t->cap - t->size && !grow(t, size))
        return;
    if (size)
        memcpy(t->data + t->size, p, size);
    t->size += size;
}

static void add_str(struct json_text *t, const char *s)
{
    json_text_add(t, s, strlen(s));
}

static size_t escape(uint8_t c, char to[6])
{
    static const char names[] = "btn\0fr"; /* of 8 to 13; 11 has none */
    static const char digits[] = "0123456789abcdef";

    to[0] = '\\';
    if (c == '"' || c == '\\') {
        to[1] = (char)c;
        return 2;
    }
    if (c >= 8 && c <= 13 && c != 11) {
        to[1] = names[c - 8];
        return 2;
    }
    to[1] = 'u';
    to[2] = to[3] = '0';
    to[4] = digits[c >> 4];
    to[5] = digits[c & 15];
    return 6;
}

void json_text_string(struct json_text *t, struct slice s)
{
    const uint8_t *from = s.data, *p = s.data, *end = slice_end(s);
    char escaped[6];

    json_text_add(t, "\"", 1);
    for (; p < end; p++) {
        if (*p >= 0x20 && *p != '"' && *p != '\\')
            continue;
        json_text_add(t, from, (size_t)(p - from));
        json_text_add(t, escaped, escape(*p, escaped));
        from = p + 1;
    }
    json_text_add(t, from, (size_t)(p - from));
    json_text_add(t, "\"", 1);
}

/* Seven bits a byte, lowest first; the highest bit says that more follow. */
static size_t read_size(struct cursor *c)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = cursor_u8(c);

        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return v;
    }
    c->bad = true;
    return 0;
}

static void print_base64(struct json_text *t, struct slice s)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    enum { PADDING = 64 };

    for (size_t i = 0; i < s.size; i += 3) {
        size_t left = s.size - i;
        uint32_t v = (uint32_t)s.data[i] << 16 | (left > 1 ? (uint32_t)s.data[i + 1] << 8 : 0) |
                     (left > 2 ? s.data[i + 2] : 0u);
        char four[4] = { digits[v >> 18], digits[v >> 12 & 63],
                         digits[left > 1 ? v >> 6 & 63 : PADDING],
                         digits[left > 2 ? v & 63 : PADDING] };

        json_text_add(t, four, sizeof four);
    }
}

static bool print_decimal(struct json_text *t, struct slice s)
{
    char text[DECIMAL_TEXT_SIZE];
    unsigned precision, scale;
    size_t n;

    if (s.size < 2)
        return false;
    precision = s.data[0];
    scale = s.data[1];
    if (!decimal_valid(precision, scale) || s.size - 2 < decimal_size(precision, scale))
        return false;
    n = decimal_print(text, s.data + 2, precision, scale);
    json_text_add(t, text, n);
    return n > 0;
}

static bool print_temporal(struct json_text *t, unsigned type, struct slice s)
{
    struct cursor c = cursor_of(s);
    int64_t packed = (int64_t)cursor_u64(&c);
    char text[TEMPORAL_SIZE];
    size_t n;

    if (type == COL_DATE)
        n = date_print_packed(text, packed);
    else if (type == COL_TIME)
        n = time_print_packed(text, packed);
    else
        n = datetime_print_packed(text, packed);
    json_text_add(t, "\"", 1);
    json_text_add(t, text, n);
    json_text_add(t, "\"", 1);
    return n > 0 && !c.bad;
}

static bool print_opaque(struct json_text *t, struct slice data)
{
    struct cursor c = cursor_of(data);
    unsigned type = cursor_u8(&c);
    size_t size = read_size(&c);
    struct slice value = cursor_bytes(&c, size);
    char number[10], *end;

    if (c.bad)
        return false;
    if (type == COL_NEWDECIMAL)
        return print_decimal(t, value);
    if (type == COL_DATE || type == COL_TIME || type == COL_DATETIME || type == COL_TIMESTAMP)
        return print_temporal(t, type, value);
    end = digits_put(number, type);
    add_str(t, "\"base64:type");
    json_text_add(t, number, (size_t)(end - number));
    json_text_add(t, ":", 1);
    print_base64(t, value);
    json_text_add(t, "\"", 1);
    return true;
}

static void print_unsigned(struct json_text *t, uint64_t v)
{
    char digits[20], *p = digits + sizeof digits;

    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    json_text_add(t, p, (size_t)(digits + sizeof digits - p));
}

static void print_signed(struct json_text *t, int64_t v)
{
    if (v < 0)
        json_text_add(t, "-", 1);
    print_unsigned(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void print_double(struct json_text *t, uint64_t bits)
{
    char text[DOUBLE_TEXT_SIZE];
    double d;
    size_t n;

    memcpy(&d, &bits, sizeof d);
    n = double_text(text, d);
    json_text_add(t, text, n);
    if (!memchr(text, '.', n) && !memchr(text, 'e', n))
        json_text_add(t, ".0", 2); /* so that it stays a double when read back */
}

static bool print_literal(struct json_text *t, unsigned literal)
{
    static const char *const names[] = {
        [LITERAL_NULL] = "null", [LITERAL_TRUE] = "true", [LITERAL_FALSE] = "false"
    };

    if (literal > LITERAL_FALSE)
        return false;
    add_str(t, names[literal]);
    return true;
}

static bool print_scalar(struct json_text *t, struct json_value v)
{
    struct cursor c = cursor_of(v.data);

    switch (v.type) {
    case JSON_LITERAL:
        return print_literal(t, cursor_u8(&c)) && !c.bad;
    case JSON_INT16:
        print_signed(t, (int16_t)cursor_u16(&c));
        return !c.bad;
    case JSON_UINT16:
        print_unsigned(t, cursor_u16(&c));
        return !c.bad;
    case JSON_INT32:
        print_signed(t, (int32_t)cursor_u32(&c));
        return !c.bad;
    case JSON_UINT32:
        print_unsigned(t, cursor_u32(&c));
        return !c.bad;
    case JSON_INT64:
        print_signed(t, (int64_t)cursor_u64(&c));
        return !c.bad;
    case JSON_UINT64:
        print_unsigned(t, cursor_u64(&c));
        return !c.bad;
    case JSON_DOUBLE:
        print_double(t, cursor_u64(&c));
        return !c.bad;
    case JSON_STRING: {
        size_t size = read_size(&c);

        json_text_string(t, cursor_bytes(&c, size));
        return !c.bad;
    }
    case JSON_OPAQUE:
        return print_opaque(t, v.data);
    default:
        return false;
    }
}

bool json_binary_print(struct json_text *t, struct json_value v, unsigned depth)
{
    struct json_container c;

    if (v.type > JSON_LARGE_ARRAY)
        return print_scalar(t, v) && !t->bad;
    if (depth >= JSON_MAX_DEPTH || !json_open(v, &c))
        return false;
    json_text_add(t, c.object ? "{" : "[", 1);
    for (uint32_t i = 0; i < c.n; i++) {
        struct json_value member;
        struct slice key;

        if (!json_member(&c, i, &key, &member))
            return false;
        if (i)
            json_text_add(t, ", ", 2);
        if (c.object) {
            json_text_string(t, key);
            json_text_add(t, ": ", 2);
        }
        if (!json_binary_print(t, member, depth + 1))
            return false;
    }
    json_text_add(t, c.object ? "}" : "]", 1);
    return !t->bad;
}

bool json_binary_text(struct slice binary, struct arena *arena, struct slice *ret)
{
    struct json_text t = json_text_of(arena, binary.size);

    if (!json_binary_print(&t, json_of_binary(binary), 0))
        return false;
    *ret = slice_of(t.data, t.size);
    return true;
}
