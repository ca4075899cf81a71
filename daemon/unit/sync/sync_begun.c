#include "unit/sync/sync_begun.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "mysql/server.h"
#include "unit/source/source.h"
#include "unit/sync/sync_node.h"

static const char create_table[] =
    "CREATE TABLE IF NOT EXISTS %i." BEGUN_TABLE
    " (task VARBINARY(255) NOT NULL, source VARBINARY(255) NOT NULL, server VARBINARY(127) NOT"
    " NULL, name VARBINARY(255) NOT NULL, begun INT UNSIGNED NOT NULL,"
    " PRIMARY KEY (task, source, server, name)) ENGINE=InnoDB";

int begun_open(struct sync_run *r, struct err *err)
{
    return sql_exec(r->admin, err, create_table, r->job->meta_schema);
}

/* 0: nothing is known of the file. */
static int remembered(struct sync_run *r, const char *file, uint32_t *ret, struct err *err)
{
    const struct job *job = r->job;
    struct mysql_result *res;
    struct mysql_row row;
    int rc = sql_query(r->admin, &res, err,
                       "SELECT begun FROM %i." BEGUN_TABLE
                       " WHERE task=%q AND source=%q AND server=%q AND name=%q",
                       job->meta_schema, job->task, job->source, r->cp.source_id, file);

    if (rc < 0)
        return rc;
    rc = mysql_result_next(res, &row, err);
    if (rc > 0)
        *ret = (uint32_t)mysql_row_u64(&row, 0);
    mysql_result_free(res);
    return rc < 0 ? rc : 0;
}

/* Files of another server, and those before the oldest that is needed. */
static int forget_old(struct sync_run *r, struct err *err)
{
    const struct job *job = r->job;
    struct unit_progress p = { .lag_s = -1 };

    r->sync->unit.ops->progress(&r->sync->unit, &p);
    return sql_exec(r->admin, err,
                    "DELETE FROM %i." BEGUN_TABLE " WHERE task=%q AND source=%q AND"
                    " (server<>%q OR LENGTH(name)<LENGTH(%q) OR"
                    " (LENGTH(name)=LENGTH(%q) AND name<%q))",
                    job->meta_schema, job->task, job->source, r->cp.source_id, p.file, p.file,
                    p.file);
}

static int remember(struct sync_run *r, const char *file, uint32_t begun, struct err *err)
{
    const struct job *job = r->job;
    int rc = sql_exec(
        r->admin, err,
        "REPLACE INTO %i." BEGUN_TABLE " (task,source,server,name,begun) VALUES (%q,%q,%q,%q,%u)",
        job->meta_schema, job->task, job->source, r->cp.source_id, file, (uint64_t)begun);

    return rc < 0 || r->only_aside ? rc : forget_old(r, err);
}

static int another(const struct sync_run *r, const char *file, uint32_t was, uint32_t is,
                   struct err *err)
{
    char then[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];

    clock_text((int64_t)was * 1000000, then);
    clock_text((int64_t)is * 1000000, now);
    return err_set(err, -EREMCHG,
                   "the source has begun its binlog anew (RESET MASTER, or other files in its "
                   "place): the %s that was read was of %s, the one there now is of %s, and the "
                   "position %s:%llu means nothing in it; copy again (echo remove_meta=true > "
                   "start, with the tables emptied at the target)",
                   file, then, now, r->grouper.pos.file, (unsigned long long)r->grouper.pos.offset);
}

/* The stream went on from 'file' to the next: is it still the one that was read? */
static int look_back(struct sync_run *r, const char *file, struct err *err)
{
    uint32_t was = 0;
    int64_t is_us = 0;
    int rc = remembered(r, file, &was, err);

    if (rc < 0)
        return err_of_target(err);
    if (!was)
        return 0;
    rc = server_binlog_begun(&r->job->from, file, &is_us, err);
    if (rc == -ENODATA) { /* purged meanwhile */
        *err = ERR_INIT;
        return 0;
    }
    if (rc < 0)
        return err_of_source(err);
    return is_us / 1000000 == was ? 0 : another(r, file, was, (uint32_t)(is_us / 1000000), err);
}

int begun_see(struct sync_run *r, uint32_t begun, struct err *err)
{
    const char *file = r->grouper.file;
    bool by_place = !r->job->by_gtid || !r->grouper.pos.gtids;
    /* The relay compares bytes, and begins anew only where the operator says so. */
    bool stored = feed_stored(r->feed), opened = r->opened;
    uint32_t was = 0;
    int rc = 0;

    r->opened = false;
    if (!opened && !stored && r->begun_file[0] && strcmp(file, r->begun_file) != 0)
        rc = look_back(r, r->begun_file, err);
    if (rc < 0)
        return rc;
    rc = remembered(r, file, &was, err);
    if (rc < 0)
        return err_of_target(err);
    if (was && was != begun && opened && by_place && !stored)
        return another(r, file, was, begun, err);
    if (was != begun)
        rc = remember(r, file, begun, err);
    snprintf(r->begun_file, sizeof r->begun_file, "%s", file);
    return rc < 0 ? err_of_target(err) : 0;
}

static void take_reached(struct sync_run *r)
{
    struct sync *s = r->sync;
    struct position at = { .offset = 0 };

    mutex_lock(&s->unit.lock);
    memcpy(at.file, s->read_to.file, sizeof at.file);
    at.offset = s->read_to.offset;
    mutex_unlock(&s->unit.lock);
    if (position_compare(&at, &r->reached.at) != 0)
        r->reached.asked = false;
    r->reached.at = at;
    r->reached.us = clock_wall_us();
}

void begun_pulse(struct sync_run *r)
{
    struct sync *s = r->sync;
    struct position end = { .offset = 0 };
    SCOPED(freep) char *gtid = NULL;
    int64_t seen_us = 0;

    if (!r->job->origin || atomic_load(&s->from_relay))
        return;
    if (!r->reached.at.file[0]) {
        take_reached(r);
        return;
    }
    source_end(r->job->origin, &end, &gtid, &seen_us);
    if (seen_us <= r->reached.us)
        return;
    if (end.file[0] && !r->reached.asked && position_compare(&end, &r->reached.at) < 0) {
        r->reached.asked = true; /* once: a source that is being replaced ends anywhere */
        mutex_lock(&s->unit.lock);
        atomic_store(&s->suspect, true);
        sync_interrupt(s, false);
        mutex_unlock(&s->unit.lock);
    }
    take_reached(r);
}
