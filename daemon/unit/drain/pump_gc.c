/* What a pump lets go: transactions older than 'gc' (tidb-binlog.md 3.4). */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal.h"
#include "unit/drain/pump_doc.h"
#include "unit/drain/pump_priv.h"

#define LOGICAL_BITS 18
#define MARGIN_MS ((int64_t)10 * 60 * 1000) /* kept beyond gc_ts */
#define DANGER_MS ((int64_t)20 * 3600 * 1000)

static uint64_t ts_before(uint64_t ts, int64_t ms)
{
    uint64_t span = (uint64_t)ms << LOGICAL_BITS;

    return ts > span ? ts - span : 0;
}

/* A drainer that has not come far is in danger of what gc takes. */
static void look_at_drainers(struct pump *p, uint64_t gc_ts)
{
    char who[256];
    uint64_t drained = registry_drained_ts(p->reg.config.registry, p->reg.name, who);

    if (drained == UINT64_MAX || drained >= gc_ts + ((uint64_t)DANGER_MS << LOGICAL_BITS))
        return;
    atomic_fetch_add(&p->purge_detected, 1);
    log_warn(p->unit.path, "drainer %s is at %llu, gc is at %llu: less than 20 hours between them",
             who, (unsigned long long)drained, (unsigned long long)gc_ts);
}

static int sweep(struct pump *p, struct journal *j, uint64_t gc_ts, bool respect, struct err *err)
{
    struct journal_keep keep = { .despite_holds = !respect };
    struct journal_gone gone = { .records = 0 };
    struct journal_state state;
    struct err ignored = ERR_INIT;
    int rc;

    journal_state(j, &state);
    rc = journal_find_ts(j, ts_before(gc_ts, MARGIN_MS), &keep.until_seq, &ignored);
    if (rc == -ENOENT) /* all that is kept is older */
        keep.until_seq = state.durable_seq + 1;
    else if (rc < 0 || keep.until_seq <= state.first_seq)
        return 0;
    rc = journal_gc(j, &keep, &gone, err);
    if (rc < 0)
        return rc;
    atomic_store(&p->done_gc_ts, gc_ts);
    atomic_fetch_add(&p->deleted_records, gone.records);
    if (gone.records || gone.held_by[0] || gone.lost_by[0])
        log_info(p->unit.path, "gc: %llu records, %llu bytes gone%s%s%s%s",
                 (unsigned long long)gone.records, (unsigned long long)gone.bytes,
                 gone.held_by[0] ? "; held by " : "", gone.held_by,
                 gone.lost_by[0] ? "; LOST by " : "", gone.lost_by);
    return 0;
}

int pump_gc(struct pump *p, struct journal *j, struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = registrant_doc(&p->reg);
    uint64_t now = (uint64_t)(clock_wall_us() / 1000) << LOGICAL_BITS, gc_ts;
    int64_t keep_us;
    int rc = pump_duration(json_string_value(doc_at(doc, "gc")), &keep_us, err);

    if (rc < 0)
        return rc;
    gc_ts = ts_before(now, keep_us / 1000);
    look_at_drainers(p, gc_ts);
    if (gc_ts <= atomic_load(&p->gc_ts) || gc_ts >= atomic_load(&p->reg.max_commit_ts))
        return 0;
    atomic_store(&p->gc_ts, gc_ts);
    return sweep(p, j, gc_ts, json_is_true(doc_at(doc, "gc_respect_drainers")), err);
}
