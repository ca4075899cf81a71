#include "unit/source/source.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/catalog.h"
#include "unit/relay/relay_unit.h"
#include "unit/source/source_doc.h"
#include "unit/source/source_priv.h"

#define KEEP_INTERVAL_MS 1000

const char *const source_state_names[] = {
    [SOURCE_NEW] = "new",
    [SOURCE_RUNNING] = "running",
    [SOURCE_ERROR] = "error",
    [SOURCE_STOPPED] = "stopped",
    NULL,
};

struct source *source_of(const struct node *n)
{
    return node_owner(n, struct source, node);
}

static struct sources *sources_of(struct node *n)
{
    return node_owner(n, struct sources, node);
}

json_t *source_doc(struct source *s)
{
    json_t *doc;

    mutex_lock(&s->lock);
    doc = json_incref(s->doc);
    mutex_unlock(&s->lock);
    return doc;
}

bool source_doc_enabled(const json_t *doc)
{
    const json_t *v = doc_at(doc, "enable");

    return !v || json_is_true(v);
}

json_t *source_ask_users(struct source *s)
{
    json_t *(*users)(void *arg, const char *source);
    void *arg;

    mutex_lock(&s->all->lock);
    users = s->all->users;
    arg = s->all->users_arg;
    mutex_unlock(&s->all->lock);
    return users ? users(arg, s->name) : json_array();
}

/* --- the document --- */

/* Publishes 'doc' (stolen); the thread looks anew. */
static void take_doc(struct source *s, json_t *doc)
{
    json_t *old;

    mutex_lock(&s->lock);
    old = s->doc;
    s->doc = doc;
    s->doc_changes++;
    cond_broadcast(&s->cond);
    mutex_unlock(&s->lock);
    json_decref(old);
}

/* Stores and publishes 'doc' (stolen). */
static int keep_doc(struct source *s, json_t *doc, struct err *err)
{
    SCOPED(freep) char *path = xasprintf("sources/%s", s->node.name);
    int rc = catalog_put(s->all->config.catalog, path, doc, err);

    if (rc < 0) {
        json_decref(doc);
        return rc;
    }
    take_doc(s, doc);
    node_changed(&s->node, NULL);
    return relay_follow(s->relay, false, err);
}

static int change(struct source *s, const json_t *doc, const json_t *old, struct err *err)
{
    json_t *checked;
    int rc = source_doc_check(doc, s->name, &checked, err);

    if (rc < 0)
        return rc;
    doc_keep_secrets(source_doc_fields, checked, old);
    json_incref(checked);
    rc = keep_doc(s, checked, err);
    if (rc == 0)
        relay_settings_changed(s->relay, old, checked);
    json_decref(checked);
    return rc;
}

/* Who reads the source is told once it is true. */
static void tell_switched(struct source *s, bool was)
{
    void (*switched)(void *arg, const char *source, bool on);
    bool is = source_enabled(s);
    void *arg;

    mutex_lock(&s->all->lock);
    switched = s->all->switched;
    arg = s->all->switched_arg;
    mutex_unlock(&s->all->lock);
    if (switched && is != was)
        switched(arg, s->name, is);
}

int source_set_doc(struct source *s, const json_t *doc, struct err *err)
{
    SCOPED(json_decrefp) json_t *old = NULL;
    int rc;

    mutex_lock(&s->change_lock);
    old = source_doc(s);
    rc = change(s, doc, old, err);
    mutex_unlock(&s->change_lock);
    tell_switched(s, source_doc_enabled(old));
    return rc;
}

int source_set_field(struct source *s, const char *path, const json_t *v, struct err *err)
{
    SCOPED(json_decrefp) json_t *old = NULL;
    SCOPED(json_decrefp) json_t *with = NULL;
    int rc;

    mutex_lock(&s->change_lock);
    old = source_doc(s);
    with = doc_with(old, path, v);
    rc = change(s, with, old, err);
    mutex_unlock(&s->change_lock);
    tell_switched(s, source_doc_enabled(old));
    return rc;
}

/* --- life --- */

/* Nobody else knows it yet. */
static struct source *source_new(struct sources *all, const char *name) NO_THREAD_CHECK
{
    struct source *s = xcalloc(1, sizeof *s);
    struct err impossible;

    node_init(&s->node, &source_type, name);
    s->all = all;
    s->name = xstrdup(name);
    s->doc = json_pack("{s:s}", "source_name", name);
    s->seen.runway_s = -1;
    s->users = json_array();
    s->probe = source_probe_new();
    mutex_init(&s->change_lock);
    mutex_init(&s->lock);
    cond_init(&s->cond);
    node_init(&s->security, &source_security_type, "security");
    node_ref(&s->node); /* dropped when 'security' is released */
    node_add(&s->node, &s->security, &impossible);
    node_init(&s->checker, &source_checker_type, "checker");
    node_ref(&s->node); /* dropped when 'checker' is released */
    node_add(&s->node, &s->checker, &impossible);
    s->relay = relay_new(s);
    node_ref(&s->node); /* dropped when 'relay' is released */
    node_add(&s->node, relay_node(s->relay), &impossible);
    source_tables_add(s);
    return s;
}

/* Nobody else knows it any more. */
void source_release(struct node *n) NO_THREAD_CHECK
{
    struct source *s = source_of(n);

    source_seen_fini(&s->seen);
    source_probe_free(s->probe);
    relay_free(s->relay);
    json_decref(s->doc);
    json_decref(s->users);
    free(s->report);
    free(s->warning);
    free(s->name);
    cond_fini(&s->cond);
    mutex_fini(&s->lock);
    mutex_fini(&s->change_lock);
    free(s);
}

/* A source that never came into the tree. */
static void discard(struct source *s)
{
    struct node *tables = node_child(&s->node, "tables_of");

    node_remove(&s->security);
    node_remove(&s->checker);
    node_remove(relay_node(s->relay));
    node_remove(tables);
    node_unref(tables);
    node_unref(&s->node);
}

int sources_create(struct node *dir, const char *name, const json_t *spec, struct err *err)
{
    struct source *s = source_new(sources_of(dir), name);
    json_t *empty = json_object();
    int rc;

    /* The name first: nothing may be stored under one that is taken. */
    rc = node_add(dir, node_ref(&s->node), err);
    if (rc < 0) {
        node_unref(&s->node);
        discard(s);
        json_decref(empty);
        return rc;
    }
    rc = source_set_doc(s, spec ? spec : empty, err);
    json_decref(empty);
    if (rc < 0)
        node_remove(&s->node);
    else
        source_start_thread(s);
    node_unref(&s->node);
    return rc;
}

/* "orders, invoices" */
static void print_users(const json_t *users, struct buf *out)
{
    const json_t *user;
    size_t i;

    json_array_foreach (users, i, user)
        buf_printf(out, "%s%s", i ? ", " : "", json_string_value(json_object_get(user, "task")));
}

int source_remove(struct node *n, struct err *err)
{
    struct source *s = source_of(n);
    SCOPED(freep) char *path = xasprintf("sources/%s", n->name);
    SCOPED(json_decrefp) json_t *users = source_ask_users(s);
    int rc;

    if (json_array_size(users)) {
        SCOPED(buf_fini) struct buf names = BUF_INIT;

        print_users(users, &names);
        err_set(err, -EBUSY, "it is used by task %s: remove that first", names.data);
        return err_because(err, REASON_HAS_TASKS);
    }
    rc = relay_may_go(s->relay, err);
    if (rc == 0)
        rc = catalog_delete(s->all->config.catalog, path, err);
    if (rc < 0)
        return rc;
    source_ask_stop(s, true);
    relay_forget(s->relay);
    source_tables_clear(s);
    node_remove(n);
    return 0;
}

/* --- the collection --- */

static int load_one(void *arg, const char *shown, const json_t *doc, const struct err *why)
{
    struct sources *all = arg;
    SCOPED(freep) char *name = node_name_plain(shown);
    SCOPED(freep) char *path = xasprintf("sources/%s", shown);
    struct err err = ERR_INIT;
    struct source *s;
    json_t *checked;
    int rc;

    if (!doc || !name) {
        log_error(path, "left out: %s", why && why->code ? why->text : "not a name");
        return 0;
    }
    if (source_doc_check(doc, name, &checked, &err) < 0) {
        log_error(path, "left out: %s", err.text);
        return 0;
    }
    s = source_new(all, name);
    take_doc(s, checked);
    relay_restore(s->relay);
    rc = node_add(&all->node, node_ref(&s->node), &err);
    if (rc < 0) {
        log_error(path, "left out: %s", err.text);
        node_unref(&s->node);
        discard(s);
        return 0;
    }
    source_start_thread(s);
    node_unref(&s->node);
    return 0;
}

struct node *sources_new(const struct sources_config *c, struct err *err)
{
    struct sources *all = xcalloc(1, sizeof *all);

    node_init(&all->node, &sources_type, "sources");
    mutex_init(&all->lock);
    cond_init(&all->cond);
    all->config = *c;
    if (catalog_each(c->catalog, "sources", load_one, all, err) < 0) {
        sources_stop(&all->node);
        node_unref(&all->node);
        return NULL;
    }
    return &all->node;
}

void sources_release(struct node *n)
{
    struct sources *all = sources_of(n);

    cond_fini(&all->cond);
    mutex_fini(&all->lock);
    free(all);
}

/* --- the relays --- */

static void tick_one(void *arg, struct node *n)
{
    (void)arg;
    relay_tick(source_of(n)->relay);
}

static void *keep(void *arg)
{
    struct sources *all = arg;
    bool stopping = false;

    while (!stopping) {
        node_each(&all->node, tick_one, NULL);
        mutex_lock(&all->lock);
        if (!all->stopping)
            cond_wait(&all->cond, &all->lock, KEEP_INTERVAL_MS);
        stopping = all->stopping;
        mutex_unlock(&all->lock);
    }
    return NULL;
}

void sources_start(struct node *sources)
{
    struct sources *all = sources_of(sources);

    if (!all->config.journals)
        return;
    all->keeper = thread_start("relay-keeper", keep, all);
    all->has_keeper = true;
}

static void stop_keeper(struct sources *all)
{
    mutex_lock(&all->lock);
    all->stopping = true;
    cond_broadcast(&all->cond);
    mutex_unlock(&all->lock);
    if (all->has_keeper)
        thread_join(all->keeper);
    all->has_keeper = false;
}

static void ask_one(void *arg, struct node *n)
{
    (void)arg;
    source_ask_stop(source_of(n), false);
    relay_ask_stop(source_of(n)->relay);
}

static void join_one(void *arg, struct node *n)
{
    struct source *s = source_of(n);

    (void)arg;
    if (s->has_thread)
        thread_join(s->thread);
    s->has_thread = false;
    relay_wait(s->relay);
    source_tables_clear(s);
}

/* Those that were removed are no children any more. */
static void wait_for_threads(struct sources *all)
{
    mutex_lock(&all->lock);
    while (all->n_threads)
        cond_wait(&all->cond, &all->lock, KEEP_INTERVAL_MS);
    mutex_unlock(&all->lock);
}

void sources_stop(struct node *sources)
{
    stop_keeper(sources_of(sources));
    node_each(sources, ask_one, NULL);
    node_each(sources, join_one, NULL);
    wait_for_threads(sources_of(sources));
}

void sources_on_users(struct node *sources, json_t *(*users)(void *arg, const char *source),
                      void *arg)
{
    struct sources *all = sources_of(sources);

    mutex_lock(&all->lock);
    all->users = users;
    all->users_arg = arg;
    mutex_unlock(&all->lock);
}

void sources_on_switched(struct node *sources,
                         void (*switched)(void *arg, const char *source, bool on), void *arg)
{
    struct sources *all = sources_of(sources);

    mutex_lock(&all->lock);
    all->switched = switched;
    all->switched_arg = arg;
    mutex_unlock(&all->lock);
}

/* --- for tasks --- */

struct source *source_find(struct node *sources, const char *name)
{
    SCOPED(freep) char *shown = node_name_shown(name);
    struct node *n = node_child(sources, shown);

    return n ? source_of(n) : NULL;
}

struct source *source_ref(struct source *s)
{
    node_ref(&s->node);
    return s;
}

void source_unref(struct source *s)
{
    if (s)
        node_unref(&s->node);
}

int source_login(struct source *s, struct mysql_params *ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = source_doc(s);
    int rc = source_doc_params(doc, ret, err);

    return rc < 0 ? err_wrap(err, "source %s", s->name) : 0;
}

int source_params(struct source *s, struct mysql_params *ret, struct err *err)
{
    if (!source_enabled(s))
        return err_set(err, -EPERM, "source %s is disabled: echo > sources/%s/enable", s->name,
                       s->node.name);
    return source_login(s, ret, err);
}

bool source_by_gtid(struct source *s)
{
    SCOPED(json_decrefp) json_t *doc = source_doc(s);

    return json_is_true(doc_at(doc, "enable_gtid"));
}

bool source_enabled(struct source *s)
{
    SCOPED(json_decrefp) json_t *doc = source_doc(s);

    return source_doc_enabled(doc);
}

void source_end(struct source *s, struct position *ret, char **gtid, int64_t *seen_us)
{
    const char *colon;

    *ret = (struct position){ .offset = 0 };
    mutex_lock(&s->lock);
    *gtid = s->seen.gtid ? xstrdup(s->seen.gtid) : NULL;
    *seen_us = s->seen.contact_us;
    colon = s->seen.position ? strrchr(s->seen.position, ':') : NULL;
    if (colon) {
        snprintf(ret->file, sizeof ret->file, "%.*s", (int)(colon - s->seen.position),
                 s->seen.position);
        ret->offset = strtoull(colon + 1, NULL, 10);
    }
    mutex_unlock(&s->lock);
}

bool source_folds_case(struct source *s)
{
    bool folds;

    mutex_lock(&s->lock);
    folds = s->seen.folds_case;
    mutex_unlock(&s->lock);
    return folds;
}
