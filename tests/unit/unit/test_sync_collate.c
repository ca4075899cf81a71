#include <criterion/criterion.h>
#include <stdlib.h>

#include "unit/sync/sync_collate.h"

static const struct server_kind mysql = { FLAVOR_MYSQL, 90700 };
static const struct server_kind mariadb = { FLAVOR_MARIADB, 101100 };

static char *translated(const char *sql, struct server_kind from, struct server_kind to)
{
    struct buf out = BUF_INIT;

    collate_translate(slice_str(sql), false, false, from, to, &out);
    return buf_steal(&out);
}

Test(sync_collate, the_default_of_mysql_gets_a_name_that_mariadb_knows)
{
    char *got =
        translated("CREATE TABLE t (c CHAR(5) COLLATE 'utf8mb4_0900_ai_ci' COMMENT 'COLLATE "
                   "utf8mb4_0900_ai_ci') DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci",
                   mysql, mariadb);

    cr_assert(strstr(got, "COMMENT 'COLLATE utf8mb4_0900_ai_ci'"), "%s", got);
    cr_assert_not(strstr(got, "COLLATE=utf8mb4_0900"), "%s", got);
    cr_assert_not(strstr(got, "COLLATE 'utf8mb4_0900"), "%s", got);
    free(got);
}

Test(sync_collate, what_both_know_stays_as_it_was_written)
{
    static const char sql[] =
        "ALTER TABLE t MODIFY c TEXT COLLATE utf8mb4_general_ci, ADD `collate` "
        "INT, COLLATE";
    char *got = translated(sql, mysql, mariadb);

    cr_assert_str_eq(got, sql);
    free(got);
}
