/* state.c - what each system calls a state of ours. */
#include "http/compat/state.h"

#include <string.h>

#include "base/mem.h"

struct state_row {
    const char *ours, *names[STATE_N_SYSTEMS];
};

/* A task of DM that was never started is Stopped; one that was is Paused when it stops.
 * DM has no word for a finished relay and none for an error: a unit that gave up is Paused there,
 * and its error says why.  kingbus knows two words; why it stopped is
 * in a key of ours. */
static const struct state_row rows[] = {
    { "new", { [STATE_DM] = "New", [STATE_DM_SUBTASK] = "Stopped", [STATE_KINGBUS] = "stopped" } },
    { "running",
      { [STATE_DM] = "Running", [STATE_DM_SUBTASK] = "Running", [STATE_KINGBUS] = "running" } },
    { "quarantined",
      { [STATE_DM] = "Running", [STATE_DM_SUBTASK] = "Running", [STATE_KINGBUS] = "running" } },
    { "paused",
      { [STATE_DM] = "Paused", [STATE_DM_SUBTASK] = "Paused", [STATE_KINGBUS] = "stopped" } },
    { "error",
      { [STATE_DM] = "Paused", [STATE_DM_SUBTASK] = "Paused", [STATE_KINGBUS] = "stopped" } },
    { "stopped",
      { [STATE_DM] = "Stopped", [STATE_DM_SUBTASK] = "Paused", [STATE_KINGBUS] = "stopped" } },
    { "finished",
      { [STATE_DM] = "Finished", [STATE_DM_SUBTASK] = "Finished", [STATE_KINGBUS] = "stopped" } },
};

const char *state_name(const char *state, enum state_system system)
{
    const char *stopped = "";

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (state && strcmp(rows[i].ours, state) == 0)
            return rows[i].names[system];
        if (strcmp(rows[i].ours, "stopped") == 0)
            stopped = rows[i].names[system];
    }
    return stopped;
}

json_t *state_dm(const json_t *v, const json_t *attrs)
{
    (void)attrs;
    return json_string(state_name(json_string_value(v), STATE_DM));
}

json_t *state_kingbus(const json_t *v, const json_t *attrs)
{
    (void)attrs;
    return json_string(state_name(json_string_value(v), STATE_KINGBUS));
}

const char *state_at(size_t i)
{
    return i < ARRAY_LEN(rows) ? rows[i].ours : NULL;
}
