/* From a GTID, or a set of them, to the seq of a record. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal_impl.h"
#include "store/key.h"

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
            rc = journal_scan(j, seq, s.first_seq + s.n, record_has_gtid, (void *)(uintptr_t)g, ret,
                              err);
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
    struct range in = journal_range(j);
    int rc = journal_scan(j, in.open, in.next, record_has_gtid, (void *)(uintptr_t)g, ret, err);

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
        rc = journal_scan(j, from, seq, collect, set, &r, err);
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

/* Whether 'set' has exactly this one as the last of its domain. */
static bool is_last_of_domain(const struct gtid_set *set, const struct gtid *g)
{
    size_t n;
    const struct gtid_member *m = gtid_set_members(set, &n);

    for (size_t i = 0; i < n; i++)
        if (m[i].id.domain == g->domain)
            return m[i].id.number == g->number && m[i].id.server_id == g->server_id;
    return false;
}

/* MariaDB: where each domain's last GTID of 'has' is. */
static int locate_domains(struct journal *j, const struct gtid_set *purged, struct want *w,
                          struct err *err)
{
    size_t n;
    const struct gtid_member *m = gtid_set_members(w->has, &n);
    struct range in = journal_range(j);
    int rc = 0;

    w->at = xcalloc(n ? n : 1, sizeof *w->at);
    for (size_t i = 0; i < n && rc == 0; i++) {
        uint64_t seq = in.first - 1;

        if (!is_last_of_domain(purged, &m[i].id))
            rc = journal_find_gtid(j, &m[i].id, &seq, err);
        w->at[i].domain = m[i].id.domain;
        w->at[i].seq = seq;
        w->n_domains = i + 1;
    }
    return rc;
}

static int find_start(struct journal *j, struct want *w, uint64_t *seq, struct err *err)
{
    struct range in = journal_range(j);
    struct journal_record r = { 0 };
    uint64_t from = in.first;
    int rc = search_state((struct span){ j->store, j->name, in.first, in.next + 1 }, state_in_set,
                          w->has, &from, &w->before, err);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return not_known(j, err);
    rc = journal_scan(j, from, in.next, is_wanted, w, &r, err);
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
        rc = locate_domains(j, gone, &w, err);
    if (rc == 0)
        rc = find_start(j, &w, seq, err);
    if (rc == 0 && before)
        *before = STEAL(w.before);
    gtid_set_free(w.before);
    gtid_set_free(gone);
    free(w.at);
    return rc;
}
