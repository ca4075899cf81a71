/*
 * private.h - what the files of fs/ share; no one else includes it.
 */
#ifndef SLUICE_FS_PRIVATE_H
#define SLUICE_FS_PRIVATE_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/thread.h"
#include "fs/fs.h"
#include "node/node.h"

struct fs {
    struct node *root;
    struct fuse_session *session;
    char *mountpoint;
    struct fs_notifier *notifier; /* NULL: nothing is announced */
    pthread_t loop;
    atomic_bool loop_ended;
    atomic_uint n_apart; /* requests answered in threads of their own */

    struct mutex files_lock;
    struct file *files GUARDED; /* all that are open */
    struct listing *listings GUARDED;
};

/* --- fs.c --- */

extern const struct fuse_lowlevel_ops fs_operations;

/* FUSE calls the root 1; everything else has the number that node.h gives it. */
int fs_target(struct fs *fs, fuse_ino_t ino, struct target *t);
fuse_ino_t fs_ino(struct fs *fs, const struct target *t);
struct caller fs_caller(fuse_req_t req);
struct fs *fs_of(fuse_req_t req);
bool fs_is_notifier(fuse_req_t req); /* does it come from our own child? */
/* What the kernel is told of 't'. */
struct fuse_entry_param fs_entry(fuse_req_t req, const struct target *t);
void fs_reply_entry(fuse_req_t req, const struct target *t);

/* A request that may wait, answered by 'job' in a thread of its own. */
struct apart {
    fuse_req_t req;
    struct fs *fs;
    struct file *file;
    struct fuse_file_info fi;
    struct buf bytes; /* of a write */
    size_t size;      /* of a read */
    void (*job)(struct apart *a);
};
struct apart *fs_apart_new(fuse_req_t req, struct file *f, const struct fuse_file_info *fi,
                           void (*job)(struct apart *a));
/* Takes 'a'; false, and EAGAIN is answered, when too many are at it already. */
bool fs_apart_start(struct apart *a);

/* --- dir.c: rows of fs_operations --- */

void dir_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dir_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void dir_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void dir_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                     struct fuse_file_info *fi);
void dirs_free(struct fs *fs); /* what is still open when the mount is gone */
void dir_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void dir_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void dir_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                struct fuse_file_info *fi);
void dir_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev);
void dir_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name);
void dir_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void dir_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void dir_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to_parent,
                const char *to_name, unsigned flags);

/* --- file.c: an open file --- */

struct file {
    struct target target;
    bool is_document; /* written whole, applied when flushed */
    struct mutex lock;
    struct buf text GUARDED;       /* what reads get */
    int64_t rendered_us GUARDED;   /* monotonic */
    struct buf written GUARDED;    /* of a document */
    bool has_new GUARDED;          /* written since the last flush */
    uint64_t expected GUARDED;     /* lines: where a reader that reads on would read next */
    uint64_t shift GUARDED;        /* lines: added to the offsets of such a reader */
    _Atomic uint64_t seen_changes; /* of the node, at the last rendering */
    struct file *next, **link;     /* among fs->files, under fs->files_lock */
    struct fuse_pollhandle *poll;  /* somebody polls it; likewise */
};

/* With its own reference to what 't' names; one of fs->files until it is freed. */
struct file *file_new(struct fs *fs, const struct target *t, bool for_writing);
void file_free(struct fs *fs, struct file *f);
/* Somebody polls 'f' (takes 'ph'), or whoever polls a file of 'n' is woken. */
void file_polled(struct fs *fs, struct file *f, struct fuse_pollhandle *ph);
void files_wake(struct fs *fs, const struct node *n);
void files_free(struct fs *fs); /* what is still open when the mount is gone */
int file_render(struct file *f, struct err *err);
bool file_is_stale(struct file *f);    /* a read at offset 0 should render anew */
bool file_waits(const struct file *f); /* rendering it may ask a server */
void file_read(struct file *f, fuse_req_t req, size_t size, off_t off);
/* Appends to a document; -EFBIG past 64 MiB. */
int file_append(struct file *f, const char *bytes, size_t size, const struct caller *who);
/* Takes what was written since the last flush as a whole; false if there is nothing new. */
bool file_take_document(struct file *f, struct buf *ret);

/* --- notify.c --- */

/* After the mount is there; 'dev' is its device, so that the child never works on another. */
void notify_start(struct fs *fs, dev_t dev);
void notify_stop(struct fs *fs);       /* ends and reaps the child */
void notify_free(struct fs *fs);       /* after the loop: its threads still ask for the pid */
pid_t notify_pid(const struct fs *fs); /* of the child; 0: none */
enum notify_op { NOTIFY_MOUNTED, NOTIFY_TOUCH, NOTIFY_MKDIR, NOTIFY_RMDIR };
struct notify_request {
    uint32_t op;
    uint32_t id;     /* of mkdir and rmdir: answered */
    uint64_t dev;    /* of mounted */
    char path[3800]; /* from the mount point; of mounted, the mount point itself */
};
struct notify_reply {
    uint32_t id;
    int32_t code; /* 0 or -errno */
};
struct fs_notifier {
    pid_t pid;
    int fd;                 /* SOCK_SEQPACKET to the child */
    struct notify *running; /* notify.c's own */
};
void notify_child_run(int fd) __attribute__((noreturn));
/* Sends it to the child; 0 or -errno: -EAGAIN with MSG_DONTWAIT when it is behind. */
int notify_ask(struct fs_notifier *n, enum notify_op op, uint32_t id, const char *path, int flags);
struct makings *notify_makings(struct fs *fs);

/* --- make.c --- */

struct makings *makings_new(struct fs *fs); /* HTTP makes its nodes through it from here on */
void makings_ended(struct makings *a, uint32_t id); /* the child's call 'id' has */
void makings_give_up(struct makings *a); /* there is no child any more; nobody waits for it */
void makings_free(struct makings *a);
/* mkdir/rmdir from the child: the request that it is made for, run here.  -ENOENT if there is
 * none. */
int making_create(struct fs *fs, struct node *dir, const char *name);
int making_destroy(struct fs *fs, struct node *n);

/* --- stale.c --- */

/* Source field of our mounts: "sluiced:<pid>:<start time>", by which a dead owner is known. */
char *stale_source_name(void);
/* Removes what dead daemons left mounted at 'mountpoint'; -EBUSY if a daemon lives there. */
int stale_clean(const char *mountpoint, struct err *err);
/* Device number of the newest sluice mount at 'mountpoint', 0 if there is none. */
dev_t stale_device(const char *mountpoint);
/* 'path' made absolute without looking at its last part, which may hang. */
char *stale_absolute(const char *path, struct err *err);

#endif
