#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/catalog.h"
#include "store/secret.h"
#include "unit/drain/drain_feed.h"
#include "unit/drain/pump.h"
#include "unit/journal/records.h"
#include "unit/source/source.h"

static struct err err;
#define OK(call)                               \
    do {                                       \
        err = ERR_INIT;                        \
        cr_assert_eq(call, 0, "%s", err.text); \
    } while (0)

/* A source with a journal that is written, and its pump. */
struct world {
    char dir[32];
    struct store *store;
    struct secret_key *key;
    struct catalog *catalog;
    struct journals *journals;
    struct registry *registry;
    struct node *sources, *pumps;
    struct feed source;
};

static void make_nodes(struct world *w)
{
    struct sources_config sc = {
        .catalog = w->catalog, .journals = w->journals, .store = w->store, .data_dir = w->dir
    };
    struct registry_config rc = { .catalog = w->catalog,
                                  .store = w->store,
                                  .journals = w->journals,
                                  .registry = w->registry,
                                  .data_dir = w->dir };
    json_t *doc = json_pack("{s:s}", "source_name", "s1");
    struct node *pump;

    w->sources = rc.sources = sources_new(&sc, &err);
    cr_assert(w->sources, "%s", err.text);
    w->pumps = pumps_new(&rc, &err);
    cr_assert(w->pumps, "%s", err.text);
    OK(node_create_direct(w->sources, "s1", NULL, NULL, &err));
    OK(node_create_direct(w->pumps, "p1", doc, NULL, &err));
    pump = node_child(w->pumps, "p1");
    OK(registrant_move(registrant_of(pump), NODE_ONLINE, &err));
    node_unref(pump);
    json_decref(doc);
}

/* The journal has a file whose format nobody needs here. */
static void begin_journal(struct world *w, struct journal *j)
{
    struct gtid_set *none = gtid_set_new(FLAVOR_MARIADB);
    struct feed *f = &w->source;
    struct journal_head h;
    struct journal_file file;

    *f = (struct feed){ .j = j,
                        .n = 1,
                        .incarnation = 1,
                        .flavor = FLAVOR_MARIADB,
                        .clock_us = 1000000000,
                        .file_no = 1,
                        .offset = 4 };
    OK(journal_write_begin(j, &h, &err));
    journal_head_fini(&h);
    OK(journal_incarnation(j, "server_id 7", none, &err));
    gtid_set_free(none);
    make_file(f, &file, 1);
    file.format = slice_of(NULL, 0);
    OK(journal_file_begin(j, &file, &err));
}

static void begin(struct world *w)
{
    char key[64];
    struct journal *j;

    *w = (struct world){ .dir = "/tmp/drain_feed.XXXXXX" };
    cr_assert(mkdtemp(w->dir));
    snprintf(key, sizeof key, "%s/key", w->dir);
    w->store = store_open_mem();
    OK(secret_key_open(key, &w->key, &err));
    w->catalog = catalog_new(w->store, w->key);
    w->journals = journals_new(w->store);
    w->registry = registry_new();
    OK(journal_open(w->journals, "s1", true, &j, &err));
    begin_journal(w, j);
    make_nodes(w);
}

static void end(struct world *w)
{
    char key[64];

    OK(journal_write_end(w->source.j, &err));
    journal_close(w->source.j);
    pumps_stop(w->pumps);
    sources_stop(w->sources);
    node_unref(w->pumps);
    node_unref(w->sources);
    registry_free(w->registry);
    catalog_free(w->catalog);
    journals_free(w->journals);
    secret_key_free(w->key);
    store_close(w->store);
    snprintf(key, sizeof key, "%s/key", w->dir);
    unlink(key);
    rmdir(w->dir);
}

static struct drain_feed *open_feed(struct world *w, uint64_t ts)
{
    struct drain_feed_config c = { .pumps = w->pumps, .detect_us = 1000000000 };
    struct drain_place from = { .ts = ts };
    struct drain_feed *f;

    OK(drain_feed_open(&f, &c, &from, &err));
    return f;
}

Test(drain_feed, begins_behind_its_place)
{
    struct world w;
    struct journal_record a, b;
    struct drain_item item;
    struct drain_feed *f;

    begin(&w);
    a = feed_txn(&w.source, 100);
    b = feed_txn(&w.source, 100);
    feed_sync(&w.source);
    f = open_feed(&w, a.commit_ts);

    cr_assert_eq(drain_feed_next(f, &item, 0, &err), 1, "%s", err.text);
    cr_assert_eq(item.record.seq, b.seq);
    cr_assert_eq(drain_feed_next(f, &item, 0, &err), 0);
    drain_feed_close(f);
    end(&w);
}

Test(drain_feed, a_pump_that_comes_in_brings_what_is_on_its_way_to_the_disk)
{
    struct world w;
    struct journal_record a, b;
    struct journal_state st;
    struct drain_item item;
    struct drain_feed *f;

    begin(&w);
    a = feed_txn(&w.source, 100);
    feed_sync(&w.source);
    store_mem_hold(w.store, true);
    b = feed_txn(&w.source, 100);
    journal_state(w.source.j, &st);
    cr_assert(st.durable_seq == a.seq && st.next_seq == b.seq + 1);
    f = open_feed(&w, a.commit_ts + 1);
    cr_assert_eq(drain_feed_next(f, &item, 0, &err), 0, "it is not on disk");

    store_mem_hold(w.store, false);
    feed_sync(&w.source);
    cr_assert_eq(drain_feed_next(f, &item, 0, &err), 1, "%s", err.text);
    cr_assert_eq(item.record.seq, b.seq);
    drain_feed_close(f);
    end(&w);
}
