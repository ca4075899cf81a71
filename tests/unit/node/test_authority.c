#include "fixture.h"

#include "node/authority.h"

static int check(uid_t uid, gid_t gid, mode_t mode, int want)
{
    struct caller who = { .uid = uid, .gid = gid, .front = "http" };
    struct err err = ERR_INIT;

    return authority_check(&who, mode, want, &err);
}

Test(authority, follows_owner_group_and_others)
{
    authority_set(&(struct authority){ .uid = 1000, .gid = 2000, .mode = 0640 });

    cr_assert_eq(check(1000, 5, 0640, 2), 0);
    cr_assert_eq(check(31000, 2000, 0640, 4), 0);
    cr_assert_eq(check(31000, 2000, 0640, 2), -EACCES);
    cr_assert_eq(check(31000, 5, 0640, 4), -EACCES);
    cr_assert_eq(check(31000, 5, 0644, 4), 0);
}

Test(authority, holds_root_to_what_anybody_may)
{
    authority_set(&(struct authority){ .uid = 1000, .gid = 2000, .mode = 0640 });

    cr_assert_eq(check(0, 0, 0640, 2), 0);
    cr_assert_eq(check(0, 0, 0440, 2), -EACCES);
    cr_assert_eq(check(0, 0, 0200, 4), -EACCES);
}

Test(authority, mode_says_what_is_left_of_rows)
{
    authority_set(&(struct authority){ .mode = 0660 });

    cr_assert_eq(authority_bits(0666), 0660);
    cr_assert_eq(authority_bits(0444), 0440);
    cr_assert_eq(authority_bits(0222), 0220);
    cr_assert_eq(authority_bits(0555), 0550);
    cr_assert_eq(authority_bits(0777), 0770);
}
