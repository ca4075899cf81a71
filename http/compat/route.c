/* route.c - patterns of paths onto nodes of the tree. */
#include "http/compat/route.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/path.h"
#include "http/status.h"
#include "node/authority.h"

/* --- patterns --- */

static void params_clear(struct call *c)
{
    for (size_t i = 0; i < c->n_params; i++) {
        free(c->params[i].name);
        free(c->params[i].value);
    }
    c->n_params = 0;
}

void call_fini(struct call *c)
{
    params_clear(c);
    json_decref(c->query);
    json_decref(c->body);
    c->query = c->body = NULL;
}

void call_set_param(struct call *c, const char *name, const char *value)
{
    for (size_t i = 0; i < c->n_params; i++) {
        if (strcmp(c->params[i].name, name) != 0)
            continue;
        free(c->params[i].value);
        c->params[i].value = xstrdup(value);
        return;
    }
    if (c->n_params == ROUTE_MAX_PARAMS)
        abort(); /* a table with too many names in a path */
    c->params[c->n_params++] = (struct param){ xstrdup(name), xstrdup(value) };
}

/* One segment against one word of a pattern. */
static bool segment_fits(const char *word, size_t word_len, const char *url, size_t len,
                         struct call *c)
{
    SCOPED(freep) char *value = NULL, *name = NULL;

    if (len == 0 || len > ROUTE_MAX_SEGMENT)
        return false;
    value = xstrndup(url, len);
    if (percent_decode(value, false) < 0)
        return false;
    if (*word != '{')
        return strlen(value) == word_len && memcmp(value, word, word_len) == 0;
    name = xstrndup(word + 1, word_len - 2);
    call_set_param(c, name, value);
    return true;
}

bool route_fits(const char *pattern, const char *url, struct call *c)
{
    while (*pattern && *url) {
        size_t word_len, len;

        if (*pattern++ != '/' || *url++ != '/')
            return false;
        word_len = strcspn(pattern, "/");
        len = strcspn(url, "/");
        if (!segment_fits(pattern, word_len, url, len, c))
            return false;
        pattern += word_len;
        url += len;
    }
    return !*pattern && (!*url || strcmp(url, "/") == 0);
}

static void add_method(struct call *c, const char *method)
{
    size_t used = strlen(c->allow);

    if (!strstr(c->allow, method))
        snprintf(c->allow + used, sizeof c->allow - used, "%s%s", used ? ", " : "", method);
}

int route_find(const struct facade *f, const char *unit, const char *method, const char *url,
               struct call *c, struct err *err)
{
    for (const struct route *route = f->routes; route->method; route++) {
        SCOPED(freep) char *pattern = xasprintf("%s%s", unit ? "" : f->prefix, route->path);

        params_clear(c);
        if (!route_fits(pattern, url, c))
            continue;
        c->facade = f;
        if (*route->method != '*' && strcmp(route->method, method) != 0) {
            add_method(c, route->method);
            continue;
        }
        c->route = route;
        if (unit || f->unit)
            call_set_param(c, "unit", unit ? unit : f->unit);
        return 0;
    }
    if (!c->facade)
        return err_set(err, -ENOENT, "%.200s: nothing is served here", url);
    return err_set(err, -EOPNOTSUPP, "%s does not apply to %.200s; what does: %s", method, url,
                   c->allow);
}

static int check_request(struct call *c, struct err *err)
{
    const struct api_operation *op = c->route->op;

    if (!op)
        return 0;
    c->r->status = op->status ? op->status : 200;
    if (api_query(op->query, c->q->arguments, &c->query, err) < 0)
        return err->code;
    return api_body(op, c->q->body, &c->body, &c->form, err);
}

void route_serve(struct call *c)
{
    struct err err = ERR_INIT;

    c->r->status = 200;
    if (check_request(c, &err) < 0 || c->route->serve(c, &err) < 0) {
        buf_clear(&c->r->body);
        c->facade->refuse(c, &err);
    }
}

/* --- the tree --- */

const char *call_param(const struct call *c, const char *name)
{
    for (size_t i = 0; i < c->n_params; i++)
        if (strcmp(c->params[i].name, name) == 0)
            return c->params[i].value;
    return NULL;
}

char *call_path(const struct call *c, const char *node)
{
    SCOPED(buf_fini) struct buf path = BUF_INIT;

    while (*node) {
        size_t len = strcspn(node, "{");

        buf_add(&path, node, len);
        node += len;
        if (*node != '{')
            continue;
        len = strcspn(node, "}");
        SCOPED(freep) char *name = xstrndup(node + 1, len - 1);
        const char *value = call_param(c, name);
        SCOPED(freep) char *shown = node_name_shown(value ? value : "");

        buf_str(&path, shown);
        node += len + 1;
    }
    return buf_steal(&path);
}

/* May the caller do it?  As mirror.c: a directory is made or removed by writing the one above. */
static int may(const struct call *c, const struct target *t, int want, struct err *err)
{
    bool is_directory = !t->attr && !t->action;
    mode_t mode = is_directory && (want & 2) ? authority_bits(0777) : target_mode(t);

    if ((want & 2) && !c->q->may_write)
        return err_set(err, -EACCES, "the token '%s' may only read", c->q->caller.name);
    return authority_check(&c->q->caller, mode, want, err);
}

/* Finds "<node>[/<row>]"; target_release() it. */
static int find(const struct call *c, const char *node, const char *row, int want,
                struct target *ret, struct err *err)
{
    SCOPED(freep) char *dir = call_path(c, node);
    SCOPED(freep) char *path = xasprintf("%s%s%s", dir, row ? "/" : "", row ? row : "");
    SCOPED(target_release) struct target t = { 0 };

    if (node_find(c->root, path, &t, err) < 0)
        return err->code;
    if (may(c, &t, want, err) < 0) {
        node_refused(t.node, path, &c->q->caller, err);
        return err->code;
    }
    *ret = t;
    t.node = NULL;
    return 0;
}

static int find_use(const struct call *c, unsigned use, int want, struct target *ret,
                    struct err *err)
{
    const struct use *u = &c->facade->uses[use];

    return find(c, u->node, u->row, want, ret, err);
}

json_t *call_read(struct call *c, unsigned use, struct err *err)
{
    SCOPED(target_release) struct target t = { 0 };

    return find_use(c, use, 4, &t, err) < 0 ? NULL : target_read(&t, err);
}

int call_text_below(struct call *c, unsigned use, const char *name, struct buf *out,
                    struct err *err)
{
    SCOPED(target_release) struct target t = { 0 };
    int rc = find(c, c->facade->uses[use].node, name, 4, &t, err);

    return rc < 0 ? rc : target_text(&t, out, err);
}

static void add_name(void *names, struct node *child)
{
    SCOPED(freep) char *plain = node_name_plain(child->name);

    json_array_append_new(names, json_string(plain ? plain : child->name));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

/* Takes 'names'. */
static json_t *sorted(json_t *names)
{
    size_t i, n = json_array_size(names);
    json_t **order = xcalloc(n + 1, sizeof *order), *all = json_array(), *v;

    json_array_foreach (names, i, v)
        order[i] = v;
    qsort(order, n, sizeof(json_t *), by_name);
    for (i = 0; i < n; i++)
        json_array_append(all, order[i]);
    free(order);
    json_decref(names);
    return all;
}

json_t *call_children(struct call *c, unsigned use, struct err *err)
{
    SCOPED(target_release) struct target t = { 0 };
    json_t *names;

    if (find_use(c, use, 4, &t, err) < 0)
        return NULL;
    names = json_array();
    node_each(t.node, add_name, names);
    return sorted(names);
}

struct listing {
    const char *suffix; /* NULL: directories */
    json_t *names;
};

static void add_listed(void *arg, const struct entry *e)
{
    const struct listing *l = arg;
    SCOPED(freep) char *plain = node_name_plain(e->name);
    size_t size = plain ? strlen(plain) : 0, more = l->suffix ? strlen(l->suffix) : 0;

    if (!plain || (S_ISDIR(e->mode) != 0) != !l->suffix || size <= more ||
        strcmp(plain + size - more, l->suffix ? l->suffix : "") != 0)
        return;
    json_array_append_new(l->names, json_stringn(plain, size - more));
}

json_t *call_listed(struct call *c, unsigned use, const char *suffix, struct err *err)
{
    SCOPED(target_release) struct target t = { 0 };
    struct listing l = { suffix, NULL };

    if (find_use(c, use, 4, &t, err) < 0)
        return NULL;
    l.names = json_array();
    node_list(t.node, add_listed, &l);
    return sorted(l.names);
}

int call_remove_below(struct call *c, unsigned use, const char *name, struct err *err)
{
    SCOPED(target_release) struct target t = { 0 };
    int rc = find(c, c->facade->uses[use].node, name, 2, &t, err);

    return rc < 0 ? rc : node_destroy(t.node, &c->q->caller, err);
}

int call_write(struct call *c, unsigned use, const json_t *v, struct err *err)
{
    SCOPED(target_release) struct target t = { 0 };
    int rc = find_use(c, use, 2, &t, err);

    return rc < 0 ? rc : target_write(&t, v, &c->q->caller, err);
}

int call_create(struct call *c, unsigned use, const json_t *spec, struct err *err)
{
    SCOPED(freep) char *path = call_path(c, c->facade->uses[use].node);
    SCOPED(freep) char *name = NULL;
    SCOPED(target_release) struct target dir = { 0 };
    char *slash = strrchr(path, '/');

    *slash = '\0';
    name = xstrdup(slash + 1);
    if (node_find(c->root, path, &dir, err) < 0 || may(c, &dir, 2, err) < 0)
        return err->code;
    return node_create(dir.node, name, spec, &c->q->caller, err);
}

int call_remove(struct call *c, unsigned use, struct err *err)
{
    SCOPED(target_release) struct target t = { 0 };
    int rc = find(c, c->facade->uses[use].node, NULL, 2, &t, err);

    return rc < 0 ? rc : node_destroy(t.node, &c->q->caller, err);
}

bool call_refused(struct call *c, const char *node, const char *text)
{
    SCOPED(freep) char *path = call_path(c, node);
    SCOPED(freep) char *what = xasprintf("%s /%s", c->q->method, c->q->path);
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT;

    if (node_find(c->root, path, &t, &err) < 0)
        return false;
    err_set(&err, -EINVAL, "%s", text);
    node_refused(t.node, what, &c->q->caller, &err);
    return true;
}

/* --- bodies and replies --- */

json_t *call_body(const struct call *c, struct err *err)
{
    json_error_t at;
    json_t *v = json_loadb(c->q->body.size ? (const char *)c->q->body.data : "", c->q->body.size,
                           JSON_REJECT_DUPLICATES, &at);

    if (json_is_object(v))
        return v;
    if (v)
        err_set(err, -EINVAL, "the body is no JSON object");
    else
        err_set(err, -EINVAL, "the body is not JSON: line %d, column %d: %s", at.line, at.column,
                at.text);
    json_decref(v);
    return NULL;
}

static json_t *empty_of(json_type type)
{
    switch (type) {
    case JSON_OBJECT:
        return json_object();
    case JSON_ARRAY:
        return json_array();
    case JSON_STRING:
        return json_string("");
    case JSON_INTEGER:
    case JSON_REAL:
        return json_integer(0);
    case JSON_TRUE:
    case JSON_FALSE:
        return json_false();
    case JSON_NULL:
        break;
    }
    return json_null();
}

/* true and false are two types to jansson; null as a type takes anything. */
static bool is_of(const json_t *v, json_type type)
{
    if (type == JSON_TRUE || type == JSON_FALSE)
        return json_is_boolean(v);
    return type == JSON_NULL || json_typeof(v) == type;
}

int call_check_body(json_t *body, const struct field *fields, struct err *err)
{
    static const char *const names[] = { "an object",      "a list",   "a text",
                                         "a whole number", "a number", "a truth value",
                                         "a truth value",  "null" };

    for (const struct field *f = fields; f->key; f++) {
        const json_t *v = json_object_get(body, f->key);

        if (!v || json_is_null(v))
            json_object_set_new(body, f->key, empty_of(f->type));
        else if (!is_of(v, f->type))
            return err_set(err, -EINVAL, "%s: %s is expected", f->key, names[f->type]);
    }
    return 0;
}

json_t *shape_of(const struct shape *s, const json_t *attrs)
{
    json_t *all = json_object();

    for (const struct field *f = s->fields; f->key; f++) {
        json_t *v = f->attr ? json_object_get(attrs, f->attr) : NULL;
        json_t *shown = f->make ? f->make(v, attrs) : json_incref(v);

        if (!shown || (json_is_null(shown) && f->type != JSON_NULL)) {
            json_decref(shown);
            shown = empty_of(f->type);
        }
        json_object_set_new(all, f->key, shown);
    }
    return all;
}

unsigned route_status(int code)
{
    static const int ours[] = { -EACCES, -ENOKEY, -EKEYREJECTED, -EFBIG, -EAGAIN, -ESHUTDOWN };

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (ours[i] == code)
            return status_of_errno(code);
    return 500;
}

int call_json(struct call *c, json_t *v, size_t flags)
{
    SCOPED(freep)
    char *text = json_dumps(v, flags | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    json_decref(v);
    c->r->type = "application/json; charset=UTF-8";
    buf_str(&c->r->body, text ? text : "null");
    buf_byte(&c->r->body, '\n');
    return 0;
}

int call_text(struct call *c, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->r->type = format_types[FORMAT_TEXT];
    buf_str(&c->r->body, text);
    return 0;
}
