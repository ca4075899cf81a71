#include "ctl/binlogctl.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"

static struct binlogctl_args args;

static int parse(const char *words)
{
    static char copy[256], *argv[16];
    char *rest = copy;
    int argc = 0;

    snprintf(copy, sizeof copy, "%s", words);
    while (*words && (argv[argc] = strsep(&rest, " ")))
        argc++;
    return binlogctl_parse(argc, argv, &args);
}

Test(binlogctl, reads_flags_as_go_does)
{
    cr_assert_eq(parse("-cmd pause-pump -node-id=db7:8250 --force -V=false"), EXIT_OK);
    cr_expect_str_eq(args.cmd, "pause-pump");
    cr_expect_str_eq(args.node_id, "db7:8250");
    cr_expect(args.force && !args.version);
    cr_assert_eq(parse("update-pump --state paused -node-id -x"), EXIT_OK);
    cr_expect_str_eq(args.cmd, "update-pump");
    cr_expect_str_eq(args.state, "paused");
    cr_expect_str_eq(args.node_id, "-x");
    cr_assert_eq(parse(""), EXIT_OK);
    cr_expect_str_eq(args.cmd, "pumps");
    cr_expect_str_eq(args.data_dir, "binlog_position");
}

Test(binlogctl, refuses_what_it_does_not_know)
{
    cr_expect_eq(parse("-nodeid x"), EXIT_USAGE);
    cr_expect_eq(parse("-cmd"), EXIT_USAGE);
    cr_expect_eq(parse("pumps drainers"), EXIT_USAGE);
}

/* --- a daemon with two pumps and what was asked of it --- */

static char asked[256];
static int answer;

static json_t *fake_read(struct client *c, const char *path, unsigned depth, struct err *err)
{
    (void)c, (void)err;
    if (strcmp(path, "pumps/p1/commit_ts") == 0)
        return json_integer(INT64_MAX);
    if (strcmp(path, "pumps/p2/commit_ts") == 0)
        return json_integer(1);
    cr_expect_eq(depth, 1);
    if (strcmp(path, "pumps") != 0)
        return json_pack("{s:{}}", "children");
    return json_pack("{s:{s:{s:s,s:s,s:s,s:s,s:I,s:I},s:{s:s,s:s,s:s,s:s,s:I,s:I}}}", "children",
                     "p1", "node_id", "db7:8250", "addr", "127.0.0.1:8250", "advertise_addr", "",
                     "node_state", "online", "max_commit_ts", (json_int_t)412518831548007863,
                     "update_ts", (json_int_t)412518831338292471, "p2", "node_id", "db8:8250",
                     "addr", "", "advertise_addr", "10.0.0.8:8250", "node_state", "offline",
                     "max_commit_ts", (json_int_t)1, "update_ts", (json_int_t)0);
}

static int fake_run(struct client *c, const char *path, const char *text, size_t size,
                    struct err *err)
{
    (void)c;
    snprintf(asked, sizeof asked, "%s %.*s", path, (int)size, text);
    return answer < 0 ? err_set(err, answer, "it is paused already") : 0;
}

static const struct client_ops ops = { .read = fake_read, .run = fake_run };

static int run(const char *words)
{
    struct client client = { &ops };
    struct ctl c = { .client = &client, .output = OUTPUT_PLAIN };

    asked[0] = '\0';
    cr_assert_eq(parse(words), EXIT_OK);
    return binlogctl_run(&c, &args);
}

Test(binlogctl, asks_the_node_by_its_id_or_its_name)
{
    cr_expect_eq(run("pause-pump -node-id db7:8250"), EXIT_OK);
    cr_expect_str_eq(asked, "pumps/p1/pause \n");
    cr_expect_eq(run("offline-pump -node-id p2"), EXIT_OK);
    cr_expect_str_eq(asked, "pumps/p2/close \n");
    cr_expect_eq(run("update-pump -node-id p2 -state paused -force"), EXIT_OK);
    cr_expect_str_eq(asked, "pumps/p2/update_state state=paused force=true\n");
}

Test(binlogctl, reports_what_was_refused)
{
    answer = -EBUSY;
    cr_expect_eq(run("pause-pump -node-id db7:8250"), EXIT_REFUSED);
    answer = 0;
    cr_expect_eq(run("pause-pump -node-id nobody"), EXIT_REFUSED);
    cr_expect_eq(run("pause-pump"), EXIT_REFUSED);
    cr_expect_eq(run("update-pump -node-id p1 -state gone"), EXIT_REFUSED);
    cr_expect_eq(run("encrypt -text x"), EXIT_REFUSED);
    cr_expect_str_eq(asked, "");
    cr_expect_eq(run("no-such"), EXIT_USAGE);
}

Test(binlogctl, lists_what_is_not_offline)
{
    char path[] = "/tmp/sluice-ctl-XXXXXX", text[512];
    int fd = mkstemp(path), saved = dup(STDOUT_FILENO);
    ssize_t n;

    setenv("TZ", "UTC", 1);
    fflush(stdout);
    dup2(fd, STDOUT_FILENO);
    run("pumps");
    run("pumps -show-offline-nodes");
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    n = pread(fd, text, sizeof text - 1, 0);
    text[n < 0 ? 0 : n] = '\0';
    unlink(path);
    cr_expect_str_eq(text, "db7:8250\t127.0.0.1:8250\tonline\t412518831548007863\t"
                           "2019-11-13 08:40:57 +0000 UTC\n"
                           "db7:8250\t127.0.0.1:8250\tonline\t412518831548007863\t"
                           "2019-11-13 08:40:57 +0000 UTC\n"
                           "db8:8250\t10.0.0.8:8250\toffline\t1\t\n");
}

Test(binlogctl, writes_a_savepoint_that_nothing_stored_has_reached)
{
    char dir[] = "/tmp/sluice-ctl-XXXXXX", text[512] = "";
    SCOPED(freep) char *words = NULL, *path = NULL;
    FILE *in;

    cr_assert_not_null(mkdtemp(dir));
    words = xasprintf("generate_meta -data-dir %s/new -time-zone UTC", dir);
    path = xasprintf("%s/new/savepoint", dir);
    cr_assert_eq(run(words), EXIT_OK);
    in = fopen(path, "r");
    cr_assert_not_null(in);
    cr_assert_gt(fread(text, 1, sizeof text - 1, in), 0);
    fclose(in);
    cr_expect_eq(strncmp(text, "commitTS = 9223372036854775807\n# ", 33), 0, "%s", text);
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    rmdir(dir);
}
