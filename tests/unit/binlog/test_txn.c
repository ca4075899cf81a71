#include <criterion/criterion.h>
#include <errno.h>

#include "base/scope.h"
#include "binlog/gtid_event.h"
#include "story.h"

/* Feeds a whole file and tells what happened, with rows. */
static void tell_file(const char *path, struct grouper *g, struct buf *out)
{
    struct binlog_file f = { 0 };
    struct err err = ERR_INIT;
    struct arena arena = ARENA_INIT;
    struct table_map map = { 0 };
    struct event_format none = { 0 };
    struct slice raw;

    cr_assert_eq(binlog_file_open(&f, path, &err), 0, "%s", err.text);
    while (binlog_file_next(&f, &raw, &err) > 0) {
        struct event ev;
        int step;

        cr_assert_eq(event_parse(raw, g->fmt.server_version[0] ? &g->fmt : &none, true, &ev, &err),
                     0, "%s", err.text);
        step = grouper_feed(g, &ev, &err);
        cr_assert_geq(step, 0, "%s", err.text);
        if (step == TXN_NOTHING)
            continue;
        buf_str(out, step_names[step]);
        if (step == TXN_BEGIN) {
            buf_byte(out, ' ');
            gtid_print(&g->gtid, out);
        }
        if (step == TXN_DDL)
            buf_printf(out, " %.*s", SLICE_ARG(g->query.sql));
        buf_byte(out, '\n');
        if (step == TXN_MAP)
            cr_assert_eq(table_map_decode(&ev, &g->fmt, &arena, &map, &err), 0, "%s", err.text);
        if (step == TXN_ROWS)
            cr_assert(story_rows(out, &ev, &g->fmt, &map, &err), "%s", err.text);
    }
    cr_assert_eq(err.code, 0, "%s", err.text);
    buf_printf(out, "at %s:%" PRIu64 " ", g->pos.file, g->pos.offset);
    if (g->pos.gtids)
        gtid_set_print(g->pos.gtids, out);
    arena_fini(&arena);
    binlog_file_close(&f);
}

static void expect_file(const char *name, enum flavor flavor, const char *expected)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;
    struct position start = { .offset = 4 };
    char path[256];
    struct grouper g;

    snprintf(start.file, sizeof start.file, "%s", name);
    snprintf(path, sizeof path, "tests/golden/recorded/%s", name);
    grouper_init(&g, flavor, &start);
    tell_file(path, &g, &out);
    cr_assert_str_eq(out.data, expected);
    grouper_fini(&g);
}

Test(txn, tells_a_mariadb_file_with_ddl_and_rows)
{
    expect_file("mbin.000001", FLAVOR_MARIADB,
                "format\n"
                "begin 0-101-1\nddl create database d\n"
                "begin 0-101-2\n"
                "ddl create table d.t(a int primary key auto_increment,b varchar(200)) "
                "engine=innodb\n"
                "begin 0-101-3\nmap\nrows\n  insert d.t (1, 'x')\n  insert d.t (2, 'y')\ncommit\n"
                "begin 0-101-4\nmap\nrows\n  insert d.t (3, 'z')\ncommit\n"
                "rotate\n"
                "at mbin.000002:4 0-101-4");
}

Test(txn, keeps_the_last_of_each_mariadb_domain)
{
    expect_file("mbin.000002", FLAVOR_MARIADB,
                "format\n"
                "begin 0-101-5\nmap\nrows\n  insert d.t (4, 'w')\ncommit\n"
                "begin 7-101-1\nmap\nrows\n  insert d.t (5, 'dom7')\ncommit\n"
                "begin 0-101-6\nmap\nrows\n  insert d.t (6, 'last')\ncommit\n"
                "rotate\n"
                "at mbin.000003:4 0-101-6,7-101-1");
}

Test(txn, reads_a_file_still_in_use)
{
    expect_file("mbin.000003", FLAVOR_MARIADB,
                "format\n"
                "begin 0-101-7\nmap\nrows\n  insert d.t (7, 'open file')\ncommit\n"
                "at mbin.000003:617 0-101-7,7-101-1");
}

Test(txn, tells_a_mysql_file_with_ddl_and_rows)
{
#define UUID "15627d7a-e57a-11f1-b580-02fc00000001"
    expect_file("ybin.000001", FLAVOR_MYSQL,
                "format\n"
                "begin " UUID ":1\nddl drop database if exists d\n"
                "begin " UUID ":2\nddl create database d\n"
                "begin " UUID ":3\n"
                "ddl create table d.t(a int primary key auto_increment,b varchar(200))\n"
                "begin " UUID ":4\nmap\nrows\n  insert d.t (1, 'x')\n  insert d.t (2, 'y')\n"
                "commit\n"
                "begin " UUID ":5\nmap\nrows\n  insert d.t (3, 'z')\ncommit\n"
                "rotate\n"
                "at ybin.000002:4 " UUID ":1-5");
}
