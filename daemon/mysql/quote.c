#include "base/buf.h"
#include "mysql/conn.h"

/* What a byte becomes after a backslash; 0: it stands for itself.  Multi-byte character sets in
 * which a backslash can be the second byte (gbk, sjis, big5) do no harm: the client's character
 * set is binary, so the server reads literals byte by byte. */
static const char escapes[256] = {
    ['\0'] = '0', ['\n'] = 'n', ['\r'] = 'r', ['\x1a'] = 'Z', ['\\'] = '\\', ['\''] = '\'',
};

void sql_quote(struct buf *out, struct slice text)
{
    const uint8_t *at = text.data, *end = text.data + text.size, *from = at;

    buf_reserve(out, text.size + 2);
    buf_byte(out, '\'');
    for (; at < end; at++) {
        if (escapes[*at]) {
            char pair[2] = { '\\', escapes[*at] };

            buf_add(out, from, (size_t)(at - from));
            buf_add(out, pair, 2);
            from = at + 1;
        }
    }
    buf_add(out, from, (size_t)(end - from));
    buf_byte(out, '\'');
}

void sql_text(struct buf *out, const char *text)
{
    buf_str(out, "_utf8mb4");
    sql_quote(out, slice_str(text));
}

void sql_hex(struct buf *out, struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";

    buf_reserve(out, 2 * bytes.size + 3);
    buf_str(out, "x'");
    for (size_t i = 0; i < bytes.size; i++) {
        char pair[2] = { digits[bytes.data[i] >> 4], digits[bytes.data[i] & 15] };

        buf_add(out, pair, 2);
    }
    buf_byte(out, '\'');
}

void sql_ident(struct buf *out, struct slice name)
{
    buf_byte(out, '`');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '`')
            buf_byte(out, '`');
        buf_byte(out, (char)name.data[i]);
    }
    buf_byte(out, '`');
}

void sql_table(struct buf *out, const char *db, const char *name)
{
    sql_ident(out, slice_str(db));
    buf_byte(out, '.');
    sql_ident(out, slice_str(name));
}
