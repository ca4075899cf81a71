#include "unit/sync/sync_shard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/sync/sync_applied.h"
#include "unit/sync/sync_online.h"
#include "unit/sync/sync_shard_priv.h"

/* --- the groups --- */

static bool is_mine(const struct sync_run *r, const struct shard_member *m)
{
    return strcmp(m->source, r->job->source) == 0;
}

static void find_mine(struct sync_run *r)
{
    struct sync_shards *s = r->shards;

    s->n_mine = 0;
    for (unsigned i = 0; i < s->rows.n; i++)
        for (unsigned k = 0; k < s->rows.at[i].group.n; k++) {
            struct shard_member *m = &s->rows.at[i].group.members[k];

            if (!is_mine(r, m) || m->state == SHARD_FOLLOWS)
                continue;
            s->mine = xrealloc(s->mine, (s->n_mine + 1) * sizeof *s->mine);
            s->mine[s->n_mine++] = m;
        }
}

/* Rows without names are decoded by the structure that the shard has, not by the target's. */
static void tell_structures(struct sync_run *r)
{
    const struct shard_rows *rows = &r->shards->rows;

    for (unsigned i = 0; i < rows->n && r->job->shard_mode == SHARD_OPTIMISTIC; i++)
        for (unsigned k = 0; k < rows->at[i].group.n; k++) {
            const struct shard_member *m = &rows->at[i].group.members[k];

            if (is_mine(r, m) && m->now)
                sync_tables_tell(r->tables, m->schema, m->table, m->now);
        }
}

int shard_reload(struct sync_run *r, struct err *err)
{
    struct sync_shards *s = r->shards;
    uint64_t generation = shards_generation(s->view);
    int rc;

    shard_rows_fini(&s->rows);
    rc = shard_store_read(r->admin, r->job, &s->rows, err);
    find_mine(r);
    if (rc < 0)
        return rc;
    s->generation = generation;
    tell_structures(r);
    return 0;
}

int shard_tell(struct sync_run *r, struct err *err)
{
    struct sync_shards *s = r->shards;
    int rc;

    shards_moved(s->view);
    rc = shard_reload(r, err);
    if (rc < 0)
        return rc;
    shards_tell(s->view, &s->rows, s->generation, r->job->source);
    if (!r->second && shard_any_mine(r, SHARD_RELEASED))
        s->pending = true;
    return 0;
}

bool shard_any_mine(const struct sync_run *r, enum shard_state state)
{
    for (unsigned i = 0; i < r->shards->n_mine; i++)
        if (r->shards->mine[i]->state == state)
            return true;
    return false;
}

static struct shard_member *shard_mine(const struct sync_run *r, const char *schema,
                                       const char *name)
{
    for (unsigned i = 0; i < r->shards->n_mine; i++) {
        struct shard_member *m = r->shards->mine[i];

        if (strcmp(m->schema, schema) == 0 && strcmp(m->table, name) == 0)
            return m;
    }
    return NULL;
}

int shard_claim(struct sync_run *r, struct shard_row *row, struct err *err)
{
    SCOPED(buf_fini) struct buf touch = BUF_INIT, sql = BUF_INIT;
    struct err ignored = ERR_INIT;
    int rc = mysql_conn_execf(r->admin, err, "BEGIN");

    checkpoint_touch_sql(&r->cp, &touch);
    shard_store_sql(r->job, row, &sql);
    if (rc == 0)
        rc = mysql_conn_exec(r->admin, slice_of(touch.data, touch.size), NULL, err);
    if (rc == 0)
        rc = mysql_conn_exec(r->admin, slice_of(sql.data, sql.size), NULL, err);
    if (rc == 0)
        rc = mysql_conn_execf(r->admin, err, "COMMIT");
    if (rc == 0) {
        row->version++;
        return 0;
    }
    mysql_conn_execf(r->admin, &ignored, "ROLLBACK");
    return shard_store_stale(err) ? (err->code = -EAGAIN) : rc;
}

/* --- the stream --- */

bool sync_shard_skips(const struct sync_run *r, const char *schema, const char *name)
{
    const struct shard_member *m;

    if (!r->shards || (!r->second && r->shards->n_mine == 0))
        return false;
    m = shard_mine(r, schema, name);
    return r->second ? !m || m->state != SHARD_PASSING : m != NULL;
}

/* Is the transaction at hand behind the place from which the shard is to be read again? */
static bool is_behind(const struct sync_run *r, const struct shard_member *m)
{
    struct position from = { .offset = m->from_at };
    struct gtid_set *set = NULL;
    struct err none = ERR_INIT;
    bool behind;

    if (r->job->by_gtid && r->at_gtid && r->at_gtid->number && m->from_gtids &&
        gtid_set_parse(&set, r->flavor, m->from_gtids, &none) == 0) {
        behind = !gtid_set_has(set, r->at_gtid);
        gtid_set_free(set);
        return behind;
    }
    snprintf(from.file, sizeof from.file, "%s", m->from_file ? m->from_file : "");
    return position_compare(r->at, &from) > 0;
}

bool shard_is_for(const struct sync_run *r, const char *schema, const char *name)
{
    const struct shard_member *m = shard_mine(r, schema, name);

    if (!r->second)
        return m == NULL;
    return m && (m->state == SHARD_PASSING || (m->state == SHARD_PICKED && is_behind(r, m)));
}

/* What a crash left open goes by its place in the stream, and first. */
static bool is_settled(const struct sync_run *r)
{
    return !applied_left(r->applied) && !r->ddl_again;
}

/* Others' DDL changed the target under what is cached of its tables. */
static int see_others(struct sync_run *r, struct err *err)
{
    int rc = r->mode->drain(r, err);

    if (rc == 0)
        rc = shard_reload(r, err);
    if (rc == 0)
        sync_tables_forget(r->tables);
    if (rc == 0 && shard_any_mine(r, SHARD_RELEASED))
        r->shards->pending = true;
    return rc;
}

int sync_shard_turn(struct sync_run *r, struct err *err)
{
    struct sync_shards *s = r->shards;
    int rc = 0;

    if (!s || r->second)
        return 0;
    if (shards_generation(s->view) != s->generation)
        rc = see_others(r, err);
    if (rc == 0 && s->pending && is_settled(r))
        atomic_store(&r->sync->leave, true);
    return rc;
}

/* --- opening --- */

int sync_shard_open(struct sync_run *r, bool anew, struct err *err)
{
    int rc;

    if (r->job->shard_mode == SHARD_OFF || !r->job->shards)
        return 0;
    r->shards = xcalloc(1, sizeof *r->shards);
    r->shards->view = r->job->shards;
    rc = shard_store_prepare(r->admin, r->job, err);
    if (rc == 0)
        rc = sync_online_prepare(r, err);
    if (rc == 0 && anew && !r->second) {
        rc = shard_register(r, err);
        return rc == 0 ? shard_tell(r, err) : err_wrap(err, "locks of shards");
    }
    if (rc == 0)
        rc = shard_reload(r, err);
    if (rc == 0)
        shards_show(r->shards->view, &r->shards->rows, r->shards->generation);
    return rc < 0 ? err_wrap(err, "locks of shards") : 0;
}

void sync_shard_close(struct sync_run *r)
{
    if (!r->shards)
        return;
    shard_rows_fini(&r->shards->rows);
    free(r->shards->mine);
    free(r->shards);
    r->shards = NULL;
}
