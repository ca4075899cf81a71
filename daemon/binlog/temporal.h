/*
 * temporal.h - DATE, TIME, DATETIME and TIMESTAMP, packed as servers pack them,
 * into the text that a SELECT in UTC gives.
 *
 * Each prints into 'to' (TEMPORAL_SIZE bytes, no NUL) and returns the length, or
 * 0 if the bits are no such value.  'digits' is the number of fraction digits.
 *
 * Source: my_time.cc of both servers (my_datetime_packed_from_binary and kin).
 */
#ifndef SLUICE_BINLOG_TEMPORAL_H
#define SLUICE_BINLOG_TEMPORAL_H

#include <stddef.h>
#include <stdint.h>

#define TEMPORAL_SIZE 32

/* Bytes that a fraction of 'digits' takes. */
static inline unsigned temporal_fraction_size(unsigned digits)
{
    return (digits + 1) / 2;
}

size_t date_print(char *to, uint32_t packed);    /* 15 bits year, 4 month, 5 day */
size_t time_print_old(char *to, int32_t hhmmss); /* as a decimal number */
size_t datetime_print_old(char *to, uint64_t v); /* YYYYMMDDhhmmss as a decimal number */
size_t timestamp_print(char *to, uint32_t seconds, uint32_t microseconds, unsigned digits);

/* The big-endian number of DATETIME2 and TIME2, with its fraction bytes. */
size_t datetime2_print(char *to, uint64_t packed, unsigned digits);
size_t time2_print(char *to, uint64_t packed, unsigned digits);

/* MariaDB's of before 10.1.2, or with mysql56_temporal_format=OFF: one big-endian number of the
 * fraction's digits.  Source: MariaDB's field.cc, Field_time_hires and Field_datetime_hires. */
size_t time_print_mariadb53(char *to, uint64_t packed, unsigned digits);
size_t datetime_print_mariadb53(char *to, uint64_t packed, unsigned digits);

/* The 64-bit form inside JSON and elsewhere: integer part << 24 | microseconds. */
size_t datetime_print_packed(char *to, int64_t packed);
size_t date_print_packed(char *to, int64_t packed);
size_t time_print_packed(char *to, int64_t packed);

#endif
