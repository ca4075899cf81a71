#include "route/shard_group.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "shard_story.h"

#define STEPS 12

struct row {
    const char *name;
    struct {
        unsigned shard;
        const char *edit;
        char verdict;
    } steps[STEPS];
    char end;
    unsigned n;         /* shards; 0: two */
    const char *create; /* NULL: the usual one */
};

static const char usual[] = "CREATE TABLE t (id int NOT NULL ;; a int DEFAULT NULL ;; "
                            "b int DEFAULT NULL ;; PRIMARY KEY p (id))";

static void run(enum shard_mode mode, const struct row *row)
{
    struct story s;

    story_init(&s, mode, row->n ? row->n : 2, row->create ? row->create : usual);
    for (unsigned i = 0; i < STEPS && row->steps[i].edit; i++) {
        char letter = step(&s, row->steps[i].shard - 1, row->steps[i].edit);

        cr_expect_eq(letter, row->steps[i].verdict, "%s: step %u, %s: %c and not %c", row->name,
                     i + 1, row->steps[i].edit, letter, row->steps[i].verdict);
    }
    cr_expect_eq(end_of(&s), row->end, "%s: it ends %c and not %c (ran %s)", row->name, end_of(&s),
                 row->end, s.ran);
    story_fini(&s);
}

/* DM's own cases of shards, by their numbers (tests/shardddl1 to 4_1), merged pessimistically. */
static const struct row pessimistic[] = {
    { "002-010, 030: the same ADD everywhere",
      { { 1, "+ c int", 'W' }, { 2, "+ c int", 'W' }, { 3, "+ c int", 'R' } },
      '=',
      .n = 3 },
    { "003: one shard alone", { { 1, "+ c int", 'W' } }, 'w' },
    { "010: several, in the same order, one shard ahead",
      { { 1, "+ c int", 'W' },
        { 1, "+ d int", 'q' },
        { 2, "+ c int", 'R' },
        { 2, "+ d int", 'R' } },
      '=' },
    { "011: INT and FLOAT", { { 1, "+ c int", 'W' }, { 2, "+ c float", 'C' } }, 'c' },
    { "012, 014: two in opposite order", { { 1, "+ c int", 'W' }, { 2, "+ d int", 'C' } }, 'c' },
    { "031: INT and VARCHAR", { { 1, "+ c int", 'W' }, { 2, "+ c varchar(5)", 'C' } }, 'c' },
    { "033: NOT NULL everywhere",
      { { 1, "+ c int NOT NULL", 'W' }, { 2, "+ c int NOT NULL", 'R' } },
      '=' },
    { "037: other defaults",
      { { 1, "+ c int DEFAULT 0", 'W' }, { 2, "+ c int DEFAULT -1", 'C' } },
      'c' },
    { "040: utf8 and utf8mb4",
      { { 1, "+ c char(1) CHARSET utf8", 'W' }, { 2, "+ c char(1) CHARSET utf8mb4", 'C' } },
      'c' },
    { "043: other expressions",
      { { 1, "+ c int AS (a + 1)", 'W' }, { 2, "+ c int AS (a + 2)", 'C' } },
      'c' },
    { "046-048: DROP COLUMN", { { 1, "- a", 'W' }, { 2, "- a", 'R' } }, '=' },
    { "049: CHANGE a to c", { { 1, "~ a c int", 'W' }, { 2, "~ a c int", 'R' } }, '=' },
    { "050: a to c, a to d", { { 1, "~ a c int", 'W' }, { 2, "~ a d int", 'C' } }, 'c' },
    { "051: a to c, b to c", { { 1, "~ a c int", 'W' }, { 2, "~ b c int", 'C' } }, 'c' },
    { "062: MODIFY bigint", { { 1, "! a bigint", 'W' }, { 2, "! a bigint", 'R' } }, '=' },
    { "063: mediumint and bigint", { { 1, "! a mediumint", 'W' }, { 2, "! a bigint", 'C' } }, 'c' },
    { "067: MODIFY with other defaults",
      { { 1, "! a int DEFAULT 1", 'W' }, { 2, "! a int DEFAULT 2", 'C' } },
      'c' },
    { "076, 078: a single source of one table", { { 1, "+ KEY k (a)", 'R' } }, '=', .n = 1 },
    { "080-082: unique indexes",
      { { 1, "+ UNIQUE KEY u (a)", 'W' }, { 2, "+ UNIQUE KEY u (a)", 'R' } },
      '=' },
    { "086: mixed visibility",
      { { 1, "= ALTER INDEX k VISIBLE", 'W' }, { 2, "= ALTER INDEX k INVISIBLE", 'C' } },
      'c' },
    { "103: add, drop, change in the same order",
      { { 1, "+ c int", 'W' },
        { 1, "- a", 'q' },
        { 1, "~ b d int", 'q' },
        { 2, "+ c int", 'R' },
        { 2, "- a", 'R' },
        { 2, "~ b d int", 'R' } },
      '=' },
    { "113-123: several clauses",
      { { 1, "+ c int ; - a", 'W' }, { 2, "+ c int ; - a", 'R' } },
      '=' },
    { "142: ADD PARTITION", { { 1, "= ADD PARTITION", 'W' }, { 2, "= ADD PARTITION", 'R' } }, '=' },
    { "150: blocked, then equal", { { 1, "! a smallint", 'W' }, { 2, "! a smallint", 'R' } }, '=' },
    { "letter case and blanks do not count",
      { { 1, "+ c int", 'W' }, { 2, "+  C INT", 'R' } },
      '=' },
};

Test(shard_group, pessimistic_outcomes)
{
    for (size_t i = 0; i < sizeof pessimistic / sizeof *pessimistic; i++)
        run(SHARD_PESSIMISTIC, &pessimistic[i]);
}

static const char keyed[] =
    "CREATE TABLE t (id int NOT NULL ;; a int DEFAULT NULL ;; b int DEFAULT "
    "NULL ;; PRIMARY KEY p (id) ;; KEY ka (a) ;; UNIQUE KEY ub (b))";
static const char texts[] =
    "CREATE TABLE t (id int NOT NULL ;; a varchar(10) DEFAULT NULL ;; b int "
    "DEFAULT NULL ;; PRIMARY KEY p (id))";

/* ... and in the optimistic one. */
static const struct row optimistic[] = {
    { "004, 013, 030: the same ADD everywhere",
      { { 1, "+ c int", 'R' }, { 2, "+ c int", 'P' }, { 3, "+ c int", 'P' } },
      '=',
      .n = 3 },
    { "012, 014: two in opposite order",
      { { 1, "+ c int", 'R' },
        { 1, "+ d int", 'R' },
        { 2, "+ d int", 'P' },
        { 2, "+ c int", 'P' } },
      '=' },
    { "031: INT and VARCHAR", { { 1, "+ c int", 'R' }, { 2, "+ c varchar(5)", 'C' } }, 'c' },
    { "011: INT and FLOAT", { { 1, "+ c int", 'R' }, { 2, "+ c float", 'C' } }, 'c' },
    { "032: add, drop, add another",
      { { 1, "+ c int", 'R' }, { 1, "- c", 'R' }, { 1, "+ d int", 'R' }, { 2, "+ d int", 'P' } },
      '=' },
    { "034: UNIQUE AUTO_INCREMENT waits for all",
      { { 1, "+ c int NOT NULL AUTO_INCREMENT ; + UNIQUE KEY c (c)", 'W' } },
      'w' },
    { "035, 104: two ADDs NOT NULL DEFAULT, in other order",
      { { 1, "+ c int NOT NULL DEFAULT 1 ; + d int NOT NULL DEFAULT 2", 'R' },
        { 2, "+ d int NOT NULL DEFAULT 2 ; + c int NOT NULL DEFAULT 1", 'P' },
        { 3, "+ c int NOT NULL DEFAULT 1", 'P' },
        { 3, "+ d int NOT NULL DEFAULT 2", 'P' } },
      '=',
      .n = 3 },
    { "037: other defaults",
      { { 1, "+ c int DEFAULT 0", 'R' }, { 2, "+ c int DEFAULT -1", 'C' } },
      'c' },
    { "039: utf8 everywhere",
      { { 1, "+ c char(1) CHARSET utf8", 'R' }, { 2, "+ c char(1) CHARSET utf8", 'P' } },
      '=' },
    { "040: utf8 and utf8mb4: the target gets the wider one",
      { { 1, "+ c char(1) CHARSET utf8mb4", 'R' }, { 2, "+ c char(1) CHARSET utf8", 'P' } },
      'o' },
    { "041: equal expressions",
      { { 1, "+ c int AS (a + 1)", 'R' }, { 2, "+ c int AS (a + 1)", 'P' } },
      '=' },
    { "043: other expressions",
      { { 1, "+ c int AS (a + 1)", 'R' }, { 2, "+ c int AS (a + 2)", 'C' } },
      'c' },
    { "046-048: DROP COLUMN: the last one counts",
      { { 1, "- a", 'P' }, { 2, "- a", 'P' }, { 3, "- a", 'R' } },
      '=',
      .n = 3 },
    { "049: CHANGE a to c: all but the last wait and are released",
      { { 1, "~ a c int", 'W' }, { 2, "~ a c int", 'W' }, { 3, "~ a c int", 'R' } },
      '=',
      .n = 3 },
    { "050: a to c, a to d", { { 1, "~ a c int", 'W' }, { 2, "~ a d int", 'C' } }, 'c' },
    { "051: a to c, b to c", { { 1, "~ a c int", 'W' }, { 2, "~ b c int", 'C' } }, 'c' },
    { "056, 065: other positions",
      { { 1, "~ a c int", 'W' }, { 2, "~ a c int COMMENT 'first'", 'R' } },
      '=' },
    { "058: CHANGE with other defaults",
      { { 1, "~ a c int DEFAULT 1", 'W' }, { 2, "~ a c int DEFAULT 2", 'C' } },
      'c' },
    { "059: CHANGE with the same default",
      { { 1, "~ a c int DEFAULT 1", 'W' }, { 2, "~ a c int DEFAULT 1", 'R' } },
      '=' },
    { "066, 068: MODIFY with the same default",
      { { 1, "! a int DEFAULT 1", 'R' }, { 2, "! a int DEFAULT 1", 'P' } },
      '=' },
    { "062, 064: MODIFY bigint", { { 1, "! a bigint", 'R' }, { 2, "! a bigint", 'P' } }, '=' },
    { "063: mediumint and bigint", { { 1, "! a mediumint", 'P' }, { 2, "! a bigint", 'R' } }, 'o' },
    { "067: MODIFY with other defaults",
      { { 1, "! a int DEFAULT 1", 'R' }, { 2, "! a int DEFAULT 2", 'C' } },
      'c' },
    { "071, 139: what does not count is run for each",
      { { 1, "= ENGINE=InnoDB", 'R' }, { 2, "= ENGINE=InnoDB", 'R' } },
      '=' },
    { "073: CONVERT TO",
      { { 1, "! a varchar(10) CHARSET utf8mb4 DEFAULT NULL", 'W' },
        { 2, "! a varchar(10) CHARSET utf8mb4 DEFAULT NULL", 'R' } },
      '=',
      .create = texts },
    { "076, 078: a primary key of a single table",
      { { 1, "- p ; + PRIMARY KEY p (a)", 'R' } },
      '=',
      .n = 1 },
    { "085, 086: visibility does not count",
      { { 1, "= ALTER INDEX ka VISIBLE", 'R' }, { 2, "= ALTER INDEX ka INVISIBLE", 'R' } },
      '=',
      .create = keyed },
    { "103: add, drop, change, one after the other",
      { { 1, "+ c int", 'R' },
        { 1, "- a", 'P' },
        { 2, "- a", 'R' },
        { 2, "+ c int", 'P' },
        { 1, "~ b d int", 'W' },
        { 2, "~ b d int", 'R' } },
      '=' },
    { "105, 106: two indexes in other order",
      { { 1, "+ KEY k (a)", 'P' },
        { 1, "+ KEY l (b)", 'P' },
        { 2, "+ KEY l (b)", 'R' },
        { 2, "+ KEY k (a)", 'R' } },
      '=' },
    { "105, 106: ... dropped",
      { { 1, "- ka", 'R' }, { 1, "- ub", 'R' }, { 2, "- ub", 'P' }, { 2, "- ka", 'P' } },
      '=',
      .create = keyed },
    { "107: NOT NULL without a default waits for all",
      { { 1, "+ c int NOT NULL", 'W' }, { 2, "+ c int NOT NULL", 'R' } },
      '=' },
    { "108: decimals", { { 1, "+ c decimal(5,2)", 'R' }, { 2, "+ c decimal(6,2)", 'C' } }, 'c' },
    { "111: zerofill",
      { { 1, "+ c int unsigned zerofill", 'R' }, { 2, "+ c int unsigned", 'C' } },
      'c' },
    { "112: unsigned", { { 1, "+ c int unsigned", 'R' }, { 2, "+ c int", 'C' } }, 'c' },
    { "109, 110: ADD varchar of other lengths",
      { { 1, "+ c varchar(3)", 'R' }, { 2, "+ c varchar(4)", 'C' }, { 3, "+ c varchar(5)", 'C' } },
      'c',
      .n = 3 },
    { "113: several columns",
      { { 1, "+ c int ; + d int", 'R' }, { 2, "+ c int ; + d int", 'P' } },
      '=' },
    { "114, 115: add two, drop two",
      { { 1, "+ c int ; + d int", 'R' },
        { 2, "+ c int ; + d int", 'P' },
        { 1, "- c ; - d", 'P' },
        { 2, "- c ; - d", 'R' } },
      '=' },
    { "116, 118, 120: add and drop in one: the first adds, the last drops",
      { { 1, "+ c int ; - a", 'R' }, { 2, "+ c int ; - a", 'R' } },
      '=' },
    { "122, 123, 148: indexes swapped",
      { { 1, "- ka ; + KEY kb (b)", 'R' }, { 2, "- ka ; + KEY kb (b)", 'R' } },
      '=',
      .create = keyed },
    { "117, 147, 153, 154: dropped and added again",
      { { 1, "- a", 'P' }, { 1, "+ a int", 'C' } },
      'c' },
    { "... is fine once all have dropped it",
      { { 1, "- a", 'P' }, { 1, "+ a int", 'C' }, { 2, "- a", 'R' } },
      'o' },
    { "119, 121: one name, other columns",
      { { 1, "+ KEY k (a)", 'P' }, { 2, "+ KEY k (b)", 'P' } },
      'o' },
    { "124-127: one adds and drops indexes",
      { { 1, "+ KEY k (a)", 'P' }, { 1, "- k", 'P' } },
      '=' },
    { "128: MODIFY NOT NULL: the last one counts",
      { { 1, "! a int NOT NULL", 'P' }, { 2, "! a int NOT NULL", 'R' } },
      '=' },
    { "129: MODIFY DEFAULT",
      { { 1, "! a int DEFAULT 5", 'R' }, { 2, "! a int DEFAULT 5", 'P' } },
      '=' },
    { "130: DEFAULT 0 and -1",
      { { 1, "! a int DEFAULT 0", 'R' }, { 2, "! a int DEFAULT -1", 'C' } },
      'c' },
    { "131: NOT NULL and NULL",
      { { 1, "! a int NOT NULL", 'P' },
        { 1, "! a int", 'P' },
        { 2, "! a int NOT NULL", 'P' },
        { 2, "! a int", 'P' } },
      '=' },
    { "132-134: primary keys swapped",
      { { 1, "- p ; + PRIMARY KEY p (a)", 'W' }, { 2, "- p ; + PRIMARY KEY p (a)", 'R' } },
      '=' },
    { "136, 137: another unique key",
      { { 1, "- ub", 'R' },
        { 1, "+ UNIQUE KEY ub (a,b)", 'P' },
        { 2, "- ub", 'P' },
        { 2, "+ UNIQUE KEY ub (a,b)", 'R' } },
      '=',
      .create = keyed },
    { "138: ADD and DROP UNIQUE",
      { { 1, "+ UNIQUE KEY u (a)", 'P' },
        { 2, "+ UNIQUE KEY u (a)", 'R' },
        { 1, "- u", 'R' },
        { 2, "- u", 'P' } },
      '=' },
    { "149: a wider varchar",
      { { 1, "! a varchar(20)", 'R' }, { 2, "! a varchar(20)", 'P' } },
      '=',
      .create = texts },
    { "142, 143: partitions",
      { { 1, "= ADD PARTITION", 'R' }, { 2, "= ADD PARTITION", 'R' } },
      '=' },
    { "150: a narrower varchar, one shard",
      { { 1, "! a varchar(5)", 'P' } },
      'o',
      .create = texts },
    { "150: ... then all",
      { { 1, "! a varchar(5)", 'P' }, { 2, "! a varchar(5)", 'R' } },
      '=',
      .create = texts },
    { "151: INT to DOUBLE, one shard", { { 1, "! a double", 'W' } }, 'w' },
    { "151: ... then all", { { 1, "! a double", 'W' }, { 2, "! a double", 'R' } }, '=' },
    { "155, RENAME_COLUMN: one shard at a time, and on",
      { { 1, "~ a c int", 'W' },
        { 1, "+ d int", 'q' },
        { 2, "~ a c int", 'W' },
        { 1, "~ c e int", 'q' },
        { 3, "~ a c int", 'R' },
        { 2, "+ d int", 'P' },
        { 3, "+ d int", 'P' },
        { 2, "~ c e int", 'W' },
        { 3, "~ c e int", 'R' } },
      '=',
      .n = 3 },
    { "one that is behind renames what nobody else has any more",
      { { 1, "+ c int", 'R' },
        { 1, "~ c d int", 'R' },
        { 1, "- d", 'R' },
        { 2, "+ c int", 'R' },
        { 2, "~ c d int", 'R' },
        { 3, "+ c int", 'R' },
        { 3, "~ c d int", 'W' },
        { 2, "- d", 'R' },
        { 3, "- d", 'R' } },
      '=',
      .n = 3 },
    { "SAME_DDL_TWICE",
      { { 1, "+ c int", 'R' },
        { 2, "+ c int", 'P' },
        { 1, "- c", 'P' },
        { 2, "- c", 'R' },
        { 1, "+ c int", 'R' },
        { 2, "+ c int", 'P' } },
      '=' },
    { "a conflict ends when the other gives way",
      { { 1, "+ c int", 'R' }, { 2, "+ c varchar(5)", 'C' }, { 1, "- c", 'R' } },
      'o' },
    { "CHANGE to other widths: the widest is run",
      { { 1, "~ a c varchar(30)", 'W' }, { 2, "~ a c varchar(20)", 'W' } },
      'o',
      .create = texts },
};

Test(shard_group, optimistic_outcomes)
{
    for (size_t i = 0; i < sizeof optimistic / sizeof *optimistic; i++)
        run(SHARD_OPTIMISTIC, &optimistic[i]);
}

/* --- the operator --- */

static void ordered(struct story *s, int shard_no, enum shard_word word)
{
    struct err err = ERR_INIT;
    struct shard_member *m = shard_no ? shard(s, (unsigned)shard_no - 1) : NULL;

    cr_assert_eq(shard_order(&s->group, m, word, &err), 0, "%s", err.text);
    shard_settle(&s->group);
    read_again(s);
}

Test(shard_group, exec_does_not_wait_for_those_who_are_missing)
{
    struct story s;

    story_init(&s, SHARD_PESSIMISTIC, 3, usual);
    step(&s, 0, "+ c int");
    step(&s, 1, "+ c int");

    ordered(&s, 0, SHARD_EXEC);

    cr_assert_str_eq(s.ran, "+ c int|");
    cr_assert_eq(end_of(&s), '=');
    cr_assert_eq(step(&s, 2, "+ c int"), 'P'); /* it comes late */
    cr_assert_eq(step(&s, 2, "+ d int"), 'W');
    cr_assert_eq(step(&s, 0, "+ d int"), 'W');
    cr_assert_eq(step(&s, 1, "+ d int"), 'R');
    cr_assert_eq(end_of(&s), '=');
    cr_assert_eq(s.group.n_history, 0);
    story_fini(&s);
}

Test(shard_group, one_that_is_behind_must_come_to_the_same)
{
    struct story s;

    story_init(&s, SHARD_PESSIMISTIC, 2, usual);
    step(&s, 0, "+ c int");
    ordered(&s, 0, SHARD_EXEC);

    cr_assert_eq(step(&s, 1, "+ d int"), 'C');
    cr_assert_not_null(
        strstr(shard(&s, 1)->conflict, "detect inconsistent DDL sequence from source"));
    ordered(&s, 2, SHARD_SKIP);
    cr_assert_eq(end_of(&s), '=');
    story_fini(&s);
}

Test(shard_group, skip_passes_all_without_running)
{
    struct story s;

    story_init(&s, SHARD_PESSIMISTIC, 3, usual);
    step(&s, 0, "+ c int");
    step(&s, 1, "+ c int");

    ordered(&s, 0, SHARD_SKIP);

    cr_assert_str_eq(s.ran, "");
    cr_assert_eq(end_of(&s), '=');
    cr_assert_eq(step(&s, 2, "+ c int"), 'P');
    story_fini(&s);
}

Test(shard_group, skip_of_one_that_is_different_lets_the_others_have_theirs)
{
    struct story s;

    story_init(&s, SHARD_PESSIMISTIC, 3, usual);
    step(&s, 0, "+ c int");
    cr_assert_eq(step(&s, 1, "+ c float"), 'C');
    cr_assert_not_null(strstr(shard(&s, 1)->conflict, "is different with"));

    ordered(&s, 2, SHARD_SKIP);
    cr_assert_eq(step(&s, 2, "+ c int"), 'R');

    cr_assert_str_eq(s.ran, "+ c int|");
    cr_assert_eq(end_of(&s), '=');
    story_fini(&s);
}

Test(shard_group, drop_of_a_table_that_never_comes_frees_the_others)
{
    struct story s;

    story_init(&s, SHARD_PESSIMISTIC, 3, usual);
    step(&s, 0, "+ c int");
    step(&s, 1, "+ c int");

    shard_drop(&s.group, shard(&s, 2));
    read_again(&s);

    cr_assert_str_eq(s.ran, "+ c int|");
    cr_assert_eq(end_of(&s), '=');
    story_fini(&s);
}

Test(shard_group, drop_asks_all_again)
{
    struct story s;

    story_init(&s, SHARD_PESSIMISTIC, 2, usual);
    step(&s, 0, "+ c int");
    step(&s, 1, "+ c float");

    shard_drop(&s.group, NULL);
    read_again(&s);

    cr_assert_eq(end_of(&s), 'c'); /* nothing has changed */
    story_fini(&s);
}

Test(shard_group, optimistic_words)
{
    static const struct {
        enum shard_word word;
        const char *ran;
        bool has;
    } words[] = { { SHARD_EXEC, "+ c int|+ c varchar(5)|", true },
                  { SHARD_SKIP, "+ c int|", false },
                  { SHARD_ADOPT, "+ c int|", true } };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct story s;

        story_init(&s, SHARD_OPTIMISTIC, 2, usual);
        step(&s, 0, "+ c int");
        step(&s, 1, "+ c varchar(5)");
        cr_assert(shard_locked(&s.group));

        ordered(&s, 2, words[i].word);

        cr_assert_str_eq(s.ran, words[i].ran);
        cr_assert_eq(strstr(shard(&s, 1)->now, "varchar") != NULL, words[i].has);
        cr_assert_eq(shard(&s, 1)->state, SHARD_FOLLOWS);
        story_fini(&s);
    }
}

Test(shard_group, nothing_to_resolve)
{
    struct story s;
    struct err err = ERR_INIT;

    story_init(&s, SHARD_PESSIMISTIC, 2, usual);

    cr_assert_eq(shard_order(&s.group, NULL, SHARD_EXEC, &err), -ENOENT);
    cr_assert_not_null(strstr(err.text, "no DDL lock exists"));
    cr_assert(!shard_locked(&s.group));
    story_fini(&s);
}

Test(shard_group, waits_for_sources_that_have_not_said_what_they_have)
{
    struct story s;

    story_init(&s, SHARD_PESSIMISTIC, 1, usual);
    s.group.incomplete = true;
    cr_assert_eq(step(&s, 0, "+ c int"), 'W');

    s.group.incomplete = false;
    shard_settle(&s.group);
    read_again(&s);

    cr_assert_str_eq(s.ran, "+ c int|");
    story_fini(&s);
}

Test(shard_group, one_at_a_time)
{
    struct story s;
    struct err why = ERR_INIT;

    story_init(&s, SHARD_OPTIMISTIC, 2, usual);
    s.group.runner = xstrdup("s1/d/t1");

    cr_assert_eq(shard_ask(&s.group, shard(&s, 0), "x", NULL, &why), SHARD_RUN);
    cr_assert_eq(shard_ask(&s.group, shard(&s, 1), "x", NULL, &why), SHARD_WAIT);
    story_fini(&s);
}

/* Each clause of it would have passed: what waits for the table's next DDL alone must not wait for
 * those who wait for it. */
Test(shard_group, several_clauses_that_met_another_ddl_pass_once_that_is_done)
{
    struct story s;

    story_init(&s, SHARD_OPTIMISTIC, 3, usual);
    step(&s, 0, "+ e int");
    step(&s, 0, "~ e f bigint");
    step(&s, 0, "+ KEY i (f)");
    step(&s, 1, "+ e int");
    cr_assert_eq(step(&s, 1, "~ e f bigint"), 'W'); /* until the first has no f any more */
    s.group.runner = xstrdup("s1/d/t3"); /* while the third's is run, or is open after a crash */
    cr_assert_eq(come(&s, 0, "- i ; - f"), 'W');

    cr_assert_eq(come(&s, 2, "+ g int"), 'R');
    shard_settle(&s.group);
    read_again(&s);

    cr_assert_eq(shard(&s, 0)->state, SHARD_FOLLOWS);
    cr_assert_eq(shard(&s, 1)->state, SHARD_FOLLOWS);
    cr_assert_not_null(strstr(shard(&s, 1)->now, "f bigint"));
    story_fini(&s);
}

Test(shard_group, what_is_run_is_made_for_those_alone_who_wait_with_the_same)
{
    struct story s;

    story_init(&s, SHARD_OPTIMISTIC, 2, usual);
    step(&s, 0, "+ f int");
    step(&s, 0, "+ KEY i (f)");
    step(&s, 1, "+ e int");
    s.group.runner = xstrdup("s1/d/t2");
    cr_assert_eq(come(&s, 0, "- i ; - f"), 'W');
    free(s.group.runner);
    s.group.runner = NULL;

    cr_assert_eq(come(&s, 1, "~ e g int"), 'R');

    cr_assert_eq(shard(&s, 0)->word, SHARD_ASK);
    story_fini(&s);
}
