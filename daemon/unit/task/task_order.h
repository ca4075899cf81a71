/*
 * task_order.h - what a task is told: a command, for which of its sources, and how.
 *
 *     echo > pause                                  all of them
 *     echo 'sources=[s1, s2]' > pause               these; sources=s1,s2 too
 *     echo 'start_time=2026-01-31T12:00:00Z' > start
 */
#ifndef SLUICE_UNIT_TASK_ORDER_H
#define SLUICE_UNIT_TASK_ORDER_H

#include <jansson.h>

#include "unit/task/task_plan.h"

struct attr;
struct job;
struct task;

struct task_order {
    enum task_command command;
    json_t *sources; /* names; NULL: all */
    /* of a start */
    bool forget;      /* what the target keeps of it goes first */
    char *start_time; /* NULL: from where it was */
    int64_t safe_us;  /* how long changes are applied in safe mode; negative: nothing is said */
    /* of a stop */
    int64_t grace_ms; /* what is under way has so long to end by itself */
};

/* What may follow the actions' names: 'sources', and more. */
extern const struct attr task_start_params[], task_stop_params[], task_pause_params[];

/* 'args' as the rows above have them.  -EINVAL. */
int task_order_of(enum task_command c, const json_t *args, struct task_order *ret, struct err *err);
void task_order_fini(struct task_order *o);

/* The names of those that it concerns and that are in a state for it; a new reference.  -ENOENT:
 * one is not of this task; -EBUSY: none is in a state for it. */
int task_choose(struct task *t, const struct task_order *o, json_t **ret, struct err *err);

/* The place in the source's binlog where a start_time is, and the time itself; without a zone it is
 * one of the source's clock on the wall.  -EINVAL; -ENODATA: before all there is; -ERANGE: after.
 */
struct position;
int task_find_time(const struct job *job, const char *text, int64_t *us, struct position *ret,
                   struct err *err);

bool names_have(const json_t *names, const char *name);

#endif
