#include "unit/sync/sync_conflict.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

#define JOINED ((uint64_t)0x666f726569676e00) /* the class of all tables with foreign keys */

void footprint_fini(struct footprint *f)
{
    free(f->keys);
    *f = (struct footprint){ 0 };
}

void footprint_clear(struct footprint *f)
{
    f->n = 0;
}

static void touch(struct footprint *f, uint64_t key)
{
    GROW(f->keys, f->n, f->cap);
    f->keys[f->n++] = key;
}

static uint64_t hash_lower(const char *s, uint64_t seed)
{
    char lower[64];

    for (size_t n = 1; n; s += n) {
        for (n = 0; n < sizeof lower && s[n]; n++)
            lower[n] = (char)tolower((unsigned char)s[n]);
        seed = XXH3_64bits_withSeed(lower, n, seed);
    }
    return seed;
}

/* Names as they are written: two tables that differ in case share a class, which does no harm. */
uint64_t conflict_class(const struct target_table *t)
{
    if (t->foreign_keys)
        return JOINED;
    return hash_lower(t->name, hash_lower(t->db, 1)) & ~FOOTPRINT_SHARED;
}

/* --- one value --- */

enum told { TOLD, TOLD_NULL, NOT_TOLD };

static size_t without_padding(const struct value *v)
{
    size_t n = v->size;

    while (n && (v->p[n - 1] == ' ' || v->p[n - 1] == '\0'))
        n--;
    return n;
}

static enum told fold_bytes(const struct value *v, uint64_t *hash)
{
    if (v->kind != VALUE_BYTES && v->kind != VALUE_TEXT)
        return NOT_TOLD;
    *hash = XXH3_64bits_withSeed(v->p, without_padding(v), *hash);
    return TOLD;
}

static enum told fold_case(const struct value *v, uint64_t *hash)
{
    uint8_t lower[64];
    size_t size, n;

    if (v->kind != VALUE_BYTES && v->kind != VALUE_TEXT)
        return NOT_TOLD;
    size = without_padding(v);
    for (size_t at = 0; at < size; at += n) {
        for (n = 0; n < sizeof lower && at + n < size; n++) {
            uint8_t c = v->p[at + n];

            if (c < ' ' || c > '~')
                return NOT_TOLD;
            lower[n] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
        }
        *hash = XXH3_64bits_withSeed(lower, n, *hash);
    }
    return TOLD;
}

static enum told fold_fraction(const struct value *v, uint64_t *hash)
{
    const uint8_t *point;

    if (v->kind != VALUE_TEXT)
        return NOT_TOLD;
    point = memchr(v->p, '.', v->size);
    *hash = XXH3_64bits_withSeed(v->p, point ? (size_t)(point - v->p) : v->size, *hash);
    return TOLD;
}

static enum told fold_number(const struct value *v, uint64_t *hash)
{
    if (v->kind != VALUE_INT && v->kind != VALUE_UINT)
        return NOT_TOLD;
    *hash = XXH3_64bits_withSeed(&v->u, sizeof v->u, *hash);
    return TOLD;
}

static enum told fold(enum target_fold how, const struct value *v, uint64_t *hash)
{
    if (v->kind == VALUE_NULL)
        return TOLD_NULL;
    switch (how) {
    case FOLD_NONE:
        return fold_number(v, hash);
    case FOLD_PADDING:
        return fold_bytes(v, hash);
    case FOLD_CASE:
        return fold_case(v, hash);
    case FOLD_FRACTION:
        return fold_fraction(v, hash);
    case FOLD_ALL:
        break;
    }
    return NOT_TOLD;
}

/* --- one key --- */

/* The value that a row has in column 'c': an image after a change lacks what did not change. */
static const struct value *value_of(const struct value *image, const struct value *under,
                                    unsigned c)
{
    return image[c].kind == VALUE_ABSENT && under ? &under[c] : &image[c];
}

/* Touches the value of a key; false: the values do not tell. */
static bool touch_key(struct footprint *f, const struct target_table *t, unsigned k,
                      const struct value *image, const struct value *under)
{
    const struct target_unique *u = &t->unique[k];
    uint64_t hash = conflict_class(t) + 2 * (uint64_t)k;

    if (u->unseen || u->n_told == 0)
        return false;
    for (unsigned p = 0; p < u->n_told; p++) {
        unsigned c = u->told[p];

        switch (fold(t->cols[c].fold, value_of(image, under, c), &hash)) {
        case TOLD:
            break;
        case TOLD_NULL:
            return true;
        case NOT_TOLD:
            return false;
        }
    }
    touch(f, hash & ~FOOTPRINT_SHARED);
    return true;
}

static bool key_changes(const struct target_unique *u, const struct value *after,
                        const struct value *before)
{
    if (u->unseen)
        return true;
    for (unsigned p = 0; p < u->n_cols; p++) {
        unsigned c = u->cols[p];

        if (after[c].kind != VALUE_ABSENT && !value_same(&after[c], &before[c]))
            return true;
    }
    return false;
}

static bool touch_update(struct footprint *f, const struct target_table *t, unsigned k,
                         const struct value *after)
{
    const struct value *before = after + t->n_cols;
    bool changes = key_changes(&t->unique[k], after, before);

    if (!changes && !t->unique[k].row_key)
        return true;
    return touch_key(f, t, k, before, NULL) && (!changes || touch_key(f, t, k, after, before));
}

static bool touch_keys(struct footprint *f, const struct target_table *t, enum rows_kind kind,
                       const struct value *row)
{
    for (unsigned k = 0; k < t->n_unique; k++)
        if (!(kind == ROWS_UPDATE ? touch_update(f, t, k, row) : touch_key(f, t, k, row, NULL)))
            return false;
    return true;
}

void footprint_add(struct footprint *f, const struct target_table *t, enum rows_kind kind,
                   const struct value *row, bool by_table)
{
    uint64_t class = conflict_class(t), shared = class | FOOTPRINT_SHARED;
    bool alone = by_table || t->foreign_keys || t->n_key == 0 || !t->transactional;

    if (!alone && touch_keys(f, t, kind, row)) {
        touch(f, shared);
        return;
    }
    touch(f, class);
}
