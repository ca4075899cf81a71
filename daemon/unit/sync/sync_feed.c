#include "unit/sync/sync_feed.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/control.h"
#include "journal/journal.h"
#include "unit/relay/relay.h"
#include "unit/relay/relay_ingest.h"

#define QUIET_MS 250     /* so often somebody looks whether the relay is still there */
#define CATCH_UP_MS 2000 /* a target ahead of the journal waits so long for it */
#define CATCH_UP_STEP_MS 20
#define FILE_WAIT_MS 30000

#define NEXT_POS_AT 13
#define CREATED_AT (EVENT_HEADER_SIZE + 2 + 50) /* in a format description */

struct feed {
    struct mysql_stream *stream; /* or: */
    struct source *source;
    struct journal *journal;
    struct journal_reader *reader;

    struct gtid_set *has; /* passed by; NULL: by place */
    char file[BINLOG_NAME_SIZE];
    uint64_t offset; /* ... up to here of it */
    bool behind;     /* the next record may be one that is passed by */
    struct journal_record record;
    bool in_record;
    uint32_t incarnation, file_no; /* of the file that was announced; 0: none was */
    bool by_place, checksum;
    bool moved;                  /* to another server: to be said */
    char source_id[128];         /* the server that the place to begin is of; "" not known */
    char name[BINLOG_NAME_SIZE]; /* of the file */
    struct buf made[2];          /* events that were made and not yet given out */
    unsigned n_made, next_made;
};

/* --- made events --- */

static void put_checksum(struct buf *out, size_t from)
{
    buf_le(out, event_crc32((const uint8_t *)out->data + from, out->size - from),
           EVENT_CHECKSUM_SIZE);
}

void fake_rotate(struct buf *out, const char *file, uint64_t offset, bool checksum)
{
    size_t from = out->size;
    size_t size = EVENT_HEADER_SIZE + 8 + strlen(file) + (checksum ? EVENT_CHECKSUM_SIZE : 0);

    buf_le(out, 0, 4); /* time */
    buf_le(out, EVENT_ROTATE, 1);
    buf_le(out, 0, 4); /* server_id */
    buf_le(out, size, 4);
    buf_le(out, 0, 4); /* it ends nowhere */
    buf_le(out, EVENT_FLAG_ARTIFICIAL, 2);
    buf_le(out, offset, 8);
    buf_str(out, file);
    if (checksum)
        put_checksum(out, from);
}

int fake_format(struct buf *out, struct slice raw, struct err *err)
{
    size_t from = out->size;

    if (raw.size < CREATED_AT + 4 + EVENT_CHECKSUM_SIZE)
        return err_set(err, -EBADMSG, "a format description of %zu bytes", raw.size);
    buf_add(out, raw.data, raw.size - EVENT_CHECKSUM_SIZE);
    memset(out->data + from + NEXT_POS_AT, 0, 4);
    memset(out->data + from + CREATED_AT, 0, 4); /* nothing that is open ends here */
    put_checksum(out, from);
    return 0;
}

/* --- where in the journal --- */

/* Only what is on disk can be found, and a target may be ahead of that: legal, and made up for
 * soon.  Then reading begins with what is not on disk yet, and passes by what the target has. */
static bool is_behind(struct journal *j, const struct gtid_set *has, uint64_t end)
{
    struct err none = ERR_INIT;
    struct gtid_set *all = journal_gtids_before(j, end, &none);
    bool yes = all && gtid_set_flavor(all) == gtid_set_flavor(has) && gtid_set_subset(all, has);

    gtid_set_free(all);
    return yes;
}

/* 0, -EAGAIN: the journal ends before, -ENOENT: it does not have the place. */
static int find_by_set(struct journal *j, const struct gtid_set *has, uint64_t *seq)
{
    struct err why = ERR_INIT;
    struct journal_state state;
    uint64_t end;

    journal_state(j, &state);
    end = state.durable_seq + 1;
    if (journal_find_set(j, has, seq, NULL, NULL, &why) == 0)
        return 0;
    if (state.durable_seq == 0 || !is_behind(j, has, end))
        return -ENOENT;
    *seq = end;
    return -EAGAIN;
}

/* Tasks know a MariaDB by its bare server_id. */
static void server_for_tasks(struct source *s, uint32_t incarnation, char ret[static 64])
{
    static const char prefix[] = "server_id ";
    size_t n = sizeof prefix - 1;

    if (!relay_server_of(s, incarnation, ret))
        ret[0] = '\0';
    if (strncmp(ret, prefix, n) == 0)
        memmove(ret, ret + n, strlen(ret + n) + 1);
}

static bool is_of_server(struct source *s, const char *source_id, uint32_t incarnation)
{
    char server[64];

    server_for_tasks(s, incarnation, server);
    return !source_id[0] || strcmp(server, source_id) == 0;
}

static bool same_server(const struct feed_config *c, struct journal *j, uint64_t seq)
{
    struct journal_file f = { .no = 0 };
    struct err none = ERR_INIT;
    bool same;

    if (journal_file_of(j, seq, &f, &none) < 0)
        return false;
    same = is_of_server(c->source, c->source_id, f.incarnation);
    journal_file_fini(&f);
    return same;
}

struct old_file {
    const struct feed_config *c;
    const struct position *at;
    uint64_t first_seq; /* of the newest that is it; 0: none */
    uint32_t incarnation;
};

static bool see_file(void *arg, const struct journal_file *f)
{
    struct old_file *o = arg;

    if (strcmp(f->name, o->at->file) == 0 && f->from <= o->at->offset && o->at->offset <= f->end &&
        is_of_server(o->c->source, o->c->source_id, f->incarnation)) {
        o->first_seq = f->first_seq;
        o->incarnation = f->incarnation;
    }
    return true;
}

/* In a file of a server that was the source before: read through, since only the newest files are
 * found by their places. */
static int find_in_old(const struct feed_config *c, struct journal *j, const struct position *from,
                       uint64_t *seq)
{
    struct old_file o = { .c = c, .at = from };
    struct journal_record r = { .seq = 0 };
    struct err none = ERR_INIT;
    struct journal_reader *reader;
    int rc = journal_files(j, see_file, &o, &none);

    if (rc < 0 || !o.first_seq)
        return -ENOENT;
    reader = journal_reader_new(j, JOURNAL_DURABLE);
    rc = journal_reader_seek(reader, o.first_seq, &none);
    while (rc >= 0 && (rc = journal_reader_next(reader, &r, 0, &none)) > 0)
        if (r.incarnation != o.incarnation || r.from >= from->offset)
            break;
    journal_reader_free(reader);
    *seq = r.seq;
    return rc > 0 ? 0 : -ENOENT;
}

static int find_by_place(const struct feed_config *c, struct journal *j,
                         const struct position *from, uint64_t *seq)
{
    struct err why = ERR_INIT;
    struct journal_state state;
    struct position end = { .offset = 0 };
    uint64_t last;
    bool behind;

    journal_state(j, &state);
    last = state.durable_seq;
    if (last == 0)
        return -ENOENT;
    if (journal_find_place(j, from->file, from->offset < 4 ? 4 : from->offset, seq, &why) == 0)
        return same_server(c, j, *seq < last ? *seq : last) ? 0 : find_in_old(c, j, from, seq);
    journal_position(j, &end);
    behind = end.file[0] && position_compare(&end, from) <= 0 && same_server(c, j, last);
    position_fini(&end);
    if (!behind)
        return find_in_old(c, j, from, seq);
    *seq = last + 1;
    return -EAGAIN;
}

static bool by_place(const struct feed_config *c, const struct position *from)
{
    return !c->stream->by_gtid || !from->gtids;
}

static int find_once(const struct feed_config *c, struct journal *j, const struct position *from,
                     uint64_t *seq)
{
    return by_place(c, from) ? find_by_place(c, j, from, seq) : find_by_set(j, from->gtids, seq);
}

/* Waits a little for a journal that is just behind. */
static int find(const struct feed_config *c, struct journal *j, const struct position *from,
                uint64_t *seq, bool wait)
{
    int64_t until_us = clock_mono_us() + CATCH_UP_MS * 1000LL;
    struct relay_tip tip;
    int rc;

    for (;;) {
        relay_tip(c->source, &tip);
        rc = tip.at_work ? find_once(c, j, from, seq) : -ENOENT;
        if (rc == -EAGAIN && tip.caught_up)
            return 0; /* it has all that there is */
        if (rc != -EAGAIN || !wait || clock_mono_us() > until_us)
            return rc;
        poll(NULL, 0, CATCH_UP_STEP_MS);
    }
}

/* --- opening --- */

static void pass_by(struct feed *f, const struct feed_config *c, const struct position *from)
{
    f->by_place = by_place(c, from);
    f->behind = true;
    f->offset = from->offset;
    memcpy(f->file, from->file, sizeof f->file);
    snprintf(f->source_id, sizeof f->source_id, "%s", c->source_id);
    if (!f->by_place)
        f->has = gtid_set_copy(from->gtids);
}

/* NULL: the journal is not there, or does not have it. */
static struct feed *open_stored(const struct feed_config *c, const struct position *from)
{
    struct journal *j = c->source && !c->no_journal ? source_journal(c->source) : NULL;
    struct err none = ERR_INIT;
    struct feed *f;
    uint64_t seq;

    if (!j)
        return NULL;
    if (find(c, j, from, &seq, true) < 0) {
        journal_close(j);
        return NULL;
    }
    f = xcalloc(1, sizeof *f);
    f->source = c->source;
    f->journal = j;
    f->reader = journal_reader_new(j, JOURNAL_WRITTEN);
    pass_by(f, c, from);
    if (journal_reader_seek(f->reader, seq, &none) < 0) {
        feed_close(f);
        return NULL;
    }
    return f;
}

int feed_open(struct feed **ret, const struct feed_config *c, const struct position *from,
              struct err *err)
{
    struct feed *f = open_stored(c, from);
    int rc = 0;

    if (!f) {
        f = xcalloc(1, sizeof *f);
        rc = mysql_stream_open(&f->stream, c->params, from, c->stream, err);
    }
    if (rc < 0)
        free(f);
    else
        *ret = f;
    return rc;
}

bool feed_is_stored(const struct feed_config *c, const struct position *from, bool wait)
{
    struct journal *j = c->source && !c->no_journal ? source_journal(c->source) : NULL;
    uint64_t seq;
    bool yes = j && find(c, j, from, &seq, wait) == 0;

    journal_close(j);
    return yes;
}

void feed_close(struct feed *f)
{
    if (!f)
        return;
    mysql_stream_close(f->stream);
    journal_reader_free(f->reader);
    journal_close(f->journal);
    gtid_set_free(f->has);
    buf_fini(&f->made[0]);
    buf_fini(&f->made[1]);
    free(f);
}

void feed_shutdown(struct feed *f)
{
    if (f->stream)
        mysql_stream_shutdown(f->stream);
    else
        journal_reader_stop(f->reader);
}

/* --- reading --- */

bool feed_stored(const struct feed *f)
{
    return f->reader != NULL;
}

bool feed_ready(const struct feed *f)
{
    if (f->stream)
        return mysql_stream_ready(f->stream);
    return f->next_made < f->n_made || f->in_record || journal_reader_ready(f->reader);
}

bool feed_at_tip(const struct feed *f)
{
    struct relay_tip tip;

    if (f->stream)
        return true;
    relay_tip(f->source, &tip);
    return tip.caught_up;
}

int64_t feed_heard_us(const struct feed *f)
{
    struct relay_tip tip;

    if (f->stream)
        return clock_wall_us();
    relay_tip(f->source, &tip);
    return tip.heard_us;
}

/* A record that the reader has already. */
static bool is_passed(struct feed *f)
{
    const struct gtid *g = &f->record.gtid;
    struct gtid none = *g;

    if (!f->behind)
        return false;
    if (f->by_place) {
        uint32_t no = binlog_file_number(f->file);

        f->behind =
            f->record.file_no < no || (f->record.file_no == no && f->record.to <= f->offset);
        return f->behind;
    }
    if (!g->number)
        return false;
    if (gtid_set_has(f->has, g))
        return true;
    if (g->flavor == FLAVOR_MARIADB) {
        none.number = 0; /* of its domain all others are new, whatever their numbers */
        gtid_set_add(f->has, &none);
    }
    return false;
}

static int has_checksum(struct slice format, bool *ret, struct err *err)
{
    struct event_format fmt = { .checksum = 0 };
    struct event ev;
    uint32_t created;
    int rc = event_parse(format, &fmt, false, &ev, err);

    if (rc == 0)
        rc = format_decode(&ev, &fmt, &created, err);
    if (rc == 0)
        *ret = fmt.checksum != 0;
    return rc;
}

/* The reader sees a rotation, in the form of the file before, and a description. */
static int announce(struct feed *f, const struct journal_file *file, struct err *err)
{
    bool first = f->file_no == 0 && f->incarnation == 0, checksum = false;
    int rc = has_checksum(file->format, &checksum, err);

    buf_clear(&f->made[0]);
    buf_clear(&f->made[1]);
    fake_rotate(&f->made[0], file->name, f->record.from, first ? checksum : f->checksum);
    if (rc == 0)
        rc = fake_format(&f->made[1], file->format, err);
    f->n_made = 2;
    f->next_made = 0;
    f->checksum = checksum;
    f->incarnation = file->incarnation;
    f->file_no = file->no;
    memcpy(f->name, file->name, sizeof f->name);
    return rc;
}

/* The index has it once the record is on disk; a disk that fails is the relay's trouble, not ours.
 */
static int file_of_record(struct feed *f, struct journal_file *ret, struct err *err)
{
    const struct journal_record *r = &f->record;
    struct err why = ERR_INIT;

    if (journal_wait_durable(f->journal, r->seq, FILE_WAIT_MS, &why) == 0)
        return journal_file_of(f->journal, r->seq, ret, err);
    poll(NULL, 0, QUIET_MS); /* or we are back before it has stopped */
    return err_set(err, -ECONNRESET, "the relay does not get a new file to its disk: %s", why.text);
}

/* Is the record at hand of another server than what came before?  The first one is when the place
 * to begin was the end of the former server's binlog. */
static bool is_of_another(const struct feed *f)
{
    uint32_t incarnation = f->record.incarnation;

    return f->incarnation ? incarnation != f->incarnation
                          : !is_of_server(f->source, f->source_id, incarnation);
}

static int enter_file(struct feed *f, struct err *err)
{
    const struct journal_record *r = &f->record;
    struct journal_file file = { .no = 0 };
    int rc;

    if (f->incarnation == r->incarnation && f->file_no == r->file_no)
        return 0;
    if (f->by_place && is_of_another(f)) {
        f->moved = true;
        f->behind = false;
    }
    rc = file_of_record(f, &file, err);
    if (rc == 0)
        rc = announce(f, &file, err);
    journal_file_fini(&file);
    return rc;
}

/* 1: the next record that counts is at hand; FEED_QUIET; or why there is none. */
static int next_record(struct feed *f, struct err *err)
{
    struct relay_tip tip;
    int rc;

    do {
        rc = journal_reader_next(f->reader, &f->record, QUIET_MS, err);
        if (rc == 1 && enter_file(f, err) < 0)
            return err->code;
    } while (rc == 1 && is_passed(f));
    if (rc == 1) {
        f->in_record = true;
        rc = f->moved ? FEED_MOVED : 1;
        f->moved = false;
        return rc;
    }
    if (rc == -ERANGE)
        return err_set(err, -ECONNRESET, "what was to be read of the relay is deleted");
    if (rc != 0)
        return rc;
    relay_tip(f->source, &tip);
    if (!tip.at_work)
        return err_set(err, -ECONNRESET, "the relay does not run any more");
    return FEED_QUIET;
}

static int next_stored(struct feed *f, struct slice *ret, struct err *err)
{
    int rc = 0;

    while (rc == 0) {
        if (f->next_made < f->n_made) {
            const struct buf *b = &f->made[f->next_made++];

            *ret = slice_of(b->data, b->size);
            return 1;
        }
        if (f->in_record) {
            rc = journal_reader_event(f->reader, ret, err);
            f->in_record = rc > 0;
        } else {
            rc = next_record(f, err);
            if (rc == 1)
                rc = 0;
        }
    }
    return rc;
}

void feed_moved(const struct feed *f, struct position *ret, char server[static 64])
{
    memcpy(ret->file, f->name, sizeof ret->file);
    ret->offset = f->record.from;
    server_for_tasks(f->source, f->incarnation, server);
}

int feed_next(struct feed *f, struct slice *ret, struct err *err)
{
    return f->stream ? mysql_stream_next(f->stream, ret, err) : next_stored(f, ret, err);
}
