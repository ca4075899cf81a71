/* The n-th call of the store fails, for n = 1, 2, 3 ... until all passes; or the machine stops
 * there: what was acknowledged is there, whole, and writing goes on behind it. */
#include "records.h"

static const size_t sizes[] = { 100, 70000, 300, 65536, 5000, 600000, 19, 40000, 40000, 200 };
enum { N_SIZES = sizeof sizes / sizeof *sizes, N_RECORDS = 30 };

static size_t size_of(uint64_t n)
{
    return sizes[n % N_SIZES];
}

static struct feed go_on(struct journal *j, const struct journal_head *h)
{
    struct feed f = { .j = j,
                      .n = h->next_seq,
                      .incarnation = h->incarnation,
                      .file_no = h->pos.file[0] ? 1 : 0,
                      .offset = h->pos.offset,
                      .flavor = FLAVOR_MARIADB };
    return f;
}

static int begin(struct journal *j, struct feed *f, struct err *err)
{
    struct journal_head h;
    struct gtid_set *none = gtid_set_new(FLAVOR_MARIADB);
    struct journal_file file;
    int rc = journal_write_begin(j, &h, err);

    if (rc == 0) {
        *f = go_on(j, &h);
        f->clock_us = 1000000000;
        if (f->incarnation == 0) {
            rc = journal_incarnation(j, "s", none, err);
            f->incarnation = 1;
        }
        make_file(f, &file, 1);
        if (rc == 0 && f->file_no == 0) {
            rc = journal_file_begin(j, &file, err);
            f->file_no = 1;
            f->offset = 4;
        }
        journal_head_fini(&h);
        if (rc < 0) {
            struct err ignored = ERR_INIT;

            (void)journal_write_end(j, &ignored);
        }
    }
    gtid_set_free(none);
    return rc;
}

static int feed_all(struct feed *f, uint64_t *acknowledged, struct err *err)
{
    struct journal_record r;
    struct journal_keep keep = { .max_bytes = 700000 };
    struct journal_gone gone;
    int rc = 0;

    while (rc == 0 && f->n <= N_RECORDS) {
        rc = feed_try(f, size_of(f->n), &r, err);
        if (rc == 0 && (f->n % 3 == 0 || f->n % 5 == 0))
            rc = journal_flush(f->j, err);
        if (rc == 0 && f->n % 5 == 0)
            rc = journal_wait_durable(f->j, r.seq, 10000, err);
        if (rc == 0 && f->n % 5 == 0)
            *acknowledged = r.seq;
        if (rc == 0 && f->n % 10 == 0)
            rc = journal_gc(f->j, &keep, &gone, err);
    }
    return rc;
}

/* Writes until something fails.  0 when all passed. */
static int write_all(struct store *s, bool stops, uint64_t *acknowledged, struct err *err)
{
    struct journals *all = journals_new(s);
    struct journal *j = NULL;
    struct err end = ERR_INIT;
    struct feed f;
    int rc = journal_open(all, "s1", true, &j, err);

    if (rc == 0 && (rc = begin(j, &f, err)) == 0) {
        rc = feed_all(&f, acknowledged, err);
        if (journal_write_end(j, &end) < 0 && rc == 0) {
            *err = end;
            rc = end.code;
        } else if (end.code == 0 && !stops) {
            *acknowledged = f.n - 1;
        }
    }
    journal_close(j);
    journals_free(all);
    return rc;
}

static void check_all(struct journal *j, uint64_t acknowledged, unsigned n)
{
    struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct journal_record rec;
    struct journal_state st;
    struct err err = ERR_INIT;
    uint64_t seq, found;

    journal_state(j, &st);
    cr_assert_geq(st.durable_seq, acknowledged, "n = %u", n);
    cr_assert_eq(journal_reader_seek(r, st.first_seq, &err), 0, "n = %u: %s", n, err.text);
    for (seq = st.first_seq; seq <= st.durable_seq; seq++) {
        cr_assert_eq(journal_reader_next(r, &rec, 0, &err), 1, "n = %u: %s", n, err.text);
        cr_assert_eq(rec.seq, seq);
        is_event(r, seq, size_of(seq));
        cr_assert_eq(journal_find_gtid(j, &rec.gtid, &found, &err), 0, "n = %u: %s", n, err.text);
        cr_assert_eq(found, seq);
    }
    cr_assert_eq(journal_reader_next(r, &rec, 0, &err), 0);
    journal_reader_free(r);
}

/* Pieces of a record that was never published are gone. */
static void nothing_above_the_head(struct store *s, uint64_t head)
{
    SCOPED(store_iter_freep)
    struct store_iter *it = store_iter_new(s, store_journal(1), slice_of(NULL, 0));
    struct slice key, value;
    struct err err = ERR_INIT;
    uint64_t seq = 0;

    store_iter_last(it);
    if (store_iter_prev(it, &key, &value, &err) > 0)
        for (size_t i = 4; i < 12; i++)
            seq = seq << 8 | key.data[i];
    cr_assert_lt(seq, head);
}

static void survives(bool stops)
{
    for (unsigned n = 1;; n++) {
        struct store *s = store_open_mem();
        struct journals *all = journals_new(s);
        struct journal *j;
        struct journal_state st;
        struct err err = ERR_INIT;
        uint64_t acknowledged = 0;
        int rc;

        (stops ? store_mem_stop_at : store_mem_fail_at)(s, n);
        rc = write_all(s, stops, &acknowledged, &err);
        cr_assert(rc == 0 || (rc == -EIO && err.text[0]), "n = %u: %d %s", n, rc, err.text);
        store_mem_fail_at(s, 0);
        err = ERR_INIT;
        cr_assert_eq(journal_open(all, "s1", true, &j, &err), 0, "n = %u: %s", n, err.text);
        check_all(j, acknowledged, n);
        journal_state(j, &st);
        nothing_above_the_head(s, st.next_seq);
        journal_close(j);
        journals_free(all);
        if (rc == 0)
            n = 0; /* nothing failed: the last */
        acknowledged = 0;
        cr_assert_eq(write_all(s, false, &acknowledged, &err), 0, "%s", err.text);
        cr_assert_eq(acknowledged, N_RECORDS);
        store_close(s);
        if (n == 0)
            return;
    }
}

Test(journal_faults, loses_nothing_when_one_call_of_the_store_fails, .timeout = 100)
{
    survives(false);
}

Test(journal_faults, loses_nothing_when_the_machine_stops_at_a_call, .timeout = 100)
{
    survives(true);
}

Test(journal_faults, says_what_the_disk_said_once_and_goes_on)
{
    struct store *s = store_open_mem();
    struct journals *all = journals_new(s);
    struct journal *j;
    struct journal_record r;
    struct err err = ERR_INIT;
    struct feed f;

    cr_assert_eq(journal_open(all, "s1", true, &j, &err), 0);
    feed_begin(&f, j, FLAVOR_MARIADB);
    feed_txn(&f, 100);
    feed_sync(&f);
    store_mem_fail_at(s, 1);
    r = feed_txn(&f, 200);
    cr_assert_eq(journal_flush(j, &err), 0);
    cr_assert_eq(journal_wait_durable(j, r.seq, 10000, &err), -EIO);
    cr_assert_str_eq(err.text, "journal s1: cannot write: store: made to fail");
    cr_assert_eq(journal_flush(j, &err), -EIO, "the writer hears of it too");
    cr_assert_eq(journal_flush(j, &err), 0, "and has it tried again");
    cr_assert_eq(journal_wait_durable(j, r.seq, 10000, &err), 0, "%s", err.text);
    r = feed_txn(&f, 300);
    feed_sync(&f);
    cr_assert_eq(r.seq, 3);
    cr_assert_eq(journal_write_end(j, &err), 0);
    journal_close(j);
    journals_free(all);
    store_close(s);
}
