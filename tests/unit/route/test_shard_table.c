#include "route/shard_table.h"

#include <criterion/criterion.h>

#include "base/scope.h"

/* As MariaDB 10.11 and MySQL 9.7 print them. */
static const char mariadb[] =
    "CREATE TABLE `t` (\n  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,\n"
    "  `a` varchar(20) DEFAULT 'x, y)',\n  `b` decimal(10,2) NOT NULL DEFAULT -1.50,\n"
    "  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK "
    "(json_valid(`j`)),\n"
    "  `g` int(11) GENERATED ALWAYS AS (`b` + 1) STORED COMMENT 'a, b',\n"
    "  `t` timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),\n"
    "  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`a`(10)),\n  KEY `k` (`b`) USING BTREE,\n"
    "  CONSTRAINT `c` CHECK (`b` > 0)\n"
    ") ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci";
static const char mysql[] =
    "CREATE TABLE `t` (\n  `id` bigint unsigned NOT NULL AUTO_INCREMENT,\n"
    "  `a` varchar(20) CHARACTER SET utf8mb3 DEFAULT _utf8mb4'x' /*!80023 INVISIBLE */,\n"
    "  `e` enum('a','b') COLLATE utf8mb4_bin DEFAULT 'a',\n  `bit` bit(3) DEFAULT b'101',\n"
    "  PRIMARY KEY (`id`),\n  KEY `f` ((`id` + 1)) /*!80000 INVISIBLE */\n"
    ") ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci\n"
    "/*!50100 PARTITION BY HASH (`id`)\nPARTITIONS 4 */";

static void parsed(const char *create, struct shard_table *t)
{
    struct err err = ERR_INIT;

    cr_assert_eq(shard_table_parse(slice_str(create), t, &err), 0, "%s", err.text);
}

Test(shard_table, reads_what_mariadb_prints)
{
    SCOPED(shard_table_fini) struct shard_table t;

    parsed(mariadb, &t);

    cr_assert_eq(t.n_cols, 6);
    cr_assert_eq(t.n_keys, 4);
    cr_assert(t.cols[0].is_unsigned && t.cols[0].auto_increment && !t.cols[0].nullable);
    cr_assert_str_eq(t.cols[1].fallback, "'x, y)'");
    cr_assert_str_eq(t.cols[1].collation, "latin1_swedish_ci");
    cr_assert_str_eq(t.cols[2].type, "decimal(10,2)");
    cr_assert_str_eq(t.cols[3].charset, "utf8mb4");
    cr_assert_null(t.cols[3].fallback);
    cr_assert_not_null(t.cols[4].generated);
    cr_assert_str_eq(t.cols[5].others, "on update current_timestamp()");
    cr_assert(t.keys[0].primary);
    cr_assert_str_eq(t.keys[1].name, "u");
}

Test(shard_table, reads_what_mysql_prints)
{
    SCOPED(shard_table_fini) struct shard_table t;

    parsed(mysql, &t);

    cr_assert_eq(t.n_cols, 4);
    cr_assert_eq(t.n_keys, 2);
    cr_assert_str_eq(t.cols[1].charset, "utf8mb3");
    cr_assert_str_eq(t.cols[2].type, "enum('a','b')");
    cr_assert_str_eq(t.cols[2].collation, "utf8mb4_bin");
    cr_assert_str_eq(t.cols[3].fallback, "b '101'");
}

Test(shard_table, refuses_what_is_no_table)
{
    static const char *const texts[] = { "",
                                         "CREATE TABLE t",
                                         "CREATE TABLE t (",
                                         "CREATE TABLE `t` (`a` int",
                                         "CREATE VIEW v AS SELECT 1",
                                         NULL };

    for (size_t i = 0; texts[i]; i++) {
        SCOPED(shard_table_fini) struct shard_table t;
        struct err err = ERR_INIT;

        cr_assert_lt(shard_table_parse(slice_str(texts[i]), &t, &err), 0, "%s", texts[i]);
    }
}

/* Every rule of the join, both ways round. */
static const struct {
    const char *a, *b;
    enum shard_order order;
    bool joins;
} rows[] = {
    { "c int", "c int", SHARD_EQUAL, true },
    { "c int(11)", "c int", SHARD_EQUAL, true },
    { "c int COMMENT 'x'", "c int", SHARD_EQUAL, true },
    { "c int DEFAULT NULL", "c int", SHARD_EQUAL, true },
    { "c int, d int", "d int, c int", SHARD_EQUAL, true },                 /* order */
    { "c int, KEY k (c) IGNORED", "c int, KEY k (c)", SHARD_EQUAL, true }, /* who sees it */
    { "c int", "c int, d int", SHARD_SMALLER, true }, /* a column in one only */
    { "c int", "c int, d int NOT NULL DEFAULT 1", SHARD_SMALLER, true },
    { "c int", "c int, d int NOT NULL", SHARD_APART, false },
    { "c int", "c int, d int GENERATED ALWAYS AS (c + 1) VIRTUAL NOT NULL", SHARD_SMALLER, true },
    { "c int, a int", "c int, b int", SHARD_APART, true }, /* a rename */
    { "c tinyint", "c bigint", SHARD_SMALLER, true },      /* types */
    { "c mediumint", "c bigint", SHARD_SMALLER, true },
    { "c int", "c float", SHARD_APART, false },
    { "c int", "c varchar(5)", SHARD_APART, false },
    { "c int", "c int unsigned", SHARD_APART, false },
    { "c int unsigned", "c int unsigned zerofill", SHARD_APART, false },
    { "c decimal(5,2)", "c decimal(6,2)", SHARD_APART, false },
    { "c varchar(3)", "c varchar(4)", SHARD_SMALLER, true },
    { "c text", "c mediumtext", SHARD_SMALLER, true },
    { "c enum('a')", "c enum('a','b')", SHARD_SMALLER, true },
    { "c enum('a')", "c enum('b','a')", SHARD_APART, false },
    { "c datetime", "c datetime(3)", SHARD_APART, false },
    { "c varchar(3) CHARSET utf8mb3", "c varchar(3) CHARSET utf8mb4", SHARD_SMALLER, true },
    { "c varchar(3) CHARSET latin1", "c varchar(3) CHARSET utf8mb4", SHARD_APART, false },
    { "c int NOT NULL", "c int", SHARD_SMALLER, true },  /* NULL */
    { "c int", "c int DEFAULT 1", SHARD_SMALLER, true }, /* defaults */
    { "c int DEFAULT 0", "c int DEFAULT -1", SHARD_APART, false },
    { "c int DEFAULT 0, d int", "c int DEFAULT -1", SHARD_APART, false },
    { "c int, KEY k (c)", "c int", SHARD_SMALLER, true }, /* keys */
    { "c int, UNIQUE KEY k (c)", "c int", SHARD_SMALLER, true },
    { "c int, KEY k (c)", "c int, KEY l (c)", SHARD_APART, true },
    { "c int, d int, KEY k (c)", "c int, d int, KEY k (d)", SHARD_APART, true },
    { "c int, PRIMARY KEY (c)", "c int", SHARD_APART, false },
    { "c int, d int, PRIMARY KEY (c)", "c int, d int, PRIMARY KEY (d)", SHARD_APART, false },
    { "c int GENERATED ALWAYS AS (1) VIRTUAL", "c int GENERATED ALWAYS AS (2) VIRTUAL", SHARD_APART,
      false },
    { "c int NOT NULL, d int", "c bigint NOT NULL", SHARD_APART, true }, /* each in something */
};

static enum shard_order turned(enum shard_order o)
{
    return o == SHARD_SMALLER ? SHARD_LARGER : o == SHARD_LARGER ? SHARD_SMALLER : o;
}

static void check(const char *ta, const char *tb, enum shard_order order, bool joins)
{
    SCOPED(shard_table_fini) struct shard_table a, b, j;
    SCOPED(freep) char *ca = NULL, *cb = NULL;
    struct err err = ERR_INIT;
    int rc;

    cr_assert_gt(asprintf(&ca, "CREATE TABLE t (%s) DEFAULT CHARSET=utf8mb4", ta), 0);
    cr_assert_gt(asprintf(&cb, "CREATE TABLE t (%s) DEFAULT CHARSET=utf8mb4", tb), 0);
    parsed(ca, &a);
    parsed(cb, &b);

    cr_expect_eq(shard_table_compare(&a, &b), order, "(%s) and (%s): %d", ta, tb,
                 shard_table_compare(&a, &b));
    rc = shard_table_join(&a, &b, &j, &err);
    cr_expect_eq(rc == 0, joins, "(%s) and (%s): %s", ta, tb, err.text);
    cr_expect(rc == 0 || err.text[0], "no reason");
    if (rc == 0) {
        enum shard_order ja = shard_table_compare(&a, &j), jb = shard_table_compare(&b, &j);

        cr_expect(ja == SHARD_EQUAL || ja == SHARD_SMALLER, "(%s) is not in the join", ta);
        cr_expect(jb == SHARD_EQUAL || jb == SHARD_SMALLER, "(%s) is not in the join", tb);
    }
}

Test(shard_table, orders_and_joins)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check(rows[i].a, rows[i].b, rows[i].order, rows[i].joins);
        check(rows[i].b, rows[i].a, turned(rows[i].order), rows[i].joins);
    }
}
