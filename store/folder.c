#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"

static int refuse(int fd, const char *dir, struct err *err)
{
    char pid[16] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

    if (n > 0)
        pid[strcspn(pid, "\n")] = '\0';
    return err_set(err, -EBUSY,
                   "data folder %s is in use by sluiced with pid %s: stop it, or give another "
                   "folder with --data",
                   dir, pid[0] ? pid : "(unknown)");
}

static int write_pid(int fd)
{
    char text[16];
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());

    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
        return -errno;
    return 0;
}

int folder_sync_name(const char *path, struct err *err)
{
    SCOPED(freep) char *dir = xstrdup(path);
    SCOPED(closep) int fd = -1;
    char *slash = strrchr(dir, '/');

    if (slash)
        slash[slash == dir] = '\0';
    fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_set(err, -errno, "cannot sync the folder of %s: %m", path);
    return 0;
}

static int make_folder(const char *dir, struct err *err)
{
    if (mkdir(dir, 0700) == 0)
        return folder_sync_name(dir, err);
    return errno == EEXIST ? 0 : err_set(err, -errno, "cannot make data folder %s: %m", dir);
}

int folder_lock(const char *dir, struct err *err)
{
    SCOPED(freep) char *path = xasprintf("%s/lock", dir);
    int fd;

    if (make_folder(dir, err) < 0)
        return err->code;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, -errno, "cannot open %s: %m", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        refuse(fd, dir, err);
        close(fd);
        return err->code;
    }
    if (write_pid(fd) < 0) {
        err_set(err, -errno, "cannot write %s: %m", path);
        close(fd);
        return err->code;
    }
    return fd;
}
