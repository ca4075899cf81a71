#include "mysql/escape.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { STEP = 16 };

/* Which of the sixteen bytes at 'p' need an escape: bit i of the result is byte i. */
static inline unsigned hits(const char *p, char a, char b, char c)
{
#ifdef __SSE2__
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i m = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(a)), _mm_cmpeq_epi8(v, _mm_set1_epi8(b))),
        _mm_cmpeq_epi8(v, _mm_set1_epi8(c)));

    return (unsigned)_mm_movemask_epi8(m);
#else
    unsigned m = 0;

    for (unsigned i = 0; i < STEP; i++)
        m |= (unsigned)(p[i] == a || p[i] == b || p[i] == c) << i;
    return m;
#endif
}

size_t escape_tsv(char *to, size_t room, const char *from, size_t size, size_t *used)
{
    const char *in = from, *end = from + size;
    char *out = to, *out_end = to + room;

    while (in < end) {
        /* A whole step is copied; what is after the first hit is overwritten later. */
        if (end - in >= STEP && out_end - out >= STEP) {
            unsigned m = hits(in, '\t', '\n', '\\');
            unsigned clean = m ? (unsigned)__builtin_ctz(m) : STEP;

            memcpy(out, in, STEP);
            in += clean;
            out += clean;
            if (!m)
                continue;
        }
        if (*in == '\t' || *in == '\n' || *in == '\\') {
            if (out_end - out < 2)
                break;
            *out++ = '\\';
        } else if (out == out_end) {
            break;
        }
        *out++ = *in++;
    }
    *used = (size_t)(in - from);
    return (size_t)(out - to);
}

size_t escape_sql(char *to, const char *from, size_t size)
{
    const char *in = from, *end = from + size;
    char *out = to;

    while (in < end) {
        if (end - in >= STEP) {
            unsigned m = hits(in, '\'', '\\', '\0');
            unsigned clean = m ? (unsigned)__builtin_ctz(m) : STEP;

            memcpy(out, in, STEP); /* room is twice what is left to read */
            in += clean;
            out += clean;
            if (!m)
                continue;
        }
        if (*in == '\'' || *in == '\\' || *in == '\0')
            *out++ = '\\';
        *out++ = *in ? *in : '0';
        in++;
    }
    return (size_t)(out - to);
}

/* Which of the sixteen bytes at 'p' are a control character, a quote or a backslash. */
static inline unsigned odd_ones(const char *p)
{
#ifdef __SSE2__
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(26)), v);

    return (unsigned)_mm_movemask_epi8(low) | hits(p, '\'', '\\', '\\');
#else
    unsigned m = hits(p, '\'', '\\', '\\');

    for (unsigned i = 0; i < STEP; i++)
        m |= (unsigned)((uint8_t)p[i] <= 26) << i;
    return m;
#endif
}

size_t escape_file(char *to, const char *from, size_t size)
{
    static const char letters[256] = {
        ['\0'] = '0', ['\n'] = 'n', ['\r'] = 'r', [26] = 'Z', ['\''] = '\'', ['\\'] = '\\'
    };
    const char *in = from, *end = from + size;
    char *out = to;

    while (in < end) {
        char letter;

        if (end - in >= STEP) {
            unsigned m = odd_ones(in);
            unsigned clean = m ? (unsigned)__builtin_ctz(m) : STEP;

            memcpy(out, in, STEP); /* room is twice what is left to read */
            in += clean;
            out += clean;
            if (!m)
                continue;
        }
        letter = letters[(uint8_t)*in];
        if (letter)
            *out++ = '\\';
        *out++ = letter ? letter : *in;
        in++;
    }
    return (size_t)(out - to);
}

size_t escape_find(const char *from, size_t size, char a, char b)
{
    size_t i = 0;

    for (; size - i >= STEP; i += STEP) {
        unsigned m = hits(from + i, a, b, b);

        if (m)
            return i + (unsigned)__builtin_ctz(m);
    }
    while (i < size && from[i] != a && from[i] != b)
        i++;
    return i;
}
