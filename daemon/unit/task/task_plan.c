#include "unit/task/task_plan.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

const char *const stage_names[] = { [STAGE_CHECK] = "check",
                                    [STAGE_DUMP] = "dump",
                                    [STAGE_LOAD] = "load",
                                    [STAGE_SYNC] = "sync",
                                    [N_STAGES] = NULL };
const char *const wanted_names[] = {
    [WANTED_STOPPED] = "stopped", [WANTED_PAUSED] = "paused", [WANTED_RUNNING] = "running", NULL
};

#define COPY (STAGE_BIT(STAGE_DUMP) | STAGE_BIT(STAGE_LOAD))

static const struct {
    const char *name;
    unsigned stages;
} modes[] = {
    { "all", COPY | STAGE_BIT(STAGE_SYNC) },  { "full", COPY },
    { "incremental", STAGE_BIT(STAGE_SYNC) }, { "dump", STAGE_BIT(STAGE_DUMP) },
    { "load", STAGE_BIT(STAGE_LOAD) },
};

static const unsigned steps[] = { STAGE_BIT(STAGE_CHECK), COPY, STAGE_BIT(STAGE_SYNC) };

unsigned plan_stages(const char *mode, bool checked)
{
    unsigned stages = checked ? 0 : STAGE_BIT(STAGE_CHECK);

    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (strcmp(mode, modes[i].name) == 0)
            stages |= modes[i].stages;
    return stages;
}

static unsigned unfinished(unsigned stages, const enum unit_state *units)
{
    unsigned left = 0;

    for (unsigned s = 0; s < N_STAGES; s++)
        if ((stages & STAGE_BIT(s)) && units[s] != UNIT_FINISHED)
            left |= STAGE_BIT(s);
    return left;
}

/* The unfinished stages of the first step that has any. */
static unsigned current_step(unsigned stages, const enum unit_state *units)
{
    unsigned left = unfinished(stages, units);

    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (left & steps[i])
            return left & steps[i];
    return 0;
}

static bool runs(enum unit_state s)
{
    return s == UNIT_RUNNING || s == UNIT_QUARANTINED;
}

unsigned plan_to_start(unsigned stages, const enum unit_state *units, bool also_failed)
{
    unsigned start = current_step(stages, units);

    for (unsigned s = 0; s < N_STAGES; s++)
        if (runs(units[s]) || (units[s] == UNIT_ERROR && !also_failed))
            start &= ~STAGE_BIT(s);
    return start;
}

enum stage plan_stage(unsigned stages, const enum unit_state *units)
{
    unsigned now = current_step(stages, units);

    for (unsigned s = 0; s < N_STAGES; s++)
        if (now & STAGE_BIT(s))
            return (enum stage)s;
    return N_STAGES;
}

static bool any(unsigned stages, const enum unit_state *units, enum unit_state state)
{
    for (unsigned s = 0; s < N_STAGES; s++)
        if ((stages & STAGE_BIT(s)) && units[s] == state)
            return true;
    return false;
}

enum unit_state plan_state(unsigned stages, const enum unit_state *units, enum wanted wanted,
                           bool ever)
{
    if (any(stages, units, UNIT_ERROR))
        return UNIT_ERROR;
    if (any(stages, units, UNIT_QUARANTINED))
        return UNIT_QUARANTINED;
    if (any(stages, units, UNIT_RUNNING))
        return UNIT_RUNNING;
    if (stages && !unfinished(stages, units))
        return UNIT_FINISHED;
    switch (wanted) {
    case WANTED_RUNNING:
        return UNIT_RUNNING; /* between two stages */
    case WANTED_PAUSED:
        return UNIT_PAUSED;
    case WANTED_STOPPED:
        break;
    }
    return ever ? UNIT_STOPPED : UNIT_NEW;
}

enum unit_state plan_roll_up(const enum unit_state *sources, unsigned n)
{
    static const enum unit_state worst_first[] = {
        UNIT_ERROR,   UNIT_QUARANTINED, UNIT_RUNNING,  UNIT_PAUSED,
        UNIT_STOPPED, UNIT_NEW,         UNIT_FINISHED,
    };

    for (size_t i = 0; i < ARRAY_LEN(worst_first); i++)
        for (unsigned k = 0; k < n; k++)
            if (sources[k] == worst_first[i])
                return worst_first[i];
    return UNIT_NEW;
}

#define IN(state) (1u << UNIT_##state)

/* In which states a command makes sense, and what it is called in a refusal. */
static const struct {
    const char *verb;
    unsigned states;
} commands[N_TASK_COMMANDS] = {
    [TASK_START] = { "start", IN(NEW) | IN(STOPPED) | IN(PAUSED) | IN(ERROR) },
    [TASK_STOP] = { "stop", IN(RUNNING) | IN(QUARANTINED) | IN(PAUSED) | IN(ERROR) },
    [TASK_PAUSE] = { "pause", IN(RUNNING) | IN(QUARANTINED) | IN(ERROR) },
    [TASK_RESUME] = { "resume", IN(PAUSED) | IN(ERROR) },
    [TASK_CHECK] = { "check", IN(NEW) | IN(STOPPED) | IN(PAUSED) | IN(ERROR) | IN(FINISHED) },
    [TASK_CHANGE] = { "change", IN(NEW) | IN(STOPPED) | IN(PAUSED) | IN(ERROR) | IN(FINISHED) },
    [TASK_DELETE] = { "delete", IN(NEW) | IN(STOPPED) | IN(PAUSED) | IN(ERROR) | IN(FINISHED) },
};

static const char *hint(enum task_command c, enum unit_state state)
{
    if (state == UNIT_RUNNING || state == UNIT_QUARANTINED)
        return c == TASK_CHANGE   ? "; pause or stop it first"
               : c == TASK_CHECK  ? "; its check_report is of its start"
               : c == TASK_DELETE ? "; stop it first"
                                  : " already";
    if (state == UNIT_FINISHED)
        return "; to run it again, delete it and make it anew";
    if (c == TASK_RESUME)
        return "; start it";
    return "";
}

int plan_allows(enum task_command c, enum unit_state state, struct err *err)
{
    if (commands[c].states & 1u << state)
        return 0;
    return err_set(err, -EBUSY, "cannot %s: the task is %s%s", commands[c].verb,
                   unit_state_names[state], hint(c, state));
}
