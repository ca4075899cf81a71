/*
 * serve_read.c - raw readers of a binlog server, ours or a real one, for the benches.
 *
 *     serve_read raw PORT USER PASSWORD FILE TIMES PID
 *         reads from FILE to the end, TIMES times; prints bytes, events, seconds, MB/s, and the
 *         seconds of CPU a GB that the server, process PID, took
 *     serve_read tip PORT USER PASSWORD FILE OFFSET READERS SOURCE-PORT SECONDS
 *         READERS connections wait at the tip while rows with the time in them are committed at
 *         the source; prints the delays from then to each reader: p50 p99 max, in ms
 *
 * Nothing is decoded: what a reader costs should not hide what a server costs.
 */
#include <mysql.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { CHUNK = 256 << 10, MARK_SIZE = 4 + 16, EVERY_US = 5000 };

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void run_sql(MYSQL *my, const char *sql)
{
    if (mysql_query(my, sql))
        fail(mysql_error(my));
}

static MYSQL *log_in(unsigned port, const char *user, const char *password)
{
    MYSQL *my = mysql_init(NULL);
    my_bool no = 0;

    mysql_optionsv(my, MYSQL_OPT_SSL_ENFORCE, &no);
    mysql_optionsv(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
    if (!mysql_real_connect(my, "127.0.0.1", user, password, NULL, port, NULL, 0))
        fail(mysql_error(my));
    return my;
}

/* Sends COM_BINLOG_DUMP; what comes is read from the socket. */
static int begin_dump(MYSQL *my, const char *file, uint32_t offset, unsigned flags, uint32_t id)
{
    unsigned char body[10 + 256];
    size_t len = strlen(file);

    if (strstr(mysql_get_server_info(my), "MariaDB"))
        run_sql(my, "SET @mariadb_slave_capability=4");
    run_sql(my, "SET @master_binlog_checksum='CRC32'");
    run_sql(my, "SET @source_binlog_checksum='CRC32'");
    for (int i = 0; i < 4; i++) {
        body[i] = (unsigned char)(offset >> 8 * i);
        body[6 + i] = (unsigned char)(id >> 8 * i);
    }
    body[4] = (unsigned char)flags;
    body[5] = 0;
    memcpy(body + 10, file, len);
    if (my->methods->db_command(my, COM_BINLOG_DUMP, (char *)body, 10 + len, 1, NULL))
        fail(mysql_error(my));
    return (int)mysql_get_socket(my);
}

/* --- raw --- */

struct packets {
    uint64_t bytes, events;
    size_t left;     /* of the packet */
    uint8_t head[5]; /* of the next, and its first byte */
    size_t n_head;
    bool over;
};

/* Counts packets without looking into them; EOF or an error ends it. */
static void count(struct packets *p, const uint8_t *at, size_t size)
{
    while (size > 0 && !p->over) {
        size_t n;

        if (p->left) {
            n = size < p->left ? size : p->left;
            p->left -= n;
        } else {
            n = 1;
            p->head[p->n_head++] = *at;
            if (p->n_head == sizeof p->head) {
                size_t payload = (size_t)(p->head[0] | p->head[1] << 8 | p->head[2] << 16);

                p->over = p->head[4] >= 0xfe && payload < 1000;
                if (p->head[4] == 0xff && p->over)
                    fail("the dump ends with an error");
                p->left = payload - 1;
                p->n_head = 0;
                p->events++;
            }
        }
        at += n;
        size -= n;
        p->bytes += n;
    }
}

static void read_all(unsigned port, const char *user, const char *password, const char *file,
                     struct packets *p)
{
    static uint8_t chunk[CHUNK];
    MYSQL *my = log_in(port, user, password);
    int fd = begin_dump(my, file, 4, 3, 0);

    p->over = false;
    p->left = p->n_head = 0;
    while (!p->over) {
        ssize_t n = recv(fd, chunk, sizeof chunk, 0);

        if (n < 0 && errno == EAGAIN) {
            usleep(50);
            continue;
        }
        if (n <= 0)
            fail("the connection ended");
        count(p, chunk, (size_t)n);
    }
    mysql_close(my);
}

/* Of another process, to the nanosecond: /proc counts in ticks of 10 ms. */
static double cpu_seconds(const char *pid)
{
    clockid_t clock;
    struct timespec t;

    if (clock_getcpuclockid((pid_t)strtol(pid, NULL, 10), &clock) || clock_gettime(clock, &t))
        fail("no such process");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void raw(char **argv)
{
    int times = (int)strtol(argv[6], NULL, 10);
    struct packets p = { 0 };
    double cpu = cpu_seconds(argv[7]);
    int64_t start = clock_mono_us(), us;

    for (int i = 0; i < times; i++)
        read_all((unsigned)strtoul(argv[2], NULL, 10), argv[3], argv[4], argv[5], &p);
    us = clock_mono_us() - start;
    cpu = cpu_seconds(argv[7]) - cpu;
    printf("%llu bytes %llu events %.3f s %.1f MB/s %.3f s/GB\n", (unsigned long long)p.bytes,
           (unsigned long long)p.events, (double)us / 1e6, (double)p.bytes / (double)us,
           cpu / (double)p.bytes * 1e9);
}

/* --- tip --- */

struct reader {
    int fd;
    char tail[MARK_SIZE]; /* the end of what came before: a mark may be split */
    size_t n_tail;
};

static double *delays;
static size_t n_delays, cap_delays;
static atomic_bool stopping;
static atomic_ulong n_committed;

static void found(uint64_t sent_us)
{
    if (n_delays == cap_delays) {
        cap_delays = cap_delays ? cap_delays * 2 : 1 << 16;
        delays = xrealloc(delays, cap_delays * sizeof *delays);
    }
    delays[n_delays++] = (double)(clock_mono_us() - (int64_t)sent_us) / 1000;
}

static void look(const char *text, size_t size)
{
    const char *at = text, *end = text + size;

    while ((at = memmem(at, (size_t)(end - at), "LAT:", 4)) && end - at >= MARK_SIZE) {
        found(strtoull(at + 4, NULL, 16));
        at += MARK_SIZE;
    }
}

static void take(struct reader *r)
{
    static char chunk[MARK_SIZE + CHUNK + 1];
    ssize_t n;

    while ((n = recv(r->fd, chunk + r->n_tail, CHUNK, MSG_DONTWAIT)) > 0) {
        size_t size = r->n_tail + (size_t)n, keep = size < MARK_SIZE - 1 ? size : MARK_SIZE - 1;

        memcpy(chunk, r->tail, r->n_tail);
        chunk[size] = '\0';
        look(chunk, size);
        r->n_tail = keep;
        memcpy(r->tail, chunk + size - keep, keep);
    }
    if (n == 0)
        fail("a reader was disconnected");
}

static void *commit_rows(void *arg)
{
    MYSQL *my = arg;
    char sql[128];

    while (!stopping) {
        snprintf(sql, sizeof sql, "INSERT INTO lat.t (c) VALUES ('LAT:%016llx')",
                 (unsigned long long)clock_mono_us());
        run_sql(my, sql);
        n_committed++;
        usleep(EVERY_US);
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_delays(unsigned long expected)
{
    qsort(delays, n_delays, sizeof *delays, by_size);
    if (n_delays != expected)
        fail("not every row reached every reader once");
    printf("%zu deliveries p50 %.3f p99 %.3f max %.3f ms\n", n_delays, delays[n_delays / 2],
           delays[n_delays * 99 / 100], delays[n_delays - 1]);
}

static void tip(char **argv)
{
    size_t n = strtoul(argv[7], NULL, 10);
    MYSQL *source = log_in((unsigned)strtoul(argv[8], NULL, 10), "sluice", "sluice");
    int64_t end_us = strtoll(argv[9], NULL, 10) * 1000000;
    struct reader *readers = xcalloc(n, sizeof *readers);
    struct epoll_event ready[64];
    int ep = epoll_create1(0);
    pthread_t t;

    for (size_t i = 0; i < n; i++) {
        MYSQL *my = log_in((unsigned)strtoul(argv[2], NULL, 10), argv[3], argv[4]);
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = &readers[i] };

        readers[i].fd = begin_dump(my, argv[5], (uint32_t)strtoul(argv[6], NULL, 10), 0,
                                   (uint32_t)(900000 + i));
        epoll_ctl(ep, EPOLL_CTL_ADD, readers[i].fd, &e);
    }
    run_sql(source, "CREATE DATABASE IF NOT EXISTS lat");
    run_sql(source,
            "CREATE TABLE IF NOT EXISTS lat.t (id INT AUTO_INCREMENT PRIMARY KEY, c CHAR(20))");
    pthread_create(&t, NULL, commit_rows, source);
    end_us += clock_mono_us();
    while (clock_mono_us() < end_us + 2000000) {
        int got = epoll_wait(ep, ready, 64, 100);

        for (int i = 0; i < got; i++)
            take(ready[i].data.ptr);
        if (clock_mono_us() > end_us)
            stopping = true;
    }
    pthread_join(t, NULL);
    print_delays(n_committed * n);
}

int main(int argc, char **argv)
{
    if (argc == 8 && strcmp(argv[1], "raw") == 0)
        raw(argv);
    else if (argc == 10 && strcmp(argv[1], "tip") == 0)
        tip(argv);
    else
        fail("serve_read raw PORT USER PASSWORD FILE TIMES PID | "
             "tip PORT USER PASSWORD FILE OFFSET READERS SOURCE-PORT SECONDS");
    return 0;
}
