/*
 * journal_run.c - writes a journal, looks at what is in one, and measures.
 *
 *     journal_run DIR write [SEED]
 *         random records until it is killed; prints n when record n is on disk
 *     journal_run DIR check N
 *         at least N records, each as written, none missing, none twice; prints how many
 *     journal_run DIR around
 *         what can be read, which must be as written, and each damaged place; prints how many of
 *         both and the last place
 *     journal_run DIR full
 *         writes until the disk is full, says so, tries again till it can, and writes some more
 *     journal_run DIR groups SIZE SECONDS
 *         groups of SIZE bytes, each synced, and plain appends of the same, in turn; prints MB/s of
 *         the appends, of the journal with one group built meanwhile, and with none
 *     journal_run DIR readers N SECONDS
 *         N readers at the tip; prints resident MiB, records, CPU seconds
 *     journal_run DIR ingest FILE...
 *         all of these binlog files, as fast as it goes
 *     journal_run DIR read
 *         all records
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "binlog/event.h"
#include "binlog/file.h"
#include "journal/journal.h"
#include "unit/relay/relay_ingest.h"

static struct err err;

_Noreturn static void fail(const char *what, uint64_t n)
{
    fprintf(stderr, "journal_run: %s (%" PRIu64 "): %s\n", what, n, err.text);
    exit(1);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

/* Most are small, some as long as a block, few much longer. */
static size_t size_of(uint64_t n)
{
    uint64_t x = mix(n);

    switch (x % 64) {
    case 0:
        return 60000 + x / 64 % 12000;
    case 1:
        return x / 64 % 16 ? 200000 : 3000000 + x / 1024 % 1000000;
    default:
        return EVENT_HEADER_SIZE + x / 64 % 3000;
    }
}

static void make_event(struct buf *out, uint64_t n, size_t size)
{
    uint64_t x = n;

    buf_clear(out);
    buf_le(out, n, 4);
    buf_byte(out, EVENT_QUERY);
    buf_le(out, 1, 4);
    buf_le(out, size, 4);
    buf_le(out, n, 6);
    while (out->size < size) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        buf_le(out, x, size - out->size < 8 ? (unsigned)(size - out->size) : 8);
    }
}

struct out {
    struct journal *j;
    struct journal_head head;
    uint32_t file_no;
    uint64_t offset;
};

static void begin_file(struct out *o, uint32_t no)
{
    struct journal_file f = {
        .incarnation = 1, .no = no, .from = 4, .format = slice_str("format")
    };

    snprintf(f.name, sizeof f.name, "bin.%06u", no);
    if (journal_file_begin(o->j, &f, &err) < 0)
        fail("file", no);
    o->file_no = no;
    o->offset = 4;
}

static void begin(struct out *o, struct journal *j)
{
    struct gtid_set *empty = gtid_set_new(FLAVOR_MARIADB);

    *o = (struct out){ .j = j };
    if (journal_write_begin(j, &o->head, &err) < 0)
        fail("begin", 0);
    o->offset = o->head.pos.offset;
    o->file_no = (uint32_t)(o->head.pos.file[0] ? strtoul(o->head.pos.file + 4, NULL, 10) : 0);
    if (o->head.incarnation == 0 && journal_incarnation(j, "server_id 1", empty, &err) < 0)
        fail("incarnation", 0);
    if (o->file_no == 0)
        begin_file(o, 1);
    gtid_set_free(empty);
}

static int try_one(struct out *o, uint64_t n, struct slice bytes)
{
    struct journal_record r = { .kind = JOURNAL_TXN,
                                .type = EVENT_QUERY,
                                .commit_us = clock_wall_us(),
                                .gtid = { .flavor = FLAVOR_MARIADB, .server_id = 1, .number = n },
                                .incarnation = 1,
                                .file_no = o->file_no,
                                .from = o->offset,
                                .to = o->offset + bytes.size };

    if (journal_add(o->j, bytes, &err) < 0 || journal_commit(o->j, &r, &err) < 0)
        return -1;
    if (r.seq != n)
        fail("another seq than expected", r.seq);
    o->offset = r.to;
    return 0;
}

static void write_one(struct out *o, uint64_t n, struct slice bytes)
{
    if (try_one(o, n, bytes) < 0)
        fail("write", n);
}

/* --- write, check --- */

static int run_write(struct journal *j, uint64_t seed)
{
    SCOPED(buf_fini) struct buf e = BUF_INIT;
    uint64_t said = 0;
    struct journal_state st;
    struct out o;

    begin(&o, j);
    for (uint64_t n = o.head.next_seq;; n++) {
        make_event(&e, n, size_of(n));
        if (mix(n + seed) % 100 == 0)
            begin_file(&o, o.file_no + 1);
        write_one(&o, n, slice_of(e.data, e.size));
        if (mix(n + seed) % 7 == 0 && journal_flush(j, &err) < 0)
            fail("flush", n);
        if (mix(n + seed) % 500 == 1) {
            struct journal_keep keep = { .max_bytes = 20000000 };
            struct journal_gone gone;

            if (journal_gc(j, &keep, &gone, &err) < 0)
                fail("gc", n);
        }
        journal_state(j, &st);
        if (st.durable_seq != said) {
            said = st.durable_seq;
            printf("%" PRIu64 "\n", said);
            fflush(stdout);
        }
    }
    return 0;
}

static int run_check(struct journal *j, uint64_t at_least)
{
    SCOPED(buf_fini) struct buf e = BUF_INIT;
    struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct journal_record rec;
    struct journal_state st;
    struct journal_head h;
    struct slice got;
    uint64_t n, seq;
    int rc;

    journal_state(j, &st);
    if (st.durable_seq < at_least)
        fail("acknowledged, and lost", at_least);
    if (journal_reader_seek(r, st.first_seq, &err) < 0)
        fail("seek", st.first_seq);
    for (n = st.first_seq; (rc = journal_reader_next(r, &rec, 0, &err)) > 0; n++) {
        make_event(&e, n, size_of(n));
        if (rec.seq != n || rec.size != e.size || rec.gtid.number != n ||
            journal_reader_event(r, &got, &err) != 1 || !slice_eq(got, slice_of(e.data, e.size)))
            fail("garbled", n);
        if (n % 97 == 0 && (journal_find_gtid(j, &rec.gtid, &seq, &err) < 0 || seq != n ||
                            journal_find_ts(j, rec.commit_ts, &seq, &err) < 0 || seq != n))
            fail("not found", n);
    }
    if (rc < 0 || n != st.durable_seq + 1)
        fail("unreadable", n);
    journal_reader_free(r);
    if (journal_write_begin(j, &h, &err) < 0)
        fail("begin", n);
    if (h.next_seq != n ||
        (n > 1 && gtid_set_members(h.pos.gtids, &(size_t){ 0 })->id.number != n - 1))
        fail("the head is not where the records end", h.next_seq);
    journal_head_fini(&h);
    if (journal_write_end(j, &err) < 0)
        fail("end", n);
    printf("%" PRIu64 "\n", n - 1);
    return 0;
}

/* --- around damage --- */

static void must_be(struct journal_reader *r, const struct journal_record *rec)
{
    SCOPED(buf_fini) struct buf e = BUF_INIT;
    struct slice piece;
    size_t at = 0;
    int rc;

    make_event(&e, rec->seq, size_of(rec->seq));
    while ((rc = journal_reader_piece(r, &piece, &err)) > 0) {
        if (at + piece.size > e.size || memcmp(piece.data, e.data + at, piece.size) != 0)
            fail("wrong bytes", rec->seq);
        at += piece.size;
    }
    if (rc == 0 && at != e.size)
        fail("too few bytes", rec->seq);
}

static int run_around(struct journal *j)
{
    struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct journal_record rec;
    struct journal_state st;
    uint64_t good = 0, bad = 0, seq;
    char last[sizeof err.text] = "";

    journal_state(j, &st);
    for (seq = st.first_seq; seq <= st.durable_seq;) {
        int rc = journal_reader_seek(r, seq, &err);

        while (rc == 0 && (rc = journal_reader_next(r, &rec, 0, &err)) > 0) {
            if (rec.seq < seq)
                fail("another record than asked for", rec.seq);
            err = ERR_INIT;
            must_be(r, &rec);
            seq = rec.seq + 1;
            rc = err.code;
            good += rc == 0;
        }
        if (rc == 0)
            break;
        if ((rc != -EBADMSG && rc != -EIO) || !strstr(err.text, "bin.") ||
            !strstr(err.text, "record "))
            fail("not named", seq);
        snprintf(last, sizeof last, "%s", err.text);
        bad++;
        seq = journal_reader_beyond(r);
    }
    journal_reader_free(r);
    printf("%" PRIu64 " good, %" PRIu64 " bad: %s\n", good, bad, last);
    return 0;
}

/* --- full --- */

/* All that was written is on disk, or why not. */
static int sync_all(struct out *o, uint64_t last)
{
    return journal_flush(o->j, &err) < 0 ? -1 : journal_wait_durable(o->j, last, -1, &err);
}

static int run_full(struct journal *j)
{
    SCOPED(buf_fini) struct buf e = BUF_INIT;
    struct out o;
    uint64_t n;

    begin(&o, j);
    for (n = o.head.next_seq;; n++) {
        make_event(&e, n, size_of(n));
        if (try_one(&o, n, slice_of(e.data, e.size)) < 0)
            break;
    }
    printf("full at %" PRIu64 ": %s\n", n, err.text);
    fflush(stdout);
    if (err.code != -ENOSPC)
        fail("another error than expected", n);
    journal_drop(j);
    while (sync_all(&o, n - 1) < 0)
        if (err.code != -ENOSPC)
            fail("another error than expected", n);
        else
            usleep(100000);
    printf("again at %" PRIu64 "\n", n);
    fflush(stdout);
    for (uint64_t end = n + 2000; n < end; n++) {
        make_event(&e, n, size_of(n));
        write_one(&o, n, slice_of(e.data, e.size));
    }
    if (journal_write_end(j, &err) < 0)
        fail("end", n);
    printf("%" PRIu64 "\n", n - 1);
    return 0;
}

/* --- figures --- */

static double seconds(int64_t since_us)
{
    return (double)(clock_mono_us() - since_us) / 1e6;
}

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static uint64_t append_plain(int fd, struct slice group, double for_s)
{
    int64_t begun = clock_mono_us();
    uint64_t n = 0;

    for (; seconds(begun) < for_s; n++)
        if (write(fd, group.data, group.size) != (ssize_t)group.size || fdatasync(fd) < 0)
            fail("plain append", n);
    return n;
}

/* 'deep' groups are built at most while one is synced: 0 is one after another. */
static uint64_t append_journal(struct out *o, uint64_t *seq, struct slice group, unsigned deep,
                               double for_s)
{
    int64_t begun = clock_mono_us();
    uint64_t n = 0;

    for (; seconds(begun) < for_s; n++) {
        write_one(o, *seq, group);
        if (journal_flush(o->j, &err) < 0 ||
            (*seq > deep && journal_wait_durable(o->j, *seq - deep, -1, &err) < 0))
            fail("flush", n);
        ++*seq;
    }
    if (journal_wait_durable(o->j, *seq - 1, -1, &err) < 0)
        fail("sync", n);
    return n;
}

static int run_groups(struct journal *j, const char *dir, size_t size, double for_s)
{
    SCOPED(buf_fini) struct buf e = BUF_INIT;
    SCOPED(freep) char *path = xasprintf("%s/plain", dir);
    SCOPED(closep) int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    enum { TURNS = 20 };
    uint64_t plain = 0, one = 0, piped = 0, seq;
    struct slice group;
    struct out o;

    begin(&o, j);
    seq = o.head.next_seq;
    make_event(&e, seq, size);
    group = slice_of(e.data, e.size);
    for (int i = 0; i < TURNS; i++) {
        plain += append_plain(fd, group, for_s / TURNS);
        piped += append_journal(&o, &seq, group, 1, for_s / TURNS);
        one += append_journal(&o, &seq, group, 0, for_s / TURNS);
    }
    unlink(path);
    if (journal_write_end(j, &err) < 0)
        fail("end", seq);
    printf("%.3f %.3f %.3f\n", (double)(plain * size) / for_s / 1e6,
           (double)(piped * size) / for_s / 1e6, (double)(one * size) / for_s / 1e6);
    return 0;
}

/* --- many readers at the tip --- */

static _Atomic uint64_t n_delivered;

static void *read_tip(void *arg)
{
    struct journal_reader *r = arg;
    struct journal_record rec;
    struct err e = ERR_INIT;

    while (journal_reader_next(r, &rec, -1, &e) > 0)
        atomic_fetch_add(&n_delivered, 1);
    return NULL;
}

static uint64_t resident_kib(void)
{
    uint64_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f || fscanf(f, "%*u %" SCNu64, &pages) != 1)
        fail("statm", 0);
    fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

static uint64_t write_for(struct out *o, double for_s, uint64_t *most)
{
    SCOPED(buf_fini) struct buf e = BUF_INIT;
    int64_t begun = clock_mono_us();
    uint64_t seq = o->head.next_seq;

    make_event(&e, 1, 1000);
    for (; seconds(begun) < for_s; seq++) {
        write_one(o, seq, slice_of(e.data, e.size));
        if (seq % 16 == 0 && journal_flush(o->j, &err) < 0)
            fail("flush", seq);
        if (seq % 200 == 0) {
            *most = resident_kib() > *most ? resident_kib() : *most;
            usleep(10000); /* 20,000 a second at most */
        }
    }
    if (journal_wait_durable(o->j, seq - 1, -1, &err) < 0)
        fail("sync", seq);
    return seq - o->head.next_seq;
}

static int run_readers(struct journal *j, unsigned n, double for_s)
{
    pthread_t *threads = xcalloc(n, sizeof *threads);
    struct journal_reader **readers = xcalloc(n, sizeof *readers);
    uint64_t written, most = 0;
    struct out o;

    begin(&o, j);
    for (unsigned i = 0; i < n; i++) {
        readers[i] = journal_reader_new(j, i % 2 ? JOURNAL_WRITTEN : JOURNAL_DURABLE);
        threads[i] = thread_start("reader", read_tip, readers[i]);
    }
    written = write_for(&o, for_s, &most);
    while (atomic_load(&n_delivered) < written * n)
        usleep(1000);
    for (unsigned i = 0; i < n; i++) {
        journal_reader_stop(readers[i]);
        thread_join(threads[i]);
        journal_reader_free(readers[i]);
    }
    free(threads);
    free(readers);
    if (journal_write_end(j, &err) < 0)
        fail("end", written);
    printf("%" PRIu64 " %" PRIu64 " %.3f\n", most / 1024, written, cpu_seconds());
    return 0;
}

static void ingest_file(struct ingest *in, const char *path, uint64_t *txns)
{
    const char *slash = strrchr(path, '/');
    struct position from = { .offset = BINLOG_MAGIC_SIZE };
    struct binlog_file f;
    struct ingest_did did;
    struct slice raw;
    int rc;

    snprintf(from.file, sizeof from.file, "%s", slash ? slash + 1 : path);
    if (binlog_file_open(&f, path, &err) < 0)
        fail("open file", 0);
    ingest_connect(in, FLAVOR_MARIADB, &from);
    while ((rc = binlog_file_next(&f, &raw, &err)) > 0) {
        if (ingest_event(in, raw, &did, &err) < 0)
            fail("ingest", *txns);
        *txns += did.committed && did.record.kind == JOURNAL_TXN;
    }
    if (rc < 0)
        fail("file", *txns);
    binlog_file_close(&f);
}

static int run_ingest(struct journal *j, char **files)
{
    struct journal_head head;
    struct journal_state st;
    struct ingest in;
    uint64_t txns = 0;
    int64_t begun = clock_mono_us();
    double s;

    if (journal_write_begin(j, &head, &err) < 0 ||
        journal_incarnation(j, "server_id 1", NULL, &err) < 0)
        fail("begin", 0);
    ingest_init(&in, j, &head.pos, 1);
    for (; *files; files++)
        ingest_file(&in, *files, &txns);
    if (journal_write_end(j, &err) < 0)
        fail("end", txns);
    s = seconds(begun);
    journal_state(j, &st);
    ingest_fini(&in);
    journal_head_fini(&head);
    printf("%.0f transactions/s, %.0f MB/s, %" PRIu64 " transactions, %.3f s, %.3f CPU s\n",
           (double)txns / s, (double)st.bytes / s / 1e6, txns, s, cpu_seconds());
    return 0;
}

static int run_read(struct journal *j)
{
    struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct journal_record rec;
    struct journal_state st;
    struct slice piece;
    uint64_t n = 0, size = 0;
    int64_t begun = clock_mono_us();
    double s;
    int rc;

    journal_state(j, &st);
    if (journal_reader_seek(r, st.first_seq, &err) < 0)
        fail("seek", st.first_seq);
    while ((rc = journal_reader_next(r, &rec, 0, &err)) > 0) {
        while ((rc = journal_reader_piece(r, &piece, &err)) > 0)
            size += piece.size;
        if (rc < 0)
            break;
        n++;
    }
    if (rc < 0)
        fail("read", n);
    journal_reader_free(r);
    s = seconds(begun);
    printf("%" PRIu64
           " records, %.0f MB, %.3f s, %.0f MB/s, %.0f records/s, on disk %.0f MB, %.3f CPU s\n",
           n, (double)size / 1e6, s, (double)size / 1e6 / s, (double)n / s,
           (double)st.disk_bytes / 1e6, cpu_seconds());
    return 0;
}

int main(int argc, char **argv)
{
    struct journals *all;
    struct journal *j;
    struct store *s;
    const char *verb = argc > 2 ? argv[2] : "";
    int rc = 2;

    if (argc < 3 || store_open(argv[1], &s, &err) < 0)
        fail("usage: journal_run DIR VERB", 0);
    all = journals_new(s);
    if (journal_open(all, "s", true, &j, &err) < 0)
        fail("open", 0);
    if (strcmp(verb, "write") == 0)
        rc = run_write(j, argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
    else if (strcmp(verb, "check") == 0)
        rc = run_check(j, argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
    else if (strcmp(verb, "around") == 0)
        rc = run_around(j);
    else if (strcmp(verb, "full") == 0)
        rc = run_full(j);
    else if (strcmp(verb, "groups") == 0 && argc > 4)
        rc = run_groups(j, argv[1], strtoull(argv[3], NULL, 10), strtod(argv[4], NULL));
    else if (strcmp(verb, "readers") == 0 && argc > 4)
        rc = run_readers(j, (unsigned)strtoul(argv[3], NULL, 10), strtod(argv[4], NULL));
    else if (strcmp(verb, "ingest") == 0)
        rc = run_ingest(j, argv + 3);
    else if (strcmp(verb, "read") == 0)
        rc = run_read(j);
    journal_close(j);
    journals_free(all);
    store_close(s);
    return rc;
}
