#include "unit/unit.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "unit/retry.h"

/* A unit that does what its script says, a letter a run: f finish, e an error for good, r one
 * that can pass, p progress and then such an error, w wait until asked to stop. */
struct scripted {
    struct unit unit;
    const char *script;
    atomic_bool resumes; /* 'e' is mended by somebody */
    atomic_int runs, woken, ended;
};

static int run(struct unit *u, struct err *err)
{
    struct scripted *s = (struct scripted *)u;

    switch (s->script[atomic_fetch_add(&s->runs, 1)]) {
    case 'f':
        return 0;
    case 'e':
        return err_set(err, -EINVAL, "broken");
    case 'p':
        unit_progressed(u);
        return err_set(err, -ECONNRESET, "lost");
    case 'r':
        return err_set(err, -ECONNRESET, "lost");
    default:
        while (unit_sleep(u, 60000))
            ;
        return -ECANCELED;
    }
}

static void wake(struct unit *u)
{
    atomic_fetch_add(&((struct scripted *)u)->woken, 1);
}

static void ended(struct unit *u, void *arg)
{
    cr_assert_eq(arg, u);
    atomic_fetch_add(&((struct scripted *)u)->ended, 1);
}

static const struct unit_ops ops = { .name = "scripted", .run = run, .wake = wake };
static const struct attr rows[] = { UNIT_ATTRS, { 0 } };

static void release(struct node *n)
{
    struct scripted *s = (struct scripted *)n;

    unit_fini(&s->unit);
    free(s);
}

static const struct node_type type = { .name = "scripted",
                                       .help = "A unit of tests",
                                       .attrs = rows,
                                       .lock = unit_lock,
                                       .unlock = unit_unlock,
                                       .release = release };

static struct scripted *new_unit(const char *script)
{
    struct scripted *s = xcalloc(1, sizeof *s);

    log_set_level(LOG_LEVEL_ERROR + 1);
    s->script = script;
    unit_init(&s->unit, &ops, &type, "scripted");
    s->unit.ended = ended;
    s->unit.arg = s;
    return s;
}

static void patience(struct unit *u, void *arg, struct unit_patience *p)
{
    struct scripted *s = (struct scripted *)u;

    cr_assert_eq(arg, u);
    p->resumes = s->resumes;
    p->longest_ms = 60000;
    p->max_retries = 7;
}

static void start(struct scripted *s)
{
    struct err err = ERR_INIT;

    cr_assert_eq(unit_start(&s->unit, &err), 0, "%s", err.text);
}

/* Waits for 'n' runs to have begun. */
static void await_runs(struct scripted *s, int n)
{
    for (int i = 0; i < 5000 && s->runs < n; i++)
        usleep(1000);
    cr_assert_eq(s->runs, n);
}

/* The run is over, too: it waits for the next one. */
static void await_retry(struct scripted *s)
{
    for (int i = 0; i < 5000 && unit_retry_s(&s->unit) == 0; i++)
        usleep(1000);
}

static json_t *read_row(struct scripted *s, const char *name)
{
    struct err err = ERR_INIT;
    struct target t;
    json_t *v;

    cr_assert_eq(node_lookup(&s->unit.node, name, &t, &err), 0);
    v = target_read(&t, &err);
    target_release(&t);
    return v;
}

Test(unit, finishes_once)
{
    struct scripted *s = new_unit("f");
    struct err err = ERR_INIT;

    cr_expect_eq(unit_state(&s->unit), UNIT_NEW);
    start(s);
    cr_expect_eq(unit_wait(&s->unit, 5000), 0);
    cr_expect_eq(unit_state(&s->unit), UNIT_FINISHED);
    cr_expect_eq(s->ended, 1);
    cr_expect_eq(unit_start(&s->unit, &err), -EALREADY);
    unit_stop(&s->unit, UNIT_STOPPED);
    cr_expect_eq(unit_state(&s->unit), UNIT_FINISHED, "a finished unit stays so");
    node_unref(&s->unit.node);
}

Test(unit, pauses_and_goes_on)
{
    struct scripted *s = new_unit("wwf");
    struct err err = ERR_INIT;

    start(s);
    await_runs(s, 1);
    cr_expect_eq(unit_start(&s->unit, &err), -EBUSY);
    cr_expect_str_eq(err.text, "scripted is running already");
    cr_expect_eq(unit_wait(&s->unit, 20), -ETIMEDOUT);
    unit_stop(&s->unit, UNIT_PAUSED);
    cr_expect_eq(unit_state(&s->unit), UNIT_PAUSED);
    cr_expect_eq(s->woken, 1);
    cr_expect_eq(s->ended, 1);
    start(s);
    await_runs(s, 2);
    unit_stop(&s->unit, UNIT_STOPPED);
    cr_expect_eq(unit_state(&s->unit), UNIT_STOPPED);
    start(s);
    unit_wait(&s->unit, 5000);
    cr_expect_eq(unit_state(&s->unit), UNIT_FINISHED);
    node_unref(&s->unit.node);
}

Test(unit, an_error_for_good_ends_it)
{
    struct scripted *s = new_unit("ef");
    struct err err = ERR_INIT;

    start(s);
    unit_wait(&s->unit, 5000);
    cr_expect_eq(unit_state(&s->unit), UNIT_ERROR);
    unit_error(&s->unit, &err);
    cr_expect_str_eq(err.text, "broken");
    cr_expect_eq(unit_retry_s(&s->unit), 0);
    start(s);
    unit_wait(&s->unit, 5000);
    cr_expect_eq(unit_state(&s->unit), UNIT_FINISHED);
    unit_error(&s->unit, &err);
    cr_expect_eq(err.code, 0, "it runs: there is no error any more");
    node_unref(&s->unit.node);
}

Test(unit, waits_visibly_for_its_next_attempt)
{
    struct scripted *s = new_unit("rf");
    json_t *v;

    start(s);
    await_runs(s, 1);
    for (int i = 0; i < 5000 && unit_state(&s->unit) != UNIT_ERROR; i++)
        usleep(1000);
    v = read_row(s, "retries");
    cr_expect_eq(json_integer_value(v), 1);
    json_decref(v);
    v = read_row(s, "next_retry_seconds");
    cr_expect(json_real_value(v) > 0 && json_real_value(v) <= 1);
    json_decref(v);
    v = read_row(s, "error");
    cr_expect_str_eq(json_string_value(v), "lost");
    json_decref(v);
    start(s); /* now */
    cr_expect_eq(unit_wait(&s->unit, 500), 0, "it did not wait for the second to pass");
    cr_expect_eq(unit_state(&s->unit), UNIT_FINISHED);
    cr_expect_eq(s->runs, 2);
    node_unref(&s->unit.node);
}

Test(unit, stops_while_it_waits_for_its_next_attempt)
{
    struct scripted *s = new_unit("rf");
    int64_t from_us = clock_mono_us();

    start(s);
    await_runs(s, 1);
    unit_stop(&s->unit, UNIT_STOPPED);
    cr_expect_lt(clock_mono_us() - from_us, 900000);
    cr_expect_eq(unit_state(&s->unit), UNIT_STOPPED);
    cr_expect_eq(s->runs, 1);
    node_unref(&s->unit.node);
}

static void set_max_retries(struct scripted *s, unsigned n)
{
    mutex_lock(&s->unit.lock);
    s->unit.max_retries = n;
    mutex_unlock(&s->unit.lock);
}

Test(unit, does_not_count_the_retries_of_another_error)
{
    struct scripted *s = new_unit("re");
    struct err err = ERR_INIT;

    start(s);
    await_runs(s, 1);
    await_retry(s);
    start(s);
    cr_expect_eq(unit_wait(&s->unit, 5000), 0);
    unit_error(&s->unit, &err);
    cr_expect_str_eq(err.text, "broken");
    node_unref(&s->unit.node);
}

Test(unit, gives_up_after_its_retries)
{
    struct scripted *s = new_unit("rrf");

    set_max_retries(s, 1);
    start(s);
    cr_expect_eq(unit_wait(&s->unit, 5000), 0);
    cr_expect_eq(unit_state(&s->unit), UNIT_ERROR);
    cr_expect_eq(s->runs, 2);
    node_unref(&s->unit.node);
}

Test(unit, progress_makes_the_next_error_the_first_again)
{
    struct scripted *s = new_unit("rpf");
    json_t *v;

    set_max_retries(s, 1);
    start(s);
    await_runs(s, 1);
    await_retry(s);
    start(s);
    await_runs(s, 2);
    await_retry(s);
    v = read_row(s, "retries");
    cr_expect_eq(json_integer_value(v), 1);
    json_decref(v);
    cr_expect_eq(unit_wait(&s->unit, 5000), 0);
    cr_expect_eq(unit_state(&s->unit), UNIT_FINISHED);
    node_unref(&s->unit.node);
}

Test(unit, goes_on_after_what_somebody_mends_while_that_is_wanted)
{
    struct scripted *s = new_unit("eeef");
    json_t *v;

    s->unit.patience = patience;
    s->resumes = true;
    start(s);
    await_runs(s, 2); /* by itself */
    await_retry(s);
    v = read_row(s, "max_retries");
    cr_expect_eq(json_integer_value(v), 7, "as it was said");
    json_decref(v);
    s->resumes = false;
    unit_reconsider(&s->unit);
    cr_expect_eq(unit_wait(&s->unit, 5000), 0, "it waits on, although nobody wants it to");
    cr_expect_eq(unit_state(&s->unit), UNIT_ERROR);
    cr_expect_eq(unit_retry_s(&s->unit), 0);
    start(s);
    cr_expect_eq(unit_wait(&s->unit, 5000), 0, "nobody wants it to go on by itself");
    cr_expect_eq(s->runs, 3);
    start(s);
    unit_wait(&s->unit, 5000);
    cr_expect_eq(unit_state(&s->unit), UNIT_FINISHED);
    node_unref(&s->unit.node);
}

Test(retry, half_of_a_wait_is_by_chance_and_calm_shortens_the_next)
{
    cr_expect_eq(retry_jitter_ms(8000, 0), 8000);
    cr_expect_eq(retry_jitter_ms(8000, 4000), 4000);
    for (unsigned random = 0; random < 100000; random += 7)
        cr_assert(retry_jitter_ms(8000, random) >= 4000 && retry_jitter_ms(8000, random) <= 8000);
    cr_expect_eq(retry_forget(5, 299999, 300000), 5);
    cr_expect_eq(retry_forget(5, 300000, 300000), 4);
    cr_expect_eq(retry_forget(5, 3600000, 300000), 0);
    cr_expect_eq(retry_forget(5, 3600000, 0), 5, "never");
}

Test(unit_state, every_state_has_a_name_and_no_self_move)
{
    for (unsigned i = 0; i < UNIT_N_STATES; i++) {
        cr_expect_not_null(unit_state_names[i]);
        cr_expect(!unit_may_move(i, i));
    }
    cr_expect(!unit_may_move(UNIT_FINISHED, UNIT_RUNNING));
    cr_expect(!unit_may_move(UNIT_PAUSED, UNIT_ERROR));
    cr_expect(unit_may_move(UNIT_ERROR, UNIT_RUNNING));
}

Test(retry, resumes_what_somebody_may_mend_and_nothing_of_dms_list)
{
    static const struct {
        int code;
        unsigned sql;
        bool want;
    } rows_[] = {
        { -EIO, 1146, true },   { -EACCES, 1142, true }, { -EIO, 1060, true },
        { -EINVAL, 0, true },   { -ENOENT, 0, true },    { -EIO, 1062, false },
        { -EIO, 1406, false },  { -EIO, 1366, false },   { -EIO, 1059, false },
        { -EIO, 1117, false },  { -EIO, 1069, false },   { -ENODATA, 1236, false },
        { -EIO, 1048, false },  { -EUCLEAN, 0, false },  { -ECANCELED, 0, false },
        { -EBADMSG, 0, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows_); i++) {
        struct err err = { .code = rows_[i].code, .sql = rows_[i].sql };

        cr_expect_eq(retry_resumes(&err), rows_[i].want, "row %zu", i);
    }
}

Test(retry, knows_what_passes)
{
    static const struct {
        int code;
        unsigned sql;
        enum retry_kind want;
    } rows_[] = {
        { -ECONNRESET, 2013, RETRY_SOON }, { -ECONNRESET, 0, RETRY_SOON },
        { -ETIMEDOUT, 0, RETRY_SOON },     { -EIO, 1213, RETRY_SOON },
        { -EIO, 1205, RETRY_SOON },        { -EIO, 1053, RETRY_SOON },
        { -EIO, 1021, RETRY_LATER },       { -EIO, 1114, RETRY_LATER },
        { -ENOSPC, 0, RETRY_LATER },       { -EIO, 1062, RETRY_NEVER },
        { -EACCES, 1045, RETRY_NEVER },    { -EIO, 1146, RETRY_NEVER },
        { -ENODATA, 1236, RETRY_NEVER },   { -EINVAL, 0, RETRY_NEVER },
        { -ECANCELED, 0, RETRY_NEVER },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows_); i++) {
        struct err err = { .code = rows_[i].code, .sql = rows_[i].sql };

        cr_expect_eq(retry_kind_of(&err), rows_[i].want, "row %zu", i);
    }
    cr_expect_eq(retry_delay_ms(RETRY_SOON, 1), 1000);
    cr_expect_eq(retry_delay_ms(RETRY_SOON, 4), 8000);
    cr_expect_eq(retry_delay_ms(RETRY_SOON, 1000), 300000);
    cr_expect_eq(retry_delay_ms(RETRY_LATER, 1), 30000);
    cr_expect_eq(retry_delay_ms(RETRY_LATER, 2), 60000);
}
