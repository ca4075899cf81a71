/*
 * retry.h - which failures pass by themselves, and how long to wait for them.
 *
 * Pure.  What is not in the tables of retry.c stops a unit: a wrong password,
 * a duplicate key or a purged position are the same a minute later.
 */
#ifndef SLUICE_UNIT_RETRY_H
#define SLUICE_UNIT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum retry_kind {
    RETRY_NEVER,
    RETRY_SOON,  /* connection lost, deadlock, server restarting: 1 s, 2 s, 4 s, ... 5 min */
    RETRY_LATER, /* disk full, read-only: someone must act first: 30 s, 1 min, ... 5 min */
};

enum retry_kind retry_kind_of(const struct err *err);

/* Of what does not pass by itself: may somebody mend it at a server meanwhile, so that trying again
 * is worth it (auto_resume)?  DM's list of what its checker never resumes, and what asks for an
 * answer here, say no. */
bool retry_resumes(const struct err *err);

/* Before attempt number 'nth' (from 1). */
int64_t retry_delay_ms(enum retry_kind kind, unsigned nth);
/* Half of it, and as much of the other half as 'random' says, so that what fell together does not
 * come back together. */
int64_t retry_jitter_ms(int64_t ms, unsigned random);
/* Of 'n' doublings of the wait, those that are left after it ran for so long. */
unsigned retry_forget(unsigned n, int64_t ran_ms, int64_t calm_ms);

#endif
