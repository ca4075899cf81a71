#include "fs/private.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "base/scope.h"

Test(stale, names_the_owner_by_pid_and_start)
{
    SCOPED(freep) char *name = stale_source_name();
    unsigned long long start = 0;
    long pid = 0;

    cr_assert_eq(sscanf(name, "sluiced:%ld:%llu", &pid, &start), 2, "%s", name);
    cr_assert_eq(pid, getpid());
    cr_assert_gt(start, 0);
}

static void assert_absolute(const char *path, const char *want)
{
    struct err err = ERR_INIT;
    SCOPED(freep) char *got = stale_absolute(path, &err);

    cr_assert(got, "%s: %s", path, err.text);
    cr_assert_str_eq(got, want);
}

Test(stale, resolves_all_but_the_last_part)
{
    assert_absolute("/tmp/../tmp/./not-there", "/tmp/not-there");
    assert_absolute("/not-there/", "/not-there");
    assert_absolute("/proc/self/../x", "/proc/x");
}

Test(stale, refuses_what_cannot_be_mounted_on)
{
    static const char *const bad[] = { "/", ".", "/tmp/..", "/not-there/below" };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = ERR_INIT;

        cr_assert_null(stale_absolute(bad[i], &err), "%s", bad[i]);
        cr_assert(err.code == -EINVAL || err.code == -ENOENT, "%s: %s", bad[i], err.text);
    }
}

Test(stale, finds_nothing_where_nothing_is_mounted)
{
    struct err err = ERR_INIT;

    cr_assert_eq(stale_device("/tmp/not-there"), 0);
    cr_assert_eq(stale_device("/proc"), 0, "a mount of somebody else");
    cr_assert_eq(stale_clean("/proc", &err), 0);
}
