/*
 * relay_keep.c - what of the journal goes, and when the disk is full.
 *
 * DM's purge (by age, by free space, by hand), a bound in bytes, and the guard of the disk.  What
 * somebody still reads is held (journal_hold()) and stays; only the guard with when_full =
 * drop_unread, and the operator with force, go over that, and say so.
 *
 *   soft limit   purge.remain_space, at most a tenth of the disk: what all have read goes
 *   hard limit   256 MiB, at most a twelfth: nothing more is stored until there is space
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/store.h"
#include "unit/relay/relay_priv.h"
#include "unit/relay/relay_rate.h"
#include "unit/source/source_priv.h"

#define GIB ((uint64_t)1 << 30)
#define HARD_LIMIT ((uint64_t)256 << 20)
#define HARD_PART 12 /* of the disk, at most; both are above the store's own (disk_guard.h) */
#define HOURS_US ((int64_t)3600 * 1000000)
#define HOLDS_EVERY_US ((int64_t)5 * 1000000)
#define DROP_PARTS 8 /* of what is kept, one at a time */

static uint64_t number_at(struct relay *r, const char *path)
{
    SCOPED(json_decrefp) json_t *v = relay_setting(r, path);

    return (uint64_t)json_integer_value(v);
}

/* --- the disk --- */

struct disk {
    uint64_t size, free;
};

static bool read_disk(struct relay *r, struct disk *ret)
{
    struct statvfs f;

    if (!r->source->all->config.data_dir || statvfs(r->source->all->config.data_dir, &f) != 0)
        return false;
    ret->size = (uint64_t)f.f_blocks * f.f_frsize;
    ret->free = (uint64_t)f.f_bavail * f.f_frsize;
    return true;
}

static uint64_t hard_limit(const struct disk *d)
{
    return HARD_LIMIT < d->size / HARD_PART ? HARD_LIMIT : d->size / HARD_PART;
}

static uint64_t soft_limit(struct relay *r, const struct disk *d)
{
    uint64_t remain = number_at(r, "purge.remain_space") * GIB;

    return remain < d->size / 10 ? remain : d->size / 10;
}

static bool drops_unread(struct relay *r)
{
    SCOPED(json_decrefp) json_t *v = relay_setting(r, "purge.when_full");

    return json_string_value(v) && strcmp(json_string_value(v), "drop_unread") == 0;
}

bool relay_disk_full(struct relay *r, struct err *why)
{
    struct disk d;

    if (!read_disk(r, &d))
        return false;
    if (d.free > hard_limit(&d))
        return store_room(r->source->all->config.store, why) < 0;
    err_set(why, -ENOSPC,
            "the disk of %s is full: %" PRIu64 " MiB are free and %" PRIu64
            " MiB are kept free; nothing is stored until there is space. Make some, purge what "
            "is read (echo until_seq=N > purge), or set when_full to drop_unread",
            r->source->all->config.data_dir, d.free >> 20, hard_limit(&d) >> 20);
    return true;
}

/* --- deleting --- */

static void tell(struct relay *r, const char *reason, const struct journal_gone *gone)
{
    atomic_fetch_add(&r->purged_records, gone->records);
    if (!gone->records)
        return;
    if (gone->lost_by[0])
        log_error(r->unit.path,
                  "%s: %" PRIu64 " records (%" PRIu64 " bytes) are gone that %s had not read",
                  reason, gone->records, gone->bytes, gone->lost_by);
    else
        log_info(r->unit.path, "%s: %" PRIu64 " records (%" PRIu64 " bytes) are gone", reason,
                 gone->records, gone->bytes);
    node_event(&r->unit.node, "purge",
               json_pack("{s:s, s:I, s:I, s:s}", "reason", reason, "records",
                         (json_int_t)gone->records, "bytes", (json_int_t)gone->bytes, "lost_by",
                         gone->lost_by));
}

static int collect(struct relay *r, struct journal *j, const char *reason,
                   const struct journal_keep *keep, struct journal_gone *gone, struct err *err)
{
    int rc;

    *gone = (struct journal_gone){ .records = 0 };
    rc = journal_gc(j, keep, gone, err);
    if (rc == 0)
        tell(r, reason, gone);
    return rc;
}

static void collect_quietly(struct relay *r, struct journal *j, const char *reason,
                            const struct journal_keep *keep)
{
    struct journal_gone gone;
    struct err err = ERR_INIT;

    if (collect(r, j, reason, keep, &gone, &err) < 0 && err.code != -EBUSY)
        log_warn(r->unit.path, "%s: %s", reason, err.text);
}

struct oldest {
    uint64_t seq;
    bool any;
};

static void see_hold(void *arg, const char *who, uint64_t seq)
{
    struct oldest *o = arg;

    (void)who;
    if (!o->any || seq < o->seq)
        o->seq = seq;
    o->any = true;
}

/* What nobody reads is what nobody has read: only the others' is given up for space. */
static void make_space(struct relay *r, struct journal *j)
{
    struct oldest o = { .any = false };
    struct journal_state state;

    journal_holds(j, see_hold, &o);
    journal_state(j, &state);
    if (o.any && o.seq > state.first_seq)
        collect_quietly(r, j, "remain_space", &(struct journal_keep){ .until_seq = o.seq });
}

/* DM's order: space first, then age. */
static void purge_by_settings(struct relay *r, struct journal *j)
{
    uint64_t interval = number_at(r, "purge.interval"), hours = number_at(r, "purge.expires");
    struct disk d;

    if (!interval || (r->purged_us && clock_mono_us() < r->purged_us + (int64_t)interval * 1000000))
        return;
    r->purged_us = clock_mono_us();
    if (read_disk(r, &d) && d.free < soft_limit(r, &d))
        make_space(r, j);
    if (hours)
        collect_quietly(r, j, "expires",
                        &(struct journal_keep){ .max_age_us = (int64_t)hours * HOURS_US });
}

static void bound_bytes(struct relay *r, struct journal *j)
{
    uint64_t max = number_at(r, "purge.max_bytes");
    struct journal_state state;

    journal_state(j, &state);
    if (max && state.bytes > max)
        collect_quietly(r, j, "max_bytes", &(struct journal_keep){ .max_bytes = max });
}

/* --- a full disk --- */

static void drop_some(struct relay *r, struct journal *j)
{
    struct journal_state s;

    journal_state(j, &s);
    collect_quietly(r, j, "disk full, when_full = drop_unread",
                    &(struct journal_keep){ .max_bytes = s.bytes - s.bytes / DROP_PARTS,
                                            .despite_holds = true });
}

static void say_full(struct relay *r, const struct err *why)
{
    log_error(r->unit.path, "%s", why->text);
    node_event(&r->unit.node, "disk_full", json_pack("{s:s}", "error", why->text));
}

static void guard_disk(struct relay *r, struct journal *j)
{
    struct err why = ERR_INIT;

    if (!relay_disk_full(r, &why)) {
        if (!atomic_exchange(&r->full, false))
            return;
        why = ERR_INIT;
        log_info(r->unit.path, "there is space again");
        relay_follow(r, true, &why);
        return;
    }
    make_space(r, j);
    if (drops_unread(r))
        drop_some(r, j);
    why = ERR_INIT;
    if (relay_disk_full(r, &why) && !atomic_exchange(&r->full, true))
        say_full(r, &why);
}

/* --- what tasks need --- */

/* The record that the user needs first. */
static bool place_of(struct journal *j, const json_t *user, uint64_t *seq)
{
    const char *file = json_string_value(json_object_get(user, "file"));
    uint64_t offset = (uint64_t)json_integer_value(json_object_get(user, "offset"));
    struct err none = ERR_INIT;
    int rc;

    if (!file || !*file)
        return false; /* not known, e.g. because it has not run yet: what is held stays */
    rc = journal_find_place(j, file, offset ? offset : 4, seq, &none);
    return rc == 0 || rc == -EINVAL;
}

static void hold_for(struct journal *j, const json_t *user)
{
    const char *task = json_string_value(json_object_get(user, "task"));
    SCOPED(freep) char *who = xasprintf("tasks/%s", task);
    struct err none = ERR_INIT;
    uint64_t seq;

    if (place_of(j, user, &seq))
        journal_hold(j, who, seq, true, &none);
}

void relay_cover(struct relay *r, json_t *users)
{
    struct journal *j = source_journal(r->source);
    struct relay_tip tip;
    json_t *user;
    uint64_t seq;
    size_t i;

    relay_tip(r->source, &tip);
    json_array_foreach (users, i, user)
        if (j && tip.at_work && place_of(j, user, &seq))
            json_object_set_new(user, "file", json_string(""));
    journal_close(j);
}

static bool is_user(const json_t *users, const char *task)
{
    const json_t *user;
    size_t i;

    json_array_foreach (users, i, user)
        if (strcmp(json_string_value(json_object_get(user, "task")), task) == 0)
            return true;
    return false;
}

struct gone_tasks {
    const json_t *users;
    json_t *names;
};

static void see_task(void *arg, const char *who, uint64_t seq)
{
    struct gone_tasks *g = arg;

    (void)seq;
    if (strncmp(who, "tasks/", 6) == 0 && !is_user(g->users, who + 6))
        json_array_append_new(g->names, json_string(who));
}

static void hold_for_tasks(struct relay *r, struct journal *j)
{
    SCOPED(json_decrefp) json_t *users = NULL;
    SCOPED(json_decrefp) json_t *gone = NULL;
    struct gone_tasks g;
    const json_t *v;
    size_t i;

    if (clock_mono_us() < r->holds_due_us)
        return;
    r->holds_due_us = clock_mono_us() + HOLDS_EVERY_US;
    users = source_ask_users(r->source);
    g = (struct gone_tasks){ users, gone = json_array() };
    json_array_foreach (users, i, v)
        hold_for(j, v);
    journal_holds(j, see_task, &g);
    json_array_foreach (gone, i, v) {
        struct err err = ERR_INIT;

        journal_release(j, json_string_value(v), &err);
    }
}

static void show_lag(struct relay *r)
{
    double now = relay_lag_seconds(r);

    if (now != r->shown_lag)
        node_changed(&r->unit.node, "lag_seconds");
    r->shown_lag = now;
}

void relay_tick(struct relay *r)
{
    struct journal *j = source_journal(r->source);
    struct err err = ERR_INIT;

    if (relay_follow(r, false, &err) < 0)
        log_warn(r->unit.path, "%s", err.text);
    if (!j)
        return;
    hold_for_tasks(r, j);
    guard_disk(r, j);
    bound_bytes(r, j);
    purge_by_settings(r, j);
    relay_sample(r, j);
    journal_close(j);
    show_lag(r);
}

/* --- by hand --- */

struct first_of {
    const struct relay_until *until;
    uint64_t seq;
    bool known; /* the incarnation has files */
};

static bool see_file(void *arg, const struct journal_file *f)
{
    struct first_of *w = arg;

    if (w->until->incarnation && w->until->incarnation != f->incarnation)
        return true;
    w->known = true;
    if (strcmp(f->name, w->until->file) == 0)
        w->seq = f->first_seq; /* the newest incarnation's counts */
    return true;
}

static int first_of_file(struct journal *j, const struct relay_until *until, uint64_t *ret,
                         struct err *err)
{
    struct first_of w = { .until = until };
    int rc = journal_files(j, see_file, &w, err);

    if (rc < 0)
        return rc;
    if (w.seq) {
        *ret = w.seq;
        return 0;
    }
    if (until->incarnation)
        err_set(err, -ENOENT, "no file %s of incarnation %u is stored: see files", until->file,
                until->incarnation);
    else
        err_set(err, -ENOENT, "no file %s is stored: see files", until->file);
    return err_because(err, w.known ? REASON_RELAY_FILE : REASON_RELAY_SOURCE);
}

static int nothing_stored(struct err *err)
{
    err_set(err, -ENOENT, "nothing is stored");
    return err_because(err, REASON_RELAY_EMPTY);
}

static int purge(struct relay *r, struct journal *j, const struct relay_until *until, bool force,
                 struct err *err)
{
    struct journal_keep keep = { .until_seq = until->seq, .despite_holds = force };
    struct journal_state state;
    struct journal_gone gone;
    int rc;

    journal_state(j, &state);
    if (state.durable_seq == 0)
        return nothing_stored(err);
    rc = until->file ? first_of_file(j, until, &keep.until_seq, err) : 0;
    if (rc == 0)
        rc = collect(r, j, "purge", &keep, &gone, err);
    if (rc == 0 && !gone.records && gone.held_by[0])
        return err_set(err, -EBUSY, "%s still needs it: force=true deletes it all the same",
                       gone.held_by);
    return rc;
}

int relay_purge(struct relay *r, const struct relay_until *until, bool force, struct err *err)
{
    struct journal *j = source_journal(r->source);
    int rc;

    if (!j)
        return nothing_stored(err);
    rc = purge(r, j, until, force, err);
    journal_close(j);
    return rc;
}

/* --- verify --- */

#define SHOWN 100

static void note_damage(void *arg, uint64_t seq, const char *what)
{
    struct relay *r = arg;

    log_error(r->unit.path, "damaged: %s", what);
    mutex_lock(&r->unit.lock);
    if (json_array_size(r->corruption) < SHOWN)
        json_array_append_new(r->corruption,
                              json_pack("{s:I, s:s}", "seq", (json_int_t)seq, "what", what));
    mutex_unlock(&r->unit.lock);
}

static void *verify(void *arg)
{
    struct relay *r = arg;
    struct journal *j = source_journal(r->source);
    struct err err = ERR_INIT;
    uint64_t records = 0;
    size_t bad;

    if (j && journal_verify(j, note_damage, r, &records, &err) < 0 && err.code != -EBADMSG)
        log_warn(r->unit.path, "verify: %s", err.text);
    journal_close(j);
    mutex_lock(&r->unit.lock);
    r->verifying = false;
    bad = json_array_size(r->corruption);
    mutex_unlock(&r->unit.lock);
    log_info(r->unit.path, "verified: %" PRIu64 " records, %zu damaged places", records, bad);
    node_event(&r->unit.node, "verified",
               json_pack("{s:I, s:I}", "records", (json_int_t)records, "damaged", (json_int_t)bad));
    return NULL;
}

void relay_verify_join(struct relay *r)
{
    bool has;

    mutex_lock(&r->unit.lock);
    has = r->has_verifier;
    r->has_verifier = false;
    mutex_unlock(&r->unit.lock);
    if (has)
        thread_join(r->verifier);
}

int relay_verify(struct relay *r, struct err *err)
{
    bool busy;
    json_t *old = NULL;

    mutex_lock(&r->unit.lock);
    busy = r->verifying;
    if (!busy) {
        r->verifying = true;
        old = r->corruption;
        r->corruption = json_array();
    }
    mutex_unlock(&r->unit.lock);
    if (busy)
        return err_set(err, -EBUSY, "it is being verified");
    json_decref(old);
    relay_verify_join(r);
    mutex_lock(&r->unit.lock);
    r->verifier = thread_start("relay-verify", verify, r);
    r->has_verifier = true;
    mutex_unlock(&r->unit.lock);
    return 0;
}
