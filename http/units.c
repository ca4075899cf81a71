/* units.c - listeners that nodes of the tree ask for. */
#include "http/units.h"

#include <errno.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "http/private.h"
#include "node/watch.h"

enum { RETRY_MS = 2000, MAX_COLLECTIONS = 8 };

/* One that is asked for. */
struct wish {
    struct wish *next;
    const struct facade *facade;
    char *unit, *addr;         /* the plain name of the child */
    struct listener *listener; /* NULL: could not listen */
    char *why;                 /* the last failure */
    bool wanted;
};

struct units {
    struct http_server *server;
    struct node *collections[MAX_COLLECTIONS]; /* by place in 'facades'; NULL: has none */
    struct watch *watches[MAX_COLLECTIONS];
    struct wish *wishes; /* the thread's */
    pthread_t thread;
    struct mutex lock;
    struct cond cond;
    bool changed GUARDED, stopping GUARDED;
};

static void wish_free(struct wish *w)
{
    free(w->unit);
    free(w->addr);
    free(w->why);
    free(w);
}

/* --- what is asked for --- */

static char *addr_of(struct node *child)
{
    SCOPED(target_release) struct target t = { 0 };
    SCOPED(json_decrefp) json_t *v = NULL;
    struct err err = ERR_INIT;

    if (node_lookup(child, "addr", &t, NULL) < 0 || !(v = target_read(&t, &err)) ||
        !json_string_length(v))
        return NULL;
    return xstrdup(json_string_value(v));
}

static struct wish *find_wish(struct units *u, const struct facade *f, const char *unit,
                              const char *addr)
{
    struct wish *w = u->wishes;

    while (w && (w->facade != f || strcmp(w->unit, unit) != 0 || strcmp(w->addr, addr) != 0))
        w = w->next;
    return w;
}

struct gathering {
    struct units *units;
    const struct facade *facade;
};

static void want(void *arg, struct node *child)
{
    const struct gathering *g = arg;
    SCOPED(freep) char *addr = addr_of(child), *unit = node_name_plain(child->name);
    struct wish *w;

    if (!addr || !unit)
        return;
    w = find_wish(g->units, g->facade, unit, addr);
    if (!w) {
        w = xcalloc(1, sizeof *w);
        *w = (struct wish){
            .next = g->units->wishes, .facade = g->facade, .unit = STEAL(unit), .addr = STEAL(addr)
        };
        g->units->wishes = w;
    }
    w->wanted = true;
}

/* --- so it shall be --- */

static void complain(struct units *u, struct wish *w, const struct err *err)
{
    SCOPED(freep) char *shown = node_name_shown(w->unit);
    SCOPED(freep) char *path = xasprintf("%s/%s", w->facade->units, shown);
    SCOPED(target_release) struct target t = { 0 };
    struct err gone = ERR_INIT;

    if (w->why && strcmp(w->why, err->text) == 0)
        return;
    free(w->why);
    w->why = xstrdup(err->text);
    log_warn(path, "%s", err->text);
    if (node_find(u->server->root, path, &t, &gone) == 0)
        node_refused(t.node, path, NULL, err);
}

static void open_wish(struct units *u, struct wish *w)
{
    struct err err = ERR_INIT;
    struct serve serve;

    serve_unit(&serve, w->facade, w->unit);
    if (http_listen(u->server, w->addr, &serve, &w->listener, &err) < 0)
        complain(u, w, &err);
}

/* Closes what nobody wants; false if something is left. */
static bool close_unwanted(struct units *u)
{
    bool all = true;

    for (struct wish **at = &u->wishes, *w; (w = *at);) {
        if (w->wanted || (w->listener && http_unlisten(u->server, w->listener) < 0)) {
            all = all && w->wanted;
            at = &w->next;
            continue;
        }
        *at = w->next;
        wish_free(w);
    }
    return all;
}

/* False: try again. */
static bool reconcile(struct units *u)
{
    bool all;

    for (struct wish *w = u->wishes; w; w = w->next)
        w->wanted = false;
    for (size_t i = 0; facades[i]; i++)
        if (u->collections[i])
            node_each(u->collections[i], want, &(struct gathering){ u, facades[i] });
    all = close_unwanted(u);
    for (struct wish *w = u->wishes; w; w = w->next) {
        if (w->wanted && !w->listener)
            open_wish(u, w);
        all = all && w->listener;
    }
    return all;
}

/* --- the thread --- */

static void wake(void *arg)
{
    struct units *u = arg;

    mutex_lock(&u->lock);
    u->changed = true;
    cond_signal(&u->cond);
    mutex_unlock(&u->lock);
}

static void drain(struct units *u)
{
    struct change c;

    for (size_t i = 0; i < MAX_COLLECTIONS; i++)
        while (u->watches[i] && watch_next(u->watches[i], &c))
            change_fini(&c);
}

/* Waits for a change; false when it is time to end. */
static bool wait_for_change(struct units *u, int64_t timeout_ms)
{
    bool stopping;

    mutex_lock(&u->lock);
    while (!u->changed && !u->stopping)
        if (!cond_wait(&u->cond, &u->lock, timeout_ms))
            break;
    u->changed = false;
    stopping = u->stopping;
    mutex_unlock(&u->lock);
    return !stopping;
}

static void *run(void *arg)
{
    struct units *u = arg;
    bool all = true;

    while (wait_for_change(u, all ? -1 : RETRY_MS)) {
        drain(u);
        all = reconcile(u);
    }
    return NULL;
}

static bool find_collections(struct units *u)
{
    bool some = false;

    for (size_t i = 0; facades[i]; i++) {
        u->collections[i] =
            facades[i]->units ? node_child(u->server->root, facades[i]->units) : NULL;
        some = some || u->collections[i];
    }
    return some;
}

struct units *units_start(struct http_server *s)
{
    struct units *u = xcalloc(1, sizeof *u);

    u->server = s;
    if (!find_collections(u)) {
        free(u);
        return NULL;
    }
    mutex_init(&u->lock);
    cond_init(&u->cond);
    for (size_t i = 0; i < MAX_COLLECTIONS; i++)
        if (u->collections[i])
            u->watches[i] = watch_subscribe(u->collections[i], 0, wake, u);
    if (!reconcile(u))
        wake(u);
    u->thread = thread_start("http-units", run, u);
    return u;
}

void units_stop(struct units *u)
{
    if (!u)
        return;
    mutex_lock(&u->lock);
    u->stopping = true;
    cond_signal(&u->cond);
    mutex_unlock(&u->lock);
    thread_join(u->thread);
    for (size_t i = 0; i < MAX_COLLECTIONS; i++) {
        watch_unsubscribe(u->watches[i]);
        node_unref(u->collections[i]);
    }
    for (struct wish *w = u->wishes, *next; w; w = next) {
        next = w->next;
        wish_free(w);
    }
    cond_fini(&u->cond);
    mutex_fini(&u->lock);
    free(u);
}
