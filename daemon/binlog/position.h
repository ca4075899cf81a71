/*
 * position.h - a place in a source's binlog: file and offset, and a GTID set
 * where the source has one.  gtid_set.h has the sets of both flavours behind
 * one interface.
 */
#ifndef SLUICE_BINLOG_POSITION_H
#define SLUICE_BINLOG_POSITION_H

#include <stdint.h>

#include "binlog/event.h"
#include "binlog/gtid_set.h"

#define BINLOG_NAME_SIZE 256 /* with the NUL */

struct position {
    char file[BINLOG_NAME_SIZE]; /* "" if not known */
    uint64_t offset;
    struct gtid_set *gtids; /* owned; NULL if not known */
};

void position_fini(struct position *p);
void position_copy(struct position *to,
                   const struct position *from); /* deep; 'to' was initialised */

/* Orders by file (its number) and offset.  <0, 0, >0. */
int position_compare(const struct position *a, const struct position *b);

#endif
