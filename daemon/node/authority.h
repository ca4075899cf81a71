/*
 * authority.h - who may do what: one rule for both fronts.
 *
 * The whole tree has one owner, one group and one mode.  A row says what can
 * be done with it at all (read, write); the mode says who may.  The kernel
 * enforces the result on files, authority_check() on HTTP and against root,
 * whom the kernel lets through.
 */
#ifndef SLUICE_NODE_AUTHORITY_H
#define SLUICE_NODE_AUTHORITY_H

#include <sys/stat.h>
#include <sys/types.h>

struct caller;
struct err;

struct authority {
    uid_t uid;
    gid_t gid;
    mode_t mode; /* of a file that can be read and written: 0644, 0660, ... */
};

/* Before any front starts.  The default is the daemon's own uid and gid, and 0644. */
void authority_set(const struct authority *a);
const struct authority *authority_get(void);

/* What is left of 'bits' (0444 can be read, 0222 written, 0555 or 0777 a directory). */
mode_t authority_bits(mode_t bits);

/* May 'who' do 'want' (4 read, 2 write, 1 search, or a sum) to something of 'mode' (as
 * target_mode() gives it)?  0 or -EACCES with a sentence.  May ask the system's user database:
 * not under a lock. */
int authority_check(const struct caller *who, mode_t mode, int want, struct err *err);

#endif
