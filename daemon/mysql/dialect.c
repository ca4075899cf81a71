#include "mysql/dialect.h"

#include "base/mem.h"

/* What all releases of a flavour have in common. */
#define MYSQL_FIELDS                                                                    \
    .flavor = FLAVOR_MYSQL, .gtid_position = "@@GLOBAL.gtid_executed",                  \
    .gtid_purged = "@@GLOBAL.gtid_purged", .gtid_enabled = "@@GLOBAL.gtid_mode = 'ON'", \
    .server_uuid = "@@GLOBAL.server_uuid", .monitor_grant = "REPLICATION CLIENT",       \
    .backup_grant = "RELOAD"
#define MARIADB_FIELDS                                                                         \
    .flavor = FLAVOR_MARIADB, .show_position = "SHOW MASTER STATUS",                           \
    .gtid_position = "@@GLOBAL.gtid_binlog_pos", .gtid_enabled = "1",                          \
    .innodb_foreign = "innodb_sys_foreign", .monitor_grant = "BINLOG MONITOR",                 \
    .backup_grant = "RELOAD", .backup_stage = true,                                            \
    .show_replica = "SHOW GLOBAL STATUS WHERE variable_name = 'Slaves_running' AND value > 0", \
    .bulk = true, .invisible_columns = true

/* By flavour, oldest first.  A row holds from its version to the next row's. */
static const struct dialect dialects[] = {
    {
        MYSQL_FIELDS,
        .from_version = 50700,
        .show_position = "SHOW MASTER STATUS",
        .show_replica = "SHOW SLAVE STATUS",
        .expire_seconds = "@@GLOBAL.expire_logs_days * 86400",
        .innodb_foreign = "innodb_sys_foreign",
    },
    {
        MYSQL_FIELDS,
        .from_version = 80000,
        .show_position = "SHOW MASTER STATUS",
        .show_replica = "SHOW SLAVE STATUS",
        .expire_seconds = "@@GLOBAL.binlog_expire_logs_seconds",
        .invisible_columns = true,
        .functional_keys = true,
    },
    {
        MYSQL_FIELDS,
        .from_version = 80200, /* SHOW MASTER STATUS is gone since 8.4 */
        .show_position = "SHOW BINARY LOG STATUS",
        .show_replica = "SHOW REPLICA STATUS",
        .expire_seconds = "@@GLOBAL.binlog_expire_logs_seconds",
        .invisible_columns = true,
        .functional_keys = true,
    },
    {
        MYSQL_FIELDS,
        .from_version = 90600, /* foreign keys moved from InnoDB to the SQL layer */
        .show_position = "SHOW BINARY LOG STATUS",
        .show_replica = "SHOW REPLICA STATUS",
        .expire_seconds = "@@GLOBAL.binlog_expire_logs_seconds",
        .logs_cascades = true,
        .invisible_columns = true,
        .functional_keys = true,
    },
    {
        MARIADB_FIELDS,
        .from_version = 100500,
        .expire_seconds = "@@GLOBAL.expire_logs_days * 86400",
    },
    {
        MARIADB_FIELDS,
        .from_version = 100601,
        .expire_seconds = "@@GLOBAL.binlog_expire_logs_seconds",
    },
    {
        MARIADB_FIELDS,
        .from_version = 110400,
        .expire_seconds = "@@GLOBAL.binlog_expire_logs_seconds",
        .space_limit = "@@GLOBAL.max_binlog_total_size",
    },
};

const struct dialect *dialect_find(enum flavor flavor, unsigned version)
{
    const struct dialect *found = NULL;

    for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
        const struct dialect *d = &dialects[i];

        if (d->flavor == flavor && (!found || d->from_version <= version))
            found = d;
    }
    return found;
}

const struct dialect *dialect_of(const struct mysql_conn *c)
{
    return dialect_find(mysql_conn_flavor(c), mysql_conn_version(c));
}
