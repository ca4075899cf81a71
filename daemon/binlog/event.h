/*
 * event.h - the common header of a binlog event, and the event types.
 *
 * Source: MySQL Source Code Documentation, "Binlog Event Header"; MariaDB
 * Knowledge Base, "Binlog Event Header".  Events are read from raw bytes; all
 * slices point into them.
 */
#ifndef SLUICE_BINLOG_EVENT_H
#define SLUICE_BINLOG_EVENT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

enum flavor { FLAVOR_MYSQL, FLAVOR_MARIADB };

enum event_type {
    EVENT_QUERY = 2,
    EVENT_STOP = 3,
    EVENT_ROTATE = 4,
    EVENT_INTVAR = 5,
    EVENT_APPEND_BLOCK = 9,
    EVENT_DELETE_FILE = 11,
    EVENT_RAND = 13,
    EVENT_USER_VAR = 14,
    EVENT_FORMAT_DESCRIPTION = 15,
    EVENT_XID = 16,
    EVENT_BEGIN_LOAD_QUERY = 17,
    EVENT_EXECUTE_LOAD_QUERY = 18,
    EVENT_TABLE_MAP = 19,
    EVENT_WRITE_ROWS_V1 = 23,
    EVENT_UPDATE_ROWS_V1 = 24,
    EVENT_DELETE_ROWS_V1 = 25,
    EVENT_INCIDENT = 26,
    EVENT_HEARTBEAT = 27,
    EVENT_IGNORABLE = 28,
    EVENT_ROWS_QUERY = 29,
    EVENT_WRITE_ROWS_V2 = 30,
    EVENT_UPDATE_ROWS_V2 = 31,
    EVENT_DELETE_ROWS_V2 = 32,
    EVENT_GTID = 33,
    EVENT_ANONYMOUS_GTID = 34,
    EVENT_PREVIOUS_GTIDS = 35,
    EVENT_TRANSACTION_CONTEXT = 36,
    EVENT_VIEW_CHANGE = 37,
    EVENT_XA_PREPARE = 38,
    EVENT_PARTIAL_UPDATE_ROWS = 39,
    EVENT_TRANSACTION_PAYLOAD = 40,
    EVENT_HEARTBEAT_V2 = 41,
    EVENT_GTID_TAGGED = 42,
    EVENT_MARIADB_ANNOTATE_ROWS = 160,
    EVENT_MARIADB_BINLOG_CHECKPOINT = 161,
    EVENT_MARIADB_GTID = 162,
    EVENT_MARIADB_GTID_LIST = 163,
    EVENT_MARIADB_START_ENCRYPTION = 164,
    EVENT_MARIADB_QUERY_COMPRESSED = 165,
    EVENT_MARIADB_WRITE_ROWS_COMPRESSED_V1 = 166,
    EVENT_MARIADB_UPDATE_ROWS_COMPRESSED_V1 = 167,
    EVENT_MARIADB_DELETE_ROWS_COMPRESSED_V1 = 168,
};

#define EVENT_HEADER_SIZE 19
#define EVENT_CHECKSUM_SIZE 4
#define EVENT_FLAG_IN_USE 0x01     /* of a format description: the file was not closed */
#define EVENT_FLAG_ARTIFICIAL 0x20 /* made for this dump connection: not in the file */
#define EVENT_FLAG_IGNORABLE 0x80  /* who does not know the type may skip it */

struct event {
    uint32_t timestamp; /* seconds since 1970, the source's clock */
    uint8_t type;       /* enum event_type, or one we do not know */
    bool in_payload;    /* came out of a TRANSACTION_PAYLOAD: no checksum, no place in the file */
    uint16_t flags;
    uint32_t server_id;
    uint32_t next_pos; /* offset in the file after this event, modulo 2^32; 0 if artificial */
    struct slice raw;  /* header, body and checksum as read */
    struct slice body; /* without header and checksum */
};

/* What a FORMAT_DESCRIPTION event says about those that follow it. */
struct event_format {
    enum flavor flavor;
    uint8_t checksum; /* 0 none, 1 CRC32 */
    char server_version[51];
    uint8_t post_header_size[256]; /* by type; 0 if unknown */
};

/* Splits 'raw' (exactly one event) and verifies its checksum if 'fmt' has one
 * and 'verify'.  'fmt' is what the last format description said (a zeroed one
 * before the first).  A format description tells its own checksum, and the
 * artificial rotate that starts a dump, which comes before any, is found to have
 * one when its last four bytes are one.  Returns 0 or -EBADMSG. */
int event_parse(struct slice raw, const struct event_format *fmt, bool verify, struct event *ret,
                struct err *err);

/* Size of the whole event that starts at 'p', which has EVENT_HEADER_SIZE bytes. */
uint32_t event_size(const uint8_t *p);

/* The checksum that a binlog event of these bytes has (CRC-32 as zlib's). */
uint32_t event_crc32(const uint8_t *p, size_t size);

const char *event_type_name(uint8_t type); /* "WRITE_ROWS_V2"; "type 77" never: "UNKNOWN" */

#endif
