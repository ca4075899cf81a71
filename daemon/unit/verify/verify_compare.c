/*
 * A table of both ends, chunk by chunk.  Where the sums differ at once, they are asked again once
 * the target has all that the source had by then; where they still do, the rows are looked at,
 * and those that differ again and again.  A row is reported when the source said the same before
 * and after, the target, which had caught up with the first, said something else, and all that
 * twice.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/filter.h"
#include "unit/read/read_range.h"
#include "unit/verify/verify_priv.h"

#define ROUNDS 12          /* after which a row that changes all the time is given up */
#define AT_ONCE 2000       /* rows looked at together */
#define FOUND_LIMIT 100000 /* of one table: more is only counted */

const char *const verify_kind_names[] = { "missing", "extra", "different", NULL };

/* --- rows that may differ --- */

void verify_suspects_fini(struct verify_suspects *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->all[i].key);
        free(s->all[i].source);
        free(s->all[i].target);
    }
    free(s->all);
}

void verify_suspect_add(void *arg, const struct verify_item *a, const struct verify_item *b)
{
    struct verify_suspects *s = arg;

    GROW(s->all, s->n, s->cap);
    s->all[s->n++] =
        (struct verify_suspect){ .key = xstrdup(a ? a->key : b->key), .part = a ? a->part : 0 };
    s->left++;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static const char *value_of(const struct verify_item *i)
{
    return i ? i->value : NULL;
}

/* --- what filters leave out --- */

bool verify_left_out(const struct verify_table *t, const struct verify_item *a, const char *there)
{
    if (!a || !a->left_out)
        return false;
    return !there || (!t->ranges && strtoull(there, NULL, 10) < strtoull(a->value, NULL, 10));
}

bool verify_not_judged(const struct verify_table *t, const struct verify_suspect *s)
{
    static const unsigned because_of[] = {
        [VERIFY_MISSING] = FILTER_ROWS_INSERT | FILTER_ROWS_UPDATE,
        [VERIFY_EXTRA] = FILTER_ROWS_DELETE | FILTER_ROWS_UPDATE,
        [VERIFY_DIFFERENT] = FILTER_ROWS_UPDATE,
    };
    unsigned kinds = 0;

    for (unsigned i = 0; i < t->n_parts; i++)
        kinds |= t->parts[i].left.kinds;
    return kinds & because_of[verify_kind_of(t, s)];
}

static void set_text(char **to, const char *text)
{
    free(*to);
    *to = text ? xstrdup(text) : NULL;
}

enum verify_kind verify_kind_of(const struct verify_table *t, const struct verify_suspect *s)
{
    if (!s->source)
        return VERIFY_EXTRA;
    if (!s->target)
        return VERIFY_MISSING;
    if (t->ranges)
        return VERIFY_DIFFERENT;
    return strtoull(s->source, NULL, 10) > strtoull(s->target, NULL, 10) ? VERIFY_MISSING
                                                                         : VERIFY_EXTRA;
}

/* --- the key for people --- */

static unsigned nibble(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

static void add_part(struct buf *out, const char *hex, size_t size)
{
    struct buf plain = BUF_INIT;
    bool text = true;

    for (size_t i = 0; i + 1 < size; i += 2) {
        char c = (char)(nibble(hex[i]) << 4 | nibble(hex[i + 1]));

        text = text && c >= ' ' && c <= '~';
        buf_byte(&plain, c);
    }
    if (text)
        buf_printf(out, "%s", plain.data ? plain.data : "");
    else
        buf_printf(out, "0x%.*s", (int)size, hex);
    buf_fini(&plain);
}

char *verify_key_text(const struct verify_table *t, const struct verify_suspect *s)
{
    const struct table_key *key = t->ranges ? read_range_key(t->def) : NULL;
    const char *at = s->key;
    struct buf out = BUF_INIT;

    if (!key)
        return xasprintf("a row of hash %s, %s times at the source, %s at the target", s->key,
                         s->source ? s->source : "0", s->target ? s->target : "0");
    for (unsigned i = 0; i < key->n_parts; i++) {
        size_t size = strcspn(at, ",");

        buf_printf(&out, "%s%s=", i ? ", " : "", t->def->cols[key->cols[i]].name);
        add_part(&out, at, size);
        at += size + (at[size] == ',');
    }
    return buf_steal(&out);
}

int verify_report(struct verify_run *r, struct verify_table *t, struct verify_suspect *s,
                  struct err *err)
{
    SCOPED(freep) char *there = verify_key_text(t, s);
    struct verify_found f = {
        .kind = verify_kind_of(t, s), .part = s->part, .key = s->key, .there = there
    };

    if (verify_not_judged(t, s)) {
        t->not_judged++;
        atomic_fetch_add(&r->verify->rows_not_judged, 1);
        return 0;
    }
    t->differing++;
    atomic_fetch_add(&r->verify->rows_differing, 1);
    return t->differing > FOUND_LIMIT ? 0 : verify_state_found(r, t, &f, err);
}

/* --- rounds --- */

static void names_left(const struct verify_suspects *s, size_t first, size_t until,
                       struct verify_set *names)
{
    for (size_t i = first; i < until; i++)
        if (!s->all[i].over)
            verify_set_add(names, s->all[i].key, NULL, s->all[i].part);
}

/* What 's' has come to, once the source said 'before' and 'after', and the target 'there'. */
static int judge(struct verify_run *r, struct verify_table *t, struct verify_suspect *s,
                 const struct verify_item *was, const char *there, const struct verify_item *is,
                 struct err *err)
{
    const char *before = value_of(was), *after = value_of(is);

    if (same(there, before) || same(there, after)) {
        s->over = true;
        return 0;
    }
    if (verify_left_out(t, is, there)) {
        s->over = true;
        t->left_out++;
        return 0;
    }
    if (!same(before, after)) {
        s->seen = 0;
        return 0;
    }
    if (s->seen && same(s->source, before) && same(s->target, there)) {
        s->seen++;
    } else {
        s->seen = 1;
        set_text(&s->source, before);
        set_text(&s->target, there);
    }
    if (s->seen < SURE)
        return 0;
    s->over = true;
    return r->report(r, t, s, err);
}

int verify_round(struct verify_run *r, struct verify_table *t, struct verify_suspects *s,
                 size_t first, size_t until, size_t *left, struct err *err)
{
    SCOPED(verify_set_fini)
    struct verify_set names = { .n = 0 }, before = { .n = 0 }, there = { .n = 0 },
                      after = { .n = 0 };
    int rc;

    names_left(s, first, until, &names);
    rc = verify_keys_source(r, t, &names, &before, err);
    if (rc == 0)
        rc = verify_pass(r, t, err);
    if (rc == 0)
        rc = verify_keys_target(r, t, &names, &there, err);
    if (rc == 0)
        rc = verify_keys_source(r, t, &names, &after, err);
    *left = 0;
    for (size_t i = first; rc == 0 && i < until; i++) {
        struct verify_suspect *one = &s->all[i];

        if (one->over)
            continue;
        rc = judge(r, t, one, verify_set_find(&before, one->key),
                   value_of(verify_set_find(&there, one->key)), verify_set_find(&after, one->key),
                   err);
        *left += !one->over;
    }
    return rc;
}

static int confirm(struct verify_run *r, struct verify_table *t, struct verify_suspects *s,
                   struct err *err)
{
    int rc = 0;

    for (size_t first = 0; first < s->n && rc == 0; first += AT_ONCE) {
        size_t until = first + AT_ONCE < s->n ? first + AT_ONCE : s->n, left = 1;

        for (unsigned i = 0; i < ROUNDS && left && rc == 0; i++)
            rc = verify_round(r, t, s, first, until, &left, err);
        if (rc == 0 && left) {
            t->unsettled += left;
            atomic_fetch_add(&r->verify->rows_unsettled, left);
        }
    }
    return rc;
}

/* --- chunks --- */

struct looks {
    struct verify_table *table;
    struct verify_suspects suspects;
};

static void looks_fini(struct looks *l)
{
    verify_suspects_fini(&l->suspects);
}

static void differs(void *arg, const struct verify_item *a, const struct verify_item *b)
{
    struct looks *l = arg;

    if (verify_left_out(l->table, a, value_of(b)))
        l->table->left_out++;
    else
        verify_suspect_add(&l->suspects, a, b);
}

static int look_at_rows(struct verify_run *r, struct verify_table *t, const char *at,
                        const char *upto, struct err *err)
{
    SCOPED(verify_set_fini) struct verify_set a = { .n = 0 }, b = { .n = 0 };
    SCOPED(looks_fini) struct looks l = { .table = t };
    int rc = verify_rows_source(r, t, at, upto, &a, err);

    if (rc == 0)
        rc = verify_rows_target(r, t, at, upto, &b, err);
    if (rc < 0)
        return rc;
    verify_set_compare(&a, &b, differs, &l);
    return confirm(r, t, &l.suspects, err);
}

static int look_at_all(struct verify_run *r, struct verify_table *t, const char *at,
                       const char *upto, struct err *err)
{
    int rc = 0;

    if (t->ranges)
        return look_at_rows(r, t, at, upto, err);
    for (unsigned i = 0; i < 256 && rc == 0; i++) { /* what is in memory stays bounded */
        char bucket[3];

        snprintf(bucket, sizeof bucket, "%02x", i);
        rc = look_at_rows(r, t, t->rows < AT_ONCE ? "" : bucket, NULL, err);
        if (t->rows < AT_ONCE)
            break;
    }
    return rc;
}

static int chunk(struct verify_run *r, struct verify_table *t, const char *at, const char *upto,
                 struct err *err)
{
    struct verify_sum a = { .rows = 0 }, b = { .rows = 0 };
    uint64_t rows;
    int rc = verify_sum_source(r, t, at, upto, &a, err);

    if (rc == 0)
        rc = verify_sum_target(r, t, at, upto, &b, err);
    if (rc < 0)
        return rc;
    rows = a.rows > b.rows ? a.rows : b.rows;
    t->rows += rows;
    atomic_fetch_add(&r->verify->rows_checked, rows);
    if (verify_sum_same(&a, &b))
        return 0;
    rc = verify_pass(r, t, err);
    if (rc == 0)
        rc = verify_sum_target(r, t, at, upto, &b, err);
    if (rc < 0 || verify_sum_same(&a, &b))
        return rc;
    return look_at_all(r, t, at, upto, err);
}

static int by_ranges(struct verify_run *r, struct verify_table *t, struct err *err)
{
    bool more = true;
    int rc = 0;

    while (more && rc == 0) {
        SCOPED(freep) char *upto = NULL;
        uint64_t before = t->rows;

        rc = verify_cut(r, t, t->at, &upto, err);
        if (rc == 0)
            rc = chunk(r, t, t->at, upto, err);
        if (rc < 0)
            return rc;
        more = upto != NULL;
        if (more) {
            free(t->at);
            t->at = STEAL(upto);
        }
        rc = verify_state_put(r, t, err);
        if (rc == 0)
            rc = verify_pace(r, t->rows - before, err);
    }
    return rc;
}

/* Beside what was said of it already. */
static void say(struct verify_table *t, const char *more)
{
    char *old = t->reason;

    t->reason = xasprintf("%s%s%s", old, old[0] ? "; " : "", more);
    free(old);
}

static void say_left(struct verify_table *t)
{
    SCOPED(freep) char *more = NULL;

    if (!t->not_judged)
        return;
    more = xasprintf("not judged, %llu rows: filters leave changes of it out, so that "
                     "these may differ; resnapshot makes them equal",
                     (unsigned long long)t->not_judged);
    say(t, more);
}

static void say_way(struct verify_table *t)
{
    snprintf(t->way, sizeof t->way, "%s", t->ranges ? "ranges" : "hashes");
    if (!t->ranges)
        say(t, table_row_key(t->def)
                   ? "its key has not the same order at both ends: compared by hashes of its rows"
                   : "it has no key: compared by hashes of its rows");
}

int verify_compare(struct verify_run *r, struct verify_table *t, struct err *err)
{
    int rc = verify_look(r, t, err);

    if (rc < 0)
        return rc;
    t->state = VERIFY_RUNNING;
    say_way(t);
    verify_say(r->verify, "%s.%s", t->db, t->name);
    rc = t->ranges ? by_ranges(r, t, err) : chunk(r, t, "", NULL, err);
    if (rc == 0 && !t->ranges)
        rc = verify_pace(r, t->rows, err);
    if (rc < 0)
        return rc;
    t->state = VERIFY_DONE;
    say_left(t);
    return verify_state_put(r, t, err);
}
