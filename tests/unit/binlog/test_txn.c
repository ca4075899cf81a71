#include <criterion/criterion.h>
#include <errno.h>

#include "base/scope.h"
#include "binlog/payload.h"
#include "story.h"

struct teller {
    struct grouper g;
    struct arena arena;
    struct table_map map;
    bool rows; /* tell them too */
    struct buf out;
};

static void tell_step(struct teller *t, const struct event *ev, int step);

static void feed(struct teller *t, const struct event *ev)
{
    struct err err = ERR_INIT;
    int step = grouper_feed(&t->g, ev, &err);

    cr_assert_geq(step, 0, "%s", err.text);
    tell_step(t, ev, step);
}

static void tell_payload(struct teller *t, const struct event *ev)
{
    struct err err = ERR_INIT;
    struct payload p;
    struct event inner;

    cr_assert_eq(payload_open(&p, ev, 1 << 20, &err), 0, "%s", err.text);
    while (payload_next(&p, &inner, &err) > 0)
        feed(t, &inner);
    cr_assert_eq(err.code, 0, "%s", err.text);
    payload_close(&p);
}

static void tell_step(struct teller *t, const struct event *ev, int step)
{
    struct err err = ERR_INIT;

    if (step == TXN_NOTHING)
        return;
    if (step == TXN_MAP)
        cr_assert_eq(table_map_decode(ev, &t->g.fmt, &t->arena, &t->map, &err), 0, "%s", err.text);
    if ((step == TXN_MAP || step == TXN_ROWS) && !t->rows)
        return;
    buf_str(&t->out, step_names[step]);
    if (step == TXN_BEGIN) {
        buf_byte(&t->out, ' ');
        gtid_print(&t->g.gtid, &t->out);
    }
    if (step == TXN_DDL || step == TXN_STATEMENT)
        buf_printf(&t->out, " %.*s", SLICE_ARG(t->g.query.sql));
    if (step == TXN_XA_PREPARE || step == TXN_XA_COMMIT || step == TXN_XA_ROLLBACK)
        buf_printf(&t->out, " %.*s", SLICE_ARG(t->g.xid));
    if (step == TXN_CONTEXT)
        buf_printf(&t->out, " %s", event_type_name(ev->type));
    buf_byte(&t->out, '\n');
    if (step == TXN_ROWS)
        cr_assert(story_rows(&t->out, ev, &t->g.fmt, &t->map, &err), "%s", err.text);
    if (step == TXN_PAYLOAD)
        tell_payload(t, ev);
}

/* Feeds a whole file and tells what happened. */
static void tell_file(struct teller *t, const char *path)
{
    struct binlog_file f = { 0 };
    struct err err = ERR_INIT;
    struct slice raw;

    cr_assert_eq(binlog_file_open(&f, path, &err), 0, "%s", err.text);
    while (binlog_file_next(&f, &raw, &err) > 0) {
        struct event ev;

        cr_assert_eq(event_parse(raw, &t->g.fmt, true, &ev, &err), 0, "%s", err.text);
        feed(t, &ev);
    }
    cr_assert_eq(err.code, 0, "%s", err.text);
    buf_printf(&t->out, "at %s:%" PRIu64 " ", t->g.pos.file, t->g.pos.offset);
    if (t->g.pos.gtids)
        gtid_set_print(t->g.pos.gtids, &t->out);
    binlog_file_close(&f);
}

static void teller_fini(struct teller *t)
{
    grouper_fini(&t->g);
    arena_fini(&t->arena);
    buf_fini(&t->out);
}

static void expect_file(const char *name, enum flavor flavor, const char *expected)
{
    SCOPED(teller_fini) struct teller t = { .rows = true };
    struct position start = { .offset = 4 };
    char path[256];

    snprintf(start.file, sizeof start.file, "%s", name);
    snprintf(path, sizeof path, "tests/golden/recorded/%s", name);
    grouper_init(&t.g, flavor, &start);
    tell_file(&t, path);
    cr_assert_str_eq(t.out.data, expected);
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

/* The server made its own when the file was made: "uuid" in its place. */
static void mask_uuids(struct buf *story)
{
    struct buf out = BUF_INIT;
    struct err err;

    for (const char *p = story->data; *p;) {
        struct gtid_set *s = NULL;
        char candidate[40];

        snprintf(candidate, sizeof candidate, "%.36s:1", p);
        if (strlen(candidate) == 38 && candidate[8] == '-' &&
            gtid_set_parse(&s, FLAVOR_MYSQL, candidate, &err) == 0) {
            buf_str(&out, "uuid");
            p += 36;
        } else {
            buf_byte(&out, *p++);
        }
        gtid_set_free(s);
    }
    buf_fini(story);
    *story = out;
}

/* Steps without rows, and only from the first that has 'from' in it. */
static void expect_tail(const char *path, const char *from, const char *expected)
{
    SCOPED(teller_fini) struct teller t = { 0 };
    const char *tail;

    grouper_init(&t.g, FLAVOR_MYSQL, &(struct position){ .file = "bin.000001", .offset = 4 });
    tell_file(&t, path);
    mask_uuids(&t.out);
    tail = strstr(t.out.data, from);
    cr_assert(tail, "no '%s'", from);
    cr_expect_str_eq(tail, expected, "%s", tail);
}

Test(txn, tells_mysql_payloads_tags_xa_and_statements)
{
    expect_tail(
        "tests/golden/types/mysql.binlog", "payload",
        "payload\n"
        "commit\n"
        "begin uuid:tag1:1\n"
        "payload\n"
        "commit\n"
        "begin uuid:51\n"
        "statement CREATE TABLE `made` (\n"
        "  `one` int NOT NULL DEFAULT '0',\n"
        "  `two` varchar(1) NOT NULL DEFAULT ''\n"
        ") START TRANSACTION\n"
        "commit\n"
        "begin uuid:52\n"
        "xa prepare X'7861',X'62',3\n"
        "begin uuid:53\n"
        "xa commit X'7861',X'62',3\n"
        "begin uuid:54\n"
        "xa prepare X'7862',X'',1\n"
        "begin uuid:55\n"
        "xa rollback X'7862',X'',1\n"
        "begin uuid:56\n"
        "commit\n"
        "begin uuid:57\n"
        "ddl create table stmt (id int auto_increment primary key, a varchar(10), r double)\n"
        "begin uuid:58\n"
        "context INTVAR\n"
        "context RAND\n"
        "context USER_VAR\n"
        "statement insert into stmt (a, r) values (@u, rand())\n"
        "commit\n"
        "begin uuid:59\n"
        "context INTVAR\n"
        "context INTVAR\n"
        "statement insert into stmt (a) values (last_insert_id())\n"
        "commit\n"
        "begin uuid:60\n"
        "statement SAVEPOINT `s`\n"
        "commit\n"
        "begin uuid:61\n"
        "ddl DROP TABLE `stmt` /* generated by server */\n"
        "rotate\n"
        "at bin.000003:4 uuid:1-61:tag1:1");
}

Test(txn, tells_mariadb_xa_alter_and_statements)
{
    expect_tail("tests/golden/types/mariadb.binlog", "ddl create table a_compressed",
                "ddl create table a_compressed_statement (column_with_a_long_name int, "
                "another_column_with_a_long_name int, yet_another_column int)\n"
                "begin 0-1-45\n"
                "statement CREATE TABLE `made` (\n"
                "  `one` int(1) NOT NULL,\n"
                "  `two` varchar(1) NOT NULL\n"
                ")\n"
                "commit\n"
                "begin 0-1-46\n"
                "xa prepare X'7861',X'62',3\n"
                "begin 0-1-47\n"
                "xa commit X'7861',X'62',3\n"
                "begin 0-1-48\n"
                "xa prepare X'7862',X'',1\n"
                "begin 0-1-49\n"
                "xa rollback X'7862',X'',1\n"
                "begin 0-1-50\n"
                "commit\n"
                "begin 0-1-51\n"
                "rollback\n"
                "begin 0-1-52\n"
                "ddl alter table seventeen add c18 int\n"
                "begin 0-1-53\n"
                "ddl create table stmt (id int auto_increment primary key, a varchar(10), r "
                "double) engine = myisam\n"
                "begin 0-1-54\n"
                "context INTVAR\n"
                "context RAND\n"
                "context USER_VAR\n"
                "statement insert into stmt (a, r) values (@u, rand())\n"
                "commit\n"
                "begin 0-1-55\n"
                "context INTVAR\n"
                "context INTVAR\n"
                "statement insert into stmt (a) values (last_insert_id())\n"
                "commit\n"
                "begin 0-1-56\n"
                "commit\n"
                "begin 0-1-57\n"
                "statement SAVEPOINT `s`\n"
                "statement ROLLBACK TO `s`\n"
                "commit\n"
                "begin 0-1-58\n"
                "ddl DROP TABLE `stmt` /* generated by server */\n"
                "rotate\n"
                "at bin.000003:4 0-1-58");
}
