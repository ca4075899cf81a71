/* From a commit_ts, a place, a GTID or a set of them to the seq of a record: the index says in
 * which stretch, the records say which. */
#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "journal/journal_impl.h"
#include "store/key.h"

struct range {
    uint64_t first, next; /* readable: first .. next - 1 */
    uint64_t gone_ts;     /* commit_ts of the last that is purged */
    uint64_t open;        /* where the stretch in memory begins */
};

static struct range range_of(struct journal *j)
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

/* The first record in from .. to - 1 that is 'wanted'.  1; 0: none. */
static int scan(struct journal *j, uint64_t from, uint64_t to,
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
    struct range in = range_of(j);
    struct journal_record r = { 0 };
    struct stretch s = { 0 };
    int rc;

    if (commit_ts <= in.gone_ts && in.gone_ts)
        return err_set(err, -ERANGE,
                       "journal %s: commit_ts %llu is purged, the last purged is %llu", j->name,
                       (unsigned long long)commit_ts, (unsigned long long)in.gone_ts);
    rc = search_stretch(span_of(j, &in), stretch_before_ts, &commit_ts, &s, err);
    if (rc >= 0)
        rc = scan(j, rc ? s.first_seq : in.first, in.next, record_from_ts, &commit_ts, &r, err);
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
    struct range in = range_of(j);
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
        rc = scan(j, rc ? s.first_seq : in.first, in.next, record_at_place, &b.place, &r, err);
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
    int rc = seq < h.next_seq ? scan(j, seq, seq + 1, any_record, NULL, &r, err) : 1;

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

/* --- by GTID --- */

static bool record_has_gtid(void *arg, const struct journal_record *r)
{
    const struct gtid *g = arg;

    return r->gtid.number == g->number && origin_equal(&r->gtid, g) &&
           (g->flavor == FLAVOR_MYSQL || r->gtid.server_id == g->server_id);
}

/* The stretches that may have it, from the one with the greatest number not above it. */
static int scan_stretches(struct journal *j, const struct gtid *g, const struct range *in,
                          struct journal_record *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf origin = BUF_INIT;
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value, id, bytes;
    uint64_t number, seq;
    struct stretch s = { 0 };
    int rc;

    origin_add(&origin, g);
    key_prefix(&prefix, KEY_GTID, j->name, NULL);
    buf_add(&prefix, origin.data, origin.size);
    key_gtid(&from, j->name, key_slice(&origin), g->number, UINT64_MAX);
    it = store_iter_new(j->store, STORE_JOURNAL_INDEX, key_slice(&prefix));
    store_iter_seek(it, key_slice(&from));
    while ((rc = store_iter_prev(it, &key, &value, err)) > 0) {
        struct cursor c;

        rc = checked_open(value, key, &bytes, err);
        if (rc < 0 || !key_gtid_parse(key, &id, &number, &seq))
            return rc < 0 ? rc : err_set(err, -EBADMSG, "damaged: no GTID key");
        c = cursor_of(bytes);
        if (cursor_lenenc(&c) < g->number || seq < in->first)
            continue;
        rc = last_stretch(j->store, j->name, seq, &s, err);
        if (rc > 0)
            rc = scan(j, seq, s.first_seq + s.n, record_has_gtid, (void *)(uintptr_t)g, ret, err);
        if (rc != 0)
            return rc;
    }
    return rc;
}

/* Whether it was purged, or never came, as far as the sets tell. */
static int check_gtid(struct journal *j, const struct gtid *g, struct err *err)
{
    bool gone, there;
    char text[128];
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    gtid_print(g, &b);
    snprintf(text, sizeof text, "%s", b.size ? b.data : "");
    mutex_lock(&j->lock);
    gone = j->purged && gtid_set_has(j->purged, g);
    there = !j->gtids || gtid_set_has(j->gtids, g);
    mutex_unlock(&j->lock);
    if (gone)
        return err_set(err, -ERANGE, "journal %s: GTID %s is purged", j->name, text);
    if (!there)
        return err_set(err, -ENOENT, "journal %s: GTID %s did not come", j->name, text);
    return 0;
}

static int find_gtid(struct journal *j, const struct gtid *g, struct journal_record *ret,
                     struct err *err)
{
    struct range in = range_of(j);
    int rc = scan(j, in.open, in.next, record_has_gtid, (void *)(uintptr_t)g, ret, err);

    return rc == 0 ? scan_stretches(j, g, &in, ret, err) : rc;
}

int journal_find_gtid(struct journal *j, const struct gtid *g, uint64_t *seq, struct err *err)
{
    struct journal_record r = { 0 };
    int rc = check_gtid(j, g, err);

    if (rc < 0 && !(rc == -ERANGE && g->flavor == FLAVOR_MARIADB))
        return rc;
    *err = ERR_INIT;
    rc = find_gtid(j, g, &r, err);
    if (rc == 0) {
        rc = check_gtid(j, g, err);
        return rc < 0 ? rc : err_set(err, -ENOENT, "journal %s: no record has that GTID", j->name);
    }
    if (rc < 0)
        return rc;
    *seq = r.seq;
    return 0;
}

/* --- sets --- */

static bool collect(void *arg, const struct journal_record *r)
{
    gtid_set_add(arg, &r->gtid);
    return false;
}

int journal_set_before(struct journal *j, uint64_t seq, struct gtid_set **ret, struct err *err)
{
    struct gtid_set *set = NULL;
    struct journal_record r = { 0 };
    uint64_t from = 0;
    int rc = last_state(j->store, j->name, seq, &from, &set, err);

    if (rc > 0 && set && from < seq)
        rc = scan(j, from, seq, collect, set, &r, err);
    if (rc < 0) {
        gtid_set_free(set);
        return rc;
    }
    *ret = set;
    return 0;
}

struct gtid_set *journal_gtids_before(struct journal *j, uint64_t seq, struct err *err)
{
    struct gtid_set *set = NULL;

    if (journal_set_before(j, seq, &set, err) < 0)
        return NULL;
    return set;
}

struct want {
    const struct gtid_set *has;
    struct gtid_set *before; /* grows on the way */
    uint64_t n_domains;
    struct {
        uint32_t domain;
        uint64_t seq;
    } * at; /* MariaDB: the record of each domain's last */
};

static uint64_t seq_of_domain(const struct want *w, uint32_t domain)
{
    for (size_t i = 0; i < w->n_domains; i++)
        if (w->at[i].domain == domain)
            return w->at[i].seq;
    return 0;
}

static bool is_wanted(void *arg, const struct journal_record *r)
{
    struct want *w = arg;
    bool has;

    if (r->gtid.number == 0)
        return r->kind == JOURNAL_TXN;
    if (r->gtid.flavor == FLAVOR_MARIADB)
        has = r->seq <= seq_of_domain(w, r->gtid.domain);
    else
        has = gtid_set_has(w->has, &r->gtid);
    if (has)
        gtid_set_add(w->before, &r->gtid);
    return !has;
}

static bool state_in_set(const void *arg, const struct gtid_set *state)
{
    return gtid_set_subset(state, arg);
}

static int not_known(struct journal *j, struct err *err)
{
    return err_set(err, -ENOENT, "journal %s: GTIDs are not known in it", j->name);
}

/* What 'has' lacks of what is purged. */
static int check_purged(const struct gtid_set *purged, const struct gtid_set *has,
                        struct gtid_set **missing, const char *name, struct err *err)
{
    struct gtid_set *lacks;

    if (gtid_set_subset(purged, has))
        return 0;
    lacks = gtid_set_copy(purged);
    gtid_set_subtract(lacks, has);
    if (missing)
        *missing = STEAL(lacks);
    gtid_set_free(lacks);
    return err_set(err, -ERANGE, "journal %s: transactions that are wanted are purged", name);
}

/* MariaDB: where each domain's last GTID of 'has' is. */
static int locate_domains(struct journal *j, const struct gtid_set *has,
                          const struct gtid_set *purged, struct want *w, struct err *err)
{
    size_t n;
    const struct gtid_member *m = gtid_set_members(has, &n);
    struct range in = range_of(j);

    w->at = calloc(n ? n : 1, sizeof *w->at);
    for (size_t i = 0; i < n && w->at; i++) {
        struct gtid_set *one = gtid_set_new(FLAVOR_MARIADB);
        uint64_t seq = 0;
        bool base;
        int rc = 0;

        gtid_set_add(one, &m[i].id);
        {
            size_t n_purged;
            const struct gtid_member *p = gtid_set_members(purged, &n_purged);

            base = false;
            for (size_t k = 0; k < n_purged; k++)
                base |= p[k].id.domain == m[i].id.domain && p[k].id.number == m[i].id.number &&
                        p[k].id.server_id == m[i].id.server_id;
        }
        gtid_set_free(one);
        if (base)
            seq = in.first - 1;
        else
            rc = journal_find_gtid(j, &m[i].id, &seq, err);
        if (rc < 0)
            return rc;
        w->at[i].domain = m[i].id.domain;
        w->at[i].seq = seq;
        w->n_domains = i + 1;
    }
    return 0;
}

static int find_start(struct journal *j, struct want *w, uint64_t *seq, struct err *err)
{
    struct range in = range_of(j);
    struct journal_record r = { 0 };
    uint64_t from = in.first;
    int rc = search_state((struct span){ j->store, j->name, in.first, in.next + 1 }, state_in_set,
                          w->has, &from, &w->before, err);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return not_known(j, err);
    rc = scan(j, from, in.next, is_wanted, w, &r, err);
    if (rc < 0)
        return rc;
    *seq = rc ? r.seq : in.next;
    return 0;
}

int journal_find_set(struct journal *j, const struct gtid_set *has, uint64_t *seq,
                     struct gtid_set **before, struct gtid_set **missing, struct err *err)
{
    struct gtid_set *gone = journal_purged(j);
    struct want w = { .has = has };
    int rc = 0;

    if (missing)
        *missing = NULL;
    if (!gone)
        return not_known(j, err);
    if (gtid_set_flavor(gone) != gtid_set_flavor(has))
        rc = err_set(err, -ENOENT, "journal %s: GTIDs of the other flavour", j->name);
    if (rc == 0)
        rc = check_purged(gone, has, missing, j->name, err);
    if (rc == 0 && gtid_set_flavor(has) == FLAVOR_MARIADB)
        rc = locate_domains(j, has, gone, &w, err);
    if (rc == 0)
        rc = find_start(j, &w, seq, err);
    if (rc == 0 && before)
        *before = STEAL(w.before);
    gtid_set_free(w.before);
    gtid_set_free(gone);
    free(w.at);
    return rc;
}
