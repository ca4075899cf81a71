/*
 * fs.h - the tree as a mounted file system.
 *
 *     n = fs_fork_notifier();                  first thing in main: before any thread
 *     fs_mount(&config, n, root, &fs, &err);   cleans a stale mount, mounts, serves
 *     fs_unmount(fs);                          ends the notifier, then the loop; unmounts
 *
 * fs.c and dir.c answer the kernel by node.h alone and know no node by name;
 * file.c is an open file; mount.c the session and its threads; stale.c what a dead daemon
 * left behind; notify.c and notify_child.c say through the mount what changed.
 */
#ifndef SLUICE_FS_FS_H
#define SLUICE_FS_FS_H

#include <stdbool.h>

struct err;
struct fs;
struct fs_notifier;
struct node;

struct fs_config {
    const char *mountpoint; /* made if it is not there */
    bool allow_other;       /* other users than the daemon's; without root /etc/fuse.conf decides */
};

/* Forks the child that makes our own calls through the mount.  Before any thread is
 * started.  The child ends when the daemon does, however that ends. */
struct fs_notifier *fs_fork_notifier(void);
/* Ends a child that was never given to fs_mount(); NULL is fine. */
void fs_notifier_free(struct fs_notifier *n);

/* Mounts and starts serving.  Takes 'n', also on failure.  -EBUSY if a live daemon is mounted
 * there.  Without a notifier (NULL) nothing is announced. */
int fs_mount(const struct fs_config *config, struct fs_notifier *n, struct node *root,
             struct fs **ret, struct err *err);
void fs_unmount(struct fs *fs); /* NULL is fine */

/* For a process that exits without fs_unmount(): takes what it mounted at 'mountpoint' out of
 * sight, waiting for nobody.  Any thread; does nothing once that is unmounted. */
void fs_abandon(const char *mountpoint);

#endif
