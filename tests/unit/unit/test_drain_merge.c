#include "unit/drain/drain_merge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(drain_merge, waits_for_the_lane_that_may_come_earlier)
{
    struct drain_merge *m = drain_merge_new();
    unsigned a = drain_merge_add(m, "a"), b = drain_merge_add(m, "b"), lane;

    drain_merge_head(m, a, 10);
    cr_assert_eq(drain_merge_take(m, &lane), 0);
    cr_assert_eq(lane, b);
    drain_merge_safe(m, b, 9);
    cr_assert_eq(drain_merge_take(m, &lane), 0);
    drain_merge_safe(m, b, 10);
    cr_assert_eq(drain_merge_take(m, &lane), 1);
    cr_assert_eq(lane, a);
    drain_merge_free(m);
}

Test(drain_merge, takes_equal_timestamps_in_the_order_of_names)
{
    struct drain_merge *m = drain_merge_new();
    unsigned b = drain_merge_add(m, "b"), a = drain_merge_add(m, "a"), lane;

    drain_merge_head(m, b, 5);
    drain_merge_head(m, a, 5);
    cr_assert_eq(drain_merge_take(m, &lane), 1);
    cr_assert_eq(lane, a);
    cr_assert_eq(drain_merge_take(m, &lane), 1, "a's next is later than 5");
    cr_assert_eq(lane, b);
    drain_merge_free(m);
}

Test(drain_merge, goes_on_when_the_lane_that_stands_still_is_taken_out)
{
    struct drain_merge *m = drain_merge_new();
    unsigned a = drain_merge_add(m, "a"), b = drain_merge_add(m, "b"), lane;

    drain_merge_head(m, a, 10);
    cr_assert_eq(drain_merge_take(m, &lane), 0);
    drain_merge_remove(m, b);
    cr_assert_eq(drain_merge_take(m, &lane), 1);
    drain_merge_remove(m, a);
    cr_assert_eq(drain_merge_take(m, &lane), -1);
    cr_assert_eq(drain_merge_done(m), 0);
    drain_merge_free(m);
}

Test(drain_merge, a_place_is_before_what_follows_it_in_time_or_by_name)
{
    struct drain_place all = { 7, NULL }, b = { 7, "b" };

    cr_assert(!drain_place_before(&all, 7, "z"));
    cr_assert(drain_place_before(&all, 8, "a"));
    cr_assert(!drain_place_before(&b, 7, "b"));
    cr_assert(drain_place_before(&b, 7, "c"));
    cr_assert(!drain_place_before(&b, 6, "c"));
}

/* --- property: k sorted inputs, lanes that come, go and stall --- */

enum { LANES = 6, ITEMS = 400 };

struct input {
    bool there;
    unsigned number;
    uint64_t ts[ITEMS];
    unsigned n, at;
    bool headed;
};

static struct input inputs[LANES];

static void make(struct input *in, uint64_t from)
{
    uint64_t ts = from;

    in->n = (unsigned)(rand() % ITEMS);
    in->at = 0;
    in->headed = false;
    for (unsigned i = 0; i < in->n; i++)
        in->ts[i] = ts += 1 + (uint64_t)(rand() % 5);
}

static void offer(struct drain_merge *m, struct input *in)
{
    if (!in->there || in->headed)
        return;
    if (in->at < in->n && rand() % 3) {
        drain_merge_head(m, in->number, in->ts[in->at]);
        in->headed = true;
    } else if (in->at == in->n) {
        drain_merge_safe(m, in->number, UINT64_MAX);
    } else if (rand() % 2) {
        drain_merge_safe(m, in->number, in->ts[in->at] - 1);
    }
}

static void come_and_go(struct drain_merge *m, uint64_t last)
{
    struct input *in = &inputs[rand() % LANES];
    char name[16];

    if (in->there) {
        drain_merge_remove(m, in->number);
        in->there = false;
        return;
    }
    snprintf(name, sizeof name, "p%d", (int)(in - inputs));
    in->there = true;
    in->number = drain_merge_add(m, name);
    make(in, last);
}

static int of_number(unsigned number)
{
    for (int i = 0; i < LANES; i++)
        if (inputs[i].there && inputs[i].number == number)
            return i;
    return -1;
}

/* Never behind the last, never over an item that was there, nothing twice. */
static void run(unsigned seed)
{
    struct drain_merge *m = drain_merge_new();
    struct drain_place last = { 0, NULL };
    static char name[16], last_name[16];
    unsigned taken = 0;

    srand(seed);
    memset(inputs, 0, sizeof inputs);
    for (int turn = 0; turn < 4000; turn++) {
        unsigned lane;

        for (int i = 0; i < LANES; i++)
            offer(m, &inputs[i]);
        if (rand() % 50 == 0)
            come_and_go(m, last.ts);
        while (drain_merge_take(m, &lane) == 1) {
            int i = of_number(lane);
            struct input *in = &inputs[i];

            cr_assert(i >= 0 && in->headed);
            snprintf(name, sizeof name, "p%d", i);
            cr_assert(drain_place_before(&last, in->ts[in->at], name) || last.ts == 0,
                      "seed %u: %llu of %s after %llu", seed, (unsigned long long)in->ts[in->at],
                      name, (unsigned long long)last.ts);
            for (int o = 0; o < LANES; o++)
                if (inputs[o].there && inputs[o].at < inputs[o].n)
                    cr_assert_geq(inputs[o].ts[inputs[o].at], in->ts[in->at], "seed %u", seed);
            memcpy(last_name, name, sizeof name);
            last = (struct drain_place){ in->ts[in->at], last_name };
            in->at++;
            in->headed = false;
            taken++;
            offer(m, in);
        }
        cr_assert(drain_merge_done(m) == 0 || drain_merge_done(m) >= last.ts ||
                      drain_merge_done(m) + 1 == last.ts,
                  "seed %u: done %llu, last %llu", seed, (unsigned long long)drain_merge_done(m),
                  (unsigned long long)last.ts);
    }
    cr_assert_gt(taken, 0);
    drain_merge_free(m);
}

Test(drain_merge, k_sorted_inputs_come_out_sorted_whatever_comes_and_goes)
{
    for (unsigned seed = 1; seed <= 60; seed++)
        run(seed);
}
