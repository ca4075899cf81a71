/*
 * What changed before continuous validation ran: from the place before which all was looked at, or
 * from start_time, the binlog is read again.  Where that cannot be, all rows of the tables are
 * compared.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/dialect.h"
#include "mysql/quote.h"
#include "unit/read/read_snapshot.h"
#include "unit/sync/sync.h"
#include "unit/task/subtask.h"
#include "unit/task/task_order.h"
#include "unit/verify/verify_follow_priv.h"

#define SAVE_US ((int64_t)10000000)

static const char *source_of(const struct follow *f, unsigned i)
{
    return f->run.sources[i].job->source;
}

/* --- tables that are compared as a whole --- */

static void unsure(void *arg, const char *db, const char *name)
{
    const struct follow_source *s = arg;
    const struct verify_run *r = &s->of->run;

    if (db) {
        verify_again_add(s->of->unit, &(struct verify_mark){ (char *)source_of(s->of, s->i),
                                                             (char *)db, (char *)name });
        return;
    }
    for (unsigned i = 0; i < r->n_tables; i++)
        for (unsigned k = 0; k < r->tables[i].n_parts; k++)
            if (r->tables[i].parts[k].source == s->i)
                unsure(arg, r->tables[i].parts[k].db, r->tables[i].parts[k].name);
}

/* --- places --- */

/* Of the units that are watched, though the task may have others by now. */
static struct unit *sync_of(const struct follow *f, unsigned i)
{
    return f->run.sources[i].sub->units[STAGE_SYNC];
}

static int place_now(struct follow *f, unsigned i, struct position *ret, struct err *err)
{
    *ret = (struct position){ .offset = 0 };
    if (sync_of(f, i))
        sync_position(sync_of(f, i), ret);
    return ret->file[0] ? 0 : read_position_now(f->run.sources[i].conn, ret, err);
}

static int whose(struct follow *f, unsigned i, struct err *err)
{
    struct mysql_conn *c = f->run.sources[i].conn;
    const char *uuid = dialect_of(c)->server_uuid;
    SCOPED(freep) char *id = NULL;
    int rc = sql_scalar(c, &id, err, "SELECT %r", uuid ? uuid : "@@server_id");

    if (rc == 0)
        snprintf(f->sources[i].server, sizeof f->sources[i].server, "%s", id);
    return rc;
}

static bool begins_at_a_time(struct verify_follow *u, char **ret)
{
    mutex_lock(&u->settings);
    *ret = xstrdup(u->start_time);
    mutex_unlock(&u->settings);
    return (*ret)[0];
}

static void show_places(struct verify_follow *u)
{
    json_t *now = verify_places_json(&u->places), *old;

    mutex_lock(&u->unit.lock);
    old = u->looked;
    u->looked = now;
    mutex_unlock(&u->unit.lock);
    json_decref(old);
}

/* Where to read on. */
static int begin_at(struct follow *f, unsigned i, struct position *at, struct err *err)
{
    const struct verify_place *kept = verify_places_find(&f->unit->places, source_of(f, i));
    SCOPED(freep) char *time = NULL;
    int64_t us;

    if (kept && strcmp(kept->server, f->sources[i].server) == 0) {
        memcpy(at->file, kept->file, sizeof at->file);
        at->offset = kept->offset;
        return 0;
    }
    if (kept) {
        log_warn(f->unit->unit.path,
                 "source %s is another server than %s:%llu is of: all rows are compared",
                 source_of(f, i), kept->file, (unsigned long long)kept->offset);
        unsure(&f->sources[i], NULL, NULL);
    } else if (begins_at_a_time(f->unit, &time)) {
        return task_find_time(f->run.sources[i].job, time, &us, at, err);
    }
    return place_now(f, i, at, err);
}

/* On disk: first the tables of which rows are suspected, or not looked at. */
static int save(struct follow *f, struct err *err)
{
    struct verify_follow *u = f->unit;
    int rc = 0;

    for (unsigned i = 0; i < u->n_again && rc == 0; i++)
        rc = verify_marks_add(u->marks, &u->again[i].mark, err);
    for (unsigned i = 0; i < f->run.n_tables && rc == 0; i++) {
        const struct verify_table *t = &f->run.tables[i];

        for (unsigned k = 0; verify_followed_of(u, t)->suspects.n && k < t->n_parts && rc == 0; k++)
            rc = verify_marks_add(u->marks,
                                  &(struct verify_mark){ (char *)source_of(f, t->parts[k].source),
                                                         t->parts[k].db, t->parts[k].name },
                                  err);
    }
    f->saved_us = clock_mono_us();
    return rc == 0 ? verify_places_save(&u->places, err) : rc;
}

/* --- pasts --- */

static void close_past(struct follow *f, unsigned i)
{
    struct verify_follow *u = f->unit;
    struct verify_past *past;

    mutex_lock(&u->unit.lock);
    past = u->pasts[i];
    u->pasts[i] = NULL;
    mutex_unlock(&u->unit.lock);
    verify_past_close(past);
}

static struct verify_past *past_of(const struct follow *f, unsigned i) NO_THREAD_CHECK
{
    return f->unit->pasts[i];
}

void verify_since_stop(struct verify_follow *u)
{
    mutex_lock(&u->unit.lock);
    for (unsigned i = 0; i < u->n_pasts; i++)
        if (u->pasts[i])
            verify_past_stop(u->pasts[i]);
    mutex_unlock(&u->unit.lock);
}

/* It is not in the binlog any more, or never was a place of this one. */
static bool is_gone(const struct err *err)
{
    return err->code == -ENODATA || err->code == -ERANGE || err->code == -EBADMSG;
}

/* All of it is looked at instead, from now on. */
static int give_up(struct follow *f, unsigned i, struct err *err)
{
    log_warn(f->unit->unit.path, "%s: all rows are compared", err->text);
    *err = ERR_INIT;
    close_past(f, i);
    unsure(&f->sources[i], NULL, NULL);
    return place_now(f, i, &f->sources[i].at, err);
}

static int open_past(struct follow *f, unsigned i, struct err *err)
{
    struct verify_past_config c = { .job = f->run.sources[i].job,
                                    .source = f->run.sources[i].conn,
                                    .pending = f->unit->pending,
                                    .unsure = unsure,
                                    .arg = &f->sources[i] };
    struct verify_past *past = NULL;
    int rc = verify_past_open(&past, &c, &f->sources[i].at, err);

    mutex_lock(&f->unit->unit.lock);
    f->unit->pasts[i] = past;
    mutex_unlock(&f->unit->unit.lock);
    return rc < 0 && is_gone(err) ? give_up(f, i, err) : rc;
}

static int open_source(struct follow *f, unsigned i, struct err *err)
{
    struct position *at = &f->sources[i].at;
    int rc;

    f->sources[i].of = f;
    f->sources[i].i = i;
    rc = whose(f, i, err);
    if (rc == 0)
        rc = begin_at(f, i, at, err);
    if (rc == 0)
        rc = open_past(f, i, err);
    if (rc == 0)
        verify_places_set(&f->unit->places, source_of(f, i), f->sources[i].server, at);
    return rc;
}

int verify_since_open(struct follow *f, struct err *err)
{
    struct verify_follow *u = f->unit;
    int rc = 0;

    atomic_store(&u->catching_up, true);
    f->sources = xcalloc(f->run.n_sources, sizeof *f->sources);
    mutex_lock(&u->unit.lock);
    u->pasts = xcalloc(f->run.n_sources, sizeof(struct verify_past *));
    u->n_pasts = f->run.n_sources;
    mutex_unlock(&u->unit.lock);
    for (unsigned i = 0; i < f->run.n_sources && rc == 0; i++)
        rc = open_source(f, i, err);
    f->more = true;
    if (rc == 0)
        rc = save(f, err);
    if (rc == 0)
        atomic_store(&u->began, true);
    show_places(u);
    return rc;
}

static int step(struct follow *f, unsigned i, struct err *err)
{
    struct follow_source *s = &f->sources[i];
    struct verify_past *past = past_of(f, i);
    int rc;

    if (past) {
        rc = verify_past_step(past, &s->at, err);
        if (rc < 0)
            return is_gone(err) ? give_up(f, i, err) : rc;
        if (rc == 0)
            close_past(f, i);
        f->more = f->more || rc > 0;
        return 0;
    }
    if (!sync_of(f, i))
        return 0;
    free(s->gtids);
    s->gtids = sync_gtids(sync_of(f, i));
    sync_position(sync_of(f, i), &s->at);
    return 0;
}

int verify_since_step(struct follow *f, struct err *err)
{
    int rc = 0;

    f->was_more = f->more;
    f->more = false;
    for (unsigned i = 0; i < f->run.n_sources && rc == 0; i++)
        rc = step(f, i, err);
    return rc;
}

int verify_since_done(struct follow *f, struct err *err)
{
    struct verify_follow *u = f->unit;
    bool over = f->was_more && !f->more;

    for (unsigned i = 0; i < f->run.n_sources; i++) {
        const struct follow_source *s = &f->sources[i];

        verify_places_set(&u->places, source_of(f, i), s->server, &s->at);
        verify_cutovers_see(u, source_of(f, i), past_of(f, i) ? NULL : s,
                            mysql_conn_flavor(f->run.sources[i].conn));
    }
    f->whole = true;
    show_places(u);
    if (!over && clock_mono_us() - f->saved_us < SAVE_US)
        return 0;
    if (save(f, err) < 0)
        return err->code;
    if (!f->more)
        atomic_store(&u->catching_up, false);
    return 0;
}

void verify_since_close(struct follow *f)
{
    struct verify_follow *u = f->unit;
    struct verify_past **pasts;
    struct err err = ERR_INIT;

    for (unsigned i = 0; f->sources && i < f->run.n_sources; i++)
        close_past(f, i);
    mutex_lock(&u->unit.lock);
    pasts = u->pasts;
    u->pasts = NULL;
    u->n_pasts = 0;
    mutex_unlock(&u->unit.lock);
    free(pasts);
    if (f->whole && save(f, &err) < 0)
        log_warn(u->unit.path, "some changes are looked at again when it goes on: %s", err.text);
    for (unsigned i = 0; f->sources && i < f->run.n_sources; i++) {
        position_fini(&f->sources[i].at);
        free(f->sources[i].gtids);
    }
    free(f->sources);
}
