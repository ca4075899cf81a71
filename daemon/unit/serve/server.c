#include "unit/serve/server.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/catalog.h"
#include "unit/relay/relay.h"
#include "unit/relay/relay_gate.h"
#include "unit/serve/replica.h"
#include "unit/serve/server_doc.h"
#include "unit/serve/server_priv.h"
#include "unit/source/source.h"

#define ACTION_MS 10000 /* an action returns after ten seconds at the latest */

struct server *server_of(const struct node *n)
{
    return node_owner(n, struct server, unit.node);
}

static struct servers *servers_of(struct node *n)
{
    return node_owner(n, struct servers, node);
}

/* --- the document --- */

json_t *server_doc(struct server *s)
{
    json_t *doc;

    mutex_lock(&s->unit.lock);
    doc = json_incref(s->doc);
    mutex_unlock(&s->unit.lock);
    return doc;
}

/* Stores what is to survive: the document and whether it shall run. */
static int keep(struct server *s, const json_t *doc, bool wanted, struct err *err)
{
    SCOPED(freep) char *path = xasprintf("servers/%s", s->unit.node.name);
    SCOPED(json_decrefp) json_t *kept = json_pack("{s:O, s:b}", "config", doc, "wanted", wanted);

    return catalog_put(s->all->catalog, path, kept, err);
}

/* 'doc' is stolen. */
static void publish(struct server *s, json_t *doc, bool wanted)
{
    json_t *old;

    mutex_lock(&s->unit.lock);
    old = s->doc;
    s->doc = doc;
    s->wanted = wanted;
    mutex_unlock(&s->unit.lock);
    json_decref(old);
    node_changed(&s->unit.node, NULL);
}

static bool is_wanted(struct server *s)
{
    bool wanted;

    mutex_lock(&s->unit.lock);
    wanted = s->wanted;
    mutex_unlock(&s->unit.lock);
    return wanted;
}

static int change(struct server *s, const json_t *doc, struct err *err) REQUIRES(s->change_lock)
{
    SCOPED(json_decrefp) json_t *old = server_doc(s);
    SCOPED(json_decrefp) json_t *with = json_copy((json_t *)doc);
    SCOPED(json_decrefp)
    json_t *identity = json_pack("{s:O*, s:O*}", "server_id", json_object_get(old, "server_id"),
                                 "server_uuid", json_object_get(old, "server_uuid"));
    json_t *checked;
    int rc;

    if (is_wanted(s))
        return err_set(err, -EBUSY, "the server runs: echo > stop first");
    /* Its identity stays when a document does not say it. */
    json_object_update_missing(with, identity);
    if ((rc = server_doc_check(with, s->name, &checked, err)) < 0)
        return rc;
    doc_keep_secrets(server_doc_fields, checked, old);
    if ((rc = keep(s, checked, false, err)) < 0)
        json_decref(checked);
    else
        publish(s, checked, false);
    return rc;
}

int server_set_doc(struct server *s, const json_t *doc, struct err *err)
{
    int rc;

    if (!json_is_object(doc))
        return err_set(err, -EINVAL, "a document with named fields is expected");
    mutex_lock(&s->change_lock);
    rc = change(s, doc, err);
    mutex_unlock(&s->change_lock);
    return rc;
}

int server_set_field(struct server *s, const char *field, const json_t *v, struct err *err)
{
    SCOPED(json_decrefp) json_t *old = NULL, *with = NULL;
    int rc;

    mutex_lock(&s->change_lock);
    old = server_doc(s);
    with = doc_with(old, field, v);
    rc = change(s, with, err);
    mutex_unlock(&s->change_lock);
    return rc;
}

/* --- running --- */

static bool is_listening(struct server *s, int64_t wait_ms)
{
    bool listens;

    mutex_lock(&s->lock);
    if (!s->serve)
        cond_wait(&s->cond, &s->lock, wait_ms);
    listens = s->serve != NULL;
    mutex_unlock(&s->lock);
    return listens;
}

/* Until it listens, fails or takes too long.  Getters take 'lock' under the unit's, so the unit is
 * never asked under 'lock'. */
static int await_listening(struct server *s, struct err *err)
{
    int64_t until_us = clock_mono_us() + ACTION_MS * 1000LL;
    bool listens;

    while (!(listens = is_listening(s, 100)) && unit_state(&s->unit) == UNIT_RUNNING &&
           clock_mono_us() < until_us)
        ;
    if (listens)
        return 0;
    unit_error(&s->unit, err);
    return err->code ? err->code : err_set(err, -ETIMEDOUT, "the server does not listen yet");
}

/* --- the gate of the source: replicas count from the moment that the server shall run, listening
 * or not, so that a restart acknowledges nothing that they lack --- */

static void put_keeper(struct server *s, struct source *source, struct gate_keeper *k)
{
    struct gate_keeper *old;
    struct source *old_source;

    mutex_lock(&s->lock);
    old = s->keeper;
    old_source = s->guarded;
    s->keeper = k;
    s->guarded = source;
    mutex_unlock(&s->lock);
    relay_gate_leave(old);
    source_unref(old_source);
}

static void guard(struct server *s)
{
    SCOPED(json_decrefp) json_t *doc = server_doc(s);
    SCOPED(json_decrefp) json_t *full = doc_full(server_doc_fields, doc);
    SCOPED(freep) char *path = xasprintf("servers/%s", s->unit.node.name);
    int64_t timeout_ms = json_integer_value(json_object_get(full, "semi_sync_timeout"));
    const char *name = json_string_value(json_object_get(full, "source_name"));
    struct source *source;

    if (server_keeper(s) || !json_is_true(json_object_get(full, "semi_sync")) ||
        !json_integer_value(json_object_get(full, "semi_sync_wait_for_replica_count")))
        return;
    source = source_find(s->all->sources, name);
    if (source)
        put_keeper(s, source, relay_gate_enter(relay_gate_of(source), path, timeout_ms));
}

struct gate_keeper *server_keeper(struct server *s)
{
    struct gate_keeper *k;

    mutex_lock(&s->lock);
    k = s->keeper;
    mutex_unlock(&s->lock);
    return k;
}

static int set_wanted(struct server *s, bool wanted, struct err *err) REQUIRES(s->change_lock)
{
    SCOPED(json_decrefp) json_t *doc = server_doc(s);
    int rc = wanted ? server_doc_complete(doc, err) : 0;

    if (rc == 0)
        rc = keep(s, doc, wanted, err);
    if (rc == 0)
        publish(s, json_incref(doc), wanted);
    return rc;
}

int server_start(struct server *s, struct err *err)
{
    int rc;

    mutex_lock(&s->change_lock);
    rc = set_wanted(s, true, err);
    if (rc == 0)
        guard(s);
    if (rc == 0)
        rc = unit_start(&s->unit, err);
    mutex_unlock(&s->change_lock);
    return rc < 0 ? rc : await_listening(s, err);
}

int server_stop(struct server *s, struct err *err)
{
    int rc;

    mutex_lock(&s->change_lock);
    rc = set_wanted(s, false, err);
    mutex_unlock(&s->change_lock);
    if (rc < 0)
        return rc;
    unit_ask_stop(&s->unit, UNIT_STOPPED);
    if (unit_wait(&s->unit, ACTION_MS) < 0)
        return err_set(err, -ETIMEDOUT, "connections are still being ended");
    put_keeper(s, NULL, NULL);
    return 0;
}

/* --- life --- */

static struct server *new_server(struct servers *all, const char *name) NO_THREAD_CHECK
{
    struct server *s = xcalloc(1, sizeof *s);
    struct err impossible;

    unit_init(&s->unit, &serve_ops, &server_type, name);
    s->all = all;
    s->name = xstrdup(name);
    s->doc = json_object();
    mutex_init(&s->change_lock);
    mutex_init(&s->lock);
    mutex_init(&s->making);
    cond_init(&s->cond);
    node_init(&s->replicas, &replicas_type, "replicas");
    node_ref(&s->unit.node); /* dropped when 'replicas' is released */
    node_add(&s->unit.node, &s->replicas, &impossible);
    return s;
}

void server_release(struct node *n) NO_THREAD_CHECK
{
    struct server *s = server_of(n);

    unit_fini(&s->unit);
    put_keeper(s, NULL, NULL);
    json_decref(s->doc);
    cond_fini(&s->cond);
    mutex_fini(&s->making);
    mutex_fini(&s->lock);
    mutex_fini(&s->change_lock);
    free(s->expected);
    free(s->name);
    free(s);
}

static void discard(struct server *s)
{
    node_remove(&s->replicas);
    node_unref(&s->unit.node);
}

int servers_create(struct node *dir, const char *name, const json_t *spec, struct err *err)
{
    struct server *s = new_server(servers_of(dir), name);
    SCOPED(json_decrefp) json_t *empty = json_object();
    int rc = node_add(dir, node_ref(&s->unit.node), err);

    if (rc < 0) {
        node_unref(&s->unit.node);
        discard(s);
        return rc;
    }
    rc = server_set_doc(s, spec ? spec : empty, err);
    if (rc < 0)
        node_remove(&s->unit.node);
    node_unref(&s->unit.node);
    return rc;
}

int server_remove(struct node *n, struct err *err)
{
    struct server *s = server_of(n);
    SCOPED(freep) char *path = xasprintf("servers/%s", n->name);
    int rc;

    if (is_wanted(s) || unit_wait(&s->unit, 0) < 0)
        return err_set(err, -EBUSY, "the server runs: echo > stop first");
    rc = catalog_delete(s->all->catalog, path, err);
    if (rc == 0)
        node_remove(n);
    return rc;
}

/* --- the collection --- */

static int load_one(void *arg, const char *shown, const json_t *kept, const struct err *why)
{
    struct servers *all = arg;
    SCOPED(freep) char *name = node_name_plain(shown);
    SCOPED(freep) char *path = xasprintf("servers/%s", shown);
    struct err err = ERR_INIT;
    struct server *s;
    json_t *checked;

    if (!kept || !name) {
        log_error(path, "left out: %s", why && why->code ? why->text : "not a name");
        return 0;
    }
    if (server_doc_check(json_object_get(kept, "config"), name, &checked, &err) < 0) {
        log_error(path, "left out: %s", err.text);
        return 0;
    }
    s = new_server(all, name);
    publish(s, checked, json_is_true(json_object_get(kept, "wanted")));
    if (is_wanted(s))
        guard(s);
    if (node_add(&all->node, node_ref(&s->unit.node), &err) < 0) {
        log_error(path, "left out: %s", err.text);
        node_unref(&s->unit.node);
        discard(s);
        return 0;
    }
    node_unref(&s->unit.node);
    return 0;
}

struct node *servers_new(struct catalog *catalog, struct node *sources, struct err *err)
{
    struct servers *all = xcalloc(1, sizeof *all);

    node_init(&all->node, &servers_type, "servers");
    all->catalog = catalog;
    all->sources = sources;
    if (catalog_each(catalog, "servers", load_one, all, err) < 0) {
        node_unref(&all->node);
        return NULL;
    }
    return &all->node;
}

void servers_release(struct node *n)
{
    free(servers_of(n));
}

static void start_one(void *arg, struct node *n)
{
    struct server *s = server_of(n);
    struct err err = ERR_INIT;

    (void)arg;
    if (is_wanted(s) && unit_start(&s->unit, &err) < 0)
        log_error(s->unit.path, "does not start: %s", err.text);
}

void servers_start(struct node *servers)
{
    node_each(servers, start_one, NULL);
}

static void ask_one(void *arg, struct node *n)
{
    (void)arg;
    unit_ask_stop(&server_of(n)->unit, UNIT_STOPPED);
}

static void wait_one(void *arg, struct node *n)
{
    (void)arg;
    unit_wait(&server_of(n)->unit, -1);
}

void servers_stop(struct node *servers)
{
    node_each(servers, ask_one, NULL);
    node_each(servers, wait_one, NULL);
}
