/*
 * crc32.h - the checksum of binlog events: CRC-32 as zlib has it.
 *
 * Checksums are most of what it costs to read a binlog, so on x86 they are
 * computed with carry-less multiplication: about ten times zlib's rate on
 * events of a few hundred bytes and more.  Elsewhere it is zlib's.
 *
 * Source: Intel, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ".
 */
#ifndef SLUICE_BINLOG_CRC32_H
#define SLUICE_BINLOG_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from 'crc', which is 0 at first. */
uint32_t crc32_update(uint32_t crc, const uint8_t *p, size_t size);

#endif
