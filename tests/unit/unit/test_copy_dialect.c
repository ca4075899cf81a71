#include <criterion/criterion.h>
#include <errno.h>

#include "unit/copy/copy_dialect.h"

static const struct server_kind mariadb = { FLAVOR_MARIADB, 101119 },
                                mysql = { FLAVOR_MYSQL, 90700 };
static struct buf text;
static struct err err;

static int translate(const char *create, struct server_kind from, struct server_kind to)
{
    buf_clear(&text);
    return copy_dialect_create(create, from, to, &text, &err);
}

static void becomes(const char *create, struct server_kind from, struct server_kind to,
                    const char *expected)
{
    cr_assert_eq(translate(create, from, to), 0, "%s", err.text);
    cr_assert_str_eq(text.data, expected);
}

Test(copy_dialect, same_server_is_unchanged)
{
    const char *create = "CREATE TABLE `t` (\n  `a` uuid DEFAULT uuid(),\n  KEY `k` (`a`) IGNORED\n"
                         ") ENGINE=Aria PAGE_CHECKSUM=1 COLLATE=utf8mb4_uca1400_ai_ci";

    becomes(create, mariadb, mariadb, create);
}

Test(copy_dialect, mariadb_types_options_and_collations_go)
{
    becomes("CREATE TABLE `t` (\n"
            "  `uuid` uuid NOT NULL DEFAULT uuid(),\n"
            "  `c` varchar(10) COLLATE utf8mb4_uca1400_ai_ci DEFAULT 'it''s uuid',\n"
            "  KEY `k` (`c`) IGNORED\n"
            ") ENGINE=Aria AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_ai_ci "
            "PAGE_CHECKSUM=1 `PAGE_COMPRESSED`='ON' COMMENT='PAGE_CHECKSUM=1'",
            mariadb, mysql,
            "CREATE TABLE `t` (\n"
            "  `uuid` char(36) CHARACTER SET ascii NOT NULL DEFAULT (uuid()),\n"
            "  `c` varchar(10) COLLATE utf8mb4_0900_ai_ci DEFAULT 'it''s uuid',\n"
            "  KEY `k` (`c`) INVISIBLE\n"
            ") ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci "
            "  COMMENT='PAGE_CHECKSUM=1'");
}

Test(copy_dialect, defaults_get_parentheses_where_mysql_wants_them)
{
    becomes("CREATE TABLE `t` (\n"
            "  `a` text DEFAULT 'x',\n"
            "  `b` text DEFAULT NULL,\n"
            "  `c` datetime DEFAULT current_timestamp() ON UPDATE current_timestamp(),\n"
            "  `d` int(11) DEFAULT 5,\n"
            "  `e` varchar(9) DEFAULT concat('a',(1 + 2)),\n"
            "  `f` int(11) DEFAULT (1 + 2)\n"
            ") ENGINE=InnoDB",
            mariadb, mysql,
            "CREATE TABLE `t` (\n"
            "  `a` text DEFAULT ('x'),\n"
            "  `b` text DEFAULT NULL,\n"
            "  `c` datetime DEFAULT current_timestamp() ON UPDATE current_timestamp(),\n"
            "  `d` int(11) DEFAULT 5,\n"
            "  `e` varchar(9) DEFAULT (concat('a',(1 + 2))),\n"
            "  `f` int(11) DEFAULT (1 + 2)\n"
            ") ENGINE=InnoDB");
}

Test(copy_dialect, names_of_checks_go_since_mysql_wants_them_unique_in_a_schema)
{
    becomes("CREATE TABLE `t` (\n  `a` int(11),\n  CONSTRAINT `CONSTRAINT_1` CHECK (`a` > 0),\n"
            "  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `u` (`a`)\n) ENGINE=InnoDB",
            mariadb, mysql,
            "CREATE TABLE `t` (\n  `a` int(11),\n  CHECK (`a` > 0),\n"
            "  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `u` (`a`)\n) ENGINE=InnoDB");
}

Test(copy_dialect, mysql_comments_that_mariadb_skips_are_written_out)
{
    becomes("CREATE TABLE `t` (\n"
            "  `a` int NOT NULL /*!80023 INVISIBLE */,\n"
            "  `p` point NOT NULL /*!80003 SRID 4326 */,\n"
            "  `j` json DEFAULT (json_array()),\n"
            "  KEY `k` (`a`) /*!80000 INVISIBLE */\n"
            ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci",
            mysql, mariadb,
            "CREATE TABLE `t` (\n"
            "  `a` int NOT NULL INVISIBLE,\n"
            "  `p` point NOT NULL /*!80003 SRID 4326 */,\n"
            "  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT (json_array()),\n"
            "  KEY `k` (`a`) IGNORED\n"
            ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_nopad_ai_ci");
}

Test(copy_dialect, what_has_no_counterpart_is_refused_by_name)
{
    static const struct {
        const char *create, *word;
        bool from_mysql;
    } rows[] = {
        { "CREATE TABLE `t` (\n  `a` int(11)\n) ENGINE=InnoDB WITH SYSTEM VERSIONING",
          "versioning" },
        { "CREATE TABLE `t` (\n  `a` date,\n  PERIOD FOR `p` (`a`, `b`)\n) ENGINE=InnoDB",
          "period" },
        { "CREATE TABLE `t` (\n  `a` int DEFAULT nextval(`d`.`s`)\n) ENGINE=InnoDB", "sequence" },
        { "CREATE TABLE `t` (\n  `a` int,\n  KEY `k` ((`a` + 1))\n) ENGINE=InnoDB", "expression",
          true },
        { "CREATE TABLE `t` (\n  `a` vector(3)\n) ENGINE=InnoDB", "vector", true },
        { "CREATE TABLE `t` (\n  `a` int,\n  CONSTRAINT `c` CHECK ((`a` > 1)) /*!80016 NOT "
          "ENFORCED */\n"
          ") ENGINE=InnoDB",
          "enforced", true },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int rc = translate(rows[i].create, rows[i].from_mysql ? mysql : mariadb,
                           rows[i].from_mysql ? mariadb : mysql);

        cr_assert_eq(rc, -ENOTSUP, "row %zu was taken: %s", i, text.data);
        cr_assert(strstr(err.text, rows[i].word), "%s", err.text);
    }
}

Test(copy_dialect, a_check_with_two_parentheses_is_no_functional_key)
{
    const char *create = "CREATE TABLE `t` (\n  `a` int,\n  CONSTRAINT `c` CHECK ((`a` > 1))\n"
                         ") ENGINE=InnoDB";

    becomes(create, mysql, mariadb, create);
}
