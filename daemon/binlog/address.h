/*
 * address.h - MariaDB's UUID, INET6 and INET4: in rows they are bytes, and a server that does not
 * have the type keeps the text that MariaDB prints (mysql/dialect.h).
 *
 * Pure.  Source: MariaDB's sql_type_uuid.h (memory_to_char), sql_type_inet.cc (Inet6::to_string):
 * unlike inet_ntop() a single zero is left out, too ("1::2:3:4:5:6:7").
 */
#ifndef SLUICE_BINLOG_ADDRESS_H
#define SLUICE_BINLOG_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum address_kind { ADDRESS_NONE, ADDRESS_UUID, ADDRESS_INET6, ADDRESS_INET4, ADDRESS_N_KINDS };

/* By information_schema's name, "inet6"; ADDRESS_NONE: it is another type. */
enum address_kind address_of_type(const char *data_type);
/* What a column of 'column_type' ("varchar(39)") at a server without the type keeps, if rows have
 * 'size' bytes for it; ADDRESS_NONE: something else. */
enum address_kind address_kept_as(const char *column_type, size_t size);
/* How many bytes rows have. */
size_t address_size(enum address_kind kind);

#define ADDRESS_TEXT_MAX 48
/* The text of these bytes, which are in the order that is printed; its length.  'text' ends in a
 * zero. */
size_t address_text(enum address_kind kind, const uint8_t *bytes, char text[ADDRESS_TEXT_MAX]);
/* And back: address_size() bytes; false: it is no such text. */
bool address_bytes(enum address_kind kind, const char *text, size_t size, uint8_t *bytes);

#endif
