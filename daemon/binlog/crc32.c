#include "binlog/crc32.h"

#include <zlib.h>

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("pclmul,sse4.1")))
#define BLOCK ((size_t)16)
#define STRIDE (4 * BLOCK)

/* Powers of x modulo the polynomial, bits reversed: by how far a block is moved on. */
static const uint64_t four_blocks[2] __attribute__((aligned(16))) = { 0x0154442bd4, 0x01c6e41596 };
static const uint64_t one_block[2] __attribute__((aligned(16))) = { 0x01751997d0, 0x00ccaa009e };
static const uint64_t half_block[2] __attribute__((aligned(16))) = { 0x0163cd6124, 0 };
/* The polynomial, and its inverse for Barrett's reduction. */
static const uint64_t polynomial[2] __attribute__((aligned(16))) = { 0x01db710641, 0x01f7011641 };

TARGET static inline __m128i load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

TARGET static inline __m128i constant(const uint64_t *two)
{
    return _mm_load_si128((const __m128i *)(const void *)two);
}

/* 'a' moved on by what 'k' says, plus 'next'. */
TARGET static inline __m128i fold(__m128i a, __m128i k, __m128i next)
{
    return _mm_xor_si128(
        _mm_xor_si128(_mm_clmulepi64_si128(a, k, 0x00), _mm_clmulepi64_si128(a, k, 0x11)), next);
}

TARGET static uint32_t reduce(__m128i a)
{
    const __m128i low = _mm_set_epi32(0, -1, 0, -1), k = constant(polynomial);
    __m128i b;

    b = _mm_clmulepi64_si128(a, constant(one_block), 0x10);
    a = _mm_xor_si128(_mm_srli_si128(a, 8), b);
    b = _mm_clmulepi64_si128(_mm_and_si128(a, low), constant(half_block), 0x00);
    a = _mm_xor_si128(_mm_srli_si128(a, 4), b);
    b = _mm_clmulepi64_si128(_mm_and_si128(a, low), k, 0x10);
    b = _mm_clmulepi64_si128(_mm_and_si128(b, low), k, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(a, b), 1);
}

/* 'size' is a multiple of BLOCK and not 0; 'crc' is inverted, in and out. */
TARGET static uint32_t crc_of_blocks(uint32_t crc, const uint8_t *p, size_t size)
{
    const uint8_t *end = p + size;
    __m128i a = _mm_xor_si128(load(p), _mm_cvtsi32_si128((int)crc));

    p += BLOCK;
    if (size >= 2 * STRIDE) {
        const __m128i k = constant(four_blocks);
        __m128i b = load(p), c = load(p + BLOCK), d = load(p + 2 * BLOCK);

        for (p += 3 * BLOCK; (size_t)(end - p) >= STRIDE; p += STRIDE) {
            a = fold(a, k, load(p));
            b = fold(b, k, load(p + BLOCK));
            c = fold(c, k, load(p + 2 * BLOCK));
            d = fold(d, k, load(p + 3 * BLOCK));
        }
        a = fold(a, constant(one_block), b);
        a = fold(a, constant(one_block), c);
        a = fold(a, constant(one_block), d);
    }
    for (; p < end; p += BLOCK)
        a = fold(a, constant(one_block), load(p));
    return reduce(a);
}

uint32_t crc32_update(uint32_t crc, const uint8_t *p, size_t size)
{
    size_t blocks = size & ~(BLOCK - 1);

    if (blocks && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1"))
        crc = ~crc_of_blocks(~crc, p, blocks);
    else
        blocks = 0;
    return (uint32_t)crc32_z(crc, p + blocks, size - blocks);
}

#else

uint32_t crc32_update(uint32_t crc, const uint8_t *p, size_t size)
{
    return (uint32_t)crc32_z(crc, p, size);
}

#endif
