/* Rows of pumps and drainers, and the directories of their documents. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/drain/registrant_dir.h"
#include "unit/setting_row.h"

#define WAIT_MS 10000 /* an action shows its effect within; it goes on in any case */

/* --- values; the node is locked --- */

static json_t *value_at(const struct registrant *r, const char *path,
                        const struct attr *a) NO_THREAD_CHECK
{
    const json_t *v = doc_at(r->full, path);

    return v ? json_deep_copy(v) : setting_empty(a);
}

static json_t *get_top(const struct node *n, const struct attr *a, struct err *err)
{
    (void)err;
    return value_at(registrant_of(n), a->name, a);
}

int registrant_set_value(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    return registrant_set_field(registrant_of(n), a->name, v, err);
}

json_t *registrant_get_node_id(const struct node *n, const struct attr *a,
                               struct err *err) NO_THREAD_CHECK
{
    const struct registrant *r = registrant_of(n);
    SCOPED(freep) char *id = registrant_node_id(r->name, r->full);

    (void)a, (void)err;
    return json_string(id);
}

json_t *registrant_get_node_state(const struct node *n, const struct attr *a,
                                  struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_string(node_state_names[registrant_of(n)->node_state]);
}

json_t *registrant_get_ts(const struct node *n, const struct attr *a, struct err *err)
{
    const char *base = (const char *)registrant_of(n);

    (void)err;
    return json_integer((json_int_t)atomic_load((const _Atomic uint64_t *)(base + a->offset)));
}

json_t *registrant_get_config(const struct node *n, const struct attr *a,
                              struct err *err) NO_THREAD_CHECK
{
    const struct registrant *r = registrant_of(n);

    (void)a, (void)err;
    return doc_masked(r->kind->fields, r->full);
}

int registrant_set_config(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)a;
    return registrant_set_doc(registrant_of(n), v, err);
}

/* --- actions --- */

int registrant_run_start(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return registrant_start(registrant_of(n), err);
}

/* Returns once it is paused. */
static int pause_and_wait(struct registrant *r, enum unit_state to, struct err *err)
{
    int rc = registrant_pause(r, to, err);

    if (rc == 0 && unit_wait(r->unit, WAIT_MS) < 0)
        rc = err_set(err, -ETIMEDOUT, "it is pausing: see node_state");
    return rc;
}

int registrant_run_pause(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return pause_and_wait(registrant_of(n), UNIT_PAUSED, err);
}

int registrant_run_stop(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return pause_and_wait(registrant_of(n), UNIT_STOPPED, err);
}

/* A pump may take for ever: node_state says closing meanwhile. */
int registrant_run_close(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return registrant_close(registrant_of(n), err);
}

const struct attr registrant_update_params[] = {
    { .name = "state",
      .type = ATTR_ENUM,
      .choices = node_state_names,
      .flags = ATTR_REQUIRED,
      .help = "What the registry is to say" },
    { .name = "force",
      .type = ATTR_BOOL,
      .help = "Also while drainers lack what a pump has, or it runs" },
    { 0 },
};

/* For what died elsewhere, in binlogctl's way: changes nothing but the word. */
int registrant_run_update(struct node *n, const json_t *args, struct err *err)
{
    struct registrant *r = registrant_of(n);
    int to = node_state_of(json_string_value(json_object_get(args, "state")));
    bool force = json_is_true(json_object_get(args, "force"));
    int rc = 0;

    if (!force && unit_wait(r->unit, 0) < 0)
        return err_set(err, -EBUSY, "it runs: use pause or close; force=true changes the word");
    if (!force && to == NODE_OFFLINE)
        rc = registrant_undrained(r, err);
    return rc < 0 ? rc : registrant_move(r, (enum node_state)to, err);
}

/* --- directories --- */

struct doc_dir {
    struct node node;
    struct registrant *of; /* its unit's node is referenced */
    const char *prefix;
};

static struct doc_dir *dir_of(const struct node *n)
{
    return node_owner((struct node *)n, struct doc_dir, node);
}

static char *path_in(const struct node *n, const struct attr *a)
{
    return xasprintf("%s%s", dir_of(n)->prefix, a->name);
}

static json_t *get_inner(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(freep) char *path = path_in(n, a);

    (void)err;
    return value_at(dir_of(n)->of, path, a);
}

static int set_inner(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    SCOPED(freep) char *path = path_in(n, a);

    return registrant_set_field(dir_of(n)->of, path, v, err);
}

static void dir_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&dir_of(n)->of->unit->lock);
}

static void dir_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&dir_of(n)->of->unit->lock);
}

static void dir_release(struct node *n)
{
    node_unref(&dir_of(n)->of->unit->node);
    free(dir_of(n));
}

static const struct setting_access top = { .get = get_top, .set = registrant_set_value };
static const struct setting_access inner = { .get = get_inner, .set = set_inner };

static size_t n_rows(const struct attr *rows)
{
    size_t n = 0;

    while (rows[n].name)
        n++;
    return n;
}

static bool has_row(const struct attr *rows, const char *name)
{
    for (; rows->name; rows++)
        if (strcmp(rows->name, name) == 0)
            return true;
    return false;
}

static bool has_action(const struct action *actions, const char *name)
{
    for (; actions->name; actions++)
        if (strcmp(actions->name, name) == 0)
            return true;
    return false;
}

/* Made once, never freed.  A row of 'before' wins over the field's, and so does an action. */
struct attr *registrant_rows(const struct attr *before, const struct action *actions,
                             const struct doc_field *fields)
{
    size_t n = n_rows(before);
    struct attr *rows = xcalloc(n + setting_count(fields) + 1, sizeof *rows), *to = rows + n;

    memcpy(rows, before, n * sizeof *rows);
    for (; fields->name; fields++)
        if (setting_has_row(fields) && !has_row(before, fields->name) &&
            !has_action(actions, fields->name))
            *to++ = setting_row(fields, &top);
    return rows;
}

struct node_type registrant_dir_type(const char *name, const char *help,
                                     const struct doc_field *fields, const struct node_part *parts)
{
    struct attr *rows = xcalloc(setting_count(fields) + 1, sizeof *rows);

    setting_rows(rows, fields, &inner);
    return (struct node_type){ .name = name,
                               .help = help,
                               .attrs = rows,
                               .parts = parts,
                               .lock = dir_lock,
                               .unlock = dir_unlock,
                               .release = dir_release };
}

int registrant_dirs_add(struct registrant *r, struct err *err)
{
    enum { MAX_DIRS = 8 };
    struct node *made[MAX_DIRS];
    const struct registrant_dir *dirs = r->kind->dirs;

    for (int i = 0; dirs && dirs[i].name; i++) {
        struct doc_dir *d = xcalloc(1, sizeof *d);

        node_init(&d->node, dirs[i].type, dirs[i].name);
        d->of = r;
        d->prefix = dirs[i].prefix;
        node_ref(&r->unit->node);
        made[i] = &d->node;
        if (node_add(dirs[i].parent < 0 ? &r->unit->node : made[dirs[i].parent], &d->node, err) <
            0) {
            node_unref(&d->node);
            return err->code;
        }
    }
    return 0;
}
