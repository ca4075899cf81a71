#include "http/compat/serve.h"

#include "base/scope.h"
#include "mock.h"

static void refused(const char *text, const char *why)
{
    SCOPED(serve_fini) struct serve s = { 0 };
    struct err err = ERR_INIT;
    const char *address;

    cr_expect_lt(serve_parse(text, &s, &address, &err), 0, "%s", text);
    cr_expect_not_null(strstr(err.text, why), "%s", err.text);
}

Test(serve, reads_what_a_listener_serves)
{
    SCOPED(serve_fini) struct serve s = { 0 };
    struct err err = ERR_INIT;
    const char *address;

    cr_assert_eq(serve_parse("kingbus/orders+v1=unix:/run/a=b", &s, &address, &err), 0);
    cr_assert_str_eq(address, "unix:/run/a=b");
    cr_assert(s.tree);
    cr_assert_eq(s.n, 1);
    cr_assert_str_eq(s.at[0].unit, "orders");
    cr_assert_not(serve_is_only(&s, "kingbus"));
}

Test(serve, refuses_what_it_does_not_understand)
{
    refused("127.0.0.1:9595", "SYSTEM[/NAME]");
    refused("=127.0.0.1:9595", "SYSTEM[/NAME]");
    refused("kingbus=", "SYSTEM[/NAME]");
    refused("kinbus=127.0.0.1:9595", "'kinbus' is no system: there are dm, kingbus");
    refused("pump=127.0.0.1:8250", "pump/NAME=ADDRESS");
    refused("kingbus/=127.0.0.1:9595", "a name follows");
    refused("pump/p1+drainer/d1=127.0.0.1:8250", "paths in common");
}

Test(serve, finds_each_system_on_the_shared_listener)
{
    static const struct {
        const char *method, *url, *facade, *unit;
    } cases[] = {
        { "PATCH", "/api/v1/sources/s/start-relay", "dm", "dm" },
        { "GET", "/members", "kingbus", "kingbus" },
        { "PUT", "/binlog/syncer/start", "kingbus", "kingbus" },
        { "GET", "/pumps/p1/status", "pump", "p1" },
        { "GET", "/drainers/d1/status", "drainer", "d1" },
        { "PUT", "/pumps/p1/state/h:8250/pause", "pump", "p1" },
    };
    SCOPED(serve_fini) struct serve s = { 0 };

    serve_all(&s);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct call c = { 0 };
        struct err err = ERR_INIT;

        cr_expect_eq(serve_find(&s, cases[i].method, cases[i].url, &c, &err), 0, "%s: %s",
                     cases[i].url, err.text);
        cr_expect_str_eq(c.facade->name, cases[i].facade);
        cr_expect_str_eq(call_param(&c, "unit"), cases[i].unit);
        call_fini(&c);
    }
}

/* The first that fits is served: so no path of one may be another's on a shared listener. */
Test(serve, has_no_path_twice_on_the_shared_listener)
{
    SCOPED(serve_fini) struct serve s = { 0 };

    serve_all(&s);
    for (size_t i = 0; i < s.n; i++)
        for (const struct route *r = s.at[i].facade->routes; r->method; r++) {
            SCOPED(freep) char *url = xasprintf("%s%s", s.at[i].facade->prefix, r->path);
            struct call c = { 0 };
            struct err err = ERR_INIT;
            const char *method = *r->method == '*' ? "GET" : r->method;

            if (strcmp(url, "/metrics") == 0) /* the tree's own there */
                continue;
            cr_expect_eq(serve_find(&s, method, url, &c, &err), 0, "%s", err.text);
            cr_expect_eq(c.route, r, "%s %s is served by %s", method, url, c.facade->name);
            cr_expect_neq(strncmp(url, "/v1", 3), 0, "%s is the tree's", url);
            call_fini(&c);
        }
}

Test(serve, answers_in_the_form_of_the_only_system)
{
    SCOPED(serve_fini) struct serve one = { 0 }, all = { 0 };
    struct call c = { 0 };
    struct err err = ERR_INIT;

    serve_unit(&one, facade_find("pump"), "p1");
    serve_all(&all);
    cr_assert(serve_is_only(&one, "pump"));
    cr_assert_eq(serve_find(&one, "GET", "/nope", &c, &err), -ENOENT);
    cr_assert_eq(c.facade, facade_find("pump"));
    c.facade = NULL;
    cr_assert_eq(serve_find(&all, "GET", "/nope", &c, &err), -ENOENT);
    cr_assert_null(c.facade);
}
