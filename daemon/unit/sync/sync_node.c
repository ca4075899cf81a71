/* The rows of a sync unit; those in DM's words are in sync_status.c. */
#include "unit/sync/sync_node.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/histogram_show.h"

static json_t *get_lag(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    struct sync *s = sync_of_node(n);
    int64_t oldest = sync_oldest_us(s), now = clock_wall_us();

    (void)a;
    (void)err;
    return json_real(oldest > 0 && now > oldest ? (double)(now - oldest) / 1e6 : 0.0);
}

static json_t *text(const char *s)
{
    return json_string_nocheck(s ? s : "");
}

static json_t *get_gtid(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)a;
    (void)err;
    return text(sync_of_node(n)->gtid);
}

static json_t *get_position(const struct node *n, const struct attr *a,
                            struct err *err) NO_THREAD_CHECK
{
    struct sync *s = sync_of_node(n);
    SCOPED(freep) char *both = NULL;

    (void)a;
    (void)err;
    if (!s->binlog_file || !s->binlog_file[0])
        return text("");
    both = xasprintf("%s:%llu", s->binlog_file, (unsigned long long)s->binlog_offset);
    return text(both);
}

static json_t *get_order(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    (void)a;
    (void)err;
    return text(sync_mode_of(sync_of_node(n)->job->apply_mode)->order);
}

static json_t *get_refill(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    const json_t *now = sync_of_node(n)->refill;

    (void)a;
    (void)err;
    return now ? json_deep_copy(now) : json_array();
}

static json_t *get_aside(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    (void)a;
    (void)err;
    return text(sync_of_node(n)->aside_text);
}

static json_t *get_gone(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)a;
    (void)err;
    return text(sync_of_node(n)->aside_gone);
}

static json_t *get_catching_up(const struct node *n, const struct attr *a,
                               struct err *err) NO_THREAD_CHECK
{
    const struct sync *s = sync_of_node(n);
    SCOPED(freep) char *both = NULL;

    (void)a;
    (void)err;
    if (!s->catching_up || !s->catching_up[0])
        return text("");
    both = xasprintf("%s at %s:%llu of %s:%llu", s->catching_up, s->aside_at.file,
                     (unsigned long long)s->aside_at.offset, s->binlog_file ? s->binlog_file : "",
                     (unsigned long long)s->binlog_offset);
    return text(both);
}

static json_t *get_reason(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    (void)a;
    (void)err;
    return text(sync_of_node(n)->reconnect_reason);
}

static json_t *get_changes(const struct node *n, const struct attr *a, struct err *err)
{
    const struct sync *s = sync_of_node(n);

    (void)a;
    (void)err;
    return json_pack("{s:I, s:I, s:I}", "insert", (json_int_t)atomic_load(&s->changes[ROWS_INSERT]),
                     "update", (json_int_t)atomic_load(&s->changes[ROWS_UPDATE]), "delete",
                     (json_int_t)atomic_load(&s->changes[ROWS_DELETE]));
}

static json_t *get_histograms(const struct node *n, const struct attr *a, struct err *err)
{
    const struct sync *s = sync_of_node(n);

    (void)a;
    (void)err;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "event_size",
                     histogram_show(&s->event_bytes, 1), "event_rows",
                     histogram_show(&s->event_rows, 1), "exec", histogram_show(&s->exec_us, 1e-6),
                     "write", histogram_show(&s->write_us, 1e-6), "write_rows",
                     histogram_show(&s->write_rows, 1), "lag", histogram_show(&s->lag_us, 1e-6));
}

static const struct attr sync_attrs[] = {
    UNIT_ATTRS,
    { .name = "lag_seconds",
      .help = "Age of the oldest change at the source that the target does not have; 0 if none",
      .type = ATTR_SECONDS,
      .flags = ATTR_WATCHED | ATTR_GAUGE,
      .get = get_lag },
    { .name = "gtid",
      .help = "All transactions that the target has, as the source names them",
      .type = ATTR_TEXT,
      .get = get_gtid },
    { .name = "position",
      .help = "Binlog file and offset up to which the target has everything",
      .type = ATTR_TEXT,
      .get = get_position },
    { .name = "order",
      .help = "What readers of the target may see while changes are applied: see apply_mode",
      .type = ATTR_TEXT,
      .get = get_order },
    ATTR_U64(struct sync, events, ATTR_COUNT, "Binlog events read since the daemon started"),
    ATTR_U64(struct sync, bytes, ATTR_BYTES, "Bytes of binlog read"),
    ATTR_U64(struct sync, transactions, ATTR_COUNT, "Transactions of the source applied"),
    ATTR_U64(struct sync, rows, ATTR_COUNT, "Row changes of the source applied"),
    { .name = "row_changes",
      .help = "Row changes read, by kind: insert, update, delete",
      .type = ATTR_JSON,
      .flags = ATTR_BULK,
      .get = get_changes },
    { .name = "histograms",
      .help = "How large events are and how many rows are in one, how long a transaction of the "
              "target takes, without its commit (exec) and with it, and how many rows are in one, "
              "how far behind it was each second",
      .type = ATTR_JSON,
      .flags = ATTR_BULK,
      .get = get_histograms },
    { .name = "rows_in_flight",
      .help = "Row changes read that the target has not committed yet",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = attr_get_u64,
      .offset = offsetof(struct sync, rows_in_flight) },
    ATTR_U64(struct sync, groups, ATTR_COUNT,
             "Transactions of the target that they were merged into"),
    ATTR_U64(struct sync, write_retries, ATTR_COUNT,
             "Times that one of these was written again after a deadlock or a lock wait"),
    ATTR_U64(struct sync, ddl, ATTR_COUNT, "DDL statements run at the target"),
    ATTR_U64(struct sync, ddl_skipped, ATTR_COUNT, "DDL statements left out"),
    { .name = "events_ignored",
      .help = "Events of row changes that binlog_filter_rule left out",
      .type = ATTR_COUNT,
      .get = attr_get_u64,
      .offset = offsetof(struct sync, ignored) },
    ATTR_U64(struct sync, rows_ignored, ATTR_COUNT, "Row changes that expression_filter left out"),
    ATTR_U64(struct sync, spilled, ATTR_COUNT, "Transactions too large for memory"),
    ATTR_U64(struct sync, heartbeats, ATTR_COUNT, "Heartbeats of the source"),
    ATTR_FLAG(struct sync, from_relay,
              "Whether the events come from the source's relay instead of from its server"),
    ATTR_U64(struct sync, reconnects, ATTR_COUNT, "Times that the stream was opened again"),
    { .name = "reconnect_reason",
      .help = "Why the stream was opened again the last time",
      .type = ATTR_TEXT,
      .get = get_reason },
    { .name = "copied_again",
      .help = "Tables that are copied again while the others go on: state, rows, and why one "
              "failed or waits",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_WATCHED,
      .get = get_refill },
    { .name = "set_aside",
      .help = "Tables that stand still after an error while the others go on; consistency is per "
              "table meanwhile",
      .type = ATTR_TEXT,
      .flags = ATTR_WATCHED,
      .get = get_aside },
    { .name = "needs_resnapshot",
      .help = "Those of them that no release brings back, since the source has purged what they "
              "missed: error says what does",
      .type = ATTR_TEXT,
      .flags = ATTR_WATCHED,
      .get = get_gone },
    { .name = "catching_up",
      .help = "The table that a release brings to where the others are, and how far it is; the "
              "others wait meanwhile",
      .type = ATTR_TEXT,
      .flags = ATTR_WATCHED,
      .get = get_catching_up },
    SYNC_STATUS_ATTRS,
    { 0 },
};

const struct node_type sync_type = {
    .name = "sync",
    .help = "Follows the source's binlog and applies it to the target.",
    .attrs = sync_attrs,
    .actions = sync_actions,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .release = sync_release,
};
