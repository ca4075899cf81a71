/* Texts of dates, times, decimals and doubles stay inside their buffers, for any bits. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "binlog/decimal.h"
#include "binlog/double_text.h"
#include "binlog/temporal.h"

static void temporal(uint64_t v, unsigned digits)
{
    char text[TEMPORAL_SIZE];

    assert(date_print(text, (uint32_t)v & 0xffffff) <= TEMPORAL_SIZE);
    assert(time_print_old(text, (int32_t)((uint32_t)v << 8) >> 8) <= TEMPORAL_SIZE);
    assert(datetime_print_old(text, v) <= TEMPORAL_SIZE);
    assert(timestamp_print(text, (uint32_t)v, (uint32_t)(v >> 32) % 1000000, digits) <=
           TEMPORAL_SIZE);
    assert(datetime2_print(text, v >> (24 - 8 * temporal_fraction_size(digits)), digits) <=
           TEMPORAL_SIZE);
    assert(time2_print(text, v >> (40 - 8 * temporal_fraction_size(digits)), digits) <=
           TEMPORAL_SIZE);
    assert(datetime_print_packed(text, (int64_t)v) <= TEMPORAL_SIZE);
    assert(date_print_packed(text, (int64_t)v) <= TEMPORAL_SIZE);
    assert(time_print_packed(text, (int64_t)v) <= TEMPORAL_SIZE);
}

static void decimal(const uint8_t *data, size_t size)
{
    char text[DECIMAL_TEXT_SIZE];
    uint8_t packed[DECIMAL_MAX_SIZE] = { 0 };
    unsigned precision = data[0] % 70, scale = data[1] % 70;

    if (!decimal_valid(precision, scale))
        return;
    assert(decimal_size(precision, scale) <= DECIMAL_MAX_SIZE);
    memcpy(packed, data + 2, size - 2 < sizeof packed ? size - 2 : sizeof packed);
    assert(decimal_print(text, packed, precision, scale) <= precision + 3);
}

static void reads_back(uint64_t bits)
{
    char text[DOUBLE_TEXT_SIZE + 1];
    double d, back;
    size_t n;

    memcpy(&d, &bits, sizeof d);
    n = double_text(text, d);
    assert(n < DOUBLE_TEXT_SIZE);
    text[n] = '\0';
    back = strtod(text, NULL);
    assert(!isfinite(d) || memcmp(&d, &back, sizeof d) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t v = 0;

    if (size < 9)
        return 0;
    memcpy(&v, data + 1, 8);
    temporal(v, data[0] % 7);
    reads_back(v);
    decimal(data, size);
    return 0;
}
