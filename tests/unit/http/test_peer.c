#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "http/peer.h"

struct answer {
    struct nlmsghdr head;
    struct inet_diag_msg msg;
};

static struct answer good_answer(void)
{
    return (struct answer){
        .head = { .nlmsg_len = sizeof(struct answer), .nlmsg_type = SOCK_DIAG_BY_FAMILY },
        .msg = { .idiag_state = TCP_ESTABLISHED, .idiag_uid = 1234, .idiag_inode = 99 },
    };
}

static int parse(const struct answer *a, size_t size, uid_t *uid)
{
    struct err err = ERR_INIT;

    return peer_parse_diag(slice_of(a, size), uid, &err);
}

Test(peer, reads_the_uid_of_an_established_socket)
{
    struct answer a = good_answer();
    uid_t uid = 0;

    cr_assert_eq(parse(&a, sizeof a, &uid), 0);
    cr_assert_eq(uid, 1234);
}

Test(peer, never_takes_a_closed_socket_for_root)
{
    static const unsigned char states[] = { TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_TIME_WAIT, TCP_CLOSE,
                                            TCP_CLOSE_WAIT };
    uid_t uid = 77;

    for (size_t i = 0; i < sizeof states; i++) {
        struct answer a = good_answer();

        a.msg.idiag_state = states[i];
        a.msg.idiag_uid = 0;
        cr_expect_eq(parse(&a, sizeof a, &uid), -EACCES);
    }
    struct answer orphan = good_answer();

    orphan.msg.idiag_inode = 0;
    cr_expect_eq(parse(&orphan, sizeof orphan, &uid), -EACCES);
    cr_assert_eq(uid, 77);
}

Test(peer, refuses_errors_and_short_answers)
{
    struct answer a = good_answer();
    uid_t uid = 77;

    cr_expect_eq(parse(&a, 0, &uid), -EACCES);
    cr_expect_eq(parse(&a, sizeof a.head - 1, &uid), -EACCES);
    cr_expect_eq(parse(&a, sizeof a - 1, &uid), -EACCES);
    a.head.nlmsg_type = NLMSG_ERROR;
    cr_expect_eq(parse(&a, sizeof a, &uid), -EACCES);
    cr_assert_eq(uid, 77);
}

/* A connection of this process to itself: 'near' is the accepted end. */
static void connect_pair(int family, const struct sockaddr *a, socklen_t size, int *near, int *far)
{
    struct sockaddr_storage bound;
    socklen_t bound_size = sizeof bound;
    int listener = socket(family, SOCK_STREAM, 0);

    *far = socket(family, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, a, size), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&bound, &bound_size), 0);
    cr_assert_eq(connect(*far, (struct sockaddr *)&bound, bound_size), 0);
    *near = accept(listener, NULL, NULL);
    close(listener);
}

static void connect_loopback(int *near, int *far)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    connect_pair(AF_INET, (struct sockaddr *)&a, sizeof a, near, far);
}

Test(peer, is_this_process_over_ipv4)
{
    struct peer p;
    int near, far;

    connect_loopback(&near, &far);
    peer_of_socket(near, &p);

    cr_assert_eq(p.kind, PEER_LOCAL);
    cr_assert_eq(p.uid, getuid());
    cr_assert(p.tcp);
    cr_assert(strncmp(p.text, "127.0.0.1:", 10) == 0);
    close(near);
    close(far);
}

Test(peer, is_this_process_over_ipv6_and_mapped_ipv4)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct peer p;
    int near, far;

    connect_pair(AF_INET6, (struct sockaddr *)&six, sizeof six, &near, &far);
    peer_of_socket(near, &p);
    cr_assert_eq(p.kind, PEER_LOCAL);
    cr_assert_eq(p.uid, getuid());
    close(near);
    close(far);
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &six.sin6_addr);
    connect_pair(AF_INET6, (struct sockaddr *)&six, sizeof six, &near, &far);
    peer_of_socket(near, &p);
    cr_assert_eq(p.kind, PEER_LOCAL);
    cr_assert_eq(p.uid, getuid());
    close(near);
    close(far);
}

Test(peer, is_nobody_once_the_client_has_closed)
{
    struct peer p;
    int near, far;

    connect_loopback(&near, &far);
    close(far);
    peer_of_socket(near, &p);

    cr_assert_eq(p.kind, PEER_UNKNOWN);
    cr_assert_neq(p.uid, 0);
    close(near);
}

Test(peer, is_this_process_over_a_unix_socket)
{
    struct peer p;
    int ends[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    peer_of_socket(ends[0], &p);

    cr_assert_eq(p.kind, PEER_LOCAL);
    cr_assert_eq(p.uid, getuid());
    cr_assert_eq(p.pid, getpid());
    cr_assert_not(p.tcp);
    close(ends[0]);
    close(ends[1]);
}
