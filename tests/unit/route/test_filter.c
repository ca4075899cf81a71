#include "route/filter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"

/* A rule for shop.*, by its words and one expression (NULL: none). */
static struct filter *filter_of(const char *schema, const char *const *events, const char *pattern)
{
    const char *const patterns[] = { pattern };
    struct filter_rule rule = { .name = "r",
                                .schema = schema,
                                .table = "*",
                                .events = events,
                                .patterns = patterns,
                                .n_patterns = pattern != NULL };
    struct filter *f = NULL;
    struct err err = ERR_INIT;

    while (events && events[rule.n_events])
        rule.n_events++;
    cr_assert_eq(filter_new(&rule, 1, true, &f, &err), 0, "%s", err.text);
    return f;
}

static bool column(void *arg, struct slice name, struct slice *type, bool *auto_increment)
{
    (void)arg;
    if (!slice_eq(name, slice_str("c")))
        return false;
    *type = slice_str("varchar(20)");
    *auto_increment = true;
    return true;
}

static bool is_unique(void *arg, struct slice index)
{
    (void)arg;
    return slice_eq(index, slice_str("u"));
}

/* "keep", "ignore", "tangle", or what is left of the statement.  The caller frees. */
static char *judged(const struct filter *f, const char *sql)
{
    static const char *const words[] = {
        [FILTER_KEEP] = "keep", [FILTER_IGNORE] = "ignore", [FILTER_TANGLE] = "tangle"
    };
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    SCOPED(buf_fini) struct buf rest = BUF_INIT;
    struct ddl d;
    struct filter_statement st = { .sql = slice_str(sql),
                                   .ddl = &d,
                                   .schema = "shop",
                                   .table = "t",
                                   .column = column,
                                   .is_unique = is_unique };
    enum filter_verdict v;

    ddl_scan(st.sql, false, false, &arena, &d);
    v = filter_ddl(f, &st, &arena, &rest);
    return v == FILTER_PART ? buf_steal(&rest) : xstrdup(words[v]);
}

static void expect(const struct filter *f, const char *sql, const char *want)
{
    SCOPED(freep) char *got = judged(f, sql);

    cr_expect_str_eq(got, want, "\n  %s\n  got  %s\n  want %s", sql, got, want);
}

/* A filter with these words. */
#define WITH(...) filter_of("shop", (const char *const[]){ __VA_ARGS__, NULL }, NULL)

Test(filter, kinds_of_row_changes_are_told_once_a_table)
{
    static const struct {
        const char *words[3];
        unsigned want;
    } rows[] = {
        { { "insert" }, FILTER_ROWS_INSERT },
        { { "Delete", "update" }, FILTER_ROWS_DELETE | FILTER_ROWS_UPDATE },
        { { "all dml" }, FILTER_ROWS_ALL },
        { { "all" }, FILTER_ROWS_ALL },
        { { "all ddl" }, 0 },
        { { "none" }, 0 },
        { { "none dml", "all" }, 0 },
        { { "all", "none dml" }, FILTER_ROWS_ALL },
        { { "drop table" }, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct filter *f = filter_of(
            "shop", (const char *const[]){ rows[i].words[0], rows[i].words[1], NULL }, NULL);

        cr_expect_eq(filter_rows(f, "SHOP", "t"), rows[i].want, "row %zu", i);
        cr_expect_eq(filter_rows(f, "other", "t"), 0);
        filter_free(f);
    }
    cr_assert_eq(filter_rows(NULL, "shop", "t"), 0);
}

Test(filter, statements_are_told_by_their_class)
{
    static const struct {
        const char *word, *sql, *want;
    } rows[] = {
        { "drop table", "DROP TABLE t", "ignore" },
        { "drop table", "TRUNCATE TABLE t", "keep" },
        { "truncate table", "TRUNCATE t", "ignore" },
        { "create index", "CREATE UNIQUE INDEX i ON t (a)", "ignore" },
        { "drop index", "ALTER TABLE t DROP INDEX i", "ignore" },
        { "drop unique key", "ALTER TABLE t DROP INDEX i", "keep" },
        { "drop unique key", "ALTER TABLE t DROP INDEX u", "ignore" },
        { "create table", "CREATE TABLE t LIKE u", "ignore" },
        { "create schema", "CREATE DATABASE shop", "ignore" },
        { "rename table", "RENAME TABLE t TO u", "ignore" },
        { "rename table", "ALTER TABLE t RENAME u", "ignore" },
        { "all ddl", "ALTER TABLE t ADD a INT", "ignore" },
        { "all ddl", "XA END 'x'", "keep" },
        { "all dml", "ALTER TABLE t ADD a INT", "keep" },
        { "alter table", "ALTER TABLE t ADD a INT, DROP b", "ignore" },
        { "recover table", "ALTER TABLE t ADD a INT", "keep" },
        { "multi schema change", "ALTER TABLE t ADD a INT", "keep" },
        { "multi schema change", "ALTER TABLE t ADD a INT, DROP b", "ignore" },
        { "remove auto increment", "ALTER TABLE t MODIFY c VARCHAR(20) AUTO_INCREMENT", "keep" },
        { "remove auto increment", "ALTER TABLE t MODIFY c VARCHAR(20)", "ignore" },
        { "value range decrease", "ALTER TABLE t MODIFY c VARCHAR(10)", "ignore" },
        { "value range decrease", "ALTER TABLE t MODIFY c VARCHAR(30)", "keep" },
        { "value range decrease", "ALTER TABLE t MODIFY x VARCHAR(1)", "keep" },
        { "rename column", "ALTER TABLE t CHANGE c C VARCHAR(20)", "keep" },
        { "rename column", "ALTER TABLE t CHANGE c d VARCHAR(20)", "ignore" },
        { "modify columns order", "ALTER TABLE t MODIFY c VARCHAR(20) AFTER a", "ignore" },
        { "incompatible ddl changes", "ALTER TABLE t ADD COLUMN a INT", "keep" },
        { "incompatible ddl changes", "ALTER TABLE t DROP COLUMN a", "ignore" },
        { "incompatible ddl changes", "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u", "ignore" },
        { "incompatible ddl changes", "ALTER TABLE t ADD a INT, DROP b, ENGINE=MyISAM",
          "ALTER TABLE t ADD a INT" },
        { "drop column", "ALTER TABLE t ADD a INT, DROP b, ALGORITHM=COPY",
          "ALTER TABLE t ADD a INT, ALGORITHM=COPY" },
        { "drop column", "ALTER TABLE t DROP b, LOCK=NONE", "ignore" },
        { "drop column", "ALTER TABLE t ADD a INT /*!80000 , DROP b */", "tangle" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct filter *f = WITH(rows[i].word);

        expect(f, rows[i].sql, rows[i].want);
        filter_free(f);
    }
}

Test(filter, expressions_see_what_was_logged_and_what_dm_prints)
{
    static const struct {
        const char *schema, *pattern, *sql, *want;
    } rows[] = {
        { "shop", "alter table .* add column `aaa` int", "alter table t add aaa int", "ignore" },
        { "shop", "alter table .* add column `aaa` int", "ALTER  TABLE shop.t ADD COLUMN bbb INT",
          "keep" },
        { "shop", "alter table .* add column `aaa` int", "ALTER TABLE t ADD bbb INT, ADD aaa INT",
          "ALTER TABLE t ADD bbb INT" },
        { "shop", "add column aaa", "alter table t add column aaa int", "ignore" },
        { "shop", "^DROP TABLE IF EXISTS `shop`\\.`t`$", "drop  table if exists\n t", "ignore" },
        { "shop", "^TRUNCATE\\s+TABLE", "TRUNCATE TABLE t", "ignore" },
        { "shop", "DECIMAL\\(10,2\\)", "ALTER TABLE t ADD c DECIMAL( 10 , 2 )", "ignore" },
        { "shop", "ADD a.*DROP b", "ALTER TABLE t ADD a INT, DROP b", "keep" },
        { "*", "ADD a.*DROP b", "ALTER TABLE t ADD a INT, DROP b", "ignore" },
        { "*", "^CREATE EVENT", "create event e on schedule every 1 day do select 1", "ignore" },
        { "other", "TRUNCATE", "TRUNCATE TABLE t", "keep" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct filter *f = filter_of(rows[i].schema, NULL, rows[i].pattern);

        expect(f, rows[i].sql, rows[i].want);
        filter_free(f);
    }
}

Test(filter, a_word_or_an_expression_that_is_none_is_refused_with_a_sentence)
{
    const char *const events[] = { "upsert" }, *const patterns[] = { "a(b" };
    struct filter_rule bad[] = {
        { .name = "one", .schema = "*", .events = events, .n_events = 1 },
        { .name = "two", .schema = "*", .patterns = patterns, .n_patterns = 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = ERR_INIT;

        cr_assert_eq(filter_check(&bad[i], &err), -EINVAL);
        cr_assert(strstr(err.text, bad[i].name), "%s", err.text);
    }
}
