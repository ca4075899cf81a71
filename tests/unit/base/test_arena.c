#include "base/arena.h"

#include <criterion/criterion.h>

#include "base/scope.h"

Test(arena, keeps_what_was_allocated_before_large_blocks)
{
    SCOPED(arena_fini) struct arena a = ARENA_INIT;
    char *small = arena_dup(&a, "small", 6), *large = arena_alloc(&a, 10 << 20);
    char *after = arena_dup(&a, "after", 6);

    memset(large, 'x', 10 << 20);

    cr_assert_str_eq(small, "small");
    cr_assert_str_eq(after, "after");
    cr_assert_eq((uintptr_t)after % 8, 0);
}

Test(arena, a_first_large_allocation_is_usable_and_cleared)
{
    SCOPED(arena_fini) struct arena a = ARENA_INIT;

    memset(arena_alloc(&a, 1 << 20), 1, 1 << 20);
    arena_clear(&a);
    cr_assert_eq(a.size, 0);
    for (int i = 0; i < 100000; i++)
        memset(arena_alloc(&a, 100), 2, 100);
    arena_clear(&a);

    cr_assert_leq(a.size, (size_t)1 << 20, "one block is kept for reuse, not all");
}

Test(arena, an_array_grows_with_what_is_in_it)
{
    SCOPED(arena_fini) struct arena a = ARENA_INIT;
    unsigned cap = 0, n = 0;
    int *items = NULL;

    for (; n < 1000; n++) {
        items = arena_grow(&a, items, n, &cap, sizeof *items);
        items[n] = (int)n;
    }

    cr_assert_geq(cap, n);
    for (unsigned i = 0; i < n; i++)
        cr_assert_eq(items[i], (int)i);
}

Test(arena, a_text_ends_in_a_zero_byte)
{
    SCOPED(arena_fini) struct arena a = ARENA_INIT;

    cr_assert_str_eq(arena_text(&a, "abcdef", 3), "abc");
    cr_assert_str_eq(arena_text(&a, NULL, 0), "");
}
