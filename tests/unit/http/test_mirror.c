#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "http/mirror.h"
#include "tree.h"

static struct http_reply serve(struct node *root, const char *method, const char *path,
                               enum format accept, const char *body)
{
    struct http_request q = { .method = method, .path = path, .accept = accept };
    struct http_reply r = { 0 };

    q.query.limit = HTTP_DEFAULT_PAGE;
    q.body = slice_str(body);
    q.sends = format_of_body(NULL, body, q.body.size);
    q.caller = (struct caller){ .uid = getuid(), .gid = getgid(), .front = "http" };
    q.may_write = true;
    mirror_serve(root, &q, &r);
    return r;
}

static void expect(struct node *root, const char *request, const char *body, unsigned status,
                   const char *wanted)
{
    char method[8], path[64] = "";
    struct http_reply r;

    sscanf(request, "%7s %63s", method, path);
    r = serve(root, method, path, FORMAT_JSON, body);
    cr_expect_eq(r.status, status, "%s: %u %s", request, r.status, r.body.data);
    if (wanted)
        cr_expect_str_eq(r.body.size ? r.body.data : "", wanted, "%s", request);
    http_reply_fini(&r);
}

Test(mirror, reads_values_as_json)
{
    struct node *root = tree_new();

    expect(root, "GET tasks/t1/state", "", 200, "\"new\"\n");
    expect(root, "GET tasks/t1/events", "", 200, "0\n");
    expect(root, "GET tasks/a%2Fb/state", "", 200, "\"new\"\n");
    tree_free(root);
}

Test(mirror, reads_a_value_as_text_like_its_file)
{
    struct node *root = tree_new();
    struct target t = { 0 };
    struct buf file = BUF_INIT;
    struct err err = ERR_INIT;
    struct http_reply r = serve(root, "GET", "tasks/t1/state", FORMAT_TEXT, "");

    node_find(root, "tasks/t1/state", &t, &err);
    target_text(&t, &file, &err);
    cr_assert_eq(r.status, 200);
    cr_assert_str_eq(r.body.data, file.data);
    target_release(&t);
    buf_fini(&file);
    http_reply_fini(&r);
    tree_free(root);
}

Test(mirror, writes_values_in_json_and_in_text)
{
    struct node *root = tree_new();

    expect(root, "PUT tasks/t1/host", "\"db1\"", 204, "");
    expect(root, "GET tasks/t1/host", "", 200, "\"db1\"\n");
    expect(root, "PUT tasks/t1/host", "db2\n", 204, "");
    expect(root, "PUT tasks/t1/host", "db2\n", 204, "");
    expect(root, "GET tasks/t1/host", "", 200, "\"db2\"\n");
    tree_free(root);
}

Test(mirror, runs_actions)
{
    struct node *root = tree_new();

    expect(root, "POST tasks/t1/pause", "", 204, "");
    expect(root, "POST tasks/t1/pause", "{\"source\":\"s1\"}", 204, "");
    expect(root, "POST tasks/t1/pause", "source=s1", 204, "");
    expect(root, "POST tasks/t1/pause", "{\"sauce\":\"s1\"}", 400, NULL);
    cr_assert_eq(tree_toy(root, "tasks/t1")->n_paused, 3);
    tree_free(root);
}

Test(mirror, makes_and_removes_directories)
{
    struct node *root = tree_new();

    expect(root, "PUT tasks/t2", "", 201, "");
    expect(root, "GET tasks/t2/state", "", 200, "\"new\"\n");
    expect(root, "PUT tasks/t3", "{\"text\":\"hello\"}", 201, "");
    expect(root, "PUT tasks/t4", "text: hello\n", 201, "");
    expect(root, "GET tasks/t4/config", "", 200, "{\n  \"text\": \"hello\"\n}\n");
    expect(root, "PUT tasks/t5", "{\"wrong\":1}", 400, NULL);
    expect(root, "GET tasks/t5", "", 404, NULL);
    expect(root, "DELETE tasks/t2", "", 204, "");
    expect(root, "GET tasks/t2", "", 404, NULL);
    tree_free(root);
}

Test(mirror, put_of_the_same_is_the_same_again)
{
    struct node *root = tree_new();

    expect(root, "PUT tasks/t1", "", 204, "");
    expect(root, "PUT tasks/t1", "{\"text\":\"one\"}", 204, "");
    expect(root, "PUT tasks/t1", "{\"text\":\"one\"}", 204, "");
    expect(root, "GET tasks/t1/config", "", 200, "{\n  \"text\": \"one\"\n}\n");
    expect(root, "PUT tasks", "{\"text\":\"one\"}", 405, NULL);
    tree_free(root);
}

Test(mirror, says_which_verbs_apply)
{
    static const struct {
        const char *method, *path, *allow;
    } rows[] = {
        { "POST", "tasks/t1/state", "GET, HEAD" },
        { "PUT", "tasks/t1/state", "GET, HEAD" },
        { "POST", "tasks/t1/host", "GET, HEAD, PUT" },
        { "GET", "tasks/t1/password", "PUT" },
        { "GET", "tasks/t1/pause", "POST" },
        { "DELETE", "tasks", "GET, HEAD" },
        { "POST", "tasks/t1", "GET, HEAD, PUT, DELETE" },
        { "BREW", "tasks/t1/pause", "POST" },
        { "HEAD,", "tasks/t1/state", "GET, HEAD" },
        { "T", "tasks/t1/pause", "POST" },
    };
    struct node *root = tree_new();

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_reply r = serve(root, rows[i].method, rows[i].path, FORMAT_JSON, "");

        cr_expect_eq(r.status, 405, "%s %s: %u", rows[i].method, rows[i].path, r.status);
        cr_expect(r.allow && strcmp(r.allow, rows[i].allow) == 0, "%s %s: %s", rows[i].method,
                  rows[i].path, r.allow);
        http_reply_fini(&r);
    }
    tree_free(root);
}

Test(mirror, gives_errno_and_sentence)
{
    struct node *root = tree_new();
    struct http_reply r = serve(root, "PUT", "tasks/t1/host", FORMAT_JSON, "busy");
    json_t *o = json_loads(r.body.data, 0, NULL);

    cr_assert_eq(r.status, 409);
    cr_assert_str_eq(json_string_value(json_object_get(o, "errno")), "EBUSY");
    cr_assert_str_eq(json_string_value(json_object_get(o, "path")), "tasks/t1/host");
    cr_assert_not_null(strstr(json_string_value(json_object_get(o, "error")), "the task runs"));
    json_decref(o);
    http_reply_fini(&r);
    expect(root, "GET tasks/t1/nothing", "", 404, NULL);
    expect(root, "GET nothing/at/all", "", 404, NULL);
    tree_free(root);
}

Test(mirror, limits_a_value_like_the_file)
{
    static char big[5000];
    struct node *root = tree_new();

    memset(big, 'x', sizeof big - 1);
    expect(root, "PUT tasks/t1/host", big, 413, NULL);
    expect(root, "GET tasks/t1/host", "", 200, "\"127.0.0.1\"\n");
    tree_free(root);
}

Test(mirror, holds_a_reading_token_to_reading)
{
    struct node *root = tree_new();
    struct http_request q = { .method = "POST", .path = "tasks/t1/pause", .sends = FORMAT_TEXT };
    struct http_reply r = { 0 };

    q.caller = (struct caller){ .uid = getuid(), .gid = getgid(), .name = "graf" };
    mirror_serve(root, &q, &r);
    cr_expect_eq(r.status, 403);
    http_reply_fini(&r);
    q.method = "PUT";
    q.path = "tasks/t9";
    mirror_serve(root, &q, &r);
    cr_expect_eq(r.status, 403);
    http_reply_fini(&r);
    cr_assert_eq(tree_toy(root, "tasks/t1")->n_paused, 0);
    cr_assert_null(tree_toy(root, "tasks/t9"));
    tree_free(root);
}

Test(mirror, holds_another_user_to_the_mode_of_the_files)
{
    struct node *root = tree_new();
    struct http_request q = { .method = "POST", .path = "tasks/t1/pause", .sends = FORMAT_TEXT };
    struct http_reply r = { 0 };

    q.caller = (struct caller){ .uid = 65534, .gid = 65534, .front = "http" };
    q.may_write = true;
    mirror_serve(root, &q, &r);
    cr_expect_eq(r.status, 403);
    http_reply_fini(&r);
    q.method = "PUT";
    q.path = "tasks/t9";
    mirror_serve(root, &q, &r);
    cr_expect_eq(r.status, 403);
    http_reply_fini(&r);
    q.method = "DELETE";
    q.path = "tasks/t1";
    mirror_serve(root, &q, &r);
    cr_expect_eq(r.status, 403);
    http_reply_fini(&r);
    q.method = "GET";
    q.path = "tasks/t1/state";
    mirror_serve(root, &q, &r);
    cr_expect_eq(r.status, 200);
    http_reply_fini(&r);
    tree_free(root);
}

static json_t *list(struct node *root, const char *query)
{
    struct http_request q = { .method = "GET", .path = "tasks", .may_write = true };
    struct http_reply r = { 0 };
    struct err err = ERR_INIT;
    json_t *o;

    cr_assert_eq(http_query_parse(query, &q.query, &err), 0, "%s", err.text);
    q.caller = (struct caller){ .uid = getuid(), .gid = getgid() };
    mirror_serve(root, &q, &r);
    o = json_loads(r.body.data, 0, NULL);
    http_reply_fini(&r);
    http_query_fini(&q.query);
    return o;
}

Test(mirror, lists_children_a_page_at_a_time)
{
    struct node *root = tree_new();
    json_t *page;

    expect(root, "PUT tasks/t2", "", 201, "");
    page = list(root, "limit=2");
    cr_assert_eq(json_array_size(json_object_get(page, "children")), 2);
    cr_assert_str_eq(json_string_value(json_object_get(page, "children_next")), "t1");
    json_decref(page);
    page = list(root, "limit=2&after=t1");
    cr_assert_eq(json_array_size(json_object_get(page, "children")), 1);
    cr_assert_null(json_object_get(page, "children_next"));
    json_decref(page);
    tree_free(root);
}

Test(mirror, gives_children_whole_when_asked)
{
    struct node *root = tree_new();
    json_t *all = list(root, "depth=1");
    json_t *t1 = json_object_get(json_object_get(all, "children"), "t1");

    cr_assert_str_eq(json_string_value(json_object_get(t1, "state")), "new");
    cr_assert(json_is_array(json_object_get(t1, "children")));
    json_decref(all);
    tree_free(root);
}

Test(mirror, knows_what_may_wait)
{
    struct node *root = tree_new();
    struct http_request q = { .method = "GET", .path = "tasks/t1/state" };

    cr_expect_not(mirror_waits(root, &q));
    q.path = "tasks/t1/schemas";
    cr_expect(mirror_waits(root, &q));
    q.method = "POST";
    q.path = "tasks/t1/pause";
    cr_expect(mirror_waits(root, &q));
    tree_free(root);
}

Test(message, refuses_queries_it_does_not_know)
{
    static const char *const bad[] = { "limit=x", "limit=-1",  "depth=99",     "what=1",
                                       "watch=2", "after=%zz", "limit=1&limit" };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_query q;
        struct err err = ERR_INIT;

        cr_expect_eq(http_query_parse(bad[i], &q, &err), -EINVAL, "%s", bad[i]);
    }
}
