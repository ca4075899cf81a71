#include "http/compat/dm/dm_check.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/scope.h"

Test(dm_check, says_that_nothing_was_found)
{
    SCOPED(freep) char *text = dm_check_result("OK    connection: source: 10.11\nOK    gtid: on\n");

    cr_expect_str_eq(text, "pre-check is passed. ");
}

Test(dm_check, tells_warnings_with_what_mends_them)
{
    SCOPED(freep)
    char *text =
        dm_check_result("source s1:\nOK    gtid: on\n"
                        "WARN  binlog: it is kept for an hour; type at the source: SET x\n");
    const char *json = strchr(text, '{');
    SCOPED(json_decrefp) json_t *v = json_loads(json ? json : "", 0, NULL);
    const json_t *r = json_array_get(json_object_get(v, "results"), 0);

    cr_expect_eq(strncmp(text,
                         "fail to check synchronization configuration with type: no errors "
                         "but some warnings",
                         80),
                 0, "%s", text);
    cr_expect_str_eq(json_string_value(json_object_get(r, "name")), "mysql_binlog_enable");
    cr_expect_str_eq(json_string_value(json_object_get(r, "desc")), "binlog");
    cr_expect_str_eq(json_string_value(json_object_get(r, "state")), "warn");
    cr_expect_str_eq(json_string_value(json_object_get(r, "instruction")),
                     "type at the source: SET x");
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(v, "summary"), "total")), 2);
    cr_expect(json_is_true(json_object_get(json_object_get(v, "summary"), "passed")));
}

Test(dm_check, counts_what_fails)
{
    SCOPED(json_decrefp)
    json_t *v = dm_check_detail("FAIL  a: x\nFAIL  b: y; z\nno line\n\nOK  c: d");
    const json_t *summary = json_object_get(v, "summary");

    cr_expect_eq(json_integer_value(json_object_get(summary, "failed")), 2);
    cr_expect_eq(json_integer_value(json_object_get(summary, "successful")), 1);
    cr_expect(json_is_false(json_object_get(summary, "passed")));
    cr_expect_eq(json_array_size(json_object_get(v, "results")), 2);
}

Test(dm_check, calls_checks_as_dm_prints_them)
{
    static const char *const want[] = { "target db privilege checker",
                                        "source db replication privilege checker",
                                        "source db dump privilege checker",
                                        "source db dump privilege checker",
                                        "loader_conn_number_checker",
                                        "meta position check",
                                        "xa" };
    SCOPED(json_decrefp)
    json_t *v = dm_check_detail("FAIL  grants: target: missing CREATE, needed to write; type\n"
                                "FAIL  grants: source: missing REPLICATION SLAVE, needed to read\n"
                                "WARN  grants: source: missing RELOAD, needed to hold back\n"
                                "FAIL  grants: d.t: denied\nWARN  connections: target: 12 more\n"
                                "FAIL  start: gone\nWARN  xa: 1 prepared\n");

    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        cr_expect_str_eq(json_string_value(json_object_get(
                             json_array_get(json_object_get(v, "results"), i), "name")),
                         want[i]);
}
