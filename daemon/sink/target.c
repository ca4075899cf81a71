#include "sink/target.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/address.h"

static const struct class_row {
    const char *data_type;
    enum target_class class;
} classes[] = {
    { "tinyint", TARGET_NUMBER },
    { "smallint", TARGET_NUMBER },
    { "mediumint", TARGET_NUMBER },
    { "int", TARGET_NUMBER },
    { "bigint", TARGET_NUMBER },
    { "bit", TARGET_NUMBER },
    { "year", TARGET_NUMBER },
    { "enum", TARGET_NUMBER },
    { "set", TARGET_NUMBER },
    { "decimal", TARGET_DECIMAL },
    { "float", TARGET_FLOAT },
    { "double", TARGET_DOUBLE },
    { "date", TARGET_TIME },
    { "time", TARGET_TIME },
    { "datetime", TARGET_TIME },
    { "timestamp", TARGET_TIME },
    { "char", TARGET_TEXT },
    { "varchar", TARGET_TEXT },
    { "tinytext", TARGET_TEXT },
    { "text", TARGET_TEXT },
    { "mediumtext", TARGET_TEXT },
    { "longtext", TARGET_TEXT },
    { "binary", TARGET_BYTES },
    { "varbinary", TARGET_BYTES },
    { "tinyblob", TARGET_BYTES },
    { "blob", TARGET_BYTES },
    { "mediumblob", TARGET_BYTES },
    { "longblob", TARGET_BYTES },
    { "geometry", TARGET_BYTES },
    { "point", TARGET_BYTES },
    { "linestring", TARGET_BYTES },
    { "polygon", TARGET_BYTES },
    { "multipoint", TARGET_BYTES },
    { "multilinestring", TARGET_BYTES },
    { "multipolygon", TARGET_BYTES },
    { "geometrycollection", TARGET_BYTES },
    { "geomcollection", TARGET_BYTES },
};

/* Collations, by the end of their names, in which printable ASCII is equal by letter case alone:
 * contractions, or letters that are two names of one, make the others FOLD_ALL. */
static const char *const plain_collations[] = {
    "_general_ci",           "_general_nopad_ci",
    "_general_mysql500_ci",  "_unicode_ci",
    "_unicode_520_ci",       "_unicode_nopad_ci",
    "_unicode_520_nopad_ci", "_0900_ai_ci",
    "_0900_as_ci",           "_0900_as_cs",
    "_uca1400_ai_ci",        "_uca1400_as_ci",
    "_uca1400_ai_cs",        "_uca1400_as_cs",
    "_uca1400_nopad_ai_ci",  "_uca1400_nopad_as_ci",
    "_uca1400_nopad_ai_cs",  "_uca1400_nopad_as_cs",
    "latin1_swedish_ci",     "latin1_swedish_nopad_ci",
};

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static enum target_fold fold_of_text(const char *collation)
{
    if (!collation || strcmp(collation, "binary") == 0 || ends_with(collation, "_bin"))
        return FOLD_PADDING;
    for (size_t i = 0; i < ARRAY_LEN(plain_collations); i++)
        if (ends_with(collation, plain_collations[i]))
            return FOLD_CASE;
    return FOLD_ALL;
}

static enum target_fold fold_of(enum target_class class, const struct table_column *c)
{
    switch (class) {
    case TARGET_NUMBER:
        return FOLD_NONE;
    case TARGET_DECIMAL:
    case TARGET_TIME:
        return FOLD_FRACTION;
    case TARGET_FLOAT:
    case TARGET_DOUBLE:
    case TARGET_JSON:
        return FOLD_ALL;
    case TARGET_TEXT:
        return fold_of_text(c->collation);
    case TARGET_BYTES:
    case TARGET_OTHER:
        return FOLD_PADDING;
    }
    return FOLD_ALL;
}

static enum target_class class_of(const struct table_column *c)
{
    if (c->json)
        return TARGET_JSON;
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (strcmp(classes[i].data_type, c->data_type) == 0)
            return classes[i].class;
    return TARGET_OTHER;
}

static const struct table_column *find(const struct table_def *def, const char *name, unsigned *at)
{
    for (unsigned i = 0; i < def->n_cols; i++) {
        if (strcasecmp(def->cols[i].name, name) == 0) {
            *at = i;
            return &def->cols[i];
        }
    }
    return NULL;
}

/* Writes where each column of the target is in the source's rows; UINT_MAX: not there. */
static int map_columns(const struct table_def *def, const char *const *names,
                       struct target_table *t, unsigned *where, struct err *err)
{
    for (unsigned i = 0; i < def->n_cols; i++)
        where[i] = UINT_MAX;
    for (unsigned i = 0; i < t->n_cols; i++) {
        struct target_column *to = &t->cols[i];
        unsigned at = 0;
        const struct table_column *c = find(def, names[i], &at);

        to->name = xstrdup(names[i]);
        if (!c) {
            err_set(err, -EINVAL,
                    "table %s.%s of the target has no column '%s': add it there, and resume",
                    def->db, def->name, names[i]);
            return err_because(err, REASON_COLUMN_COUNT);
        }
        where[at] = i;
        to->class = class_of(c);
        if (to->class == TARGET_TEXT && c->charset)
            to->charset = xstrdup(c->charset);
        to->fold = fold_of(to->class, c);
        to->address = (uint8_t)address_of_type(c->data_type);
        to->written = !c->generated;
        to->on_update_now = c->on_update_now;
        to->enumerated = strcmp(c->data_type, "enum") == 0;
    }
    return 0;
}

static void take_key(struct target_table *t, const struct table_key *key, const unsigned *where)
{
    SCOPED(freep) unsigned *cols = xcalloc(key->n_parts, sizeof *cols);

    for (unsigned p = 0; p < key->n_parts; p++) {
        cols[p] = where[key->cols[p]];
        if (cols[p] == UINT_MAX)
            return; /* rows of the source do not have it */
    }
    t->n_key = key->n_parts;
    t->key = STEAL(cols);
    t->joined_key = true;
    for (unsigned p = 0; p < t->n_key; p++) {
        t->cols[t->key[p]].in_key = true;
        if (t->cols[t->key[p]].class != TARGET_NUMBER || t->cols[t->key[p]].enumerated)
            t->joined_key = false;
    }
}

static void mark_unique(struct target_table *t, const struct table_def *def, const unsigned *where)
{
    unsigned n_unique = 0;

    for (unsigned k = 0; k < def->n_keys; k++) {
        const struct table_key *key = &def->keys[k];

        if (!key->unique && !key->primary)
            continue;
        n_unique++;
        for (unsigned p = 0; p < key->n_parts; p++) {
            unsigned col = key->cols[p];

            if (col == UINT_MAX || def->cols[col].generated)
                t->any_update_moves = true;
            else if (where[col] != UINT_MAX)
                t->cols[where[col]].in_unique = true;
        }
    }
    t->only_key = n_unique == 1 && t->n_key > 0;
}

static void add_unique(struct target_unique *u, const struct target_table *t,
                       const struct table_def *def, const struct table_key *key,
                       const unsigned *where)
{
    u->cols = xcalloc(2 * (size_t)key->n_parts, sizeof *u->cols);
    u->told = u->cols + key->n_parts;
    for (unsigned p = 0; p < key->n_parts; p++) {
        unsigned at = key->cols[p] == UINT_MAX ? UINT_MAX : where[key->cols[p]];

        if (at == UINT_MAX) {
            u->unseen = true;
            continue;
        }
        u->cols[u->n_cols++] = at;
        if (def->cols[key->cols[p]].generated)
            u->unseen = true; /* the target works it out */
        else if (!(key->prefix && key->prefix[p]) && t->cols[at].fold != FOLD_ALL)
            u->told[u->n_told++] = at;
    }
}

static void add_uniques(struct target_table *t, const struct table_def *def,
                        const struct table_key *row_key, const unsigned *where)
{
    t->unique = xcalloc(def->n_keys + 1, sizeof *t->unique);
    for (unsigned k = 0; k < def->n_keys; k++) {
        const struct table_key *key = &def->keys[k];

        if (!key->unique && !key->primary)
            continue;
        t->unique[t->n_unique].row_key = key == row_key;
        add_unique(&t->unique[t->n_unique++], t, def, key, where);
    }
}

int target_table_new(const struct table_def *def, const char *const *names, unsigned n_cols,
                     struct target_table **ret, struct err *err)
{
    static _Atomic uint64_t last_id;
    SCOPED(freep) unsigned *where = xcalloc(def->n_cols, sizeof *where);
    struct target_table *t = xcalloc(1, sizeof *t);
    const struct table_key *key = table_row_key(def);
    int rc;

    t->id = atomic_fetch_add(&last_id, 1) + 1;
    t->db = xstrdup(def->db);
    t->name = xstrdup(def->name);
    t->n_cols = n_cols;
    t->cols = xcalloc(n_cols, sizeof *t->cols);
    t->foreign_keys = def->has_foreign_keys;
    t->transactional = def->transactional;
    rc = map_columns(def, names, t, where, err);
    if (rc < 0) {
        target_table_free(t);
        return rc;
    }
    if (key)
        take_key(t, key, where);
    mark_unique(t, def, where);
    add_uniques(t, def, key, where);
    *ret = t;
    return 0;
}

void target_table_free(struct target_table *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < t->n_cols; i++) {
        free(t->cols[i].name);
        free(t->cols[i].charset);
    }
    for (unsigned i = 0; i < t->n_unique; i++)
        free(t->unique[i].cols);
    free(t->unique);
    free(t->cols);
    free(t->key);
    free(t->db);
    free(t->name);
    free(t);
}

static bool column_alike(const struct target_column *a, const struct target_column *b)
{
    const char *charset_a = a->charset ? a->charset : "", *charset_b = b->charset ? b->charset : "";

    return strcmp(a->name, b->name) == 0 && strcmp(charset_a, charset_b) == 0 &&
           a->class == b->class && a->fold == b->fold && a->written == b->written &&
           a->on_update_now == b->on_update_now && a->enumerated == b->enumerated &&
           a->in_unique == b->in_unique && a->in_key == b->in_key;
}

bool target_table_alike(const struct target_table *a, const struct target_table *b)
{
    if (strcmp(a->name, b->name) != 0 || strcmp(a->db, b->db) != 0 || a->n_cols != b->n_cols ||
        a->n_key != b->n_key || a->n_unique != b->n_unique || a->only_key != b->only_key ||
        a->any_update_moves != b->any_update_moves || a->foreign_keys != b->foreign_keys ||
        a->transactional != b->transactional || a->may_lack != b->may_lack)
        return false;
    for (unsigned i = 0; i < a->n_key; i++)
        if (a->key[i] != b->key[i])
            return false;
    for (unsigned i = 0; i < a->n_cols; i++)
        if (!column_alike(&a->cols[i], &b->cols[i]))
            return false;
    return true;
}
