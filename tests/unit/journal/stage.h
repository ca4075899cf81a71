/* stage.h - a journal in a store of memory, with a clock that stands still. */
#ifndef SLUICE_TEST_JOURNAL_STAGE_H
#define SLUICE_TEST_JOURNAL_STAGE_H

#include "journal/commit_ts.h"
#include "journal/journal_impl.h"
#include "records.h"

static int64_t now = INT64_C(1700000000000000);

static inline int64_t stopped_clock(void)
{
    return now;
}

struct stage {
    struct store *s;
    struct journals *all;
    struct journal *j;
    struct feed f;
};

static struct err err;
#define OK(call)                               \
    do {                                       \
        err = ERR_INIT;                        \
        cr_assert_eq(call, 0, "%s", err.text); \
    } while (0)

static inline void stage_begin(struct stage *t, enum flavor flavor)
{
    t->s = store_open_mem();
    t->all = journals_new(t->s);
    OK(journal_open(t->all, "s1", true, &t->j, &err));
    t->j->now_us = stopped_clock;
    feed_begin(&t->f, t->j, flavor);
    t->f.clock_us = now;
}

static inline void stage_end(struct stage *t)
{
    OK(journal_write_end(t->j, &err));
    journal_close(t->j);
    journals_free(t->all);
    store_close(t->s);
}

#endif
