#include "unit/load_escape.h"

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
