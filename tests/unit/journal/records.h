/* records.h - records for journals in tests: events with true headers and bytes that follow from
 * a number, so that what is read can be told from anything else. */
#ifndef SLUICE_TESTS_RECORDS_H
#define SLUICE_TESTS_RECORDS_H

#include <criterion/criterion.h>
#include <errno.h>

#include "base/scope.h"
#include "binlog/event.h"
#include "journal/journal.h"

struct feed { /* where the source is */
    struct journal *j;
    uint64_t n; /* records so far: number n is the next */
    uint32_t incarnation, file_no;
    uint64_t offset;
    int64_t clock_us; /* of the next record's commit */
    enum flavor flavor;
    uint64_t gtid;
};

/* Event 'n' of 'size' bytes in all. */
static inline void make_event(struct buf *out, uint64_t n, size_t size)
{
    size_t at = out->size;
    uint64_t x = n * 6364136223846793005ULL + 1442695040888963407ULL;

    buf_le(out, n, 4);
    buf_byte(out, EVENT_QUERY);
    buf_le(out, 1, 4);
    buf_le(out, size, 4);
    buf_le(out, n, 4);
    buf_le(out, 0, 2);
    while (out->size < at + size) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        buf_byte(out, (char)(x >> 56));
    }
}

static inline struct gtid make_gtid(enum flavor flavor, uint64_t number)
{
    struct gtid g = { .flavor = flavor, .number = number };

    if (flavor == FLAVOR_MARIADB) {
        g.domain = (uint32_t)(number % 2);
        g.server_id = 7;
    } else {
        memset(g.uuid, 0x11, sizeof g.uuid);
    }
    return g;
}

static inline void make_file(struct feed *f, struct journal_file *ret, uint32_t no)
{
    *ret = (struct journal_file){ .incarnation = f->incarnation,
                                  .no = no,
                                  .from = 4,
                                  .created_us = 5,
                                  .format = slice_str("format") };
    snprintf(ret->name, sizeof ret->name, "bin.%06u", no);
}

static inline void feed_file(struct feed *f, uint32_t no)
{
    struct journal_file file;
    struct err err = ERR_INIT;

    make_file(f, &file, no);
    f->file_no = no;
    f->offset = 4;
    cr_assert_eq(journal_file_begin(f->j, &file, &err), 0, "%s", err.text);
}

static inline void feed_begin(struct feed *f, struct journal *j, enum flavor flavor)
{
    struct err err = ERR_INIT;
    struct journal_head h;
    struct gtid_set *none = gtid_set_new(flavor);

    *f =
        (struct feed){ .j = j, .n = 1, .incarnation = 1, .flavor = flavor, .clock_us = 1000000000 };
    cr_assert_eq(journal_write_begin(j, &h, &err), 0, "%s", err.text);
    journal_head_fini(&h);
    cr_assert_eq(journal_incarnation(j, "server_id 7", none, &err), 0, "%s", err.text);
    gtid_set_free(none);
    feed_file(f, 1);
}

/* A transaction of one event of 'size' bytes. */
static inline int feed_try(struct feed *f, size_t size, struct journal_record *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf e = BUF_INIT;
    struct journal_record r = { .kind = JOURNAL_TXN,
                                .type = EVENT_QUERY,
                                .commit_us = f->clock_us,
                                .gtid = make_gtid(f->flavor, f->n),
                                .incarnation = f->incarnation,
                                .file_no = f->file_no,
                                .from = f->offset,
                                .to = f->offset + size };
    int rc;

    make_event(&e, f->n, size);
    rc = journal_add(f->j, slice_of(e.data, e.size / 2), err);
    if (rc == 0)
        rc = journal_add(f->j, slice_of(e.data + e.size / 2, e.size - e.size / 2), err);
    if (rc == 0)
        rc = journal_commit(f->j, &r, err);
    if (rc < 0)
        return rc;
    f->n++;
    f->offset += size;
    *ret = r;
    return 0;
}

static inline struct journal_record feed_txn(struct feed *f, size_t size)
{
    struct journal_record r = { 0 };
    struct err err = ERR_INIT;

    cr_assert_eq(feed_try(f, size, &r, &err), 0, "%s", err.text);
    return r;
}

static inline void feed_sync(struct feed *f)
{
    struct err err = ERR_INIT;
    struct journal_state st;

    journal_state(f->j, &st);
    cr_assert_eq(journal_flush(f->j, &err), 0, "%s", err.text);
    cr_assert_eq(journal_wait_durable(f->j, st.next_seq - 1, 10000, &err), 0, "%s", err.text);
}

/* All of the record at hand is event 'n'. */
static inline void is_event(struct journal_reader *r, uint64_t n, size_t size)
{
    SCOPED(buf_fini) struct buf expected = BUF_INIT;
    struct slice got;
    struct err err = ERR_INIT;

    make_event(&expected, n, size);
    cr_assert_eq(journal_reader_event(r, &got, &err), 1, "%s", err.text);
    cr_assert(slice_eq(got, slice_of(expected.data, expected.size)), "record %llu",
              (unsigned long long)n);
    cr_assert_eq(journal_reader_event(r, &got, &err), 0);
}

#endif
