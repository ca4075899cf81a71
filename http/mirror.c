/* mirror.c - the tree over HTTP. */
#include "http/mirror.h"

#include <errno.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/directory.h"
#include "http/link.h"
#include "http/path.h"
#include "node/authority.h"
#include "node/yaml.h"

/* As a write to the file: one value is at most this long. */
enum { VALUE_MAX = 4096 };

static bool is_directory(const struct target *t)
{
    return !t->attr && !t->action;
}

static bool is_document(const struct target *t)
{
    return (t->action && t->action->document) || (t->attr && t->attr->type == ATTR_DOCUMENT);
}

/* --- bodies --- */

static json_t *parse_json(const struct http_request *q, struct err *err)
{
    json_error_t at;
    json_t *v = json_loadb((const char *)q->body.data, q->body.size,
                           JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &at);

    if (!v)
        err_set(err, -EINVAL, "the body is not JSON: line %d, column %d: %s", at.line, at.column,
                at.text);
    return v;
}

/* The value that the body of a PUT or POST to 't' holds. */
static json_t *parse_body(const struct target *t, const struct http_request *q, struct err *err)
{
    const char *text = q->body.size ? (const char *)q->body.data : "";

    if (q->sends == FORMAT_NONE) {
        err_set(err, -EINVAL,
                "the Content-Type is none of application/json, application/yaml and "
                "text/plain");
        return NULL;
    }
    if (q->body.size == 0 && t->action && !t->action->document)
        return json_object();
    if (!is_document(t) && q->body.size > VALUE_MAX) {
        err_set(err, -EFBIG, "a value is at most %d bytes, not %zu", VALUE_MAX, q->body.size);
        return NULL;
    }
    if (q->sends == FORMAT_JSON && !is_document(t))
        return parse_json(q, err);
    return json_of_text(t, text, q->body.size, err);
}

/* The document that a new directory is made from; NULL without an error: none was sent. */
static json_t *parse_spec(const struct http_request *q, struct err *err)
{
    if (q->body.size == 0)
        return NULL;
    return q->sends == FORMAT_JSON ? parse_json(q, err)
                                   : yaml_parse((const char *)q->body.data, q->body.size, err);
}

/* --- the verbs; each has found its target and the right to it --- */

static int reply_json(struct http_reply *r, const json_t *v)
{
    r->status = 200;
    r->type = format_types[FORMAT_JSON];
    json_print(v, &r->body);
    buf_byte(&r->body, '\n');
    return 0;
}

static int get_directory(const struct target *t, const struct http_request *q, struct http_reply *r,
                         struct err *err)
{
    SCOPED(json_decrefp) json_t *v = NULL;

    if (q->accept != FORMAT_JSON) {
        directory_text(t->node, &r->body);
        r->status = 200;
        r->type = format_types[FORMAT_TEXT];
        return 0;
    }
    v = directory_read(t->node, &q->query, err);
    return v ? reply_json(r, v) : err->code;
}

static int get_attr(const struct target *t, const struct http_request *q, struct http_reply *r,
                    struct err *err)
{
    SCOPED(json_decrefp) json_t *v = NULL;

    if (q->accept == FORMAT_JSON) {
        v = target_read(t, err);
        return v ? reply_json(r, v) : err->code;
    }
    r->status = 200;
    r->type = format_types[t->attr->type == ATTR_DOCUMENT ? q->accept : FORMAT_TEXT];
    return target_text(t, &r->body, err);
}

static int write_target(const struct target *t, const struct http_request *q, struct http_reply *r,
                        struct err *err)
{
    SCOPED(json_decrefp) json_t *v = parse_body(t, q, err);

    if (!v) {
        node_refused(t->node, q->path, &q->caller, err);
        return err->code;
    }
    r->status = 204;
    return target_write(t, v, &q->caller, err);
}

/* The row that takes a node's whole document; NULL if its type has none. */
static const struct attr *document_row(const struct node_type *type)
{
    for (const struct attr *a = type->attrs; a && a->name; a++)
        if (a->type == ATTR_DOCUMENT && a->set)
            return a;
    return NULL;
}

/* PUT to a directory that exists: its document again, or nothing to do. */
static int put_directory(const struct target *t, const struct http_request *q, struct http_reply *r,
                         struct err *err)
{
    struct target document = { .node = t->node, .attr = document_row(t->node->type) };

    r->status = 204;
    if (q->body.size == 0)
        return 0;
    if (!document.attr)
        return err_set(err, -EEXIST, "%s exists and takes no document", q->path);
    return write_target(&document, q, r, err);
}

/* Of a directory, or of a file that was made when asked for. */
static bool can_go(const struct target *t)
{
    return t->node->type->remove && (is_directory(t) || (t->node->file && t->attr));
}

static int delete_node(const struct target *t, const struct http_request *q, struct http_reply *r,
                       struct err *err)
{
    r->status = 204;
    return node_destroy(t->node, &q->caller, err);
}

/* --- which verb applies to what --- */

enum resource { DIRECTORY, ATTR, ACTION };

static const struct verb {
    const char *method;
    enum resource resource;
    int want; /* of authority_check() */
    int (*run)(const struct target *t, const struct http_request *q, struct http_reply *r,
               struct err *err);
} verbs[] = {
    { "GET", DIRECTORY, 4, get_directory },  { "PUT", DIRECTORY, 2, put_directory },
    { "DELETE", DIRECTORY, 2, delete_node }, { "GET", ATTR, 4, get_attr },
    { "PUT", ATTR, 2, write_target },        { "DELETE", ATTR, 2, delete_node },
    { "POST", ACTION, 2, write_target },
};

static enum resource resource_of(const struct target *t)
{
    return t->attr ? ATTR : t->action ? ACTION : DIRECTORY;
}

/* A value for the Allow header: what can be done with 't' at all. */
static const char *allowed(const struct target *t)
{
    mode_t bits = target_mode(t);

    if (t->action)
        return "POST";
    if (is_directory(t))
        return can_go(t) ? "GET, HEAD, PUT, DELETE" : "GET, HEAD";
    if (can_go(t))
        return "GET, HEAD, PUT, DELETE";
    if (!(bits & 0222))
        return "GET, HEAD";
    return bits & 0444 ? "GET, HEAD, PUT" : "PUT";
}

static bool allows(const char *allow, const char *method)
{
    const char *at = strstr(allow, method);

    return at && strchr(",", at[strlen(method)]);
}

static int may(const struct http_request *q, const struct target *t, int want, struct err *err)
{
    mode_t mode;

    if ((want & 2) && !q->may_write)
        return err_set(err, -EACCES, "the token '%s' may only read", q->caller.name);
    /* To make or remove a directory is to write the one above it, which can be written. */
    mode = is_directory(t) && (want & 2) ? authority_bits(0777) : target_mode(t);
    return authority_check(&q->caller, mode, want, err);
}

static int serve_target(const struct target *t, const struct http_request *q, struct http_reply *r,
                        struct err *err)
{
    const char *allow = allowed(t);

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        const struct verb *v = &verbs[i];

        if (v->resource != resource_of(t) || strcmp(v->method, q->method) != 0 ||
            !allows(allow, q->method))
            continue;
        if (may(q, t, v->want, err) < 0) {
            node_refused(t->node, q->path, &q->caller, err);
            return err->code;
        }
        return v->run(t, q, r, err);
    }
    r->allow = allow;
    return err_set(err, -EOPNOTSUPP, "%s does not apply to %s; what does: %s", q->method,
                   *q->path ? q->path : "/", allow);
}

/* PUT to a path that does not exist: mkdir, or with a document mkdir and writes at once. */
static int create(struct node *root, const struct http_request *q, struct http_reply *r,
                  const struct err *missing, struct err *err)
{
    const char *slash = strrchr(q->path, '/');
    SCOPED(freep) char *parent = xstrndup(q->path, slash ? (size_t)(slash - q->path) : 0);
    const char *name = slash ? slash + 1 : q->path;
    SCOPED(target_release) struct target dir = { 0 };
    SCOPED(json_decrefp) json_t *spec = NULL;

    if (link_find(root, parent, true, &dir, err) < 0 || !is_directory(&dir)) {
        *err = *missing;
        return err->code;
    }
    if (may(q, &dir, 2, err) < 0)
        return err->code;
    spec = parse_spec(q, err);
    if ((!spec && q->body.size) || node_create(dir.node, name, spec, &q->caller, err) < 0)
        return err->code;
    SCOPED(buf_fini) struct buf url = BUF_INIT;

    url_of_path(q->path, &url);
    r->location = xasprintf("/v1/%s", url.data);
    r->status = 201;
    return 0;
}

void mirror_serve(struct node *root, const struct http_request *q, struct http_reply *r)
{
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT, missing;
    int rc = link_find(root, q->path, strcmp(q->method, "GET") == 0, &t, &err);

    if (rc == 0) {
        rc = serve_target(&t, q, r, &err);
    } else if (strcmp(q->method, "PUT") == 0) {
        missing = err;
        err = ERR_INIT;
        rc = create(root, q, r, &missing, &err);
    }
    if (rc < 0)
        http_reply_error(r, q, &err);
}

bool mirror_waits(struct node *root, const struct http_request *q)
{
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT;

    if (strcmp(q->method, "GET") != 0)
        return true;
    return link_find(root, q->path, true, &t, &err) == 0 && t.attr && (t.attr->flags & ATTR_ASKS);
}

int mirror_find_readable(struct node *root, const struct http_request *q, struct target *t,
                         struct err *err)
{
    SCOPED(target_release) struct target found = { 0 };

    if (link_find(root, q->path, true, &found, err) < 0)
        return err->code;
    if (!allows(allowed(&found), "GET"))
        return err_set(err, -EOPNOTSUPP, "%s cannot be read", q->path);
    if (may(q, &found, 4, err) < 0)
        return err->code;
    *t = found;
    found.node = NULL;
    return 0;
}
