#include <criterion/criterion.h>

#include "mysql/grants.h"

static bool have(const char *line, const char *right, const char *db)
{
    char *lines[] = { (char *)line };
    struct grants g = { 1, lines };

    return grants_have(&g, right, db);
}

Test(grants, on_everything_hold_for_each_schema)
{
    const char *line = "GRANT SELECT, RELOAD, REPLICATION SLAVE ON *.* TO `u`@`%`";

    cr_expect(have(line, "SELECT", NULL));
    cr_expect(have(line, "SELECT", "shop"));
    cr_expect(have(line, "REPLICATION SLAVE", NULL));
    cr_expect_not(have(line, "INSERT", "shop"));
    cr_expect_not(have(line, "REPLICATION", NULL), "part of a name is not the name");
}

Test(grants, all_privileges_hold_every_right)
{
    cr_expect(have("GRANT ALL PRIVILEGES ON *.* TO `u`@`%` WITH GRANT OPTION", "RELOAD", NULL));
    cr_expect(have("GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%`", "CREATE", "shop"));
    cr_expect_not(have("GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%`", "CREATE", NULL));
}

Test(grants, on_schemas_match_by_their_wildcards)
{
    cr_expect(have("GRANT SELECT ON `shop\\_1`.* TO `u`@`%`", "SELECT", "shop_1"));
    cr_expect_not(have("GRANT SELECT ON `shop\\_1`.* TO `u`@`%`", "SELECT", "shopx1"));
    cr_expect(have("GRANT SELECT ON `shop_1`.* TO `u`@`%`", "SELECT", "shopx1"));
    cr_expect(have("GRANT SELECT ON `sh%p`.* TO `u`@`%`", "SELECT", "sheep"));
    cr_expect_not(have("GRANT SELECT ON `sh%p`.* TO `u`@`%`", "SELECT", "sheeps"));
    cr_expect_not(have("GRANT SELECT ON `shop`.* TO `u`@`%`", "SELECT", "sho"));
}

Test(grants, on_columns_and_tables_count_as_none)
{
    cr_expect_not(have("GRANT SELECT (`a`, `b`) ON `shop`.* TO `u`@`%`", "SELECT", "shop"));
    cr_expect_not(have("GRANT SELECT ON `shop`.`t` TO `u`@`%`", "SELECT", "shop"));
}

Test(grants, know_the_names_of_both_flavours)
{
    cr_expect(have("GRANT BINLOG MONITOR ON *.* TO `u`@`%`", "REPLICATION CLIENT", NULL));
    cr_expect(have("GRANT REPLICATION CLIENT ON *.* TO `u`@`%`", "BINLOG MONITOR", NULL));
    cr_expect(have("GRANT SUPER ON *.* TO `u`@`%`", "BINLOG MONITOR", NULL));
    cr_expect_not(have("GRANT SUPER ON *.* TO `u`@`%`", "REPLICATION SLAVE", NULL));
}

Test(grants, obey_partial_revokes)
{
    char *lines[] = { (char *)"GRANT SELECT ON *.* TO `u`@`%`",
                      (char *)"REVOKE SELECT ON `secret`.* FROM `u`@`%`" };
    struct grants g = { 2, lines };

    cr_expect(grants_have(&g, "SELECT", "shop"));
    cr_expect_not(grants_have(&g, "SELECT", "secret"));
}

Test(grants, of_roles_are_no_rights)
{
    cr_expect_not(have("GRANT `admin`@`%` TO `u`@`%`", "SELECT", "shop"));
}
