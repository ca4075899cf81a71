#include "base/fd.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"

enum { LARGE = 1 << 20 }; /* more than a pipe holds */

static void *drain(void *arg)
{
    size_t *n = arg;
    static char bytes[65536];
    ssize_t got;

    while ((got = read((int)n[1], bytes, sizeof bytes)) > 0)
        n[0] += (size_t)got;
    return NULL;
}

Test(fd, writes_all_of_what_does_not_fit_at_once)
{
    static char bytes[LARGE];
    size_t n[2] = { 0 };
    int ends[2];
    pthread_t reader;

    cr_assert_eq(pipe(ends), 0);
    n[1] = (size_t)ends[0];
    reader = thread_start("reader", drain, n);

    cr_assert_eq(fd_write(ends[1], bytes, sizeof bytes), 0);

    close(ends[1]);
    thread_join(reader);
    close(ends[0]);
    cr_assert_eq(n[0], sizeof bytes);
}

Test(fd, says_why_it_cannot_write)
{
    int ends[2];

    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(pipe(ends), 0);
    close(ends[0]);

    cr_assert_eq(fd_write(ends[1], "x", 1), -EPIPE);

    close(ends[1]);
}

Test(fd, listens_where_nobody_else_does)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *at;
    socklen_t size;
    int first, second;

    cr_assert_eq(getaddrinfo("127.0.0.1", "0", &hints, &at), 0);
    first = fd_listen(at, 8);
    cr_assert_geq(first, 0);
    size = at->ai_addrlen;
    cr_assert_eq(getsockname(first, at->ai_addr, &size), 0); /* with the port that it got */

    second = fd_listen(at, 8);

    cr_assert_eq(second, -EADDRINUSE);
    close(first);
    freeaddrinfo(at);
}
