#include "route/alter.h"

#include <criterion/criterion.h>

#include "base/mem.h"
#include "base/scope.h"

static const char *const names[ALTER_N_KINDS] = {
    [ALTER_OTHER] = "other",
    [ALTER_HOW] = "how",
    [ALTER_ADD_COLUMN] = "add",
    [ALTER_DROP_COLUMN] = "drop",
    [ALTER_MODIFY_COLUMN] = "modify",
    [ALTER_CHANGE_COLUMN] = "change",
    [ALTER_RENAME_COLUMN] = "rename",
    [ALTER_SET_DEFAULT] = "set default",
    [ALTER_DROP_DEFAULT] = "drop default",
    [ALTER_ADD_INDEX] = "add index",
    [ALTER_ADD_UNIQUE] = "add unique",
    [ALTER_ADD_PRIMARY] = "add primary",
    [ALTER_ADD_FOREIGN] = "add foreign",
    [ALTER_ADD_CHECK] = "add check",
    [ALTER_DROP_INDEX] = "drop index",
    [ALTER_DROP_PRIMARY] = "drop primary",
    [ALTER_DROP_FOREIGN] = "drop foreign",
    [ALTER_DROP_CHECK] = "drop check",
    [ALTER_CHECK] = "check",
    [ALTER_RENAME_INDEX] = "rename index",
    [ALTER_INDEX_VISIBILITY] = "visibility",
    [ALTER_RENAME_TABLE] = "rename table",
    [ALTER_ENGINE] = "engine",
    [ALTER_CHARSET] = "charset",
    [ALTER_COMMENT] = "comment",
    [ALTER_AUTO_INCREMENT] = "auto_increment",
    [ALTER_ADD_PARTITION] = "add partition",
    [ALTER_DROP_PARTITION] = "drop partition",
    [ALTER_TRUNCATE_PARTITION] = "truncate partition",
    [ALTER_EXCHANGE_PARTITION] = "exchange",
    [ALTER_REORGANIZE_PARTITION] = "reorganize",
    [ALTER_REBUILD_PARTITION] = "rebuild",
    [ALTER_COALESCE_PARTITION] = "coalesce",
    [ALTER_PARTITION_BY] = "partition by",
    [ALTER_REMOVE_PARTITIONING] = "remove partitioning",
};

static void scan(const char *sql, struct arena *arena, struct alter *ret)
{
    struct ddl d;

    ddl_scan(slice_str(sql), false, false, arena, &d);
    alter_scan(slice_str(sql), &d, false, false, arena, ret);
}

/* "add a; drop b; change c>d [order]" */
static char *text_of(const char *sql)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct buf b = BUF_INIT;
    struct alter a;

    scan(sql, &arena, &a);
    for (unsigned i = 0; i < a.n_clauses; i++) {
        const struct alter_clause *c = &a.clauses[i];

        buf_printf(&b, "%s%s", i ? "; " : "", names[c->kind]);
        if (c->name.size)
            buf_printf(&b, " %.*s", SLICE_ARG(c->name));
        if (c->to.size)
            buf_printf(&b, ">%.*s", SLICE_ARG(c->to));
        buf_printf(&b, "%s%s%s%s%s", c->has_default ? " +default" : "",
                   c->has_charset ? " +charset" : "", c->has_collate ? " +collate" : "",
                   c->has_place ? " +place" : "", c->has_auto_increment ? " +auto" : "");
    }
    if (a.in_comment)
        buf_str(&b, " comment");
    return buf_steal(&b);
}

Test(alter, tells_clauses_apart)
{
    static const struct {
        const char *sql, *want;
    } rows[] = {
        { "ALTER TABLE t ADD c INT", "add c" },
        { "alter table a.t add column `c,d` int default 1 after x, drop y",
          "add c,d +default +place; drop y" },
        { "ALTER TABLE t ADD COLUMN IF NOT EXISTS c DECIMAL(10,2), ADD (a INT, b INT)",
          "add c; add" },
        { "ALTER IGNORE TABLE t WAIT 5 DROP COLUMN c, ALGORITHM=INPLACE, LOCK=NONE",
          "drop c; how; how" },
        { "ALTER TABLE t MODIFY c VARCHAR(20) CHARACTER SET utf8 COLLATE utf8_bin FIRST",
          "modify c +charset +collate +place" },
        { "ALTER TABLE t CHANGE COLUMN a b INT, RENAME COLUMN x TO y, RENAME INDEX i TO k",
          "change a>b; rename x>y; rename index i>k" },
        { "ALTER TABLE t RENAME TO u, RENAME AS v", "rename table; rename table" },
        { "ALTER TABLE t ADD UNIQUE KEY u (a, b), ADD CONSTRAINT p PRIMARY KEY (id), ADD "
          "CONSTRAINT "
          "FOREIGN KEY (x) REFERENCES y (z), ADD FULLTEXT (q), ADD CHECK (a > 1)",
          "add unique; add primary; add foreign; add index; add check" },
        { "ALTER TABLE t DROP PRIMARY KEY, DROP KEY `k`, DROP FOREIGN KEY f, DROP CONSTRAINT c",
          "drop primary; drop index k; drop foreign; drop check c" },
        { "ALTER TABLE t ALTER c SET DEFAULT 5, ALTER COLUMN d DROP DEFAULT, ALTER INDEX i "
          "INVISIBLE",
          "set default c; drop default d; visibility i" },
        { "ALTER TABLE t ENGINE=InnoDB COMMENT='a, b'", "engine" },
        { "ALTER TABLE t DEFAULT CHARSET utf8mb4, CONVERT TO CHARACTER SET latin1, COMMENT 'x'",
          "charset; charset; comment" },
        { "ALTER TABLE t AUTO_INCREMENT=7, ADD id INT AUTO_INCREMENT PRIMARY KEY",
          "auto_increment; add id +auto" },
        { "ALTER TABLE t ORDER BY a, b", "other" },
        { "ALTER TABLE t PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (1), PARTITION q "
          "VALUES "
          "LESS THAN MAXVALUE)",
          "partition by" },
        { "ALTER TABLE t ADD PARTITION (PARTITION p VALUES LESS THAN (9))", "add partition" },
        { "ALTER TABLE t DROP PARTITION p, q", "drop partition" },
        { "ALTER TABLE t REMOVE PARTITIONING", "remove partitioning" },
        { "ALTER TABLE t ADD period INT, ADD system INT", "add period; add system" },
        { "ALTER TABLE t ADD PERIOD FOR SYSTEM_TIME(a, b)", "other" },
        { "ALTER TABLE t ADD `index` INT /* , DROP x */, DROP `primary`",
          "add index; drop primary" },
        { "ALTER TABLE t ADD a INT /*!80000 , DROP b */", "add a; drop b comment" },
        { "ALTER TABLE t", "" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(freep) char *got = text_of(rows[i].sql);

        cr_expect_str_eq(got, rows[i].want, "\n  %s\n  got  %s\n  want %s", rows[i].sql, got,
                         rows[i].want);
    }
}

Test(alter, clauses_are_taken_out_and_the_rest_stays_as_written)
{
    static const char sql[] = "ALTER TABLE `a`.`t`  ADD a INT,DROP b , MODIFY c TEXT -- end";
    static const struct {
        bool drop[3];
        const char *want;
    } rows[] = {
        { { true, false, false }, "ALTER TABLE `a`.`t`  DROP b, MODIFY c TEXT -- end" },
        { { false, true, false }, "ALTER TABLE `a`.`t`  ADD a INT, MODIFY c TEXT -- end" },
        { { false, true, true }, "ALTER TABLE `a`.`t`  ADD a INT -- end" },
    };
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct alter a;

    scan(sql, &arena, &a);
    cr_assert_eq(a.n_clauses, 3);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(buf_fini) struct buf out = BUF_INIT;

        alter_without(slice_str(sql), &a, rows[i].drop, &out);
        buf_byte(&out, '\0');
        cr_expect_str_eq((const char *)out.data, rows[i].want);
    }
}
