/* ctl.c - what the verbs share. */
#include "ctl/ctl.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"

const json_t *ctl_schema(struct ctl *c, struct err *err)
{
    if (!c->schema)
        c->schema = c->client->ops->read(c->client, "schema", 0, err);
    return c->schema;
}

int ctl_fail(const struct err *err)
{
    fprintf(stderr, "sluicectl: %s\n", err->text);
    return err->code == -ENOTCONN ? EXIT_UNREACHABLE : EXIT_REFUSED;
}

int ctl_usage(const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "sluicectl: ");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\nTry 'sluicectl help'.\n");
    return EXIT_USAGE;
}

char *ctl_path(const char *text)
{
    size_t len;

    text += strspn(text, "/");
    len = strlen(text);
    while (len && text[len - 1] == '/')
        len--;
    return len == 1 && *text == '.' ? xstrdup("") : xstrndup(text, len);
}

void ctl_split(const char *path, char **dir, const char **name)
{
    const char *slash = strrchr(path, '/');

    *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0);
    *name = slash ? slash + 1 : path;
}

/* --- wildcards --- */

static int expand(struct ctl *c, const char *done, const char *rest, json_t *all, struct err *err);

static int expand_word(struct ctl *c, const char *dir, const char *word, const char *rest,
                       json_t *all, struct err *err)
{
    json_t *v = c->client->ops->read(c->client, dir, 0, err), *name;
    size_t i;
    int rc = v ? 0 : err->code;

    json_array_foreach (json_object_get(v, "children"), i, name) {
        SCOPED(freep)
        char *path = xasprintf("%s%s%s", dir, *dir ? "/" : "", json_string_value(name));

        if (rc == 0 && fnmatch(word, json_string_value(name), FNM_PERIOD) == 0)
            rc = expand(c, path, rest, all, err);
    }
    json_decref(v);
    return rc;
}

/* Adds to 'all' what 'rest' names below 'done', which has no wildcards any more. */
static int expand(struct ctl *c, const char *done, const char *rest, json_t *all, struct err *err)
{
    size_t len = strcspn(rest, "/");
    SCOPED(freep) char *word = xstrndup(rest, len);
    SCOPED(freep) char *path = xasprintf("%s%s%s", done, *done && len ? "/" : "", word);
    const char *next = rest + len + (rest[len] == '/');

    if (strpbrk(word, "*?["))
        return expand_word(c, done, word, next, all, err);
    if (*next)
        return expand(c, path, next, all, err);
    return json_array_append_new(all, json_string(path));
}

json_t *ctl_expand(struct ctl *c, const char *pattern, struct err *err)
{
    SCOPED(freep) char *path = ctl_path(pattern);
    json_t *all = json_array();

    if (expand(c, "", path, all, err) == 0) {
        if (json_array_size(all))
            return all;
        err_set(err, -ENOENT, "nothing is called %s", path);
    }
    json_decref(all);
    return NULL;
}
