/* builtin.c - the rows that every node has: status, last_error (README is in readme.c). */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "node/node.h"
#include "node/private.h"

static pthread_mutex_t note_lock = PTHREAD_MUTEX_INITIALIZER;

bool attr_in_status(const struct attr *a)
{
    return a->get && !(a->flags & (ATTR_BULK | ATTR_ASKS | ATTR_LARGE)) && a->type != ATTR_DOCUMENT;
}

/* Called with the node locked: every value is of the same moment. */
static json_t *status_get(const struct node *n, const struct attr *self, struct err *err)
{
    const struct attr *const tables[] = { n->type->attrs, builtin_rows };
    json_t *all = json_object();

    (void)err;
    for (size_t i = 0; i < 2; i++)
        for (const struct attr *a = tables[i]; a && a->name; a++) {
            struct err ignored = ERR_INIT; /* one value that cannot be had hides no other */
            json_t *v;

            if (a == self || !attr_in_status(a))
                continue;
            v = a->get(n, a, &ignored);
            json_object_set_new(all, a->name, v ? v : json_null());
        }
    return all;
}

static json_t *last_error_get(const struct node *n, const struct attr *self, struct err *err)
{
    json_t *v;

    (void)self, (void)err;
    pthread_mutex_lock(&note_lock);
    v = n->priv->last_error ? json_string(n->priv->last_error) : json_null();
    pthread_mutex_unlock(&note_lock);
    return v;
}

const struct attr builtin_rows[] = {
    { .name = "status",
      .type = ATTR_JSON,
      .flags = ATTR_BULK,
      .get = status_get,
      .help = "Every value of this directory as one JSON object, of one moment" },
    { .name = "last_error",
      .type = ATTR_TEXT,
      .flags = ATTR_WATCHED,
      .get = last_error_get,
      .help = "The last request that was refused here: time, uid, path and why" },
    { .name = "README",
      .type = ATTR_TEXT,
      .flags = ATTR_BULK,
      .get = readme_get,
      .help = "What this directory is, and each file of it" },
    { 0 },
};
static_assert(ARRAY_LEN(builtin_rows) == N_BUILTIN + 1, "N_BUILTIN counts the rows");

void node_refused(struct node *n, const char *path, const struct caller *who, const struct err *err)
{
    char now[CLOCK_TEXT_SIZE], *line, *old;

    clock_text(clock_wall_us(), now);
    line = xasprintf("%s uid %ld %s: %s", now, who ? (long)who->uid : -1L, *path ? path : "/",
                     err->text);
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    pthread_mutex_lock(&note_lock);
    old = n->priv->last_error;
    n->priv->last_error = line;
    pthread_mutex_unlock(&note_lock);
    free(old);
    node_changed(n, "last_error");
}

void builtin_fini(struct node_private *p)
{
    free(p->last_error);
    sizes_free(p->sizes);
}
