/*
 * dump_command.h - what a replica asks with COM_REGISTER_SLAVE, COM_BINLOG_DUMP and
 * COM_BINLOG_DUMP_GTID, and its answer to a semi-synchronous event.  Pure; slices point into the
 * packet.
 *
 * Source: MySQL Source Code Documentation, "COM_BINLOG_DUMP_GTID", "COM_REGISTER_SLAVE".
 */
#ifndef SLUICE_MYSQL_DUMP_COMMAND_H
#define SLUICE_MYSQL_DUMP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "binlog/gtid_set.h"

enum dump_flag {
    DUMP_NON_BLOCK = 1,    /* an EOF packet at the end of the binlog */
    DUMP_ANNOTATE = 2,     /* MariaDB: annotate events too */
    DUMP_HEARTBEAT_V2 = 2, /* MySQL */
};

struct dump_register {
    uint32_t server_id;
    struct slice host, user;
    uint16_t port;
};
int dump_register_parse(struct slice body, struct dump_register *ret, struct err *err);

struct dump_command {
    bool by_gtid; /* MySQL's COM_BINLOG_DUMP_GTID */
    unsigned flags;
    uint32_t server_id;
    struct slice file;
    uint64_t offset;
    struct slice gtids; /* encoded: gtid_set_decode() */
};
/* 'body' without the command byte.  0 or -EBADMSG. */
int dump_parse(struct slice body, struct dump_command *ret, struct err *err);
int dump_gtid_parse(struct slice body, struct dump_command *ret, struct err *err);

struct dump_ack {
    uint64_t offset;
    struct slice file;
};
int dump_ack_parse(struct slice packet, struct dump_ack *ret, struct err *err);

#endif
