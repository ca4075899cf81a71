/*
 * line_log.h - the last lines of events and audit, kept over a restart.
 *
 * Who appends must not wait for a disk, so a thread of its own writes what has
 * queued; after a kill -9 the last few milliseconds may be missing.  A line
 * has a number, one more than the line before; numbers never repeat.
 */
#ifndef SLUICE_STORE_LINE_LOG_H
#define SLUICE_STORE_LINE_LOG_H

#include <stdint.h>

#include "base/err.h"

struct line_log;
struct store;

/* Starts the thread.  'log' ("events") is borrowed; 'keep' is how many lines stay. */
struct line_log *line_log_new(struct store *s, const char *log, unsigned keep);
/* Writes what is queued, and ends.  NULL is fine. */
void line_log_free(struct line_log *l);

/* Gives every kept line in order.  '*next' is the number of the next line to append. */
int line_log_each(struct line_log *l, void (*visit)(void *arg, const char *line), void *arg,
                  uint64_t *next, struct err *err);

/* Any thread, any lock may be held; never waits.  Lines that the disk refuses are given up, and
 * so are the oldest when more than 'keep' queue up. */
void line_log_append(struct line_log *l, uint64_t number, const char *text);

#endif
