/*
 * sync_begun.h - is the source's binlog the one that our position is of?
 *
 * A file and an offset mean nothing once the source has begun its binlog anew (RESET MASTER): the
 * same names come again, and a place in them that looks right.  What tells them apart is when a
 * file was begun, the time in its format description.  The target remembers it of each file from
 * the first event of it on: sluice_binlog, rows that go once no position is in that file any more.
 *
 * A stream that is open then may see nothing of it.  MariaDB goes on in the old file, which has no
 * name any more, and from its end in the next of the new ones: so at each new file the one before
 * is looked at once more, and a source that ends before what was read of it is asked again.
 */
#ifndef SLUICE_UNIT_SYNC_BEGUN_H
#define SLUICE_UNIT_SYNC_BEGUN_H

#include "unit/sync/sync_priv.h"

#define BEGUN_TABLE "sluice_binlog"

int begun_open(struct sync_run *r, struct err *err);
/* The format description of r->grouper's file came: remembers when the file was begun.  -EREMCHG:
 * the stream was opened by file and offset, and the file is another one of that name; or the file
 * before is by now.  The reader's. */
int begun_see(struct sync_run *r, uint32_t begun, struct err *err);
/* Once a second, in a thread of its own: has the stream read further than the source goes? */
void begun_pulse(struct sync_run *r);

#endif
