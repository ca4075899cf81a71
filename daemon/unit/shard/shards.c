#include "unit/shard/shards.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/position.h"
#include "unit/job.h"
#include "unit/shard/shards_priv.h"

/* A source at work. */
struct entrant {
    const struct job *job;
    void (*wake)(void *arg);
    void *arg;
};

static struct shards *shards_of(const struct node *n)
{
    return node_owner((struct node *)n, struct shards, node);
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

/* "<task>-`db`.`table`"; caller frees. */
static char *shards_id(const char *task, const struct shard_group *g)
{
    return xasprintf("%s-`%s`.`%s`", task, g->schema, g->table);
}

static json_t *json_of_table(const struct shard_member *m)
{
    return json_pack("{s:s, s:s, s:s}", "source", m->source, "schema", m->schema, "table",
                     m->table);
}

/* In a word (base/reason.h); only the sentence is kept. */
static const char *reason_of(const struct shard_group *g, const struct shard_member *m)
{
    struct err why = ERR_INIT;

    return m->conflict && shard_ask(g, m, m->ddl, m->wanted, &why) == SHARD_CONFLICT
               ? reason_word(why.reason)
               : "";
}

static struct position place_of(const struct shard_member *m)
{
    struct position at = { .offset = m->ddl_at };

    snprintf(at.file, sizeof at.file, "%s", m->ddl_file ? m->ddl_file : "");
    return at;
}

/* As DM says it. */
static json_t *json_of_place(const struct shard_member *m)
{
    return m && m->ddl_file ? json_sprintf("(%s, %llu)", m->ddl_file, (unsigned long long)m->ddl_at)
                            : json_string("");
}

/* Whose DDL the source has first, of those that wait; NULL: none does. */
static const struct shard_member *first_of(const struct shard_group *g, const char *source)
{
    const struct shard_member *first = NULL;

    for (unsigned i = 0; i < g->n; i++) {
        const struct shard_member *m = &g->members[i];
        struct position at = place_of(m), before = first ? place_of(first) : at;

        if (m->ddl && strcmp(m->source, source) == 0 &&
            (!first || position_compare(&at, &before) < 0))
            first = m;
    }
    return first;
}

/* By source. */
static json_t *json_of_first(const struct shard_group *g)
{
    json_t *places = json_object();

    for (unsigned i = 0; i < g->n; i++)
        if (!json_object_get(places, g->members[i].source))
            json_object_set_new(places, g->members[i].source,
                                json_of_place(first_of(g, g->members[i].source)));
    return places;
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
            json_array_append_new(
                waiting,
                json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "source", m->source, "schema",
                          m->schema, "table", m->table, "ddl", m->ddl, "location", json_of_place(m),
                          "conflict", m->conflict ? m->conflict : "", "reason", reason_of(g, m)));
        if (m->conflict && !*json_string_value(conflict))
            json_string_set(conflict, m->conflict);
    }
    return json_pack(
        "{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "mode",
        g->mode == SHARD_OPTIMISTIC ? "optimistic" : "pessimistic", "target",
        json_sprintf("`%s`.`%s`", g->schema, g->table), "owner", owner ? owner->source : "", "ddls",
        owner ? json_pack("[s]", owner->ddl) : json_array(), "first_location", json_of_place(owner),
        "first", json_of_first(g), "synced", synced, "unsynced", unsynced, "waiting", waiting,
        "since_us", (json_int_t)(owner ? owner->since_us : 0), "conflict", conflict);
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
    l = shard_lock_of(n);
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
    struct shard_lock *l = shard_lock_of(child);
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
    struct shard_lock *l = shard_lock_of(child);
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

static void add_conflicts(struct view *v, struct shard_lock *l, const json_t *shown)
{
    const json_t *t;
    size_t i;

    (void)l;
    json_array_foreach (json_object_get(shown, "waiting"), i, t)
        if (strcmp(json_string_value(json_object_get(t, "source")), v->source) == 0 &&
            json_string_length(json_object_get(t, "conflict")))
            json_array_append_new(v->ret,
                                  json_pack("{s:O, s:O}", "reason", json_object_get(t, "reason"),
                                            "conflict", json_object_get(t, "conflict")));
}

json_t *shards_conflicts(struct shards *s, const char *source)
{
    return view_of(s, source, add_conflicts);
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
        v->ret, json_pack("{s:O, s:O, s:O, s:o, s:o}", "target", json_object_get(shown, "target"),
                          "DDLs", json_object_get(shown, "ddls"), "first_location",
                          json_object_get(json_object_get(shown, "first"), v->source), "synced",
                          names_of(json_object_get(shown, "synced"), v->source), "unsynced",
                          names_of(json_object_get(shown, "unsynced"), v->source)));
}

json_t *shards_unresolved(struct shards *s, const char *source)
{
    return view_of(s, source, add_group);
}

static const struct node_part shards_parts[] = { { NULL, &shard_lock_type }, { 0 } };

const struct node_type shards_type = {
    .name = "shard_locks",
    .help = "DDL of sharded tables that waits, by <task>-`schema`.`table` of the target; empty "
            "when nothing does",
    .parts = shards_parts,
    .release = shards_release,
};
