#include "binlog/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *data_type;
    size_t size;
    const char *kept_as; /* as mysql/dialect_map.c has it */
} kinds[ADDRESS_N_KINDS] = {
    [ADDRESS_NONE] = { "", 0, "" },
    [ADDRESS_UUID] = { "uuid", 16, "char(36)" },
    [ADDRESS_INET6] = { "inet6", 16, "varchar(39)" },
    [ADDRESS_INET4] = { "inet4", 4, "varchar(15)" },
};

enum address_kind address_of_type(const char *data_type)
{
    for (unsigned k = ADDRESS_UUID; k < ADDRESS_N_KINDS; k++)
        if (strcmp(kinds[k].data_type, data_type) == 0)
            return (enum address_kind)k;
    return ADDRESS_NONE;
}

enum address_kind address_kept_as(const char *column_type, size_t size)
{
    for (unsigned k = ADDRESS_UUID; k < ADDRESS_N_KINDS; k++)
        if (kinds[k].size == size && strcmp(kinds[k].kept_as, column_type) == 0)
            return (enum address_kind)k;
    return ADDRESS_NONE;
}

size_t address_size(enum address_kind kind)
{
    return kinds[kind].size;
}

static size_t uuid_text(const uint8_t *b, char *text)
{
    return (size_t)snprintf(text, ADDRESS_TEXT_MAX,
                            "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                            b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
                            b[11], b[12], b[13], b[14], b[15]);
}

static size_t inet4_text(const uint8_t *b, char *text, size_t room)
{
    return (size_t)snprintf(text, room, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

enum { N_WORDS = 8 };

/* The longest run of zeros, the first of them; *n is 0 if there is none. */
static unsigned longest_gap(const unsigned *words, unsigned *n)
{
    unsigned at = N_WORDS;

    *n = 0;
    for (unsigned i = 0; i < N_WORDS;) {
        unsigned end = i;

        while (end < N_WORDS && words[end] == 0)
            end++;
        if (end - i > *n) {
            at = i;
            *n = end - i;
        }
        i = end + 1;
    }
    return at;
}

/* After this gap at the beginning, an IPv4 address is printed as one. */
static bool holds_inet4(const unsigned *words, unsigned gap, unsigned n)
{
    return gap == 0 && (n == 6 || (n == 5 && words[5] == 0xffff));
}

static size_t inet6_text(const uint8_t *b, char *text)
{
    unsigned words[N_WORDS], n, gap;
    size_t size = 0;

    for (unsigned i = 0; i < N_WORDS; i++)
        words[i] = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
    gap = longest_gap(words, &n);
    for (unsigned i = 0; i < N_WORDS; i++) {
        if (i == gap) {
            size += (size_t)snprintf(text + size, ADDRESS_TEXT_MAX - size, i == 0 ? "::" : ":");
            i += n - 1;
        } else if (i == 6 && holds_inet4(words, gap, n)) {
            return size + inet4_text(b + 12, text + size, ADDRESS_TEXT_MAX - size);
        } else {
            size += (size_t)snprintf(text + size, ADDRESS_TEXT_MAX - size,
                                     i + 1 < N_WORDS ? "%x:" : "%x", words[i]);
        }
    }
    return size;
}

size_t address_text(enum address_kind kind, const uint8_t *bytes, char text[ADDRESS_TEXT_MAX])
{
    assert(kind != ADDRESS_NONE);
    if (kind == ADDRESS_UUID)
        return uuid_text(bytes, text);
    return kind == ADDRESS_INET4 ? inet4_text(bytes, text, ADDRESS_TEXT_MAX)
                                 : inet6_text(bytes, text);
}

static bool uuid_bytes(const char *text, uint8_t *bytes)
{
    unsigned n = 0;

    for (; *text; text++) {
        unsigned digit =
            (unsigned)(isdigit((unsigned char)*text) ? *text - '0' : (*text | 0x20) - 'a' + 10);

        if (*text == '-')
            continue;
        if (!isxdigit((unsigned char)*text) || n == 32)
            return false;
        bytes[n / 2] = (uint8_t)(n % 2 ? bytes[n / 2] << 4 | digit : digit);
        n++;
    }
    return n == 32;
}

bool address_bytes(enum address_kind kind, const char *text, size_t size, uint8_t *bytes)
{
    char s[ADDRESS_TEXT_MAX] = "";

    assert(kind != ADDRESS_NONE);
    if (size >= sizeof s || memchr(text, 0, size))
        return false;
    memcpy(s, text, size);
    if (kind == ADDRESS_UUID)
        return uuid_bytes(s, bytes);
    return inet_pton(kind == ADDRESS_INET4 ? AF_INET : AF_INET6, s, bytes) == 1;
}
