/*
 * stop.h - stopping in steps, each with a time limit.
 *
 *     struct stop *s = stop_begin(30, let_go, arg);
 *     stop_step(s, "HTTP");
 *     http_stop(server);
 *     ...
 *     stop_end(s);
 *
 * Meanwhile a thread says in the log what a step that takes long waits for.  A
 * step that passes its limit, or a second SIGTERM or SIGINT, ends the process
 * where it is, after let_go(arg): nothing is lost by that, since the next start
 * goes on from the checkpoints.
 */
#ifndef SLUICE_STOP_H
#define SLUICE_STOP_H

#include <stdint.h>

struct stop;

/* SIGTERM and SIGINT are blocked in every thread.  'on_give_up' runs in a thread of its own while
 * the step goes on: it waits for nothing. */
struct stop *stop_begin(uint64_t step_seconds, void (*on_give_up)(void *arg), void *arg);
void stop_step(struct stop *s, const char *what); /* a literal: "units: tasks" */
void stop_end(struct stop *s);

#endif
