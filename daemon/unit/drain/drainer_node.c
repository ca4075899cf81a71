/* drainers/ and drainers/<d>/: their rows. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/catalog.h"
#include "unit/drain/drainer_priv.h"
#include "unit/drain/pump_doc.h"
#include "unit/drain/registrants.h"
#include "unit/histogram_show.h"
#include "unit/security_doc.h"

#define GRACE_MS 5000 /* to finish what is under way at the target, before it is cut off */

/* --- rows; the node is locked --- */

static json_t *get_state(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    if (drainer_of(n)->at_end && drainer_of(n)->sync.unit.state == UNIT_STOPPED)
        return json_string(unit_state_names[UNIT_FINISHED]);
    return unit_get_state(n, a, err);
}

static json_t *get_pos(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    const struct drainer *d = drainer_of(n);

    (void)a, (void)err;
    return d->pump_pos ? json_incref(d->pump_pos) : json_null();
}

static json_t *get_synced(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    const struct drainer *d = drainer_of(n);
    int64_t minutes = json_integer_value(doc_at(d->reg.full, "synced_check_time"));
    int64_t written = atomic_load(&d->written_us);

    (void)a, (void)err;
    return json_boolean(d->sync.unit.state == UNIT_RUNNING &&
                        clock_wall_us() - written >= minutes * 60000000);
}

static json_t *get_delay(const struct node *n, const struct attr *a, struct err *err)
{
    uint64_t ts = atomic_load(&drainer_of(n)->last_ts);
    int64_t age_us = clock_wall_us() - (int64_t)(ts >> 18) * 1000;

    (void)a, (void)err;
    return json_real(ts && age_us > 0 ? round((double)age_us / 1000) / 1000 : 0.0);
}

static json_t *get_count(const struct node *n, const struct attr *a, struct err *err)
{
    const char *base = (const char *)drainer_of(n);

    (void)err;
    return json_integer((json_int_t)atomic_load((const _Atomic uint64_t *)(base + a->offset)));
}

/* As TiDB-Binlog's file of that name. */
static json_t *get_savepoint(const struct node *n, const struct attr *a,
                             struct err *err) NO_THREAD_CHECK
{
    SCOPED(freep) char *text = NULL;
    const struct drainer *d = drainer_of(n);

    (void)a, (void)err;
    text = xasprintf("commitTS = %llu\nconsistent = %s\n",
                     (unsigned long long)atomic_load(&d->last_ts),
                     d->sync.unit.has_thread && !d->sync.unit.over ? "false" : "true");
    return json_string(text);
}

static bool number_after(const char *text, const char *key, uint64_t *ret)
{
    const char *at = strcasestr(text, key);
    char *end;

    if (!at)
        return false;
    at += strlen(key);
    at += strspn(at, " \t=");
    if (!isdigit((unsigned char)*at))
        return false;
    *ret = strtoull(at, &end, 10);
    return end > at;
}

static int set_savepoint(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    struct drainer *d = drainer_of(n);
    const char *text = json_string_value(v);
    struct drain_place place = { 0, NULL };
    int rc;

    if (unit_wait(&d->sync.unit, 0) < 0)
        return err_set(err, -EBUSY, "it runs: pause it first");
    if (!number_after(text, "commitTS", &place.ts) && !number_after(text, "", &place.ts))
        return err_set(err, -EINVAL, "commitTS = NUMBER expected");
    rc = drainer_check_ts(place.ts, "commitTS", err);
    if (rc == 0)
        rc = drainer_savepoint_save(d, &place, true, true, err);
    if (rc == 0)
        drainer_publish(d, &place);
    node_changed(n, a->name);
    return rc;
}

static json_t *get_errors(const struct node *n, const struct attr *a, struct err *err)
{
    const struct drain_stats *s = &drainer_of(n)->stats;

    (void)a, (void)err;
    return json_pack("{s:I, s:I, s:I}", "pull_binlog",
                     (json_int_t)atomic_load(&s->errors[DRAIN_ERROR_PULL]), "execute",
                     (json_int_t)atomic_load(&s->errors[DRAIN_ERROR_EXECUTE]), "corruption",
                     (json_int_t)atomic_load(&s->corruptions));
}

static json_t *get_histograms(const struct node *n, const struct attr *a, struct err *err)
{
    struct drainer *d = drainer_of(n);
    json_t *all = drain_stats_lanes(&d->stats);
    const struct {
        const char *name;
        const struct histogram *h;
        double scale;
    } rows[] = {
        { "execute", &d->sync.group_us, 1e-6 },
        { "query_exec", &d->sync.exec_us, 1e-6 },
        { "query_commit", &d->sync.commit_us, 1e-6 },
        { "query_mark", &d->sync.mark_us, 1e-6 },
        { "file_write", &d->stats.file_write_us, 1e-6 },
        { "file_write_size", &d->stats.file_write_bytes, 1 },
        { "file_read", &d->stats.file_read_us, 1e-6 },
    };

    (void)a, (void)err;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        json_object_set_new(all, rows[i].name, histogram_show(rows[i].h, rows[i].scale));
    return all;
}

/* --- actions --- */

static int run_skip(struct node *n, const json_t *args, struct err *err)
{
    struct drainer *d = drainer_of(n);
    const char *ts = json_string_value(json_object_get(args, "ts"));

    if (!ts || !*ts || strspn(ts, "0123456789") != strlen(ts))
        return err_set(err, -EINVAL, "ts: a commit_ts expected");
    mutex_lock(&d->sync.unit.lock);
    if (!d->skip)
        d->skip = json_array();
    json_array_append_new(d->skip, json_string(ts));
    mutex_unlock(&d->sync.unit.lock);
    return drainer_skips_save(d, err);
}

static const struct attr skip_params[] = {
    { .name = "ts",
      .type = ATTR_TEXT,
      .flags = ATTR_REQUIRED,
      .help = "commit_ts of the transaction; for good, like ignore_txn_commit_ts" },
    { 0 },
};

static const struct attr own_rows[] = {
    { .name = "state",
      .help = "Whether it runs; finished: it is at stop_commit_ts",
      .type = ATTR_ENUM,
      .choices = unit_state_names,
      .flags = ATTR_WATCHED | ATTR_METRIC,
      .get = get_state },
    { .name = "error",
      .help = "Why it does not run; empty if nothing is wrong",
      .type = ATTR_TEXT,
      .get = unit_get_error },
    { .name = "retries",
      .help = "Attempts made since it last got work done",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = unit_get_retries },
    { .name = "next_retry_seconds",
      .help = "Time until the next attempt; 0 if none is due",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE,
      .get = unit_get_next_retry },
    REGISTRANT_ROWS,
    { .name = "last_ts",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE | ATTR_WATCHED,
      .offset = offsetof(struct drainer, last_ts),
      .get = get_count,
      .help = "commit_ts up to which everything is in the target" },
    { .name = "checkpoint_delay_seconds",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE,
      .get = get_delay,
      .help = "Age of last_ts" },
    { .name = "synced",
      .type = ATTR_BOOL,
      .get = get_synced,
      .help = "Whether nothing was written for synced_check_time" },
    { .name = "pump_pos",
      .type = ATTR_JSON,
      .get = get_pos,
      .help = "By node id of the pump: the last commit_ts that was read from it; null before the "
              "first look" },
    { .name = "savepoint",
      .type = ATTR_TEXT,
      .flags = ATTR_BULK,
      .get = get_savepoint,
      .set = set_savepoint,
      .help = "commitTS in the form of TiDB-Binlog's file; may be written while it does not run" },
#define COUNT(which, field, text)                                                     \
    {                                                                                 \
        .name = which, .type = ATTR_COUNT, .offset = offsetof(struct drainer, field), \
        .get = get_count, .help = text                                                \
    }
    COUNT("inserts", sync.changes[ROWS_INSERT], "Rows inserted since the daemon started"),
    COUNT("updates", sync.changes[ROWS_UPDATE], "Rows updated"),
    COUNT("deletes", sync.changes[ROWS_DELETE], "Rows deleted"),
    COUNT("ddls", sync.ddl, "DDL statements that were passed on"),
    COUNT("ddl_skipped", sync.ddl_skipped, "DDL statements that were left out"),
    COUNT("skipped", skipped, "Transactions left out by their commit_ts"),
    COUNT("transactions", sync.transactions, "Transactions of the pumps that are in the target"),
    COUNT("rows", sync.rows, "Row changes that are in the target"),
    COUNT("groups", sync.groups, "Transactions of the target that they were merged into"),
    COUNT("events", sync.events, "Binlog events read"),
    COUNT("bytes", sync.bytes, "Bytes of binlog read"),
    COUNT("rows_in_flight", sync.rows_in_flight,
          "Row changes that were read and are not in the target yet"),
    COUNT("savepoints", stats.savepoints, "Times that the savepoint was stored"),
    COUNT("disorder", stats.disorder, "Transactions that came earlier than one before: never"),
    { .name = "errors",
      .type = ATTR_JSON,
      .get = get_errors,
      .help = "Times that it ended by an error: reading pumps, or else" },
    { .name = "histograms",
      .type = ATTR_JSON,
      .flags = ATTR_BULK,
      .get = get_histograms,
      .help = "How long and how large: transactions of the target, what was read, by pump; "
              "seconds and bytes" },
    { 0 },
};

static const struct action actions[] = {
    { .name = "start",
      .run = registrant_run_start,
      .help = "Register it as online and run, from where it was if it ran before" },
    { .name = "resume", .run = registrant_run_start, .help = "The same, after a pause" },
    { .name = "pause",
      .run = registrant_run_pause,
      .help = "End at the next whole transaction; pumps keep what it still needs" },
    { .name = "stop", .run = registrant_run_stop, .help = "The same, and the state is stopped" },
    { .name = "close",
      .run = registrant_run_close,
      .help = "End, and be offline: pumps keep nothing for it any more" },
    { .name = "skip_txn",
      .params = skip_params,
      .run = run_skip,
      .help = "Leave one transaction out, such as a DDL that the target refuses; then resume" },
    { .name = "recover",
      .run = registrant_run_start,
      .help = "Go on from the journals after a failure, to the last that they have; the source "
              "is not asked" },
    { .name = "update_state",
      .params = registrant_update_params,
      .run = registrant_run_update,
      .help = "Change the registry's word for it and nothing else, for what died elsewhere" },
    { 0 },
};

static const char *const examples[] = {
    "cp d1.yaml config; echo > start",
    "cat node_state last_ts checkpoint_delay_seconds pump_pos",
    "echo > pause; echo 'commitTS = 450000000000000000' > savepoint; echo > resume",
    NULL,
};

/* --- types --- */

static void release(struct node *n) NO_THREAD_CHECK
{
    struct drainer *d = drainer_of(n);

    registrant_fini(&d->reg);
    json_decref(d->pump_pos);
    json_decref(d->skip);
    drain_stats_fini(&d->stats);
    unit_fini(&d->sync.unit);
    sync_fini(&d->sync);
    free(d);
}

static int remove_drainer(struct node *n, struct err *err)
{
    struct drainer *d = drainer_of(n);
    SCOPED(freep) char *path = xasprintf("drainer_savepoints/%s", n->name);
    int rc = registrant_remove(&d->reg, err);

    return rc < 0 ? rc : catalog_delete(d->reg.config.catalog, path, err);
}

enum { SYNCER, TO, SECURITY, CHECKPOINT, N_DIRS };

static struct node_type dir_types[N_DIRS];

static const struct node_part to_parts[] = { { "security", &dir_types[SECURITY] },
                                             { "checkpoint", &dir_types[CHECKPOINT] },
                                             { 0 } };
static const struct node_part drainer_parts[] = { { "syncer", &dir_types[SYNCER] },
                                                  { "to", &dir_types[TO] },
                                                  { 0 } };

static const struct registrant_dir dirs[] = {
    { "syncer", "syncer.", &dir_types[SYNCER], -1 },
    { "to", "to.", &dir_types[TO], -1 },
    { "security", "to.security.", &dir_types[SECURITY], TO },
    { "checkpoint", "to.checkpoint.", &dir_types[CHECKPOINT], TO },
    { NULL, NULL, NULL, 0 },
};

static struct node_type type = {
    .name = "drainer",
    .help = "Pumps merged by commit_ts, into a target.",
    .examples = examples,
    .actions = actions,
    .parts = drainer_parts,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .remove = remove_drainer,
    .release = release,
};

static const struct registrant_kind kind = {
    .dir = "drainers",
    .card = CARD_DRAINER,
    .fields = drainer_doc_fields,
    .dirs = dirs,
    .check = drainer_doc_check,
    .left = drainer_let_go,
};

static void make_types(void)
{
    type.attrs = registrant_rows(own_rows, actions, drainer_doc_fields);
    dir_types[SYNCER] = registrant_dir_type("drainer_syncer", "What is taken, and how",
                                            drainer_doc_syncer_fields, NULL);
    dir_types[TO] =
        registrant_dir_type("drainer_to", "What the rows go to", drainer_doc_to_fields, to_parts);
    dir_types[SECURITY] =
        registrant_dir_type("drainer_security", "TLS to the target", security_doc_fields, NULL);
    dir_types[CHECKPOINT] =
        registrant_dir_type("drainer_checkpoint", "Where a copy of the savepoint is written",
                            drainer_doc_checkpoint_fields, NULL);
}

/* --- the collection --- */

static void recall(struct drainer *d)
{
    struct drainer_savepoint at = { .ts = 0 };
    struct err ignored = ERR_INIT;

    if (drainer_savepoint_load(d, &at, &ignored) < 0)
        return;
    mutex_lock(&d->sync.unit.lock);
    d->skip = at.skip;
    mutex_unlock(&d->sync.unit.lock);
    if (at.ts)
        drainer_publish(d, &(struct drain_place){
                               at.ts, strcmp(at.lane, DRAIN_ALL_LANES) == 0 ? NULL : at.lane });
}

static int add(struct registrants *all, const char *name, const json_t *kept, const json_t *doc,
               struct err *err)
{
    struct drainer *d = xcalloc(1, sizeof *d);
    int rc;

    unit_init(&d->sync.unit, &drainer_ops, &type, name);
    d->pumps = all->pumps;
    drain_stats_init(&d->stats);
    rc = registrant_init(&d->reg, &d->sync.unit, &kind, &all->config, name, kept, doc, err);
    if (rc == 0 && kept)
        recall(d);
    if (rc == 0)
        rc = registrant_join(&d->reg, &all->node, !kept, err);
    if (rc < 0)
        registrant_discard(&d->reg);
    node_unref(&d->sync.unit.node);
    return rc;
}

static const char *const all_examples[] = {
    "cat d1.yaml > create; echo > d1/start",
    "cat */node_state",
    "cat nodes",
    NULL,
};

static const struct node_part parts[] = { { NULL, &type }, { 0 } };

static const struct node_type all_type = {
    .name = "drainers",
    .help = "Drainers of TiDB-Binlog: each merges pumps into one target.",
    .examples = all_examples,
    .parts = parts,
    REGISTRANTS_TYPE,
};

const struct node_type *drainers_type(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_types);
    return &all_type;
}

struct node *drainers_new(const struct registry_config *c, struct node *pumps, struct err *err)
{
    return registrants_new(&kind, add, pumps, drainers_type(), c, err);
}

/* --- the daemon's start and end --- */

static void wait_one(void *arg, struct node *n)
{
    struct drainer *d = drainer_of(n);
    int64_t left_us = *(const int64_t *)arg - clock_mono_us();

    if (unit_wait(&d->sync.unit, left_us > 0 ? left_us / 1000 : 0) == 0)
        return;
    mutex_lock(&d->sync.unit.lock);
    if (d->conns)
        conn_set_shut(d->conns);
    mutex_unlock(&d->sync.unit.lock);
    unit_wait(&d->sync.unit, -1);
}

void drainers_start(struct node *drainers)
{
    registrants_start(drainers);
}

void drainers_stop(struct node *drainers)
{
    int64_t until_us = clock_mono_us() + GRACE_MS * 1000;

    registrants_halt(drainers);
    node_each(drainers, wait_one, &until_us);
}
