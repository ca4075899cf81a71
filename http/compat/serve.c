/* serve.c - what one listener serves. */
#include "http/compat/serve.h"

#include <errno.h>

#include "base/mem.h"
#include "base/scope.h"

static void add(struct serve *s, const struct facade *f, const char *unit)
{
    s->at = xrealloc(s->at, (s->n + 1) * sizeof *s->at);
    s->at[s->n++] = (struct served){ f, unit ? xstrdup(unit) : NULL };
}

void serve_all(struct serve *ret)
{
    *ret = (struct serve){ .tree = true };
    for (size_t i = 0; facades[i]; i++)
        add(ret, facades[i], NULL);
}

void serve_unit(struct serve *ret, const struct facade *f, const char *unit)
{
    *ret = (struct serve){ .n = 0 };
    add(ret, f, unit);
}

void serve_fini(struct serve *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->at[i].unit);
    free(s->at);
    *s = (struct serve){ .n = 0 };
}

bool serve_is_only(const struct serve *s, const char *facade)
{
    return !s->tree && s->n == 1 && strcmp(s->at[0].facade->name, facade) == 0;
}

static int unknown(const char *name, struct err *err)
{
    SCOPED(buf_fini) struct buf all = BUF_INIT;

    for (size_t i = 0; facades[i]; i++)
        buf_printf(&all, "%s, ", facades[i]->name);
    return err_set(err, -EINVAL, "'%s' is no system: there are %sand v1, the tree", name, all.data);
}

/* Two systems with a prefix have paths in common. */
static int check_collision(const struct serve *s, const struct facade *f, struct err *err)
{
    for (size_t i = 0; *f->prefix && i < s->n; i++)
        if (*s->at[i].facade->prefix)
            return err_set(err, -EINVAL, "%s and %s have paths in common: give each an address",
                           s->at[i].facade->name, f->name);
    return 0;
}

/* "kingbus/orders" */
static int add_word(struct serve *s, char *word, struct err *err)
{
    char *unit = strchr(word, '/');
    const struct facade *f;

    if (strcmp(word, "v1") == 0) {
        s->tree = true;
        return 0;
    }
    if (unit)
        *unit++ = '\0';
    f = facade_find(word);
    if (!f)
        return unknown(word, err);
    if (unit && !*unit)
        return err_set(err, -EINVAL, "%s/: a name follows the slash", word);
    if (!unit && !f->unit)
        return err_set(err, -EINVAL, "%s: say which one: %s/NAME=ADDRESS", word, word);
    if (check_collision(s, f, err) < 0)
        return err->code;
    add(s, f, unit ? unit : f->unit);
    return 0;
}

int serve_parse(const char *text, struct serve *ret, const char **address, struct err *err)
{
    SCOPED(serve_fini) struct serve s = { .n = 0 };
    const char *equals = strchr(text, '=');
    SCOPED(freep) char *words = xstrndup(text, equals ? (size_t)(equals - text) : 0);
    char *rest = words, *word;

    if (!equals || equals == text || !equals[1])
        return err_set(err, -EINVAL, "'%s': it is SYSTEM[/NAME][+SYSTEM...]=ADDRESS", text);
    while ((word = strsep(&rest, "+")))
        if (add_word(&s, word, err) < 0)
            return err_wrap(err, "'%s'", text);
    *ret = s;
    s = (struct serve){ .n = 0 };
    *address = equals + 1;
    return 0;
}

int serve_find(const struct serve *s, const char *method, const char *url, struct call *c,
               struct err *err)
{
    int rc = err_set(err, -ENOENT, "%.200s: nothing is served here", url);

    for (size_t i = 0; i < s->n && rc == -ENOENT; i++) {
        *err = ERR_INIT;
        rc = route_find(s->at[i].facade, s->at[i].unit, method, url, c, err);
    }
    if (rc == -ENOENT && s->n == 1 && !s->tree)
        c->facade = s->at[0].facade;
    return rc;
}
