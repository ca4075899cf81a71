/*
 * merge_run.c - how fast pumps are merged.
 *
 *     merge_run DIR FILE...     a journal for each binlog file, below DIR; then all of them merged
 * by commit_ts, once as they are and once with every row decoded: rows/s
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/file.h"
#include "journal/journal.h"
#include "mysql/conn_set.h"
#include "store/catalog.h"
#include "store/secret.h"
#include "store/store.h"
#include "unit/drain/drain_decode.h"
#include "unit/drain/drainer.h"
#include "unit/drain/pump.h"
#include "unit/relay/relay_ingest.h"
#include "unit/source/source.h"

static struct err err;

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "merge_run: %s: %s\n", what, err.text);
    exit(1);
}

struct world {
    struct store *store;
    struct secret_key *key;
    struct catalog *catalog;
    struct journals *journals;
    struct registry *registry;
    struct node *sources, *pumps;
};

static void open_world(struct world *w, const char *dir)
{
    SCOPED(freep) char *key = xasprintf("%s/key", dir);
    struct sources_config sc;
    struct registry_config rc;

    if (store_open(dir, &w->store, &err) < 0 || secret_key_open(key, &w->key, &err) < 0)
        fail("store");
    w->catalog = catalog_new(w->store, w->key);
    w->journals = journals_new(w->store);
    w->registry = registry_new();
    sc = (struct sources_config){
        .catalog = w->catalog, .journals = w->journals, .store = w->store, .data_dir = dir
    };
    w->sources = sources_new(&sc, &err);
    rc = (struct registry_config){ .catalog = w->catalog,
                                   .store = w->store,
                                   .journals = w->journals,
                                   .registry = w->registry,
                                   .sources = w->sources,
                                   .data_dir = dir };
    w->pumps = w->sources ? pumps_new(&rc, &err) : NULL;
    if (!w->pumps)
        fail("nodes");
}

/* --- a journal of a file, and its pump --- */

static void fill(struct world *w, const char *name, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct position from = { .offset = BINLOG_MAGIC_SIZE };
    struct journal_head head;
    struct ingest_did did;
    struct binlog_file f;
    struct journal *j;
    struct ingest in;
    struct slice raw;
    int rc;

    snprintf(from.file, sizeof from.file, "%s", slash ? slash + 1 : path);
    if (journal_open(w->journals, name, true, &j, &err) < 0 ||
        journal_write_begin(j, &head, &err) < 0 ||
        journal_incarnation(j, "server_id 1", NULL, &err) < 0 ||
        binlog_file_open(&f, path, &err) < 0)
        fail(name);
    ingest_init(&in, j, &head.pos, 1);
    ingest_connect(&in, FLAVOR_MARIADB, &from);
    while ((rc = binlog_file_next(&f, &raw, &err)) > 0)
        if (ingest_event(&in, raw, &did, &err) < 0)
            fail(path);
    binlog_file_close(&f);
    if (rc < 0 || journal_write_end(j, &err) < 0)
        fail(path);
    ingest_fini(&in);
    journal_head_fini(&head);
    journal_close(j);
}

static void make_pump(struct world *w, const char *name)
{
    json_t *source = json_pack("{s:s}", "source_name", name);
    struct node *n;

    if (node_create_direct(w->sources, name, NULL, NULL, &err) < 0 ||
        node_create_direct(w->pumps, name, source, NULL, &err) < 0)
        fail(name);
    n = node_child(w->pumps, name);
    if (registrant_move(registrant_of(n), NODE_ONLINE, &err) < 0)
        fail(name);
    node_unref(n);
    json_decref(source);
}

/* --- merging --- */

static struct drain_feed *feed;
static struct drain_item item;

static int next_event(void *arg, struct slice *ret, struct err *e)
{
    (void)arg;
    return drain_feed_event(feed, &item, ret, e);
}

static void merge(struct world *w, bool rows)
{
    SCOPED(json_decrefp) json_t *all = json_object();
    struct drain_filter *filter;
    struct conn_set conns;
    struct drain_decoder_config dc = { .sources = w->sources, .conns = &conns };
    struct drain_feed_config fc = { .pumps = w->pumps,
                                    .detect_us = 1000000000,
                                    .opened = drain_decoder_opened,
                                    .closed = drain_decoder_closed };
    struct drain_place from = { 0, NULL };
    struct drain_decoded got;
    uint64_t txns = 0, changes = 0, last = 0;
    int64_t begun;
    double s;
    int rc;

    conn_set_init(&conns);
    if (drain_filter_new(all, &filter, &err) < 0)
        fail("filter");
    dc.filter = filter;
    fc.arg = drain_decoder_new(&dc);
    if (drain_feed_open(&feed, &fc, &from, &err) < 0)
        fail("feed");
    begun = clock_mono_us();
    while ((rc = drain_feed_next(feed, &item, 0, &err)) > 0) {
        if (item.record.commit_ts < last)
            fail("out of order");
        last = item.record.commit_ts;
        txns++;
        if (!rows)
            continue;
        if (drain_decode(fc.arg, &item, next_event, NULL, &got, &err) < 0)
            fail("decode");
        changes += got.rows.n_changes;
    }
    if (rc < 0)
        fail("merge");
    s = (double)(clock_mono_us() - begun) / 1e6;
    if (rows)
        printf("rows %.0f transactions %.0f seconds %.3f\n", (double)changes / s, (double)txns / s,
               s);
    else
        printf("heads %.0f seconds %.3f\n", (double)txns / s, s);
    drain_feed_close(feed);
    drain_decoder_free(fc.arg);
    drain_filter_free(filter);
    conn_set_fini(&conns);
}

int main(int argc, char **argv)
{
    struct world w;

    if (argc < 3)
        return 2;
    open_world(&w, argv[1]);
    for (int i = 2; i < argc; i++) {
        char name[16];

        snprintf(name, sizeof name, "p%d", i - 1);
        fill(&w, name, argv[i]);
        make_pump(&w, name);
    }
    merge(&w, false);
    for (int i = 0; i < 3; i++)
        merge(&w, true);
    pumps_stop(w.pumps);
    sources_stop(w.sources);
    node_unref(w.pumps);
    node_unref(w.sources);
    registry_free(w.registry);
    journals_free(w.journals);
    catalog_free(w.catalog);
    secret_key_free(w.key);
    store_close(w.store);
    return 0;
}
