/*
 * decimal.h - DECIMAL(precision, scale) as packed in rows and in JSON.
 *
 * Groups of nine digits in four bytes, big-endian, shorter at both ends; the
 * highest bit is set when positive, all bits are inverted when negative.
 * Source: decimal.c of both servers (decimal2bin).
 */
#ifndef SLUICE_BINLOG_DECIMAL_H
#define SLUICE_BINLOG_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECIMAL_MAX_PRECISION 65
#define DECIMAL_MAX_SCALE 38 /* MariaDB; MySQL has 30 */
#define DECIMAL_MAX_SIZE 32  /* packed bytes */
#define DECIMAL_TEXT_SIZE (DECIMAL_MAX_PRECISION + 4)

static inline bool decimal_valid(unsigned precision, unsigned scale)
{
    return precision >= 1 && precision <= DECIMAL_MAX_PRECISION && scale <= DECIMAL_MAX_SCALE &&
           scale <= precision;
}

unsigned decimal_size(unsigned precision, unsigned scale); /* packed bytes; arguments are valid */

/* Prints into 'to' (DECIMAL_TEXT_SIZE bytes, no NUL), exactly 'scale' digits
 * after the point; returns the length, or 0 if a group is no decimal number. */
size_t decimal_print(char *to, const uint8_t *packed, unsigned precision, unsigned scale);

#endif
