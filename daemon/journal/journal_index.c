#include "journal/journal_index.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal_block.h"
#include "store/key.h"

/* --- stretches --- */

void stretch_clear(struct stretch *s)
{
    *s = (struct stretch){ .origins = s->origins, .cap = s->cap };
}

void stretch_fini(struct stretch *s)
{
    free(s->origins);
    *s = (struct stretch){ 0 };
}

static void reserve_origins(struct stretch *s, size_t n)
{
    if (n <= s->cap)
        return;
    s->cap = n < 4 ? 4 : n * 2;
    s->origins = xrealloc(s->origins, s->cap * sizeof *s->origins);
}

void stretch_copy(struct stretch *to, const struct stretch *from)
{
    struct origin_range *origins;
    size_t cap;

    reserve_origins(to, from->n_origins);
    origins = to->origins;
    cap = to->cap;
    *to = *from;
    to->origins = origins;
    to->cap = cap;
    if (from->n_origins)
        memcpy(origins, from->origins, from->n_origins * sizeof *origins);
}

static void add_number(struct stretch *s, const struct gtid *g)
{
    struct origin_range *o;

    for (size_t i = s->n_origins; i-- > 0;) {
        o = &s->origins[i];
        if (!origin_equal(&o->origin, g))
            continue;
        o->min = g->number < o->min ? g->number : o->min;
        o->max = g->number > o->max ? g->number : o->max;
        return;
    }
    reserve_origins(s, s->n_origins + 1);
    s->origins[s->n_origins++] = (struct origin_range){ *g, g->number, g->number };
}

void stretch_add(struct stretch *s, const struct journal_record *r)
{
    if (s->n == 0) {
        s->first_seq = r->seq;
        s->first_ts = r->commit_ts;
        s->incarnation = r->incarnation;
        s->file_no = r->file_no;
        s->from = r->from;
    }
    s->n++;
    s->bytes += r->size;
    s->last_ts = r->commit_ts;
    if (r->gtid.number)
        add_number(s, &r->gtid);
}

bool stretch_full(const struct stretch *s)
{
    return s->bytes >= STRETCH_SIZE || s->n >= STRETCH_RECORDS;
}

/* --- search --- */

struct index_iter {
    struct store_iter *it;
    const char *journal;
    enum key_kind kind;
};

static void index_open(struct index_iter *i, struct store *s, const char *journal,
                       enum key_kind kind)
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;

    key_prefix(&prefix, kind, journal, NULL);
    *i = (struct index_iter){ .journal = journal, .kind = kind };
    i->it = store_iter_new(s, STORE_JOURNAL_INDEX, key_slice(&prefix));
}

static void index_close(struct index_iter *i)
{
    store_iter_free(i->it);
}

/* The entry at or last before 'seq'.  1; 0: none. */
static int index_at(struct index_iter *i, uint64_t seq, struct slice *key, struct slice *value,
                    struct err *err)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;

    if (seq == UINT64_MAX) {
        store_iter_last(i->it);
    } else {
        key_at_seq(&k, i->kind, i->journal, seq + 1);
        store_iter_seek(i->it, key_slice(&k));
    }
    return store_iter_prev(i->it, key, value, err);
}

int last_stretch(struct store *s, const char *journal, uint64_t seq, struct stretch *ret,
                 struct err *err)
{
    SCOPED(index_close) struct index_iter i;
    struct slice key, value;
    int rc;

    index_open(&i, s, journal, KEY_STRETCH);
    rc = index_at(&i, seq, &key, &value, err);
    if (rc <= 0)
        return rc;
    rc = open_stretch(key, value, ret, err);
    return rc < 0 ? rc : 1;
}

static int state_at(struct index_iter *i, uint64_t seq, uint64_t *at, struct gtid_set **ret,
                    struct err *err)
{
    struct slice key, value;
    int rc = index_at(i, seq, &key, &value, err);

    if (rc <= 0)
        return rc;
    rc = open_state(key, value, at, ret, err);
    return rc < 0 ? rc : 1;
}

int last_state(struct store *s, const char *journal, uint64_t seq, uint64_t *state_seq,
               struct gtid_set **ret, struct err *err)
{
    SCOPED(index_close) struct index_iter i;

    index_open(&i, s, journal, KEY_STATE);
    return state_at(&i, seq, state_seq, ret, err);
}

int search_stretch(struct span in, bool (*is_before)(const void *arg, const struct stretch *s),
                   const void *arg, struct stretch *ret, struct err *err)
{
    SCOPED(index_close) struct index_iter i;
    struct slice key, value;
    struct stretch at = { 0 };
    int found = 0, rc;

    index_open(&i, in.store, in.journal, KEY_STRETCH);
    while (in.from < in.to) {
        uint64_t mid = in.from + (in.to - in.from) / 2;

        rc = index_at(&i, mid, &key, &value, err);
        if (rc > 0)
            rc = open_stretch(key, value, &at, err);
        else if (rc == 0)
            at.first_seq = 0;
        if (rc < 0)
            return rc;
        if (at.first_seq < in.from) { /* none begins in from .. mid */
            in.from = mid + 1;
        } else if (is_before(arg, &at)) {
            *ret = at;
            found = 1;
            in.from = mid + 1;
        } else {
            in.to = at.first_seq;
        }
    }
    return found;
}

int search_state(struct span in, bool (*is_before)(const void *arg, const struct gtid_set *state),
                 const void *arg, uint64_t *seq, struct gtid_set **ret, struct err *err)
{
    SCOPED(index_close) struct index_iter i;
    SCOPED(gtid_set_freep) struct gtid_set *found = NULL;

    index_open(&i, in.store, in.journal, KEY_STATE);
    while (in.from < in.to) {
        uint64_t mid = in.from + (in.to - in.from) / 2, at = 0;
        SCOPED(gtid_set_freep) struct gtid_set *set = NULL;

        if (state_at(&i, mid, &at, &set, err) < 0)
            return err->code;
        if (at < in.from) {
            in.from = mid + 1;
        } else if (set && is_before(arg, set)) {
            gtid_set_free(found);
            found = STEAL(set);
            *seq = at;
            in.from = mid + 1;
        } else {
            in.to = at;
        }
    }
    *ret = STEAL(found);
    return *ret ? 1 : 0;
}
