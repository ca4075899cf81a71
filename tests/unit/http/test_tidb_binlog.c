#include <criterion/criterion.h>
#include <stdio.h>

#include "base/scope.h"
#include "http/compat/metric.h"
#include "mock.h"

/* The nodes of the sample on upstream's page. */
static const char pump_text[] =
    "{ 'attrs': { 'node_id': 'ip-172-16-5-%1$s:8250', 'addr': '127.0.0.1:8250',"
    "  'advertise_addr': '172.16.5.%1$s:8250', 'node_state': 'online', 'nodes': [], 'drainers': [],"
    "  'max_commit_ts': %2$s, 'update_ts': %3$s, 'commit_ts': 412518831849473230,"
    "  'gc_ts': 262144000, 'done_gc_ts': 262144000, 'purge_detected': 3,"
    "  'capacity_bytes': 1000, 'available_bytes': 10, 'error': '',"
    "  'errors': { 'read_value': 4 }, 'histograms': {} },"
    " 'actions': { 'pause': { 'node_state': 'pausing' }, 'close': { 'node_state': 'closing' },"
    "  'resume': { 'node_state': 'online' }, 'start': { 'node_state': 'online' }, 'gc': {} },"
    " 'children': { 'binlog': { 'attrs': { '412518831548007863': 'BEGIN' } } } }";

static const char drainer_text[] =
    "{ 'attrs': { 'node_id': 'ip-172-16-5-70:8249', 'addr': '172.16.5.70:8249',"
    "  'advertise_addr': '', 'node_state': 'paused', 'inserts': 5, 'ddls': 2,"
    "  'max_commit_ts': 412361808537191540, 'update_ts': 412518474704487076,"
    "  'pump_pos': { 'ip-172-16-5-71:8250': 412361808550297954,"
    "    'ip-172-16-5-74:8250': 412361808550297951,"
    "    'ip-172-16-5-75:8250': 412361808550297952 },"
    "  'synced': true, 'last_ts': 412361808537191540, 'checkpoint_delay_seconds': 1.5,"
    "  'errors': {}, 'histograms': {} },"
    " 'actions': { 'pause': {}, 'resume': { 'node_state': 'online' }, 'start': {},"
    "   'close': { 'errno': 28 } } }";

static struct node *root;
static struct serve pump, drainer, all;

static void add_pump(struct buf *spec, const char *n, const char *max, const char *updated)
{
    buf_printf(spec, "%s'p%s': ", strcmp(n, "71") == 0 ? "" : ", ", n);
    buf_printf(spec, pump_text, n, max, updated);
}

/* What the registry says is upstream's form already. */
static void set_registry(const char *path, const char *file, const char *key)
{
    SCOPED(json_decrefp) json_t *page = json_load_file(file, 0, NULL), *list = json_array();
    SCOPED(freep) char *text = NULL;
    const char *id;
    json_t *node;

    json_object_foreach (key ? json_object_get(page, key) : NULL, id, node)
        json_array_append(list, node);
    text = json_dumps(key ? list : page, 0);
    mock_change(root, path, text);
}

static void setup(void)
{
    SCOPED(buf_fini) struct buf spec = BUF_INIT;

    buf_str(&spec, "{ 'children': { 'pumps': { 'children': { ");
    add_pump(&spec, "71", "412518831548007863", "412518831338292471");
    add_pump(&spec, "74", "412518831548007869", "412518831325184860");
    buf_printf(&spec, " } }, 'drainers': { 'children': { 'd1': %s } } } }", drainer_text);
    root = mock_new(spec.data);
    set_registry("pumps/p71/nodes", "tests/compat/tidb_binlog/pump_status.json", "status");
    set_registry("pumps/p71/drainers", "tests/compat/tidb_binlog/drainers.json", NULL);
    serve_unit(&pump, &pump_facade, "p71");
    serve_unit(&drainer, &drainer_facade, "d1");
    serve_all(&all);
}

static void teardown(void)
{
    serve_fini(&pump);
    serve_fini(&drainer);
    serve_fini(&all);
    node_unref(root);
}

TestSuite(tidb_binlog, .init = setup, .fini = teardown);

Test(tidb_binlog, answers_the_page_s_reads_of_a_pump)
{
    mock_expect(root, &pump, "GET /status", "", 200, "@tidb_binlog/pump_status.json");
    mock_expect(root, &pump, "GET /drainers", "", 200, "@tidb_binlog/drainers.json");
    mock_expect(root, &all, "GET /pumps/p71/status", "", 200, "@tidb_binlog/pump_status.json");
}

Test(tidb_binlog, answers_the_page_s_reads_of_a_drainer)
{
    mock_expect(root, &drainer, "GET /status", "", 200, "@tidb_binlog/drainer_status.json");
    mock_expect(root, &drainer, "GET /commit_ts", "", 200,
                "{'message': 'get drainer\\u0027s latest ts success!', 'code': 200,"
                " 'data': {'ts': 412361808537191540}}");
    mock_expect(root, &all, "GET /drainers/d1/commit_ts", "", 200, "@tidb_binlog/commit_ts.json");
}

Test(tidb_binlog, prints_status_on_one_line_in_upstream_s_order)
{
    unsigned status;
    SCOPED(freep) char *text = mock_ask(root, &pump, "GET", "/status", "", &status);

    cr_assert_eq(strncmp(text, "{\"status\":{\"ip-172-16-5-71:8250\":{\"nodeId\":", 43), 0, "%s",
                 text);
    cr_assert_not_null(strstr(text, ",\"CommitTS\":412518831849473230,\"Checkpoint\":{},\"ErrMsg\":"
                                    "\"\"}\n"));
    cr_assert_eq(strchr(text, '\n')[1], '\0');
}

Test(tidb_binlog, lists_no_drainer_as_an_empty_list)
{
    mock_change(root, "pumps/p71/drainers", "[]");
    mock_expect(root, &pump, "GET /drainers", "", 200, "[]\n");
}

#define OK(action) "{'message': 'apply action " action " success!', 'code': 200, 'data': null}"
#define NO(text) "{'message': '" text "', 'code': 3, 'data': null}"

Test(tidb_binlog, tests_a_change_of_state_in_upstream_s_order)
{
    mock_expect(root, &pump, "PUT /state/other:8250/bad", "", 200,
                NO("invalide nodeID other:8250, this pump\\u0027s nodeID is ip-172-16-5-71:8250"));
    mock_expect(root, &drainer, "PUT /state/other/pause", "", 200,
                NO("invalid nodeID other, this pump\\u0027s nodeID is ip-172-16-5-70:8249"));
    mock_expect(root, &drainer, "PUT /state/ip-172-16-5-70:8249/bad", "", 200,
                NO("this pump\\u0027s state is paused, apply bad failed!"));
    mock_expect(root, &pump, "PUT /state/ip-172-16-5-71:8250/bad", "", 200,
                NO("invalide action bad"));
    mock_change(root, "drainers/d1/node_state", "'online'");
    mock_expect(root, &drainer, "PUT /state/ip-172-16-5-70:8249/bad", "", 200,
                NO("invalid action bad"));
}

Test(tidb_binlog, pauses_closes_and_echoes_stop)
{
    mock_expect(root, &pump, "PUT /state/ip-172-16-5-71:8250/stop", "", 200, OK("stop"));
    mock_expect(root, &pump, "PUT /state/ip-172-16-5-71:8250/pause", "", 200,
                NO("this pump\\u0027s state is pausing, apply pause failed!"));
    mock_change(root, "pumps/p71/node_state", "'online'");
    mock_expect(root, &pump, "PUT /state/ip-172-16-5-71%3A8250/close", "", 200, OK("close"));
    mock_expect(root, &pump, "PUT /state/ip-172-16-5-71:8250/resume", "", 200,
                NO("this pump\\u0027s state is closing, apply resume failed!"));
}

Test(tidb_binlog, resumes_as_an_extension_and_only_from_rest)
{
    mock_expect(root, &pump, "PUT /state/ip-172-16-5-71:8250/start", "", 200,
                NO("this pump\\u0027s state is online, apply start failed!"));
    mock_expect(root, &drainer, "PUT /state/ip-172-16-5-70:8249/online", "", 200, OK("online"));
    mock_change(root, "pumps/p71/node_state", "'offline'");
    mock_expect(root, &pump, "PUT /state/ip-172-16-5-71:8250/start", "", 200, OK("start"));
    cr_assert_str_eq(mock_running, "start");
}

Test(tidb_binlog, says_why_an_action_failed)
{
    mock_change(root, "drainers/d1/node_state", "'online'");
    mock_expect(root, &drainer, "PUT /state/ip-172-16-5-70:8249/close", "", 200, NO("close fails"));
}

Test(tidb_binlog, keeps_to_the_caller_s_right)
{
    mock_uid = 65534;
    mock_expect(root, &pump, "GET /drainers", "", 200, "@tidb_binlog/drainers.json");
    mock_expect(root, &pump, "PUT /state/other/pause", "", 200,
                NO("invalide nodeID other, this pump\\u0027s nodeID is ip-172-16-5-71:8250"));
    unsigned status;
    SCOPED(freep)
    char *text = mock_ask(root, &pump, "PUT", "/state/ip-172-16-5-71:8250/pause", "", &status);

    mock_uid = 0;
    cr_assert_eq(status, 403, "%s", text);
}

Test(tidb_binlog, shows_a_transaction_by_its_ts)
{
    mock_expect(root, &pump, "GET /debug/binlog/412518831548007863", "", 200, "BEGIN\n");
    mock_expect(root, &pump, "GET /debug/binlog/abc", "", 200, "invalid parameter ts: abc");
    mock_expect(root, &pump, "GET /debug/binlog/99999999999999999999", "", 200,
                "invalid parameter ts: 99999999999999999999");
    mock_expect(root, &pump, "GET /debug/binlog/1", "", 200,
                "fail read binlog by ts: 1: binlog not found");
}

Test(tidb_binlog, triggers_gc_and_says_when_one_runs)
{
    mock_expect(root, &pump, "POST /debug/gc/trigger", "", 200, "trigger gc success\n");
}

Test(tidb_binlog, refuses_paths_and_methods_as_upstream)
{
    mock_expect(root, &pump, "GET /nope", "", 404, "404 page not found\n");
    mock_expect(root, &pump, "POST /status", "", 405, "");
    mock_expect(root, &pump, "GET /debug/gc/trigger", "", 405, "");
    mock_expect(root, &pump, "GET /commit_ts", "", 404, "404 page not found\n");
    mock_expect(root, &all, "GET /pumps/none/status", "", 404, "nothing called none in pumps\n");
}

Test(tidb_binlog, has_metrics_under_upstream_s_names)
{
    unsigned status;
    SCOPED(freep) char *p = mock_ask(root, &pump, "GET", "/metrics", "", &status);
    SCOPED(freep) char *d = mock_ask(root, &drainer, "GET", "/metrics", "", &status);

    cr_expect_not_null(strstr(p, "\nbinlog_pump_storage_gc_ts 1000\n"), "%s", p);
    cr_expect_not_null(strstr(p, "# TYPE binlog_pump_storage_storage_size_bytes gauge\n"
                                 "binlog_pump_storage_storage_size_bytes{type=\"capacity\"} 1000\n"
                                 "binlog_pump_storage_storage_size_bytes{type=\"available\"} 10\n"),
                       "%s", p);
    cr_expect_not_null(strstr(p, "\nbinlog_pump_storage_query_tikv_count 0\n"), "%s", p);
    cr_expect_not_null(
        strstr(d, "\nbinlog_drainer_pump_position{nodeID=\"ip-172-16-5-71:8250\"} 1573035463525\n"),
        "%s", d);
    cr_expect_not_null(strstr(d, "\nbinlog_drainer_checkpoint_delay_seconds 1.5\n"), "%s", d);
    cr_expect_not_null(strstr(d, "\nbinlog_drainer_event{type=\"Insert\"} 5\n"
                                 "binlog_drainer_event{type=\"DDL\"} 2\n"),
                       "%s", d);
    cr_expect_not_null(strstr(p, "\nbinlog_pump_detected_drainer_binlog_purge_count 3\n"), "%s", p);
}

Test(metric, escapes_labels_and_leaves_out_what_is_unknown)
{
    static const struct metric_row rows[] = {
        { "a", "gauge", "map", .key = "id", .help = "A" },
        { "b", "gauge", "none", .help = "B" },
        { "c", "gauge", "flag", .labels = "x=\"y\"", .help = "C" },
        { 0 },
    };
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    json_t *attrs = json_pack("{s:{s:i},s:n,s:b}", "map", "a\"\\\n", 1, "none", "flag", 1);

    metrics_of_rows(rows, attrs, &b);
    cr_assert_str_eq(b.data, "# HELP a A\n# TYPE a gauge\na{id=\"a\\\"\\\\\\n\"} 1\n"
                             "# HELP b B\n# TYPE b gauge\n"
                             "# HELP c C\n# TYPE c gauge\nc{x=\"y\"} 1\n");
    json_decref(attrs);
}
