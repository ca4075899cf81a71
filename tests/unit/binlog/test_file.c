#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/event.h"
#include "binlog/file.h"

static void write_file(char path[static 32], const void *data, size_t size)
{
    SCOPED(closep) int fd = -1;

    memcpy(path, "/tmp/sluice-test-XXXXXX", 24);
    fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, data, size), (ssize_t)size);
}

static int open_error(const char *data, size_t size)
{
    struct binlog_file f = { 0 };
    struct err err = ERR_INIT;
    char path[32];
    int rc;

    write_file(path, data, size);
    rc = binlog_file_open(&f, path, &err);
    binlog_file_close(&f);
    unlink(path);
    return rc;
}

Test(file, opens_binlogs_only)
{
    struct binlog_file f = { 0 };
    struct err err = ERR_INIT;

    cr_expect_eq(open_error("", 0), -EBADMSG);
    cr_expect_eq(open_error("\xfe"
                            "bi",
                            3),
                 -EBADMSG);
    cr_expect_eq(open_error("hello", 5), -EBADMSG);
    cr_expect_eq(open_error("\xfd"
                            "bin",
                            4),
                 -ENOTSUP);
    cr_expect_eq(open_error("\xfe"
                            "bin",
                            4),
                 0);
    cr_expect_eq(binlog_file_open(&f, "/no/such/file", &err), -ENOENT);
    cr_expect_eq(binlog_file_open(&f, "/tmp", &err), -EBADMSG);
    binlog_file_close(&f);
}

Test(file, tells_when_it_ends_inside_an_event)
{
    struct binlog_file f = { 0 };
    struct err err = ERR_INIT;
    struct slice raw;
    char path[32], data[4 + 30] = "\xfe"
                                  "bin";

    data[4 + 9] = 30;
    write_file(path, data, sizeof data);
    cr_assert_eq(binlog_file_open(&f, path, &err), 0);
    cr_expect_eq(binlog_file_next(&f, &raw, &err), 1);
    cr_expect_eq(raw.size, 30);
    cr_expect_eq(binlog_file_next(&f, &raw, &err), 0);
    binlog_file_close(&f);
    cr_assert_eq(truncate(path, 33), 0);
    cr_assert_eq(binlog_file_open(&f, path, &err), 0);
    cr_expect_eq(binlog_file_next(&f, &raw, &err), -EBADMSG);
    binlog_file_close(&f);
    unlink(path);
}
