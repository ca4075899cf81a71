/* All targets but MySQL's stream: what is opened, the savepoint, the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/drain/drain_checkpoint.h"
#include "unit/drain/drain_sink.h"
#include "unit/drain/drain_target.h"
#include "unit/drain/drainer_priv.h"

static const struct kind {
    const char *db_type;
    const struct drain_sink_ops *ops;
} kinds[] = {
    { "file", &drain_sink_file },  { "pb", &drain_sink_file },       { "kafka", &drain_sink_kafka },
    { "sql", &drain_sink_text },   { "print", &drain_sink_text },    { "mysql", &drain_sink_apply },
    { "tidb", &drain_sink_apply }, { "mariadb", &drain_sink_apply },
};

static const struct drain_sink_ops *ops_of(const json_t *doc)
{
    const char *type = json_string_value(doc_at(doc, "to.db_type"));

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (type && strcmp(kinds[i].db_type, type) == 0)
            return kinds[i].ops;
    return NULL;
}

/* --- what a run does for its sources --- */

static void keep_place(struct drain_run *r, const struct drain_place *at)
{
    if (at->lane)
        snprintf(r->place_lane, sizeof r->place_lane, "%s", at->lane);
    r->place = (struct drain_place){ at->ts, at->lane ? r->place_lane : NULL };
}

int drain_run_write(struct drain_run *r, const struct change_txn *t, const struct drain_place *at,
                    struct err *err)
{
    struct sync *s = &r->drainer->sync;
    int64_t began_us = clock_mono_us();
    int rc = r->sink->ops->write(r->sink, t, at, err);

    histogram_observe(&s->group_us, clock_mono_us() - began_us);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < t->n_changes; i++)
        atomic_fetch_add_explicit(&s->changes[t->changes[i].kind], 1, memory_order_relaxed);
    atomic_fetch_add(&s->rows, t->n_changes);
    atomic_fetch_add(&s->ddl, t->ddl);
    atomic_fetch_add(&s->transactions, 1);
    drainer_wrote(r->drainer);
    unit_progressed(&s->unit);
    if (!t->more)
        keep_place(r, at);
    return 0;
}

void drain_run_pass(struct drain_run *r, const struct drain_place *at)
{
    keep_place(r, at);
}

/* TiDB-Binlog's file: "commitTS = 4...", written beside and renamed. */
static int write_file(const char *dir, const struct drain_place *place, bool consistent,
                      struct err *err)
{
    SCOPED(freep) char *path = xasprintf("%s/savepoint", dir);
    SCOPED(freep) char *beside = xasprintf("%s/savepoint.tmp", dir);
    SCOPED(closep) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 ||
        dprintf(fd, "commitTS = %llu\nconsistent = %s\nschema-version = 0\n",
                (unsigned long long)place->ts, consistent ? "true" : "false") < 0 ||
        fdatasync(fd) < 0 || rename(beside, path) < 0)
        return err_set(err, -errno, "cannot write %s: %m", path);
    return 0;
}

static const char *savepoint_dir(const json_t *doc)
{
    const char *dir = json_string_value(doc_at(doc, "to.checkpoint.dir"));
    const char *type = json_string_value(doc_at(doc, "to.checkpoint.type"));
    const char *own = json_string_value(doc_at(doc, "to.dir"));

    if (dir && *dir)
        return dir;
    if (type && *type && strcmp(type, "file") != 0)
        return NULL;
    return own && *own ? own : NULL;
}

static int save(struct drain_run *r, const struct drain_place *place, bool consistent,
                struct err *err)
{
    const char *dir = savepoint_dir(r->doc);
    int rc = drainer_savepoint_save(r->drainer, place, consistent, false, err);

    if (rc == 0 && dir && r->sink->ops != &drain_sink_text)
        rc = write_file(dir, place, consistent, err);
    if (rc == 0)
        rc = drain_checkpoint_write(r->checkpoint, place, consistent, err);
    if (rc == 0)
        drainer_publish(r->drainer, place);
    return rc;
}

int drain_run_save(struct drain_run *r, bool wait, bool *moved, struct err *err)
{
    struct drain_place safe = { 0, NULL };
    uint64_t before = atomic_load(&r->drainer->last_ts);
    int rc = r->sink->ops->sync(r->sink, wait, &safe, err);

    if (rc < 0)
        return rc;
    if (rc > 0)
        safe = r->place;
    *moved = safe.ts != 0 && (safe.ts != before || wait);
    return *moved ? save(r, &safe, wait && rc > 0, err) : 0;
}

/* --- a run --- */

static int go(struct drain_run *r, struct err *err)
{
    if (json_string_length(doc_at(r->doc, "data_dir")))
        return drain_from_files(r, err);
    if (json_is_true(doc_at(r->doc, "syncer.reverse")))
        return drain_reverse(r, err);
    return drain_from_pumps(r, err);
}

/* What was written is made safe also when it ends by itself or was told to. */
static int finish(struct drain_run *r, int rc, struct err *err)
{
    struct err why = ERR_INIT;
    bool moved;
    bool undo = json_is_true(doc_at(r->doc, "syncer.reverse"));

    if (rc != 0 && (rc != -ECANCELED || undo)) /* half an undo is none */
        return rc;
    if (drain_run_save(r, true, &moved, &why) == 0)
        return rc;
    *err = why;
    return why.code;
}

static int open_sink(struct drain_run *r, struct err *err)
{
    struct drain_sink_config c = { .drainer = r->drainer, .doc = r->doc, .target = &r->target };
    const struct drain_sink_ops *ops = ops_of(r->doc);
    struct drainer_savepoint at = { .ts = 0 };
    struct drain_place start;
    int rc;

    if (!ops)
        return err_set(err, -ENOTSUP, "to.db_type: %s cannot be written to",
                       json_string_value(doc_at(r->doc, "to.db_type")));
    rc = drainer_start_place(r->drainer, r->doc, &at, err);
    if (rc < 0)
        return rc;
    json_decref(at.skip);
    if (at.fresh && json_string_length(doc_at(r->doc, "data_dir")))
        at.ts = 0; /* files are read from their beginning; bounds are theirs */
    start = (struct drain_place){ at.ts, strcmp(at.lane, DRAIN_ALL_LANES) == 0 ? NULL : at.lane };
    rc = ops->open(&c, &start, &r->sink, err);
    if (rc < 0)
        return rc;
    keep_place(r, &start);
    return drainer_savepoint_save(r->drainer, &r->place, false, false, err);
}

static int to_sink(struct drain_run *r, struct err *err)
{
    int rc;

    r->checkpoint = drain_checkpoint_new(r->drainer->reg.name, r->doc, &r->target);
    rc = open_sink(r, err);
    if (rc == 0) {
        rc = go(r, err);
        rc = finish(r, rc, err);
    }
    if (r->sink)
        r->sink->ops->close(r->sink);
    drain_checkpoint_free(r->checkpoint);
    return rc;
}

static bool is_journal(const json_t *doc)
{
    return strcmp(json_string_value(doc_at(doc, "to.db_type")), "journal") == 0;
}

int drain_sinks_run(struct drainer *d, const json_t *doc, struct err *err)
{
    struct drain_run r = { .drainer = d, .doc = doc };
    int rc = drain_target_open(&r.target, d, doc, err);

    r.stop_ts = (uint64_t)json_integer_value(doc_at(doc, "stop_commit_ts"));
    if (rc == 0 && is_journal(doc)) {
        rc = drain_journal(&r, err);
    } else if (rc == 0) {
        rc = to_sink(&r, err);
    }
    drain_target_close(&r.target, d);
    return rc;
}
