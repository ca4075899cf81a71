/* Groups into the target, and what the tree hears of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/sync_aside.h"
#include "unit/sync_priv.h"

#define MAX_TRIES 10 /* of one group, on deadlocks and lock waits */

void sync_publish(struct sync_run *r)
{
    struct sync *s = r->sync;
    SCOPED(buf_fini) struct buf gtid = BUF_INIT;
    char *old, *file = NULL;

    if (r->cp.pos.gtids)
        gtid_set_print(r->cp.pos.gtids, &gtid);
    mutex_lock(&s->unit.lock);
    old = s->gtid;
    s->gtid = buf_steal(&gtid);
    if (!s->binlog_file || strcmp(s->binlog_file, r->cp.pos.file) != 0) {
        file = s->binlog_file;
        s->binlog_file = xstrdup(r->cp.pos.file);
    }
    s->binlog_offset = r->cp.pos.offset;
    mutex_unlock(&s->unit.lock);
    free(old);
    free(file);
}

void sync_publish_aside(struct sync_run *r)
{
    struct sync *s = r->sync;
    char *text = aside_text(r->aside), *old;
    bool some = text[0] != '\0';

    mutex_lock(&s->unit.lock);
    old = s->aside_text;
    s->aside_text = text;
    mutex_unlock(&s->unit.lock);
    free(old);
    unit_quarantined(&s->unit, some);
    node_changed(&s->unit.node, "set_aside");
}

bool sync_skips(void *run, const struct target_table *t)
{
    struct sync_run *r = run;

    return aside_has_table(r->aside, t) != r->only_aside;
}

static int write_once(struct sync_run *r, struct group *g, struct err *err)
{
    int rc;

    atomic_store(&r->writing_us, clock_mono_us());
    sink_begin(r->sink, &g->pos, 0);
    rc = aside_write(r->aside, r->sink, err);
    if (rc == 0)
        rc = group_write(g, r->sink, sync_skips, r, err);
    if (rc == 0)
        rc = sink_commit(r->sink, err);
    atomic_store(&r->writing_us, 0);
    return rc;
}

/* Deadlock, lock wait: the server has rolled back, the group is still here. */
static bool passes(const struct err *err)
{
    return err->sql == 1213 || err->sql == 1205 || err->sql == 1020;
}

static void account(struct sync_run *r, const struct group *g)
{
    struct sync *s = r->sync;

    atomic_fetch_add(&s->groups, 1);
    atomic_fetch_add(&s->transactions, g->n_txns);
    atomic_fetch_add(&s->rows, g->n_rows);
    unit_progressed(&s->unit);
    sync_publish(r);
}

static int set_aside(struct sync_run *r, struct err *err)
{
    const struct target_table *t = sink_failed_table(r->sink);
    int rc = aside_failed(r->aside, t, &r->cp, err);

    if (rc < 0)
        return rc;
    log_error(r->sync->unit.path, "sets table %s.%s aside: %s", t->db, t->name, err->text);
    sync_publish_aside(r);
    return 0;
}

int sync_write_group(struct sync_run *r, struct group *g, struct err *err)
{
    int rc = -EIO;

    for (unsigned i = 0; i < MAX_TRIES; i++) {
        rc = write_once(r, g, err);
        if (rc == 0) {
            account(r, g);
            return 0;
        }
        if (rc == -ECONNRESET || rc == -ETIMEDOUT)
            return rc;
        sink_rollback(r->sink);
        if (checkpoint_fenced(err) && !sink_failed_table(r->sink))
            return err_set(err, -EOWNERDEAD,
                           "another process has taken over this task at the target");
        if (passes(err))
            continue;
        rc = set_aside(r, err);
        if (rc < 0)
            return rc;
    }
    return rc;
}

void *sync_writer(void *arg)
{
    struct sync_run *r = arg;
    struct group *g;

    while ((g = queue_take(&r->queue))) {
        struct err err = ERR_INIT;

        if (sync_write_group(r, g, &err) == 0)
            err = ERR_INIT;
        queue_done(&r->queue, g, &err);
        if (err.code)
            break;
    }
    return NULL;
}
