#include "base/thread.h"

#include <criterion/criterion.h>

#include "base/clock.h"

struct counter {
    struct mutex lock;
    struct cond cond;
    int n;
};

static void *count(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < 1000; i++) {
        mutex_lock(&c->lock);
        c->n++;
        cond_broadcast(&c->cond);
        mutex_unlock(&c->lock);
    }
    return NULL;
}

Test(thread, a_condition_wakes_who_waits)
{
    struct counter c = { .n = 0 };
    pthread_t t[2];

    mutex_init(&c.lock);
    cond_init(&c.cond);
    t[0] = thread_start("count", count, &c);
    t[1] = thread_start("a name longer than fifteen", count, &c);
    mutex_lock(&c.lock);
    while (c.n < 2000)
        cond_wait(&c.cond, &c.lock, -1);
    mutex_unlock(&c.lock);
    thread_join(t[0]);
    thread_join(t[1]);

    cr_assert_eq(c.n, 2000);
    cond_fini(&c.cond);
    mutex_fini(&c.lock);
}

Test(thread, a_wait_ends_when_its_time_is_over)
{
    struct counter c = { .n = 0 };
    int64_t before = clock_mono_us();

    mutex_init(&c.lock);
    cond_init(&c.cond);
    mutex_lock(&c.lock);
    cr_assert_not(cond_wait(&c.cond, &c.lock, 20));
    mutex_unlock(&c.lock);

    cr_assert_geq(clock_mono_us() - before, 19000);
}
