/*
 * mock.h - a tree that is made of JSON, for the tests of facades.
 *
 *     mock_new("", "{"
 *         "'children': { 'pumps': { 'template': {…}, 'children': { 'p1': {"
 *             "'attrs': { 'node_state': 'online' },"
 *             "'actions': { 'pause': { 'node_state': 'pausing' }, 'gc': { 'errno': 16 } }"
 *         "} } } } }")
 *
 * An action changes the attributes that are given, or fails with 'errno'.  A collection with a
 * template makes children of it; their 'config' becomes the document.  Quotes may be single.
 */
#ifndef SLUICE_TESTS_HTTP_MOCK_H
#define SLUICE_TESTS_HTTP_MOCK_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "http/compat/facade.h"
#include "http/compat/serve.h"
#include "node/node.h"

struct mock {
    struct node node;
    struct node_type type;
    struct attr attrs[40];
    struct action actions[16];
    json_t *spec;
};

static inline struct mock *mock_of(const struct node *n)
{
    return node_owner(n, struct mock, node);
}

static inline json_t *mock_get(const struct node *n, const struct attr *a, struct err *err)
{
    (void)err;
    return json_incref(json_object_get(json_object_get(mock_of(n)->spec, "attrs"), a->name));
}

static inline int mock_set(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)err;
    if (strcmp((const char *)a->name, "peer_url") == 0 && strncmp(json_string_value(v), "http", 4))
        return err_set(err, -EINVAL, "URL scheme must be http");
    json_object_set_new(json_object_get(mock_of(n)->spec, "attrs"), a->name, json_deep_copy(v));
    return 0;
}

static json_t *mock_args;        /* the arguments of the last action */
static const char *mock_running; /* name of the action whose 'run' is called: set by its params */

static inline int mock_apply(struct node *n, const char *name, struct err *err)
{
    const json_t *what = json_object_get(json_object_get(mock_of(n)->spec, "actions"), name);
    json_t *code = json_object_get(what, "errno");

    mock_running = name;
    if (code)
        return err_set(err, -(int)json_integer_value(code), "%s fails", name);
    json_object_update(json_object_get(mock_of(n)->spec, "attrs"), (json_t *)what);
    return 0;
}

/* run() is not told its name: one function each. */
#define MOCK_ACTION(name)                                                                  \
    static inline int mock_run_##name(struct node *n, const json_t *args, struct err *err) \
    {                                                                                      \
        json_decref(mock_args);                                                            \
        mock_args = json_deep_copy(args);                                                  \
        return mock_apply(n, #name, err);                                                  \
    }
MOCK_ACTION(start)
MOCK_ACTION(stop)
MOCK_ACTION(pause)
MOCK_ACTION(resume)
MOCK_ACTION(close)
MOCK_ACTION(gc)
MOCK_ACTION(purge)
MOCK_ACTION(enable)
MOCK_ACTION(disable)
MOCK_ACTION(check)
MOCK_ACTION(delete)

static const struct {
    const char *name;
    int (*run)(struct node *n, const json_t *args, struct err *err);
} mock_runs[] = {
    { "start", mock_run_start },   { "stop", mock_run_stop },     { "pause", mock_run_pause },
    { "resume", mock_run_resume }, { "close", mock_run_close },   { "gc", mock_run_gc },
    { "purge", mock_run_purge },   { "enable", mock_run_enable }, { "disable", mock_run_disable },
    { "check", mock_run_check },   { "delete", mock_run_delete },
};

static const struct attr mock_params[] = {
    { .name = "before", .type = ATTR_TEXT, .help = "A file" },
    { .name = "name", .type = ATTR_TEXT, .help = "A task" },
    { .name = "force", .type = ATTR_BOOL, .help = "At once" },
    { .name = "keep_meta", .type = ATTR_BOOL, .help = "Leave it" },
    { .name = "remove_meta", .type = ATTR_BOOL, .help = "Forget" },
    { .name = "sources", .type = ATTR_JSON, .help = "Names" },
    { .name = "start_time", .type = ATTR_TEXT, .help = "A time" },
    { .name = "safe_mode_time_duration", .type = ATTR_TEXT, .help = "A time" },
    { .name = "timeout_duration", .type = ATTR_TEXT, .help = "A time" },
    { .name = "config", .type = ATTR_JSON, .help = "A document" },
    { 0 },
};

static inline void mock_release(struct node *n)
{
    json_decref(mock_of(n)->spec);
    free(mock_of(n));
}

static inline struct node *mock_make(const char *name, json_t *spec);

static inline int mock_create(struct node *dir, const char *name, const json_t *spec,
                              struct err *err)
{
    const json_t *template = json_object_get(mock_of(dir)->spec, "template");
    json_t *copy;
    struct node *child;

    if (json_object_get(template, "errno"))
        return err_set(err, -(int)json_integer_value(json_object_get(template, "errno")),
                       "%s cannot be made", name);
    copy = json_deep_copy(template);
    if (spec) {
        json_object_set(json_object_get(copy, "attrs"), "config", (json_t *)spec);
        json_object_update(json_object_get(copy, "attrs"), (json_t *)spec);
    }
    child = mock_make(name, copy);
    if (node_add(dir, child, err) < 0) {
        node_unref(child);
        return err->code;
    }
    return 0;
}

static inline int mock_remove(struct node *n, struct err *err)
{
    (void)err;
    node_remove(n);
    return 0;
}

static inline struct node *mock_make(const char *name, json_t *spec)
{
    struct mock *m = xcalloc(1, sizeof *m);
    struct err err = ERR_INIT;
    const char *key;
    json_t *v;
    size_t n = 0;

    m->spec = spec;
    json_object_foreach (json_object_get(spec, "attrs"), key, v)
        m->attrs[n++] = (struct attr){
            .name = key,
            .type = strcmp(key, "config") == 0       ? ATTR_DOCUMENT
                    : key[strspn(key, "0123456789")] ? ATTR_JSON
                                                     : ATTR_TEXT,
            .flags = strcmp(key, "config") == 0 ? ATTR_BULK : 0,
            .get = mock_get,
            .set = mock_set,
        };
    n = 0;
    for (size_t i = 0; i < ARRAY_LEN(mock_runs); i++)
        if (json_object_get(json_object_get(spec, "actions"), mock_runs[i].name))
            m->actions[n++] = (struct action){ .name = mock_runs[i].name,
                                               .params = mock_params,
                                               .run = mock_runs[i].run };
    m->type = (struct node_type){ .name = "mock",
                                  .attrs = m->attrs,
                                  .actions = m->actions,
                                  .create = json_object_get(spec, "template") ? mock_create : NULL,
                                  .remove = mock_remove,
                                  .release = mock_release };
    node_init(&m->node, &m->type, name);
    json_object_foreach (json_object_get(spec, "children"), key, v)
        cr_assert_eq(node_add(&m->node, mock_make(key, json_incref(v)), &err), 0, "%s", err.text);
    return &m->node;
}

static inline json_t *mock_json(const char *text)
{
    char *copy = xstrdup(text);
    json_error_t at;
    json_t *v;

    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    v = json_loads(copy, JSON_DECODE_ANY, &at);
    cr_assert_not_null(v, "%s at %d: %s", at.text, at.position, copy);
    free(copy);
    return v;
}

static inline struct node *mock_new(const char *spec)
{
    return mock_make("", mock_json(spec));
}

/* Overrides one attribute. */
static inline void mock_change(struct node *root, const char *path, const char *json)
{
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT;

    cr_assert_eq(node_find(root, path, &t, &err), 0, "%s", err.text);
    json_object_set_new(json_object_get(mock_of(t.node)->spec, "attrs"), t.attr->name,
                        mock_json(json));
    node_changed(t.node, t.attr->name);
}

static uid_t mock_uid;       /* who asks; set by the test to be another user */
static bool mock_reads_only; /* with a token that only reads */

/* One request to all that is served; the body of the reply, to be freed. */
static inline char *mock_ask(struct node *root, const struct serve *serve, const char *method,
                             const char *url, const char *body, unsigned *status)
{
    const char *arguments = strchr(url, '?');
    char *path = xstrndup(url, arguments ? (size_t)(arguments - url) : strlen(url));
    struct http_request q = { .method = method,
                              .path = path + 1,
                              .arguments = arguments ? arguments + 1 : NULL };
    struct http_reply r = { 0 };
    struct call c = { .root = root, .q = &q, .r = &r };
    struct err err = ERR_INIT;
    char *text;

    q.may_write = !mock_reads_only;
    q.body = *body ? slice_str(body) : (struct slice){ 0 }; /* as it comes without one */
    q.caller = (struct caller){ .uid = mock_uid ? mock_uid : getuid(),
                                .gid = mock_uid ? mock_uid : getgid(),
                                .front = "http",
                                .name = mock_reads_only ? "grafana" : NULL };
    if (serve_find(serve, method, path, &c, &err) == 0)
        route_serve(&c);
    else if (c.facade)
        c.facade->refuse(&c, &err);
    *status = r.status;
    text = buf_steal(&r.body);
    call_fini(&c);
    http_reply_fini(&r);
    free(path);
    return text;
}

/* Expects a reply: a JSON document equals 'wanted' whatever the order of its keys; other text is
 * the same; "@FILE" is in tests/compat. */
static inline void mock_expect(struct node *root, const struct serve *serve, const char *request,
                               const char *body, unsigned status, const char *wanted)
{
    char method[8], url[256], *text;
    json_t *want = NULL, *got;
    unsigned seen = 0;

    sscanf(request, "%7s %255s", method, url);
    text = mock_ask(root, serve, method, url, body, &seen);
    cr_expect_eq(seen, status, "%s: %u %s", request, seen, text);
    if (*wanted == '@') {
        char path[256];

        snprintf(path, sizeof path, "tests/compat/%s", wanted + 1);
        want = json_load_file(path, 0, NULL);
        cr_assert_not_null(want, "%s", path);
    } else if (*wanted == '{' || *wanted == '[') {
        want = mock_json(wanted);
    }
    if (!want) {
        cr_expect_str_eq(text, wanted, "%s", request);
    } else {
        got = json_loads(text, 0, NULL);
        cr_expect(json_equal(got, want), "%s: %s", request, text);
        json_decref(got);
    }
    json_decref(want);
    free(text);
}

#endif
