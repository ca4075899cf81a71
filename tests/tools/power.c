/*
 * power.c - for LD_PRELOAD: what a power loss leaves of files that are only appended to.
 *
 *     POWER_DIR=/data POWER_LOG=/log LD_PRELOAD=power.so sluiced --data /data
 *
 * Each fsync() and fdatasync() of a file below POWER_DIR adds "inode size" to POWER_LOG: so much of
 * it the disk has.  After a kill, tests/lib/power.sh cuts every file to that.  What was written
 * and not synced is gone, as after the worst power loss; names and directories are kept, and what
 * sync_file_range() asked for does not count.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_below(int fd)
{
    const char *dir = getenv("POWER_DIR");
    char link[64], path[PATH_MAX];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (!dir || n <= 0)
        return 0;
    path[n] = '\0';
    return strncmp(path, dir, strlen(dir)) == 0;
}

/* Before the sync: what is appended meanwhile does not count. */
static off_t size_of(int fd, ino_t *inode)
{
    struct stat st;

    if (!is_below(fd) || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return -1;
    *inode = st.st_ino;
    return st.st_size;
}

static void note(ino_t inode, off_t size)
{
    const char *log = getenv("POWER_LOG");
    int fd = log ? open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    char line[64];
    int n = snprintf(line, sizeof line, "%llu %lld\n", (unsigned long long)inode, (long long)size);

    if (fd < 0 || write(fd, line, (size_t)n) != n)
        abort();
    close(fd);
}

static int synced(int fd, const char *name)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    ino_t inode = 0;
    off_t size = size_of(fd, &inode);
    int rc = real(fd);

    if (rc == 0 && size >= 0)
        note(inode, size);
    return rc;
}

int fsync(int fd)
{
    return synced(fd, "fsync");
}

int fdatasync(int fd)
{
    return synced(fd, "fdatasync");
}
