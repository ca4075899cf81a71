#include <pthread.h>

#include "../store/both_stores.h"
#include "records.h"
#include "store/key.h"

static const size_t sizes[] = { 19,    20,    200,    1000,   30000,  65000,  65300,  65376, 65400,
                                65536, 65537, 131072, 524287, 524288, 524289, 700000, 19,    40 };
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static struct journal *open_it(struct journals *all, bool create)
{
    struct journal *j = NULL;
    struct err err = ERR_INIT;

    cr_assert_eq(journal_open(all, "s1", create, &j, &err), 0, "%s", err.text);
    return j;
}

static void read_back(struct journal *j, uint64_t n, enum journal_depth depth)
{
    struct journal_reader *r = journal_reader_new(j, depth);
    struct journal_record rec;
    struct err err = ERR_INIT;
    uint64_t last_ts = 0, offset = 4;

    for (uint64_t i = 1; i <= n; i++) {
        size_t size = sizes[(i - 1) % N_SIZES];

        cr_assert_eq(journal_reader_next(r, &rec, 0, &err), 1, "record %d: %s", (int)i, err.text);
        cr_assert_eq(rec.seq, i);
        cr_assert_gt(rec.commit_ts, last_ts);
        cr_assert_eq(rec.size, size);
        cr_assert_eq(rec.from, offset);
        cr_assert_eq(rec.to, offset + size);
        cr_assert_eq(rec.gtid.number, i);
        is_event(r, i, size);
        last_ts = rec.commit_ts;
        offset = rec.to;
    }
    cr_assert_eq(journal_reader_next(r, &rec, 0, &err), 0);
    journal_reader_free(r);
}

BOTH_STORES(journal, gives_back_what_was_written)
{
    struct journals *all = journals_new(s);
    struct journal *j = open_it(all, true);
    struct err err = ERR_INIT;
    struct feed f;

    feed_begin(&f, j, FLAVOR_MARIADB);
    for (int i = 0; i < 3 * N_SIZES; i++)
        feed_txn(&f, sizes[i % N_SIZES]);
    read_back(j, 3 * N_SIZES, JOURNAL_WRITTEN);
    feed_sync(&f);
    read_back(j, 3 * N_SIZES, JOURNAL_DURABLE);
    cr_assert_eq(journal_write_end(j, &err), 0, "%s", err.text);
    journal_close(j);
    j = open_it(all, false);
    read_back(j, 3 * N_SIZES, JOURNAL_DURABLE);
    journal_close(j);
    journals_free(all);
}

BOTH_STORES(journal, goes_on_where_it_ended)
{
    struct journals *all = journals_new(s);
    struct journal *j = open_it(all, true);
    struct err err = ERR_INIT;
    struct journal_head h;
    struct feed f;

    feed_begin(&f, j, FLAVOR_MYSQL);
    for (int i = 0; i < 10; i++)
        feed_txn(&f, sizes[i % N_SIZES]);
    cr_assert_eq(journal_write_end(j, &err), 0, "%s", err.text);
    journal_close(j);
    j = open_it(all, false);
    cr_assert_eq(journal_write_begin(j, &h, &err), 0, "%s", err.text);
    f.j = j;
    cr_assert_eq(h.next_seq, 11);
    cr_assert_str_eq(h.pos.file, "bin.000001");
    cr_assert_eq(h.pos.offset, f.offset);
    cr_assert_eq(h.incarnation, 1);
    cr_assert_str_eq(h.source_id, "server_id 7");
    {
        SCOPED(buf_fini) struct buf text = BUF_INIT;

        gtid_set_print(h.pos.gtids, &text);
        cr_assert_str_eq(text.data, "11111111-1111-1111-1111-111111111111:1-10");
    }
    journal_head_fini(&h);
    for (int i = 10; i < 20; i++)
        feed_txn(&f, sizes[i % N_SIZES]);
    feed_sync(&f);
    read_back(j, 20, JOURNAL_DURABLE);
    cr_assert_eq(journal_write_end(j, &err), 0, "%s", err.text);
    journal_close(j);
    journals_free(all);
}

BOTH_STORES(journal, finds_by_time_place_and_gtid)
{
    struct journals *all = journals_new(s);
    struct journal *j = open_it(all, true);
    struct err err = ERR_INIT;
    struct journal_record recs[200];
    struct feed f;
    uint64_t seq;

    feed_begin(&f, j, FLAVOR_MARIADB);
    for (int i = 0; i < 200; i++) {
        if (i == 100)
            feed_file(&f, 2);
        recs[i] = feed_txn(&f, 3000);
        f.clock_us += 1000;
    }
    feed_sync(&f);
    for (uint64_t i = 0; i < 200; i++) {
        char name[32];

        cr_assert_eq(journal_find_ts(j, recs[i].commit_ts, &seq, &err), 0, "%s", err.text);
        cr_assert_eq(seq, i + 1);
        cr_assert_eq(journal_find_gtid(j, &recs[i].gtid, &seq, &err), 0, "%s", err.text);
        cr_assert_eq(seq, i + 1);
        snprintf(name, sizeof name, "bin.%06u", recs[i].file_no);
        cr_assert_eq(journal_find_place(j, name, recs[i].from, &seq, &err), 0, "%s", err.text);
        cr_assert_eq(seq, i + 1);
        cr_assert_eq(journal_find_place(j, name, recs[i].from + 1, &seq, &err), -EINVAL);
        cr_assert_eq(seq, i + 1);
    }
    cr_assert_eq(journal_find_place(j, "bin.000001", recs[99].to, &seq, &err), 0, "%s", err.text);
    cr_assert_eq(seq, 101);
    cr_assert_eq(journal_find_place(j, "bin.000002", recs[199].to, &seq, &err), 0, "%s", err.text);
    cr_assert_eq(seq, 201);
    cr_assert_eq(journal_find_place(j, "bin.000002", recs[199].to + 1, &seq, &err), -ERANGE);
    cr_assert_eq(journal_find_place(j, "bin.000003", 4, &seq, &err), -ENOENT);
    cr_assert_eq(journal_find_ts(j, recs[199].commit_ts + 1, &seq, &err), -ENOENT);
    {
        struct gtid_set *has = NULL, *before = NULL;
        SCOPED(buf_fini) struct buf text = BUF_INIT;

        cr_assert_eq(gtid_set_parse(&has, FLAVOR_MARIADB, "0-7-100,1-7-51", &err), 0);
        cr_assert_eq(journal_find_set(j, has, &seq, &before, NULL, &err), 0, "%s", err.text);
        cr_assert_eq(seq, 53);
        gtid_set_print(before, &text);
        cr_assert_str_eq(text.data, "0-7-52,1-7-51");
        gtid_set_free(has);
        gtid_set_free(before);
    }
    cr_assert_eq(journal_write_end(j, &err), 0, "%s", err.text);
    journal_close(j);
    journals_free(all);
}

BOTH_STORES(journal, deletes_from_the_old_end)
{
    struct journals *all = journals_new(s);
    struct journal *j = open_it(all, true);
    struct journal_keep keep = { .max_bytes = 300000 };
    struct journal_gone gone;
    struct err err = ERR_INIT;
    struct journal_state st;
    struct journal_reader *r;
    struct journal_record rec;
    struct gtid_set *purged;
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct feed f;

    feed_begin(&f, j, FLAVOR_MYSQL);
    for (int i = 0; i < 200; i++)
        feed_txn(&f, 3000);
    feed_sync(&f);
    cr_assert_eq(journal_hold(j, "tasks/t", 23, false, &err), 0);
    cr_assert_eq(journal_gc(j, &keep, &gone, &err), 0, "%s", err.text);
    cr_assert_str_eq(gone.held_by, "tasks/t");
    journal_state(j, &st);
    cr_assert_leq(st.first_seq, 23);
    cr_assert_gt(st.first_seq, 1);
    cr_assert_eq(journal_release(j, "tasks/t", &err), 0);
    cr_assert_eq(journal_gc(j, &keep, &gone, &err), 0, "%s", err.text);
    journal_state(j, &st);
    cr_assert_leq(st.bytes, 300000);
    cr_assert_eq(st.bytes, (201 - st.first_seq) * 3000);
    purged = journal_purged(j);
    gtid_set_print(purged, &text);
    gtid_set_free(purged);
    {
        char expected[80];

        snprintf(expected, sizeof expected, "11111111-1111-1111-1111-111111111111:1-%d",
                 (int)st.first_seq - 1);
        cr_assert_str_eq(text.data, expected);
    }
    r = journal_reader_new(j, JOURNAL_DURABLE);
    cr_assert_eq(journal_reader_seek(r, 1, &err), -ERANGE);
    cr_assert_eq(journal_reader_next(r, &rec, 0, &err), -ERANGE);
    cr_assert_eq(journal_reader_seek(r, st.first_seq, &err), 0);
    for (uint64_t i = st.first_seq; i <= 200; i++) {
        cr_assert_eq(journal_reader_next(r, &rec, 0, &err), 1, "%s", err.text);
        cr_assert_eq(rec.seq, i);
        is_event(r, i, 3000);
    }
    journal_reader_free(r);
    cr_assert_eq(journal_write_end(j, &err), 0, "%s", err.text);
    journal_close(j);
    j = open_it(all, false);
    journal_state(j, &st);
    cr_assert_leq(st.bytes, 300000);
    journal_close(j);
    journals_free(all);
}

/* --- one closes it, another opens it --- */

struct visitor {
    struct journals *all;
    _Atomic uint64_t written; /* that many transactions are on disk, in what was closed */
    _Atomic bool done;
    uint64_t behind; /* visits that saw less than was there */
};

static void *visit(void *arg)
{
    struct visitor *v = arg;

    while (!v->done) {
        uint64_t written = v->written;
        struct journal *j = open_it(v->all, false);
        struct journal_state st;

        journal_state(j, &st);
        v->behind += st.durable_seq < written;
        journal_close(j);
    }
    return NULL;
}

BOTH_STORES(journal, is_whole_for_who_opens_it_while_another_closes_it)
{
    struct journals *all = journals_new(s);
    struct visitor v = { .all = all };
    struct journal *j = open_it(all, true);
    struct err err = ERR_INIT;
    struct feed f;
    pthread_t thread;

    feed_begin(&f, j, FLAVOR_MARIADB);
    pthread_create(&thread, NULL, visit, &v);
    for (int i = 0; i < 50; i++) {
        struct journal_head h;

        feed_txn(&f, 100);
        cr_assert_eq(journal_write_end(j, &err), 0, "%s", err.text);
        journal_close(j);
        v.written = f.n - 1;
        f.j = j = open_it(all, false);
        cr_assert_eq(journal_write_begin(j, &h, &err), 0, "%s", err.text);
        cr_assert_eq(h.next_seq, f.n);
        journal_head_fini(&h);
    }
    v.done = true;
    pthread_join(thread, NULL);
    cr_assert_eq(v.behind, 0);
    cr_assert_eq(journal_write_end(j, &err), 0, "%s", err.text);
    journal_close(j);
    journals_free(all);
}

static uint64_t count_states(struct store *s)
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value;
    struct err err = ERR_INIT;
    uint64_t n = 0;

    key_prefix(&prefix, KEY_STATE, "s1", NULL);
    it = store_iter_new(s, STORE_JOURNAL_INDEX, key_slice(&prefix));
    while (store_iter_next(it, &key, &value, &err) > 0)
        n++;
    return n;
}

static void is_set_before(struct journal *j, uint64_t seq)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    struct gtid_set *before = journal_gtids_before(j, seq, &err), *has = NULL;
    char expected[80];
    uint64_t found;

    cr_assert_not_null(before, "%s", err.text);
    gtid_set_print(before, &text);
    snprintf(expected, sizeof expected, "11111111-1111-1111-1111-111111111111:1-%d", (int)seq - 1);
    cr_assert_str_eq(text.data, expected);
    cr_assert_eq(journal_find_set(j, before, &found, &has, NULL, &err), 0, "%s", err.text);
    cr_assert_eq(found, seq);
    cr_assert(gtid_set_equal(has, before));
    gtid_set_free(before);
    gtid_set_free(has);
}

Test(journal, keeps_a_state_of_gtids_every_so_many_records)
{
    struct store *s = store_open_mem();
    struct journals *all = journals_new(s);
    struct journal *j = open_it(all, true);
    struct err err = ERR_INIT;
    struct feed f;

    feed_begin(&f, j, FLAVOR_MYSQL);
    for (int i = 0; i < 25000; i++)
        feed_txn(&f, 25);
    feed_sync(&f);
    cr_assert_eq(journal_write_end(j, &err), 0, "%s", err.text);
    journal_close(j);
    cr_assert_eq(count_states(s), 3);
    j = open_it(all, false);
    for (uint64_t seq = 3; seq <= 25001; seq += 1471)
        is_set_before(j, seq);
    is_set_before(j, 25001);
    journal_close(j);
    journals_free(all);
    store_close(s);
}
