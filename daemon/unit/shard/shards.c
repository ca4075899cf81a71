#include "unit/shard/shards.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "unit/copy/copy_sql.h"
#include "unit/job.h"

#define ORDER_TRIES 20

/* A source at work. */
struct entrant {
    const struct job *job;
    void (*wake)(void *arg);
    void *arg;
};

struct shards {
    struct node node;
    struct mutex showing; /* one thread at a time makes and removes locks */
    uint64_t shown_at;    /* under it: the generation of what is shown */
    struct mutex lock;
    struct entrant *entrants GUARDED;
    unsigned n_entrants GUARDED;
    const struct job *job GUARDED; /* of the last that came: where the target is; or NULL */
    struct shard_tried *tried;
    _Atomic uint64_t generation;
};

/* tasks/<t>/locks/<id>/ */
struct shard_lock {
    struct node node;
    struct shards *shards;
    char *schema, *table; /* at the target */
    struct mutex lock;
    json_t *shown GUARDED; /* attributes by name */
};

static struct shards *shards_of(const struct node *n)
{
    return node_owner((struct node *)n, struct shards, node);
}

static struct shard_lock *lock_of(const struct node *n)
{
    return node_owner((struct node *)n, struct shard_lock, node);
}

/* --- life --- */

struct shards *shards_new(void)
{
    struct shards *s = xcalloc(1, sizeof *s);

    node_init(&s->node, &shards_type, "locks");
    mutex_init(&s->showing);
    mutex_init(&s->lock);
    s->tried = shard_tried_new();
    return s;
}

static void shards_release(struct node *n) NO_THREAD_CHECK
{
    struct shards *s = shards_of(n);

    job_unref(s->job);
    shard_tried_free(s->tried);
    free(s->entrants);
    mutex_fini(&s->lock);
    mutex_fini(&s->showing);
    free(s);
}

struct node *shards_node(struct shards *s)
{
    return &s->node;
}

struct shard_tried *shards_tried(struct shards *s)
{
    return s->tried;
}

struct shards *shards_ref(struct shards *s)
{
    node_ref(&s->node);
    return s;
}

void shards_unref(struct shards *s)
{
    if (s)
        node_unref(&s->node);
}

static void lock_release(struct node *n) NO_THREAD_CHECK
{
    struct shard_lock *l = lock_of(n);

    shards_unref(l->shards);
    json_decref(l->shown);
    mutex_fini(&l->lock);
    free(l->schema);
    free(l->table);
    free(l);
}

static void lock_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&lock_of(n)->lock);
}

static void lock_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&lock_of(n)->lock);
}

/* --- sources --- */

void shards_enter(struct shards *s, const struct job *job, void (*wake)(void *arg), void *arg)
{
    const struct job *old;

    mutex_lock(&s->lock);
    s->entrants = xrealloc(s->entrants, (s->n_entrants + 1) * sizeof *s->entrants);
    s->entrants[s->n_entrants++] = (struct entrant){ job, wake, arg };
    old = s->job;
    s->job = job_ref(job);
    mutex_unlock(&s->lock);
    job_unref(old);
}

void shards_leave(struct shards *s, const void *arg)
{
    mutex_lock(&s->lock);
    for (unsigned i = 0; i < s->n_entrants; i++)
        if (s->entrants[i].arg == arg) {
            s->entrants[i] = s->entrants[--s->n_entrants];
            break;
        }
    mutex_unlock(&s->lock);
}

uint64_t shards_generation(const struct shards *s)
{
    return atomic_load(&s->generation);
}

void shards_moved(struct shards *s)
{
    atomic_fetch_add(&s->generation, 1);
}

static bool has_released(const struct shard_rows *rows, const char *source)
{
    for (unsigned i = 0; i < rows->n; i++)
        for (unsigned m = 0; m < rows->at[i].group.n; m++)
            if (rows->at[i].group.members[m].state == SHARD_RELEASED &&
                strcmp(rows->at[i].group.members[m].source, source) == 0)
                return true;
    return false;
}

static void wake_released(struct shards *s, const struct shard_rows *rows, const char *but)
{
    mutex_lock(&s->lock);
    for (unsigned i = 0; i < s->n_entrants; i++) {
        const struct entrant *e = &s->entrants[i];

        if ((!but || strcmp(e->job->source, but) != 0) && has_released(rows, e->job->source))
            e->wake(e->arg);
    }
    mutex_unlock(&s->lock);
}

/* --- what is shown --- */

char *shards_id(const char *task, const struct shard_group *g)
{
    return xasprintf("%s-`%s`.`%s`", task, g->schema, g->table);
}

static json_t *json_of_table(const struct shard_member *m)
{
    return json_pack("{s:s, s:s, s:s}", "source", m->source, "schema", m->schema, "table",
                     m->table);
}

static json_t *json_of_lock(const struct shard_group *g)
{
    const struct shard_member *owner = shard_owner(g);
    json_t *synced = json_array(), *unsynced = json_array(), *waiting = json_array();
    json_t *conflict = json_string("");

    for (unsigned i = 0; i < g->n; i++) {
        const struct shard_member *m = &g->members[i];

        json_array_append_new(shard_synced(g, m) ? synced : unsynced, json_of_table(m));
        if (m->ddl)
            json_array_append_new(waiting,
                                  json_pack("{s:s, s:s, s:s, s:s, s:s}", "source", m->source,
                                            "schema", m->schema, "table", m->table, "ddl", m->ddl,
                                            "conflict", m->conflict ? m->conflict : ""));
        if (m->conflict && !*json_string_value(conflict))
            json_string_set(conflict, m->conflict);
    }
    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:o}", "mode",
                     g->mode == SHARD_OPTIMISTIC ? "optimistic" : "pessimistic", "target",
                     json_sprintf("`%s`.`%s`", g->schema, g->table), "owner",
                     owner ? owner->source : "", "ddls",
                     owner ? json_pack("[s]", owner->ddl) : json_array(), "synced", synced,
                     "unsynced", unsynced, "waiting", waiting, "since_us",
                     (json_int_t)(owner ? owner->since_us : 0), "conflict", conflict);
}

static void show_lock(struct shards *s, const char *id, const struct shard_group *g)
{
    SCOPED(freep) char *shown_name = node_name_shown(id);
    struct node *n = node_child(&s->node, shown_name);
    json_t *shown = json_of_lock(g), *old;
    struct err ignored = ERR_INIT;
    struct shard_lock *l;

    if (!n) {
        l = xcalloc(1, sizeof *l);
        node_init(&l->node, &shard_lock_type, id);
        mutex_init(&l->lock);
        l->shards = shards_ref(s);
        l->schema = xstrdup(g->schema);
        l->table = xstrdup(g->table);
        n = node_ref(&l->node);
        if (node_add(&s->node, &l->node, &ignored) < 0)
            node_unref(&l->node);
    }
    l = lock_of(n);
    mutex_lock(&l->lock);
    old = l->shown;
    l->shown = shown;
    mutex_unlock(&l->lock);
    json_decref(old);
    node_changed(n, NULL);
    node_unref(n);
}

struct gone {
    const struct shard_rows *rows;
    struct node **nodes;
    unsigned n;
};

static void see_gone(void *arg, struct node *child)
{
    struct gone *gone = arg;
    struct shard_lock *l = lock_of(child);
    struct shard_row *row = gone->rows ? shard_rows_find(gone->rows, l->schema, l->table) : NULL;

    if (row && shard_locked(&row->group))
        return;
    gone->nodes = xrealloc(gone->nodes, (gone->n + 1) * sizeof *gone->nodes);
    gone->nodes[gone->n++] = node_ref(child);
}

static void remove_gone(struct shards *s, const struct shard_rows *rows)
{
    struct gone gone = { .rows = rows };

    node_each(&s->node, see_gone, &gone);
    for (unsigned i = 0; i < gone.n; i++) {
        node_remove(gone.nodes[i]);
        node_unref(gone.nodes[i]);
    }
    free(gone.nodes);
}

static void show(struct shards *s, const struct shard_rows *rows, const char *task)
{
    for (unsigned i = 0; i < rows->n; i++) {
        SCOPED(freep) char *id = shards_id(task, &rows->at[i].group);

        if (shard_locked(&rows->at[i].group))
            show_lock(s, id, &rows->at[i].group);
    }
    remove_gone(s, rows);
}

void shards_show(struct shards *s, const struct shard_rows *rows, uint64_t at)
{
    const struct job *job = NULL;

    mutex_lock(&s->lock);
    if (s->job)
        job = job_ref(s->job);
    mutex_unlock(&s->lock);
    mutex_lock(&s->showing);
    if (at >= s->shown_at) {
        s->shown_at = at;
        show(s, rows, job ? job->task : "");
    }
    mutex_unlock(&s->showing);
    job_unref(job);
}

void shards_tell(struct shards *s, const struct shard_rows *rows, uint64_t at, const char *but)
{
    shards_show(s, rows, at);
    wake_released(s, rows, but);
}

void shards_clear(struct shards *s)
{
    const struct job *old;

    mutex_lock(&s->lock);
    old = s->job;
    s->job = NULL;
    mutex_unlock(&s->lock);
    job_unref(old);
    shard_tried_clear(s->tried);
    mutex_lock(&s->showing);
    remove_gone(s, NULL);
    mutex_unlock(&s->showing);
}

/* --- of one source --- */

static bool has_source(const json_t *tables, const char *source)
{
    const json_t *t;
    size_t i;

    json_array_foreach (tables, i, t)
        if (strcmp(json_string_value(json_object_get(t, "source")), source) == 0)
            return true;
    return false;
}

struct view {
    const char *source;
    void (*add)(struct view *v, struct shard_lock *l, const json_t *shown);
    json_t *ret;
};

static void see_lock(void *arg, struct node *child)
{
    struct view *v = arg;
    struct shard_lock *l = lock_of(child);
    json_t *shown;

    mutex_lock(&l->lock);
    shown = json_incref(l->shown);
    mutex_unlock(&l->lock);
    if (shown)
        v->add(v, l, shown);
    json_decref(shown);
}

static json_t *view_of(struct shards *s, const char *source,
                       void (*add)(struct view *v, struct shard_lock *l, const json_t *shown))
{
    struct view v = { .source = source, .add = add, .ret = json_array() };

    node_each(&s->node, see_lock, &v);
    return v.ret;
}

static void add_id(struct view *v, struct shard_lock *l, const json_t *shown)
{
    SCOPED(freep) char *plain = node_name_plain(l->node.name);

    if (has_source(json_object_get(shown, "waiting"), v->source))
        json_array_append_new(v->ret, json_string(plain ? plain : l->node.name));
}

json_t *shards_lock_ids(struct shards *s, const char *source)
{
    return view_of(s, source, add_id);
}

static void add_ddls(struct view *v, struct shard_lock *l, const json_t *shown)
{
    const json_t *t;
    size_t i;

    (void)l;
    json_array_foreach (json_object_get(shown, "waiting"), i, t)
        if (strcmp(json_string_value(json_object_get(t, "source")), v->source) == 0)
            json_array_append(v->ret, json_object_get(t, "ddl"));
}

json_t *shards_blocking(struct shards *s, const char *source)
{
    return view_of(s, source, add_ddls);
}

static json_t *names_of(const json_t *tables, const char *source)
{
    json_t *names = json_array();
    const json_t *t;
    size_t i;

    json_array_foreach (tables, i, t)
        if (strcmp(json_string_value(json_object_get(t, "source")), source) == 0)
            json_array_append_new(
                names, json_sprintf("`%s`.`%s`", json_string_value(json_object_get(t, "schema")),
                                    json_string_value(json_object_get(t, "table"))));
    return names;
}

static void add_group(struct view *v, struct shard_lock *l, const json_t *shown)
{
    (void)l;
    if (!has_source(json_object_get(shown, "synced"), v->source) &&
        !has_source(json_object_get(shown, "unsynced"), v->source))
        return;
    json_array_append_new(
        v->ret, json_pack("{s:O, s:O, s:s, s:o, s:o}", "target", json_object_get(shown, "target"),
                          "DDLs", json_object_get(shown, "ddls"), "first_location", "", "synced",
                          names_of(json_object_get(shown, "synced"), v->source), "unsynced",
                          names_of(json_object_get(shown, "unsynced"), v->source)));
}

json_t *shards_unresolved(struct shards *s, const char *source)
{
    return view_of(s, source, add_group);
}

/* --- the operator's word --- */

struct order {
    const char *source, *schema, *table; /* NULL: the lock as a whole */
    int word;                            /* enum shard_word, or -1: drop */
};

static int apply(struct shard_group *g, const struct order *o, struct err *err)
{
    struct shard_member *m = o->source ? shard_find(g, o->source, o->schema, o->table) : NULL;
    int rc = 0;

    if (o->source && !m)
        return err_set(err, -ENOENT, "source %s `%s`.`%s` is no part of this lock", o->source,
                       o->schema, o->table);
    if (o->word < 0)
        shard_drop(g, m);
    else
        rc = shard_order(g, m, (enum shard_word)o->word, err);
    if (rc == 0)
        shard_settle(g);
    return rc;
}

static int try_order(struct mysql_conn *c, const struct job *job, const struct shard_lock *l,
                     const struct order *o, struct err *err)
{
    SCOPED(shard_row_fini) struct shard_row row = { .version = 0 };
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc = shard_store_read_one(c, job, l->schema, l->table, &row, err);

    if (rc == -ENOENT)
        return err_set(err, rc, "no DDL lock exists: the target has no such group any more");
    if (rc == 0)
        rc = apply(&row.group, o, err);
    if (rc < 0)
        return rc;
    shard_store_sql(job, &row, &sql);
    return mysql_conn_exec(c, slice_of(sql.data, sql.size), NULL, err);
}

static int give_order(const struct job *job, const struct shard_lock *l, const struct order *o,
                      struct err *err)
{
    SCOPED(shard_rows_fini) struct shard_rows rows = { .n = 0 };
    struct mysql_conn *c;
    uint64_t at;
    int rc = mysql_conn_open(&c, &job->to, err);

    if (rc < 0)
        return err_wrap(err, "target");
    for (unsigned i = 0; i < ORDER_TRIES; i++) {
        *err = ERR_INIT;
        rc = try_order(c, job, l, o, err);
        if (rc == 0 || !shard_store_stale(err))
            break;
    }
    shards_moved(l->shards);
    at = shards_generation(l->shards);
    if (rc == 0)
        rc = shard_store_read(c, job, &rows, err);
    mysql_conn_close(c);
    if (rc == 0)
        shards_tell(l->shards, &rows, at, NULL);
    return rc;
}

static const char *param(const json_t *args, const char *name)
{
    return json_string_value(json_object_get(args, name));
}

static int run_order(struct node *n, const json_t *args, int word, struct err *err)
{
    struct shard_lock *l = lock_of(n);
    struct order o = { param(args, "source"), param(args, "database"), param(args, "table"), word };
    const struct job *job = NULL;
    int rc;

    if (!o.source != !o.schema || !o.source != !o.table)
        return err_set(err, -EINVAL, "a table is named by source, database and table together");
    mutex_lock(&l->shards->lock);
    if (l->shards->job)
        job = job_ref(l->shards->job);
    mutex_unlock(&l->shards->lock);
    if (!job)
        return err_set(err, -EBUSY, "the task does not run: resume it first");
    rc = give_order(job, l, &o, err);
    job_unref(job);
    return rc;
}

static int run_exec(struct node *n, const json_t *args, struct err *err)
{
    return run_order(n, args, SHARD_EXEC, err);
}

static int run_skip(struct node *n, const json_t *args, struct err *err)
{
    return run_order(n, args, SHARD_SKIP, err);
}

static int run_adopt(struct node *n, const json_t *args, struct err *err)
{
    return run_order(n, args, SHARD_ADOPT, err);
}

static int run_drop(struct node *n, const json_t *args, struct err *err)
{
    return run_order(n, args, -1, err);
}

/* --- rows --- */

static json_t *get_shown(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    json_t *v = json_object_get(lock_of(n)->shown, a->name);

    (void)err;
    return v ? json_deep_copy(v) : json_string("");
}

static int64_t since_us(const struct node *n) NO_THREAD_CHECK
{
    return json_integer_value(json_object_get(lock_of(n)->shown, "since_us"));
}

static json_t *get_since(const struct node *n, const struct attr *a, struct err *err)
{
    char text[CLOCK_TEXT_SIZE];

    (void)a, (void)err;
    if (!since_us(n))
        return json_string("");
    clock_text(since_us(n), text);
    return json_string(text);
}

static json_t *get_waiting(const struct node *n, const struct attr *a, struct err *err)
{
    int64_t since = since_us(n), now = clock_wall_us();

    (void)a, (void)err;
    return json_real(since && now > since ? (double)(now - since) / 1e6 : 0.0);
}

static const struct attr lock_attrs[] = {
    { .name = "mode",
      .help = "pessimistic, all tables must come to the same DDL; optimistic, the target takes the "
              "rows of all as they are",
      .type = ATTR_TEXT,
      .get = get_shown },
    { .name = "target",
      .help = "Table of the target that they are merged into",
      .type = ATTR_TEXT,
      .get = get_shown },
    { .name = "owner",
      .help = "Source of the table that waited first; empty: none waits, but their structures "
              "differ",
      .type = ATTR_TEXT,
      .get = get_shown },
    { .name = "ddls",
      .help = "The statements that the lock is about, with the target's names",
      .type = ATTR_JSON,
      .get = get_shown },
    { .name = "synced",
      .help = "Tables that came to it, by source, schema and table",
      .type = ATTR_JSON,
      .get = get_shown },
    { .name = "unsynced",
      .help = "Tables that are still to come to it",
      .type = ATTR_JSON,
      .get = get_shown },
    { .name = "waiting",
      .help = "Tables that stand still, each with its statement and what is in conflict",
      .type = ATTR_JSON,
      .get = get_shown },
    { .name = "since",
      .help = "When the first began to wait",
      .type = ATTR_TIME,
      .get = get_since },
    { .name = "waiting_seconds",
      .help = "For how long the first has waited",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE,
      .get = get_waiting },
    { .name = "conflict",
      .help = "Why it does not end by itself; empty: it does, once the others come to it",
      .type = ATTR_TEXT,
      .get = get_shown },
    { 0 },
};

static const struct attr order_params[] = {
    { .name = "source", .help = "One table of the lock: its source", .type = ATTR_TEXT },
    { .name = "database", .help = "... its schema there", .type = ATTR_TEXT },
    { .name = "table", .help = "... its name there", .type = ATTR_TEXT },
    { 0 },
};

static const struct action lock_actions[] = {
    { .name = "exec",
      .help = "Runs the statement of the owner (or of the table named) at the target now, whoever "
              "is missing; those who come later pass it by",
      .params = order_params,
      .run = run_exec },
    { .name = "skip",
      .help = "Leaves the statement out: those who wait (or the table named) go on behind it",
      .params = order_params,
      .run = run_skip },
    { .name = "adopt",
      .help = "As skip, but what the statement makes was made at the target by hand and counts as "
              "the table's structure",
      .params = order_params,
      .run = run_adopt },
    { .name = "drop",
      .help = "Forgets the lock: those who wait ask again. With a table: it is no part of it any "
              "more, and the others do not wait for it",
      .params = order_params,
      .run = run_drop },
    { 0 },
};

static const char *const lock_examples[] = { "cat waiting_seconds conflict unsynced", "echo > exec",
                                             "echo 'source=s1 database=d table=t1' > skip", NULL };

const struct node_type shard_lock_type = {
    .name = "shard_lock",
    .help = "A DDL that some tables of a merged one came to and others did not, or not as they did",
    .examples = lock_examples,
    .attrs = lock_attrs,
    .actions = lock_actions,
    .lock = lock_lock,
    .unlock = lock_unlock,
    .release = lock_release,
};

static const struct node_part shards_parts[] = { { NULL, &shard_lock_type }, { 0 } };

const struct node_type shards_type = {
    .name = "shard_locks",
    .help = "DDL of sharded tables that waits, by <task>-`schema`.`table` of the target; empty "
            "when nothing does",
    .parts = shards_parts,
    .release = shards_release,
};
