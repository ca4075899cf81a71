#include <criterion/criterion.h>
#include <errno.h>

#include "http/status.h"

Test(status, gives_each_errno_of_the_tree_its_status)
{
    static const struct {
        int code;
        unsigned status;
    } wanted[] = {
        { -EACCES, 403 }, { -EPERM, 403 },  { -EOPNOTSUPP, 405 }, { -EBUSY, 409 },
        { -EEXIST, 409 }, { -EINVAL, 400 }, { -ENOENT, 404 },     { -EROFS, 421 },
        { -ENOSPC, 507 }, { -E2BIG, 413 },  { -EFBIG, 413 },      { -ETIMEDOUT, 504 },
        { -EIO, 500 },
    };

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        cr_expect_eq(status_of_errno(wanted[i].code), wanted[i].status, "%s",
                     errno_name(wanted[i].code));
}

Test(status, calls_what_it_does_not_know_an_internal_error)
{
    cr_assert_eq(status_of_errno(-EXDEV), 500);
}

Test(status, names_errnos)
{
    cr_assert_str_eq(errno_name(-EBUSY), "EBUSY");
    cr_assert_str_eq(errno_name(-123456), "EIO");
}
