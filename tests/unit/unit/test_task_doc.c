#include "unit/task/task_doc.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/yaml.h"
#include "route/router.h"
#include "unit/job.h"

static json_t *yaml(const char *text)
{
    struct err err = ERR_INIT;
    json_t *v = yaml_parse(text, strlen(text), &err);

    cr_assert(v, "%s", err.text);
    return v;
}

/* The checked document of 'text' for task "t". */
static json_t *checked(const char *text)
{
    struct err err = ERR_INIT;
    json_t *v = yaml(text), *doc = NULL;

    cr_assert_eq(task_doc_check(v, "t", &doc, &err), 0, "%s", err.text);
    json_decref(v);
    return doc;
}

Test(task_doc, says_what_is_wrong_and_where)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "[1]", "document: must be fields with values" },
        { "nmae: t", "nmae: no such field: did you mean name?" },
        { "name: other", "name: 'other' is not the name of this task, t" },
        { "task_mode: everything",
          "task_mode: 'everything' is none of all, full, incremental, dump, load" },
        { "task_mode: incremantal", "task_mode: 'incremantal' is none of all, full, incremental, "
                                    "dump, load: did you mean incremental?" },
        { "task_mode: true", "task_mode: must be text; put it in quotes" },
        { "target_config: { prot: 3 }", "target_config.prot: no such field: did you mean port?" },
        { "target_config: { port: 70000 }",
          "target_config.port: 70000 is not between 1 and 65535" },
        { "target_config: { port: '3306' }", "target_config.port: must be a whole number" },
        { "target_config: x", "target_config: must be fields with values" },
        { "strict_optimistic_shard_mode: true\nshard_mode: pessimistic",
          "strict_optimistic_shard_mode: only for shard_mode optimistic; leave it out" },
        { "binlog_filter_rule: { r: { ignore_event: [ upsert ] } }",
          "binlog_filter_rule r: ignore_event: there is no event upsert" },
        { "table_migrate_rule: { source: 1 }", "table_migrate_rule: must be a list" },
        { "table_migrate_rule: [ { source: { schema: a } } ]",
          "table_migrate_rule[0].source: source_name is missing" },
        { "table_migrate_rule: [ { source: { source_name: s, shema: a } } ]",
          "table_migrate_rule[0].source.shema: no such field: did you mean schema?" },
        { "table_migrate_rule: [ { source: { source_name: s, schema: '~(' } } ]",
          "table_migrate_rule[0].source.schema: pattern '~(': missing closing parenthesis at "
          "character 2" },
        { "table_migrate_rule: [ { source: { source_name: s, schema: a }, target: { table: b } } ]",
          "table_migrate_rule[0]: target.table needs source.table" },
        { "shadow_table_rules: [ '^_.+_gho$' ]",
          "shadow_table_rules: regex ^_.+_gho$ is invalid: it must have exactly one group, which "
          "is "
          "the name of the table that is changed, as ^_(.+)_(?:new|gho)$ has" },
        { "trash_table_rules: [ '^_(.+_old$' ]",
          "trash_table_rules: regex ^_(.+_old$ is invalid: pattern '~^_(.+_old$': missing closing "
          "parenthesis at character 11" },
        { "block_allow_list: { do_dbs: [ 'a[' ] }",
          "block_allow_list.do_dbs[0]: pattern 'a[': '[' has no closing ]" },
        { "source_config: { source_conf: [ { source_name: s }, { source_name: s } ] }",
          "source_config.source_conf: s is there twice" },
        { "source_config: { source_conf: [ { source_name: s, binlog_pos: 4 } ] }",
          "source_config.source_conf[0]: binlog_pos needs binlog_name" },
        { "source_config: { source_conf: [ { source_name: s, binlog_name: f, binlog_pos: -4 } ] }",
          "source_config.source_conf[0].binlog_pos: -4 is less than 0" },
        { "source_config: { source_conf: [ { source_name: s, binlog_gtid: no gtid } ] }",
          "source_config.source_conf[0]: binlog_gtid: bad GTID set at 'no gtid': "
          "domain-server-number, each domain once, expected" },
        { "source_config: { incr_migrate_conf: { safe_mode: 1 } }",
          "source_config.incr_migrate_conf.safe_mode: must be true or false" },
        { "meta_schema: ''", "meta_schema: must not be empty" },
        { "timezone: SYSTEM",
          "timezone: 'SYSTEM' is no time zone: a name such as Europe/Berlin, or "
          "+01:00, is expected" },
        { "timezone: '+15:00'", "timezone: '+15:00' is no time zone: a name such as Europe/Berlin, "
                                "or +01:00, is expected" },
        { "ignore_checking_items: [ binlog_fromat ]",
          "ignore_checking_items[0]: 'binlog_fromat' is not what a check_report calls anything: "
          "did "
          "you mean binlog_format?" },
        { "source_config: { full_migrate_conf: { checksum: 'off' } }",
          "source_config.full_migrate_conf.checksum: it is of import_mode physical, TiDB's import "
          "of files, which the target does not have; rows are always counted" },
        { "source_config: { full_migrate_conf: { import_mode: physical } }",
          "source_config.full_migrate_conf.import_mode: the target takes rows as SQL only; leave "
          "it out or say logical" },
        { "table_migrate_rule:\n"
          "  - { source: { source_name: s, schema: a, table: 't*' }, target: { schema: x } }\n"
          "  - { source: { source_name: s, schema: a, table: t1 }, target: { schema: y } }\n",
          "table_migrate_rule[1]: table a.t1 matches two routes: a.t* -> x, and a.t1 -> y" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = ERR_INIT;
        json_t *v = yaml(rows[i].text), *doc = NULL;

        cr_expect_eq(task_doc_check(v, "t", &doc, &err), -EINVAL, "%s", rows[i].text);
        cr_expect_str_eq(err.text, rows[i].want, "%s: %s", rows[i].text, err.text);
        json_decref(v);
    }
}

Test(task_doc, takes_what_dm_gives)
{
    json_t *doc = checked("name: t\n"
                          "task_mode: all\n"
                          "shard_mode: null\n"
                          "strict_optimistic_shard_mode: false\n"
                          "enhance_online_schema_change: true\n"
                          "on_duplicate: overwrite\n"
                          "binlog_filter_rule: {}\n"
                          "target_config: { host: h, port: 3307, user: u, password: 1234,\n"
                          "                 security: null }\n"
                          "table_migrate_rule:\n"
                          "  - source: { source_name: s1, schema: a, table: '*' }\n"
                          "    target: { schema: b, table: '' }\n"
                          "source_config:\n"
                          "  full_migrate_conf: { export_threads: 4, data_dir: ./x,\n"
                          "    import_mode: logical, on_duplicate_physical: none,\n"
                          "    sorting_dir: '', checksum: required, range_concurrency: 0 }\n"
                          "  source_conf: [ { source_name: s1, binlog_name: '', binlog_pos: 0 } ]\n"
                          "status_list: [ { name: t } ]\n");
    json_t *ignored = doc_ignored(task_doc_fields, doc);

    cr_expect_str_eq(json_string_value(doc_at(doc, "target_config.password")), "1234");
    cr_expect_null(doc_at(doc, "status_list"));
    cr_expect_null(doc_at(doc, "shard_mode"));
    cr_expect_eq(json_object_size(ignored), 0);
    json_decref(ignored);
    json_decref(doc);
}

#define FOLDER(text)                                           \
    "source_config: { source_conf: [ { source_name: s1 } ],\n" \
    "                 full_migrate_conf: { data_dir: " text " } }\n"

Test(task_doc, dump_and_load_need_a_folder_and_dump_no_target)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { FOLDER("/d") "task_mode: dump", "" },
        { FOLDER("/d") "task_mode: load\ntarget_config: { host: h, user: u }", "" },
        { FOLDER("/d") "task_mode: load",
          "target_config.host is not set: echo HOST > target/host" },
        { FOLDER("''") "task_mode: dump",
          "task_mode dump needs source_config.full_migrate_conf.data_dir: echo /FOLDER > "
          "full_migrate_conf/data_dir" },
        { FOLDER("d") "task_mode: load",
          "source_config.full_migrate_conf.data_dir: 'd' does not begin with /" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = ERR_INIT;
        json_t *doc = checked(rows[i].text);
        int rc = task_doc_complete(doc, &err);

        cr_expect_eq(rc, *rows[i].want ? -EINVAL : 0);
        cr_expect_str_eq(err.text, rows[i].want);
        json_decref(doc);
    }
}

Test(task_doc, secrets_are_masked_and_kept)
{
    json_t *old = checked("target_config: { password: x, security: { ssl_key_content: k } }");
    json_t *masked = doc_masked(task_doc_fields, old), *doc;

    cr_expect_str_eq(json_string_value(doc_at(masked, "target_config.password")), DOC_MASK);
    cr_expect_str_eq(json_string_value(doc_at(masked, "target_config.security.ssl_key_content")),
                     DOC_MASK);
    doc_keep_secrets(task_doc_fields, masked, old);
    cr_expect(json_equal(masked, old));
    json_decref(masked);

    doc = checked("target_config: { host: h }");
    doc_keep_secrets(task_doc_fields, doc, old);
    cr_expect_str_eq(json_string_value(doc_at(doc, "target_config.password")), "x");
    json_decref(doc);

    doc = checked("target_config: { password: '******' }");
    doc_keep_secrets(task_doc_fields, doc, NULL);
    cr_expect_null(doc_at(doc, "target_config.password"), "six stars are no password");
    json_decref(doc);

    doc = checked("target_config: { password: new }");
    doc_keep_secrets(task_doc_fields, doc, old);
    cr_expect_str_eq(json_string_value(doc_at(doc, "target_config.password")), "new");
    json_decref(doc);
    json_decref(old);
}

Test(task_doc, shows_its_defaults)
{
    json_t *doc = checked("{}"), *full = doc_full(task_doc_fields, doc);

    cr_expect_str_eq(json_string_value(doc_at(full, "task_mode")), "all");
    cr_expect_str_eq(json_string_value(doc_at(full, "meta_schema")), "dm_meta");
    cr_expect_eq(json_integer_value(doc_at(full, "target_config.port")), 3306);
    cr_expect_eq(json_integer_value(doc_at(full, "source_config.full_migrate_conf.export_threads")),
                 4);
    cr_expect_str_eq(json_string_value(doc_at(full, "shard_mode")), "");
    json_decref(full);
    json_decref(doc);
}

Test(task_doc, says_what_a_start_lacks)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "{}", "target_config.host is not set: echo HOST > target/host" },
        { "target_config: { host: h }", "target_config.user is not set: echo USER > target/user" },
        { "target_config: { host: h, user: u }",
          "the task has no source: echo '[{\"source_name\": \"NAME\"}]' > source_conf, or write "
          "source_config into config" },
        { "target_config: { host: h, user: u }\n"
          "source_config: { source_conf: [ { source_name: a } ] }\n"
          "table_migrate_rule: [ { source: { source_name: b, schema: x } } ]",
          "table_migrate_rule[0]: source b is not in source_config.source_conf" },
        { "target_config: { host: h, user: u }\n"
          "source_config: { source_conf: [ { source_name: a }, { source_name: b } ] }\n"
          "table_migrate_rule: [ { source: { source_name: a, schema: x } } ]",
          "source b has no table_migrate_rule: nothing of it would be migrated" },
        { "target_config: { host: h, user: u }\n"
          "source_config: { source_conf: [ { source_name: a } ] }",
          "" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = ERR_INIT;
        json_t *doc = checked(rows[i].text);

        task_doc_complete(doc, &err);
        cr_expect_str_eq(err.text, rows[i].want);
        json_decref(doc);
    }
}

Test(task_doc, becomes_a_job)
{
    json_t *doc =
        checked("task_mode: incremental\n"
                "target_config: { host: h, port: 3307, user: u, password: p,\n"
                "                 security: { ssl_ca_content: CA, cert_allowed_cn: [ n1, n2 ] } }\n"
                "table_migrate_rule:\n"
                "  - source: { source_name: s1, schema: a, table: 't*' }\n"
                "    target: { schema: b }\n"
                "  - source: { source_name: s2, schema: zzz }\n"
                "block_allow_list: { ignore_tables: [ { db_name: a, tbl_name: tmp } ] }\n"
                "source_config:\n"
                "  full_migrate_conf: { on_duplicate_logical: ignore,\n"
                "                       consistency: lock }\n"
                "  incr_migrate_conf: { repl_threads: 7, repl_batch: 70,\n"
                "                       safe_mode: true }\n"
                "  source_conf:\n"
                "    - { source_name: s1, binlog_name: bin.000002, binlog_pos: 99 }\n"
                "    - { source_name: s2, binlog_gtid: 0-1-100 }\n"
                "apply_mode: parallel\n"
                "on_duplicate: overwrite\n"
                "timezone: Europe/Berlin\n"
                "on_error: quarantine\n");
    char host[] = "src";
    struct job_source from = { .name = "s1", .params = { .host = host, .port = 1 } };
    struct err err = ERR_INIT;
    struct job *job = NULL;
    struct route to;

    cr_assert_eq(job_new(doc, &from, NULL, &job, &err), 0, "%s", err.text);
    cr_expect_str_eq(job->task, "t");
    cr_expect_str_eq(job->source, "s1");
    cr_expect_str_eq(job->path, "tasks/t/sources/s1");
    cr_expect_str_eq(job->from.host, "src");
    cr_expect_str_eq(job->to.host, "h");
    cr_expect_eq(job->to.port, 3307);
    cr_expect_str_eq(job->to.password, "p");
    cr_expect(job->to.tls.required && job->to.tls.verify);
    cr_expect(!job->copies && job->has_start);
    cr_expect_str_eq(job->start.file, "bin.000002");
    cr_expect_eq(job->start.offset, 99);
    cr_expect_eq(job->apply_mode, APPLY_PARALLEL);
    cr_expect_eq(job->apply_threads, 7);
    cr_expect_eq(job->apply_batch, 512);
    cr_expect_eq(job->apply_rows, 70);
    cr_expect_eq(job->on_duplicate, ON_DUPLICATE_IGNORE, "full_migrate_conf's wins");
    cr_expect_eq(job->consistency, CONSISTENT_LOCK);
    cr_expect_str_eq(job->time_zone, "Europe/Berlin");
    cr_expect_str_eq(job->to.tls.allowed_cn, "n1,n2");
    cr_expect_eq(job->on_error, ON_ERROR_QUARANTINE);
    cr_expect(job->safe_mode && job->foreign_keys == FOREIGN_KEYS_AS_SOURCE);
    cr_expect(router_table(job->router, "a", "t1", &to));
    cr_expect_str_eq(to.to_schema, "b");
    cr_expect(!router_table(job->router, "a", "x", &to));
    cr_expect(!router_table(job->router, "zzz", "x", &to), "a rule of another source");
    job_unref(job);

    from.name = "s2";
    cr_assert_eq(job_new(doc, &from, NULL, &job, &err), 0, "%s", err.text);
    cr_expect(job->has_start && job->start.gtids && !job->start.file[0]);
    job_unref(job);

    from.name = "s3";
    cr_expect_eq(job_new(doc, &from, NULL, &job, &err), -EINVAL);
    json_decref(doc);
}

Test(task_doc, ignores_the_block_list_of_other_tables)
{
    json_t *doc = checked("block_allow_list: { ignore_tables: [ { db_name: a, tbl_name: tmp } ] }\n"
                          "meta_schema: mine\n");
    struct err err = ERR_INIT;
    struct router *r;
    struct route to;

    cr_assert_eq(task_doc_router(doc, "s", false, &r, &err), 0);
    cr_expect(!router_table(r, "a", "tmp", &to));
    cr_expect(router_table(r, "a", "tmp2", &to));
    cr_expect(!router_table(r, "mine", "x", &to));
    router_free(r);
    json_decref(doc);
}
