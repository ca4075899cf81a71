#include "route/online.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/pattern.h"

struct patterns {
    struct pattern **at;
    unsigned n;
};

struct online_names {
    struct patterns ghosts, trash;
};

/* Source: gh-ost, doc/understanding-output.md; pt-online-schema-change's manual. */
static const char *const usual_ghosts[] = { "^_(.+)_(?:new|gho)$" };
static const char *const usual_trash[] = { "^_(.+)_(?:ghc|del|old)$" };

static void patterns_fini(struct patterns *p)
{
    for (unsigned i = 0; i < p->n; i++)
        pattern_free(p->at[i]);
    free(p->at);
}

void online_names_free(struct online_names *o)
{
    if (!o)
        return;
    patterns_fini(&o->ghosts);
    patterns_fini(&o->trash);
    free(o);
}

static void online_names_freep(struct online_names **o)
{
    online_names_free(*o);
}

static int patterns_init(struct patterns *p, struct online_rules rules, const char *field,
                         bool fold, struct err *err)
{
    p->at = xcalloc(rules.n + 1, sizeof *p->at);
    for (unsigned i = 0; i < rules.n; i++) {
        SCOPED(freep) char *text = xasprintf("~%s", rules.at[i]);
        int rc = pattern_new(text, fold, &p->at[p->n], err);

        if (rc < 0)
            return err_wrap(err, "%s: regex %s is invalid", field, rules.at[i]);
        if (pattern_n_groups(p->at[p->n++]) != 1)
            return err_set(err, -EINVAL,
                           "%s: regex %s is invalid: it must have exactly one group, which is the "
                           "name of the table that is changed, as ^_(.+)_(?:new|gho)$ has",
                           field, rules.at[i]);
    }
    return 0;
}

int online_names_new(struct online_rules ghosts, struct online_rules trash, bool fold,
                     struct online_names **ret, struct err *err)
{
    SCOPED(online_names_freep) struct online_names *o = xcalloc(1, sizeof *o);
    int rc;

    if (ghosts.n == 0)
        ghosts = (struct online_rules){ usual_ghosts, ARRAY_LEN(usual_ghosts) };
    if (trash.n == 0)
        trash = (struct online_rules){ usual_trash, ARRAY_LEN(usual_trash) };
    rc = patterns_init(&o->ghosts, ghosts, "shadow_table_rules", fold, err);
    if (rc == 0)
        rc = patterns_init(&o->trash, trash, "trash_table_rules", fold, err);
    if (rc == 0)
        *ret = STEAL(o);
    return rc;
}

static bool is_one(const struct patterns *p, const char *table, size_t *at, size_t *size)
{
    for (unsigned i = 0; i < p->n; i++)
        if (pattern_group(p->at[i], table, at, size) > 0 && *size > 0)
            return true;
    return false;
}

enum router_online online_name(const struct online_names *o, const char *table, size_t *at,
                               size_t *size)
{
    if (is_one(&o->ghosts, table, at, size))
        return ONLINE_GHOST;
    return is_one(&o->trash, table, at, size) ? ONLINE_TRASH : ONLINE_NONE;
}
