#include "unit/schema/schema_known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/schema/schema_store.h"

static void table_fini(struct known_table *m)
{
    free(m->schema);
    free(m->name);
    table_free(m->given);
    table_free(m->proposal);
    table_free(m->told);
}

void known_fini(struct known *k)
{
    for (unsigned i = 0; i < k->n; i++)
        table_fini(&k->all[i]);
    free(k->all);
}

static struct known_table *find(struct known *k, const char *schema, const char *name)
{
    for (unsigned i = 0; i < k->n; i++)
        if (strcmp(k->all[i].schema, schema) == 0 && strcmp(k->all[i].name, name) == 0)
            return &k->all[i];
    return NULL;
}

struct known_table *known_add(struct known *k, const char *schema, const char *name)
{
    GROW(k->all, k->n, k->cap);
    k->all[k->n] = (struct known_table){ .schema = xstrdup(schema), .name = xstrdup(name) };
    return &k->all[k->n++];
}

int known_load(struct known *k, const char *schema, const char *name, struct known_table **ret,
               struct err *err)
{
    SCOPED(buf_fini) struct buf set = BUF_INIT;
    struct table_def *given = NULL;
    enum schema_kept kept;
    int rc;

    *ret = find(k, schema, name);
    if (*ret)
        return 0;
    rc = schema_store_get(k->job, schema, name, &kept, &set, err);
    if (rc == 0 && kept == SCHEMA_SET)
        rc = schema_def(slice_of(set.data, set.size), schema, name, &given, err);
    if (rc < 0)
        return rc;
    *ret = known_add(k, schema, name);
    (*ret)->mirror = kept == SCHEMA_MIRROR;
    (*ret)->given = given;
    return 0;
}

int known_save(struct known *k, const char *schema, const char *name, bool mirror, uint64_t seq,
               struct err *err)
{
    struct known_table *m = find(k, schema, name);

    if (!m)
        m = known_add(k, schema, name);
    m->mirror = mirror;
    m->accepted = false;
    table_free(m->proposal);
    table_free(m->given);
    table_free(m->told);
    m->proposal = m->given = m->told = NULL;
    return schema_store_put(k->job, schema, name, mirror ? SCHEMA_MIRROR : SCHEMA_APART, seq, err);
}

int known_save_named(struct known *k, const char *schema, const char *name, uint64_t seq,
                     struct err *err)
{
    struct known_table *t;
    int rc = known_load(k, schema, name, &t, err);

    if (rc != -ENOENT)
        return rc;
    known_add(k, schema, name);
    return schema_store_put(k->job, schema, name, SCHEMA_NAMED, seq, err);
}

void known_accept(struct known *k)
{
    for (unsigned i = 0; i < k->n; i++)
        if (k->all[i].proposal)
            k->all[i].accepted = true;
}

void known_tell(struct known *k, const char *schema, const char *name, const char *create)
{
    struct err ignored = ERR_INIT;
    struct known_table *t = NULL;
    int rc = known_load(k, schema, name, &t, &ignored);

    if (rc == -ENOENT)
        t = known_add(k, schema, name);
    else if (rc < 0 || !t->mirror)
        return;
    table_free(t->told);
    t->told = NULL;
    (void)schema_def(slice_str(create), schema, name, &t->told, &ignored);
}

void known_forget(struct known *k, const char *schema, const char *name)
{
    for (unsigned i = k->n; i-- > 0;) {
        struct known_table *t = &k->all[i];

        if (strcmp(t->schema, schema) != 0 || (name && strcmp(t->name, name) != 0))
            continue;
        table_fini(t);
        *t = k->all[--k->n];
    }
}
