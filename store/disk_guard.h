/*
 * disk_guard.h - room on the disk of the data folder.
 *
 * A ballast file takes 512 MiB (less on a small disk) that nobody needs.  When almost nothing is
 * left it is given up, and the disk counts as full: who only adds (the journal) stops, while
 * deleting, compaction and checkpoints, which need some room to free more, go on.  Once there is
 * room for it again, it is made again and all go on.
 *
 * Any thread.
 */
#ifndef SLUICE_STORE_DISK_GUARD_H
#define SLUICE_STORE_DISK_GUARD_H

#include <stdint.h>

#include "base/err.h"

struct disk_guard;

/* Makes the ballast in 'dir', if there is ample room. */
struct disk_guard *disk_guard_new(const char *dir);
void disk_guard_free(struct disk_guard *g); /* leaves the ballast; NULL is fine */
/* 0, or -ENOSPC with a sentence.  Costs a system call. */
int disk_guard_check(struct disk_guard *g, struct err *err);
/* A write found the disk full before the guard did. */
void disk_guard_was_full(struct disk_guard *g);

#endif
