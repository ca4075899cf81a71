#include "unit/drain/pump.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal.h"
#include "unit/drain/pump_doc.h"
#include "unit/drain/pump_priv.h"
#include "unit/relay/relay.h"
#include "unit/source/source.h"

#define TURN_MS 200
#define SPACE_US ((int64_t)3000000)
#define CLOSE_US ((int64_t)1000000)
#define GC_US ((int64_t)3600000000)

static void source_unrefp(struct source **s)
{
    source_unref(*s);
}

/* --- what it shows --- */

/* Its source, referenced; -EINVAL, -ENOENT. */
static int pump_source(struct pump *p, struct source **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = registrant_doc(&p->reg);
    const char *name = json_string_value(doc_at(doc, "source_name"));

    if (!name || !*name)
        return err_set(err, -EINVAL, "it has no source yet: echo NAME > source_name");
    *ret = source_find(p->reg.config.sources, name);
    return *ret ? 0 : err_set(err, -ENOENT, "there is no source %s: mkdir sources/%s", name, name);
}

int pump_journal(struct pump *p, struct journal **ret, struct err *err)
{
    SCOPED(source_unrefp) struct source *s = NULL;
    int rc = pump_source(p, &s, err);

    if (rc < 0)
        return rc;
    *ret = source_journal(s);
    return *ret ? 0 : err_set(err, -ENOENT, "its source has no journal yet: start the pump");
}

/* --- while it runs --- */

struct turn {
    struct pump *pump;
    struct source *source;
    struct journal *journal; /* NULL until the relay made it */
    char *who;
    int64_t beat_us, space_us, gc_us, close_us, heartbeat_us;
    bool closes;
    uint64_t close_ts; /* while it closes: where it ends; 0: not known yet */
    uint64_t stop_bytes;
    bool wants;
};

static int want(struct turn *t, bool on, struct err *err)
{
    int rc = 0;

    if (t->wants == on)
        return 0;
    if (on)
        rc = relay_want(t->source, t->who, err);
    else
        relay_unwant(t->source, t->who);
    if (rc == 0)
        t->wants = on;
    return rc;
}

static bool due(int64_t *next_us, int64_t every_us)
{
    int64_t now = clock_mono_us();

    if (now < *next_us)
        return false;
    *next_us = now + every_us;
    return true;
}

static void look_at_journal(struct turn *t)
{
    struct journal_state state;

    if (!t->journal)
        t->journal = source_journal(t->source);
    if (!t->journal)
        return;
    journal_state(t->journal, &state);
    if (state.safe_ts > atomic_load(&t->pump->reg.max_commit_ts))
        atomic_store(&t->pump->reg.max_commit_ts, state.safe_ts);
}

static void set_error(struct pump *p, const struct err *why)
{
    mutex_lock(&p->unit.lock);
    p->unit.error = *why;
    mutex_unlock(&p->unit.lock);
    node_changed(&p->unit.node, "error");
}

/* The source is not read while the disk is nearly full; the state stays online. */
static int look_at_space(struct turn *t, struct err *err)
{
    struct pump *p = t->pump;
    struct err why = ERR_INIT;
    struct statvfs fs;
    uint64_t available;
    bool low;
    int rc = 0;

    if (statvfs(p->reg.config.data_dir, &fs) < 0)
        return err_set(err, -errno, "cannot look at the space of %s: %m", p->reg.config.data_dir);
    available = (uint64_t)fs.f_bavail * fs.f_frsize;
    atomic_store(&p->available_bytes, available);
    atomic_store(&p->capacity_bytes, (uint64_t)fs.f_blocks * fs.f_frsize);
    low = available < t->stop_bytes;
    if (!t->closes)
        rc = want(t, !low, err);
    if (rc < 0 || low == atomic_exchange(&p->no_space, low))
        return rc;
    if (low)
        err_set(&why, -ENOSPC,
                "no available space in %s, available: %llu, StopWriteAtAvailableSpace: %llu; the "
                "source is read again when there is",
                p->reg.config.data_dir, (unsigned long long)available,
                (unsigned long long)t->stop_bytes);
    set_error(p, &why);
    if (low)
        log_error(p->unit.path, "%s", why.text);
    return 0;
}

static void collect(struct turn *t)
{
    struct pump *p = t->pump;
    struct err err = ERR_INIT;

    if (!t->journal || !(atomic_exchange(&p->gc_wanted, false) || due(&t->gc_us, GC_US)))
        return;
    if (pump_gc(p, t->journal, &err) < 0)
        log_error(p->unit.path, "gc: %s", err.text);
    atomic_store(&p->gc_works, false);
}

/* True once every drainer has what it has.  The relay is let go first; what it had in hand is
 * stored within a second, and that is where the pump ends: others may have the journal grow on. */
static bool drained(struct turn *t)
{
    struct registrant *r = &t->pump->reg;
    struct err ignored = ERR_INIT;
    char who[256] = "";

    if (!t->closes) {
        want(t, false, &ignored);
        t->closes = true;
        t->close_us = clock_mono_us() + CLOSE_US;
    }
    if (!due(&t->close_us, CLOSE_US))
        return false;
    if (t->close_ts == 0) {
        look_at_journal(t);
        t->close_ts = atomic_load(&r->max_commit_ts);
    }
    return registry_drained_ts(r->config.registry, r->name, who) >= t->close_ts;
}

static int turns(struct turn *t, struct err *err)
{
    struct pump *p = t->pump;
    int rc = look_at_space(t, err);

    while (rc == 0 && unit_sleep(&p->unit, TURN_MS)) {
        look_at_journal(t);
        if (due(&t->space_us, SPACE_US) && (rc = look_at_space(t, err)) < 0)
            return rc;
        if (due(&t->beat_us, t->heartbeat_us))
            registrant_beat(&p->reg);
        collect(t);
        if (registrant_state(&p->reg) == NODE_CLOSING && drained(t)) {
            unit_ask_stop(&p->unit, UNIT_STOPPED);
            break;
        }
    }
    return rc < 0 ? rc : err_set(err, -ECANCELED, "stopping");
}

static int pump_run(struct unit *u, struct err *err)
{
    struct pump *p = node_owner(u, struct pump, unit);
    SCOPED(json_decrefp) json_t *doc = registrant_doc(&p->reg);
    SCOPED(freep) char *who = xasprintf("pumps/%s", p->reg.name);
    SCOPED(source_unrefp) struct source *source = NULL;
    struct turn t = { .pump = p, .who = who };
    int rc = pump_source(p, &source, err);

    if (rc < 0)
        return rc;
    rc = pump_size(json_string_value(doc_at(doc, "stop_write_at_available_space")), &t.stop_bytes,
                   err);
    if (rc < 0)
        return rc;
    t.source = source;
    t.heartbeat_us = json_integer_value(doc_at(doc, "heartbeat_interval")) * 1000000;
    t.gc_us = clock_mono_us() + GC_US;
    rc = turns(&t, err);
    if (t.wants)
        relay_unwant(t.source, t.who);
    journal_close(t.journal);
    return rc;
}

const struct unit_ops pump_ops = { .name = "pump", .run = pump_run };
