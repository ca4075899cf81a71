#include "stage.h"

/* 100 records of 3000 bytes, one a second. */
static void begin(struct stage *t)
{
    stage_begin(t, FLAVOR_MYSQL);
    for (int i = 0; i < 100; i++) {
        if (i == 50)
            feed_file(&t->f, 2);
        t->f.clock_us = now;
        feed_txn(&t->f, 3000);
        now += 1000000;
    }
    feed_sync(&t->f);
}

static struct journal_gone collect(struct stage *t, struct journal_keep k)
{
    struct journal_gone gone;

    OK(journal_gc(t->j, &k, &gone, &err));
    return gone;
}

static uint64_t first(struct stage *t)
{
    struct journal_state st;

    journal_state(t->j, &st);
    return st.first_seq;
}

Test(journal_gc, deletes_nothing_unless_told)
{
    struct stage t;

    begin(&t);
    cr_assert_eq(collect(&t, (struct journal_keep){ 0 }).records, 0);
    cr_assert_eq(collect(&t, (struct journal_keep){ .max_age_us = 200000000 }).records, 0);
    cr_assert_eq(collect(&t, (struct journal_keep){ .max_bytes = 300000 }).records, 0);
    cr_assert_eq(first(&t), 1);
    stage_end(&t);
}

Test(journal_gc, deletes_what_is_old)
{
    struct stage t;
    struct journal_gone gone;
    struct journal_state st;

    begin(&t);
    gone = collect(&t, (struct journal_keep){ .max_age_us = 50000000 });
    cr_assert(gone.records >= 21 && gone.records <= 50, "%d", (int)gone.records);
    cr_assert_eq(gone.bytes, gone.records * 3000);
    cr_assert_eq(first(&t), gone.records + 1);
    journal_state(t.j, &st);
    cr_assert_eq(st.bytes, (100 - gone.records) * 3000);
    cr_assert_eq(commit_ts_us(st.first_ts), now - (100 - (int64_t)gone.records) * 1000000);
    stage_end(&t);
}

Test(journal_gc, keeps_the_newest_block)
{
    struct stage t;

    begin(&t);
    collect(&t, (struct journal_keep){ .until_seq = 1000 });
    cr_assert(first(&t) > 50 && first(&t) <= 100);
    collect(&t, (struct journal_keep){ .max_bytes = 1 });
    cr_assert_leq(first(&t), 100);
    stage_end(&t);
}

Test(journal_gc, respects_who_still_reads)
{
    struct stage t;
    struct journal_gone gone;

    begin(&t);
    OK(journal_hold(t.j, "tasks/a", 60, false, &err));
    OK(journal_hold(t.j, "tasks/b", 30, true, &err));
    gone = collect(&t, (struct journal_keep){ .until_seq = 90 });
    cr_assert(first(&t) > 1 && first(&t) <= 30);
    cr_assert_str_eq(gone.held_by, "tasks/b");
    cr_assert_str_eq(gone.lost_by, "");
    gone = collect(&t, (struct journal_keep){ .until_seq = 90, .despite_holds = true });
    cr_assert_gt(first(&t), 60);
    cr_assert_str_eq(gone.lost_by, "tasks/b");
    OK(journal_release(t.j, "tasks/b", &err));
    OK(journal_release(t.j, "nobody", &err));
    stage_end(&t);
}

static void count(void *arg, const char *who, uint64_t seq)
{
    cr_assert_str_eq(who, "tasks/kept");
    cr_assert_eq(seq, 7);
    ++*(int *)arg;
}

Test(journal_gc, remembers_the_holds_that_are_to_be_kept)
{
    struct stage t;
    int n = 0;

    begin(&t);
    OK(journal_hold(t.j, "tasks/kept", 5, true, &err));
    OK(journal_hold(t.j, "tasks/kept", 7, true, &err));
    OK(journal_hold(t.j, "tasks/not", 5, false, &err));
    OK(journal_write_end(t.j, &err));
    journal_close(t.j);
    OK(journal_open(t.all, "s1", false, &t.j, &err));
    journal_holds(t.j, count, &n);
    cr_assert_eq(n, 1);
    collect(&t, (struct journal_keep){ .until_seq = 90 });
    cr_assert_leq(first(&t), 7);
    journal_close(t.j);
    journals_free(t.all);
    store_close(t.s);
}

struct seen {
    uint32_t no[4];
    uint64_t from[4], first_seq[4];
    bool known[4];
    int n;
};

static bool see(void *arg, const struct journal_file *f)
{
    struct seen *s = arg;

    s->no[s->n] = f->no;
    s->from[s->n] = f->from;
    s->known[s->n] = f->at_from != NULL;
    s->first_seq[s->n++] = f->first_seq;
    return true;
}

Test(journal_gc, cuts_the_files_too)
{
    struct stage t;
    struct seen s = { 0 };
    uint64_t begins, seq;
    struct gtid g = make_gtid(FLAVOR_MYSQL, 3);

    begin(&t);
    collect(&t, (struct journal_keep){ .until_seq = 45 });
    begins = first(&t);
    OK(journal_files(t.j, see, &s, &err));
    cr_assert(s.n == 2 && s.no[0] == 1 && s.no[1] == 2);
    cr_assert_eq(s.first_seq[0], begins);
    cr_assert_eq(s.from[0], 4 + (begins - 1) * 3000);
    cr_assert(s.known[0]);
    cr_assert_eq(journal_find_place(t.j, "bin.000001", 4, &seq, &err), -ERANGE);
    cr_assert_eq(journal_find_gtid(t.j, &g, &seq, &err), -ERANGE);
    cr_assert_eq(journal_find_ts(t.j, 1, &seq, &err), -ERANGE);
    collect(&t, (struct journal_keep){ .until_seq = 99 });
    s.n = 0;
    OK(journal_files(t.j, see, &s, &err));
    cr_assert(s.n == 1 && s.no[0] == 2);
    stage_end(&t);
}

Test(journal_gc, tells_a_client_what_it_lacks)
{
    struct stage t;
    struct gtid_set *has = gtid_set_new(FLAVOR_MYSQL), *missing = NULL;
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    char expected[80];
    uint64_t seq;

    begin(&t);
    collect(&t, (struct journal_keep){ .until_seq = 45 });
    cr_assert_eq(journal_find_set(t.j, has, &seq, NULL, &missing, &err), -ERANGE);
    gtid_set_print(missing, &text);
    snprintf(expected, sizeof expected, "11111111-1111-1111-1111-111111111111:1-%d",
             (int)first(&t) - 1);
    cr_assert_str_eq(text.data, expected);
    gtid_set_free(missing);
    gtid_set_free(has);
    stage_end(&t);
}
