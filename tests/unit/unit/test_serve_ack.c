#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "unit/serve/serve_ack.h"

static struct ack_point at(uint64_t seq, const char *file, uint64_t offset)
{
    struct ack_point p = { .seq = seq, .offset = offset };

    snprintf(p.file, sizeof p.file, "%s", file);
    return p;
}

static bool ask(struct acks *a, uint64_t seq, uint64_t offset, bool more)
{
    struct ack_point p = at(seq, "bin.000001", offset);

    return acks_ask(a, &p, more, (int64_t)seq);
}

/* 0xEF, the offset, the file: what a replica sends. */
static int answer(struct acks *a, const char *file, uint64_t offset, struct ack_point *ret)
{
    uint8_t bytes[64] = { 0xef };
    struct err err = ERR_INIT;

    for (int i = 0; i < 8; i++)
        bytes[1 + i] = (uint8_t)(offset >> 8 * i);
    memcpy(bytes + 9, file, strlen(file));
    return acks_take(a, slice_of(bytes, 9 + strlen(file)), ret, &err);
}

Test(serve_ack, asks_for_the_last_before_it_waits_and_one_in_a_hundred)
{
    struct acks a = { .n = 0 };
    unsigned asked = 0;

    for (uint64_t seq = 1; seq <= 250; seq++)
        asked += ask(&a, seq, seq * 10, true);
    cr_assert_eq(asked, 2);
    cr_assert(ask(&a, 251, 2510, false));
    cr_assert_eq(acks_waits_us(&a), 100, "the oldest that is not answered");
}

Test(serve_ack, an_answer_counts_for_all_before_it)
{
    struct acks a = { .n = 0 };
    struct ack_point got;

    ask(&a, 1, 100, false);
    ask(&a, 2, 200, false);
    ask(&a, 3, 300, false);
    cr_assert_eq(answer(&a, "bin.000001", 200, &got), 0);

    cr_assert_eq(a.has.seq, 2);
    cr_assert_eq(got.seq, 2);
    cr_assert_eq(acks_waits_us(&a), 3);
    cr_assert_eq(answer(&a, "bin.000009", 300, &got), 0);
    cr_assert_eq(a.has.seq, 2, "of another file");
    answer(&a, "bin.000001", 300, &got);
    cr_assert_eq(a.has.seq, 3);
    cr_assert_eq(acks_waits_us(&a), 0);
}

Test(serve_ack, what_needs_no_answer_counts_once_all_else_is_answered)
{
    struct acks a = { .n = 0 };
    struct ack_point got, begin = at(10, "bin.000001", 50), event = at(12, "bin.000001", 150);

    acks_begin(&a, &begin);
    ask(&a, 11, 100, false);
    acks_pass(&a, &event);
    cr_assert_eq(a.has.seq, 10);

    answer(&a, "bin.000001", 100, &got);
    cr_assert_eq(a.has.seq, 11);
    acks_pass(&a, &event);
    cr_assert_eq(a.has.seq, 12);
    cr_assert_eq(a.has.offset, 150);
}

Test(serve_ack, an_unasked_transaction_holds_back_what_follows_it)
{
    struct acks a = { .n = 0 };
    struct ack_point begin = at(10, "bin.000001", 50), event = at(12, "bin.000001", 150);

    acks_begin(&a, &begin);
    cr_assert_not(ask(&a, 11, 100, true));
    acks_pass(&a, &event);

    cr_assert_eq(a.has.seq, 10);
}

Test(serve_ack, remembers_a_bounded_number)
{
    struct acks a = { .n = 0 };
    struct ack_point got;

    for (uint64_t seq = 1; seq <= 100; seq++)
        ask(&a, seq, seq * 10, false);
    cr_assert_eq(a.n, ACK_ASKED_MAX);
    answer(&a, "bin.000001", 900, &got);
    cr_assert_eq(a.has.seq, ACK_ASKED_MAX - 1, "the last of those that are remembered, before it");
    answer(&a, "bin.000001", 1000, &got);
    cr_assert_eq(a.has.seq, 100);
}
