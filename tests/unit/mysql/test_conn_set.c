/* A stop reaches a connection that is still being made. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mysql/conn.h"
#include "mysql/conn_set.h"

struct attempt {
    struct mysql_params params;
    struct err err;
    int rc;
};

static void *attempt_run(void *arg)
{
    struct attempt *a = arg;
    struct mysql_conn *c;

    a->rc = mysql_conn_open(&c, &a->params, &a->err);
    return NULL;
}

/* A server that hangs: its kernel takes the connection, nobody says a word. */
static int hung_server(unsigned *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&a, size), 0);
    cr_assert_eq(listen(fd, 1), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

Test(conn_set, ends_a_login_that_waits_for_the_server)
{
    struct conn_set set;
    struct attempt a = { .params = { .host = (char *)"127.0.0.1",
                                     .user = (char *)"u",
                                     .connect_timeout_s = 3600,
                                     .set = &set },
                         .err = ERR_INIT };
    int fd = hung_server(&a.params.port), peer;
    pthread_t thread;

    conn_set_init(&set);
    pthread_create(&thread, NULL, attempt_run, &a);
    peer = accept(fd, NULL, NULL);

    conn_set_shut(&set);
    pthread_join(thread, NULL);

    cr_assert_eq(a.rc, -ECANCELED, "%d: %s", a.rc, a.err.text);
    conn_set_fini(&set);
    close(peer);
    close(fd);
}
