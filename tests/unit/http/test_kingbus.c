#include <criterion/criterion.h>
#include <stdio.h>

#include "base/scope.h"
#include "mock.h"

#define RELAY                                                                                   \
    "'relay': { 'attrs': { 'state': 'new', 'error': '', 'next_retry_seconds': 0,"               \
    "  'server_id': 0, 'server_uuid': '', 'semi_sync_active': false, 'current_gtid': '',"       \
    "  'binlog_file': 'mysql_bin.000006', 'binlog_offset': 194,"                                \
    "  'gtid_executed': '214eb71f-96ec-11e8-ab4f-fa163e72d4ae:1-9257530', 'gtid_purged': '' }," \
    " 'actions': { 'start': { 'state': 'running' }, 'stop': { 'state': 'stopped' } } }"

static struct node *root;
static struct serve kingbus;

static void setup(void)
{
    root = mock_new(
        "{ 'children': {"
        " 'sources': { 'template': { 'attrs': { 'host': '', 'port': 3306, 'user': '', 'config': {} "
        "},"
        "   'children': { " RELAY " } } },"
        " 'servers': { 'template': { 'attrs': { 'state': 'new', 'error': '', 'addr': '',"
        "   'user': '', 'config': {}, 'binlog_file': 'mysql_bin.000006',"
        "   'binlog_offset': 194, 'gtid_executed': '', 'gtid_purged': '' },"
        "   'actions': { 'start': { 'state': 'running' }, 'stop': { 'state': 'stopped' } },"
        "   'children': { 'replicas': { 'children': { '7': { 'attrs': {"
        "     'server_id': 4294967295, 'server_uuid': 'u', 'host': 'h', 'port': 65535, 'user': 'r',"
        "     'connect_time': '2026-01-31T12:00:00Z', 'heartbeat_seconds': 0.5,"
        "     'binlog_file': 'b', 'binlog_offset': 4, 'gtid': '', 'lag_seconds': null,"
        "     'lag_bytes': 7, 'bytes_sent': 8, 'error': '', 'tls_cipher': '' } } } } } } },"
        " 'cluster': { 'children': { 'members': { 'template': { 'errno': 95 }, 'children': {"
        "   'kingbus_150': { 'attrs': { 'id': '757200e01244565', 'is_leader': false,"
        "     'peer_url': 'http://192.168.1.150:9698', 'admin_url': 'http://192.168.1.150:9595' } "
        "},"
        "   'kingbus_148': { 'attrs': { 'id': '13fbbb5c6c773e83', 'is_leader': true,"
        "     'peer_url': 'http://192.168.1.148:9696', 'admin_url': 'http://192.168.1.148:9595' } }"
        " } } } } } }");
    serve_unit(&kingbus, &kingbus_facade, "kingbus");
}

static void teardown(void)
{
    serve_fini(&kingbus);
    node_unref(root);
}

TestSuite(kingbus, .init = setup, .fini = teardown);

static void expect(const char *request, const char *body, unsigned status, const char *wanted)
{
    SCOPED(freep) char *copy = xstrdup(body);

    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    mock_expect(root, &kingbus, request, copy, status, wanted);
}

/* Members in the order of their names. */
static json_t *data_of(const char *method, const char *url)
{
    unsigned status;
    SCOPED(freep) char *text = mock_ask(root, &kingbus, method, url, "", &status);
    json_t *all = json_loads(text, 0, NULL), *data = json_incref(json_object_get(all, "data"));

    cr_assert_eq(status, 200, "%s", text);
    json_decref(all);
    return data;
}

static void same_members(const char *url, const char *file)
{
    SCOPED(json_decrefp) json_t *got = data_of("GET", url), *page = json_load_file(file, 0, NULL);
    const json_t *want = json_object_get(page, "data");
    size_t i, j, n_same = 0;
    json_t *a, *b;

    json_array_foreach (got, i, a)
        json_array_foreach ((json_t *)want, j, b)
            n_same += json_equal(a, b);
    cr_expect_eq(n_same, json_array_size(want), "%s", json_dumps(got, 0));
    cr_expect_eq(n_same, json_array_size(got));
}

#define SUCCESS "{'message': 'success', 'data': ''}"
#define FAILED(text) "{'message': '" text "'}"

Test(kingbus, lists_members_as_the_page_does)
{
    same_members("/cluster", "tests/compat/kingbus/cluster.json");
    mock_change(root, "cluster/members/kingbus_148/admin_url", "''");
    same_members("/members", "tests/compat/kingbus/members.json");
}

Test(kingbus, refuses_members_with_kingbus_s_statuses)
{
    expect("POST /members", "{'name':'kingbus_149','peer_url':'http://h:1'}", 500,
           FAILED("kingbus_149 cannot be made"));
    expect("POST /members", "{'name':'','peer_url':'http://h:1'}", 500, FAILED("args illegal"));
    expect("DELETE /members", "{'name':'nobody','peer_url':'http://h:1'}", 404,
           FAILED("No such member: nobody"));
    expect("DELETE /members", "{}", 404, FAILED("No such member: "));
    expect("PUT /members", "{'name':'nobody','new_peer_url':'http://h:1'}", 404,
           FAILED("no such member: nobody"));
    expect("PUT /members", "{'name':'kingbus_148','new_peer_url':'ftp'}", 500,
           FAILED("URL scheme must be http"));
    expect("PUT /admin/url", "{'id':1,'name':'nobody','admin_urls':['http://h']}", 404,
           FAILED("no such member: nobody"));
}

Test(kingbus, updates_a_member)
{
    unsigned status;
    SCOPED(freep)
    char *text = mock_ask(root, &kingbus, "PUT", "/members",
                          "{\"name\":\"kingbus_148\",\"new_peer_url\":\"http://h:9\"}", &status);

    cr_assert_eq(status, 200);
    cr_assert_not_null(strstr(text, "[\"http://h:9\"]"), "%s", text);
    expect("PUT /admin/url", "{'id':1,'name':'kingbus_148','admin_urls':['http://h']}", 200,
           SUCCESS);
}

#define START                                                                 \
    "{'syncer_id':1001,'syncer_uuid':'f7e30637-f15a-11e8-accc-244427b6b60e'," \
    "'mysql_addr':'192.168.1.150:3415','mysql_user':'kb','mysql_password':'kb','semi_sync':false}"

Test(kingbus, shows_a_syncer_that_never_was)
{
    expect("GET /binlog/syncer/status", "", 200,
           "{'message':'success','data':{'current_gtid':'','executed_gtid_set':'',"
           "'last_binlog_file':'','last_file_position':0,'mysql_addr':'','mysql_password':'',"
           "'mysql_user':'','purged_gtid_set':'','semi_sync':false,'status':'stopped',"
           "'syncer_id':0,'syncer_uuid':'','last_error':''}}");
    expect("PUT /binlog/syncer/stop", "", 200, SUCCESS);
}

Test(kingbus, starts_shows_and_stops_a_syncer)
{
    SCOPED(target_release) struct target config = { 0 };
    SCOPED(json_decrefp) json_t *doc = NULL, *want = NULL;
    struct err err = ERR_INIT;

    expect("PUT /binlog/syncer/start", START, 200, SUCCESS);
    expect("GET /binlog/syncer/status", "", 200,
           "{'message':'success','data':{'current_gtid':'',"
           "'executed_gtid_set':'214eb71f-96ec-11e8-ab4f-fa163e72d4ae:1-9257530',"
           "'last_binlog_file':'mysql_bin.000006','last_file_position':194,"
           "'mysql_addr':'192.168.1.150:3415','mysql_password':'******','mysql_user':'kb',"
           "'purged_gtid_set':'','semi_sync':false,'status':'running','syncer_id':0,"
           "'syncer_uuid':'','last_error':''}}");
    cr_assert_eq(node_find(root, "sources/kingbus/config", &config, &err), 0);
    doc = target_read(&config, &err);
    want = mock_json("{'host':'192.168.1.150','port':3415,'user':'kb','password':'kb',"
                     "'enable_gtid':true,'enable':true,'relay_config':{'enable_relay':true,"
                     "'server_id':1001,'server_uuid':'f7e30637-f15a-11e8-accc-244427b6b60e',"
                     "'semi_sync':false}}");
    cr_assert(json_equal(doc, want), "%s", json_dumps(doc, 0));
    expect("PUT /binlog/syncer/start", START, 500, FAILED("kingbus: server already started"));
    expect("PUT /binlog/syncer/stop", "", 200, SUCCESS);
    expect("PUT /binlog/syncer/stop", "", 200, SUCCESS);
    expect("PUT /binlog/syncer/start", START, 200, SUCCESS);
}

Test(kingbus, refuses_bad_arguments)
{
    expect("PUT /binlog/syncer/start",
           "{'syncer_id':0,'syncer_uuid':'u','mysql_addr':'h:1',"
           "'mysql_user':'u'}",
           500, FAILED("args illegal"));
    expect("PUT /binlog/syncer/start",
           "{'syncer_id':1,'syncer_uuid':'','mysql_addr':'h:1',"
           "'mysql_user':'u'}",
           500, FAILED("args illegal"));
    expect("PUT /binlog/syncer/start",
           "{'syncer_id':1,'syncer_uuid':'u','mysql_addr':'h',"
           "'mysql_user':'u'}",
           500, FAILED("args illegal"));
    expect("PUT /binlog/syncer/start", "{'syncer_id':'1'}", 400,
           FAILED("syncer_id: a whole number is expected"));
    expect("PUT /binlog/server/start", "{'addr':'h:1','user':'','password':'p'}", 500,
           FAILED("args illegal"));
}

Test(kingbus, starts_shows_and_stops_a_server)
{
    expect("PUT /binlog/server/start", "{'addr':'192.168.1.149:3390','user':'kb','password':'kb'}",
           200, SUCCESS);
    expect("GET /binlog/server/status", "", 200,
           "{'message':'success','data':{'addr':'192.168.1.149:3390','user':'kb',"
           "'password':'******','slaves':[{'replication_state':1,'server_id':4294967295,"
           "'server_uuid':'u','host_name':'h','port':65535,'user':'r','password':'',"
           "'connect_time':'2026-01-31T12:00:00Z','heartbeat':500000000,'stats':{},"
           "'binlog_file':'b','binlog_offset':4,'gtid':'','lag_seconds':null,'lag_bytes':7,"
           "'bytes_sent':8,'last_error':'','tls_cipher':''}],'current_gtid':'',"
           "'last_binlog_file':'mysql_bin.000006','last_file_position':194,"
           "'executed_gtid_set':'','purged_gtid_set':'','status':'running','last_error':''}}");
    expect("PUT /binlog/server/start", "{'addr':'h:3390','user':'kb','password':'kb'}", 500,
           FAILED("kingbus: server already started"));
    expect("PUT /binlog/server/stop", "", 200, SUCCESS);
}

Test(kingbus, keeps_to_the_caller_s_right)
{
    unsigned status;

    mock_uid = 65534;
    SCOPED(freep)
    char *text = mock_ask(root, &kingbus, "PUT", "/members",
                          "{\"name\":\"kingbus_148\",\"new_peer_url\":\"http://h:9\"}", &status);
    unsigned start_status;
    SCOPED(freep)
    char *start = mock_ask(root, &kingbus, "PUT", "/binlog/server/start",
                           "{\"addr\":\"h:1\",\"user\":\"u\",\"password\":\"p\"}", &start_status);

    mock_uid = 0;
    cr_assert_eq(status, 403, "%s", text);
    cr_assert_eq(start_status, 403, "%s", start);
}

Test(kingbus, takes_no_order_by_a_token_that_reads)
{
    mock_reads_only = true;
    expect("PUT /binlog/server/start", "{'addr':'h:1','user':'u','password':'p'}", 403,
           FAILED("the token \\u0027grafana\\u0027 may only read"));
    expect("GET /binlog/server/status", "", 200,
           "{'message':'success','data':{'addr':'','user':'','password':'','slaves':[],"
           "'current_gtid':'','last_binlog_file':'','last_file_position':0,"
           "'executed_gtid_set':'','purged_gtid_set':'','status':'stopped','last_error':''}}");
    mock_reads_only = false;
}

Test(kingbus, refuses_paths_and_methods_in_its_envelope)
{
    expect("GET /nope", "", 404, FAILED("Not Found"));
    expect("POST /cluster", "", 405, FAILED("Method Not Allowed"));
}
