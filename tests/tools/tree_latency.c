/*
 * tree_latency.c - how long one reading takes, in microseconds.
 *
 *     tree_latency file PATH N             open + read + close
 *     tree_latency http PORT PATH N        GET on one connection of 127.0.0.1
 *     tree_latency watchers DIRECTORY N    N inotify instances on it until SIGTERM; prints how many
 *                                          reads had events, and the seconds of CPU they took
 *
 * The first two print the median and the 99th percentile.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int by_size(const void *a, const void *b)
{
    double d = *(const double *)a - *(const double *)b;

    return d < 0 ? -1 : d > 0;
}

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void print_times(double *times, int n)
{
    qsort(times, n, sizeof *times, by_size);
    printf("%.1f %.1f\n", times[n / 2], times[n - 1 - n / 100]);
}

static void read_file(const char *path, int n)
{
    double *times = xcalloc(n, sizeof *times);
    char block[65536];

    for (int i = 0; i < n; i++) {
        double begun = now_us();
        int fd = open(path, O_RDONLY);

        if (fd < 0 || read(fd, block, sizeof block) < 0)
            die(path);
        close(fd);
        times[i] = now_us() - begun;
    }
    print_times(times, n);
    free(times);
}

static int dial(const char *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* One reply: all of its headers, and as much as Content-Length says. */
static void take_reply(int fd)
{
    static char text[1 << 20];
    size_t size = 0;

    for (;;) {
        ssize_t n = recv(fd, text + size, sizeof text - size - 1, 0);
        const char *body, *length;

        if (n <= 0)
            die("recv");
        size += n;
        text[size] = '\0';
        body = strstr(text, "\r\n\r\n");
        length = body ? strstr(text, "Content-Length: ") : NULL;
        if (length && size >= (size_t)(body + 4 - text) + strtoul(length + 16, NULL, 10))
            return;
    }
}

static void get_http(const char *port, const char *path, int n)
{
    double *times = xcalloc(n, sizeof *times);
    int fd = dial(port);

    for (int i = 0; i < n; i++) {
        double begun = now_us();

        dprintf(fd, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
        take_reply(fd);
        times[i] = now_us() - begun;
    }
    print_times(times, n);
    close(fd);
    free(times);
}

static volatile sig_atomic_t ended;

static void on_term(int sig)
{
    (void)sig;
    ended = 1;
}

/* A user may have 128 instances: every hundred is another's. */
static int new_instance(int i)
{
    int fd;

    if (seteuid((uid_t)(100000 + i / 100)) < 0)
        die("seteuid");
    fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        die("inotify_init1");
    if (seteuid(0) < 0)
        die("seteuid");
    return fd;
}

static void watch(const char *dir, int n)
{
    struct epoll_event e = { .events = EPOLLIN };
    struct rlimit files = { (rlim_t)n + 100, (rlim_t)n + 100 };
    int all = epoll_create1(EPOLL_CLOEXEC);
    unsigned long n_events = 0;
    struct rusage used;

    setrlimit(RLIMIT_NOFILE, &files);
    sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_term }, NULL);
    for (int i = 0; i < n; i++) {
        e.data.fd = new_instance(i);
        if (inotify_add_watch(e.data.fd, dir, IN_MODIFY) < 0 ||
            epoll_ctl(all, EPOLL_CTL_ADD, e.data.fd, &e) < 0)
            die("inotify_add_watch");
    }
    printf("ready\n");
    fflush(stdout);
    while (!ended) {
        struct epoll_event got[64];
        char block[4096];
        int n_got = epoll_wait(all, got, 64, -1);

        for (int i = 0; i < n_got; i++)
            n_events += read(got[i].data.fd, block, sizeof block) > 0;
    }
    getrusage(RUSAGE_SELF, &used);
    printf("%lu %.3f\n", n_events,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "file") == 0)
        read_file(argv[2], (int)strtol(argv[3], NULL, 10));
    else if (argc == 5 && strcmp(argv[1], "http") == 0)
        get_http(argv[2], argv[3], (int)strtol(argv[4], NULL, 10));
    else if (argc == 4 && strcmp(argv[1], "watchers") == 0)
        watch(argv[2], (int)strtol(argv[3], NULL, 10));
    else
        return 2;
    return 0;
}
