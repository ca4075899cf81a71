#include "binlog/query_context.h"

#include <errno.h>

#include "base/cursor.h"
#include "binlog/gtid_event.h"

/* Codes from 128 on are MariaDB's, those between 12 and 127 MySQL's. */
enum status_var {
    VAR_FLAGS2 = 0,
    VAR_SQL_MODE = 1,
    VAR_CATALOG_NUL = 2,
    VAR_AUTO_INCREMENT = 3,
    VAR_CHARSET = 4,
    VAR_TIME_ZONE = 5,
    VAR_CATALOG = 6,
    VAR_LC_TIME_NAMES = 7,
    VAR_CHARSET_DATABASE = 8,
    VAR_TABLE_MAP_FOR_UPDATE = 9,
    VAR_MASTER_DATA_WRITTEN = 10,
    VAR_INVOKER = 11,
    VAR_UPDATED_DB_NAMES = 12,
    VAR_MICROSECONDS = 13,
    VAR_COMMIT_TS = 14,
    VAR_COMMIT_TS2 = 15,
    VAR_EXPLICIT_DEFAULTS = 16,
    VAR_DDL_XID = 17,
    VAR_UTF8MB4_COLLATION = 18,
    VAR_REQUIRE_PRIMARY_KEY = 19,
    VAR_TABLE_ENCRYPTION = 20,
    VAR_MARIADB_HRNOW = 128,
    VAR_MARIADB_XID = 129,
    VAR_MARIADB_GTID_FLAGS = 130,
    VAR_MARIADB_COLLATIONS = 131,
};

#define OVER_MAX_DBS 254 /* "too many to name": no names follow */

static struct slice sized_string(struct cursor *c)
{
    size_t size = cursor_u8(c);

    return cursor_bytes(c, size);
}

static void skip_db_names(struct cursor *c)
{
    unsigned n = cursor_u8(c);

    if (n == OVER_MAX_DBS)
        return;
    while (n-- > 0 && !c->bad)
        while (cursor_u8(c) != 0)
            ;
}

static bool decode_session(struct cursor *c, unsigned code, struct query_context *q)
{
    switch (code) {
    case VAR_FLAGS2:
        q->has_flags2 = true;
        q->flags2 = cursor_u32(c);
        return true;
    case VAR_SQL_MODE:
        q->has_sql_mode = true;
        q->sql_mode = cursor_u64(c);
        return true;
    case VAR_CATALOG_NUL:
        q->catalog = sized_string(c);
        cursor_skip(c, 1);
        return true;
    case VAR_CATALOG:
        q->catalog = sized_string(c);
        return true;
    case VAR_AUTO_INCREMENT:
        q->auto_increment_increment = cursor_u16(c);
        q->auto_increment_offset = cursor_u16(c);
        return true;
    case VAR_CHARSET:
        q->has_charset = true;
        q->client_charset = cursor_u16(c);
        q->connection_collation = cursor_u16(c);
        q->server_collation = cursor_u16(c);
        return true;
    case VAR_TIME_ZONE:
        q->time_zone = sized_string(c);
        return true;
    case VAR_LC_TIME_NAMES:
        q->lc_time_names = cursor_u16(c);
        return true;
    case VAR_CHARSET_DATABASE:
        q->database_collation = cursor_u16(c);
        return true;
    case VAR_TABLE_MAP_FOR_UPDATE:
        q->table_map_for_update = cursor_u64(c);
        return true;
    case VAR_MASTER_DATA_WRITTEN:
        cursor_skip(c, 4);
        return true;
    case VAR_INVOKER:
        q->invoker_user = sized_string(c);
        q->invoker_host = sized_string(c);
        return true;
    default:
        return false;
    }
}

static bool decode_mysql(struct cursor *c, unsigned code, struct query_context *q)
{
    switch (code) {
    case VAR_UPDATED_DB_NAMES:
        skip_db_names(c);
        return true;
    case VAR_MICROSECONDS:
        q->has_microseconds = true;
        q->microseconds = (uint32_t)cursor_le(c, 3);
        return true;
    case VAR_COMMIT_TS:
    case VAR_COMMIT_TS2:
        cursor_skip(c, 8);
        return true;
    case VAR_EXPLICIT_DEFAULTS:
        q->explicit_defaults_for_timestamp = cursor_u8(c);
        return true;
    case VAR_DDL_XID:
        q->has_xid = true;
        q->xid = cursor_u64(c);
        return true;
    case VAR_UTF8MB4_COLLATION:
        q->default_collation_for_utf8mb4 = cursor_u16(c);
        return true;
    case VAR_REQUIRE_PRIMARY_KEY:
        q->require_primary_key = cursor_u8(c);
        return true;
    case VAR_TABLE_ENCRYPTION:
        q->table_encryption = cursor_u8(c);
        return true;
    default:
        return false;
    }
}

static bool decode_mariadb(struct cursor *c, unsigned code, struct query_context *q)
{
    switch (code) {
    case VAR_MARIADB_HRNOW:
        q->has_microseconds = true;
        q->microseconds = (uint32_t)cursor_le(c, 3);
        return true;
    case VAR_MARIADB_XID:
        q->has_xid = true;
        q->xid = cursor_u64(c);
        return true;
    case VAR_MARIADB_GTID_FLAGS:
        q->gtid_flags_extra = cursor_u8(c);
        if (q->gtid_flags_extra & (GTID_EXTRA_COMMIT_ALTER | GTID_EXTRA_ROLLBACK_ALTER))
            cursor_skip(c, 8);
        return true;
    case VAR_MARIADB_COLLATIONS: {
        size_t n = cursor_u8(c);

        q->collations = cursor_bytes(c, n * 4);
        return true;
    }
    default:
        return false;
    }
}

int query_context_decode(struct slice status_vars, enum flavor flavor, struct query_context *ret,
                         struct err *err)
{
    struct cursor c = cursor_of(status_vars);
    struct query_context q = {
        .explicit_defaults_for_timestamp = -1,
        .require_primary_key = -1,
        .table_encryption = -1,
        .unknown = -1,
    };

    while (cursor_left(&c) && q.unknown < 0) {
        unsigned code = cursor_u8(&c);

        if (!decode_session(&c, code, &q) &&
            !(flavor == FLAVOR_MYSQL ? decode_mysql : decode_mariadb)(&c, code, &q))
            q.unknown = (int)code;
        if (c.bad)
            return err_set(err, -EBADMSG, "query event: status variable %u is cut short", code);
    }
    *ret = q;
    return 0;
}
