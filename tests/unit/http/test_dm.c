#include <criterion/criterion.h>
#include <stdio.h>

#include "base/scope.h"
#include "mock.h"

static struct node *root;
static struct serve dm;

static void setup(void)
{
    root = mock_new(
        "{ 'children': { 'cluster': { 'attrs': { 'leader': 'worker-1' } },"
        " 'sources': { 'children': { 'mysql-01': { 'attrs': { 'error': '',"
        "   'server_uuid': 'e9a1fc22-ec08-11e9-b2ac-0242ac110003' },"
        "  'children': { 'relay': { 'attrs': { 'state': 'new', 'error': '', 'enable_relay': false,"
        "   'relay_binlog_name': '', 'relay_binlog_gtid': '', 'incarnation': 1, 'catch_up': true,"
        "   'source_file': 'mysql-bin.000001', 'source_offset': 1979,"
        "   'source_gtid': 'e9a1fc22-ec08-11e9-b2ac-0242ac110003:1-7849',"
        "   'gtid_executed': 'e9a1fc22-ec08-11e9-b2ac-0242ac110003:1-7849' },"
        "  'actions': { 'start': { 'state': 'running', 'enable_relay': true },"
        "   'stop': { 'state': 'stopped', 'enable_relay': false },"
        "   'pause': { 'state': 'paused' }, 'resume': { 'state': 'running' },"
        "   'purge': { 'errno': 2 } } } } } } } } }");
    serve_all(&dm);
}

static void teardown(void)
{
    serve_fini(&dm);
    node_unref(root);
}

TestSuite(dm, .init = setup, .fini = teardown);

#define S "/api/v1/sources/mysql-01"

static void expect(const char *request, const char *body, unsigned status, const char *wanted)
{
    SCOPED(freep) char *copy = xstrdup(body);

    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    mock_expect(root, &dm, request, copy, status, wanted);
}

/* 400, and the text is in the reply. */
static void expect_text(const char *method, const char *url, const char *body, const char *part)
{
    unsigned status;
    SCOPED(freep) char *text = mock_ask(root, &dm, method, url, body, &status);

    cr_expect(status == 400 && strstr(text, part), "%s %s: %u %s", method, url, status, text);
}

static void has_stage(const char *stage)
{
    unsigned status;
    SCOPED(freep) char *text = mock_ask(root, &dm, "GET", S "/status", "", &status);
    SCOPED(freep) char *want = stage ? xasprintf("\"stage\": \"%s\"", stage) : NULL;

    cr_expect_eq(status, 200);
    if (want)
        cr_expect_not_null(strstr(text, want), "%s", text);
    else
        cr_expect_null(strstr(text, "relay_status"), "%s", text);
}

static void is_attr(const char *path, const char *want)
{
    SCOPED(target_release) struct target t = { 0 };
    SCOPED(json_decrefp) json_t *v = NULL;
    struct err err = ERR_INIT;

    cr_assert_eq(node_find(root, path, &t, &err), 0);
    v = target_read(&t, &err);
    cr_expect_str_eq(json_string_value(v), want);
}

Test(dm, starts_pauses_resumes_and_stops_by_the_page)
{
    has_stage(NULL);
    expect("PATCH " S "/start-relay",
           "{'worker_name_list': ['worker-1',],'relay_binlog_name': 'mysql-bin.000002',"
           "'relay_binlog_gtid': 'e9a1fc22-ec08-11e9-b2ac-0242ac110003:1-7849',"
           "'relay_dir': './relay_log'}",
           200, "");
    has_stage("Running");
    is_attr("sources/mysql-01/relay/relay_binlog_name", "mysql-bin.000002");
    expect("PATCH " S "/pause-relay", "", 200, "");
    has_stage("Paused");
    expect("PATCH " S "/start-relay", "{'worker_name_list': ['worker-1']}", 200, "");
    has_stage("Paused");
    expect("PATCH " S "/resume-relay", "", 200, "");
    has_stage("Running");
    expect("PATCH " S "/stop-relay", "{'worker_name_list': ['worker-1']}", 200, "");
    has_stage(NULL);
}

Test(dm, takes_the_later_spellings)
{
    expect("POST " S "/relay/enable", "", 200, "");
    has_stage("Running");
    expect("POST " S "/pause-relay", "", 200, "");
    expect("POST " S "/resume-relay", "", 200, "");
    expect("POST " S "/relay/disable", "", 200, "");
    has_stage(NULL);
    expect("POST " S "/start-relay", "", 200, "");
    expect("POST " S "/stop-relay", "{}", 200, "");
}

Test(dm, shows_the_status_of_the_page)
{
    expect("POST " S "/relay/enable", "", 200, "");
    expect("GET " S "/status", "", 200,
           "{'total': 1, 'data': [{'source_name': 'mysql-01', 'worker_name': 'worker-1',"
           "'relay_status': {'master_binlog': '(mysql-bin.000001, 1979)',"
           "'master_binlog_gtid': 'e9a1fc22-ec08-11e9-b2ac-0242ac110003:1-7849',"
           "'relay_dir': 'e9a1fc22-ec08-11e9-b2ac-0242ac110003.000001',"
           "'relay_binlog_gtid': 'e9a1fc22-ec08-11e9-b2ac-0242ac110003:1-7849',"
           "'relay_catch_up_master': true, 'stage': 'Running'}}]}");
    mock_change(root, "sources/mysql-01/relay/state", "'error'");
    mock_change(root, "sources/mysql-01/relay/error", "'gone'");
    has_stage("Paused");
}

Test(dm, pauses_nothing_without_complaint)
{
    expect("PATCH " S "/pause-relay", "", 200, "");
    expect("PATCH " S "/resume-relay", "", 200, "");
    has_stage(NULL);
}

#define E(code, class, level, text)                        \
    "{'error_code': " #code ", 'error_msg': '[code=" #code \
    ":class=" class ":level=" level "], Message: " text "'}"

Test(dm, refuses_with_dm_s_codes)
{
    expect("GET /api/v1/sources/none/status", "", 400,
           E(46008, "scheduler:scope=internal", "medium", "source config with ID none not exists"));
    expect("PATCH /api/v1/sources/none/pause-relay", "", 400,
           E(46012, "scheduler:scope=internal", "medium",
             "sources [none] need to update expectant relay stage not exist"));
    expect("PATCH " S "/start-relay", "{'worker_name_list': ['w9']}", 400,
           E(46004, "scheduler:scope=internal", "medium", "dm-worker with name w9 not exists"));
    expect("POST " S "/relay/purge", "{'relay_binlog_name': 'x'}", 400,
           E(49001, "openapi:scope=not-set", "high", "no relay worker for source mysql-01"));
    expect("POST " S "/relay/enable", "", 200, "");
    expect("POST " S "/relay/purge", "{'relay_binlog_name': 'x'}", 400,
           E(49001, "openapi:scope=not-set", "high", "purge fails"));
}

Test(dm, checks_the_request_before_it_acts)
{
    unsigned status;
    SCOPED(freep) char *none = mock_ask(root, &dm, "POST", S "/relay/purge", "", &status);

    cr_expect(status == 400 && strstr(none, "value is required but missing"), "%s", none);
    expect_text("POST", S "/relay/purge", "{}", "property \\\"relay_binlog_name\\\" is missing");
    expect_text("PATCH", S "/start-relay", "{\"worker_name_list\": \"worker-1\"}",
                "Error at \\\"/worker_name_list\\\": value must be an array");
    expect_text("PATCH", S "/start-relay", "[]", "value must be an object");
    expect_text("PATCH", S "/start-relay", "{", "it is not JSON: line 1");
    expect_text("GET", "/api/v1/sources?with_status=perhaps", "", "with_status");
    expect("DELETE " S "/status", "", 405,
           "{'error_code': 0, 'error_msg': 'DELETE does not apply to " S
           "/status; what does: GET'}");
}

Test(dm, keeps_to_the_caller_s_right)
{
    unsigned status;

    mock_uid = 65534;
    SCOPED(freep) char *text = mock_ask(root, &dm, "POST", S "/relay/enable", "", &status);

    mock_uid = 0;
    cr_assert_eq(status, 403, "%s", text);
}
