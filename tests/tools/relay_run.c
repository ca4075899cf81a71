/*
 * relay_run.c - what a relay has stored, as the files of its source.
 *
 *     relay_run DATA SOURCE FOLDER    the journal SOURCE of the store in DATA (no daemon has it
 * open): each file of the source below FOLDER, with the bytes at the offsets where the source has
 * them; "name from end" a line
 *
 * Later incarnations go to FOLDER/<incarnation>/.  Fails on a gap between two records.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal.h"

static struct err err;

static void fail(const char *what)
{
    fprintf(stderr, "relay_run: %s: %s\n", what, err.code ? err.text : strerror(errno));
    exit(1);
}

struct out {
    const char *folder;
    struct journal *journal;
    uint32_t incarnation, file_no, first_incarnation;
    char name[BINLOG_NAME_SIZE];
    int fd;
    uint64_t from, at;
};

static void finish(struct out *o)
{
    if (o->fd < 0)
        return;
    printf("%s %" PRIu64 " %" PRIu64 "\n", o->name, o->from, o->at);
    close(o->fd);
    o->fd = -1;
}

static void begin(struct out *o, const struct journal_record *r)
{
    struct journal_file f = { .no = 0 };
    char dir[64] = ".";

    finish(o);
    if (journal_file_of(o->journal, r->seq, &f, &err) < 0)
        fail("file");
    if (!o->first_incarnation)
        o->first_incarnation = r->incarnation;
    if (r->incarnation != o->first_incarnation)
        snprintf(dir, sizeof dir, "%u", r->incarnation);
    SCOPED(freep) char *folder = xasprintf("%s/%s", o->folder, dir);
    SCOPED(freep) char *path = xasprintf("%s/%s", folder, f.name);

    mkdir(folder, 0755);
    o->fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    if (o->fd < 0 || pwrite(o->fd,
                            "\xfe"
                            "bin",
                            4, 0) != 4)
        fail(path);
    memcpy(o->name, f.name, sizeof o->name);
    o->incarnation = r->incarnation;
    o->file_no = r->file_no;
    o->from = o->at = r->from;
    journal_file_fini(&f);
}

static void copy(struct out *o, struct journal_reader *reader, const struct journal_record *r)
{
    struct slice piece;
    uint64_t size = 0;
    int rc;

    if (o->fd < 0 || o->incarnation != r->incarnation || o->file_no != r->file_no)
        begin(o, r);
    if (r->from != o->at) {
        fprintf(stderr,
                "relay_run: record %" PRIu64 " is at %" PRIu64 ", the one before ends at %" PRIu64
                "\n",
                r->seq, r->from, o->at);
        exit(1);
    }
    while ((rc = journal_reader_piece(reader, &piece, &err)) > 0) {
        /* What was left out comes first. */
        if (pwrite(o->fd, piece.data, piece.size, (off_t)(r->to - r->size + size)) !=
            (ssize_t)piece.size)
            fail("write");
        size += piece.size;
    }
    if (rc < 0 || size != r->size)
        fail("record");
    o->at = r->to;
}

int main(int argc, char **argv)
{
    struct out o = { .fd = -1 };
    struct store *store;
    struct journal_reader *reader;
    struct journal_record r;
    struct journal_state state;
    uint64_t seq = 0;
    int rc;

    if (argc != 4)
        return 2;
    o.folder = argv[3];
    if (store_open(argv[1], &store, &err) < 0)
        fail("store");
    struct journals *all = journals_new(store);

    if (journal_open(all, argv[2], false, &o.journal, &err) < 0)
        fail("journal");
    journal_state(o.journal, &state);
    reader = journal_reader_new(o.journal, JOURNAL_DURABLE);
    if (journal_reader_seek(reader, state.first_seq, &err) < 0)
        fail("seek");
    while ((rc = journal_reader_next(reader, &r, 0, &err)) > 0) {
        if (seq && r.seq != seq + 1)
            fail("a number is missing");
        seq = r.seq;
        copy(&o, reader, &r);
    }
    finish(&o);
    if (rc < 0)
        fail("next");
    journal_reader_free(reader);
    journal_close(o.journal);
    journals_free(all);
    store_close(store);
    return 0;
}
