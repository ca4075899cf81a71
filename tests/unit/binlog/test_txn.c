#include <criterion/criterion.h>
#include <errno.h>

#include "base/scope.h"
#include "binlog/gtid_event.h"
#include "binlog/payload.h"
#include "build.h"
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

/* --- events made by hand --- */

struct feeder {
    struct grouper g;
    struct buf b;
    struct err err;
    uint32_t at; /* end of the last event */
};

static void feeder_init(struct feeder *f, enum flavor flavor, uint64_t offset)
{
    *f = (struct feeder){ .at = (uint32_t)offset };
    grouper_init(&f->g, flavor, &(struct position){ .file = "bin.000001", .offset = offset });
    f->g.fmt.flavor = flavor;
}

static void feeder_fini(struct feeder *f)
{
    grouper_fini(&f->g);
    buf_fini(&f->b);
}

static int feed_flagged(struct feeder *f, uint8_t type, uint16_t flags, const void *body,
                        size_t size)
{
    struct event ev;

    f->at += EVENT_HEADER_SIZE + (uint32_t)size;
    build_event(&f->b, type, flags, f->at, body, size, false);
    build_parse(&f->b, &f->g.fmt, &ev);
    return grouper_feed(&f->g, &ev, &f->err);
}

static int feed_body(struct feeder *f, uint8_t type, const void *body, size_t size)
{
    return feed_flagged(f, type, 0, body, size);
}

static int feed_query(struct feeder *f, const char *sql)
{
    SCOPED(buf_fini) struct buf body = BUF_INIT;

    buf_add(&body, "\1\0\0\0\2\0\0\0\1\0\0\0\0d\0", 15);
    buf_str(&body, sql);
    return feed_body(f, EVENT_QUERY, body.data, body.size);
}

static int feed_mariadb_gtid(struct feeder *f, uint64_t number, uint8_t flags)
{
    SCOPED(buf_fini) struct buf body = BUF_INIT;

    buf_le(&body, number, 8);
    buf_le(&body, 0, 4);
    buf_le(&body, flags, 1);
    buf_add(&body, "\0\0\0\0\0\0", 6);
    return feed_body(f, EVENT_MARIADB_GTID, body.data, body.size);
}

Test(txn, counts_offsets_beyond_4_gib)
{
    SCOPED(feeder_fini) struct feeder f;
    uint64_t start = ((uint64_t)1 << 32) - 10;

    feeder_init(&f, FLAVOR_MARIADB, start);
    cr_expect_eq(feed_body(&f, EVENT_STOP, "", 0), TXN_NOTHING);
    cr_expect_eq(f.g.pos.offset, start + 19);
    cr_expect_eq(feed_body(&f, EVENT_STOP, "", 0), TXN_NOTHING);
    cr_expect_eq(f.g.pos.offset, start + 38);
    f.at += 1000; /* events that the source left out */
    cr_expect_eq(feed_body(&f, EVENT_STOP, "", 0), TXN_NOTHING);
    cr_expect_eq(f.g.pos.offset, start + 38 + 1000 + 19);
}

Test(txn, does_not_count_what_is_not_in_the_file)
{
    SCOPED(feeder_fini) struct feeder f;

    feeder_init(&f, FLAVOR_MYSQL, 500);
    cr_expect_eq(feed_flagged(&f, EVENT_STOP, EVENT_FLAG_ARTIFICIAL, "", 0), TXN_NOTHING);
    cr_expect_eq(f.g.pos.offset, 500);
}

Test(txn, follows_heartbeats_when_no_transaction_is_open)
{
    SCOPED(feeder_fini) struct feeder f;
    struct event ev;

    feeder_init(&f, FLAVOR_MYSQL, ((uint64_t)5 << 32) + 100);
    build_event(&f.b, EVENT_HEARTBEAT, EVENT_FLAG_ARTIFICIAL, 400, "bin.000001", 10, false);
    build_parse(&f.b, &f.g.fmt, &ev);
    cr_expect_eq(grouper_feed(&f.g, &ev, &f.err), TXN_NOTHING);
    cr_expect_eq(f.g.pos.offset, ((uint64_t)5 << 32) + 400);

    cr_expect_eq(feed_query(&f, "BEGIN"), TXN_BEGIN);
    build_event(&f.b, EVENT_HEARTBEAT, EVENT_FLAG_ARTIFICIAL, 9000, "bin.000001", 10, false);
    build_parse(&f.b, &f.g.fmt, &ev);
    cr_expect_eq(grouper_feed(&f.g, &ev, &f.err), TXN_NOTHING);
    cr_expect_eq(f.g.pos.offset, ((uint64_t)5 << 32) + 400);
}

Test(txn, stays_where_it_is_when_a_heartbeat_says_just_that)
{
    SCOPED(feeder_fini) struct feeder f;
    struct event ev;

    feeder_init(&f, FLAVOR_MARIADB, ((uint64_t)5 << 32) + 100);
    for (int i = 0; i < 3; i++) { /* MariaDB does not flag them as made for this connection */
        build_event(&f.b, EVENT_HEARTBEAT, 0, 100, "bin.000001", 10, false);
        build_parse(&f.b, &f.g.fmt, &ev);
        cr_expect_eq(grouper_feed(&f.g, &ev, &f.err), TXN_NOTHING);
    }
    cr_expect_eq(f.g.pos.offset, ((uint64_t)5 << 32) + 100);
}

Test(txn, moves_its_position_at_the_end_of_a_transaction_only)
{
    SCOPED(feeder_fini) struct feeder f;

    feeder_init(&f, FLAVOR_MYSQL, 4);
    cr_expect_eq(feed_query(&f, "BEGIN"), TXN_BEGIN);
    cr_expect_eq(f.g.pos.offset, 4);
    cr_expect_eq(feed_body(&f, EVENT_TABLE_MAP, "12345678", 8), TXN_MAP);
    cr_expect_eq(f.g.pos.offset, 4);
    cr_expect_eq(f.g.size, 19 + 15 + 5 + 19 + 8);
    cr_expect_eq(feed_body(&f, EVENT_XID, "12345678", 8), TXN_COMMIT);
    cr_expect_eq(f.g.pos.offset, f.at);
    cr_expect_eq(f.g.commit_us, (int64_t)1700000000 * 1000000);
}

Test(txn, drops_what_a_crashed_server_left_open)
{
    SCOPED(buf_fini) struct buf body = BUF_INIT;
    SCOPED(feeder_fini) struct feeder f;
    struct event ev;

    feeder_init(&f, FLAVOR_MARIADB, 4);
    f.g.pos.gtids = gtid_set_new(FLAVOR_MARIADB);
    cr_expect_eq(feed_mariadb_gtid(&f, 5, 0), TXN_BEGIN);
    cr_expect_eq(feed_body(&f, EVENT_TABLE_MAP, "12345678", 8), TXN_MAP);
    build_format(&body, "10.11.6-MariaDB", 1700000000, 0);
    build_event(&f.b, EVENT_FORMAT_DESCRIPTION, 0, 300, body.data, body.size, true);
    build_parse(&f.b, &f.g.fmt, &ev);
    cr_expect_eq(grouper_feed(&f.g, &ev, &f.err), TXN_ROLLBACK);
    cr_expect_not(f.g.in_txn);
    cr_expect_eq(f.g.gtid.number, 0, "its GTID comes again");
    cr_expect(gtid_set_empty(f.g.pos.gtids));
    cr_expect_eq(feed_mariadb_gtid(&f, 5, 0), TXN_BEGIN);
}

Test(txn, counts_an_empty_transaction)
{
    SCOPED(feeder_fini) struct feeder f;
    struct gtid g = { .flavor = FLAVOR_MARIADB, .server_id = 7, .number = 5 };

    feeder_init(&f, FLAVOR_MARIADB, 4);
    f.g.pos.gtids = gtid_set_new(FLAVOR_MARIADB);
    cr_expect_eq(feed_mariadb_gtid(&f, 5, GTID_STANDALONE), TXN_BEGIN);
    cr_expect_eq(feed_mariadb_gtid(&f, 6, GTID_STANDALONE), TXN_BEGIN);
    cr_expect(gtid_set_has(f.g.pos.gtids, &g));
}

Test(txn, refuses_a_transaction_inside_another)
{
    SCOPED(feeder_fini) struct feeder f;

    feeder_init(&f, FLAVOR_MARIADB, 4);
    cr_expect_eq(feed_mariadb_gtid(&f, 5, 0), TXN_BEGIN);
    cr_expect_eq(feed_body(&f, EVENT_TABLE_MAP, "12345678", 8), TXN_MAP);
    cr_expect_eq(feed_mariadb_gtid(&f, 6, 0), -EBADMSG);
}

Test(txn, refuses_rows_and_commits_outside_of_one)
{
    static const uint8_t types[] = { EVENT_TABLE_MAP, EVENT_WRITE_ROWS_V2, EVENT_XID,
                                     EVENT_XA_PREPARE, EVENT_TRANSACTION_PAYLOAD };

    for (size_t i = 0; i < sizeof types; i++) {
        SCOPED(feeder_fini) struct feeder f;

        feeder_init(&f, FLAVOR_MYSQL, 4);
        cr_expect_eq(feed_body(&f, types[i], "\0\1\0\0\0\0\0\0\0\0\0\0\0", 13), -EBADMSG, "%s",
                     event_type_name(types[i]));
    }
}

Test(txn, skips_unknown_types_only_if_they_say_so)
{
    SCOPED(feeder_fini) struct feeder f;

    feeder_init(&f, FLAVOR_MYSQL, 4);
    cr_expect_eq(feed_flagged(&f, 99, EVENT_FLAG_IGNORABLE, "x", 1), TXN_NOTHING);
    cr_expect_eq(feed_body(&f, 99, "x", 1), -EBADMSG);
    cr_expect(strstr(f.err.text, "99"), "%s", f.err.text);
}

/* A format description that has post-header sizes for types up to 'n_types'. */
static int feed_format(struct feeder *f, const char *version, unsigned n_types, uint8_t algorithm)
{
    SCOPED(buf_fini) struct buf body = BUF_INIT;
    struct event ev;

    build_format(&body, version, 0, algorithm);
    body.size -= 42 - n_types + 1;
    buf_le(&body, algorithm, 1);
    build_event(&f->b, EVENT_FORMAT_DESCRIPTION, 0, 0, body.data, body.size, true);
    build_parse(&f->b, &f->g.fmt, &ev);
    return grouper_feed(&f->g, &ev, &f->err);
}

Test(txn, goes_on_in_the_files_of_an_upgraded_source)
{
    SCOPED(feeder_fini) struct feeder f;
    struct event ev;

    feeder_init(&f, FLAVOR_MYSQL, 4);
    cr_expect_eq(feed_format(&f, "5.7.44-log", 38, 1), TXN_FORMAT);
    build_event(&f.b, EVENT_ROTATE, 0, 200, "\4\0\0\0\0\0\0\0bin.000002", 18, true);
    build_parse(&f.b, &f.g.fmt, &ev);
    cr_expect_eq(grouper_feed(&f.g, &ev, &f.err), TXN_ROTATE);

    cr_expect_eq(feed_format(&f, "9.7.0", 42, 0), TXN_FORMAT);
    cr_expect_str_eq(f.g.fmt.server_version, "9.7.0");
    cr_expect_eq(feed_query(&f, "BEGIN"), TXN_BEGIN); /* no checksum any more */
    cr_expect_eq(feed_body(&f, EVENT_XID, "12345678", 8), TXN_COMMIT);
    cr_expect_str_eq(f.g.pos.file, "bin.000002");
}

Test(txn, passes_by_what_changes_no_row)
{
    static const uint8_t types[] = { EVENT_STOP,
                                     EVENT_IGNORABLE,
                                     EVENT_ROWS_QUERY,
                                     EVENT_TRANSACTION_CONTEXT,
                                     EVENT_VIEW_CHANGE,
                                     EVENT_MARIADB_ANNOTATE_ROWS,
                                     EVENT_MARIADB_BINLOG_CHECKPOINT,
                                     EVENT_MARIADB_START_ENCRYPTION };
    SCOPED(feeder_fini) struct feeder f;

    feeder_init(&f, FLAVOR_MYSQL, 4);
    for (size_t i = 0; i < sizeof types; i++) {
        uint64_t before = f.g.pos.offset;

        cr_expect_eq(feed_body(&f, types[i], "some bytes", 10), TXN_NOTHING, "%s",
                     event_type_name(types[i]));
        cr_expect_eq(f.g.pos.offset, before + EVENT_HEADER_SIZE + 10);
    }
}

Test(txn, stops_at_an_incident)
{
    SCOPED(feeder_fini) struct feeder f;

    feeder_init(&f, FLAVOR_MYSQL, 4);
    cr_expect_eq(feed_body(&f, EVENT_INCIDENT, "\1\0", 2), TXN_INCIDENT);
}

Test(txn, commits_an_xa_transaction_of_one_phase)
{
    SCOPED(feeder_fini) struct feeder f;

    feeder_init(&f, FLAVOR_MYSQL, 4);
    cr_expect_eq(feed_query(&f, "XA START X'61',X'',1"), TXN_BEGIN);
    cr_expect_eq(feed_query(&f, "XA END X'61',X'',1"), TXN_NOTHING);
    cr_expect_eq(feed_body(&f, EVENT_XA_PREPARE, "\1\1\0\0\0\1\0\0\0\0\0\0\0a", 14), TXN_COMMIT);
    cr_expect_eq(feed_query(&f, "XA START X'61',X'',1"), TXN_BEGIN);
    cr_expect_eq(feed_body(&f, EVENT_XA_PREPARE, "\0\1\0\0\0\1\0\0\0\1\0\0\0ab", 15),
                 TXN_XA_PREPARE);
    cr_expect(slice_eq(f.g.xid, slice_str("X'61',X'62',1")), "%.*s", SLICE_ARG(f.g.xid));
    cr_expect_eq(feed_query(&f, "XA COMMIT X'6A',X'',1 "), TXN_XA_COMMIT);
    cr_expect(slice_eq(f.g.xid, slice_str("X'6a',X'',1")), "%.*s", SLICE_ARG(f.g.xid));
}

Test(txn, tells_statements_from_the_ends_of_transactions)
{
    SCOPED(feeder_fini) struct feeder f;

    feeder_init(&f, FLAVOR_MYSQL, 4);
    cr_expect_eq(feed_query(&f, "BEGIN"), TXN_BEGIN);
    cr_expect_eq(feed_query(&f, "SAVEPOINT `s`"), TXN_STATEMENT);
    cr_expect_eq(feed_query(&f, "ROLLBACK TO `s`"), TXN_STATEMENT);
    cr_expect_eq(feed_query(&f, "COMMITTEE"), TXN_STATEMENT);
    cr_expect_eq(feed_query(&f, "ROLLBACK"), TXN_ROLLBACK);
    cr_expect_eq(feed_query(&f, "CREATE TABLE t (a INT)"), TXN_DDL);
    cr_expect(slice_eq(f.g.query.db, slice_str("d")));
    cr_expect_eq(f.g.query.thread_id, 1);
    cr_expect_eq(f.g.query.exec_time, 2);
}
