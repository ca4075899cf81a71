/* Paths and methods that callers send to the facades: what fits a pattern fills all of its names
 * and nothing else, and its node path holds them as one segment each.  The first line is the
 * method and the URL; when there is a second, it is a pattern. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/serve.h"
#include "http/path.h"

static size_t count(const char *text, char c)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == c;
    return n;
}

static void check_params(const struct call *c)
{
    for (size_t i = 0; i < c->n_params; i++) {
        SCOPED(freep) char *node = xasprintf("a/{%s}/b", c->params[i].name);
        SCOPED(freep) char *path = call_path(c, node);

        assert(c->params[i].value && *c->params[i].name);
        assert(count(path, '/') == 2);
    }
}

static void find(const struct serve *s, const char *method, const char *url)
{
    struct call c = { 0 };
    struct err err = ERR_INIT;
    int rc = serve_find(s, method, url, &c, &err);

    assert(rc == 0 || rc == -ENOENT || rc == -EOPNOTSUPP);
    assert((rc == 0) == (c.route != NULL));
    assert(rc == 0 || err.text[0]);
    if (rc == 0) {
        assert(call_param(&c, "unit") && *call_param(&c, "unit"));
        check_params(&c);
    }
    call_fini(&c);
}

/* Only patterns that a table could hold: a few names, each in a segment of its own. */
static bool is_pattern(const char *text)
{
    const char *at = text;

    if (count(text, '{') > ROUTE_MAX_PARAMS || count(text, '{') != count(text, '}'))
        return false;
    while ((at = strchr(at, '{'))) {
        size_t len = strcspn(at, "/");

        if (at == text || at[-1] != '/' || len < 3 || strcspn(at, "}") != len - 1)
            return false;
        at++;
    }
    return true;
}

static void fit(const char *pattern, const char *url)
{
    struct call c = { 0 };

    if (is_pattern(pattern) && route_fits(pattern, url, &c)) {
        assert(c.n_params <= count(pattern, '{'));
        check_params(&c);
    }
    call_fini(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(serve_fini) struct serve all = { 0 }, one = { 0 };
    SCOPED(freep) char *text = xstrndup((const char *)data, size);
    char *rest = text, *first = strsep(&rest, "\n"), *method = strsep(&first, " ");
    const char *url = first ? first : "";
    struct err err = ERR_INIT;
    const char *address;

    serve_all(&all);
    find(&all, method, url);
    for (size_t i = 0; facades[i]; i++) {
        SCOPED(serve_fini) struct serve s = { 0 };

        serve_unit(&s, facades[i], "u");
        find(&s, method, url);
    }
    if (rest)
        fit(rest, url);
    if (serve_parse(text, &one, &address, &err) == 0)
        find(&one, "GET", url);
    return 0;
}
