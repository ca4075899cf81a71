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

Test(sync_collate, types_of_mariadb_alone_become_text)
{
    static const char *const cases[][2] = {
        { "CREATE TABLE t (u UUID, `v` inet6 NOT NULL, w Inet4)",
          "CREATE TABLE t (u char(36) CHARACTER SET ascii, `v` varchar(39) CHARACTER SET ascii NOT "
          "NULL, w varchar(15) CHARACTER SET ascii)" },
        { "ALTER TABLE t ADD u UUID, MODIFY uuid UUID DEFAULT NULL AFTER uuid",
          "ALTER TABLE t ADD u char(36) CHARACTER SET ascii, MODIFY uuid char(36) CHARACTER SET "
          "ascii DEFAULT NULL AFTER uuid" },
        { "ALTER TABLE t CHANGE uuid uuid UUID",
          "ALTER TABLE t CHANGE uuid uuid char(36) CHARACTER SET ascii" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *got = translated(cases[i][0], mariadb, mysql);

        cr_expect_str_eq(got, cases[i][1]);
        free(got);
    }
}

Test(sync_collate, what_is_only_called_like_a_type_stays)
{
    static const char *const cases[] = {
        "CREATE TABLE t (uuid INT, inet6 CHAR(3) DEFAULT 'a UUID', KEY uuid (uuid))",
        "CREATE TABLE t (c CHAR(36) DEFAULT (uuid()), `inet4` INT COMMENT 'u UUID')",
        "ALTER TABLE t ADD uuid INT, DROP COLUMN inet4, CHANGE a uuid INT, ADD INDEX (inet6)",
        "ALTER TABLE t RENAME COLUMN a TO uuid, ADD b INT AFTER uuid",
        "DROP TABLE uuid, inet6",
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *got = translated(cases[i], mariadb, mysql);

        cr_expect_str_eq(got, cases[i]);
        free(got);
    }
}

Test(sync_collate, types_stay_where_the_target_has_them)
{
    static const char sql[] = "CREATE TABLE t (u UUID)";
    char *got = translated(sql, mariadb, mariadb);

    cr_assert_str_eq(got, sql);
    free(got);
}
