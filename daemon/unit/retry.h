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

#endif
