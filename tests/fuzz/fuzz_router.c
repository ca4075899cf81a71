/* Patterns and routes: "pattern\nname": no crash, no endless match, and a wildcard pattern
 * without special characters matches exactly itself. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/pattern.h"
#include "route/router.h"

static void try_pattern(const char *pattern, const char *name)
{
    struct err err = ERR_INIT;
    struct pattern *p;

    if (pattern_new(pattern, false, &p, &err) < 0)
        return;
    if (!strpbrk(pattern, "*?[") && pattern[0] != '~')
        assert(pattern_match(p, name) == (strcmp(pattern, name) == 0));
    else
        pattern_match(p, name);
    pattern_free(p);
}

static void try_router(const char *pattern, const char *name)
{
    const struct router_rule rules[] = { { .schema = pattern },
                                         { .schema = "s", .table = pattern, .to_table = "t" } };
    struct router_config c = {
        .do_rules = rules, .n_do = 2, .routes = rules, .n_routes = 2, .fold_case = true
    };
    struct err err = ERR_INIT;
    struct router *r;
    struct route to;

    if (router_new(&c, &r, &err) < 0)
        return;
    router_table(r, name, name, &to);
    router_schema(r, name, &to);
    router_check(r, "s", name, &err);
    router_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(freep) char *pattern = xstrndup((const char *)data, size);
    char *name = strchr(pattern, '\n');

    if (size > 300 || !name)
        return 0;
    *name++ = '\0';
    try_pattern(pattern, name);
    try_router(pattern, name);
    return 0;
}
