#include "http/compat/state.h"

#include <criterion/criterion.h>
#include <string.h>

Test(state, has_a_word_of_every_system_for_every_state)
{
    for (size_t i = 0; state_at(i); i++)
        for (int system = 0; system < STATE_N_SYSTEMS; system++) {
            const char *name = state_name(state_at(i), (enum state_system)system);

            cr_expect(name && *name, "%s in system %d", state_at(i), system);
        }
}

Test(state, takes_what_it_does_not_know_for_stopped)
{
    cr_expect_str_eq(state_name("running", STATE_KINGBUS), "running");
    cr_expect_str_eq(state_name("error", STATE_DM), "Paused");
    cr_expect_str_eq(state_name("nonsense", STATE_DM), "Stopped");
    cr_expect_str_eq(state_name(NULL, STATE_KINGBUS), "stopped");
}
