/*
 * The order in which sluiced starts and stops.  Each part is started by one
 * function and stopped by another; stopping goes the way back, so whatever
 * was started is stopped also when a later part refused.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "cluster/cluster.h"
#include "fs/fs.h"
#include "http/server.h"
#include "journal/journal.h"
#include "node/authority.h"
#include "node/export.h"
#include "node/lines.h"
#include "node/watch.h"
#include "options.h"
#include "root.h"
#include "stop.h"
#include "store/catalog.h"
#include "store/line_log.h"
#include "store/secret.h"
#include "store/store.h"
#include "unit/drain/drainer.h"
#include "unit/drain/pump.h"
#include "unit/serve/server.h"
#include "unit/source/source.h"
#include "unit/task/tasks.h"
#include "unit/task/templates.h"

enum { EXIT_USAGE = 2 };

struct sluiced {
    struct options options;
    struct store *store;
    struct secret_key *key;
    struct catalog *catalog;
    struct journals *journals;
    struct registry *registry;
    /* 'root' holds the references */
    struct node *root, *sources, *tasks, *pumps, *drainers, *servers, *cluster;
    struct line_log *events, *audit;
    struct http_server *http;
    struct fs_notifier *notifier; /* forked, not yet given to fs_mount() */
    struct fs *fs;
};

/* --- what is kept on disk --- */

static int open_store(struct sluiced *d, struct err *err)
{
    SCOPED(freep) char *key = xasprintf("%s/key", d->options.data);

    if (secret_set_password_key(d->options.secret_key_path, err) < 0 ||
        store_open(d->options.data, &d->store, err) < 0)
        return err->code;
    if (secret_key_open(key, &d->key, err) < 0)
        return err->code;
    d->catalog = catalog_new(d->store, d->key);
    d->journals = journals_new(d->store);
    return 0;
}

static void close_store(struct sluiced *d)
{
    journals_free(d->journals);
    catalog_free(d->catalog);
    secret_key_free(d->key);
    store_close(d->store);
}

/* --- the tree --- */

static const struct node_type *tree_type(void)
{
    static struct node_part parts[] = {
        { .name = "sources", .type = &sources_type },
        { .name = "tasks" },
        { .name = "pumps" },
        { .name = "drainers" },
        { .name = "servers", .type = &servers_type },
        { .name = "cluster", .type = &cluster_type },
        { .name = "templates", .type = &templates_type },
        { .type = NULL },
    };

    parts[1].type = tasks_type();
    parts[2].type = pumps_type();
    parts[3].type = drainers_type();
    return root_type(parts);
}

static void restore_line(void *lines, const char *line)
{
    lines_restore(lines, line);
}

static void keep_line(void *log, uint64_t number, const char *line)
{
    line_log_append(log, number, line);
}

/* The lines of the last run come back, and new ones are kept from here on. */
static int keep_lines(struct sluiced *d, const char *name, struct lines *lines,
                      struct line_log **ret, struct err *err)
{
    uint64_t next = 0;

    *ret = line_log_new(d->store, name, LINES_KEPT);
    if (line_log_each(*ret, restore_line, lines, &next, err) < 0)
        return err_wrap(err, "lines of %s", name);
    lines_set_number(lines, next);
    lines_on_append(lines, keep_line, *ret);
    return 0;
}

static int make_tree(struct sluiced *d, struct err *err)
{
    const struct options *o = &d->options;

    authority_set(&(struct authority){ .uid = o->uid, .gid = o->gid, .mode = (mode_t)o->mode });
    if (node_type_check(tree_type(), err) < 0)
        return err->code;
    d->root = root_new(o);
    if (keep_lines(d, "events", root_events(d->root), &d->events, err) < 0)
        return err->code;
    return keep_lines(d, "audit", root_audit(d->root), &d->audit, err);
}

static int restore_servers(struct sluiced *d, struct err *err)
{
    d->servers = servers_new(d->catalog, d->sources, err);
    return d->servers ? node_add(d->root, d->servers, err) : err->code;
}

static int restore_tasks(struct sluiced *d, struct err *err)
{
    struct tasks_config c = { .catalog = d->catalog, .store = d->store, .sources = d->sources };

    d->tasks = tasks_new(&c, err);
    if (!d->tasks)
        return err->code;
    sources_on_users(d->sources, tasks_users, d->tasks);
    sources_on_switched(d->sources, tasks_source_switched, d->tasks);
    return node_add(d->root, d->tasks, err);
}

static int restore_templates(struct sluiced *d, struct err *err)
{
    struct node *templates = templates_new(d->catalog, d->tasks, err);

    return templates ? node_add(d->root, templates, err) : err->code;
}

static int restore_pumps(struct sluiced *d, struct err *err)
{
    struct registry_config c = { .catalog = d->catalog,
                                 .store = d->store,
                                 .journals = d->journals,
                                 .registry = d->registry = registry_new(),
                                 .sources = d->sources,
                                 .data_dir = d->options.data };

    d->pumps = pumps_new(&c, err);
    if (!d->pumps || node_add(d->root, d->pumps, err) < 0)
        return err->code;
    d->drainers = drainers_new(&c, d->pumps, err);
    return d->drainers ? node_add(d->root, d->drainers, err) : err->code;
}

static int make_cluster(struct sluiced *d, struct err *err)
{
    enum { HOST_MAX = 256 };
    char host[HOST_MAX] = "";

    gethostname(host, sizeof host - 1);
    d->cluster =
        cluster_new(d->catalog, d->options.member_name[0] ? d->options.member_name : host, err);
    return d->cluster ? node_add(d->root, d->cluster, err) : err->code;
}

/* What is in the catalog; nothing runs yet. */
static int restore_nodes(struct sluiced *d, struct err *err)
{
    struct sources_config c = { .catalog = d->catalog,
                                .journals = d->journals,
                                .store = d->store,
                                .data_dir = d->options.data };

    d->sources = sources_new(&c, err);
    if (!d->sources)
        return err->code;
    if (node_add(d->root, d->sources, err) < 0)
        return err->code;
    if (restore_tasks(d, err) < 0 || restore_templates(d, err) < 0 || restore_pumps(d, err) < 0 ||
        restore_servers(d, err) < 0)
        return err->code;
    return make_cluster(d, err);
}

static void free_tree(struct sluiced *d)
{
    watch_stop();
    if (d->root) {
        lines_on_append(root_events(d->root), NULL, NULL);
        lines_on_append(root_audit(d->root), NULL, NULL);
    }
    line_log_free(d->events);
    line_log_free(d->audit);
    node_unref(d->root);
    registry_free(d->registry);
}

/* --- the fronts --- */

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static struct http_config http_config_of(const struct options *o)
{
    return (struct http_config){
        .listen = (const char *const *)o->listen.at,
        .facades = (const char *const *)o->facades.at,
        .tls_cert = or_null(o->tls_cert),
        .tls_key = or_null(o->tls_key),
        .tokens = or_null(o->tokens),
        .insecure = o->allow_insecure,
        .threads = (unsigned)o->http_threads,
        .max_connections = (unsigned)o->http_connections,
        .timeout_s = (unsigned)o->http_timeout_seconds,
        .max_body = o->http_max_body,
    };
}

static int serve_http(struct sluiced *d, struct err *err)
{
    struct http_config c = http_config_of(&d->options);

    if (http_start(&c, d->root, &d->http, err) < 0)
        return err->code;
    SCOPED(freep) char *url = http_url_of(d->http, "kingbus");

    cluster_listens(d->cluster, url);
    return 0;
}

static int mount_tree(struct sluiced *d, struct err *err)
{
    const struct options *o = &d->options;
    struct fs_config c = { .mountpoint = o->mount,
                           .allow_other = o->allow_other || geteuid() == 0 };

    if (!o->mount[0])
        return 0;
    if (fs_mount(&c, STEAL(d->notifier), d->root, &d->fs, err) < 0)
        return err->code;
    log_info(NULL, "mounted at %s", o->mount);
    return 0;
}

/* --- all of it --- */

static int start(struct sluiced *d, struct err *err)
{
    if (open_store(d, err) < 0 || make_tree(d, err) < 0 || restore_nodes(d, err) < 0 ||
        mount_tree(d, err) < 0 || serve_http(d, err) < 0)
        return err->code;
    node_event(d->root, "start",
               json_pack("{s:s, s:i}", "version", SLUICE_VERSION, "pid", (int)getpid()));
    sources_start(d->sources);
    tasks_start(d->tasks);
    servers_start(d->servers);
    pumps_start(d->pumps);
    drainers_start(d->drainers);
    return 0;
}

/* A mount without its daemon answers "not connected" until somebody unmounts it. */
static void let_go(void *arg)
{
    const struct sluiced *d = arg;

    fs_abandon(d->options.mount);
}

static void stop(struct sluiced *d)
{
    struct stop *s = stop_begin(d->options.stop_seconds, let_go, d);

    if (d->root)
        node_event(d->root, "stop", json_object());
    stop_step(s, "requests over HTTP");
    http_stop(d->http);
    stop_step(s, "the mount");
    fs_unmount(d->fs);
    fs_notifier_free(d->notifier);
    stop_step(s, "servers");
    if (d->servers)
        servers_stop(d->servers);
    stop_step(s, "drainers");
    if (d->drainers)
        drainers_stop(d->drainers);
    stop_step(s, "pumps");
    if (d->pumps)
        pumps_stop(d->pumps);
    stop_step(s, "tasks");
    if (d->tasks)
        tasks_stop(d->tasks);
    stop_step(s, "sources");
    if (d->sources)
        sources_stop(d->sources);
    stop_step(s, "the tree and its last events");
    free_tree(d);
    stop_step(s, "the store");
    close_store(d);
    stop_end(s);
}

/* --- signals --- */

/* Blocked before the first thread, so that they arrive where they are waited for. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* SIGHUP: only the level of the log can change while we run. */
static void reload(int argc, char **argv)
{
    SCOPED(buf_fini) struct buf problems = BUF_INIT;
    struct options o;
    enum command command;

    if (options_read(&o, argc, argv, environ, &command, &problems) < 0) {
        log_error(NULL, "not reloaded: %s", problems.data);
    } else {
        log_set_level((enum log_level)o.log_level);
        log_info(NULL, "reloaded: log_level is %s", log_level_names[o.log_level]);
    }
    options_fini(&o);
}

/* Until SIGTERM or SIGINT; the service manager's watchdog is fed meanwhile. */
static int wait_for_signal(const sigset_t *set, int argc, char **argv)
{
    uint64_t watchdog_us = 0;
    struct timespec every = { .tv_sec = 3600 };

    if (sd_watchdog_enabled(0, &watchdog_us) > 0 && watchdog_us > 0) {
        every.tv_sec = (time_t)(watchdog_us / 2 / 1000000);
        every.tv_nsec = (long)(watchdog_us / 2 % 1000000) * 1000;
    }
    for (;;) {
        int sig = sigtimedwait(set, NULL, &every);

        if (sig == SIGTERM || sig == SIGINT)
            return sig;
        if (sig == SIGHUP)
            reload(argc, argv);
        sd_notify(0, "WATCHDOG=1");
    }
}

/* --- the process --- */

/* Few arenas: each thread's own would keep what it once needed. */
static void limit_process(const struct options *o)
{
    enum { ARENAS = 2 };

    mallopt(M_ARENA_MAX, ARENAS); // NOLINT(concurrency-mt-unsafe): before the first thread
    /* Not 0, which lets a core_pattern that is a pipe have the core; 1 stops both.
     * Source: core(5), and do_coredump() in fs/coredump.c of Linux. */
    if (!o->core_dumps)
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 1, 1 });
    umask(077);
}

static int run(struct sluiced *d, int argc, char **argv)
{
    struct err err = ERR_INIT;
    sigset_t signals;
    int status = EXIT_SUCCESS;

    limit_process(&d->options);
    if (d->options.mount[0])
        d->notifier = fs_fork_notifier(); /* before any thread */
    block_signals(&signals);
    log_set_level((enum log_level)d->options.log_level);
    log_set_json(d->options.log_format == LOG_FORMAT_JSON);
    log_info(NULL, "sluiced %s starts with data in %s", SLUICE_VERSION, d->options.data);
    if (start(d, &err) < 0) {
        log_error(NULL, "cannot start: %s", err.text);
        status = EXIT_FAILURE;
    } else {
        sd_notify(0, "READY=1");
        log_info(NULL, "ready");
        log_info(NULL, "%s: stopping", sigdescr_np(wait_for_signal(&signals, argc, argv)));
        sd_notify(0, "STOPPING=1");
    }
    stop(d);
    log_info(NULL, "stopped");
    return status;
}

static void print_settings(const struct options *o)
{
    for (const struct option_row *row = option_rows; row->key; row++) {
        json_t *v = option_json(o, row);
        SCOPED(freep) char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);

        printf("%s: %s\n", row->key, text);
        json_decref(v);
    }
}

static void print_schema(struct buf *out)
{
    SCOPED(json_decrefp) json_t *v = schema_json(tree_type());

    json_print(v, out);
    buf_byte(out, '\n');
}

static void print(const struct options *o, enum command command)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;

    switch (command) {
    case COMMAND_CHECK:
        print_settings(o);
        break;
    case COMMAND_HELP:
        options_help(&out);
        break;
    case COMMAND_VERSION:
        buf_str(&out, "sluiced " SLUICE_VERSION "\n");
        break;
    case COMMAND_PRINT_TREE:
        manual_print(tree_type(), &out);
        break;
    case COMMAND_PRINT_CONF:
        options_manual(&out);
        break;
    case COMMAND_PRINT_SCHEMA:
        print_schema(&out);
        break;
    case COMMAND_RUN:
        break;
    }
    fwrite(out.data, 1, out.size, stdout);
}

/* What only HTTP can tell of its addresses and of other systems' names. */
static int read_options(struct options *o, int argc, char **argv, enum command *command,
                        struct buf *problems)
{
    struct http_config c;
    struct err err = ERR_INIT;

    if (options_read(o, argc, argv, environ, command, problems) < 0)
        return -EINVAL;
    c = http_config_of(o);
    if (http_check(&c, &err) < 0)
        buf_printf(problems, "%s\n", err.text);
    return err.code;
}

int main(int argc, char **argv)
{
    SCOPED(buf_fini) struct buf problems = BUF_INIT;
    struct sluiced d = { .store = NULL };
    enum command command;
    int status = EXIT_SUCCESS;

    if (read_options(&d.options, argc, argv, &command, &problems) < 0 && command != COMMAND_HELP &&
        command != COMMAND_VERSION) {
        fwrite(problems.data, 1, problems.size, stderr);
        status = EXIT_USAGE;
    } else if (command == COMMAND_RUN) {
        status = run(&d, argc, argv);
    } else {
        print(&d.options, command);
    }
    options_fini(&d.options);
    return status;
}
