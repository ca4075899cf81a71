/*
 * folder.h - the data folder: made at first start, held by one daemon.
 *
 * The lock is flock(2) on DIR/lock, so the kernel drops it when its holder
 * dies, however it dies.  The file holds the pid for the sentence that a second
 * daemon gets.  Children forked while it is held would hold it too: the
 * notifier is forked before.
 */
#ifndef SLUICE_STORE_FOLDER_H
#define SLUICE_STORE_FOLDER_H

#include "base/err.h"

/* Makes 'dir' (0700; its parents must exist) and takes its lock.  Returns a
 * descriptor to close when done, or -EBUSY with the holder's pid in the sentence. */
int folder_lock(const char *dir, struct err *err);

/* Waits until the disk has 'path' by that name: after it was made or renamed. */
int folder_sync_name(const char *path, struct err *err);

#endif
