/* Locks are shown as the target has them, whoever read it first and speaks last. */
#include "unit/shard/shards.h"

#include <criterion/criterion.h>

#include "base/mem.h"
#include "node/node.h"

static void count(void *arg, struct node *child)
{
    (void)child;
    ++*(unsigned *)arg;
}

static unsigned n_locks(struct shards *s)
{
    unsigned n = 0;

    node_each(shards_node(s), count, &n);
    return n;
}

/* One group, d.t, of two shards; one of them waits. */
static void rows_init(struct shard_rows *rows, bool waits)
{
    struct shard_group *g;

    *rows = (struct shard_rows){ .n = 1, .at = xcalloc(1, sizeof *rows->at) };
    g = &rows->at[0].group;
    *g = (struct shard_group){ .mode = SHARD_OPTIMISTIC,
                               .schema = xstrdup("d"),
                               .table = xstrdup("t") };
    shard_join(g, "a", "d", "t1", NULL);
    shard_join(g, "b", "d", "t1", NULL);
    if (waits)
        shard_wait(&g->members[0], "ALTER TABLE t CHANGE v w INT", NULL, NULL, 1);
}

Test(shards, what_was_read_before_is_not_shown_after)
{
    struct shards *s = shards_new();
    struct shard_rows old, new;
    uint64_t at_old, at_new;

    rows_init(&old, true);
    rows_init(&new, false);

    shards_moved(s); /* a shard waits: its source says so and reads ... */
    at_old = shards_generation(s);
    shards_moved(s); /* ... and another one resolves it, and is faster */
    at_new = shards_generation(s);
    shards_tell(s, &new, at_new, NULL);
    shards_tell(s, &old, at_old, NULL);
    cr_expect_eq(n_locks(s), 0);

    shards_moved(s);
    shards_tell(s, &old, shards_generation(s), NULL);
    cr_expect_eq(n_locks(s), 1);
    shards_show(s, &new, at_new);
    cr_expect_eq(n_locks(s), 1);
    shards_show(s, &new, shards_generation(s));
    cr_expect_eq(n_locks(s), 0);

    shard_rows_fini(&old);
    shard_rows_fini(&new);
    shards_unref(s);
}

/* What somebody else changed while it read is looked at again. */
Test(shards, one_who_read_knows_when_to_look_again)
{
    struct shards *s = shards_new();
    struct shard_rows rows;
    uint64_t mine;

    rows_init(&rows, false);
    shards_moved(s);
    mine = shards_generation(s);
    shards_moved(s); /* by another, between the reading and what is said of it */
    shards_tell(s, &rows, mine, NULL);

    cr_expect_neq(shards_generation(s), mine);
    shard_rows_fini(&rows);
    shards_unref(s);
}

/* As DM says it: of each source, the first of those of its tables that wait. */
Test(shards, the_place_of_the_first_ddl_is_told)
{
    struct shards *s = shards_new();
    struct shard_rows rows;
    struct shard_group *g;
    json_t *of_a, *of_b;

    rows_init(&rows, true);
    g = &rows.at[0].group;
    shard_join(g, "a", "d", "t2", NULL);
    shard_wait(&g->members[2], "ALTER TABLE t CHANGE v w INT", NULL, NULL, 2);
    g->members[0].ddl_file = xstrdup("bin.000010"); /* it was there first, and waits again */
    g->members[0].ddl_at = 4;
    g->members[2].ddl_file = xstrdup("bin.000009");
    g->members[2].ddl_at = 3130;
    shards_show(s, &rows, shards_generation(s));

    of_a = shards_unresolved(s, "a");
    of_b = shards_unresolved(s, "b");
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(of_a, 0), "first_location")),
                     "(bin.000009, 3130)");
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(of_b, 0), "first_location")),
                     "");
    json_decref(of_a);
    json_decref(of_b);
    shard_rows_fini(&rows);
    shards_unref(s);
}
