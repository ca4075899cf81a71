#include <criterion/criterion.h>
#include <errno.h>

#include "unit/verify/verify_expr.h"

#define S(text) (char *)(text)

static struct table_def table(struct table_column *c, unsigned n)
{
    return (struct table_def){ .db = S("d"), .name = S("t"), .n_cols = n, .cols = c };
}

static void check(struct table_column *a, struct table_column *b, const char *source,
                  const char *target)
{
    struct table_def x = table(a, 1), y = table(b, 1);
    struct verify_exprs e;
    struct err err = ERR_INIT;

    cr_assert_eq(verify_exprs_init(&e, &x, &y, &err), 0);
    cr_assert(strstr(e.source, source), "%s has no %s", e.source, source);
    cr_assert(strstr(e.target, target), "%s has no %s", e.target, target);
    verify_exprs_fini(&e);
}

static struct table_column column(const char *type, const char *full, const char *charset)
{
    return (struct table_column){
        .name = S("c"), .data_type = S(type), .column_type = S(full), .charset = S(charset)
    };
}

Test(verify_expr, prints_what_both_ends_print_alike)
{
    struct table_column tiny = column("int", "int(5) zerofill", NULL);
    struct table_column real = column("float", "float", NULL), text, other, json;

    check(&tiny, &tiny, ",`c`+0,", ",`c`+0,");
    check(&real, &real, ",IF(`c`=0,'0',CONCAT(`c`,'/',CAST(`c` AS DECIMAL(65,30)))),",
          ",IF(`c`=0,'0',CONCAT(`c`,'/',CAST(`c` AS DECIMAL(65,30)))),");
    text = column("varchar", "varchar(9)", "latin1");
    other = column("varchar", "varchar(9)", "utf8mb4");
    check(&text, &text, ",CAST(`c` AS BINARY),", ",CAST(`c` AS BINARY),");
    check(&text, &other, ",CONVERT(`c` USING utf8mb4),", ",CONVERT(`c` USING utf8mb4),");
    json = column("json", "json", NULL);
    json.json = true;
    text = column("longtext", "longtext", "utf8mb4");
    check(&json, &text, "CAST(`c` AS CHAR CHARACTER SET utf8mb4)", "CONVERT(`c` USING utf8mb4)");
    text = column("uuid", "uuid", NULL);
    other = column("char", "char(36)", "ascii");
    check(&text, &other, "LOWER(CAST(`c` AS CHAR))", "LOWER(CAST(`c` AS CHAR))");
}

Test(verify_expr, members_are_compared_by_number_only_if_they_are_the_same)
{
    struct table_column a = column("enum", "enum('a','b')", "utf8mb4");
    struct table_column b = column("enum", "enum('b','a')", "utf8mb4");

    check(&a, &a, "CAST(`c` AS UNSIGNED)", "CAST(`c` AS UNSIGNED)");
    check(&a, &b, "CONVERT(`c` USING utf8mb4)", "CONVERT(`c` USING utf8mb4)");
}

Test(verify_expr, says_what_it_leaves_out_and_what_is_not_there)
{
    struct table_column a[2] = { column("longtext", "longtext", "utf8mb4"),
                                 column("int", "int", NULL) };
    struct table_column b[1] = { column("json", "json", NULL) };
    struct table_def x = table(a, 1), y = table(b, 1);
    struct verify_exprs e;
    struct err err = ERR_INIT;

    b[0].json = true;
    cr_assert_eq(verify_exprs_init(&e, &x, &y, &err), 0);
    cr_assert_str_eq(e.left_out, "c");
    verify_exprs_fini(&e);
    a[1].name = S("more");
    x = table(a, 2);
    cr_assert_eq(verify_exprs_init(&e, &x, &y, &err), -EINVAL);
    cr_assert(strstr(err.text, "more"));
    verify_exprs_fini(&e);
}
