#include "unit/unit.h"

const char *const unit_state_names[] = {
    [UNIT_NEW] = "new",
    [UNIT_RUNNING] = "running",
    [UNIT_PAUSED] = "paused",
    [UNIT_STOPPED] = "stopped",
    [UNIT_FINISHED] = "finished",
    [UNIT_ERROR] = "error",
    [UNIT_QUARANTINED] = "quarantined",
    [UNIT_N_STATES] = NULL,
};

#define TO(state) (1u << UNIT_##state)

/* A finished unit stays so: to run again, its task makes a new one. */
static const unsigned moves[UNIT_N_STATES] = {
    [UNIT_NEW] = TO(RUNNING) | TO(PAUSED) | TO(STOPPED),
    [UNIT_RUNNING] = TO(PAUSED) | TO(STOPPED) | TO(FINISHED) | TO(ERROR) | TO(QUARANTINED),
    [UNIT_PAUSED] = TO(RUNNING) | TO(STOPPED),
    [UNIT_STOPPED] = TO(RUNNING) | TO(PAUSED),
    [UNIT_FINISHED] = 0,
    [UNIT_ERROR] = TO(RUNNING) | TO(PAUSED) | TO(STOPPED),
    [UNIT_QUARANTINED] = TO(RUNNING) | TO(PAUSED) | TO(STOPPED) | TO(FINISHED) | TO(ERROR),
};

bool unit_may_move(enum unit_state from, enum unit_state to)
{
    return (moves[from] & 1u << to) != 0;
}
