#include "unit/relay/relay_ingest.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/file.h"
#include "unit/sync/sync_feed.h"

static struct store *store;
static struct journals *all;
static struct journal *j;
static struct ingest in;
static struct err err;

static void open_all(void)
{
    struct journal_head head;

    err = ERR_INIT;
    store = store_open_mem();
    all = journals_new(store);
    cr_assert_eq(journal_open(all, "s", true, &j, &err), 0, "%s", err.text);
    cr_assert_eq(journal_write_begin(j, &head, &err), 0, "%s", err.text);
    cr_assert_eq(journal_incarnation(j, "server_id 1", NULL, &err), 0, "%s", err.text);
    ingest_init(&in, j, &head.pos, 1);
    journal_head_fini(&head);
}

static void close_all(void)
{
    ingest_fini(&in);
    journal_write_end(j, &err);
    journal_close(j);
    journals_free(all);
    store_close(store);
}

TestSuite(relay_ingest, .init = open_all, .fini = close_all);

static void connect_at(enum flavor flavor, const char *file, uint64_t offset)
{
    struct position from = { .offset = offset };

    snprintf(from.file, sizeof from.file, "%s", file);
    ingest_connect(&in, flavor, &from);
}

static int give(struct slice raw, struct ingest_did *did)
{
    return ingest_event(&in, raw, did, &err);
}

static void give_rotate(const char *file, uint64_t offset)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct ingest_did did;

    fake_rotate(&b, file, offset, true);
    cr_assert_eq(give(slice_of(b.data, b.size), &did), 0, "%s", err.text);
    cr_expect(!did.committed, "what was made for the connection is not stored");
}

/* Events of the file from 'from' on, at most 'n'; the offset after the last. */
static uint64_t give_file(const char *path, uint64_t from, unsigned n)
{
    struct binlog_file f;
    struct ingest_did did;
    struct slice raw;

    cr_assert_eq(binlog_file_open(&f, path, &err), 0, "%s", err.text);
    f.offset = from;
    while (n-- && binlog_file_next(&f, &raw, &err) > 0)
        cr_assert_eq(give(raw, &did), 0, "%s", err.text);
    from = f.offset;
    binlog_file_close(&f);
    return from;
}

/* The records of the file, one after the other. */
static void expect_file(uint32_t no, const char *path)
{
    SCOPED(buf_fini) struct buf bytes = BUF_INIT;
    struct journal_reader *r = journal_reader_new(j, JOURNAL_WRITTEN);
    struct journal_record rec;
    struct binlog_file f;
    struct slice piece;
    uint64_t at = 4;

    cr_assert_eq(journal_reader_seek(r, 1, &err), 0, "%s", err.text);
    while (journal_reader_next(r, &rec, 0, &err) > 0) {
        if (rec.file_no != no)
            continue;
        cr_assert_eq(rec.from, at);
        at = rec.to;
        while (journal_reader_piece(r, &piece, &err) > 0)
            buf_add(&bytes, piece.data, piece.size);
    }
    journal_reader_free(r);
    cr_assert_eq(binlog_file_open(&f, path, &err), 0, "%s", err.text);
    cr_assert_eq(bytes.size + 4, f.size, "%zu bytes of %zu", bytes.size + 4, f.size);
    cr_expect_eq(memcmp(bytes.data, f.map + 4, bytes.size), 0);
    binlog_file_close(&f);
}

static void take_files(enum flavor flavor, const char *name)
{
    for (unsigned i = 1; i <= 3; i++) {
        SCOPED(freep) char *file = xasprintf("%s.00000%u", name, i);
        SCOPED(freep) char *path = xasprintf("tests/golden/recorded/%s", file);

        if (i == 1)
            connect_at(flavor, file, 4);
        give_rotate(file, 4);
        give_file(path, 4, UINT32_MAX);
        expect_file(i, path);
    }
}

Test(relay_ingest, stores_the_files_of_mariadb_byte_for_byte)
{
    take_files(FLAVOR_MARIADB, "mbin");
}

Test(relay_ingest, stores_the_files_of_mysql_byte_for_byte)
{
    take_files(FLAVOR_MYSQL, "ybin");
}

/* The file's own description, as a server sends it for a dump that begins later. */
static void give_format(const char *path)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct ingest_did did;
    struct binlog_file f;
    struct slice raw;

    cr_assert_eq(binlog_file_open(&f, path, &err), 0, "%s", err.text);
    cr_assert_eq(binlog_file_next(&f, &raw, &err), 1);
    cr_assert_eq(fake_format(&b, raw, &err), 0, "%s", err.text);
    binlog_file_close(&f);
    cr_assert_eq(give(slice_of(b.data, b.size), &did), 0, "%s", err.text);
    cr_expect(!did.committed);
}

#define MARIADB "tests/golden/recorded/mbin.000001"

/* The last record, as relay_place.c gives it. */
static struct journal_record expect_last(void)
{
    struct journal_reader *r = journal_reader_new(j, JOURNAL_WRITTEN);
    struct journal_record rec = { .seq = 0 };
    struct slice piece;

    buf_clear(&in.expect);
    journal_reader_seek(r, 1, &err);
    while (journal_reader_next(r, &rec, 0, &err) > 0) {
        buf_clear(&in.expect);
        while (journal_reader_piece(r, &piece, &err) > 0)
            buf_add(&in.expect, piece.data, piece.size);
    }
    journal_reader_free(r);
    in.expect_from = rec.from;
    return rec;
}

Test(relay_ingest, goes_on_after_a_lost_connection_without_gap_or_double)
{
    for (unsigned n = 1; n < 60; n += 7) {
        struct journal_record last;

        close_all();
        open_all();
        connect_at(FLAVOR_MARIADB, "mbin.000001", 4);
        give_rotate("mbin.000001", 4);
        give_file(MARIADB, 4, n); /* it may break off inside a transaction */

        last = expect_last();
        connect_at(FLAVOR_MARIADB, "mbin.000001", last.from);
        give_rotate("mbin.000001", last.from);
        if (last.from > 4)
            give_format(MARIADB);
        give_file(MARIADB, last.from, UINT32_MAX);

        expect_file(1, MARIADB);
    }
}

Test(relay_ingest, finds_out_a_source_that_has_other_bytes)
{
    struct journal_record last;
    struct ingest_did did;
    struct binlog_file f;
    struct slice raw;

    connect_at(FLAVOR_MARIADB, "mbin.000001", 4);
    give_rotate("mbin.000001", 4);
    give_file(MARIADB, 4, 12);
    last = expect_last();
    in.expect.data[in.expect.size / 2] ^= 1;
    connect_at(FLAVOR_MARIADB, "mbin.000001", last.from);
    give_rotate("mbin.000001", last.from);
    give_format(MARIADB);

    cr_assert_eq(binlog_file_open(&f, MARIADB, &err), 0);
    f.offset = last.from;
    int rc = 0;
    while (rc == 0 && binlog_file_next(&f, &raw, &err) > 0)
        rc = give(raw, &did);
    binlog_file_close(&f);

    cr_expect_eq(rc, -EREMCHG, "%d", rc);
    cr_expect(strstr(err.text, "other events than we stored"), "%s", err.text);
}

static unsigned count_transactions(const struct gtid *without)
{
    struct journal_reader *r = journal_reader_new(j, JOURNAL_WRITTEN);
    struct journal_record rec;
    unsigned n = 0;

    journal_reader_seek(r, 1, &err);
    while (journal_reader_next(r, &rec, 0, &err) > 0) {
        n += rec.kind == JOURNAL_TXN;
        cr_expect(!without || rec.gtid.number != without->number);
    }
    journal_reader_free(r);
    return n;
}

Test(relay_ingest, passes_by_what_is_stored_elsewhere)
{
    unsigned n_all;
    struct gtid first;

    connect_at(FLAVOR_MYSQL, "ybin.000002", 4);
    give_rotate("ybin.000002", 4);
    give_file("tests/golden/recorded/ybin.000002", 4, UINT32_MAX);
    n_all = count_transactions(NULL);
    expect_last();
    {
        struct journal_reader *r = journal_reader_new(j, JOURNAL_WRITTEN);
        struct journal_record rec;

        journal_reader_seek(r, 1, &err);
        do
            cr_assert_eq(journal_reader_next(r, &rec, 0, &err), 1);
        while (!rec.gtid.number);
        first = rec.gtid;
        journal_reader_free(r);
    }
    close_all();
    open_all();

    in.skip = gtid_set_new(FLAVOR_MYSQL);
    gtid_set_add(in.skip, &first);
    connect_at(FLAVOR_MYSQL, "ybin.000002", 4);
    give_rotate("ybin.000002", 4);
    give_file("tests/golden/recorded/ybin.000002", 4, UINT32_MAX);

    cr_expect_eq(count_transactions(&first), n_all - 1);
}

Test(relay_ingest, numbers_files_by_their_suffix)
{
    cr_expect_eq(binlog_file_number("mysql-bin.1.000042"), 42);
    cr_expect_eq(binlog_file_number("bin"), 0);
}
