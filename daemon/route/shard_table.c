#include "route/shard_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

const struct shard_column *shard_table_column(const struct shard_table *t, const char *name)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        if (strcasecmp(t->cols[i].name, name) == 0)
            return &t->cols[i];
    return NULL;
}

/* --- orders --- */

/* Of a whole, from those of its parts: larger in one and smaller in another is apart. */
static enum shard_order both(enum shard_order a, enum shard_order b)
{
    if (a == SHARD_EQUAL || a == b)
        return b;
    return b == SHARD_EQUAL ? a : SHARD_APART;
}

static enum shard_order by_number(long a, long b)
{
    return a == b ? SHARD_EQUAL : a < b ? SHARD_SMALLER : SHARD_LARGER;
}

static enum shard_order same_or_apart(bool same)
{
    return same ? SHARD_EQUAL : SHARD_APART;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* --- types --- */

/* Types that differ in their reach alone; those of one family, the smaller first. */
static const struct reach {
    const char *word;
    int family, rank; /* rank 0: the number in the brackets is it */
} reaches[] = {
    { "tinyint", 1, 1 },   { "smallint", 1, 2 }, { "mediumint", 1, 3 }, { "int", 1, 4 },
    { "bigint", 1, 5 },    { "char", 2, 0 },     { "varchar", 3, 0 },   { "binary", 4, 0 },
    { "varbinary", 5, 0 }, { "tinytext", 6, 1 }, { "text", 6, 2 },      { "mediumtext", 6, 3 },
    { "longtext", 6, 4 },  { "tinyblob", 7, 1 }, { "blob", 7, 2 },      { "mediumblob", 7, 3 },
    { "longblob", 7, 4 },
};

static const struct reach *reach_of(const char *type, long *rank)
{
    size_t n = strcspn(type, "( ");

    for (size_t i = 0; i < sizeof reaches / sizeof *reaches; i++) {
        const struct reach *r = &reaches[i];

        if (strncmp(r->word, type, n) != 0 || r->word[n])
            continue;
        *rank = r->rank ? r->rank : type[n] == '(' ? strtol(type + n + 1, NULL, 10) : 1;
        return r;
    }
    return NULL;
}

static bool is_list(const char *type)
{
    return strncmp(type, "enum(", 5) == 0 || strncmp(type, "set(", 4) == 0;
}

/* Members that are added at the end. */
static enum shard_order compare_lists(const char *a, const char *b)
{
    size_t na = strlen(a) - 1, nb = strlen(b) - 1; /* without the last bracket */

    if (strcmp(a, b) == 0)
        return SHARD_EQUAL;
    if (na < nb && strncmp(a, b, na) == 0 && b[na] == ',')
        return SHARD_SMALLER;
    return nb < na && strncmp(a, b, nb) == 0 && a[nb] == ',' ? SHARD_LARGER : SHARD_APART;
}

static enum shard_order compare_types(const char *a, const char *b)
{
    long ra = 0, rb = 0;
    const struct reach *fa = reach_of(a, &ra), *fb = reach_of(b, &rb);

    if (fa && fb)
        return fa->family == fb->family ? by_number(ra, rb) : SHARD_APART;
    if (is_list(a) && is_list(b))
        return compare_lists(a, b);
    return same_or_apart(strcmp(a, b) == 0);
}

static enum shard_order compare_charsets(const struct shard_column *a, const struct shard_column *b)
{
    bool a3 = strcmp(a->charset, "utf8mb3") == 0, b3 = strcmp(b->charset, "utf8mb3") == 0;
    bool a4 = strcmp(a->charset, "utf8mb4") == 0, b4 = strcmp(b->charset, "utf8mb4") == 0;

    if (a3 && b4)
        return SHARD_SMALLER;
    if (a4 && b3)
        return SHARD_LARGER;
    return same_or_apart(same_text(a->charset, b->charset) &&
                         same_text(a->collation, b->collation));
}

static enum shard_order compare_defaults(const char *a, const char *b)
{
    if (!a || !b)
        return by_number(a != NULL, b != NULL);
    return same_or_apart(strcmp(a, b) == 0);
}

/* --- columns --- */

struct part {
    const char *what;
    enum shard_order order;
};

enum shard_order shard_column_compare(const struct shard_column *a, const struct shard_column *b,
                                      struct err *why)
{
    const struct part parts[] = {
        { "type", compare_types(a->type, b->type) },
        { "sign", same_or_apart(a->is_unsigned == b->is_unsigned) },
        { "zerofill", same_or_apart(a->zerofill == b->zerofill) },
        { "character set", compare_charsets(a, b) },
        { "NULL", by_number(a->nullable, b->nullable) },
        { "default", compare_defaults(a->fallback, b->fallback) },
        { "auto_increment", same_or_apart(a->auto_increment == b->auto_increment) },
        { "expression", same_or_apart(same_text(a->generated, b->generated)) },
        { "attributes", same_or_apart(same_text(a->others, b->others)) },
    };
    enum shard_order all = SHARD_EQUAL;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].order == SHARD_APART && why)
            err_set(why, -EINVAL, "column '%s' has another %s: %s%s%s, and %s%s%s", a->name,
                    parts[i].what, a->type, a->fallback ? " DEFAULT " : "",
                    a->fallback ? a->fallback : "", b->type, b->fallback ? " DEFAULT " : "",
                    b->fallback ? b->fallback : "");
        all = parts[i].order == SHARD_APART ? SHARD_APART : both(all, parts[i].order);
    }
    return all;
}

/* A row without it is taken. */
static bool may_be_left_out(const struct shard_column *c)
{
    return c->nullable || c->fallback || c->auto_increment || c->generated;
}

/* The larger in every part: exists unless a part is apart. */
static bool join_columns(const struct shard_column *a, const struct shard_column *b,
                         struct shard_column *ret)
{
    enum shard_order type = compare_types(a->type, b->type);
    enum shard_order charset = compare_charsets(a, b);
    const struct shard_column *wide = type == SHARD_SMALLER ? b : a;
    const struct shard_column *chars = charset == SHARD_SMALLER ? b : a;
    bool same = a->is_unsigned == b->is_unsigned && a->zerofill == b->zerofill &&
                a->auto_increment == b->auto_increment && same_text(a->generated, b->generated) &&
                same_text(a->others, b->others);

    if (!same || type == SHARD_APART || charset == SHARD_APART ||
        compare_defaults(a->fallback, b->fallback) == SHARD_APART)
        return false;
    *ret = *a;
    ret->type = wide->type;
    ret->charset = chars->charset;
    ret->collation = chars->collation;
    ret->nullable = a->nullable || b->nullable;
    ret->fallback = a->fallback ? a->fallback : b->fallback;
    return true;
}

/* --- keys --- */

static bool same_key(const struct shard_key *a, const struct shard_key *b)
{
    return strcasecmp(a->name, b->name) == 0 && strcmp(a->text, b->text) == 0;
}

static bool has_key(const struct shard_table *t, const struct shard_key *k)
{
    for (unsigned i = 0; i < t->n_keys; i++)
        if (same_key(&t->keys[i], k))
            return true;
    return false;
}

static const struct shard_key *primary_of(const struct shard_table *t)
{
    for (unsigned i = 0; i < t->n_keys; i++)
        if (t->keys[i].primary)
            return &t->keys[i];
    return NULL;
}

static bool same_primary(const struct shard_table *a, const struct shard_table *b)
{
    const struct shard_key *pa = primary_of(a), *pb = primary_of(b);

    return pa && pb ? same_key(pa, pb) : pa == pb;
}

static enum shard_order compare_keys(const struct shard_table *a, const struct shard_table *b)
{
    bool a_more = false, b_more = false;

    if (!same_primary(a, b))
        return SHARD_APART;
    for (unsigned i = 0; i < a->n_keys; i++)
        a_more = a_more || !has_key(b, &a->keys[i]);
    for (unsigned i = 0; i < b->n_keys; i++)
        b_more = b_more || !has_key(a, &b->keys[i]);
    if (a_more && b_more)
        return SHARD_APART;
    return a_more ? SHARD_SMALLER : b_more ? SHARD_LARGER : SHARD_EQUAL;
}

/* --- tables --- */

/* Of a column that 'with' has and 'without' has not, 'with' being the second. */
static enum shard_order compare_missing(const struct shard_column *c)
{
    return may_be_left_out(c) ? SHARD_SMALLER : SHARD_APART;
}

static enum shard_order turned(enum shard_order o)
{
    return o == SHARD_SMALLER ? SHARD_LARGER : o == SHARD_LARGER ? SHARD_SMALLER : o;
}

enum shard_order shard_table_compare(const struct shard_table *a, const struct shard_table *b)
{
    enum shard_order all = compare_keys(a, b);

    for (unsigned i = 0; i < a->n_cols && all != SHARD_APART; i++) {
        const struct shard_column *other = shard_table_column(b, a->cols[i].name);

        all = both(all, other ? shard_column_compare(&a->cols[i], other, NULL)
                              : turned(compare_missing(&a->cols[i])));
    }
    for (unsigned i = 0; i < b->n_cols && all != SHARD_APART; i++)
        if (!shard_table_column(a, b->cols[i].name))
            all = both(all, compare_missing(&b->cols[i]));
    return all;
}

static int must_be_given(const struct shard_column *c, struct err *err)
{
    return err_set(err, -EINVAL,
                   "column '%s' is in one and not in another, and must be given: it is NOT NULL "
                   "and has no default",
                   c->name);
}

static int join_all_columns(const struct shard_table *a, const struct shard_table *b,
                            struct shard_table *ret, struct err *err)
{
    for (unsigned i = 0; i < a->n_cols; i++) {
        const struct shard_column *c = &a->cols[i], *other = shard_table_column(b, c->name);

        if (!other && !may_be_left_out(c))
            return must_be_given(c, err);
        ret->cols[ret->n_cols] = *c;
        if (other && !join_columns(c, other, &ret->cols[ret->n_cols])) {
            shard_column_compare(c, other, err);
            return err->code = -EINVAL;
        }
        ret->n_cols++;
    }
    for (unsigned i = 0; i < b->n_cols; i++) {
        const struct shard_column *c = &b->cols[i];

        if (shard_table_column(a, c->name))
            continue;
        if (!may_be_left_out(c))
            return must_be_given(c, err);
        ret->cols[ret->n_cols++] = *c;
    }
    return 0;
}

int shard_table_join(const struct shard_table *a, const struct shard_table *b,
                     struct shard_table *ret, struct err *err)
{
    *ret = (struct shard_table){ .n_cols = 0 };
    if (!same_primary(a, b))
        return err_set(err, -EINVAL, "the primary keys are different");
    ret->cols = arena_alloc(&ret->arena, (a->n_cols + b->n_cols + 1) * sizeof *ret->cols);
    ret->keys = arena_alloc(&ret->arena, (a->n_keys + 1) * sizeof *ret->keys);
    for (unsigned i = 0; i < a->n_keys; i++)
        if (has_key(b, &a->keys[i]))
            ret->keys[ret->n_keys++] = a->keys[i];
    return join_all_columns(a, b, ret, err);
}
