/*
 * copy_run.c - one full copy from the command line, without the tree.
 *
 *     copy_run [-t THREADS] [-s SCHEMA]... [-r FROM=TO]... [-m] [-p] SOURCE_PORT TARGET_PORT
 *
 * Copies the schemas named (all without one) between two servers on 127.0.0.1
 * as sluice/sluice, and prints what it did.  -r: a schema gets another name;
 * -m: as one of several sources of a task; -g: by GTID; -p: what is left for sync.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "route/router.h"
#include "unit/copy/copy.h"
#include "unit/copy/copy_state.h"

static struct mysql_params params(const char *port)
{
    return (struct mysql_params){ .host = (char *)"127.0.0.1",
                                  .port = (unsigned)strtoul(port, NULL, 10),
                                  .user = (char *)(getenv("COPY_USER") ? getenv("COPY_USER")
                                                                       : "sluice"),
                                  .password = (char *)"sluice" };
}

static void print_position(const char *what, const struct position *p)
{
    struct buf gtids = BUF_INIT;

    if (p->gtids)
        gtid_set_print(p->gtids, &gtids);
    printf("%s %s:%llu %s\n", what, p->file, (unsigned long long)p->offset,
           gtids.data ? gtids.data : "");
    buf_fini(&gtids);
}

static int print_handover(const struct job *job, struct err *err)
{
    struct copy_handover h;
    struct mysql_conn *c;
    int rc = mysql_conn_open(&c, &job->to, err);

    if (rc < 0)
        return rc;
    rc = copy_handover_read(c, job, &h, err);
    mysql_conn_close(c);
    if (rc < 0)
        return rc;
    print_position("start", &h.start);
    for (unsigned i = 0; i < h.n_windows; i++) {
        printf("window %s.%s\n", h.windows[i].schema, h.windows[i].table);
        print_position("  skip", &h.windows[i].skip);
        print_position("  safe", &h.windows[i].safe);
    }
    copy_handover_fini(&h);
    return 0;
}

int main(int argc, char **argv)
{
    struct router_rule rules[32], routes[32];
    struct router_config config = { .do_rules = rules, .routes = routes };
    struct job job = { .task = "t", .source = "s", .path = "t/s", .meta_schema = "dm_meta" };
    struct copy_totals totals;
    struct err err = ERR_INIT;
    struct router *router;
    bool position = false;
    struct copy *copy;
    int64_t start = clock_mono_us();
    int opt, rc;

    signal(SIGPIPE, SIG_IGN);
    atomic_init(&job.refs, 1); /* ours, for ever: it is on the stack */
    while ((opt = getopt(argc, argv, "t:s:r:mgp")) != -1) {
        char *to = optarg ? strchr(optarg, '=') : NULL;

        if (opt == 't')
            job.dump_threads = job.load_threads = (unsigned)strtoul(optarg, NULL, 10);
        else if (opt == 's' && config.n_do < ARRAY_LEN(rules))
            rules[config.n_do++] = (struct router_rule){ .schema = optarg };
        else if (opt == 'r' && to && config.n_routes < ARRAY_LEN(routes)) {
            *to = '\0';
            routes[config.n_routes++] =
                (struct router_rule){ .schema = optarg, .to_schema = to + 1 };
        } else if (opt == 'm')
            job.merges = true;
        else if (opt == 'g')
            job.by_gtid = true;
        else if (opt == 'p')
            position = true;
        else
            return 2;
    }
    if (argc - optind != 2)
        return 2;
    job.from = params(argv[optind]);
    job.to = params(argv[optind + 1]);
    if (router_new(&config, &router, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    job.router = router;
    copy = copy_new(&job, &copy_way_stream);
    rc = copy_run(copy, &err);
    copy_totals_read(copy, &totals);
    printf("%s: %llu of %llu tables, %llu rows, %llu bytes, %.3f s\n",
           copy_phase_names[totals.phase], (unsigned long long)totals.tables_done,
           (unsigned long long)totals.tables, (unsigned long long)totals.rows,
           (unsigned long long)totals.bytes, (double)(clock_mono_us() - start) / 1e6);
    if (rc == 0 && position)
        rc = print_handover(&job, &err);
    if (rc < 0)
        fprintf(stderr, "%s\n", err.text);
    copy_unref(copy);
    router_free(router);
    return rc < 0;
}
