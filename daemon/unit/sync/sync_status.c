/* The fields of DM's sync_status. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/shard/shards.h"
#include "unit/source/source.h"
#include "unit/sync/sync_node.h"
#include "unit/sync/sync_operator.h"

/* --- counts --- */

static uint64_t total_events(const struct sync *s)
{
    return atomic_load(&s->rows) + atomic_load(&s->ddl);
}

static struct rate_point point_now(const struct sync *s)
{
    return (struct rate_point){ .us = clock_mono_us(), .rows = total_events(s) };
}

void sync_sample(struct sync *s)
{
    struct rate_point now = point_now(s);

    mutex_lock(&s->unit.lock);
    if (!s->first.us)
        s->first = now;
    rate_sample(&s->rate, &now);
    mutex_unlock(&s->unit.lock);
}

static json_t *total_tps(const struct sync *s) NO_THREAD_CHECK
{
    struct rate_point now = point_now(s);
    int64_t us = now.us - s->first.us;

    if (!s->first.us || us <= 0)
        return json_integer(0);
    return json_integer((json_int_t)((double)(now.rows - s->first.rows) * 1e6 / (double)us));
}

static json_t *recent_tps(const struct sync *s) NO_THREAD_CHECK
{
    struct rate_point now = point_now(s);

    return json_integer(s->run ? (json_int_t)rate_rows_s(&s->rate, &now) : 0);
}

/* --- where it ended --- */

json_t *sync_place(struct unit *u)
{
    struct sync *s = node_owner(u, struct sync, unit);
    json_t *place = NULL;

    mutex_lock(&u->lock);
    if (s->binlog_file && s->binlog_file[0])
        place = json_pack("{s:s, s:I, s:s}", "file", s->binlog_file, "offset",
                          (json_int_t)s->binlog_offset, "gtid", s->gtid ? s->gtid : "");
    mutex_unlock(&u->lock);
    return place;
}

void sync_show_place(struct unit *u, const json_t *place)
{
    struct sync *s = node_owner(u, struct sync, unit);
    const char *file = json_string_value(json_object_get(place, "file"));
    const char *gtid = json_string_value(json_object_get(place, "gtid"));

    if (!file || !gtid)
        return;
    mutex_lock(&u->lock);
    free(s->binlog_file);
    free(s->gtid);
    s->binlog_file = xstrdup(file);
    s->gtid = xstrdup(gtid);
    s->binlog_offset = (uint64_t)json_integer_value(json_object_get(place, "offset"));
    mutex_unlock(&u->lock);
}

/* --- where the source is --- */

/* What is known of it: by its own thread some seconds ago, or by what came from it since. */
struct master {
    struct position pos; /* no set */
    char *gtid;          /* NULL: not known */
};

static void master_fini(struct master *m)
{
    free(m->gtid);
}

static void master_of(const struct sync *s, struct master *ret) NO_THREAD_CHECK
{
    struct position ours = { .offset = s->binlog_offset };
    int64_t seen_us;

    *ret = (struct master){ .gtid = NULL };
    if (s->job->origin)
        source_end(s->job->origin, &ret->pos, &ret->gtid, &seen_us);
    snprintf(ours.file, sizeof ours.file, "%s", s->binlog_file ? s->binlog_file : "");
    if (position_compare(&ours, &ret->pos) >= 0) {
        ret->pos = ours;
        free(ret->gtid);
        ret->gtid = s->gtid ? xstrdup(s->gtid) : NULL;
    }
    if (position_compare(&s->read_to, &ret->pos) > 0)
        ret->pos = s->read_to; /* the set is ours, or what was asked after ours */
}

static json_t *pair(const char *file, uint64_t offset)
{
    SCOPED(freep) char *text = NULL;

    if (!file || !*file)
        return json_string("");
    text = xasprintf("(%s, %llu)", file, (unsigned long long)offset);
    return json_string_nocheck(text);
}

static json_t *text(const char *s)
{
    return json_string_nocheck(s ? s : "");
}

/* While it stands still: is what it has all that is known of the source? */
static bool is_at_end(const struct sync *s, const struct master *m) NO_THREAD_CHECK
{
    return s->binlog_file && strcmp(s->binlog_file, m->pos.file) == 0 &&
           s->binlog_offset == m->pos.offset;
}

static json_t *is_synced(struct sync *s, const struct master *m) NO_THREAD_CHECK
{
    struct position read = s->read_to;

    if (!s->run)
        return json_boolean(is_at_end(s, m));
    /* 0: it is heard, all that came of it was read, and all that was read is in the target */
    return json_boolean(sync_oldest_us(s) == 0 && position_compare(&read, &m->pos) >= 0);
}

static json_t *whole_seconds(struct sync *s) NO_THREAD_CHECK
{
    int64_t oldest = sync_oldest_us(s), now = clock_wall_us();

    return json_integer(oldest > 0 && now > oldest ? (now - oldest) / 1000000 : 0);
}

static const char *binlog_type(const struct sync *s) NO_THREAD_CHECK
{
    return !s->run ? "unknown" : atomic_load(&s->from_relay) ? "local" : "remote";
}

static json_t *value_of(struct sync *s, enum sync_status_field f,
                        const struct master *m) NO_THREAD_CHECK
{
    switch (f) {
    case STATUS_TOTAL_EVENTS:
        return json_integer((json_int_t)total_events(s));
    case STATUS_TOTAL_TPS:
        return total_tps(s);
    case STATUS_RECENT_TPS:
        return recent_tps(s);
    case STATUS_MASTER_BINLOG:
        return pair(m->pos.file, m->pos.offset);
    case STATUS_MASTER_BINLOG_GTID:
        return text(m->gtid);
    case STATUS_SYNCER_BINLOG:
        return pair(s->binlog_file, s->binlog_offset);
    case STATUS_SYNCER_BINLOG_GTID:
        return text(s->gtid);
    case STATUS_SYNCED:
        return is_synced(s, m);
    case STATUS_BINLOG_TYPE:
        return text(binlog_type(s));
    case STATUS_SECONDS_BEHIND_MASTER:
        return whole_seconds(s);
    case STATUS_BLOCKING_DDLS:
        return s->job->shards ? shards_blocking(s->job->shards, s->job->source) : json_array();
    case STATUS_OPERATORS:
        return operators_list(s);
    case STATUS_ERROR_POSITION:
        return text(s->error_position);
    case STATUS_ERROR_SQL:
        return text(s->error_sql);
    }
    return NULL;
}

json_t *sync_get_status(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(master_fini) struct master m = { .gtid = NULL };
    struct sync *s = sync_of_node(n);

    (void)err;
    if (a->offset == STATUS_MASTER_BINLOG || a->offset == STATUS_MASTER_BINLOG_GTID ||
        a->offset == STATUS_SYNCED)
        master_of(s, &m);
    return value_of(s, (enum sync_status_field)a->offset, &m);
}
