/*
 * treed.c - a mounted tree with every kind of row, and nothing behind it.
 *
 *     treed MOUNTPOINT [CHILDREN [LISTEN...]]      runs until SIGTERM or SIGINT
 *
 * MOUNTPOINT may be "-": none.  LISTEN is an address for HTTP; TREED_CERT, TREED_KEY and
 * TREED_TOKENS name the files for TLS and tokens.
 *
 * For the scripts tests/integration/tree_*.sh, which try fs/ on the real kernel without a server:
 * the daemon's own tree has too few ways to go wrong at will.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "fs/fs.h"
#include "http/server.h"
#include "node/export.h"
#include "node/lines.h"
#include "node/node.h"
#include "node/watch.h"

/* --- kinds/: one row of each kind --- */

static const char *const states[] = { "new", "running", "paused", NULL };

struct kinds {
    struct node node;
    struct mutex lock;
    _Atomic uint64_t commands; /* writes that arrived */
    _Atomic uint64_t noise;    /* changed by the action 'stir', many times a second */
    atomic_bool is_stirred;
    pthread_t stirrer;
    unsigned state GUARDED;
    json_t *values GUARDED; /* by row */
};

static struct kinds *kinds_of(const struct node *n)
{
    return node_owner(n, struct kinds, node);
}

static void kinds_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&kinds_of(n)->lock);
}

static void kinds_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&kinds_of(n)->lock);
}

/* Getters run under the lock, which the compiler cannot see. */
static json_t *get_value(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return json_incref(json_object_get(kinds_of(n)->values, a->name));
}

static int set_value(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    struct kinds *k = kinds_of(n);

    (void)err;
    atomic_fetch_add(&k->commands, 1);
    mutex_lock(&k->lock);
    json_object_set_new(k->values, a->name, json_deep_copy(v));
    mutex_unlock(&k->lock);
    return 0;
}

static int set_document(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    if (json_object_get(v, "bad"))
        return err_set(err, -EINVAL, "bad: a document may not have this");
    return set_value(n, a, v, err);
}

static json_t *get_state(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_string(states[kinds_of(n)->state]);
}

static json_t *get_asked(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a, (void)err;
    usleep(1500000);
    return json_string("an answer from far away");
}

static int run_pause(struct node *n, const json_t *args, struct err *err)
{
    struct kinds *k = kinds_of(n);
    bool was;

    (void)args;
    atomic_fetch_add(&k->commands, 1);
    mutex_lock(&k->lock);
    was = k->state == 2;
    k->state = 2;
    mutex_unlock(&k->lock);
    if (was)
        return err_set(err, -EBUSY, "it is paused already");
    node_event(n, "state", json_pack("{s:s}", "to", "paused"));
    node_changed(n, "state");
    return 0;
}

static int run_resume(struct node *n, const json_t *args, struct err *err)
{
    struct kinds *k = kinds_of(n);

    (void)args, (void)err;
    atomic_fetch_add(&k->commands, 1);
    mutex_lock(&k->lock);
    k->state = 1;
    mutex_unlock(&k->lock);
    node_changed(n, "state");
    return 0;
}

static int run_slow(struct node *n, const json_t *args, struct err *err)
{
    (void)n, (void)args, (void)err;
    usleep(1500000);
    return 0;
}

/* Changes things until treed ends. */
static void *stir(void *arg)
{
    struct kinds *k = arg;

    while (k->is_stirred) {
        atomic_fetch_add(&k->noise, 1);
        node_changed(&k->node, "noise");
        mutex_lock(&k->lock);
        k->state = k->state == 1 ? 2 : 1;
        mutex_unlock(&k->lock);
        node_changed(&k->node, "state");
        usleep(500);
    }
    return NULL;
}

static int run_stir(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    if (atomic_exchange(&kinds_of(n)->is_stirred, true))
        return err_set(err, -EBUSY, "it is stirred already");
    kinds_of(n)->stirrer = thread_start("stir", stir, kinds_of(n));
    return 0;
}

static const struct attr echo_params[] = {
    { .name = "text", .type = ATTR_TEXT, .flags = ATTR_REQUIRED, .help = "What to keep" },
    { .name = "times", .type = ATTR_COUNT, .min = 1, .max = 9, .help = "How often" },
    { .name = "key", .type = ATTR_TEXT, .flags = ATTR_SECRET, .help = "A secret" },
    { 0 },
};

static int run_echo(struct node *n, const json_t *args, struct err *err)
{
    static const struct attr text = { .name = "text" };

    return set_value(n, &text, json_object_get(args, "text"), err);
}

#define SETTABLE(row, kind, sentence, ...)                                               \
    {                                                                                    \
        .name = row, .type = kind, .get = get_value, .set = set_value, .help = sentence, \
        .flags = ATTR_STORED __VA_ARGS__                                                 \
    }

static const struct attr kinds_attrs[] = {
    { .name = "state",
      .type = ATTR_ENUM,
      .choices = states,
      .get = get_state,
      .flags = ATTR_WATCHED | ATTR_METRIC,
      .help = "Where it stands" },
    ATTR_U64(struct kinds, commands, ATTR_COUNT, "Writes that arrived"),
    ATTR_U64(struct kinds, noise, ATTR_COUNT, "Rises while it is stirred"),
    SETTABLE("flag", ATTR_BOOL, "A truth value"),
    SETTABLE("count", ATTR_COUNT, "A number from 1 to 100", , .min = 1, .max = 100),
    SETTABLE("bytes", ATTR_BYTES, "A size"),
    SETTABLE("seconds", ATTR_SECONDS, "A time span"),
    SETTABLE("time", ATTR_TIME, "A moment"),
    SETTABLE("text", ATTR_TEXT, "A text"),
    SETTABLE("choice", ATTR_ENUM, "A choice", , .choices = states),
    SETTABLE("json", ATTR_JSON, "Any JSON"),
    { .name = "password", .type = ATTR_TEXT, .set = set_value, .help = "A secret" },
    { .name = "config",
      .type = ATTR_DOCUMENT,
      .flags = ATTR_BULK,
      .get = get_value,
      .set = set_document,
      .help = "A document" },
    { .name = "asked",
      .type = ATTR_TEXT,
      .flags = ATTR_ASKS | ATTR_BULK,
      .get = get_asked,
      .help = "Comes from a slow server" },
    { 0 },
};
static const struct action kinds_actions[] = {
    { .name = "pause", .run = run_pause, .help = "Pause" },
    { .name = "resume", .run = run_resume, .help = "Resume" },
    { .name = "slow", .run = run_slow, .help = "Takes a second and a half" },
    { .name = "stir", .run = run_stir, .help = "Change 2,000 times a second from now on" },
    { .name = "echo", .params = echo_params, .run = run_echo, .help = "Keep a text" },
    { 0 },
};
static void kinds_release(struct node *n)
{
    struct kinds *k = kinds_of(n);

    mutex_lock(&k->lock);
    json_decref(k->values);
    mutex_unlock(&k->lock);
    mutex_fini(&k->lock);
    free(k);
}

static const char *const kinds_examples[] = { "cat state", "echo > pause", "echo text=hello > echo",
                                              NULL };
static const struct node_type kinds_type = {
    .name = "kinds",
    .help = "One row of each kind",
    .examples = kinds_examples,
    .attrs = kinds_attrs,
    .actions = kinds_actions,
    .lock = kinds_lock,
    .unlock = kinds_unlock,
    .release = kinds_release,
};

static struct kinds *the_kinds;

static struct node *kinds_new(void)
{
    struct kinds *k = xcalloc(1, sizeof *k);

    node_init(&k->node, &kinds_type, "kinds");
    mutex_init(&k->lock);
    mutex_lock(&k->lock);
    k->values = json_pack("{s:b,s:i,s:i,s:f,s:s,s:s,s:s,s:{s:i},s:{s:s}}", "flag", 1, "count", 7,
                          "bytes", 1024, "seconds", 0.1, "time", "2026-01-31T12:00:00Z", "text",
                          "a text", "choice", "new", "json", "a", 1, "config", "name", "0123");
    mutex_unlock(&k->lock);
    the_kinds = k;
    return &k->node;
}

/* --- items/ and many/: collections --- */

struct item {
    struct node node;
    _Atomic uint64_t rows;
};

static void item_release(struct node *n)
{
    free(n);
}

static int item_remove(struct node *n, struct err *err)
{
    if (strcmp(n->name, "busy") == 0)
        return err_set(err, -EBUSY, "busy is running: pause it first");
    node_remove(n);
    return 0;
}

static const struct attr item_attrs[] = {
    { .name = "rows",
      .type = ATTR_COUNT,
      .flags = ATTR_WATCHED,
      .get = attr_get_u64,
      .offset = offsetof(struct item, rows),
      .help = "Rows" },
    { 0 },
};
static const struct node_type item_type = {
    .name = "item",
    .help = "A thing",
    .attrs = item_attrs,
    .remove = item_remove,
    .release = item_release,
};

static int item_create(struct node *dir, const char *name, const json_t *spec, struct err *err)
{
    struct item *i = xcalloc(1, sizeof *i);
    int rc;

    if (spec && !json_is_integer(json_object_get(spec, "rows"))) {
        free(i);
        return err_set(err, -EINVAL, "rows: a number is expected");
    }
    i->rows = (uint64_t)json_integer_value(json_object_get(spec, "rows"));
    node_init(&i->node, &item_type, name);
    rc = node_add(dir, &i->node, err);
    if (rc < 0)
        node_unref(&i->node);
    return rc;
}

static void drop_one(void *arg, struct node *n)
{
    (void)arg;
    node_remove(n);
}

/* Removes all, as the daemon does on its own: not through the mount. */
static int run_drop(struct node *n, const json_t *args, struct err *err)
{
    (void)args, (void)err;
    node_each(n, drop_one, NULL);
    return 0;
}

static void change_one(void *arg, struct node *n)
{
    (void)arg;
    node_changed(n, "rows");
}

/* Changes every child, a hundred times in two seconds. */
static int run_storm(struct node *n, const json_t *args, struct err *err)
{
    (void)args, (void)err;
    for (int i = 0; i < 100; i++) {
        node_each(n, change_one, NULL);
        usleep(20000);
    }
    return 0;
}

static const struct action items_actions[] = {
    { .name = "drop", .run = run_drop, .help = "Remove all" },
    { .name = "storm", .run = run_storm, .help = "Change every child for two seconds" },
    { .name = "create",
      .document = true,
      .run = node_create_document,
      .help = "Make one from a document with its name" },
    { 0 },
};
static const struct node_part items_parts[] = { { NULL, &item_type }, { 0 } };
static const struct node_type items_type = {
    .name = "items",
    .help = "Things",
    .actions = items_actions,
    .parts = items_parts,
    .create = item_create,
    .release = item_release,
};

static struct node *items_new(const char *name, unsigned n)
{
    struct node *dir = xcalloc(1, sizeof *dir);
    struct err err = ERR_INIT;

    node_init(dir, &items_type, name);
    for (unsigned i = 0; i < n; i++) {
        char child[32];

        snprintf(child, sizeof child, "item%06u", i);
        if (item_create(dir, child, NULL, &err) < 0)
            abort();
    }
    return dir;
}

/* --- the root --- */

static struct lines *events, *audit;

static struct lines *root_lines(const struct node *n, const struct attr *a)
{
    (void)n;
    return strcmp(a->name, "events") == 0 ? events : audit;
}

static int run_lines(struct node *n, const json_t *args, struct err *err)
{
    (void)args, (void)err;
    for (int i = 0; i < 5000; i++)
        node_event(n, "filler", json_pack("{s:i}", "n", i));
    return 0;
}

static const struct attr root_attrs[] = {
    { .name = "events", .type = ATTR_LINES, .lines = root_lines, .help = "What happened" },
    { .name = "audit", .type = ATTR_LINES, .lines = root_lines, .help = "Who changed what" },
    { .name = "schema",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_LARGE | ATTR_ASKS,
      .get = schema_get,
      .help = "The tables" },
    { .name = "metrics",
      .type = ATTR_TEXT,
      .flags = ATTR_BULK | ATTR_LARGE | ATTR_ASKS,
      .get = metrics_get,
      .help = "Numbers for Prometheus" },
    { 0 },
};
static const struct action root_actions[] = {
    { .name = "fill", .run = run_lines, .help = "Append 5,000 lines to events" },
    { 0 },
};
static const struct node_part root_parts[] = {
    { "kinds", &kinds_type }, { "items", &items_type }, { "many", &items_type }, { 0 }
};
static const struct node_type root_type = {
    .name = "treed",
    .help = "A tree to try things on",
    .attrs = root_attrs,
    .actions = root_actions,
    .parts = root_parts,
};

static int build(struct node *root, unsigned n_children, struct err *err)
{
    struct node *const below[] = { kinds_new(), items_new("items", 3),
                                   items_new("many", n_children),
                                   node_symlink_new("link", "kinds") };
    int rc = node_type_check(&root_type, err);

    events = lines_new(LINES_KEPT, 256 << 10);
    audit = lines_new(LINES_KEPT, 256 << 10);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(below); i++)
        rc = node_add(root, below[i], err);
    return rc;
}

static int serve(char **listen, struct node *root, struct http_server **ret, struct err *err)
{
    struct http_config c = { .listen = (const char *const *)listen,
                             .tls_cert = getenv("TREED_CERT"),
                             .tls_key = getenv("TREED_KEY"),
                             .tokens = getenv("TREED_TOKENS") };

    return *listen ? http_start(&c, root, ret, err) : 0;
}

int main(int argc, char **argv)
{
    struct fs_notifier *notifier = fs_fork_notifier();
    struct fs_config config = { .mountpoint = argv[1], .allow_other = true };
    struct http_server *http = NULL;
    struct err err = ERR_INIT;
    struct node root;
    struct fs *fs = NULL;
    sigset_t end;
    int sig;

    if (argc < 2)
        return 2;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    sigprocmask(SIG_BLOCK, &end, NULL);
    node_init(&root, &root_type, "");
    if (build(&root, argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100, &err) < 0 ||
        (strcmp(argv[1], "-") != 0 && fs_mount(&config, notifier, &root, &fs, &err) < 0) ||
        serve(argv + (argc > 3 ? 3 : argc), &root, &http, &err) < 0) {
        fprintf(stderr, "treed: %s\n", err.text);
        node_unref(&root);
        lines_free(events);
        lines_free(audit);
        return 1;
    }
    printf("mounted\n");
    fflush(stdout);
    sigwait(&end, &sig);
    http_stop(http);
    if (fs)
        fs_unmount(fs);
    else
        fs_notifier_free(notifier);
    if (atomic_exchange(&the_kinds->is_stirred, false))
        thread_join(the_kinds->stirrer);
    watch_stop();
    node_unref(&root);
    lines_free(events);
    lines_free(audit);
    return 0;
}
