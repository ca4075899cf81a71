#include "http/server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/scope.h"
#include "node/watch.h"
#include "tree.h"

static struct node *root;
static struct http_server *server;

static void start(const struct http_config *c)
{
    static const char *const listen[] = { "127.0.0.1:0", NULL };
    struct http_config local = *c;
    struct err err = ERR_INIT;

    local.listen = listen;
    root = tree_new();
    cr_assert_eq(http_start(&local, root, &server, &err), 0, "%s", err.text);
}

static void setup(void)
{
    start(&(struct http_config){ .max_body = 100000 });
}

static void teardown(void)
{
    http_stop(server);
    tree_free(root);
    watch_stop();
}

TestSuite(server, .init = setup, .fini = teardown, .timeout = 30);

static int dial(void)
{
    struct timeval limit = { .tv_sec = 10 };
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_port = htons((uint16_t)strtol(strchr(http_address(server, 0), ':') + 1, NULL, 10));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* Reads until 'wanted' is in the text, or the end. */
static char *read_until(int fd, const char *wanted)
{
    static char text[65536];
    size_t size = 0;
    ssize_t n;

    text[0] = '\0';
    while (!(wanted && strstr(text, wanted)) &&
           (n = recv(fd, text + size, sizeof text - size - 1, 0)) > 0) {
        size += n;
        text[size] = '\0';
    }
    return text;
}

/* One request on a connection of its own; "\n" becomes CRLF in the headers. */
static char *ask(const char *request, const char *body)
{
    char head[1024];
    int fd = dial();
    char *answer;

    snprintf(head, sizeof head,
             "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
             request, strlen(body));
    send(fd, head, strlen(head), MSG_NOSIGNAL);
    send(fd, body, strlen(body), MSG_NOSIGNAL);
    answer = read_until(fd, NULL);
    close(fd);
    return answer;
}

static void expect(const char *request, const char *body, const char *status, const char *wanted)
{
    const char *answer = ask(request, body);

    cr_expect_eq(strncmp(answer, "HTTP/1.1 ", 9), 0, "%s: %s", request, answer);
    cr_expect_eq(strncmp(answer + 9, status, 3), 0, "%s: %s", request, answer);
    cr_expect_not_null(strstr(answer, wanted), "%s: %s", request, answer);
}

Test(server, serves_the_tree)
{
    expect("GET /v1/tasks/t1/state", "", "200", "\r\n\r\n\"new\"\n");
    expect("GET /v1/tasks/a%2Fb/state", "", "200", "\r\n\r\n\"new\"\n");
    expect("GET /v1/tasks/a/b/state", "", "404", "ENOENT");
    expect("GET /v1", "", "200", "\"tasks\"");
    expect("GET /", "", "200", "\"tasks\"");
    expect("GET /api/none", "", "404", "below /v1/");
    expect("GET /v1/tasks/%zz", "", "400", "percent-encoded");
    expect("GET /v1/tasks?limit=x", "", "400", "limit=x");
    expect("PUT /v1/tasks/t1/host", "db1", "204", "");
    expect("GET /v1/tasks/t1/host", "", "200", "\"db1\"");
    expect("POST /v1/tasks/t1/pause", "", "204", "");
    expect("GET /v1/tasks/t1/pause", "", "405", "Allow: POST");
    expect("PUT /v1/tasks/x%2Fy", "", "201", "Location: /v1/tasks/x%252Fy");
    expect("DELETE /v1/tasks/x%2Fy", "", "204", "");
    expect("GET /v1/tasks/t1/schemas", "", "200", "\"asked\"");
}

Test(server, sends_no_body_to_head)
{
    const char *answer = ask("HEAD /v1/tasks/t1/state", "");

    cr_assert_not_null(strstr(answer, "200 OK"));
    cr_assert_not_null(strstr(answer, "Content-Length: 6\r\n"));
    cr_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

Test(server, refuses_a_body_over_the_limit)
{
    SCOPED(freep) char *big = malloc(100002);

    memset(big, 'x', 100001);
    big[100001] = '\0';
    expect("PUT /v1/tasks/t1/config", big, "413", "EFBIG");
    expect("PUT /v1/tasks/t1/host", big + 90000, "413", "EFBIG");
    expect("GET /v1/tasks/t1/host", "", "200", "127.0.0.1");
}

Test(server, refuses_pages_of_other_sites)
{
    int fd = dial();
    const char *answer;

    dprintf(fd, "POST /v1/tasks/t1/pause HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil\r\n"
                "Content-Length: 0\r\nConnection: close\r\n\r\n");
    answer = read_until(fd, NULL);
    close(fd);

    cr_assert_not_null(strstr(answer, "403"), "%s", answer);
    cr_assert_eq(tree_toy(root, "tasks/t1")->n_paused, 0);
}

static int watch(const char *path, const char *more)
{
    int fd = dial();

    dprintf(fd, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path, more);
    return fd;
}

Test(server, streams_what_changes)
{
    int fd = watch("/v1/tasks?watch=1", "");
    const char *text = read_until(fd, "\"path\":\"tasks\"");

    cr_assert_not_null(strstr(text, "Content-Type: text/event-stream"), "%s", text);
    expect("PUT /v1/tasks/t1/host", "db7", "204", "");
    text = read_until(fd, "db7");
    cr_assert_not_null(strstr(text, "event: change\n"), "%s", text);
    cr_assert_not_null(strstr(text, "\"path\":\"tasks/t1\",\"seq\":"), "%s", text);
    expect("PUT /v1/tasks/new", "", "201", "");
    text = read_until(fd, "tasks/new");
    cr_assert_not_null(strstr(text, "event: create\n"), "%s", text);
    expect("DELETE /v1/tasks/new", "", "204", "");
    text = read_until(fd, "event: remove");
    cr_assert_not_null(strstr(text, "event: remove\n"), "%s", text);
    close(fd);
}

Test(server, resumes_a_stream_where_it_was)
{
    char id[64], more[128];
    int fd = watch("/v1/tasks/t1?watch=1", "");

    read_until(fd, "\"path\"");
    expect("PUT /v1/tasks/t1/host", "one", "204", "");
    snprintf(id, sizeof id, "%.20s", strstr(read_until(fd, "\"one\""), "id: ") + 4);
    id[strcspn(id, "\n")] = '\0';
    close(fd);
    expect("PUT /v1/tasks/t1/host", "two", "204", "");
    usleep(300000); /* gathered ten times a second */

    snprintf(more, sizeof more, "Last-Event-ID: %s\r\n", id);
    fd = watch("/v1/tasks/t1?watch=1", more);
    cr_assert_not_null(strstr(read_until(fd, "\"two\""), "event: change\n"));
    close(fd);
    fd = watch("/v1/tasks/t1?watch=1", "Last-Event-ID: 5\r\n");
    cr_assert_not_null(strstr(read_until(fd, "reset"), "event: reset\n"));
    close(fd);
}

Test(server, streams_one_attribute_alone)
{
    int fd = watch("/v1/tasks/t1/host", "Accept: text/event-stream\r\n");
    const char *text;

    read_until(fd, "{\"host\":\"127.0.0.1\"}");
    node_changed(&tree_toy(root, "tasks/t1")->node, "events");
    usleep(200000);
    expect("PUT /v1/tasks/t1/host", "db9", "204", "");
    text = read_until(fd, "db9");
    cr_assert_null(strstr(text, "events"), "%s", text);
    close(fd);
}

Test(server, ends_open_streams_when_it_stops)
{
    int fds[20];

    for (int i = 0; i < 20; i++) {
        fds[i] = watch("/v1?watch=1", "");
        read_until(fds[i], "retry");
    }
    http_stop(server);
    server = NULL;

    for (int i = 0; i < 20; i++) {
        read_until(fds[i], NULL); /* returns: the end was reached */
        close(fds[i]);
    }
}

static void *hammer(void *arg)
{
    for (int i = 0; i < 100; i++) {
        int fd = dial();

        dprintf(fd, "%s", (const char *)arg);
        if (i % 2)
            read_until(fd, NULL);
        close(fd);
    }
    return NULL;
}

Test(server, survives_clients_that_leave)
{
    static const char *const requests[] = {
        "GET /v1?watch=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nLast-Event-ID: x",
        "POST /v1/tasks/t1/pause HTTP/1.0\r\nContent-Length: 0\r\n\r\n",
        "GET /v1/tasks HTTP/1.0\r\n\r\n",
        "PUT /v1/tasks/t1/config HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n{",
    };
    pthread_t threads[4];

    for (int i = 1; i < 3; i++)
        pthread_create(&threads[i], NULL, hammer, (void *)requests[i]);
    for (int i = 0; i < 100; i++) {
        int fd = dial();

        dprintf(fd, "%s", requests[i % 2 ? 0 : 3]);
        close(fd);
    }
    for (int i = 1; i < 3; i++)
        pthread_join(threads[i], NULL);
    expect("GET /v1/tasks/t1/state", "", "200", "new");
}

Test(http_start, refuses_to_be_reached_from_elsewhere_without_tls_and_tokens)
{
    static const char *const world[] = { "127.0.0.1:0", "0.0.0.0:0", NULL };
    struct http_config c = { .listen = world };
    struct err err = ERR_INIT;

    root = tree_new();
    cr_assert_eq(http_start(&c, root, &server, &err), -EINVAL);
    cr_assert_not_null(strstr(err.text, "0.0.0.0"));
    c.insecure = true;
    cr_assert_eq(http_start(&c, root, &server, &err), 0, "%s", err.text);
    teardown();
}
