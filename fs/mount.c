/* mount.c - the FUSE session and its threads. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "fs/private.h"

#define THREADS 8 /* nothing waits in them */
#define WAKE_AGAIN_MS 300
#define STOP_APART_MS 12000 /* actions return within ten seconds */

static void wake_only(int sig)
{
    (void)sig;
}

static void *loop_run(void *arg)
{
    struct fs *fs = arg;
    struct fuse_loop_config *cfg = fuse_loop_cfg_create();
    sigset_t wake;

    /* fuse_session_loop_mt() waits on a semaphore; the signal makes it look whether to end */
    sigemptyset(&wake);
    sigaddset(&wake, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
    fuse_loop_cfg_set_max_threads(cfg, THREADS);
    fuse_loop_cfg_set_idle_threads(cfg, THREADS);
    fuse_session_loop_mt(fs->session, cfg);
    fuse_loop_cfg_destroy(cfg);
    fs->loop_ended = true;
    return NULL;
}

static int session_open(struct fs *fs, const struct fs_config *config, struct err *err)
{
    SCOPED(freep) char *source = stale_source_name();
    SCOPED(freep)
    char *options = xasprintf("fsname=%s,subtype=sluice,default_permissions%s", source,
                              config->allow_other ? ",allow_other" : "");
    char name[] = "sluiced", option[] = "-o";
    char *argv[] = { name, option, options, NULL };
    struct fuse_args args = FUSE_ARGS_INIT(3, argv);

    fs->session = fuse_session_new(&args, &fs_operations, sizeof fs_operations, fs);
    fuse_opt_free_args(&args);
    if (!fs->session)
        return err_set(err, -EINVAL, "libfuse refuses the mount options %s", options);
    errno = 0;
    if (fuse_session_mount(fs->session, fs->mountpoint) == 0)
        return 0;
    fuse_session_destroy(fs->session);
    return err_set(err, errno ? -errno : -EIO,
                   "cannot mount on %s: is /dev/fuse there, and may this user mount? "
                   "--no-mount does without",
                   fs->mountpoint);
}

static int prepare(struct fs *fs, const struct fs_config *config, struct err *err)
{
    int rc;

    fs->mountpoint = stale_absolute(config->mountpoint, err);
    if (!fs->mountpoint)
        return err->code;
    rc = stale_clean(fs->mountpoint, err);
    if (rc < 0)
        return rc;
    if (mkdir(fs->mountpoint, 0755) < 0 && errno != EEXIST)
        return err_set(err, -errno, "%s: %m", fs->mountpoint);
    return session_open(fs, config, err);
}

int fs_mount(const struct fs_config *config, struct fs_notifier *n, struct node *root,
             struct fs **ret, struct err *err)
{
    struct fs *fs = xcalloc(1, sizeof *fs);
    struct sigaction wake = { .sa_handler = wake_only };
    int rc;

    mutex_init(&fs->files_lock);
    fs->root = node_ref(root);
    fs->notifier = n;
    rc = prepare(fs, config, err);
    if (rc < 0) {
        fs_notifier_free(n);
        node_unref(fs->root);
        mutex_fini(&fs->files_lock);
        free(fs->mountpoint);
        free(fs);
        return rc;
    }
    sigaction(SIGUSR1, &wake, NULL);
    fs->loop = thread_start("fuse", loop_run, fs);
    if (n)
        notify_start(fs, stale_device(fs->mountpoint));
    *ret = fs;
    return 0;
}

/* Wakes the loop until it has ended: it may have looked just before.  Once is nearly always enough,
 * and the next time comes late: a signal in the thread that joins its workers stands where
 * ThreadSanitizer holds its own locks. */
static void end_loop(struct fs *fs)
{
    fuse_session_exit(fs->session);
    for (int ms = 0; !fs->loop_ended; ms += 2) {
        if (ms % WAKE_AGAIN_MS == 0)
            pthread_kill(fs->loop, SIGUSR1);
        usleep(2000);
    }
    thread_join(fs->loop);
}

static void wait_for_apart(struct fs *fs)
{
    for (int ms = 0; fs->n_apart && ms < STOP_APART_MS; ms += 5) {
        if (ms == 1000)
            log_info(NULL, "waiting for %u requests on files to end", fs->n_apart);
        usleep(5000);
    }
}

void fs_unmount(struct fs *fs)
{
    if (!fs)
        return;
    notify_stop(fs); /* while the loop still answers its calls */
    wait_for_apart(fs);
    end_loop(fs);
    wait_for_apart(fs); /* for what began meanwhile: an open file was read again */
    notify_free(fs);
    fuse_session_unmount(fs->session);
    files_free(fs);
    dirs_free(fs);
    fuse_session_destroy(fs->session);
    node_unref(fs->root);
    mutex_fini(&fs->files_lock);
    free(fs->mountpoint);
    free(fs);
}
