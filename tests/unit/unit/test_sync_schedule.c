#include <criterion/criterion.h>
#include <stdlib.h>

#include "unit/sync/sync_schedule.h"

static struct schedule s;

static void setup(void)
{
    struct schedule_limits limits = { .n_open = 4, .max_txns = 16, .max_size = 1 << 20 };

    schedule_init(&s, &limits);
}

static void teardown(void)
{
    schedule_fini(&s);
}

TestSuite(sync_schedule, .init = setup, .fini = teardown);

static int add(uint64_t seq, uint64_t key)
{
    struct footprint f = { .keys = &key, .n = 1 };

    return schedule_add(&s, &f, seq, 1, 10);
}

Test(sync_schedule, those_that_do_not_meet_run_side_by_side)
{
    int x = add(1, 100), y = add(2, 200);

    cr_assert_neq(x, y);
    cr_expect_eq(schedule_take(&s), x);
    cr_expect_eq(schedule_take(&s), y);
    cr_expect_eq(schedule_take(&s), -1);
}

Test(sync_schedule, one_that_meets_a_running_batch_waits_for_it)
{
    int x = add(1, 100), y;

    cr_assert_eq(schedule_take(&s), x);
    y = add(2, 100);
    cr_assert_neq(x, y);
    cr_expect_eq(schedule_take(&s), -1);
    schedule_done(&s, x);
    cr_expect_eq(schedule_take(&s), y);
}

Test(sync_schedule, one_that_meets_an_open_batch_joins_it)
{
    cr_expect_eq(add(1, 100), add(2, 100));
}

Test(sync_schedule, one_that_meets_two_open_batches_waits_for_both)
{
    uint64_t both[] = { 100, 200 };
    struct footprint f = { .keys = both, .n = 2 };
    int x = add(1, 100), y = add(2, 200), z = schedule_add(&s, &f, 3, 1, 10);

    cr_assert(z != x && z != y);
    cr_expect_eq(schedule_take(&s), x);
    cr_expect_eq(schedule_take(&s), y);
    cr_expect_eq(schedule_take(&s), -1);
    schedule_done(&s, x);
    cr_expect_eq(schedule_take(&s), -1);
    schedule_done(&s, y);
    cr_expect_eq(schedule_take(&s), z);
}

Test(sync_schedule, what_is_shared_meets_only_what_is_touched_alone)
{
    int x = add(1, 100 | FOOTPRINT_SHARED), y = add(2, 100 | FOOTPRINT_SHARED), z;

    cr_assert_neq(x, y);
    cr_assert_eq(schedule_take(&s), x);
    cr_assert_eq(schedule_take(&s), y);
    z = add(3, 100);
    cr_expect_eq(schedule_take(&s), -1);
    schedule_done(&s, x);
    schedule_done(&s, y);
    cr_expect_eq(schedule_take(&s), z);
}

/* --- random transactions against the rule itself --- */

#define N_TXNS 3000
#define N_KEYS 3

static struct {
    uint64_t keys[N_KEYS];
    int batch;
    unsigned ended; /* when; 0: not yet */
} txns[N_TXNS];

static bool meet(int x, int y)
{
    for (int i = 0; i < N_KEYS; i++)
        for (int k = 0; k < N_KEYS; k++)
            if ((txns[x].keys[i] | 1) == (txns[y].keys[k] | 1) &&
                !(txns[x].keys[i] & txns[y].keys[k] & FOOTPRINT_SHARED))
                return true;
    return false;
}

static void end_one(int *running, unsigned *n_running, unsigned now)
{
    unsigned at = (unsigned)rand() % *n_running;
    int batch = running[at];

    running[at] = running[--*n_running];
    for (int i = 0; i < N_TXNS; i++)
        if (txns[i].batch == batch && !txns[i].ended)
            txns[i].ended = now;
    schedule_done(&s, batch);
}

static void check_begun(int batch)
{
    for (int i = 0; i < N_TXNS; i++) {
        if (txns[i].batch != batch || txns[i].ended)
            continue;
        for (int k = 0; k < i; k++)
            cr_assert(txns[k].ended || txns[k].batch == batch || !meet(k, i),
                      "%d began before %d, which it meets, ended", i, k);
    }
}

Test(sync_schedule, random_transactions_that_meet_keep_their_order_and_all_run)
{
    int running[SCHEDULE_BATCHES], next = 0;
    unsigned n_running = 0, now = 0;

    srand(7);
    for (int i = 0; i < N_TXNS; i++) {
        txns[i].batch = -1;
        for (int k = 0; k < N_KEYS; k++)
            txns[i].keys[k] =
                (uint64_t)(rand() % 400) * 2 + 2 + (rand() % 4 ? 0 : FOOTPRINT_SHARED);
    }
    while (next < N_TXNS || !schedule_empty(&s)) {
        int batch;

        now++;
        if (next < N_TXNS && rand() % 3) {
            struct footprint f = { .keys = txns[next].keys, .n = N_KEYS };

            txns[next].batch = schedule_add(&s, &f, (uint64_t)next + 1, 1, 10);
            if (txns[next].batch >= 0) {
                next++;
                continue;
            }
        }
        batch = n_running < 6 ? schedule_take(&s) : -1;
        if (batch >= 0) {
            check_begun(batch);
            running[n_running++] = batch;
        } else {
            cr_assert(n_running || next < N_TXNS, "all wait for each other");
            if (n_running)
                end_one(running, &n_running, now);
        }
    }
    for (int i = 0; i < N_TXNS; i++)
        cr_assert(txns[i].ended);
}
