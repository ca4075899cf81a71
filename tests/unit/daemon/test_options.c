#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "options.h"

static struct options o;
static enum command command;
static struct buf problems;
static char path[64];

static void teardown(void)
{
    options_fini(&o);
    buf_fini(&problems);
    if (path[0])
        unlink(path);
}

TestSuite(options, .fini = teardown);

/* 'args' and 'env' are NULL-terminated; 'file' is the content of --config, or NULL. */
static int read_all(const char *file, const char *const *args, const char *const *env)
{
    const char *argv[16] = { "sluiced" };
    int argc = 1, fd;

    if (file) {
        snprintf(path, sizeof path, "/tmp/sluice-test-XXXXXX");
        fd = mkstemp(path);
        cr_assert_eq(write(fd, file, strlen(file)), (ssize_t)strlen(file));
        close(fd);
        argv[argc++] = "--config";
        argv[argc++] = path;
    }
    while (args && *args)
        argv[argc++] = *args++;
    return options_read(&o, argc, (char *const *)argv,
                        env ? (char *const *)env : (char *[]){ NULL }, &command, &problems);
}

#define ARGS(...)                       \
    (const char *const[])               \
    {                                   \
        __VA_ARGS__ __VA_OPT__(, ) NULL \
    }

static void is_fine(const char *file, const char *const *args, const char *const *env)
{
    cr_assert_eq(read_all(file, args, env), 0, "%s", problems.data);
}

/* All problems must be 'expected', where "@" stands for the file. */
static void says(const char *file, const char *const *args, const char *const *env,
                 const char *expected)
{
    SCOPED(buf_fini) struct buf want = BUF_INIT;

    cr_assert_eq(read_all(file, args, env), -EINVAL);
    for (; *expected; expected++)
        *expected == '@' ? buf_str(&want, path) : buf_byte(&want, *expected);
    cr_assert_str_eq(problems.data, want.data);
}

Test(options, every_row_is_sound)
{
    for (const struct option_row *row = option_rows; row->key; row++) {
        json_t *v;

        is_fine(NULL, NULL, NULL);
        v = option_json(&o, row);
        cr_assert_not_null(v, "%s", row->key);
        json_decref(v);
        cr_assert_eq(strspn(row->key, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(row->key));
        cr_assert_neq(row->help[strlen(row->help) - 1], '.', "%s", row->key);
        options_fini(&o);
    }
}

Test(options, defaults)
{
    is_fine(NULL, NULL, NULL);
    cr_assert_eq(command, COMMAND_RUN);
    cr_assert_str_eq(o.data, "/var/lib/sluice");
    cr_assert_str_eq(o.mount, "");
    cr_assert_eq(o.listen.n, 1);
    cr_assert_str_eq(o.listen.at[0], "127.0.0.1:8261");
    cr_assert_null(o.listen.at[1]);
    cr_assert_eq(o.mode, 0644);
    cr_assert_eq(o.log_level, LOG_LEVEL_INFO);
    cr_assert_eq(o.http_max_body, 64 << 20);
    cr_assert_eq(o.uid, geteuid());
}

Test(options, flag_wins_over_environment_over_file)
{
    const char *file = "log_level: error\ndata: /file\ntokens: file\nlisten: [a:1, b:2]\n";

    is_fine(file, ARGS("--data", "/flag"), ARGS("SLUICE_DATA=/env", "SLUICE_TOKENS=env"));
    cr_assert_eq(o.log_level, LOG_LEVEL_ERROR);
    cr_assert_str_eq(o.data, "/flag");
    cr_assert_str_eq(o.tokens, "env");
    cr_assert_eq(o.listen.n, 2);
    cr_assert_str_eq(o.listen.at[1], "b:2");
}

Test(options, a_list_replaces_the_weaker_one)
{
    is_fine("listen: [a:1, b:2]\n", ARGS("--listen", "c:3", "--listen=d:4"),
            ARGS("SLUICE_LISTEN=e:5,f:6,g:7"));
    cr_assert_eq(o.listen.n, 2);
    cr_assert_str_eq(o.listen.at[0], "c:3");
    cr_assert_str_eq(o.listen.at[1], "d:4");
}

Test(options, a_list_in_the_environment_is_separated_by_commas)
{
    is_fine("listen: [a:1, b:2]\n", NULL, ARGS("SLUICE_LISTEN=e:5,f:6,g:7"));
    cr_assert_eq(o.listen.n, 3);
    cr_assert_str_eq(o.listen.at[2], "g:7");
}

Test(options, no_mount_wins)
{
    is_fine("mount: /a\n", ARGS("--no-mount", "--mount", "/b"), NULL);
    cr_assert_str_eq(o.mount, "");
}

Test(options, the_file_has_scalars_and_lists_of_every_type)
{
    is_fine("---\nmount: '/my \"sluice'\nlisten: x:1\nmode: 0660\nallow_insecure: yes\n"
            "http_max_body: 1M # half\nlog_format: json\nhttp_threads: 8\ntokens:\ngroup: ~\n"
            "stop_seconds: null\n",
            NULL, NULL);
    cr_assert_str_eq(o.mount, "/my \"sluice");
    cr_assert_eq(o.listen.n, 1);
    cr_assert_eq(o.mode, 0660);
    cr_assert(o.allow_insecure);
    cr_assert_eq(o.http_max_body, 1 << 20);
    cr_assert_eq(o.log_format, LOG_FORMAT_JSON);
    cr_assert_eq(o.http_threads, 8);
    cr_assert_str_eq(o.tokens, "");
    cr_assert_eq(o.stop_seconds, 30);
}

Test(options, an_empty_file_is_fine)
{
    is_fine("# nothing\n", NULL, NULL);
    cr_assert_str_eq(o.data, "/var/lib/sluice");
}

Test(options, all_mistakes_of_a_file_are_named_with_their_lines)
{
    says("data: /x\nlisen: [a]\nlog_level: loud\n\nmode: 888\nlisten:\n  - a:1\n  - {b: 2}\n"
         "http_threads: [1]\nhttp_max_body: 1X\nhttp_connections: 0\nallow_insecure: maybe\n"
         "data: /y\nzzzzzzzz: {a: [b, {c: d}]}\n",
         NULL, NULL,
         "@:2: no setting 'lisen': did you mean listen?\n"
         "@:3: 'loud' is none of debug, info, warn, error\n"
         "@:5: '888' is no octal file mode\n"
         "@:8: a list here holds plain values only\n"
         "@:9: http_threads takes one value\n"
         "@:10: '1X' is no number of bytes (4096, 64K, 64M, 1G)\n"
         "@:11: 0 is not between 1 and 65536\n"
         "@:12: 'maybe' is neither true nor false\n"
         "@:13: data is already set in line 1\n"
         "@:14: no setting 'zzzzzzzz'\n");
}

Test(options, what_is_no_mapping_is_refused)
{
    says("- a\n- b\n", NULL, NULL, "@:1: the file is a mapping: setting: value\n");
}

Test(options, a_second_document_is_refused)
{
    says("data: /x\n---\ndata: /y\n", NULL, NULL,
         "@:2: a second document: one file is one document\n");
}

Test(options, broken_yaml_is_named_with_its_line)
{
    cr_assert_eq(read_all("data: /x\nmount: [a\nlisten: b\n", NULL, NULL), -EINVAL);
    cr_assert_not_null(strstr(problems.data, ":3: this is no YAML: "), "%s", problems.data);
}

Test(options, a_missing_file_is_named)
{
    says(NULL, ARGS("--config", "/nonexistent.yaml"), NULL,
         "/nonexistent.yaml: cannot be read: No such file or directory\n");
}

Test(options, mistakes_on_the_command_line_and_in_the_environment)
{
    says(NULL, ARGS("--lisen", "--mode=8", "here", "--no-mount=x", "--print-man=all", "--data"),
         ARGS("SLUICE_LOG_LEVEL=loud", "SLUICE_URL=x"),
         "--lisen: no such flag: did you mean --listen?\n"
         "here: sluiced takes flags only: see --help\n"
         "--no-mount: takes no value\n"
         "--print-man: 'all' is none of tree, conf and schema\n"
         "--data: needs a value\n"
         "SLUICE_LOG_LEVEL: 'loud' is none of debug, info, warn, error\n"
         "--mode: '8' is no octal file mode\n");
}

Test(options, what_belongs_together)
{
    says("tls_cert: a.pem\nowner: no-such-user\ngroup: no-such-group\n", NULL, NULL,
         "owner: there is no user 'no-such-user'\ntls_cert: needs tls_key as well\n");
}

Test(options, a_group_that_does_not_exist)
{
    says("group: no-such-group\n", NULL, NULL, "group: there is no group 'no-such-group'\n");
}

Test(options, commands)
{
    static const struct {
        const char *flag;
        enum command command;
    } cases[] = {
        { "--help", COMMAND_HELP },
        { "--version", COMMAND_VERSION },
        { "--check-config", COMMAND_CHECK },
        { "--print-man=tree", COMMAND_PRINT_TREE },
        { "--print-man=conf", COMMAND_PRINT_CONF },
        { "--print-man=schema", COMMAND_PRINT_SCHEMA },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        is_fine(NULL, ARGS(cases[i].flag), NULL);
        cr_assert_eq(command, cases[i].command);
        options_fini(&o);
    }
}

Test(options, numbers_with_units_do_not_overflow)
{
    static const char *const bad[] = { "", "-1", "99999999999999999999", "20000000T", "1 M", "M" };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        cr_assert_eq(read_all(NULL, ARGS("--http-max-body", bad[i]), NULL), -EINVAL, "%s", bad[i]);
        cr_assert_not_null(strstr(problems.data, "is no number of bytes"), "%s", problems.data);
        options_fini(&o);
        buf_clear(&problems);
    }
}

Test(options, help_and_manual_have_every_setting)
{
    SCOPED(buf_fini) struct buf help = BUF_INIT;
    SCOPED(buf_fini) struct buf manual = BUF_INIT;

    options_help(&help);
    options_manual(&manual);
    for (const struct option_row *row = option_rows; row->key; row++) {
        SCOPED(freep) char *heading = xasprintf(".B %s\n", row->key);
        SCOPED(freep) char *flag = xasprintf("\n      --%s", row->key);

        for (char *p = flag; *p; p++)
            *p = *p == '_' ? '-' : *p;
        cr_assert_not_null(strstr(manual.data, heading), "%s", row->key);
        cr_assert_not_null(strstr(help.data, flag), "%s", flag);
    }
}
