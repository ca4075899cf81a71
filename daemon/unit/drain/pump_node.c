/* pumps/ and pumps/<p>/: their rows. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal.h"
#include "store/catalog.h"
#include "unit/drain/pump.h"
#include "unit/drain/pump_doc.h"
#include "unit/drain/pump_priv.h"
#include "unit/drain/registrants.h"
#include "unit/histogram_show.h"

/* --- rows --- */

static json_t *get_drainers(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return registry_nodes(pump_of(n)->reg.config.registry, CARD_DRAINER);
}

static json_t *get_nodes(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return registry_nodes(pump_of(n)->reg.config.registry, CARD_PUMP);
}

static int run_gc(struct node *n, const json_t *args, struct err *err)
{
    struct pump *p = pump_of(n);

    (void)args;
    if (unit_wait(&p->unit, 0) == 0)
        return err_set(err, -EBUSY, "it does not run");
    if (atomic_exchange(&p->gc_works, true))
        return err_set(err, -EBUSY, "gc is working");
    atomic_store(&p->gc_wanted, true);
    return 0;
}

/* "gc" is the name of the action. */
static json_t *get_gc_time(const struct node *n, const struct attr *a,
                           struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_deep_copy(doc_at(pump_of(n)->reg.full, "gc"));
}

static int set_gc_time(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)a;
    return registrant_set_field(&pump_of(n)->reg, "gc", v, err);
}

/* --- how its journal does --- */

/* Its source's journal, referenced; NULL: none. */
static struct journal *journal_beside(const struct node *n)
{
    struct journal *j;
    struct err none = ERR_INIT;

    return pump_journal(pump_of(n), &j, &none) == 0 ? j : NULL;
}

static json_t *get_errors(const struct node *n, const struct attr *a, struct err *err)
{
    struct journal *j = journal_beside(n);
    const struct journal_stats none = { .read_errors = 0 }, *s = j ? journal_stats(j) : &none;
    json_t *v = json_pack("{s:I, s:I, s:I, s:i, s:i}", "write_binlog",
                          (json_int_t)atomic_load(&s->record_errors), "write_binlog_batch",
                          (json_int_t)atomic_load(&s->group_errors), "read_value",
                          (json_int_t)atomic_load(&s->read_errors), "batch_write_kv", 0,
                          "feed_pre_write_value", 0); /* there is no index beside the records */

    (void)a, (void)err;
    journal_close(j);
    return v;
}

static json_t *get_histograms(const struct node *n, const struct attr *a, struct err *err)
{
    struct journal *j = journal_beside(n);
    const struct journal_stats none = { .read_errors = 0 }, *s = j ? journal_stats(j) : &none;
    json_t *v = json_object();
    const struct {
        const char *name;
        const struct histogram *h;
        double scale;
    } rows[] = {
        { "record_size", &s->record_bytes, 1 }, { "record", &s->record_us, 1e-6 },
        { "group_size", &s->group_bytes, 1 },   { "group", &s->group_us, 1e-6 },
        { "sync", &s->sync_us, 1e-6 },          { "file", &s->file_us, 1e-6 },
        { "stream", &s->streams_us[1], 1e-6 },  { "stream_failed", &s->streams_us[0], 1e-6 },
    };

    (void)a, (void)err;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        json_object_set_new(v, rows[i].name, histogram_show(rows[i].h, rows[i].scale));
    journal_close(j);
    return v;
}

static const struct attr own_rows[] = {
    UNIT_ATTRS,
    REGISTRANT_ROWS,
    { .name = "gc_time",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .get = get_gc_time,
      .set = set_gc_time,
      .help = "How long transactions are kept (gc in config): days, or a duration such as 8h" },
    { .name = "commit_ts",
      .type = ATTR_COUNT,
      .flags = ATTR_BULK | ATTR_ASKS, /* the disk */
      .get = pump_get_fresh,
      .help = "A fresh timestamp: all stored so far has one up to it, all that is stored later a "
              "greater one" },
    ATTR_U64(struct pump, gc_ts, ATTR_COUNT, "What is older may be deleted, but for ten minutes"),
    ATTR_U64(struct pump, done_gc_ts, ATTR_COUNT, "What gc_ts was when it was last done"),
    ATTR_U64(struct pump, available_bytes, ATTR_BYTES, "Space left on the disk of the data folder"),
    ATTR_U64(struct pump, capacity_bytes, ATTR_BYTES, "Space that there is"),
    ATTR_U64(struct pump, deleted_records, ATTR_COUNT, "Records that gc has deleted"),
    ATTR_U64(struct pump, purge_detected, ATTR_COUNT,
             "Times that gc found a drainer less than 20 hours ahead of it"),
    { .name = "errors",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_ASKS, /* nothing but the locks of its source */
      .get = get_errors,
      .help = "Times that storing or reading failed, in the words of TiDB-Binlog" },
    { .name = "histograms",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_ASKS,
      .get = get_histograms,
      .help = "How long and how large, of the source's journal since the daemon started: records, "
              "groups that go to the disk at once, streams of drainers; seconds and bytes" },
    ATTR_FLAG(struct pump, no_space, "Whether the source is not read for want of space"),
    { .name = "drainers",
      .type = ATTR_JSON,
      .flags = ATTR_BULK,
      .get = get_drainers,
      .help = "All drainers of the registry, as TiDB-Binlog shows them" },
    { .name = "nodes",
      .type = ATTR_JSON,
      .flags = ATTR_BULK,
      .get = get_nodes,
      .help = "All pumps of the registry, likewise" },
    { 0 },
};

static const struct action actions[] = {
    { .name = "start",
      .run = registrant_run_start,
      .help = "Register it as online, and have its source's binlog read" },
    { .name = "resume", .run = registrant_run_start, .help = "The same, after a pause" },
    { .name = "pause",
      .run = registrant_run_pause,
      .help = "Stop reading the source; drainers wait for it until it is back" },
    { .name = "stop", .run = registrant_run_stop, .help = "The same, and the state is stopped" },
    { .name = "close",
      .run = registrant_run_close,
      .help = "Take it away once every drainer that is not offline has what it has" },
    { .name = "gc", .run = run_gc, .help = "Delete what is older than the setting gc, now" },
    { .name = "update_state",
      .params = registrant_update_params,
      .run = registrant_run_update,
      .help = "Change the registry's word for it and nothing else, for what died elsewhere" },
    { 0 },
};

static const char *const examples[] = {
    "echo s1 > source_name; echo > start",
    "cat node_state max_commit_ts; cat drainers",
    "cat binlog/$(cat max_commit_ts)",
    NULL,
};

static void release(struct node *n) NO_THREAD_CHECK
{
    struct pump *p = pump_of(n);

    registrant_fini(&p->reg);
    unit_fini(&p->unit);
    free(p);
}

static int remove_pump(struct node *n, struct err *err)
{
    pump_binlog_clear(pump_of(n));
    return registrant_remove(&pump_of(n)->reg, err);
}

static const struct node_part pump_parts[] = { { "binlog", &pump_binlog_type }, { 0 } };

static struct node_type type = {
    .name = "pump",
    .help = "A source's stored binlog under the name of a pump of TiDB-Binlog.",
    .examples = examples,
    .actions = actions,
    .parts = pump_parts,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .remove = remove_pump,
    .release = release,
};

/* --- the collection --- */

static const struct registrant_kind kind = {
    .dir = "pumps",
    .card = CARD_PUMP,
    .fields = pump_doc_fields,
    .check = pump_doc_check,
};

static int add(struct registrants *all, const char *name, const json_t *kept, const json_t *doc,
               struct err *err)
{
    struct pump *p = xcalloc(1, sizeof *p);
    int rc;

    pumps_type();
    unit_init(&p->unit, &pump_ops, &type, name);
    rc = registrant_init(&p->reg, &p->unit, &kind, &all->config, name, kept, doc, err);
    if (rc == 0)
        rc = pump_binlog_add(p, err);
    if (rc == 0)
        rc = registrant_join(&p->reg, &all->node, !kept, err);
    if (rc < 0)
        registrant_discard(&p->reg);
    node_unref(&p->unit.node);
    return rc;
}

static const char *const all_examples[] = {
    "mkdir p1; echo s1 > p1/source_name; echo > p1/start",
    "cat */node_state",
    "cat nodes",
    NULL,
};

static const struct node_part parts[] = { { NULL, &type }, { 0 } };

static const struct node_type all_type = {
    .name = "pumps",
    .help = "Pumps of TiDB-Binlog: stored binlogs that drainers read.",
    .examples = all_examples,
    .parts = parts,
    REGISTRANTS_TYPE,
};

static void make_type(void)
{
    type.attrs = registrant_rows(own_rows, actions, pump_doc_fields);
}

const struct node_type *pumps_type(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_type);
    return &all_type;
}

struct node *pumps_new(const struct registry_config *c, struct err *err)
{
    return registrants_new(&kind, add, NULL, pumps_type(), c, err);
}

/* --- the daemon's start and end --- */

static void wait_one(void *arg, struct node *n)
{
    (void)arg;
    unit_wait(&pump_of(n)->unit, -1);
    pump_binlog_clear(pump_of(n));
}

void pumps_start(struct node *pumps)
{
    registrants_start(pumps);
}

void pumps_stop(struct node *pumps)
{
    registrants_halt(pumps);
    node_each(pumps, wait_one, NULL);
}

/* --- for drainers --- */

struct views {
    const json_t *names;
    struct pump_view *at;
    size_t n;
};

static bool has_name(const json_t *names, const char *name)
{
    const json_t *v;
    size_t i;

    json_array_foreach (names, i, v)
        if (strcmp(json_string_value(v), name) == 0)
            return true;
    return json_array_size(names) == 0;
}

static char *node_id_of(struct pump *p)
{
    json_t *id;
    char *text;

    mutex_lock(&p->unit.lock);
    id = registrant_get_node_id(&p->unit.node, NULL, NULL);
    mutex_unlock(&p->unit.lock);
    text = xstrdup(json_string_value(id));
    json_decref(id);
    return text;
}

static void view_one(void *arg, struct node *n)
{
    struct views *v = arg;
    struct pump *p = pump_of(n);
    struct err ignored = ERR_INIT;
    struct pump_view *view;
    json_t *doc;

    if (!has_name(v->names, p->reg.name))
        return;
    v->at = xrealloc(v->at, (v->n + 1) * sizeof *v->at);
    view = &v->at[v->n++];
    doc = registrant_doc(&p->reg);
    *view = (struct pump_view){ .name = xstrdup(p->reg.name),
                                .node_id = node_id_of(p),
                                .state = registrant_state(&p->reg) };
    view->source = xstrdup(json_string_value(doc_at(doc, "source_name"))
                               ? json_string_value(doc_at(doc, "source_name"))
                               : "");
    json_decref(doc);
    if (pump_journal(p, &view->journal, &ignored) < 0)
        view->journal = NULL;
}

struct pump_view *pump_views(struct node *pumps, const json_t *names, size_t *n)
{
    struct views v = { .names = names };

    node_each(pumps, view_one, &v);
    *n = v.n;
    return v.at;
}

void pump_views_free(struct pump_view *views, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(views[i].name);
        free(views[i].node_id);
        free(views[i].source);
        journal_close(views[i].journal);
    }
    free(views);
}
