/* Whose chunk is next, and what becomes of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/read/read_snapshot.h"
#include "unit/refill/refill_priv.h"
#include "unit/retry.h"

#define RETRY_US ((int64_t)500000)

/* --- whose turn --- */

static int64_t due_us(const struct sync_run *r, const struct refill_entry *e, int64_t now)
{
    switch (e->row.state) {
    case REFILL_NEW:
    case REFILL_LOADING:
        if (e->not_before.file[0] && !refill_reached(r, r->cp.source_id, &e->not_before))
            return -1;
        if (e->not_before_us > now)
            return e->not_before_us - now;
        return r->refill->next_us > now ? r->refill->next_us - now : 0;
    case REFILL_SETTLING:
        return refill_reached(r, e->row.source_id, &e->row.settled) ? 0 : -1;
    case REFILL_DONE:
    case REFILL_FAILED:
        break;
    }
    return -1;
}

static struct refill_entry *next_entry(const struct sync_run *r, int64_t *due)
{
    struct refill_entry *best = NULL;
    int64_t now = clock_mono_us();

    *due = -1;
    for (unsigned i = 0; r->refill && i < r->refill->n; i++) {
        int64_t us = due_us(r, &r->refill->entries[i], now);

        if (us >= 0 && (!best || us < *due)) {
            best = &r->refill->entries[i];
            *due = us;
        }
    }
    return best;
}

int64_t refill_due_ms(const struct sync_run *r)
{
    int64_t us;

    return next_entry(r, &us) ? (us + 999) / 1000 : -1;
}

void refill_hurry(struct sync_run *r)
{
    if (r->refill)
        r->refill->next_us = 0;
}

/* --- what becomes of it --- */

static void set_reason(struct refill_entry *e, const char *text)
{
    free(e->row.reason);
    e->row.reason = xstrdup(text);
}

static void wait_a_moment(struct refill_entry *e, const struct err *why)
{
    set_reason(e, why->text);
    e->not_before_us = clock_mono_us() + RETRY_US;
}

static int fail(struct sync_run *r, struct refill_entry *e, const struct err *why, struct err *err)
{
    log_error(r->sync->unit.path, "%s.%s is not copied again: %s", e->row.schema, e->row.table,
              why->text);
    set_reason(e, why->text);
    e->row.state = REFILL_FAILED;
    return refill_write_state(r, e, err);
}

/* Columns that the other end lacks: a statement that the stream has not reached may be the reason.
 */
static int misfits(struct refill_chunk *k, const struct err *why, struct err *err)
{
    struct refill_entry *e = k->entry;
    bool ours = e->row.create && !e->row.key[0] && e->row.ddl.file[0];
    struct position now = { .offset = 0 };
    int rc;

    if (e->misfit && refill_reached(k->run, k->run->cp.source_id, &e->not_before) && !ours)
        return fail(k->run, e, why, err);
    if (ours) /* as it was made, and has no row: made anew */
        return sql_exec(k->run->admin, err, "DROP TABLE IF EXISTS %i.%i", k->to_name.to_schema,
                        k->to_name.to_table);
    rc = read_position_now(k->run->refill->source, &now, err);
    if (rc == 0 && !e->misfit)
        position_copy(&e->not_before, &now);
    position_fini(&now);
    e->misfit = true;
    wait_a_moment(e, why);
    return 0;
}

static bool is_lost(const struct err *e)
{
    return e->code == -ECONNRESET || e->code == -ETIMEDOUT || e->code == -ECONNREFUSED ||
           e->code == -EPIPE;
}

static int failed(struct refill_chunk *k, const struct err *why, struct err *err)
{
    struct sync_run *r = k->run;

    if (unit_stopping(&r->sync->unit) || why->code == -ECANCELED)
        return err_set(err, -ECANCELED, "stopping");
    if (k->at_target && (is_lost(why) || checkpoint_fenced(why))) {
        *err = *why;
        return why->code;
    }
    if (is_lost(why) && r->refill->source) {
        job_link_close(&r->refill->link, r->refill->source);
        r->refill->source = NULL;
    }
    if (why->code == -EINVAL && !k->at_target)
        return misfits(k, why, err);
    if (why->code == -EAGAIN || is_lost(why) || retry_kind_of(why) != RETRY_NEVER) {
        wait_a_moment(k->entry, why);
        return 0;
    }
    return fail(r, k->entry, why, err);
}

/* --- a chunk --- */

static int copy_chunk(struct refill_chunk *k, struct err *err)
{
    int rc = refill_look(k, err);

    if (rc == 0 && !k->to) {
        rc = refill_make(k, err);
        if (rc == 0)
            rc = refill_look(k, err);
    }
    return rc == 0 ? refill_write(k, err) : rc;
}

static int chunk(struct sync_run *r, struct refill_entry *e, struct err *err)
{
    SCOPED(refill_chunk_fini) struct refill_chunk k = { .run = r, .entry = e };
    struct err why = ERR_INIT;
    int64_t began = clock_mono_us();
    int rc;

    group_init(&k.group);
    if (!router_table(r->job->router, e->row.schema, e->row.table, &k.to_name))
        return 0; /* refill_open() saw to it */
    rc = copy_chunk(&k, &why);
    if (rc < 0)
        return failed(&k, &why, err);
    e->misfit = false;
    position_fini(&e->not_before);
    e->not_before = (struct position){ .offset = 0 };
    r->refill->next_us = 2 * clock_mono_us() - began; /* half of the time is the stream's */
    unit_progressed(&r->sync->unit);
    return 0;
}

/* What a comparison found in a table is no longer so; there may be no such list. */
static void forget_found(struct sync_run *r, const struct refill_row *row)
{
    struct err ignored = ERR_INIT;

    if (!row->rows_only && !row->where[0])
        (void)sql_exec(r->admin, &ignored,
                       "DELETE FROM %i.sluice_verify_row WHERE task=%q AND source=%q AND "
                       "db=%q AND tab=%q",
                       r->job->meta_schema, r->job->task, r->job->source, row->schema, row->table);
}

static int settle(struct sync_run *r, struct refill_entry *e, struct err *err)
{
    forget_found(r, &e->row);
    e->row.state = REFILL_DONE;
    log_info(r->sync->unit.path, "%s.%s is copied again, %llu rows", e->row.schema, e->row.table,
             (unsigned long long)e->row.rows);
    return refill_write_state(r, e, err);
}

int refill_step(struct sync_run *r, struct err *err)
{
    int64_t due;
    struct refill_entry *e = next_entry(r, &due);
    int rc;

    if (!e || due > 0)
        return 0;
    rc = r->mode->drain(r, err);
    if (rc == 0)
        rc = e->row.state == REFILL_SETTLING ? settle(r, e, err) : chunk(r, e, err);
    sync_publish_refill(r);
    return rc;
}
