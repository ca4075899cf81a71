#include "unit/task_doc.h"

#include <errno.h>
#include <string.h>

#include "base/scope.h"
#include "binlog/gtid_set.h"
#include "route/pattern.h"

#define MAX_NAME 64 /* characters of an identifier; in bytes four times as many */
#define MAX_PEM 262144

static void json_freep(json_t **v)
{
    json_decref(*v);
}

/* --- the fields --- */

static const char *const modes[] = { "all", "full", "incremental", NULL };
static const char *const shard_modes[] = { "pessimistic", "optimistic", NULL };
static const char *const duplicates[] = { "error", "replace", "overwrite", "ignore", NULL };
static const char *const foreign_keys[] = { "0", "1", NULL };
static const char *const consistencies[] = { "auto", "snapshot", "flush", "lock", "none", NULL };
static const char *const import_modes[] = { "logical", "physical", "import-into", NULL };
static const char *const apply_modes[] = { "merged", "one-to-one", "parallel", NULL };
static const char *const on_errors[] = { "stop", "quarantine", NULL };

static const struct doc_field text_element[] = { { .name = "text", .type = DOC_TEXT, .min = 1 },
                                                 { 0 } };

const struct doc_field task_doc_security_fields[] = {
    { .name = "ssl_ca_content",
      .type = DOC_TEXT,
      .max = MAX_PEM,
      .help = "Certificate of who signs the target's, as PEM; given, the target is verified" },
    { .name = "ssl_cert_content",
      .type = DOC_TEXT,
      .max = MAX_PEM,
      .help = "Our certificate, as PEM" },
    { .name = "ssl_key_content",
      .type = DOC_TEXT,
      .max = MAX_PEM,
      .flags = DOC_SECRET,
      .help = "The key of our certificate, as PEM" },
    { .name = "cert_allowed_cn",
      .type = DOC_LIST,
      .fields = text_element,
      .refused = "names of certificates are not compared; leave it out",
      .help = "Common names that the target's certificate may have" },
    { 0 },
};

const struct doc_field task_doc_session_fields[] = {
    { .name = "foreign_key_checks",
      .type = DOC_ENUM,
      .choices = foreign_keys,
      .fallback = "\"0\"",
      .help = "Whether the target checks foreign keys while changes are applied" },
    { 0 },
};

const struct doc_field task_doc_target_fields[] = {
    { .name = "host", .type = DOC_TEXT, .max = 255, .help = "Host name or address of the target" },
    { .name = "port",
      .type = DOC_COUNT,
      .min = 1,
      .max = 65535,
      .fallback = "3306",
      .help = "TCP port of the target" },
    { .name = "user", .type = DOC_TEXT, .max = 255, .help = "Account to log in with" },
    { .name = "password",
      .type = DOC_TEXT,
      .max = 4096,
      .flags = DOC_SECRET,
      .help = "Its password, or file:PATH to read it from there" },
    { .name = "security",
      .type = DOC_OBJECT,
      .fields = task_doc_security_fields,
      .help = "TLS to the target" },
    { .name = "session",
      .type = DOC_OBJECT,
      .fields = task_doc_session_fields,
      .help = "Variables of sessions at the target" },
    { 0 },
};

static const struct doc_field filter_fields[] = {
    { .name = "ignore_event", .type = DOC_LIST, .fields = text_element },
    { .name = "ignore_sql", .type = DOC_LIST, .fields = text_element },
    { 0 },
};
static const struct doc_field filter_element[] = {
    { .name = "rule", .type = DOC_OBJECT, .fields = filter_fields },
    { 0 },
};

#define NO_FILTERS "filters of binlog events are not built in yet; leave it out"

static const struct doc_field rule_source_fields[] = {
    { .name = "source_name", .type = DOC_TEXT, .min = 1, .max = 255, .flags = DOC_REQUIRED },
    { .name = "schema", .type = DOC_TEXT, .min = 1, .max = 1024, .flags = DOC_REQUIRED },
    { .name = "table", .type = DOC_TEXT, .max = 1024 },
    { 0 },
};
static const struct doc_field rule_target_fields[] = {
    { .name = "schema", .type = DOC_TEXT, .max = 4 * MAX_NAME },
    { .name = "table", .type = DOC_TEXT, .max = 4 * MAX_NAME },
    { 0 },
};
static const struct doc_field rule_fields[] = {
    { .name = "source", .type = DOC_OBJECT, .fields = rule_source_fields, .flags = DOC_REQUIRED },
    { .name = "target", .type = DOC_OBJECT, .fields = rule_target_fields },
    { .name = "binlog_filter_rule",
      .type = DOC_LIST,
      .fields = text_element,
      .refused = NO_FILTERS },
    { 0 },
};
static const struct doc_field rule_element[] = {
    { .name = "rule", .type = DOC_OBJECT, .fields = rule_fields },
    { 0 },
};

#define ALWAYS_SNAPSHOT "copies are always of one consistent snapshot"
#define NO_PHYSICAL "for TiDB's import of files, which is not used here"

const struct doc_field task_doc_full_fields[] = {
    { .name = "export_threads",
      .type = DOC_COUNT,
      .min = 1,
      .max = 64,
      .fallback = "4",
      .help = "Connections that read from the source during the full copy" },
    { .name = "import_threads",
      .type = DOC_COUNT,
      .min = 1,
      .max = 64,
      .fallback = "4",
      .help = "Connections that write to the target during the full copy" },
    { .name = "data_dir",
      .type = DOC_TEXT,
      .max = 4096,
      .ignored = "rows are streamed from the source to the target, without files",
      .help = "Folder for dumped files" },
    { .name = "consistency",
      .type = DOC_ENUM,
      .choices = consistencies,
      .fallback = "\"auto\"",
      .ignored = ALWAYS_SNAPSHOT,
      .help = "How the copy is made consistent" },
    { .name = "import_mode",
      .type = DOC_ENUM,
      .choices = import_modes,
      .fallback = "\"logical\"",
      .refused = "the target takes rows as SQL only; leave it out or say logical",
      .help = "How rows are loaded" },
    { .name = "on_duplicate_logical", .type = DOC_TEXT, .ignored = "as on_duplicate" },
    { .name = "on_duplicate_physical", .type = DOC_TEXT, .ignored = NO_PHYSICAL },
    { .name = "sorting_dir", .type = DOC_TEXT, .ignored = NO_PHYSICAL },
    { .name = "disk_quota", .type = DOC_TEXT, .ignored = NO_PHYSICAL },
    { .name = "checksum", .type = DOC_TEXT, .ignored = NO_PHYSICAL },
    { .name = "analyze", .type = DOC_TEXT, .ignored = NO_PHYSICAL },
    { .name = "range_concurrency", .type = DOC_COUNT, .ignored = NO_PHYSICAL },
    { .name = "compress-kv-pairs", .type = DOC_TEXT, .ignored = NO_PHYSICAL },
    { .name = "pd_addr", .type = DOC_TEXT, .ignored = NO_PHYSICAL },
    { 0 },
};

const struct doc_field task_doc_incr_fields[] = {
    { .name = "repl_threads",
      .type = DOC_COUNT,
      .min = 1,
      .max = 64,
      .fallback = "4",
      .help = "Connections that apply changes when apply_mode is parallel" },
    { .name = "repl_batch",
      .type = DOC_COUNT,
      .min = 1,
      .max = 100000,
      .ignored = "whole transactions are merged, at most apply_batch of them",
      .help = "Changes in one transaction" },
    { .name = "safe_mode",
      .type = DOC_BOOL,
      .fallback = "false",
      .help = "Apply changes so that applying them twice does no harm, at some cost" },
    { 0 },
};

static const struct doc_field source_conf_fields[] = {
    { .name = "source_name", .type = DOC_TEXT, .min = 1, .max = 255, .flags = DOC_REQUIRED },
    { .name = "binlog_name", .type = DOC_TEXT, .max = 255 },
    { .name = "binlog_pos", .type = DOC_COUNT },
    { .name = "binlog_gtid", .type = DOC_TEXT, .max = 1048576 },
    { 0 },
};
static const struct doc_field source_conf_element[] = {
    { .name = "source", .type = DOC_OBJECT, .fields = source_conf_fields },
    { 0 },
};

static const struct doc_field source_config_fields[] = {
    { .name = "full_migrate_conf", .type = DOC_OBJECT, .fields = task_doc_full_fields },
    { .name = "incr_migrate_conf", .type = DOC_OBJECT, .fields = task_doc_incr_fields },
    { .name = "source_conf",
      .type = DOC_LIST,
      .fields = source_conf_element,
      .help = "Sources, with the position to start from in mode incremental" },
    { 0 },
};

static const struct doc_field table_fields[] = {
    { .name = "db_name", .type = DOC_TEXT, .min = 1, .max = 1024, .flags = DOC_REQUIRED },
    { .name = "tbl_name", .type = DOC_TEXT, .min = 1, .max = 1024, .flags = DOC_REQUIRED },
    { 0 },
};
static const struct doc_field table_element[] = {
    { .name = "table", .type = DOC_OBJECT, .fields = table_fields },
    { 0 },
};

const struct doc_field task_doc_list_fields[] = {
    { .name = "do_dbs",
      .type = DOC_LIST,
      .fields = text_element,
      .help = "Schemas to migrate, as patterns; empty: all" },
    { .name = "do_tables",
      .type = DOC_LIST,
      .fields = table_element,
      .help = "Tables to migrate: db_name and tbl_name, as patterns; empty: all" },
    { .name = "ignore_dbs",
      .type = DOC_LIST,
      .fields = text_element,
      .help = "Schemas to leave out, where do_dbs is empty" },
    { .name = "ignore_tables",
      .type = DOC_LIST,
      .fields = table_element,
      .help = "Tables to leave out, unless do_tables names them" },
    { 0 },
};

const struct doc_field task_doc_fields[] = {
    { .name = "name", .type = DOC_TEXT, .min = 1, .max = 255, .help = "Name of the task" },
    { .name = "task_mode",
      .type = DOC_ENUM,
      .choices = modes,
      .fallback = "\"all\"",
      .help = "A full copy and then changes (all), only the copy, or only changes" },
    { .name = "shard_mode",
      .type = DOC_ENUM,
      .choices = shard_modes,
      .refused = "merging of sharded tables with DDL is not built in yet; leave it out",
      .help = "How DDL of sharded tables is brought together" },
    { .name = "strict_optimistic_shard_mode",
      .type = DOC_BOOL,
      .refused = "only for shard_mode, which is not built in yet; leave it out",
      .help = "Strict checks of optimistic sharding" },
    { .name = "meta_schema",
      .type = DOC_TEXT,
      .min = 1,
      .max = MAX_NAME,
      .fallback = "\"dm_meta\"",
      .help = "Schema of the target that holds the checkpoints" },
    { .name = "timezone",
      .type = DOC_TEXT,
      .max = 64,
      .ignored = "times travel in UTC and DDL runs in the time zone of its event",
      .help = "Time zone of sessions at the target" },
    { .name = "enhance_online_schema_change",
      .type = DOC_BOOL,
      .fallback = "true",
      .ignored = "tables of gh-ost and pt-online-schema-change are migrated like others",
      .help = "Handling of tables of online schema change tools" },
    { .name = "on_duplicate",
      .type = DOC_ENUM,
      .choices = duplicates,
      .fallback = "\"error\"",
      .ignored = "a copy goes into tables that it made or found empty",
      .help = "What to do with rows that the target has already" },
    { .name = "target_config",
      .type = DOC_OBJECT,
      .fields = task_doc_target_fields,
      .help = "Server that takes the rows" },
    { .name = "binlog_filter_rule",
      .type = DOC_MAP,
      .fields = filter_element,
      .refused = NO_FILTERS,
      .help = "Events and statements to leave out, by name of the rule" },
    { .name = "table_migrate_rule",
      .type = DOC_LIST,
      .fields = rule_element,
      .help = "What is migrated: source_name, schema and table patterns, and the names there" },
    { .name = "block_allow_list",
      .type = DOC_OBJECT,
      .fields = task_doc_list_fields,
      .help = "What of that is left out, in the words of DM's task files" },
    { .name = "source_config",
      .type = DOC_OBJECT,
      .fields = source_config_fields,
      .help = "Sources, and how they are read" },
    { .name = "ignore_checking_items",
      .type = DOC_LIST,
      .fields = text_element,
      .help = "Checks to leave out before the start, by their names in check_report, or all" },
    { .name = "apply_mode",
      .type = DOC_ENUM,
      .choices = apply_modes,
      .fallback = "\"merged\"",
      .help = "How transactions become those of the target: some together, each alone, or in "
              "parallel without order" },
    { .name = "apply_batch",
      .type = DOC_COUNT,
      .min = 1,
      .max = 65536,
      .fallback = "512",
      .help = "Most transactions that are merged into one" },
    { .name = "on_error",
      .type = DOC_ENUM,
      .choices = on_errors,
      .fallback = "\"stop\"",
      .help = "What a table that cannot be applied does to the others" },
    { .name = "max_retries",
      .type = DOC_COUNT,
      .max = 1000000,
      .fallback = "100",
      .help = "Attempts after errors that can pass, before the task gives up" },
    { .name = "remove_meta_on_delete",
      .type = DOC_BOOL,
      .fallback = "true",
      .help = "Whether deleting the task removes its checkpoints from the target, so that a new "
              "task of its name starts over" },
    { .name = "status_list", .type = DOC_LIST, .flags = DOC_READ_ONLY },
    { 0 },
};

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
    if (gtid_set_parse(ret, strchr(text, ':') ? FLAVOR_MYSQL : FLAVOR_MARIADB, text, err) < 0)
        return err_wrap(err, "binlog_gtid");
    return 0;
}

static int check_positions(const json_t *doc, struct err *err)
{
    const json_t *list = doc_at(doc, "source_config.source_conf"), *conf;
    struct gtid_set *gtids;
    size_t i, k;

    json_array_foreach (list, i, conf) {
        const json_t *name = json_object_get(conf, "source_name");
        size_t has_file = json_string_length(json_object_get(conf, "binlog_name"));

        for (k = 0; k < i; k++)
            if (json_equal(name, json_object_get(json_array_get(list, k), "source_name")))
                return err_set(err, -EINVAL, "source_config.source_conf: %s is there twice",
                               json_string_value(name));
        if (!has_file && json_integer_value(json_object_get(conf, "binlog_pos")))
            return err_set(err, -EINVAL,
                           "source_config.source_conf[%zu]: binlog_pos needs binlog_name", i);
        if (task_doc_gtids(conf, &gtids, err) < 0)
            return err_wrap(err, "source_config.source_conf[%zu]", i);
        gtid_set_free(gtids);
    }
    return 0;
}

int task_doc_check(const json_t *doc, const char *name, json_t **ret, struct err *err)
{
    SCOPED(json_freep) json_t *checked = NULL;
    const char *inside;
    int rc = doc_check(task_doc_fields, doc, &checked, err);

    if (rc < 0)
        return rc;
    inside = json_string_value(json_object_get(checked, "name"));
    if (inside && strcmp(inside, name) != 0)
        return err_set(err, -EINVAL, "name: '%s' is not the name of this task, %s", inside, name);
    json_object_set_new(checked, "name", json_string(name));
    if ((rc = check_rules(checked, err)) < 0 || (rc = check_lists(checked, err)) < 0 ||
        (rc = check_positions(checked, err)) < 0)
        return rc;
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

int task_doc_complete(const json_t *doc, struct err *err)
{
    static const struct {
        const char *path, *hint;
    } needed[] = {
        { "target_config.host", "echo HOST > target/host" },
        { "target_config.user", "echo USER > target/user" },
    };
    int rc;

    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!json_string_length(doc_at(doc, needed[i].path)))
            return err_set(err, -EINVAL, "%s is not set: %s", needed[i].path, needed[i].hint);
    if (json_array_size(doc_at(doc, "source_config.source_conf")) == 0)
        return err_set(err, -EINVAL,
                       "the task has no source: echo '[{\"source_name\": \"NAME\"}]' > "
                       "source_conf, or write source_config into config");
    if ((rc = rules_name_sources(doc, err)) < 0)
        return rc;
    return sources_have_rules(doc, err);
}
