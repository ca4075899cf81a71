#include "http/compat/dm/dm_check.h"

#include <string.h>

#include "base/mem.h"
#include "base/scope.h"

/* Our words and DM's. */
static const struct {
    const char *ours, *state;
} levels[] = { { "OK", "success" }, { "WARN", "warn" }, { "FAIL", "fail" } };
enum { OK, WARN, FAIL, N_LEVELS };

/* What DM prints for a check, by ours and how its line begins; what it does not have keeps our
 * name. */
static const struct {
    const char *ours, *begins, *name;
} names[] = {
    { "binlog", "", "mysql_binlog_enable" },
    { "binlog_format", "", "mysql_binlog_format" },
    { "binlog_row_image", "", "mysql_binlog_row_image" },
    { "binlog_do_db", "", "binlog_do_db/binlog_ignore_db check" },
    { "server_id", "", "mysql_server_id" },
    { "version", "", "mysql_version" },
    { "start", "", "meta position check" },
    { "connections", "target: ", "loader_conn_number_checker" },
    { "connections", "source: ", "dumper_conn_number_checker" },
    { "columns", "", "table structure compatibility check" },
    { "collation", "", "table structure compatibility check" },
    { "keys", "", "table structure compatibility check" },
    { "foreign_keys", "", "table structure compatibility check" },
    { "online_ddl", "", "online ddl checker" },
    { "grants", "target: ", "target db privilege checker" },
    { "grants", "source: missing REPLICATION", "source db replication privilege checker" },
    { "grants", "source: missing BINLOG MONITOR", "source db replication privilege checker" },
    { "grants", "", "source db dump privilege checker" },
};

static const char *name_of(const char *ours, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i].ours, ours) == 0 &&
            strncmp(text, names[i].begins, strlen(names[i].begins)) == 0)
            return names[i].name;
    return ours;
}

struct counts {
    int of[N_LEVELS];
};

/* "WARN  binlog: the binlog is kept for an hour; type at the source: …" */
static json_t *result_of(unsigned level, char *rest, int id)
{
    char *text = strstr(rest, ": ");
    char *fix = text ? strstr(text, "; ") : NULL;

    if (text) {
        *text = '\0';
        text += 2;
    }
    if (fix) {
        *fix = '\0';
        fix += 2;
    }
    return json_pack("{s:i,s:s,s:s,s:s,s:[{s:s,s:s}],s:s}", "id", id, "name",
                     name_of(rest, text ? text : ""), "desc", rest, "state", levels[level].state,
                     "errors", "severity", levels[level].state, "short_error", text ? text : "",
                     "instruction", fix ? fix : "");
}

static void add_line(char *line, json_t *results, struct counts *n)
{
    for (unsigned i = 0; i < N_LEVELS; i++) {
        size_t len = strlen(levels[i].ours);

        if (strncmp(line, levels[i].ours, len) != 0 || line[len] != ' ')
            continue;
        n->of[i]++;
        line += len + strspn(line + len, " ");
        if (i != OK)
            json_array_append_new(results,
                                  result_of(i, line, n->of[OK] + n->of[WARN] + n->of[FAIL] - 1));
        return;
    }
}

json_t *dm_check_detail(const char *report)
{
    SCOPED(freep) char *copy = xstrdup(report);
    json_t *results = json_array();
    struct counts n = { { 0 } };
    char *rest = copy, *line;

    while ((line = strsep(&rest, "\n")))
        add_line(line, results, &n);
    return json_pack("{s:o,s:{s:b,s:i,s:i,s:i,s:i}}", "results", results, "summary", "passed",
                     n.of[FAIL] == 0, "total", n.of[OK] + n.of[WARN] + n.of[FAIL], "successful",
                     n.of[OK], "failed", n.of[FAIL], "warning", n.of[WARN]);
}

char *dm_check_result(const char *report)
{
    json_t *detail = dm_check_detail(report);
    SCOPED(freep) char *text = json_dumps(detail, JSON_COMPACT);
    bool silent = json_array_size(json_object_get(detail, "results")) == 0;

    json_decref(detail);
    if (silent)
        return xstrdup("pre-check is passed. ");
    return xasprintf("fail to check synchronization configuration with type: no errors but some "
                     "warnings\n detail: %s",
                     text);
}
