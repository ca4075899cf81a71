/* From a commit_ts, a place, a GTID or a set of them to the seq of a record: the index says in
 * which stretch, the records say which. */
#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "journal/journal_impl.h"
#include "store/key.h"

struct range journal_range(struct journal *j)
{
    struct range r;

    mutex_lock(&j->lock);
    r = (struct range){ .first = j->first.seq,
                        .next = j->head.next_seq,
                        .gone_ts = j->first.commit_ts,
                        .open = j->stretch.n ? j->stretch.first_seq : j->head.next_seq };
    mutex_unlock(&j->lock);
    return r;
}

static struct span span_of(const struct journal *j, const struct range *r)
{
    return (struct span){ .store = j->store, .journal = j->name, .from = r->first, .to = r->next };
}

static void readerp(struct journal_reader **r)
{
    journal_reader_free(*r);
}

int journal_scan(struct journal *j, uint64_t from, uint64_t to,
                 bool (*wanted)(void *arg, const struct journal_record *r), void *arg,
                 struct journal_record *ret, struct err *err)
{
    SCOPED(readerp) struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct journal_record rec;
    int rc = from < to ? journal_reader_seek(r, from, err) : 0;

    while (rc == 0 && from < to) {
        rc = journal_reader_next(r, &rec, 0, err);
        if (rc <= 0 || rec.seq >= to)
            return rc < 0 ? rc : 0;
        if (wanted(arg, &rec)) {
            *ret = rec;
            return 1;
        }
        rc = 0;
    }
    return rc;
}

/* --- by commit_ts --- */

static bool stretch_before_ts(const void *arg, const struct stretch *s)
{
    return s->first_ts <= *(const uint64_t *)arg;
}

static bool record_from_ts(void *arg, const struct journal_record *r)
{
    return r->commit_ts >= *(const uint64_t *)arg;
}

int journal_find_ts(struct journal *j, uint64_t commit_ts, uint64_t *seq, struct err *err)
{
    struct range in = journal_range(j);
    struct journal_record r = { 0 };
    struct stretch s = { 0 };
    int rc;

    if (commit_ts <= in.gone_ts && in.gone_ts)
        return err_set(err, -ERANGE,
                       "journal %s: commit_ts %llu is purged, the last purged is %llu", j->name,
                       (unsigned long long)commit_ts, (unsigned long long)in.gone_ts);
    rc = search_stretch(span_of(j, &in), stretch_before_ts, &commit_ts, &s, err);
    if (rc >= 0)
        rc = journal_scan(j, rc ? s.first_seq : in.first, in.next, record_from_ts, &commit_ts, &r,
                          err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(err, -ENOENT, "journal %s: no record is as late as commit_ts %llu", j->name,
                       (unsigned long long)commit_ts);
    *seq = r.seq;
    return 0;
}

/* --- by place --- */

struct place {
    uint32_t incarnation, no;
    uint64_t offset;
};

static int compare_place(const struct place *p, uint32_t incarnation, uint32_t no, uint64_t from)
{
    if (p->incarnation != incarnation)
        return incarnation < p->incarnation ? -1 : 1;
    if (p->no != no)
        return no < p->no ? -1 : 1;
    return from < p->offset ? -1 : from > p->offset;
}

static bool stretch_before_place(const void *arg, const struct stretch *s)
{
    return compare_place(arg, s->incarnation, s->file_no, s->from) <= 0;
}

/* The one that begins at the place, that holds it, or that is beyond. */
static bool record_at_place(void *arg, const struct journal_record *r)
{
    const struct place *p = arg;

    return compare_place(p, r->incarnation, r->file_no, r->from) >= 0 ||
           (r->incarnation == p->incarnation && r->file_no == p->no && r->to > p->offset);
}

struct by_name {
    const char *name;
    struct place place;
    uint64_t from, end;
    bool found;
};

static bool look_for_name(void *arg, const struct journal_file *f)
{
    struct by_name *b = arg;

    if (strcmp(f->name, b->name) == 0) { /* the newest is the last */
        b->found = true;
        b->place.incarnation = f->incarnation;
        b->place.no = f->no;
        b->from = f->from;
        b->end = f->end;
    }
    return true;
}

int journal_find_place(struct journal *j, const char *file, uint64_t offset, uint64_t *seq,
                       struct err *err)
{
    struct range in = journal_range(j);
    struct by_name b = { .name = file };
    struct journal_record r = { 0 };
    struct stretch s = { 0 };
    int rc = journal_files(j, look_for_name, &b, err);

    if (rc < 0)
        return rc;
    if (!b.found)
        return err_set(err, -ENOENT, "journal %s: there is no file %s", j->name, file);
    if (offset < b.from || offset > b.end)
        return err_set(err, -ERANGE, "journal %s: %s is kept from %llu to %llu, not at %llu",
                       j->name, file, (unsigned long long)b.from, (unsigned long long)b.end,
                       (unsigned long long)offset);
    b.place.offset = offset;
    rc = search_stretch(span_of(j, &in), stretch_before_place, &b.place, &s, err);
    if (rc >= 0)
        rc = journal_scan(j, rc ? s.first_seq : in.first, in.next, record_at_place, &b.place, &r,
                          err);
    if (rc < 0)
        return rc;
    *seq = rc ? r.seq : in.next;
    if (rc && compare_place(&b.place, r.incarnation, r.file_no, r.from) < 0)
        return err_set(err, -EINVAL,
                       "journal %s: %s:%llu is inside of a record, which begins at %llu", j->name,
                       file, (unsigned long long)offset, (unsigned long long)r.from);
    return 0;
}

/* --- files --- */

static int visit_file(struct journal *j, const struct head *h, struct journal_file *f,
                      struct err *err)
{
    struct journal_file whole = { 0 };
    int rc = get_file(j->store, j->name, f->incarnation, f->no, &whole, err);

    if (rc < 0)
        return rc;
    if (f->incarnation == h->incarnation && f->no == h->file_no)
        whole.end = h->offset;
    journal_file_fini(f);
    *f = whole;
    f->format = key_slice(&f->bytes);
    return 0;
}

static struct head head_of(struct journal *j)
{
    struct head h;

    mutex_lock(&j->lock);
    h = j->head;
    mutex_unlock(&j->lock);
    return h;
}

int journal_files(struct journal *j, bool (*visit)(void *arg, const struct journal_file *f),
                  void *arg, struct err *err)
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct head h = head_of(j);
    struct slice key, value;
    bool go_on = true;
    int rc = 0;

    key_prefix(&prefix, KEY_FILE, j->name, NULL);
    it = store_iter_new(j->store, STORE_JOURNAL_INDEX, key_slice(&prefix));
    while (go_on && (rc = store_iter_next(it, &key, &value, err)) > 0) {
        struct journal_file f = { 0 };

        rc = open_file(key, value, &f, err);
        if (rc == 0)
            rc = visit_file(j, &h, &f, err);
        if (rc == 0)
            go_on = visit(arg, &f);
        journal_file_fini(&f);
        if (rc < 0)
            break;
    }
    return rc < 0 ? err_wrap(err, "journal %s", j->name) : 0;
}

static bool any_record(void *arg, const struct journal_record *r)
{
    (void)arg, (void)r;
    return true;
}

int journal_file_of(struct journal *j, uint64_t seq, struct journal_file *ret, struct err *err)
{
    struct head h = head_of(j);
    struct journal_record r = { .incarnation = h.incarnation, .file_no = h.file_no };
    struct journal_file f = { 0 };
    int rc = seq < h.next_seq ? journal_scan(j, seq, seq + 1, any_record, NULL, &r, err) : 1;

    if (rc == 0)
        rc = err_set(err, -ENOENT, "journal %s: there is no record %llu", j->name,
                     (unsigned long long)seq);
    f.incarnation = r.incarnation;
    f.no = r.file_no;
    if (rc > 0)
        rc = visit_file(j, &h, &f, err);
    if (rc < 0)
        return rc;
    *ret = f;
    return 0;
}
