#include "unit/sync/sync_members.h"

#include <criterion/criterion.h>

static void same(struct slice got, const char *want)
{
    cr_expect(slice_eq(got, slice_str(want)), "'%.*s' is not '%s'", SLICE_ARG(got), want);
}

Test(sync_members, are_read_from_the_type_with_their_quotes)
{
    struct members m;

    members_init(&m, "enum('a','b''c','','d,e')");
    same(members_one(&m, 1), "a");
    same(members_one(&m, 2), "b'c");
    same(members_one(&m, 3), "");
    same(members_one(&m, 4), "d,e");
    same(members_one(&m, 0), "");
    same(members_one(&m, 5), "");
    members_fini(&m);
}

Test(sync_members, of_a_set_stand_with_commas)
{
    struct members m;

    members_init(&m, "set('x','y','z')");
    same(members_set(&m, 5), "x,z");
    same(members_set(&m, 0), "");
    same(members_set(&m, 255), "x,y,z");
    members_fini(&m);
}
