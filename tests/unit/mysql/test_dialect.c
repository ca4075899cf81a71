#include <criterion/criterion.h>

#include "mysql/dialect.h"

#define MYSQL(v) ((struct server_kind){ FLAVOR_MYSQL, v })
#define MARIADB(v) ((struct server_kind){ FLAVOR_MARIADB, v })

Test(dialect, asks_for_the_position_as_the_release_wants_it)
{
    cr_expect_str_eq(dialect_find(FLAVOR_MYSQL, 50744)->show_position, "SHOW MASTER STATUS");
    cr_expect_str_eq(dialect_find(FLAVOR_MYSQL, 80036)->show_position, "SHOW MASTER STATUS");
    cr_expect_str_eq(dialect_find(FLAVOR_MYSQL, 80400)->show_position, "SHOW BINARY LOG STATUS");
    cr_expect_str_eq(dialect_find(FLAVOR_MARIADB, 120102)->show_position, "SHOW MASTER STATUS");
}

Test(dialect, takes_the_newest_row_that_is_not_newer_than_the_server)
{
    cr_expect_not(dialect_find(FLAVOR_MYSQL, 90599)->logs_cascades);
    cr_expect(dialect_find(FLAVOR_MYSQL, 90600)->logs_cascades);
    cr_expect_not(dialect_find(FLAVOR_MARIADB, 120102)->logs_cascades);
    cr_expect_null(dialect_find(FLAVOR_MARIADB, 110399)->space_limit);
    cr_expect_not_null(dialect_find(FLAVOR_MARIADB, 110400)->space_limit);
}

Test(dialect, gives_a_server_older_than_all_rows_the_oldest)
{
    cr_expect_eq(dialect_find(FLAVOR_MYSQL, 50600)->from_version, 50700);
    cr_expect_eq(dialect_find(FLAVOR_MARIADB, 50500)->from_version, 100500);
}

static void check_type(struct server_kind from, struct server_kind to, const char *type,
                       enum fidelity fidelity, const char *becomes)
{
    struct type_change t = dialect_type(from, to, type, type);

    cr_expect_eq(t.fidelity, fidelity, "%s", type);
    if (becomes)
        cr_expect_str_eq(t.to, becomes);
    else
        cr_expect_null(t.to, "%s", type);
    cr_expect(fidelity == FIDELITY_EXACT || t.note, "%s needs a sentence", type);
}

Test(types, keep_their_words_within_a_flavour)
{
    check_type(MYSQL(80036), MYSQL(90700), "json", FIDELITY_EXACT, NULL);
    check_type(MARIADB(101119), MARIADB(101119), "uuid", FIDELITY_EXACT, NULL);
    check_type(MARIADB(101119), MARIADB(100500), "uuid", FIDELITY_LOSSY,
               "char(36) CHARACTER SET ascii");
}

Test(types, change_where_the_target_lacks_them)
{
    check_type(MYSQL(90700), MARIADB(101119), "json", FIDELITY_EXACT,
               "longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    check_type(MARIADB(101119), MYSQL(90700), "uuid", FIDELITY_LOSSY,
               "char(36) CHARACTER SET ascii");
    check_type(MARIADB(101119), MYSQL(90700), "inet6", FIDELITY_LOSSY,
               "varchar(39) CHARACTER SET ascii");
    check_type(MYSQL(90700), MARIADB(101119), "geomcollection", FIDELITY_EXACT,
               "geometrycollection");
    check_type(MYSQL(90700), MARIADB(101119), "int", FIDELITY_EXACT, NULL);
}

Test(types, are_refused_where_nothing_can_hold_them)
{
    check_type(MYSQL(90700), MARIADB(101119), "vector", FIDELITY_REFUSED, NULL);
    check_type(MYSQL(90700), MARIADB(110800), "vector", FIDELITY_EXACT, NULL);
    check_type(MARIADB(110800), MYSQL(80036), "vector", FIDELITY_REFUSED, NULL);
}

Test(types, warn_of_timestamps_that_end_earlier)
{
    check_type(MARIADB(110800), MYSQL(90700), "timestamp", FIDELITY_LOSSY, NULL);
    check_type(MARIADB(101119), MYSQL(90700), "timestamp", FIDELITY_EXACT, NULL);
    check_type(MARIADB(110800), MARIADB(110800), "timestamp", FIDELITY_EXACT, NULL);
}

static void check_collation(struct server_kind from, struct server_kind to, const char *name,
                            const char *becomes, enum fidelity fidelity, bool coarser)
{
    struct collation_change c = dialect_collation(from, to, name);

    cr_expect_str_eq(c.to, becomes, "%s became %s", name, c.to);
    cr_expect_eq(c.fidelity, fidelity, "%s", name);
    cr_expect_eq(c.coarser, coarser, "%s", name);
    cr_expect(fidelity == FIDELITY_EXACT || c.note, "%s needs a sentence", name);
}

Test(collations, are_the_same_where_both_have_them)
{
    check_collation(MYSQL(90700), MARIADB(101119), "utf8mb4_general_ci", "utf8mb4_general_ci",
                    FIDELITY_EXACT, false);
    check_collation(MYSQL(80036), MYSQL(90700), "utf8mb4_0900_ai_ci", "utf8mb4_0900_ai_ci",
                    FIDELITY_EXACT, false);
    check_collation(MYSQL(90700), MARIADB(110800), "utf8mb4_0900_ai_ci", "utf8mb4_0900_ai_ci",
                    FIDELITY_EXACT, false);
}

Test(collations, of_mysql_8_become_their_nearest_in_mariadb)
{
    struct server_kind from = MYSQL(90700);

    check_collation(from, MARIADB(101119), "utf8mb4_0900_ai_ci", "utf8mb4_uca1400_nopad_ai_ci",
                    FIDELITY_LOSSY, false);
    check_collation(from, MARIADB(101119), "utf8mb4_0900_as_cs", "utf8mb4_uca1400_nopad_as_cs",
                    FIDELITY_LOSSY, false);
    check_collation(from, MARIADB(101119), "utf8mb4_de_pb_0900_as_cs",
                    "utf8mb4_uca1400_nopad_as_cs", FIDELITY_LOSSY, true);
    check_collation(from, MARIADB(101119), "utf8mb4_0900_bin", "utf8mb4_nopad_bin", FIDELITY_EXACT,
                    false);
    check_collation(from, MARIADB(100622), "utf8mb4_0900_ai_ci", "utf8mb4_unicode_520_nopad_ci",
                    FIDELITY_LOSSY, true);
    check_collation(from, MYSQL(50744), "utf8mb4_0900_ai_ci", "utf8mb4_unicode_520_ci",
                    FIDELITY_LOSSY, true);
}

Test(collations, of_mariadb_become_their_nearest_in_mysql)
{
    struct server_kind from = MARIADB(101119), to = MYSQL(90700);

    check_collation(from, to, "utf8mb4_uca1400_ai_ci", "utf8mb4_0900_ai_ci", FIDELITY_LOSSY, false);
    check_collation(from, to, "utf8mb4_uca1400_swedish_as_cs", "utf8mb4_0900_as_cs", FIDELITY_LOSSY,
                    true);
    check_collation(from, to, "utf8mb4_uca1400_nopad_ai_cs", "utf8mb4_0900_as_cs", FIDELITY_LOSSY,
                    false);
    check_collation(from, to, "latin1_swedish_nopad_ci", "latin1_swedish_ci", FIDELITY_LOSSY, true);
    check_collation(from, to, "utf8mb4_nopad_bin", "utf8mb4_0900_bin", FIDELITY_EXACT, false);
    check_collation(from, to, "utf8mb4_unicode_ci", "utf8mb4_unicode_ci", FIDELITY_EXACT, false);
}
