#include <criterion/criterion.h>

#include "unit/copy/copy_table.h"

#define HEAD "CREATE TABLE `t` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`id`)\n"

Test(copy_table, shape_ignores_the_counter)
{
    uint64_t none = copy_table_shape(HEAD ") ENGINE=InnoDB DEFAULT CHARSET=latin1");

    cr_assert_eq(copy_table_shape(HEAD ") ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=latin1"),
                 none);
    cr_assert_eq(
        copy_table_shape(HEAD ") ENGINE=InnoDB AUTO_INCREMENT=12345 DEFAULT CHARSET=latin1"), none);
}

Test(copy_table, shape_sees_everything_else)
{
    uint64_t one = copy_table_shape(HEAD ") ENGINE=InnoDB");

    cr_assert_neq(copy_table_shape(HEAD ") ENGINE=MyISAM"), one);
    cr_assert_neq(copy_table_shape(HEAD ") ENGINE=InnoDB COMMENT=' AUTO_INCREMENT=5'"),
                  copy_table_shape(HEAD ") ENGINE=InnoDB COMMENT='x AUTO_INCREMENT=5'"));
    cr_assert_neq(copy_table_shape("CREATE TABLE `t` (\n  `id` bigint\n) ENGINE=InnoDB"),
                  copy_table_shape("CREATE TABLE `t` (\n  `id` int\n) ENGINE=InnoDB"));
}
