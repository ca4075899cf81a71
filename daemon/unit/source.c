#include "unit/source.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/catalog.h"
#include "unit/precheck.h"
#include "unit/source_doc.h"
#include "unit/source_priv.h"

#define LOOK_INTERVAL_MS 10000
#define CHECK_WAIT_MS 10000

const char *const source_state_names[] = {
    [SOURCE_NEW] = "new",
    [SOURCE_RUNNING] = "running",
    [SOURCE_ERROR] = "error",
    [SOURCE_STOPPED] = "stopped",
    NULL,
};

static void json_freep(json_t **v)
{
    json_decref(*v);
}

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

static bool is_enabled(const json_t *doc)
{
    const json_t *v = doc_at(doc, "enable");

    return !v || json_is_true(v);
}

/* --- the thread: looks at the server, and checks it when asked --- */

static json_t *ask_users(struct source *s)
{
    json_t *(*users)(void *arg, const char *source);
    void *arg;

    mutex_lock(&s->all->lock);
    users = s->all->users;
    arg = s->all->users_arg;
    mutex_unlock(&s->all->lock);
    return users ? users(arg, s->name) : json_array();
}

/* Publishes what a look found; a source that cannot be read keeps what was known of it. */
static void publish(struct source *s, enum source_state state, const struct err *error,
                    struct source_seen *seen, json_t *users)
{
    struct source_seen old = { .runway_s = -1 };
    enum source_state was;
    json_t *old_users;

    mutex_lock(&s->lock);
    was = s->state;
    s->state = state;
    s->error = *error;
    old_users = s->users;
    s->users = users;
    if (seen->contact_us) {
        old = s->seen;
        s->seen = *seen;
        *seen = (struct source_seen){ .runway_s = -1 };
    }
    mutex_unlock(&s->lock);
    source_seen_fini(&old);
    json_decref(old_users);
    node_changed(&s->node, NULL);
    if (was != state)
        node_event(&s->node, "state",
                   json_pack("{s:s,s:s,s:s}", "from", source_state_names[was], "to",
                             source_state_names[state], "error", error->code ? error->text : ""));
}

static int check_flavor(const json_t *doc, const char *version, struct err *err)
{
    const char *wanted = json_string_value(doc_at(doc, "flavor"));
    const char *is = version && strstr(version, "MariaDB") ? "mariadb" : "mysql";

    if (!wanted || !version || strcmp(wanted, is) == 0)
        return 0;
    return err_set(err, -EINVAL, "the server is %s (%s), flavor says %s: echo %s > flavor", is,
                   version, wanted, is);
}

static void look(struct source *s)
{
    SCOPED(json_freep) json_t *doc = source_doc(s);
    struct source_seen seen = { .runway_s = -1 };
    struct mysql_params params = { 0 };
    json_t *users = ask_users(s);
    struct err err = ERR_INIT;
    int rc;

    if (!is_enabled(doc)) {
        source_probe_reset(s->probe);
        publish(s, SOURCE_STOPPED, &err, &seen, users);
        return;
    }
    rc = source_doc_params(doc, &params, &err);
    if (rc == -EINVAL) { /* a draft */
        publish(s, SOURCE_NEW, &err, &seen, users);
        return;
    }
    if (rc == 0)
        rc = source_probe_run(s->probe, &params, users, &seen, &err);
    if (rc == 0)
        rc = check_flavor(doc, seen.version, &err);
    publish(s, rc < 0 ? SOURCE_ERROR : SOURCE_RUNNING, &err, &seen, users);
    source_seen_fini(&seen);
    mysql_params_fini(&params);
}

static char *make_report(struct source *s)
{
    SCOPED(json_freep) json_t *doc = source_doc(s);
    struct precheck_report report = { 0 };
    struct mysql_params params = { 0 };
    struct err err = ERR_INIT;
    struct buf text = BUF_INIT;
    int rc = source_doc_params(doc, &params, &err);

    if (rc == 0) {
        params.connect_timeout_s = PROBE_CONNECT_S;
        params.io_timeout_s = PROBE_IO_S;
        rc = precheck_source(&params, json_is_true(doc_at(doc, "enable_gtid")), &report, &err);
    }
    if (rc < 0)
        buf_printf(&text, "FAIL  %s\n", err.text);
    else
        precheck_report_print(&report, &text);
    precheck_report_fini(&report);
    mysql_params_fini(&params);
    return buf_steal(&text);
}

static void check(struct source *s, uint64_t number)
{
    char *report = make_report(s), *old;

    mutex_lock(&s->lock);
    old = s->report;
    s->report = report;
    s->checks_done = number;
    cond_broadcast(&s->cond);
    mutex_unlock(&s->lock);
    free(old);
    node_changed(&s->node, "check_report");
}

struct work {
    bool stop, doc_changed;
    uint64_t check; /* its number; 0: none */
};

static struct work wait_for_work(struct source *s, uint64_t doc_changes)
{
    struct work w = { false, false, 0 };
    int64_t until = clock_mono_us() + LOOK_INTERVAL_MS * 1000, left_us = LOOK_INTERVAL_MS * 1000;

    mutex_lock(&s->lock);
    while (!s->stop_wanted && s->checks_wanted == s->checks_done && s->doc_changes == doc_changes &&
           left_us > 0) {
        cond_wait(&s->cond, &s->lock, (left_us + 999) / 1000);
        left_us = until - clock_mono_us();
    }
    w.stop = s->stop_wanted;
    w.doc_changed = s->doc_changes != doc_changes;
    w.check = s->checks_wanted != s->checks_done ? s->checks_wanted : 0;
    mutex_unlock(&s->lock);
    return w;
}

static uint64_t doc_changes(struct source *s)
{
    uint64_t n;

    mutex_lock(&s->lock);
    n = s->doc_changes;
    mutex_unlock(&s->lock);
    return n;
}

static void *source_run(void *arg)
{
    struct source *s = arg;
    struct work w = { false, false, 0 };
    bool abandoned;

    while (!w.stop) {
        uint64_t seen = doc_changes(s);

        if (w.doc_changed)
            source_probe_reset(s->probe);
        if (w.check)
            check(s, w.check);
        look(s);
        w = wait_for_work(s, seen);
    }
    mutex_lock(&s->lock);
    abandoned = s->abandoned;
    mutex_unlock(&s->lock);
    if (abandoned)
        pthread_detach(pthread_self());
    node_unref(&s->node);
    return NULL;
}

static void start_thread(struct source *s)
{
    node_ref(&s->node); /* the thread's */
    s->thread = thread_start("source", source_run, s);
    s->has_thread = true;
}

static void ask_stop(struct source *s, bool abandon)
{
    mutex_lock(&s->lock);
    s->stop_wanted = true;
    s->abandoned = abandon;
    cond_broadcast(&s->cond);
    mutex_unlock(&s->lock);
    source_probe_cancel(s->probe);
}

int source_check(struct source *s, struct err *err)
{
    int64_t until = clock_mono_us() + CHECK_WAIT_MS * 1000;
    uint64_t number;
    bool done;

    mutex_lock(&s->lock);
    number = ++s->checks_wanted;
    cond_broadcast(&s->cond);
    while (s->checks_done < number && !s->stop_wanted) {
        int64_t left_us = until - clock_mono_us();

        if (left_us <= 0 || !cond_wait(&s->cond, &s->lock, (left_us + 999) / 1000))
            break;
    }
    done = s->checks_done >= number;
    mutex_unlock(&s->lock);
    return done ? 0 : err_set(err, -ETIMEDOUT, "the check goes on; see check_report");
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
    int rc = catalog_put(s->all->catalog, path, doc, err);

    if (rc < 0) {
        json_decref(doc);
        return rc;
    }
    take_doc(s, doc);
    node_changed(&s->node, NULL);
    return 0;
}

static int change(struct source *s, const json_t *doc, const json_t *old, struct err *err)
{
    json_t *checked;
    int rc = source_doc_check(doc, s->name, &checked, err);

    if (rc < 0)
        return rc;
    doc_keep_secrets(source_doc_fields, checked, old);
    return keep_doc(s, checked, err);
}

int source_set_doc(struct source *s, const json_t *doc, struct err *err)
{
    json_t *old;
    int rc;

    mutex_lock(&s->change_lock);
    old = source_doc(s);
    rc = change(s, doc, old, err);
    mutex_unlock(&s->change_lock);
    json_decref(old);
    return rc;
}

int source_set_field(struct source *s, const char *path, const json_t *v, struct err *err)
{
    json_t *old, *with;
    int rc;

    mutex_lock(&s->change_lock);
    old = source_doc(s);
    with = doc_with(old, path, v);
    rc = change(s, with, old, err);
    mutex_unlock(&s->change_lock);
    json_decref(with);
    json_decref(old);
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
    return s;
}

/* Nobody else knows it any more. */
void source_release(struct node *n) NO_THREAD_CHECK
{
    struct source *s = source_of(n);

    source_seen_fini(&s->seen);
    source_probe_free(s->probe);
    json_decref(s->doc);
    json_decref(s->users);
    free(s->report);
    free(s->name);
    cond_fini(&s->cond);
    mutex_fini(&s->lock);
    mutex_fini(&s->change_lock);
    free(s);
}

/* A source that never came into the tree. */
static void discard(struct source *s)
{
    node_remove(&s->security);
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
        start_thread(s);
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
    SCOPED(json_freep) json_t *users = ask_users(s);
    int rc;

    if (json_array_size(users)) {
        SCOPED(buf_fini) struct buf names = BUF_INIT;

        print_users(users, &names);
        return err_set(err, -EBUSY, "it is used by task %s: remove that first", names.data);
    }
    rc = catalog_delete(s->all->catalog, path, err);
    if (rc < 0)
        return rc;
    ask_stop(s, true);
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
    rc = node_add(&all->node, node_ref(&s->node), &err);
    if (rc < 0) {
        log_error(path, "left out: %s", err.text);
        node_unref(&s->node);
        discard(s);
        return 0;
    }
    start_thread(s);
    node_unref(&s->node);
    return 0;
}

struct node *sources_new(struct catalog *catalog, struct err *err)
{
    struct sources *all = xcalloc(1, sizeof *all);

    node_init(&all->node, &sources_type, "sources");
    mutex_init(&all->lock);
    all->catalog = catalog;
    if (catalog_each(catalog, "sources", load_one, all, err) < 0) {
        sources_stop(&all->node);
        node_unref(&all->node);
        return NULL;
    }
    return &all->node;
}

void sources_release(struct node *n)
{
    struct sources *all = sources_of(n);

    mutex_fini(&all->lock);
    free(all);
}

static void ask_one(void *arg, struct node *n)
{
    (void)arg;
    ask_stop(source_of(n), false);
}

static void join_one(void *arg, struct node *n)
{
    struct source *s = source_of(n);

    (void)arg;
    if (s->has_thread)
        thread_join(s->thread);
    s->has_thread = false;
}

void sources_stop(struct node *sources)
{
    node_each(sources, ask_one, NULL);
    node_each(sources, join_one, NULL);
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

/* --- for tasks --- */

struct source *source_find(struct node *sources, const char *name)
{
    SCOPED(freep) char *shown = node_name_shown(name);
    struct node *n = node_child(sources, shown);

    return n ? source_of(n) : NULL;
}

void source_unref(struct source *s)
{
    if (s)
        node_unref(&s->node);
}

int source_params(struct source *s, struct mysql_params *ret, struct err *err)
{
    SCOPED(json_freep) json_t *doc = source_doc(s);
    int rc;

    if (!is_enabled(doc))
        return err_set(err, -EPERM, "source %s is disabled: echo > sources/%s/enable", s->name,
                       s->node.name);
    rc = source_doc_params(doc, ret, err);
    return rc < 0 ? err_wrap(err, "source %s", s->name) : 0;
}

bool source_by_gtid(struct source *s)
{
    SCOPED(json_freep) json_t *doc = source_doc(s);

    return json_is_true(doc_at(doc, "enable_gtid"));
}

bool source_enabled(struct source *s)
{
    SCOPED(json_freep) json_t *doc = source_doc(s);

    return is_enabled(doc);
}

bool source_folds_case(struct source *s)
{
    bool folds;

    mutex_lock(&s->lock);
    folds = s->seen.folds_case;
    mutex_unlock(&s->lock);
    return folds;
}
