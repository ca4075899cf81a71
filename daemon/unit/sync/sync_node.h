/* sync_node.h - what the parts of a sync unit's node share: its life (sync.c), its rows
 * (sync_node.c, and sync_status.c in DM's words) and its actions (sync_action.c). */
#ifndef SLUICE_UNIT_SYNC_NODE_H
#define SLUICE_UNIT_SYNC_NODE_H

#include "unit/sync/sync_priv.h"

static inline struct sync *sync_of_node(const struct node *n)
{
    return node_owner((struct node *)n, struct sync, unit.node);
}

/* sync.c */
void sync_release(struct node *n);
/* The stream ends soon; 'at_once': what is being written too. */
void sync_interrupt(struct sync *s, bool at_once) REQUIRES(s->unit.lock);
/* The oldest commit that the target may lack; 0: it has all; -1: it never ran. */
int64_t sync_oldest_us(struct sync *s) REQUIRES(s->unit.lock);

/* sync_action.c */
extern const struct action sync_actions[];

/* sync_status.c: the fields of DM's sync_status (its OpenAPI), with the unit locked. */
json_t *sync_get_status(const struct node *n, const struct attr *a, struct err *err);
enum sync_status_field {
    STATUS_TOTAL_EVENTS,
    STATUS_TOTAL_TPS,
    STATUS_RECENT_TPS,
    STATUS_MASTER_BINLOG,
    STATUS_MASTER_BINLOG_GTID,
    STATUS_SYNCER_BINLOG,
    STATUS_SYNCER_BINLOG_GTID,
    STATUS_SYNCED,
    STATUS_BINLOG_TYPE,
    STATUS_SECONDS_BEHIND_MASTER,
    STATUS_BLOCKING_DDLS,
    STATUS_OPERATORS,
    STATUS_ERROR_POSITION,
    STATUS_ERROR_SQL,
};

#define SYNC_STATUS(field, row, kind, bits, text)                                       \
    {                                                                                   \
        .name = row, .help = text, .type = kind, .flags = bits, .get = sync_get_status, \
        .offset = field                                                                 \
    }
#define SYNC_STATUS_ATTRS                                                                          \
    SYNC_STATUS(STATUS_TOTAL_EVENTS, "total_events", ATTR_COUNT, 0,                                \
                "Row changes and DDL statements of the source applied, as DM counts"),             \
        SYNC_STATUS(STATUS_TOTAL_TPS, "total_tps", ATTR_COUNT, ATTR_GAUGE,                         \
                    "total_events in a second, since the daemon started"),                         \
        SYNC_STATUS(STATUS_RECENT_TPS, "recent_tps", ATTR_COUNT, ATTR_GAUGE,                       \
                    "The same over the last seconds"),                                             \
        SYNC_STATUS(STATUS_MASTER_BINLOG, "master_binlog", ATTR_TEXT, 0,                           \
                    "Where the source's binlog ends, as (file, offset): as last heard"),           \
        SYNC_STATUS(STATUS_MASTER_BINLOG_GTID, "master_binlog_gtid", ATTR_TEXT, 0,                 \
                    "The same as a GTID set"),                                                     \
        SYNC_STATUS(STATUS_SYNCER_BINLOG, "syncer_binlog", ATTR_TEXT, 0,                           \
                    "Up to where the target has everything, as (file, offset): see position"),     \
        SYNC_STATUS(STATUS_SYNCER_BINLOG_GTID, "syncer_binlog_gtid", ATTR_TEXT, 0,                 \
                    "The same as a GTID set"),                                                     \
        SYNC_STATUS(STATUS_SYNCED, "synced", ATTR_BOOL, 0,                                         \
                    "Whether the target has all that the source is known to have"),                \
        SYNC_STATUS(STATUS_BINLOG_TYPE, "binlog_type", ATTR_TEXT, 0,                               \
                    "Where events come from: local (the relay), remote, or unknown"),              \
        SYNC_STATUS(STATUS_SECONDS_BEHIND_MASTER, "seconds_behind_master", ATTR_COUNT, ATTR_GAUGE, \
                    "lag_seconds as a whole number"),                                              \
        SYNC_STATUS(                                                                               \
            STATUS_BLOCKING_DDLS, "blocking_ddls", ATTR_JSON, 0,                                   \
            "DDL that this source waits with, until the others of its shards have it too"),        \
        SYNC_STATUS(STATUS_OPERATORS, "operators", ATTR_JSON, 0,                                   \
                    "What skip, replace and inject will do, by position"),                         \
        SYNC_STATUS(STATUS_ERROR_POSITION, "error_position", ATTR_TEXT, ATTR_WATCHED,              \
                    "Where the DDL begins that the target refused: file:offset; empty if none"),   \
        SYNC_STATUS(STATUS_ERROR_SQL, "error_sql", ATTR_TEXT, 0, "Its text at the source")

#endif
