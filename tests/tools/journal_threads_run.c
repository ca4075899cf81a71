/*
 * journal_threads_run.c - a journal in memory with all its threads at once, for TSan.
 *
 *     journal_threads_run RECORDS [READERS]
 *
 * One writer; readers of both depths, of which some lag; one that finds; one that collects. Each
 * reader must see each record once, in order, as it was written, or be told that it is purged.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/thread.h"
#include "binlog/event.h"
#include "journal/journal.h"

enum { MAX_READERS = 64 };

static struct journal *journal;
static uint64_t n_records;
static _Atomic bool writing = true;
static _Atomic uint64_t n_seen, n_purged;

static void fail(const char *what, uint64_t n, const struct err *err)
{
    fprintf(stderr, "journal_threads_run: %s (%" PRIu64 "): %s\n", what, n, err->text);
    exit(1);
}

static size_t size_of(uint64_t n)
{
    return n % 50 == 7 ? 70000 + n * 13 % 100000 : EVENT_HEADER_SIZE + n * 131 % 4000;
}

static void make_event(struct buf *out, uint64_t n)
{
    size_t size = size_of(n);

    buf_clear(out);
    buf_le(out, n, 4);
    buf_byte(out, EVENT_QUERY);
    buf_le(out, 1, 4);
    buf_le(out, size, 4);
    buf_le(out, n, 6);
    while (out->size < size)
        buf_le(out, n * 7 + out->size, size - out->size < 8 ? (unsigned)(size - out->size) : 8);
}

static void begin(struct err *err)
{
    struct journal_file f = { .incarnation = 1, .no = 1, .name = "bin.000001", .from = 4 };
    struct gtid_set *none = gtid_set_new(FLAVOR_MARIADB);
    struct journal_head h;

    if (journal_write_begin(journal, &h, err) < 0 ||
        journal_incarnation(journal, "s", none, err) < 0 ||
        journal_file_begin(journal, &f, err) < 0)
        fail("begin", 0, err);
    journal_head_fini(&h);
    gtid_set_free(none);
}

static void *write_all(void *arg)
{
    SCOPED(buf_fini) struct buf e = BUF_INIT;
    struct err err = ERR_INIT;
    uint64_t offset = 4, safe;

    (void)arg;
    begin(&err);
    for (uint64_t n = 1; n <= n_records; n++) {
        struct journal_record r = {
            .kind = JOURNAL_TXN,
            .type = EVENT_QUERY,
            .gtid = { .flavor = FLAVOR_MARIADB, .server_id = 1, .number = n },
            .incarnation = 1,
            .file_no = 1,
            .from = offset,
            .to = offset + size_of(n)
        };

        make_event(&e, n);
        if (journal_add(journal, slice_of(e.data, e.size), &err) < 0 ||
            journal_commit(journal, &r, &err) < 0 ||
            (n % 5 == 0 && journal_flush(journal, &err) < 0) ||
            (n % 97 == 0 && journal_wait_durable(journal, n, -1, &err) < 0) ||
            (n % 301 == 0 && journal_idle(journal, &safe, &err) < 0))
            fail("write", n, &err);
        offset = r.to;
    }
    if (journal_flush(journal, &err) < 0 || journal_wait_durable(journal, n_records, -1, &err) < 0)
        fail("sync", n_records, &err);
    atomic_store(&writing, false);
    if (journal_write_end(journal, &err) < 0)
        fail("end", n_records, &err);
    return NULL;
}

static uint64_t go_on_behind(struct journal_reader *r)
{
    struct journal_state st;
    struct err err = ERR_INIT;

    do
        journal_state(journal, &st);
    while (journal_reader_seek(r, st.first_seq, &err) == -ERANGE);
    atomic_fetch_add(&n_purged, 1);
    return st.first_seq;
}

static void *read_all(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    struct journal_reader *r =
        journal_reader_new(journal, me % 2 ? JOURNAL_WRITTEN : JOURNAL_DURABLE);
    SCOPED(buf_fini) struct buf e = BUF_INIT;
    struct journal_record rec;
    struct slice got;

    for (uint64_t n = 1; n <= n_records; n++) {
        struct err err = ERR_INIT;
        int rc = journal_reader_next(r, &rec, 20000, &err);

        if (rc > 0 && rec.seq == n)
            rc = journal_reader_event(r, &got, &err);
        if (rc == -ERANGE || rc == -EBADMSG) {
            struct journal_state st;

            journal_state(journal, &st);
            if (st.first_seq <= n)
                fail("damaged", n, &err);
            n = go_on_behind(r) - 1;
            continue;
        }
        make_event(&e, n);
        if (rc != 1 || rec.seq != n || !slice_eq(got, slice_of(e.data, e.size)))
            fail("read", n, &err);
        atomic_fetch_add(&n_seen, 1);
        if (me % 4 == 3 && n % 100 == 0)
            usleep(1000);
    }
    journal_reader_free(r);
    return NULL;
}

static void *find_all(void *arg)
{
    struct gtid g = { .flavor = FLAVOR_MARIADB, .server_id = 1 };
    uint64_t n = 1, seq;

    (void)arg;
    while (atomic_load(&writing)) {
        struct err err = ERR_INIT;
        int rc;

        g.number = n++ % n_records + 1;
        rc = journal_find_gtid(journal, &g, &seq, &err);
        if (rc == 0 ? seq != g.number : rc != -ENOENT && rc != -ERANGE && rc != -EBADMSG)
            fail("find", g.number, &err);
        gtid_set_free(journal_purged(journal));
    }
    return NULL;
}

static void *collect(void *arg)
{
    struct journal_keep keep = { .max_bytes = 3000000 };

    (void)arg;
    while (atomic_load(&writing)) {
        struct journal_gone gone;
        struct err err = ERR_INIT;

        if (journal_hold(journal, "x", UINT64_MAX, true, &err) < 0 ||
            journal_gc(journal, &keep, &gone, &err) < 0)
            fail("gc", 0, &err);
        usleep(3000);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    unsigned n_readers = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 8;
    struct store *s = store_open_mem();
    struct journals *all = journals_new(s);
    pthread_t threads[MAX_READERS + 3];
    struct err err = ERR_INIT;
    unsigned n = 0;

    n_records = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    if (n_records == 0 || n_readers > MAX_READERS)
        return 2;
    if (journal_open(all, "s", true, &journal, &err) < 0)
        fail("open", 0, &err);
    threads[n++] = thread_start("write", write_all, NULL);
    threads[n++] = thread_start("find", find_all, NULL);
    threads[n++] = thread_start("collect", collect, NULL);
    for (unsigned i = 0; i < n_readers; i++)
        threads[n++] = thread_start("read", read_all, (void *)(uintptr_t)i);
    while (n > 0)
        thread_join(threads[--n]);
    journal_close(journal);
    journals_free(all);
    store_close(s);
    printf("%" PRIu64 " records seen, purged under a reader %" PRIu64 " times\n",
           atomic_load(&n_seen), atomic_load(&n_purged));
    return 0;
}
