/*
 * sync_run - drives the sync unit alone, without a tree around it.
 *
 *     sync_run FROM_PORT TO_PORT [option=value]...
 *
 * Options: do=SCHEMA start=GTIDS|FILE:OFFSET gtid=0|1 store=DIR mode=merged|one-to-one|parallel
 * batch=N threads=N on_error=stop|quarantine safe=1 task=NAME until=GTIDS (exits 0 when the target
 * has them) run=SECONDS (exits 0 after).  Account: sluice/sluice.  Ends on SIGTERM too; prints its
 * counters.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/router.h"
#include "store/store.h"
#include "unit/sync/sync.h"

static const char *option(int argc, char **argv, const char *name, const char *otherwise)
{
    size_t n = strlen(name);

    for (int i = 3; i < argc; i++)
        if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
            return argv[i] + n + 1;
    return otherwise;
}

static void die(const struct err *err)
{
    fprintf(stderr, "sync_run: %s\n", err->text);
    exit(1);
}

static char *word(struct unit *u, const char *attr)
{
    struct target t;
    struct err err = ERR_INIT;
    char *text = NULL;

    if (node_lookup(&u->node, attr, &t, &err) < 0)
        die(&err);
    json_t *v = target_read(&t, &err);

    if (!v)
        die(&err);
    text = json_is_string(v) ? xstrdup(json_string_value(v)) : json_dumps(v, JSON_ENCODE_ANY);
    json_decref(v);
    target_release(&t);
    return text;
}

static bool has(struct unit *u, enum flavor flavor, const char *until)
{
    SCOPED(freep) char *gtid = word(u, "gtid");
    struct gtid_set *a = NULL, *b = NULL;
    struct err err = ERR_INIT;
    bool yes = false;

    if (gtid[0] && gtid_set_parse(&a, flavor, until, &err) == 0 &&
        gtid_set_parse(&b, flavor, gtid, &err) == 0)
        yes = gtid_set_subset(a, b);
    gtid_set_free(a);
    gtid_set_free(b);
    return yes;
}

static void show(struct unit *u)
{
    static const char *const attrs[] = { "state",         "error",      "gtid",       "position",
                                         "transactions",  "rows",       "groups",     "ddl",
                                         "ddl_skipped",   "spilled",    "reconnects", "set_aside",
                                         "write_retries", "lag_seconds" };
    struct rusage usage;

    for (size_t i = 0; i < ARRAY_LEN(attrs); i++) {
        SCOPED(freep) char *v = word(u, attrs[i]);

        printf("%s=%s ", attrs[i], v);
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("cpu=%.2f rss_kib=%ld\n",
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
           usage.ru_maxrss);
    fflush(stdout);
}

static void set_start(struct job *job, enum flavor flavor, const char *start)
{
    const char *colon = strrchr(start, ':');
    struct err err = ERR_INIT;

    job->has_start = start[0] != '\0';
    if (!job->has_start)
        return;
    if (job->by_gtid) {
        if (gtid_set_parse(&job->start.gtids, flavor, start, &err) < 0)
            die(&err);
        return;
    }
    snprintf(job->start.file, sizeof job->start.file, "%.*s", (int)(colon - start), start);
    job->start.offset = strtoull(colon + 1, NULL, 10);
}

static struct mysql_params params(const char *port)
{
    return (struct mysql_params){ .host = xstrdup("127.0.0.1"),
                                  .port = (unsigned)strtoul(port, NULL, 10),
                                  .user = xstrdup("sluice"),
                                  .password = xstrdup("sluice") };
}

static enum flavor flavor_of(const struct mysql_params *p)
{
    struct mysql_conn *c;
    struct err err = ERR_INIT;

    if (mysql_conn_open(&c, p, &err) < 0)
        die(&err);
    enum flavor f = mysql_conn_flavor(c);

    mysql_conn_close(c);
    return f;
}

/* Runs until told otherwise; 0 when it did what it should. */
static int follow(struct unit *u, enum flavor flavor, const char *until, double run_s)
{
    int64_t began = clock_mono_us();
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    for (;;) {
        struct timespec tick = { .tv_nsec = 20000000 };

        if (sigtimedwait(&set, NULL, &tick) > 0)
            return 0;
        if (until[0] && has(u, flavor, until))
            return 0;
        if (run_s > 0 && (double)(clock_mono_us() - began) / 1e6 > run_s)
            return 0;
        if (unit_state(u) == UNIT_ERROR)
            return 2;
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "sync_run FROM_PORT TO_PORT [option=value]...\n");
        return 1;
    }
    struct router_rule rule = { .schema = option(argc, argv, "do", "*") };
    struct router_config rules = { .do_rules = &rule, .n_do = 1, .meta_schema = "sluice_meta" };
    struct router *router;
    struct err err = ERR_INIT;
    struct job job = { .task = option(argc, argv, "task", "t"),
                       .source = "s1",
                       .path = "sync",
                       .from = params(argv[1]),
                       .to = params(argv[2]),
                       .meta_schema = "sluice_meta",
                       .by_gtid = option(argc, argv, "gtid", "1")[0] == '1',
                       .safe_mode = option(argc, argv, "safe", "0")[0] == '1',
                       .max_retries = 5,
                       .refs = 1, /* ours: the unit takes one too */
                       .apply_threads =
                           (unsigned)strtoul(option(argc, argv, "threads", "0"), NULL, 10),
                       .apply_batch =
                           (unsigned)strtoul(option(argc, argv, "batch", "0"), NULL, 10) };
    const char *mode = option(argc, argv, "mode", "merged");
    const char *until = option(argc, argv, "until", "");
    const char *dir = option(argc, argv, "store", "");
    enum flavor flavor = flavor_of(&job.from);
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    job.apply_mode = strcmp(mode, "one-to-one") == 0 ? APPLY_ONE_TO_ONE
                     : strcmp(mode, "parallel") == 0 ? APPLY_PARALLEL
                                                     : APPLY_MERGED;
    job.on_error = strcmp(option(argc, argv, "on_error", "stop"), "quarantine") == 0
                       ? ON_ERROR_QUARANTINE
                       : ON_ERROR_STOP;
    set_start(&job, flavor, option(argc, argv, "start", ""));
    if (router_new(&rules, &router, &err) < 0)
        die(&err);
    job.router = router;
    if (dir[0] && store_open(dir, &job.store, &err) < 0)
        die(&err);

    struct unit *u = sync_new(&job);

    if (unit_start(u, &err) < 0)
        die(&err);
    int rc = follow(u, flavor, until, strtod(option(argc, argv, "run", "0"), NULL));

    show(u);
    unit_stop(u, UNIT_STOPPED);
    node_unref(&u->node);
    store_close(job.store);
    router_free(router);
    mysql_params_fini(&job.from);
    mysql_params_fini(&job.to);
    position_fini(&job.start);
    return rc;
}
