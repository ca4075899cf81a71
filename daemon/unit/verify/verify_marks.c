#include "unit/verify/verify_marks.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/key.h"
#include "store/store.h"

struct verify_marks {
    struct store *store;
    char *task;
    struct verify_mark *all;
    unsigned n;
};

struct verify_marks *verify_marks_new(struct store *store, const char *task)
{
    struct verify_marks *m = xcalloc(1, sizeof *m);

    m->store = store;
    m->task = xstrdup(task);
    return m;
}

static void fini(struct verify_mark *mark)
{
    free(mark->source);
    free(mark->db);
    free(mark->name);
}

void verify_mark_free(struct verify_mark *all, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        fini(&all[i]);
    free(all);
}

void verify_marks_free(struct verify_marks *m)
{
    verify_mark_free(m->all, m->n);
    free(m->task);
    free(m);
}

/* --- the store --- */

static char *owner_of(const struct verify_marks *m, const char *source)
{
    return xasprintf("unlooked/%s/%s", m->task, source);
}

static int put(struct verify_marks *m, const struct verify_mark *mark, struct err *err)
{
    SCOPED(freep) char *owner = owner_of(m, mark->source);
    SCOPED(buf_fini) struct buf key = BUF_INIT;

    key_table(&key, owner, mark->db, mark->name, 0);
    return m->store ? store_put(m->store, STORE_SCHEMA, key_slice(&key), slice_str("1"), true, err)
                    : 0;
}

static void forget(struct verify_marks *m, const struct verify_mark *mark)
{
    SCOPED(freep) char *owner = owner_of(m, mark->source);
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    struct err ignored = ERR_INIT; /* it is compared once more */

    key_table(&key, owner, mark->db, mark->name, 0);
    if (m->store)
        (void)store_delete(m->store, STORE_SCHEMA, key_slice(&key), false, &ignored);
}

/* --- the list --- */

static unsigned find(const struct verify_marks *m, const struct verify_mark *k)
{
    unsigned i = 0;

    while (i < m->n && (strcmp(m->all[i].name, k->name) != 0 || strcmp(m->all[i].db, k->db) != 0 ||
                        strcmp(m->all[i].source, k->source) != 0))
        i++;
    return i;
}

static struct verify_mark copy_of(const struct verify_mark *k)
{
    return (struct verify_mark){ xstrdup(k->source), xstrdup(k->db), xstrdup(k->name) };
}

static void list(struct verify_marks *m, const struct verify_mark *k)
{
    if (find(m, k) < m->n)
        return;
    m->all = xrealloc(m->all, (m->n + 1) * sizeof *m->all);
    m->all[m->n++] = copy_of(k);
}

int verify_marks_add(struct verify_marks *m, const struct verify_mark *mark, struct err *err)
{
    int rc = find(m, mark) < m->n ? 0 : put(m, mark, err);

    if (rc == 0)
        list(m, mark);
    return rc;
}

void verify_marks_drop(struct verify_marks *m, const struct verify_mark *mark)
{
    unsigned i = find(m, mark);

    if (i == m->n)
        return;
    forget(m, mark);
    fini(&m->all[i]);
    m->all[i] = m->all[--m->n];
}

void verify_marks_clear(struct verify_marks *m)
{
    for (unsigned i = 0; i < m->n; i++)
        forget(m, &m->all[i]);
    verify_mark_free(m->all, m->n);
    m->all = NULL;
    m->n = 0;
}

struct verify_mark *verify_marks_all(struct verify_marks *m, unsigned *n)
{
    struct verify_mark *all;

    all = xcalloc(m->n + 1, sizeof *all);
    *n = m->n;
    for (unsigned i = 0; i < m->n; i++)
        all[i] = copy_of(&m->all[i]);
    return all;
}

int verify_marks_load(struct verify_marks *m, const char *source, struct err *err)
{
    SCOPED(freep) char *owner = owner_of(m, source);
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value, db, name;
    uint64_t seq;
    int rc;

    if (!m->store)
        return 0;
    key_prefix(&prefix, KEY_TABLE, owner, NULL);
    it = store_iter_new(m->store, STORE_SCHEMA, key_slice(&prefix));
    while ((rc = store_iter_next(it, &key, &value, err)) > 0) {
        struct verify_mark k;

        if (!key_table_parse(key, &db, &name, &seq))
            continue;
        k = (struct verify_mark){ (char *)source, xstrndup((const char *)db.data, db.size),
                                  xstrndup((const char *)name.data, name.size) };
        list(m, &k);
        free(k.db);
        free(k.name);
    }
    return rc;
}
