#include <criterion/criterion.h>
#include <errno.h>

#include "unit/sync/sync_queue.h"

static int fill_ok(void *arg, struct group *g, struct err *err)
{
    (void)arg;
    (void)err;
    g->n_rows++;
    return 0;
}

/* Puts something into the group, then cannot go on: a damaged row. */
static int fill_half(void *arg, struct group *g, struct err *err)
{
    (void)arg;
    g->n_rows++;
    return err_set(err, -EBADMSG, "a row cannot be read");
}

static int add(struct queue *q, uint64_t offset,
               int (*fill)(void *arg, struct group *g, struct err *err), struct err *err)
{
    struct position pos = { .file = "bin.000001", .offset = offset };
    struct gtid none = { 0 };
    struct raw_txn raw = { 0 };
    struct queue_txn txn = { .gtid = &none, .pos = &pos, .commit_us = 1, .raw = &raw, .size = 10 };

    return queue_add(q, &txn, fill, NULL, err);
}

static void open_queue(struct queue *q)
{
    struct queue_limits limits = { .max_txns = 100, .max_size = 1 << 20, .idle_us = 1000000 };
    struct position tail = { .file = "bin.000001", .offset = 4 };

    queue_init(q, &limits, &tail);
}

Test(sync_queue, gives_out_what_was_added_with_its_position)
{
    struct err err = ERR_INIT;
    struct queue q;
    struct group *g;

    open_queue(&q);
    cr_assert_eq(add(&q, 100, fill_ok, &err), 0);
    cr_assert_eq(add(&q, 200, fill_ok, &err), 0);
    g = queue_try_take(&q);
    cr_assert(g);
    cr_expect_eq(g->n_txns, 2);
    cr_expect_eq(g->pos.offset, 200);
    queue_done(&q, g, &err);
    queue_fini(&q);
}

Test(sync_queue, never_gives_out_half_of_a_transaction)
{
    struct err err = ERR_INIT, again = ERR_INIT;
    struct queue q;

    open_queue(&q);
    cr_assert_eq(add(&q, 100, fill_ok, &err), 0);
    cr_expect_eq(add(&q, 200, fill_half, &err), -EBADMSG);
    cr_expect_null(queue_try_take(&q));
    cr_expect_null(queue_take(&q));
    cr_expect_eq(add(&q, 300, fill_ok, &again), -EBADMSG);
    cr_expect_eq(queue_drain(&q, &again), -EBADMSG);
    queue_fini(&q);
}

Test(sync_queue, tells_the_reader_that_the_writer_gave_up)
{
    struct err err = ERR_INIT, refused = ERR_INIT;
    struct queue q;
    struct group *g;

    open_queue(&q);
    cr_assert_eq(queue_error(&q, &err), 0);
    cr_assert_eq(add(&q, 100, fill_ok, &err), 0);
    g = queue_take(&q);
    err_set(&refused, -EINVAL, "Duplicate entry");
    queue_done(&q, g, &refused);
    cr_assert_null(queue_try_take(&q));
    cr_assert_eq(queue_error(&q, &err), -EINVAL);
    cr_expect_str_eq(err.text, "Duplicate entry");
    queue_fini(&q);
}
