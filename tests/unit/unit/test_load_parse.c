#include "unit/load/load_parse.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"

struct text {
    const char *at;
    size_t left, step; /* 'step': so many bytes a call */
};

static ssize_t text_read(void *arg, char *to, size_t size)
{
    struct text *t = arg;
    size_t n = t->left < t->step ? t->left : t->step;

    n = n < size ? n : size;
    memcpy(to, t->at, n);
    t->at += n;
    t->left -= n;
    return (ssize_t)n;
}

static void row_print(const struct load_parser *p, struct buf *out)
{
    static const char forms[] = { [LOAD_NULL] = '-',
                                  [LOAD_NUMBER] = 'n',
                                  [LOAD_STRING] = 's',
                                  [LOAD_BYTES] = 'b',
                                  [LOAD_UTF8] = 'u' };

    buf_printf(out, "%s(", p->table);
    for (unsigned i = 0; i < p->n_columns; i++)
        buf_printf(out, "%s%s", i ? " " : "", p->columns[i]);
    buf_str(out, "):");
    for (unsigned i = 0; i < p->n_values; i++) {
        buf_printf(out, " %c", forms[p->forms[i]]);
        for (size_t k = 0; k < p->sizes[i]; k++)
            if ((unsigned char)p->values[i][k] < 32)
                buf_printf(out, "<%d>", p->values[i][k]);
            else
                buf_byte(out, p->values[i][k]);
    }
    buf_byte(out, '\n');
}

/* What is in 'sql', an item a line; a failure is the last. */
static char *parsed(const char *sql, size_t step)
{
    struct text t = { sql, strlen(sql), step };
    struct err err = ERR_INIT;
    struct load_parser p;
    struct buf out = BUF_INIT;
    enum load_item item;
    int rc;

    load_parser_init(&p, text_read, &t);
    while ((rc = load_parse_next(&p, &item, &err)) == 0 && item != LOAD_END) {
        if (item == LOAD_ROW)
            row_print(&p, &out);
        else
            buf_printf(&out, "[%.*s]\n", SLICE_ARG(p.statement));
    }
    if (rc < 0)
        buf_printf(&out, "at %llu: %s", (unsigned long long)load_parser_at(&p), err.text);
    load_parser_fini(&p);
    return buf_steal(&out);
}

static void expect(const char *sql, const char *want)
{
    for (size_t step = 1; step < 40; step += 3) {
        char *got = parsed(sql, step);

        cr_expect_str_eq(got, want, "%s, %zu bytes a time: %s", sql, step, got);
        free(got);
    }
}

Test(load_parse, statements_come_out_of_their_comments)
{
    expect("-- a dump; of mine\n/*!40101 SET NAMES binary*/;\n/* no; */ # nor; this\n"
           "CREATE TABLE `a;b` (c int COMMENT 'x;y', /*!80000 d int */ e int);;",
           "[SET NAMES binary]\n"
           "[CREATE TABLE `a;b` (c int COMMENT 'x;y', /*!80000 d int */ e int)]\n[]\n");
    expect("", "");
    expect("\n-- nothing", "");
}

Test(load_parse, rows_come_one_by_one_with_their_names)
{
    expect("INSERT INTO `t` VALUES\n(1,\"a\"),\n(-2.5e-3,NULL);\n"
           "INSERT IGNORE INTO `d`.`x``y` (`a)`, b) VALUES ( 1 , 'it''s' ) ;",
           "t(): n1 sa\nt(): n-2.5e-3 -\nx`y(a) b): n1 sit's\n");
}

Test(load_parse, every_value_is_the_bytes_it_stands_for)
{
    expect(
        "INSERT INTO t VALUES ('a\\n\\r\\t\\0\\Z\\b\\'\\\"\\\\\\q,);','',\"x\"\"y'\",0xff41,x'414',"
        "b'100000101000010',_binary'a\\0b',_binary 0x42,_utf8mb4'\xc3\xa4',"
        "CONVERT(\"{}\" USING UTF8MB4),null);",
        "t(): sa<10><13><9><0><26><8>'\"\\q,); s sx\"y' b\xff"
        "A b<4><20> bAB"
        " ba<0>b bB u\xc3\xa4 u{} -\n");
}

Test(load_parse, what_is_no_dump_is_refused_where_it_is)
{
    expect("INSERT INTO t VALUES (1),(now());", "t(): n1\nat 26: not understood: now())");
    expect("INSERT INTO t SELECT 1;", "at 0: not understood: INSERT INTO t SELECT 1;");
    expect("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a=1;",
           "t(): n1\nat 25: not understood: ON DUPLICATE KEY UPDATE a=1;");
    expect("INSERT INTO t VALUES (_latin1'x');", "at 22: not understood: _latin1'x')");
}

Test(load_parse, a_file_that_is_cut_off_is_seen)
{
    expect("INSERT INTO t VALUES (1)", "t(): n1\nat 24: the file ends within an INSERT");
    expect("INSERT INTO t VALUES (1),\n(2,'ab", "t(): n1\nat 24: the file ends within an INSERT");
    expect("CREATE TABLE t (a int", "at 0: the file ends within a statement or comment");
    expect("/* never", "at 0: the file ends within a statement or comment");
}

Test(load_parse, a_row_may_be_larger_than_what_is_read_at_once)
{
    size_t size = 3 << 20;
    char *sql = xmalloc(size + 64);
    size_t n = (size_t)snprintf(sql, 64, "INSERT INTO t VALUES (1),('");
    struct err err = ERR_INIT;
    struct load_parser p;
    enum load_item item;
    struct text t;

    memset(sql + n, '\\', size);
    memcpy(sql + n + size, "'),(3);", 7);
    t = (struct text){ sql, n + size + 7, 100000 };
    load_parser_init(&p, text_read, &t);

    cr_assert_eq(load_parse_next(&p, &item, &err), 0);
    cr_assert_eq(load_parse_next(&p, &item, &err), 0, "%s", err.text);
    cr_expect_eq(p.sizes[0], size / 2);
    cr_expect_eq(load_parser_at(&p), n + size + 2);
    cr_assert_eq(load_parse_next(&p, &item, &err), 0);
    cr_expect_eq(item, LOAD_ROW);
    cr_assert_eq(load_parse_next(&p, &item, &err), 0);
    cr_expect_eq(item, LOAD_END);
    load_parser_fini(&p);
    free(sql);
}
