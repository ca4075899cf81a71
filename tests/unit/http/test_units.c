#include "http/units.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/scope.h"
#include "http/server.h"
#include "mock.h"
#include "node/watch.h"

/* Listeners that follow the addresses of pumps, tried over real sockets. */

static struct node *root;
static struct http_server *server;
static unsigned port_a, port_b;

static unsigned free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    getsockname(fd, (struct sockaddr *)&a, &size);
    close(fd);
    return ntohs(a.sin_port);
}

static void set_addr(const char *pump, unsigned port)
{
    SCOPED(freep) char *path = xasprintf("pumps/%s/addr", pump);
    SCOPED(freep) char *addr = port ? xasprintf("'127.0.0.1:%u'", port) : xstrdup("''");

    mock_change(root, path, addr);
}

static void setup(void)
{
    static const char *const listen[] = { "127.0.0.1:0", NULL };
    static const char *const also[] = { "kingbus=127.0.0.1:0", NULL };
    struct http_config c = { .listen = listen, .facades = also };
    struct err err = ERR_INIT;

    root =
        mock_new("{ 'children': {"
                 " 'cluster': { 'children': { 'members': {} } },"
                 " 'pumps': { 'template': { 'attrs': { 'addr': '' } }, 'children': {"
                 "  'a': { 'attrs': { 'nodes': [{'nodeId': 'A'}], 'commit_ts': 1, 'addr': '' } },"
                 "  'b': { 'attrs': { 'nodes': [{'nodeId': 'B'}], 'commit_ts': 1, 'addr': '' } }"
                 " } } } }");
    port_a = free_port();
    port_b = free_port();
    set_addr("a", port_a);
    cr_assert_eq(http_start(&c, root, &server, &err), 0, "%s", err.text);
}

static void teardown(void)
{
    http_stop(server);
    node_unref(root);
    watch_stop();
}

TestSuite(units, .init = setup, .fini = teardown, .timeout = 60);

/* The answer to a GET, or "" if nobody listens. */
static char *get(unsigned port, const char *path)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    SCOPED(closep) int fd = socket(AF_INET, SOCK_STREAM, 0);
    SCOPED(freep)
    char *request =
        xasprintf("GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    struct buf all = BUF_INIT;
    char block[4096];
    ssize_t n;

    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
        send(fd, request, strlen(request), MSG_NOSIGNAL) > 0)
        while ((n = recv(fd, block, sizeof block, 0)) > 0)
            buf_add(&all, block, (size_t)n);
    return buf_steal(&all);
}

static bool answers(unsigned port, const char *id)
{
    SCOPED(freep) char *text = get(port, "/status"), *want = xasprintf("\"%s\"", id);

    return strstr(text, want) != NULL;
}

static bool is_closed(unsigned port)
{
    SCOPED(freep) char *text = get(port, "/");

    return !*text;
}

/* Waits for it at most twenty seconds: changes of the tree are told ten times a second. */
static bool comes(unsigned port, const char *id)
{
    for (int i = 0; i < 2000; i++, usleep(10 * 1000))
        if (id ? answers(port, id) : is_closed(port))
            return true;
    return false;
}

static unsigned port_of(size_t i)
{
    return (unsigned)strtoul(strrchr(http_address(server, i), ':') + 1, NULL, 10);
}

Test(units, are_there_when_the_server_has_started)
{
    SCOPED(freep) char *tree = get(port_a, "/v1/"), *main = get(port_of(0), "/pumps/b/status");

    cr_assert(answers(port_a, "A"));
    cr_assert_not_null(strstr(tree, "404"), "a pump's port has no tree: %s", tree);
    cr_assert_not_null(strstr(main, "\"B\""), "%s", main);
}

Test(units, follow_the_address)
{
    set_addr("b", port_b);
    cr_assert(comes(port_b, "B"));
    set_addr("a", 0);
    cr_assert(comes(port_a, NULL));
    set_addr("b", port_a);
    cr_assert(comes(port_a, "B"));
    cr_assert(comes(port_b, NULL));
}

Test(units, end_with_what_they_are_for)
{
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT;

    node_find(root, "pumps/a", &t, &err);
    node_remove(t.node);
    cr_assert(comes(port_a, NULL));
}

Test(units, say_in_last_error_why_not_and_try_again)
{
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT;
    bool said = false;

    set_addr("b", port_a);
    node_find(root, "pumps/b/last_error", &t, &err);
    for (int i = 0; i < 2000 && !said; i++, usleep(10 * 1000)) {
        SCOPED(json_decrefp) json_t *v = target_read(&t, &err);

        said = json_is_string(v) && strstr(json_string_value(v), "Address already in use");
    }
    cr_assert(said);
    set_addr("a", 0);
    cr_assert(comes(port_a, "B"));
}

Test(units, stand_beside_the_listeners_of_the_configuration)
{
    SCOPED(freep) char *url = http_url_of(server, "kingbus"), *main = http_url_of(server, "none");
    SCOPED(freep) char *own = get(port_of(1), "/cluster"), *shared = get(port_of(0), "/cluster");
    SCOPED(freep) char *none = get(port_of(1), "/nope");

    cr_assert_str_eq(strrchr(url, ':') + 1, strrchr(http_address(server, 1), ':') + 1);
    cr_assert_str_eq(strrchr(main, ':') + 1, strrchr(http_address(server, 0), ':') + 1);
    cr_assert_not_null(strstr(own, "{\"message\":\"success\",\"data\":[]}"), "%s", own);
    cr_assert_not_null(strstr(shared, "{\"message\":\"success\",\"data\":[]}"), "%s", shared);
    cr_assert_not_null(strstr(none, "{\"message\":\"Not Found\"}"), "%s", none);
    cr_assert_null(http_address(server, 5));
}

static void *post(void *arg)
{
    (void)arg;
    free(get(port_a, "/status"));
    return NULL;
}

/* A request in hand when its listener goes is finished first. */
Test(units, finish_what_they_have_begun)
{
    pthread_t threads[20];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_create(&threads[i], NULL, post, NULL);
    set_addr("a", 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    cr_assert(comes(port_a, NULL));
}
