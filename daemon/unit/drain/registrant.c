#include "unit/drain/registrant.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/catalog.h"
#include "unit/drain/registrant_dir.h"

/* --- its card --- */

static const char *text_at(const json_t *doc, const char *path)
{
    const char *s = json_string_value(doc_at(doc, path));

    return s ? s : "";
}

static char *host_name(void)
{
    char name[256] = "";

    gethostname(name, sizeof name - 1);
    return xstrdup(name[0] ? name : "localhost");
}

/* What clients are told to connect to. */
static const char *address_of(const json_t *full)
{
    const char *given = text_at(full, "advertise_addr");

    return *given ? given : text_at(full, "addr");
}

char *registrant_node_id(const char *name, const json_t *full)
{
    const char *given = text_at(full, "node_id"), *port = strrchr(text_at(full, "addr"), ':');
    SCOPED(freep) char *host = host_name();

    if (*given)
        return xstrdup(given);
    return port ? xasprintf("%s%s", host, port) : xstrdup(name);
}

/* A moment of it; the strings are borrowed from 'full' but for node_id. */
static void publish(struct registrant *r)
{
    SCOPED(json_decrefp) json_t *full = registrant_doc(r);
    SCOPED(freep) char *node_id = registrant_node_id(r->name, full);
    struct card c = { .kind = r->kind->card,
                      .name = r->name,
                      .node_id = node_id,
                      .host = (char *)address_of(full),
                      .labels = (json_t *)doc_at(full, "labels"),
                      .pumps = (json_t *)doc_at(full, "pumps"),
                      .of_files = *text_at(full, "data_dir") != '\0',
                      .state = registrant_state(r),
                      .max_commit_ts = atomic_load(&r->max_commit_ts),
                      .update_ts = atomic_load(&r->update_ts) };

    registry_set(r->config.registry, r->card, &c);
}

void registrant_beat(struct registrant *r)
{
    atomic_store(&r->update_ts, registry_fresh_ts(r->config.registry));
    publish(r);
}

/* --- what is kept --- */

static char *path_of(const struct registrant *r)
{
    return xasprintf("%s/%s", r->kind->dir, r->unit->node.name);
}

static int save(struct registrant *r, struct err *err)
{
    SCOPED(freep) char *path = path_of(r);
    SCOPED(json_decrefp) json_t *kept = NULL;

    mutex_lock(&r->unit->lock);
    kept = json_pack("{s:O, s:s, s:I}", "config", r->doc, "node_state",
                     node_state_names[r->node_state], "max_commit_ts",
                     (json_int_t)atomic_load(&r->max_commit_ts));
    mutex_unlock(&r->unit->lock);
    return catalog_put(r->config.catalog, path, kept, err);
}

json_t *registrant_doc(struct registrant *r)
{
    json_t *full;

    mutex_lock(&r->unit->lock);
    full = json_incref(r->full);
    mutex_unlock(&r->unit->lock);
    return full;
}

enum node_state registrant_state(struct registrant *r)
{
    enum node_state s;

    mutex_lock(&r->unit->lock);
    s = r->node_state;
    mutex_unlock(&r->unit->lock);
    return s;
}

static void leave_journals(struct registrant *r)
{
    if (r->kind->left)
        r->kind->left(r);
}

int registrant_move(struct registrant *r, enum node_state to, struct err *err)
{
    enum node_state from;
    int rc;

    mutex_lock(&r->unit->lock);
    from = r->node_state;
    r->node_state = to;
    mutex_unlock(&r->unit->lock);
    registrant_beat(r);
    if (from != to) {
        node_changed(&r->unit->node, "node_state");
        node_event(
            &r->unit->node, "node_state",
            json_pack("{s:s, s:s}", "from", node_state_names[from], "to", node_state_names[to]));
    }
    rc = save(r, err);
    if (rc == 0 && to == NODE_OFFLINE)
        leave_journals(r);
    return rc;
}

/* --- the document --- */

/* Takes 'doc'. */
static void install(struct registrant *r, json_t *doc)
{
    json_t *full = doc_full(r->kind->fields, doc), *old, *old_full;

    mutex_lock(&r->unit->lock);
    old = r->doc;
    old_full = r->full;
    r->doc = doc;
    r->full = full;
    mutex_unlock(&r->unit->lock);
    json_decref(old);
    json_decref(old_full);
}

static int check(const struct registrant *r, const json_t *doc, json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *full = NULL;
    json_t *checked;
    const char *given;
    int rc = doc_check(r->kind->fields, doc, &checked, err);

    if (rc < 0)
        return rc;
    given = json_string_value(doc_at(checked, "name"));
    full = doc_full(r->kind->fields, checked);
    if (given && strcmp(given, r->name) != 0)
        rc = err_set(err, -EINVAL, "name: it is %s and stays so", r->name);
    else if (r->kind->check)
        rc = r->kind->check(full, err);
    if (rc < 0) {
        json_decref(checked);
        return rc;
    }
    *ret = checked;
    return 0;
}

static json_t *copy_doc(struct registrant *r)
{
    json_t *doc;

    mutex_lock(&r->unit->lock);
    doc = json_deep_copy(r->doc);
    mutex_unlock(&r->unit->lock);
    return doc;
}

static bool is_live(struct registrant *r)
{
    return unit_wait(r->unit, 0) < 0;
}

static int not_while_it_runs(struct registrant *r, struct err *err)
{
    return is_live(r) ? err_set(err, -EBUSY, "it runs: pause it first") : 0;
}

/* Under steer. */
static int replace(struct registrant *r, const json_t *doc, struct err *err)
{
    SCOPED(json_decrefp) json_t *old = copy_doc(r);
    json_t *checked;
    int rc = not_while_it_runs(r, err);

    if (rc < 0 || (rc = check(r, doc, &checked, err)) < 0)
        return rc;
    doc_keep_secrets(r->kind->fields, checked, old);
    install(r, checked);
    rc = save(r, err);
    if (rc < 0)
        install(r, STEAL(old));
    else
        publish(r);
    node_changed(&r->unit->node, NULL);
    return rc;
}

int registrant_set_doc(struct registrant *r, const json_t *doc, struct err *err)
{
    int rc;

    mutex_lock(&r->steer);
    rc = replace(r, doc, err);
    mutex_unlock(&r->steer);
    return rc;
}

int registrant_set_field(struct registrant *r, const char *path, const json_t *v, struct err *err)
{
    json_t *old, *doc;
    int rc;

    mutex_lock(&r->steer);
    old = copy_doc(r);
    doc = doc_with(old, path, v);
    rc = replace(r, doc, err);
    mutex_unlock(&r->steer);
    json_decref(old);
    json_decref(doc);
    return rc;
}

/* --- made, and gone --- */

/* Those of a node that died are taken as online, so that it is started again. */
static enum node_state state_kept(const json_t *kept)
{
    int state = node_state_of(json_string_value(json_object_get(kept, "node_state")));

    if (state < 0)
        return NODE_OFFLINE;
    return state == NODE_PAUSED || state == NODE_OFFLINE ? (enum node_state)state : NODE_ONLINE;
}

static void ended(struct unit *u, void *arg);

int registrant_init(struct registrant *r, struct unit *u, const struct registrant_kind *kind,
                    const struct registry_config *config, const char *name, const json_t *kept,
                    const json_t *doc, struct err *err) NO_THREAD_CHECK
{
    SCOPED(json_decrefp) json_t *empty = json_object();
    const json_t *given = kept ? json_object_get(kept, "config") : doc;
    json_t *checked;
    int rc;

    r->unit = u;
    r->kind = kind;
    r->config = *config;
    r->name = xstrdup(name);
    mutex_init(&r->steer);
    u->arg = r;
    u->ended = ended;
    r->node_state = state_kept(kept);
    atomic_store(&r->max_commit_ts,
                 (uint64_t)json_integer_value(json_object_get(kept, "max_commit_ts")));
    rc = check(r, given ? given : empty, &checked, err);
    if (rc < 0)
        return rc;
    doc_keep_secrets(kind->fields, checked, NULL);
    install(r, checked);
    r->card = registry_add(config->registry, &(struct card){ .kind = kind->card,
                                                             .name = r->name,
                                                             .node_id = r->name,
                                                             .host = (char *)"",
                                                             .state = r->node_state });
    publish(r);
    return 0;
}

void registrant_fini(struct registrant *r) NO_THREAD_CHECK
{
    if (r->card)
        registry_remove(r->config.registry, r->card);
    json_decref(r->doc);
    json_decref(r->full);
    free(r->name);
    mutex_fini(&r->steer);
}

int registrant_join(struct registrant *r, struct node *dir, bool keep, struct err *err)
{
    int rc = registrant_dirs_add(r, err);

    if (rc == 0)
        rc = node_add(dir, node_ref(&r->unit->node), err);
    if (rc < 0) {
        node_unref(&r->unit->node);
        return rc;
    }
    if (keep && (rc = save(r, err)) < 0)
        node_remove(&r->unit->node);
    return rc;
}

static void remove_one(void *arg, struct node *n)
{
    (void)arg;
    node_remove(n);
}

void registrant_discard(struct registrant *r)
{
    node_each(&r->unit->node, remove_one, NULL);
}

int registrant_undrained(struct registrant *r, struct err *err)
{
    uint64_t has = atomic_load(&r->max_commit_ts), drained;
    char who[256];

    if (r->kind->card != CARD_PUMP)
        return 0;
    drained = registry_drained_ts(r->config.registry, r->name, who);
    if (drained >= has)
        return 0;
    return err_set(err, -EBUSY,
                   "drainer %s has consumed up to %llu, this pump has up to %llu: what is between "
                   "would be lost to it (update_state with force=true takes it away all the same)",
                   who, (unsigned long long)drained, (unsigned long long)has);
}

int registrant_remove(struct registrant *r, struct err *err)
{
    SCOPED(freep) char *path = path_of(r);
    int rc;

    mutex_lock(&r->steer);
    rc = not_while_it_runs(r, err);
    if (rc == 0 && registrant_state(r) != NODE_OFFLINE)
        rc = registrant_undrained(r, err);
    if (rc == 0)
        leave_journals(r);
    if (rc == 0)
        rc = catalog_delete(r->config.catalog, path, err);
    if (rc == 0)
        registry_remove(r->config.registry, r->card);
    mutex_unlock(&r->steer);
    if (rc == 0)
        node_remove(&r->unit->node);
    return rc;
}

/* --- what it does --- */

static int start(struct registrant *r, struct err *err)
{
    enum node_state state = registrant_state(r);
    int rc;

    if (is_live(r) && (state == NODE_PAUSING || state == NODE_CLOSING))
        return err_set(err, -EBUSY, "it is %s: wait until it is %s", node_state_names[state],
                       state == NODE_PAUSING ? "paused" : "offline");
    rc = unit_start(r->unit, err);
    return rc < 0 ? rc : registrant_move(r, NODE_ONLINE, err);
}

int registrant_start(struct registrant *r, struct err *err)
{
    int rc;

    mutex_lock(&r->steer);
    rc = start(r, err);
    mutex_unlock(&r->steer);
    return rc;
}

static int need_online(struct registrant *r, const char *action, struct err *err)
{
    enum node_state state = registrant_state(r);

    if (state == NODE_ONLINE)
        return 0;
    return err_set(err, -EBUSY, "this %s's state is %s, apply %s failed!",
                   r->kind->card == CARD_PUMP ? "pump" : "drainer", node_state_names[state],
                   action);
}

/* What does not run is there at once. */
static int leave(struct registrant *r, enum node_state through, enum node_state to,
                 enum unit_state unit_to, struct err *err)
{
    bool live = is_live(r);
    int rc = registrant_move(r, live ? through : to, err);

    if (rc == 0 && (!live || through == NODE_PAUSING || r->kind->card == CARD_DRAINER))
        unit_ask_stop(r->unit, unit_to);
    return rc;
}

int registrant_pause(struct registrant *r, enum unit_state to, struct err *err)
{
    int rc;

    mutex_lock(&r->steer);
    rc = need_online(r, "pause", err);
    if (rc == 0)
        rc = leave(r, NODE_PAUSING, NODE_PAUSED, to, err);
    mutex_unlock(&r->steer);
    return rc;
}

/* A pump goes on until it is drained: its unit ends by itself. */
int registrant_close(struct registrant *r, struct err *err)
{
    int rc;

    mutex_lock(&r->steer);
    rc = need_online(r, "close", err);
    if (rc == 0)
        rc = leave(r, NODE_CLOSING, NODE_OFFLINE, UNIT_STOPPED, err);
    mutex_unlock(&r->steer);
    return rc;
}

static void ended(struct unit *u, void *arg)
{
    struct registrant *r = arg;
    enum node_state state = registrant_state(r);
    struct err err = ERR_INIT;
    bool halting;
    int rc = 0;

    mutex_lock(&u->lock);
    halting = r->halting;
    mutex_unlock(&u->lock);
    if (state == NODE_PAUSING)
        rc = registrant_move(r, NODE_PAUSED, &err);
    else if (state == NODE_CLOSING && !halting)
        rc = registrant_move(r, NODE_OFFLINE, &err);
    else
        rc = save(r, &err);
    if (rc < 0)
        log_error(u->path, "its state is not kept: %s", err.text);
}

void registrant_restart(struct registrant *r)
{
    struct err err = ERR_INIT;

    if (registrant_state(r) == NODE_OFFLINE)
        leave_journals(r); /* the daemon may have died in between */
    if (registrant_state(r) == NODE_ONLINE && registrant_start(r, &err) < 0)
        log_error(r->name, "not started: %s", err.text);
}

void registrant_halt(struct registrant *r)
{
    mutex_lock(&r->unit->lock);
    r->halting = true;
    mutex_unlock(&r->unit->lock);
    unit_ask_stop(r->unit, UNIT_STOPPED);
}
