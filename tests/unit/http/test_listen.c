#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "http/listen.h"

Test(listen, parses_hosts_and_ports)
{
    struct listen_spec s;
    struct err err = ERR_INIT;

    cr_assert_eq(listen_parse("127.0.0.1:8261", &s, &err), 0);
    cr_expect_str_eq(s.host, "127.0.0.1");
    cr_expect_str_eq(s.port, "8261");
    cr_expect_not(s.tls);
    listen_spec_fini(&s);
    cr_assert_eq(listen_parse("tls:[::1]:0", &s, &err), 0);
    cr_expect_str_eq(s.host, "::1");
    cr_expect(s.tls);
    listen_spec_fini(&s);
    cr_assert_eq(listen_parse("unix:/run/x.sock", &s, &err), 0);
    cr_expect_str_eq(s.path, "/run/x.sock");
    listen_spec_fini(&s);
}

Test(listen, refuses_what_it_cannot_listen_on)
{
    static const char *const bad[] = { "",           ":1",       "8261", "host:",  "host:http",
                                       "host:65536", "::1:8261", "[]:1", "[::1]1", "unix:relative",
                                       "unix:" };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct listen_spec s = { 0 };
        struct err err = ERR_INIT;

        cr_expect_eq(listen_parse(bad[i], &s, &err), -EINVAL, "'%s'", bad[i]);
    }
}

static int open_text(const char *text, struct listen_socket *sock, struct err *err)
{
    SCOPED(listen_spec_fini) struct listen_spec s = { 0 };

    return listen_parse(text, &s, err) < 0 ? err->code : listen_open(&s, sock, err);
}

Test(listen, says_which_port_it_took)
{
    struct listen_socket a, b;
    struct err err = ERR_INIT;

    cr_assert_eq(open_text("127.0.0.1:0", &a, &err), 0, "%s", err.text);
    cr_expect(a.loopback);
    cr_expect(strncmp(a.text, "127.0.0.1:", 10) == 0 && strcmp(a.text + 10, "0") != 0);
    cr_assert_eq(open_text(a.text, &b, &err), -EADDRINUSE);
    close(a.fd);
    free(a.text);
}

Test(listen, tells_loopback_from_the_world)
{
    struct listen_socket a;
    struct err err = ERR_INIT;

    cr_assert_eq(open_text("0.0.0.0:0", &a, &err), 0, "%s", err.text);
    cr_expect_not(a.loopback);
    close(a.fd);
    free(a.text);
}

Test(listen, replaces_the_socket_of_a_dead_daemon_only)
{
    char text[64];
    struct listen_socket a, b;
    struct err err = ERR_INIT;

    snprintf(text, sizeof text, "unix:/tmp/sluice-listen-%d", (int)getpid());
    cr_assert_eq(open_text(text, &a, &err), 0, "%s", err.text);
    cr_assert_eq(open_text(text, &b, &err), -EADDRINUSE);
    close(a.fd);
    cr_assert_eq(open_text(text, &b, &err), 0, "%s", err.text);
    close(b.fd);
    unlink(text + 5);
    free(a.text);
    free(b.text);
}
