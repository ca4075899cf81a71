#include "mysql/packet.h"

#include <stdio.h>

enum {
    HEAD_OK = 0x00,
    HEAD_EOF = 0xfe,
    HEAD_ERROR = 0xff,
    NULL_VALUE = 0xfb,
    STATUS_AUTOCOMMIT = 2,
    CHARSET_UTF8 = 33,
    CHARSET_BINARY = 63,
    TYPE_LONGLONG = 8,
    TYPE_VAR_STRING = 253,
    FLAG_NUMBER = 0x8000,
    COLUMN_REST = 0x0c, /* bytes of a definition behind the names */
    WIDTH_NUMBER = 21,
    WIDTH_TEXT = 1 << 20,
};

static const struct {
    unsigned code;
    const char *state;
} states[] = {
    { PACKET_TOO_MANY_CONNECTIONS, "08004" },
    { PACKET_ACCESS_DENIED, "28000" },
    { PACKET_UNKNOWN_COMMAND, "08S01" },
    { PACKET_TOO_LARGE, "08S01" },
    { PACKET_SYNTAX, "42000" },
    { 0, "HY000" },
};

static void put_text(struct buf *b, const char *text)
{
    size_t len = strlen(text);

    buf_lenenc(b, len);
    buf_add(b, text, len);
}

void packet_ok(struct wire *w)
{
    packet_ok_text(w, "");
}

void packet_ok_text(struct wire *w, const char *text)
{
    struct buf *b = wire_begin(w);

    buf_byte(b, HEAD_OK);
    buf_lenenc(b, 0); /* rows */
    buf_lenenc(b, 0); /* the last id */
    buf_le(b, STATUS_AUTOCOMMIT, 2);
    buf_le(b, 0, 2); /* warnings */
    if (*text)
        put_text(b, text);
    wire_end(w);
}

void packet_eof(struct wire *w)
{
    struct buf *b = wire_begin(w);

    buf_byte(b, (char)HEAD_EOF);
    buf_le(b, 0, 2);
    buf_le(b, STATUS_AUTOCOMMIT, 2);
    wire_end(w);
}

void packet_err(struct wire *w, unsigned code, const char *text)
{
    struct buf *b = wire_begin(w);
    size_t i = 0;

    while (states[i].code && states[i].code != code)
        i++;
    buf_byte(b, (char)HEAD_ERROR);
    buf_le(b, code, 2);
    buf_byte(b, '#');
    buf_str(b, states[i].state);
    buf_str(b, text);
    wire_end(w);
}

static void put_column(struct wire *w, const struct packet_column *c)
{
    struct buf *b = wire_begin(w);

    put_text(b, "def");
    for (int i = 0; i < 3; i++) /* schema, table, its own name */
        put_text(b, "");
    put_text(b, c->name);
    put_text(b, "");
    buf_byte(b, COLUMN_REST);
    buf_le(b, c->number ? CHARSET_BINARY : CHARSET_UTF8, 2);
    buf_le(b, c->number ? WIDTH_NUMBER : WIDTH_TEXT, 4);
    buf_byte(b, (char)(c->number ? TYPE_LONGLONG : TYPE_VAR_STRING));
    buf_le(b, c->number ? FLAG_NUMBER : 0, 2);
    buf_le(b, 0, 3); /* decimals, and two more */
    wire_end(w);
}

void packet_columns(struct wire *w, const struct packet_column *columns, size_t n)
{
    buf_lenenc(wire_begin(w), n);
    wire_end(w);
    for (size_t i = 0; i < n; i++)
        put_column(w, &columns[i]);
    packet_eof(w);
}

void packet_row(struct wire *w)
{
    wire_begin(w);
}

void packet_value(struct wire *w, struct slice text)
{
    buf_lenenc(&w->out, text.size);
    buf_add(&w->out, text.data, text.size);
}

void packet_text(struct wire *w, const char *text)
{
    if (text)
        packet_value(w, slice_str(text));
    else
        buf_byte(&w->out, (char)NULL_VALUE);
}

void packet_number(struct wire *w, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    packet_text(w, text);
}

void packet_row_end(struct wire *w)
{
    wire_end(w);
}
