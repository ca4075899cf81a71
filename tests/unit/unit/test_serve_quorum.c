#include <criterion/criterion.h>

#include "unit/serve/serve_quorum.h"

static void report(struct quorum *q, uint32_t replica, uint32_t connection, uint64_t seq)
{
    struct ack_point p = { .seq = seq, .offset = seq * 10, .file = "bin.000001" };

    quorum_report(q, replica, connection, &p);
}

static uint64_t safe(struct quorum *q)
{
    struct quorum_view v;

    quorum_look(q, &v);
    return v.safe.seq;
}

Test(serve_quorum, so_many_replicas_must_have_it)
{
    struct quorum *q = quorum_new(2, NULL);

    report(q, 101, 1, 50);
    cr_assert_eq(safe(q), 0, "one has it");
    report(q, 102, 2, 30);
    cr_assert_eq(safe(q), 30);
    report(q, 103, 3, 40);
    cr_assert_eq(safe(q), 40);
    report(q, 102, 2, 60);
    cr_assert_eq(safe(q), 50);

    quorum_free(q);
}

Test(serve_quorum, a_replica_that_comes_back_is_one_and_what_was_safe_stays)
{
    struct quorum *q = quorum_new(2, NULL);
    struct quorum_view v;

    report(q, 101, 1, 50);
    report(q, 101, 2, 60);
    cr_assert_eq(safe(q), 0, "the same replica twice");
    quorum_leave(q, 1);
    report(q, 102, 3, 70);
    cr_assert_eq(safe(q), 60);
    quorum_leave(q, 2);
    quorum_leave(q, 3);
    report(q, 103, 4, 10);

    quorum_look(q, &v);
    cr_assert_eq(v.clients, 1);
    cr_assert_eq(v.safe.seq, 60);
    cr_assert_eq(v.safe.offset, 600);
    quorum_free(q);
}

Test(serve_quorum, the_gate_hears_of_it)
{
    struct relay_gate *g = relay_gate_new();
    struct gate_keeper *k = relay_gate_enter(g, "servers/b1", 600000);
    struct quorum *q = quorum_new(1, k);

    cr_assert_not(relay_gate_wait(g, 5, 0));
    report(q, 101, 1, 5);
    cr_assert(relay_gate_wait(g, 5, 0));

    quorum_free(q);
    relay_gate_leave(k);
    relay_gate_free(g);
}
