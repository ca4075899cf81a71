#include <criterion/criterion.h>

#include "unit/relay/relay_gate.h"

enum { LONG_MS = 600000, NOW = 0 };

Test(relay_gate, without_keepers_lets_all_pass)
{
    struct relay_gate *g = relay_gate_new();

    cr_assert(relay_gate_wait(g, 7, NOW));
    cr_assert_eq(relay_gate_passed(g), UINT64_MAX);

    relay_gate_free(g);
}

Test(relay_gate, is_held_by_the_slowest_keeper)
{
    struct relay_gate *g = relay_gate_new();
    struct gate_keeper *a = relay_gate_enter(g, "a", LONG_MS),
                       *b = relay_gate_enter(g, "b", LONG_MS);
    struct gate_view v;

    relay_gate_reached(a, 9);
    relay_gate_reached(b, 5);
    cr_assert_eq(relay_gate_passed(g), 5);
    cr_assert(relay_gate_wait(g, 5, NOW));
    cr_assert_not(relay_gate_wait(g, 6, NOW));
    relay_gate_reached(b, 3); /* less than was said before */
    cr_assert_eq(relay_gate_passed(g), 5);

    relay_gate_reached(b, 6);
    cr_assert(relay_gate_wait(g, 6, NOW));
    relay_gate_look(b, &v);
    cr_assert_eq(v.reached, 6);
    cr_assert_eq(v.passed, 2, "5 and 6");
    cr_assert_eq(v.lapses, 0);

    relay_gate_leave(a);
    relay_gate_leave(b);
    cr_assert(relay_gate_wait(g, 100, NOW), "who has left holds nothing");
    relay_gate_free(g);
}

Test(relay_gate, lets_pass_whom_it_kept_too_long_until_the_keeper_has_caught_up)
{
    struct relay_gate *g = relay_gate_new();
    struct gate_keeper *k = relay_gate_enter(g, "servers/b1", 1);
    struct gate_view v;

    cr_assert(relay_gate_wait(g, 10, LONG_MS), "it lapses after a millisecond");
    relay_gate_look(k, &v);
    cr_assert(v.lapsed);
    cr_assert_eq(v.lapses, 1);
    cr_assert_eq(relay_gate_passed(g), UINT64_MAX);
    cr_assert(relay_gate_wait(g, 20, NOW), "nobody waits for one who has lapsed");

    relay_gate_reached(k, 10);
    relay_gate_look(k, &v);
    cr_assert(v.lapsed, "20 was waited for, too");

    relay_gate_reached(k, 20);
    relay_gate_look(k, &v);
    cr_assert_not(v.lapsed);
    cr_assert_eq(v.lapses, 1);
    cr_assert_eq(relay_gate_passed(g), 20);

    relay_gate_leave(k);
    relay_gate_free(g);
}
