#include <criterion/criterion.h>
#include <stdio.h>

#include "base/scope.h"
#include "mock.h"

static struct node *root;
static struct serve dm;

static const char tree[] =
    "{ 'children': { 'cluster': { 'attrs': { 'leader': 'w' } },"
    " 'sources': { 'children': {"
    "   's1': { 'attrs': { 'error': '', 'config': {} }, 'children': {} },"
    "   's2': { 'attrs': { 'error': '', 'config': {} }, 'children': {} } } },"
    " 'tasks': { 'attrs': {}, 'actions': { 'delete': {} },"
    "   'template': { 'attrs': { 'state': 'new', 'stage': '', 'error': '', 'config': {},"
    "     'check_report': 'WARN  binlog: it goes soon; keep it' },"
    "    'actions': { 'check': %s, 'start': { 'state': 'running' },"
    "     'stop': { 'state': 'stopped' }, 'pause': { 'state': 'paused' } } } } } }";

static void begin(const char *check)
{
    SCOPED(freep) char *text = xasprintf(tree, check);

    root = mock_new(text);
    serve_all(&dm);
}

static void teardown(void)
{
    serve_fini(&dm);
    node_unref(root);
    json_decref(mock_args);
    mock_args = NULL;
}

TestSuite(dm_task, .fini = teardown);

#define CONF "{'source_conf': [{'source_name': 's1'}, {'source_name': 's2'}]}"
#define TASK(mode, conf)                                                                     \
    "{'name': 't', 'task_mode': '" mode "', 'enhance_online_schema_change': true,"           \
    " 'on_duplicate': 'overwrite', 'shard_mode': '', 'unknown': 1,"                          \
    " 'target_config': {'host': 'h', 'port': 1, 'user': 'u', 'password': 'hush',"            \
    "   'security': {'ssl_ca_content': '', 'ssl_cert_content': '', 'ssl_key_content': ''}}," \
    " 'table_migrate_rule': [], 'source_config': " conf "}"

/* The reply, which never tells the password. */
static json_t *ask(const char *method, const char *url, const char *body, unsigned want)
{
    SCOPED(freep) char *copy = xstrdup(body);
    unsigned status;

    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    SCOPED(freep) char *text = mock_ask(root, &dm, method, url, copy, &status);

    cr_assert_eq(status, want, "%s %s: %u %s", method, url, status, text);
    cr_expect_null(strstr(text, "hush"), "%s", text);
    return *text ? json_loads(text, 0, NULL) : json_null();
}

static void does(const char *method, const char *url, const char *body, unsigned want)
{
    json_decref(ask(method, url, body, want));
}

static void refuses(const char *method, const char *url, const char *body, int code)
{
    SCOPED(json_decrefp) json_t *v = ask(method, url, body, 400);

    cr_expect_eq(json_integer_value(json_object_get(v, "error_code")), code, "%s",
                 json_string_value(json_object_get(v, "error_msg")));
}

static json_t *attr(const char *path)
{
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT;

    cr_assert_eq(node_find(root, path, &t, &err), 0, "%s", err.text);
    return target_read(&t, &err);
}

static void is_text(const char *path, const char *want)
{
    SCOPED(json_decrefp) json_t *v = attr(path);

    cr_expect_str_eq(json_string_value(v), want);
}

static bool is_there(const char *path)
{
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT;

    return node_find(root, path, &t, &err) == 0;
}

Test(dm_task, of_6_x_is_made_stopped_with_what_the_check_says)
{
    begin("{}");
    SCOPED(json_decrefp)
    json_t *v = ask("POST", "/api/v1/tasks", "{'task': " TASK("all", CONF) "}", 201);
    const char *result = json_string_value(json_object_get(v, "check_result"));

    cr_expect_not_null(strstr(result, "no errors but some warnings"), "%s", result);
    is_text("tasks/t/state", "new");
    SCOPED(json_decrefp) json_t *config = attr("tasks/t/config");
    json_t *target = json_object_get(config, "target_config");

    cr_expect_null(json_object_get(config, "unknown"));
    cr_expect_null(json_object_get(config, "shard_mode"));
    cr_expect_null(json_object_get(config, "remove_meta_on_delete"));
    cr_expect_null(json_object_get(target, "security"));
    cr_expect_str_eq(json_string_value(json_object_get(target, "password")), "hush");
}

Test(dm_task, of_5_x_starts_and_leaves_its_checkpoints)
{
    begin("{}");
    SCOPED(json_decrefp)
    json_t *v =
        ask("POST", "/api/v1/tasks", "{'remove_meta': true, 'task': " TASK("all", CONF) "}", 201);
    SCOPED(json_decrefp) json_t *config = attr("tasks/t/config");

    cr_expect_str_eq(json_string_value(json_object_get(v, "name")), "t");
    cr_expect_null(json_object_get(v, "check_result"));
    is_text("tasks/t/state", "running");
    cr_expect(json_is_true(json_object_get(mock_args, "remove_meta")));
    cr_expect_null(json_object_get(mock_args, "sources"));
    cr_expect(json_is_false(json_object_get(config, "remove_meta_on_delete")));
    does("DELETE", "/api/v1/tasks/t", "", 204); /* although it runs */
    cr_expect(json_is_true(json_object_get(mock_args, "force")));
}

Test(dm_task, of_5_x_starts_the_sources_that_are_named)
{
    SCOPED(json_decrefp) json_t *want = json_pack("[s]", "s2");

    begin("{}");
    does("POST", "/api/v1/tasks",
         "{'task': " TASK("all", CONF) ", 'source_name_list': ['s2', 'x']}", 201);
    cr_expect(json_equal(json_object_get(mock_args, "sources"), want));
}

Test(dm_task, is_not_kept_when_the_check_fails)
{
    begin("{ 'errno': 22 }");
    refuses("POST", "/api/v1/tasks", "{'task': " TASK("all", CONF) "}", 26005);
    cr_expect_not(is_there("tasks/t"));
}

Test(dm_task, is_refused_before_it_is_made)
{
    begin("{}");
    refuses("POST", "/api/v1/tasks", "{'task': " TASK("sometimes", CONF) "}", 0);
    refuses("POST", "/api/v1/tasks",
            "{'task': " TASK("all", "{'source_conf': [{'source_name': 's9'}]}") "}", 49002);
    cr_expect_not(is_there("tasks/t"));
    does("POST", "/api/v1/tasks", "{'task': " TASK("all", CONF) "}", 201);
    refuses("POST", "/api/v1/tasks", "{'task': " TASK("all", CONF) "}", 46014);
}

Test(dm_task, wants_to_know_where_to_begin)
{
    begin("{}");
    does("POST", "/api/v1/tasks", "{'task': " TASK("incremental", CONF) "}", 201);
    refuses("POST", "/api/v1/tasks/t/start", "", 20022);
    does("POST", "/api/v1/tasks/t/start", "{'start_time': '2026-01-01 00:00:00'}", 200);
    is_text("tasks/t/state", "running");
}

Test(dm_task, is_told_by_the_words_of_all_generations)
{
    begin("{}");
    does("POST", "/api/v1/tasks", "{'task': " TASK("all", CONF) "}", 201);
    does("POST", "/api/v1/tasks/t/stop", "", 200); /* nothing runs: done */
    is_text("tasks/t/state", "new");
    does("POST", "/api/v1/tasks/t/start", "{'source_name_list': []}", 200);
    refuses("DELETE", "/api/v1/tasks/t", "", 49001);
    refuses("PUT", "/api/v1/tasks/t", "{'task': " TASK("all", CONF) "}", 46035);
    does("PATCH", "/api/v1/tasks/t/pause", "[]", 200);
    is_text("tasks/t/state", "paused");
    does("POST", "/api/v1/tasks/t/resume", "", 200);
    is_text("tasks/t/state", "running");
    does("POST", "/api/v1/tasks/t/stop", "{'timeout_duration': '5s'}", 200);
    is_text("tasks/t/state", "stopped");
    refuses("POST", "/api/v1/tasks/t/start", "{'source_name_list': ['s9']}", 46008);
    refuses("POST", "/api/v1/tasks/t/stop", "{'source_name_list': ['s9']}", 46017);
    refuses("PATCH", "/api/v1/tasks/t/pause", "['s9']", 46017);
    does("DELETE", "/api/v1/tasks/t?keep_meta=True", "", 204);
    cr_expect(json_is_true(json_object_get(mock_args, "keep_meta")));
    does("POST", "/api/v1/tasks/none/start", "", 200); /* as DM */
}

Test(dm_task, keeps_the_password_that_is_masked)
{
    begin("{}");
    does("POST", "/api/v1/tasks", "{'task': " TASK("all", CONF) "}", 201);
    SCOPED(json_decrefp) json_t *shown = ask("GET", "/api/v1/tasks/t", "", 200);
    SCOPED(json_decrefp) json_t *body = json_pack("{s:O}", "task", shown);
    SCOPED(freep) char *text = json_dumps(body, 0);

    does("PUT", "/api/v1/tasks/t", text, 200);
    SCOPED(json_decrefp) json_t *config = attr("tasks/t/config");
    const json_t *target = json_object_get(config, "target_config");

    /* what the tree takes for "as it was" */
    cr_expect_str_eq(json_string_value(json_object_get(target, "password")), "******");
}
