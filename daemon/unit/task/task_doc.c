#include "unit/task/task_doc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/gtid_set.h"
#include "dm/task_file.h"
#include "route/pattern.h"
#include "unit/filter_doc.h"
#include "unit/precheck/precheck_item.h"
#include "unit/row_filter_doc.h"
#include "unit/session_doc.h"

/* --- what does not fit together --- */

static int check_pattern(const json_t *object, const char *field, const char *path, struct err *err)
{
    const char *text = json_string_value(json_object_get(object, field));
    struct pattern *p;
    int rc = text ? pattern_new(text, false, &p, err) : 0;

    if (rc < 0)
        return err_wrap(err, "%s.%s", path, field);
    if (text)
        pattern_free(p);
    return 0;
}

static int check_extracts(const json_t *rule, const char *path, struct err *err)
{
    static const char *const expressions[] = { "extract_table.table_regexp",
                                               "extract_schema.schema_regexp",
                                               "extract_source.source_regexp" };
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(expressions) && rc == 0; i++) {
        const char *text = json_string_value(doc_at(rule, expressions[i]));
        SCOPED(freep) char *pattern = text ? xasprintf("~%s", text) : NULL;
        struct pattern *p = NULL;

        rc = pattern ? pattern_new(pattern, false, &p, err) : 0;
        pattern_free(p);
        if (rc < 0)
            return err_wrap(err, "%s: %s", path, expressions[i]);
    }
    return rc;
}

static int check_rules(const json_t *doc, struct err *err)
{
    const json_t *rule;
    size_t i;
    int rc;

    json_array_foreach (json_object_get(doc, "table_migrate_rule"), i, rule) {
        const json_t *source = json_object_get(rule, "source");
        const char *table = json_string_value(json_object_get(source, "table"));
        const json_t *to_table = doc_at(rule, "target.table");
        char path[64];

        snprintf(path, sizeof path, "table_migrate_rule[%zu].source", i);
        if ((rc = check_pattern(source, "schema", path, err)) < 0 ||
            (rc = check_pattern(source, "table", path, err)) < 0)
            return rc;
        if ((rc = check_extracts(rule, path, err)) < 0)
            return rc;
        if (json_string_length(to_table) && (!table || !*table))
            return err_set(err, -EINVAL, "table_migrate_rule[%zu]: target.table needs source.table",
                           i);
    }
    return 0;
}

static int check_schema_list(const json_t *list, const char *path, struct err *err)
{
    const json_t *text;
    struct pattern *p;
    size_t i;

    json_array_foreach (list, i, text) {
        if (pattern_new(json_string_value(text), false, &p, err) < 0)
            return err_wrap(err, "%s[%zu]", path, i);
        pattern_free(p);
    }
    return 0;
}

static int check_table_list(const json_t *list, const char *path, struct err *err)
{
    const json_t *table;
    size_t i;
    int rc;

    json_array_foreach (list, i, table)
        if ((rc = check_pattern(table, "db_name", path, err)) < 0 ||
            (rc = check_pattern(table, "tbl_name", path, err)) < 0)
            return rc;
    return 0;
}

static int check_lists(const json_t *doc, struct err *err)
{
    const json_t *l = json_object_get(doc, "block_allow_list");
    int rc;

    if ((rc = check_schema_list(json_object_get(l, "do_dbs"), "block_allow_list.do_dbs", err)) < 0)
        return rc;
    rc = check_schema_list(json_object_get(l, "ignore_dbs"), "block_allow_list.ignore_dbs", err);
    if (rc < 0)
        return rc;
    rc = check_table_list(json_object_get(l, "do_tables"), "block_allow_list.do_tables", err);
    if (rc < 0)
        return rc;
    return check_table_list(json_object_get(l, "ignore_tables"), "block_allow_list.ignore_tables",
                            err);
}

static bool has_source(const json_t *doc, const char *name)
{
    const json_t *conf;
    size_t i;

    json_array_foreach (doc_at(doc, "source_config.source_conf"), i, conf)
        if (strcmp(json_string_value(json_object_get(conf, "source_name")), name) == 0)
            return true;
    return false;
}

/* A GTID of MySQL has a colon, one of MariaDB has none. */
int task_doc_gtids(const json_t *conf, struct gtid_set **ret, struct err *err)
{
    const char *text = json_string_value(json_object_get(conf, "binlog_gtid"));

    *ret = NULL;
    if (!text || !*text)
        return 0;
    if (gtid_set_parse(ret, strchr(text, ':') ? FLAVOR_MYSQL : FLAVOR_MARIADB, text, err) == 0)
        return 0;
    err_wrap(err, "binlog_gtid");
    return err_because(err, REASON_GTID);
}

/* Seconds that the zone at the end of a time, "Z", "+01:00", "+0100" or nothing, is east of UTC. */
static bool zone_offset(const char *zone, long *ret)
{
    unsigned hours, minutes;
    char end;

    *ret = 0;
    if (!*zone || strcmp(zone, "Z") == 0)
        return true;
    if (*zone != '+' && *zone != '-')
        return false;
    // NOLINTBEGIN(cert-err34-c): two digits fit
    if (sscanf(zone + 1, "%2u:%2u%c", &hours, &minutes, &end) != 2 &&
        sscanf(zone + 1, "%2u%2u%c", &hours, &minutes, &end) != 2)
        return false;
    // NOLINTEND(cert-err34-c)
    if (hours > 14 || minutes > 59)
        return false;
    *ret = (long)(hours * 3600 + minutes * 60) * (*zone == '-' ? -1 : 1);
    return true;
}

int task_time_parse(const char *text, int64_t *ret, bool *zoned, struct err *err)
{
    struct tm tm = { 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    long offset;

    if (!rest)
        rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    if (!rest || !zone_offset(rest, &offset))
        return err_set(err, -EINVAL,
                       "start_time: '%s' is no time: 2026-01-31T12:00:00Z, or with +01:00 instead "
                       "of Z, is expected",
                       text);
    *zoned = *rest != 0;
    *ret = ((int64_t)timegm(&tm) - offset) * 1000000;
    return 0;
}

int task_doc_time(const json_t *conf, int64_t *ret, struct err *err)
{
    const char *text = json_string_value(json_object_get(conf, "start_time"));
    bool zoned;

    *ret = 0;
    return text && *text ? task_time_parse(text, ret, &zoned, err) : 0;
}

static int check_start(const json_t *conf, size_t i, struct err *err)
{
    size_t has_file = json_string_length(json_object_get(conf, "binlog_name"));
    struct gtid_set *gtids;
    int64_t us;
    int rc = 0;

    if (!has_file && json_integer_value(json_object_get(conf, "binlog_pos")))
        return err_set(err, -EINVAL, "source_config.source_conf[%zu]: binlog_pos needs binlog_name",
                       i);
    if (task_doc_time(conf, &us, err) < 0 || task_doc_gtids(conf, &gtids, err) < 0)
        return err_wrap(err, "source_config.source_conf[%zu]", i);
    if (us && (has_file || gtids))
        rc =
            err_set(err, -EINVAL,
                    "source_config.source_conf[%zu]: a start is a time or a position, not both", i);
    gtid_set_free(gtids);
    return rc;
}

static int same_source(const char *name, struct err *err)
{
    err_set(err, -EINVAL, "source_config.source_conf: %s is there twice", name);
    return err_because(err, REASON_SAME_SOURCE);
}

static int check_positions(const json_t *doc, struct err *err)
{
    const json_t *list = doc_at(doc, "source_config.source_conf"), *conf;
    size_t i, k;
    int rc;

    json_array_foreach (list, i, conf) {
        const json_t *name = json_object_get(conf, "source_name");

        for (k = 0; k < i; k++)
            if (json_equal(name, json_object_get(json_array_get(list, k), "source_name")))
                return same_source(json_string_value(name), err);
        if ((rc = check_start(conf, i, err)) < 0)
            return rc;
    }
    return 0;
}

/* "+01:00", from -13:59 to +14:00 as both flavours know them; names are the target's to know. */
static bool is_zone(const char *zone)
{
    char sign = zone[0], end;
    unsigned hours, minutes;

    if (sign != '+' && sign != '-')
        return strcasecmp(zone, "SYSTEM") != 0 && strcasecmp(zone, "Local") != 0 &&
               !strpbrk(zone, "'\\\"; ");
    // NOLINTNEXTLINE(cert-err34-c): two digits fit
    if (sscanf(zone + 1, "%2u:%2u%c", &hours, &minutes, &end) != 2 || minutes > 59)
        return false;
    return sign == '+' ? hours * 60 + minutes <= 14 * 60 : hours <= 13;
}

static int check_time_zone(const json_t *doc, struct err *err)
{
    const char *zone = json_string_value(json_object_get(doc, "timezone"));

    if (!zone || !*zone || is_zone(zone))
        return 0;
    return err_set(err, -EINVAL,
                   "timezone: '%s' is no time zone: a name such as Europe/Berlin, or +01:00, is "
                   "expected",
                   zone);
}

static int check_items(const json_t *doc, struct err *err)
{
    const json_t *item;
    size_t i;

    json_array_foreach (json_object_get(doc, "ignore_checking_items"), i, item)
        if (precheck_item_check(json_string_value(item), err) < 0)
            return err_wrap(err, "ignore_checking_items[%zu]", i);
    return 0;
}

static int check_shards(const json_t *doc, struct err *err)
{
    const char *mode = json_string_value(json_object_get(doc, "shard_mode"));

    if (!json_is_true(json_object_get(doc, "strict_optimistic_shard_mode")) ||
        (mode && strcmp(mode, "optimistic") == 0))
        return 0;
    return err_set(err, -EINVAL,
                   "strict_optimistic_shard_mode: only for shard_mode optimistic; leave it out");
}

static int check_filters(const json_t *doc, struct err *err)
{
    return filter_doc_check(json_object_get(doc, "binlog_filter_rule"), err);
}

static int check_expressions(const json_t *doc, struct err *err)
{
    return row_filter_doc_check(json_object_get(doc, "expression_filter"), err);
}

static int check_session(const json_t *doc, struct err *err)
{
    return session_doc_check(doc_at(doc, "target_config.session.variables"), err);
}

/* What is wrong beyond the form of single fields. */
static const struct {
    int (*check)(const json_t *doc, struct err *err);
    enum reason why;
} checks[] = {
    { check_rules, REASON_ROUTES },
    { check_lists, REASON_ALLOW_LIST },
    { check_positions, REASON_START },
    { check_session, REASON_SESSION },
    { check_time_zone, REASON_TIME_ZONE },
    { check_items, REASON_CHECKING_ITEM },
    { check_shards, REASON_STRICT_SHARD_MODE },
    { check_filters, REASON_EVENT_FILTER },
    { check_expressions, REASON_EXPRESSION },
    { task_doc_check_online, REASON_ONLINE_NAMES },
    { task_doc_check_routes, REASON_ROUTES },
};

int task_doc_check(const json_t *doc, const char *name, json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *checked = NULL;
    SCOPED(json_decrefp) json_t *read = NULL; /* of a task file of DM */
    const char *inside;
    int rc = task_file_is(doc) ? task_file_read(doc, &read, err) : 0;

    if (rc == 0)
        rc = doc_check(task_doc_fields, read ? read : doc, &checked, err);
    if (rc < 0)
        return rc;
    inside = json_string_value(json_object_get(checked, "name"));
    if (inside && strcmp(inside, name) != 0) {
        err_set(err, -EINVAL, "name: '%s' is not the name of this task, %s", inside, name);
        return err_because(err, REASON_NAME);
    }
    json_object_set_new(checked, "name", json_string(name));
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (checks[i].check(checked, err) < 0)
            return err_because(err, checks[i].why);
    *ret = STEAL(checked);
    return 0;
}

/* --- what a start needs --- */

json_t *task_doc_sources(const json_t *doc)
{
    json_t *names = json_array();
    const json_t *conf;
    size_t i;

    json_array_foreach (doc_at(doc, "source_config.source_conf"), i, conf)
        json_array_append(names, json_object_get(conf, "source_name"));
    return names;
}

static int rules_name_sources(const json_t *doc, struct err *err)
{
    const json_t *rule;
    size_t i;

    json_array_foreach (json_object_get(doc, "table_migrate_rule"), i, rule) {
        const char *name = json_string_value(doc_at(rule, "source.source_name"));

        if (!has_source(doc, name))
            return err_set(err, -EINVAL,
                           "table_migrate_rule[%zu]: source %s is not in source_config.source_conf",
                           i, name);
    }
    return 0;
}

static bool has_rule(const json_t *doc, const json_t *source)
{
    const json_t *rule;
    size_t i;

    json_array_foreach (json_object_get(doc, "table_migrate_rule"), i, rule)
        if (json_equal(doc_at(rule, "source.source_name"), source))
            return true;
    return false;
}

/* Without any rule everything is migrated; with some, a source without one is a mistake. */
static int sources_have_rules(const json_t *doc, struct err *err)
{
    const json_t *conf;
    size_t i;

    if (json_array_size(json_object_get(doc, "table_migrate_rule")) == 0)
        return 0;
    json_array_foreach (doc_at(doc, "source_config.source_conf"), i, conf) {
        const json_t *name = json_object_get(conf, "source_name");

        if (!has_rule(doc, name))
            return err_set(err, -EINVAL,
                           "source %s has no table_migrate_rule: nothing of it would be migrated",
                           json_string_value(name));
    }
    return 0;
}

/* The daemon's own working folder means nothing to who writes the document. */
static int check_folder(const json_t *doc, const char *mode, struct err *err)
{
    static const char path[] = "source_config.full_migrate_conf.data_dir";
    const char *dir = json_string_value(doc_at(doc, path));

    if (dir && *dir == '/')
        return 0;
    if (!dir || !*dir)
        err_set(err, -EINVAL, "task_mode %s needs %s: echo /FOLDER > full_migrate_conf/data_dir",
                mode, path);
    else
        err_set(err, -EINVAL, "%s: '%s' does not begin with /", path, dir);
    return err_because(err, REASON_FOLDER);
}

int task_doc_complete(const json_t *doc, struct err *err)
{
    static const struct {
        const char *path, *hint;
    } needed[] = {
        { "target_config.host", "echo HOST > target/host" },
        { "target_config.user", "echo USER > target/user" },
    };
    const char *mode = json_string_value(json_object_get(doc, "task_mode"));
    bool dump = mode && strcmp(mode, "dump") == 0, load = mode && strcmp(mode, "load") == 0;
    int rc = dump || load ? check_folder(doc, mode, err) : 0;

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < sizeof needed / sizeof *needed && !dump; i++)
        if (!json_string_length(doc_at(doc, needed[i].path)))
            return err_set(err, -EINVAL, "%s is not set: %s", needed[i].path, needed[i].hint);
    if (json_array_size(doc_at(doc, "source_config.source_conf")) == 0)
        return err_set(err, -EINVAL,
                       "the task has no source: echo '[{\"source_name\": \"NAME\"}]' > "
                       "source_conf, or write source_config into config");
    if ((rc = rules_name_sources(doc, err)) < 0 ||
        (rc = filter_doc_named(json_object_get(doc, "table_migrate_rule"),
                               json_object_get(doc, "binlog_filter_rule"), err)) < 0 ||
        (rc = row_filter_doc_named(json_object_get(doc, "expression_filter"),
                                   doc_at(doc, "source_config.source_conf"), err)) < 0)
        return rc;
    return sources_have_rules(doc, err);
}
