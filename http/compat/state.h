/*
 * state.h - what each system calls a state of ours: one row per state, one column per system.
 *
 * The place to argue about names.  A system without a word for a state gets the one that makes
 * its tools do the right thing.
 */
#ifndef SLUICE_HTTP_STATE_H
#define SLUICE_HTTP_STATE_H

#include <jansson.h>

enum state_system {
    STATE_DM,         /* stages: tiflow dm/pb, enum Stage */
    STATE_DM_SUBTASK, /* the same words, of a task's source */
    STATE_KINGBUS,    /* running stopped */
    STATE_N_SYSTEMS,
};

/* The word of 'system' for our 'state'; the row of "stopped" for one that is not there. */
const char *state_name(const char *state, enum state_system system);

/* For the 'make' of a field that shows our "state". */
json_t *state_dm(const json_t *v, const json_t *attrs);
json_t *state_kingbus(const json_t *v, const json_t *attrs);

/* The rows, for the test that compares them with those of the tree. */
const char *state_at(size_t i); /* our name; NULL past the last */

#endif
