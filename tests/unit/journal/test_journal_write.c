#include "stage.h"

Test(journal_write, has_one_writer)
{
    struct stage t;
    struct journal_head h;
    struct journal *again;

    stage_begin(&t, FLAVOR_MARIADB);
    cr_assert_eq(journal_write_begin(t.j, &h, &err), -EBUSY);
    OK(journal_open(t.all, "s1", false, &again, &err));
    cr_assert_eq(again, t.j, "opened once");
    journal_close(again);
    cr_assert_eq(journal_delete(t.all, "s1", &err), -EBUSY);
    cr_assert_eq(journal_open(t.all, "s2", false, &again, &err), -ENOENT);
    stage_end(&t);
}

Test(journal_write, refuses_a_record_that_is_not_where_the_file_goes_on)
{
    struct stage t;
    struct journal_record r = { .kind = JOURNAL_TXN, .incarnation = 1, .file_no = 1 };

    stage_begin(&t, FLAVOR_MARIADB);
    feed_txn(&t.f, 100);
    r.from = 50;
    r.to = 200;
    cr_assert_eq(journal_commit(t.j, &r, &err), -EINVAL, "over the one before");
    r.from = 104;
    r.file_no = 2;
    cr_assert_eq(journal_commit(t.j, &r, &err), -EINVAL, "of a file that was not begun");
    journal_drop(t.j);
    feed_txn(&t.f, 100);
    stage_end(&t);
}

Test(journal_write, forgets_what_is_dropped)
{
    struct stage t;
    SCOPED(buf_fini) struct buf lump = BUF_INIT;
    struct journal_reader *r;
    struct journal_record rec;

    stage_begin(&t, FLAVOR_MARIADB);
    make_event(&lump, 99, 3000000);
    OK(journal_add(t.j, slice_of(lump.data, lump.size), &err));
    journal_drop(t.j);
    feed_txn(&t.f, 2500000);
    feed_sync(&t.f);
    r = journal_reader_new(t.j, JOURNAL_DURABLE);
    cr_assert_eq(journal_reader_next(r, &rec, 0, &err), 1, "%s", err.text);
    cr_assert(rec.flags & JOURNAL_LARGE);
    is_event(r, 1, 2500000);
    journal_reader_free(r);
    stage_end(&t);
}

Test(journal_write, shows_written_records_before_they_are_on_disk)
{
    struct stage t;
    struct journal_reader *written, *durable;
    struct journal_record rec;
    struct journal_state st;

    stage_begin(&t, FLAVOR_MARIADB);
    written = journal_reader_new(t.j, JOURNAL_WRITTEN);
    durable = journal_reader_new(t.j, JOURNAL_DURABLE);
    feed_txn(&t.f, 100);
    cr_assert(journal_reader_ready(written));
    cr_assert_eq(journal_reader_next(written, &rec, 0, &err), 1);
    is_event(written, 1, 100);
    cr_assert_eq(journal_reader_next(durable, &rec, 0, &err), 0, "nobody flushed it");
    journal_state(t.j, &st);
    cr_assert(st.next_seq == 2 && st.durable_seq == 0 && st.writing);
    feed_sync(&t.f);
    cr_assert_eq(journal_reader_next(durable, &rec, 0, &err), 1);
    is_event(durable, 1, 100);
    journal_reader_stop(durable);
    cr_assert_eq(journal_reader_next(durable, &rec, -1, &err), -ECANCELED);
    journal_reader_free(written);
    journal_reader_free(durable);
    stage_end(&t);
}

Test(journal_write, keeps_what_an_idle_source_promised)
{
    struct stage t;
    struct journal_state st;
    struct journal_record r;
    uint64_t safe;

    stage_begin(&t, FLAVOR_MARIADB);
    r = feed_txn(&t.f, 100);
    now += 10000000;
    OK(journal_idle(t.j, &safe, &err));
    cr_assert_eq(safe, commit_ts_of_us(now));
    journal_state(t.j, &st);
    cr_assert(st.safe_ts == safe && st.commit_ts == r.commit_ts && st.durable_seq == 1);
    OK(journal_write_end(t.j, &err));
    journal_close(t.j);
    OK(journal_open(t.all, "s1", false, &t.j, &err));
    journal_state(t.j, &st);
    cr_assert_eq(st.safe_ts, safe, "after a restart");
    {
        struct journal_head h;

        OK(journal_write_begin(t.j, &h, &err));
        journal_head_fini(&h);
    }
    t.f.j = t.j;
    t.j->now_us = stopped_clock;
    now -= 60000000; /* our clock goes back */
    r = feed_txn(&t.f, 100);
    cr_assert_gt(r.commit_ts, safe);
    cr_assert(r.flags & JOURNAL_SKEWED);
    stage_end(&t);
}

Test(journal_write, a_promise_splits_the_journal)
{
    struct stage t;
    struct journal_record before, after;
    struct journal_state st;
    uint64_t ts, again;

    stage_begin(&t, FLAVOR_MARIADB);
    t.f.clock_us = now - now % 1000000; /* MariaDB's whole seconds */
    before = feed_txn(&t.f, 100);
    journal_state(t.j, &st);
    cr_assert_eq(st.durable_seq, 0, "it is on its way to the disk");
    OK(journal_promise(t.j, 0, 10000, &ts, &err));
    cr_assert_geq(ts, before.commit_ts);
    after = feed_txn(&t.f, 100);
    cr_assert_gt(after.commit_ts, ts, "of the same second");

    now += 300000;
    OK(journal_promise(t.j, commit_ts_of_us(now), 10000, &ts, &err));
    cr_assert_eq(ts, commit_ts_of_us(now));
    after = feed_txn(&t.f, 100);
    cr_assert_gt(after.commit_ts, ts);
    cr_assert_not(after.flags & JOURNAL_SKEWED, "its second is not over");
    OK(journal_promise(t.j, 1, 10000, &again, &err));
    cr_assert_eq(again, after.commit_ts, "never goes back");
    stage_end(&t);
}

Test(journal_write, a_promise_holds_after_a_crash)
{
    struct stage t;
    struct journal_record after;
    struct journal_head h;
    uint64_t ts;

    stage_begin(&t, FLAVOR_MARIADB);
    t.f.clock_us = now - now % 1000000;
    feed_txn(&t.f, 100);
    now += 300000;
    OK(journal_promise(t.j, commit_ts_of_us(now), 10000, &ts, &err));
    feed_sync(&t.f);
    OK(journal_write_end(t.j, &err));
    cr_assert_eq(journal_promise(t.j, 0, 10000, &ts, &err), -ESHUTDOWN, "nobody writes");
    journal_close(t.j);

    OK(journal_open(t.all, "s1", false, &t.j, &err));
    OK(journal_write_begin(t.j, &h, &err));
    journal_head_fini(&h);
    t.f.j = t.j;
    t.j->now_us = stopped_clock;
    after = feed_txn(&t.f, 100);
    cr_assert_gt(after.commit_ts, commit_ts_of_us(now));
    stage_end(&t);
}

static unsigned mark_of(struct journal *j) NO_THREAD_CHECK
{
    return j->head.mark;
}

Test(journal_write, journals_have_marks_of_their_own)
{
    struct stage t;
    struct journal *j[3];
    unsigned mark;

    stage_begin(&t, FLAVOR_MARIADB);
    mark = mark_of(t.j);
    for (int i = 0; i < 3; i++) {
        char name[] = "x0";

        name[1] = (char)('0' + i);
        OK(journal_open(t.all, name, true, &j[i], &err));
        cr_assert_neq(mark_of(j[i]), mark);
        cr_assert(i == 0 || mark_of(j[i]) != mark_of(j[i - 1]));
    }
    mark = mark_of(j[1]);
    journal_close(j[1]);
    OK(journal_open(t.all, "x1", false, &j[1], &err));
    cr_assert_eq(mark_of(j[1]), mark, "it stays");
    for (int i = 0; i < 3; i++)
        journal_close(j[i]);
    stage_end(&t);
}

Test(journal_write, counts_incarnations_and_their_files)
{
    struct stage t;
    struct gtid_set *gtids = NULL, *purged;
    struct journal_file f;
    struct journal_head h;
    uint64_t seq;

    stage_begin(&t, FLAVOR_MARIADB);
    feed_txn(&t.f, 100);
    OK(gtid_set_parse(&gtids, FLAVOR_MARIADB, "0-9-70", &err));
    OK(journal_incarnation(t.j, "server_id 9", gtids, &err));
    t.f.incarnation = 2;
    feed_file(&t.f, 1);
    feed_txn(&t.f, 200);
    feed_sync(&t.f);
    OK(journal_find_place(t.j, "bin.000001", 4, &seq, &err));
    cr_assert_eq(seq, 2, "of the newest incarnation");
    OK(journal_file_of(t.j, 1, &f, &err));
    cr_assert(f.incarnation == 1 && f.no == 1 && f.first_seq == 1 && f.end == 104);
    cr_assert(slice_eq(f.format, slice_str("format")));
    journal_file_fini(&f);
    OK(journal_file_of(t.j, 2, &f, &err));
    cr_assert(f.incarnation == 2 && f.first_seq == 2 && f.end == 204);
    journal_file_fini(&f);
    purged = journal_purged(t.j);
    cr_assert(gtid_set_empty(purged));
    gtid_set_free(purged);
    gtid_set_free(gtids);
    OK(journal_write_end(t.j, &err));
    OK(journal_write_begin(t.j, &h, &err));
    cr_assert_str_eq(h.source_id, "server_id 9");
    cr_assert_eq(h.incarnation, 2);
    journal_head_fini(&h);
    stage_end(&t);
}

Test(journal_write, does_not_go_on_while_the_disk_is_full)
{
    struct stage t;
    struct journal_record r;

    stage_begin(&t, FLAVOR_MARIADB);
    feed_txn(&t.f, 100);
    feed_sync(&t.f);
    store_mem_fill(t.s, true);
    r = feed_txn(&t.f, 100);
    cr_assert_eq(journal_wait_durable(t.j, r.seq, 10000, &err), -ENOSPC);
    cr_assert_eq(journal_flush(t.j, &err), -ENOSPC);
    OK(journal_flush(t.j, &err));
    cr_assert_eq(journal_wait_durable(t.j, r.seq, 10000, &err), -ENOSPC, "still");
    store_mem_fill(t.s, false);
    (void)journal_flush(t.j, &err);
    OK(journal_flush(t.j, &err));
    OK(journal_wait_durable(t.j, r.seq, 10000, &err));
    stage_end(&t);
}

Test(journal_write, takes_one_whose_gtids_are_not_known)
{
    struct stage t;
    struct gtid_set *has = NULL;
    struct journal_file f;
    uint64_t seq;

    stage_begin(&t, FLAVOR_MARIADB);
    feed_txn(&t.f, 100);
    OK(journal_incarnation(t.j, "server_id 9", NULL, &err));
    t.f.incarnation = 2;
    feed_file(&t.f, 7);
    feed_txn(&t.f, 200);
    feed_sync(&t.f);
    cr_assert_null(journal_gtids_before(t.j, 3, &err));
    make_file(&t.f, &f, 8);
    OK(gtid_set_parse(&f.at_from, FLAVOR_MARIADB, "0-9-70", &err));
    OK(journal_file_begin(t.j, &f, &err));
    t.f.file_no = 8;
    t.f.offset = 4;
    t.f.n = 80;
    feed_txn(&t.f, 200);
    feed_sync(&t.f);
    has = journal_gtids_before(t.j, 4, &err);
    cr_assert_not_null(has, "the file says");
    {
        SCOPED(buf_fini) struct buf text = BUF_INIT;

        gtid_set_print(has, &text);
        cr_assert_str_eq(text.data, "0-7-80");
    }
    OK(journal_find_set(t.j, has, &seq, NULL, NULL, &err));
    cr_assert_eq(seq, 4);
    gtid_set_free(has);
    gtid_set_free(f.at_from);
    stage_end(&t);
}
