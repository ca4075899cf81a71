#include "unit/task/task_plan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"

/* A source whose units are told what happens to them; what the plan answers is the story. */
struct source {
    unsigned stages;
    enum unit_state units[N_STAGES];
    enum wanted wanted;
    bool ever;
    struct buf story;
};

static void step(struct source *s, bool also_failed)
{
    unsigned start = plan_to_start(s->stages, s->units, also_failed);

    if (s->wanted != WANTED_RUNNING)
        start = 0;
    for (unsigned i = 0; i < N_STAGES; i++)
        if (start & STAGE_BIT(i)) {
            s->units[i] = UNIT_RUNNING;
            buf_printf(&s->story, " start %s", stage_names[i]);
        }
    buf_printf(&s->story, " [%s]\n",
               unit_state_names[plan_state(s->stages, s->units, s->wanted, s->ever)]);
}

static void want(struct source *s, enum wanted w)
{
    s->wanted = w;
    s->ever = s->ever || w == WANTED_RUNNING;
    buf_printf(&s->story, "want %s:", wanted_names[w]);
    step(s, true);
}

static void becomes(struct source *s, enum stage stage, enum unit_state state)
{
    s->units[stage] = state;
    buf_printf(&s->story, "%s %s:", stage_names[stage], unit_state_names[state]);
    step(s, false);
}

static void tells(struct source *s, const char *want)
{
    cr_expect_str_eq(s->story.data, want, "\n--- got\n%s--- want\n%s", s->story.data, want);
    buf_fini(&s->story);
}

Test(task_plan, mode_all_goes_through_all_stages)
{
    struct source s = { .stages = plan_stages("all", false) };

    step(&s, false);
    want(&s, WANTED_RUNNING);
    becomes(&s, STAGE_CHECK, UNIT_FINISHED);
    becomes(&s, STAGE_DUMP, UNIT_FINISHED);
    becomes(&s, STAGE_LOAD, UNIT_FINISHED);
    becomes(&s, STAGE_SYNC, UNIT_QUARANTINED);
    becomes(&s, STAGE_SYNC, UNIT_RUNNING);
    tells(&s, " [new]\n"
              "want running: start check [running]\n"
              "check finished: start dump start load [running]\n"
              "dump finished: [running]\n"
              "load finished: start sync [running]\n"
              "sync quarantined: [quarantined]\n"
              "sync running: [running]\n");
}

Test(task_plan, mode_full_ends)
{
    struct source s = { .stages = plan_stages("full", true) };

    want(&s, WANTED_RUNNING);
    becomes(&s, STAGE_LOAD, UNIT_FINISHED);
    becomes(&s, STAGE_DUMP, UNIT_FINISHED);
    cr_expect_eq(plan_stage(s.stages, s.units), N_STAGES);
    tells(&s, "want running: start dump start load [running]\n"
              "load finished: [running]\n"
              "dump finished: [finished]\n");
}

Test(task_plan, pause_and_resume_go_on_where_it_was)
{
    struct source s = { .stages = plan_stages("all", true) };

    want(&s, WANTED_RUNNING);
    becomes(&s, STAGE_DUMP, UNIT_FINISHED);
    want(&s, WANTED_PAUSED); /* load still drains */
    becomes(&s, STAGE_LOAD, UNIT_PAUSED);
    cr_expect_eq(plan_stage(s.stages, s.units), STAGE_LOAD);
    want(&s, WANTED_RUNNING);
    want(&s, WANTED_STOPPED);
    becomes(&s, STAGE_LOAD, UNIT_STOPPED);
    tells(&s, "want running: start dump start load [running]\n"
              "dump finished: [running]\n"
              "want paused: [running]\n"
              "load paused: [paused]\n"
              "want running: start load [running]\n"
              "want stopped: [running]\n"
              "load stopped: [stopped]\n");
}

Test(task_plan, an_error_stays_until_asked)
{
    struct source s = { .stages = plan_stages("incremental", false) };

    want(&s, WANTED_RUNNING);
    becomes(&s, STAGE_CHECK, UNIT_ERROR);
    step(&s, false);
    want(&s, WANTED_RUNNING);
    becomes(&s, STAGE_CHECK, UNIT_FINISHED);
    becomes(&s, STAGE_SYNC, UNIT_ERROR);
    becomes(&s, STAGE_SYNC, UNIT_RUNNING); /* its own retry */
    tells(&s, "want running: start check [running]\n"
              "check error: [error]\n"
              " [error]\n"
              "want running: start check [running]\n"
              "check finished: start sync [running]\n"
              "sync error: [error]\n"
              "sync running: [running]\n");
}

Test(task_plan, a_finish_while_pausing_starts_nothing)
{
    struct source s = { .stages = plan_stages("all", true) };

    want(&s, WANTED_RUNNING);
    becomes(&s, STAGE_DUMP, UNIT_FINISHED);
    want(&s, WANTED_PAUSED);
    becomes(&s, STAGE_LOAD, UNIT_FINISHED);
    want(&s, WANTED_RUNNING);
    tells(&s, "want running: start dump start load [running]\n"
              "dump finished: [running]\n"
              "want paused: [running]\n"
              "load finished: [paused]\n"
              "want running: start sync [running]\n");
}

Test(task_plan, the_worst_source_is_the_task)
{
    static const enum unit_state a[] = { UNIT_RUNNING, UNIT_ERROR, UNIT_FINISHED };
    static const enum unit_state b[] = { UNIT_FINISHED, UNIT_RUNNING };
    static const enum unit_state c[] = { UNIT_FINISHED, UNIT_FINISHED };
    static const enum unit_state d[] = { UNIT_FINISHED, UNIT_PAUSED };

    cr_expect_eq(plan_roll_up(a, 3), UNIT_ERROR);
    cr_expect_eq(plan_roll_up(b, 2), UNIT_RUNNING);
    cr_expect_eq(plan_roll_up(c, 2), UNIT_FINISHED);
    cr_expect_eq(plan_roll_up(d, 2), UNIT_PAUSED);
}

Test(task_plan, commands_in_the_wrong_state_are_refused_with_a_sentence)
{
    static const struct {
        enum task_command c;
        enum unit_state state;
        const char *want; /* NULL: allowed */
    } rows[] = {
        { TASK_START, UNIT_NEW, NULL },
        { TASK_START, UNIT_RUNNING, "cannot start: the task is running already" },
        { TASK_START, UNIT_FINISHED,
          "cannot start: the task is finished; to run it again, delete it and make it anew" },
        { TASK_PAUSE, UNIT_ERROR, NULL },
        { TASK_PAUSE, UNIT_PAUSED, "cannot pause: the task is paused" },
        { TASK_RESUME, UNIT_PAUSED, NULL },
        { TASK_RESUME, UNIT_STOPPED, "cannot resume: the task is stopped; start it" },
        { TASK_STOP, UNIT_NEW, "cannot stop: the task is new" },
        { TASK_CHANGE, UNIT_RUNNING, "cannot change: the task is running; pause or stop it first" },
        { TASK_DELETE, UNIT_QUARANTINED, "cannot delete: the task is quarantined; stop it first" },
        { TASK_DELETE, UNIT_FINISHED, NULL },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = ERR_INIT;
        int rc = plan_allows(rows[i].c, rows[i].state, &err);

        cr_expect_eq(rc, rows[i].want ? -EBUSY : 0, "row %zu", i);
        cr_expect_str_eq(err.text, rows[i].want ? rows[i].want : "");
    }
}
