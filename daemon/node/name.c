/* name.c - names as the tree shows them, and back. */
#include <ctype.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/scope.h"
#include "node/node.h"

#define NAME_SIZE_MAX 255 /* NAME_MAX of Linux */

/* Size of the UTF-8 sequence at 's', 0 if it is not one (overlong, surrogate, cut). */
static size_t utf8_size(const unsigned char *s)
{
    static const struct {
        unsigned char first, last, size, low, high; /* bounds of the second byte */
    } rows[] = {
        { 0x01, 0x7f, 1, 0, 0 },       { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf },
        { 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
        { 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
    };

    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        if (*s < rows[r].first || *s > rows[r].last)
            continue;
        if (rows[r].size > 1 && (s[1] < rows[r].low || s[1] > rows[r].high))
            return 0;
        for (size_t i = 2; i < rows[r].size; i++)
            if ((s[i] & 0xc0) != 0x80)
                return 0;
        return rows[r].size;
    }
    return 0;
}

/* FNV-1a, 64 bits: stable across versions, since names with it are shown to users. */
static uint64_t name_hash(const char *s)
{
    uint64_t h = 0xcbf29ce484222325;

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3;
    return h;
}

char *node_name_shown(const char *plain)
{
    struct buf b = BUF_INIT;
    size_t cut = 0; /* the longest beginning, at a whole character, that leaves room for a hash */

    for (const unsigned char *s = (const void *)plain; *s;) {
        size_t size = utf8_size(s);

        if (b.size <= NAME_SIZE_MAX - 17)
            cut = b.size;
        if (size == 0 || *s < 0x20 || *s == 0x7f || *s == '/' || *s == '%' ||
            (*s == '.' && (const void *)s == plain)) {
            buf_printf(&b, "%%%02X", *s++);
            continue;
        }
        buf_add(&b, s, size);
        s += size;
    }
    if (b.size > NAME_SIZE_MAX) {
        b.size = cut;
        buf_printf(&b, "~%016llx", (unsigned long long)name_hash(plain));
    }
    return buf_steal(&b);
}

static int hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *node_name_plain(const char *shown)
{
    SCOPED(freep) char *again = NULL;
    struct buf b = BUF_INIT;

    for (const char *s = shown; *s; s++) {
        if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
            buf_byte(&b, (char)((unsigned)hex(s[1]) << 4 | (unsigned)hex(s[2])));
            s += 2;
        } else {
            buf_byte(&b, *s);
        }
    }
    again = node_name_shown(b.size ? b.data : "");
    if (b.size == 0 || strlen(b.data) != b.size || strcmp(again, shown) != 0) {
        buf_fini(&b);
        return NULL;
    }
    return buf_steal(&b);
}
