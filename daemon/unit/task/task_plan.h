/*
 * task_plan.h - what a task should do next, and what it may be told.
 *
 * A source of a task goes through steps; the stages of a step run side by side:
 *
 *     check  ->  dump + load  ->  sync
 *
 * Which of them there are follows from the mode.  Everything here is a function
 * of the states of the units and of what was asked for, so it is tested as a
 * story; task_run.c does what it says.
 */
#ifndef SLUICE_UNIT_TASK_PLAN_H
#define SLUICE_UNIT_TASK_PLAN_H

#include "unit/unit.h"

enum stage { STAGE_CHECK, STAGE_DUMP, STAGE_LOAD, STAGE_SYNC, N_STAGES };
extern const char *const stage_names[]; /* NULL at the end */
#define STAGE_BIT(stage) (1u << (stage))

enum wanted { WANTED_STOPPED, WANTED_PAUSED, WANTED_RUNNING };
extern const char *const wanted_names[]; /* NULL at the end */

enum task_command {
    TASK_START,
    TASK_STOP,
    TASK_PAUSE,
    TASK_RESUME,
    TASK_CHECK,
    TASK_CHANGE, /* a write to a setting */
    TASK_DELETE,
    N_TASK_COMMANDS,
};

/* The stages of a mode ("all", "full", "incremental", "dump", "load"), as bits.  'checked': the
 * check has passed with this document before and is left out. */
unsigned plan_stages(const char *mode, bool checked);

/* Which to start now: the unfinished ones of the first unfinished step that do not run, and of
 * those that stopped with an error only if 'also_failed'. */
unsigned plan_to_start(unsigned stages, const enum unit_state *units, bool also_failed);

/* The stage that a source is in: the first unfinished one; N_STAGES when all are finished. */
enum stage plan_stage(unsigned stages, const enum unit_state *units);

/* The state of one source.  'ever': it was started before. */
enum unit_state plan_state(unsigned stages, const enum unit_state *units, enum wanted wanted,
                           bool ever);
/* The state of a task with these sources; n > 0. */
enum unit_state plan_roll_up(const enum unit_state *sources, unsigned n);

/* May a task in 'state' be told so?  0, or -EBUSY with a sentence. */
int plan_allows(enum task_command c, enum unit_state state, struct err *err);

#endif
