/*
 * route.h - APIs of other systems, as tables onto the tree.
 *
 * A facade is the API of one system: routes (a method and a pattern of a path), the rows of the
 * tree that they use, and shapes (which key of the JSON shows which attribute).  It holds no state
 * and reaches nothing but node.h; every row that it touches is in its table 'uses', which a test
 * resolves against /schema, so that a row that is renamed leaves no route behind.
 *
 *     static const struct use uses[] = {
 *         [RELAY] = { "sources/{unit}/relay", NULL },
 *         [RELAY_STOP] = { "sources/{unit}/relay", "stop" },
 *     };
 *     static const struct route routes[] = {
 *         { "GET", "/binlog/syncer/status", syncer_status },
 *         { "PUT", "/binlog/syncer/stop", syncer_stop },
 *         { 0 },
 *     };
 *
 * {name} in a pattern is one segment of the path, decoded, and where the same name stands in the
 * path of a node, the node's name.  {unit} is what the listener is for (the pump of a pump's own
 * port), or a segment of the facade's prefix where a listener serves several systems:
 * /pumps/{unit}/status there is /status here.
 *
 * To add a route: its row, and a function that answers it.  To add a facade: a file with these
 * tables and its row in facade.c.
 */
#ifndef SLUICE_HTTP_ROUTE_H
#define SLUICE_HTTP_ROUTE_H

#include "http/compat/api.h"
#include "http/message.h"

enum { ROUTE_MAX_PARAMS = 8, ROUTE_MAX_SEGMENT = 1024 };

struct call;
struct facade;
struct field;
struct metric_row;

/* A row of the tree: a node, or one attribute or action of it. */
struct use {
    const char *node; /* "pumps/{unit}" */
    const char *row;  /* NULL: all that its status has */
};

struct route {
    const char *method, *path; /* "*": any method */
    /* Answers: call_json(), call_text(), or an error, which facade->refuse shows. */
    int (*serve)(struct call *c, struct err *err);
    const struct api_operation *op; /* checked first, and told in the API's document; or NULL */
};

/* One key of a JSON object. */
struct field {
    const char *key;
    const char *attr; /* what it shows; NULL: 'make' alone knows */
    json_type type;   /* of what is shown, also when the attribute has nothing or is not there */
    /* Where it is not the attribute as it is: makes the value of 'v' and all attributes, which may
     * be NULL; NULL leaves it empty. */
    json_t *(*make)(const json_t *v, const json_t *attrs);
};

/* An object of a facade; of the attributes of one node. */
struct shape {
    const char *node; /* as in struct use */
    const struct field *fields;
};

struct facade {
    const char *name;   /* in the setting 'facades' and in the log */
    const char *prefix; /* of its paths on a listener that serves several; "" where none collides */
    const char *unit;   /* {unit} of a listener that names none; NULL: the listener must */
    const char *units;  /* each child of this collection with an address has a listener; or NULL */
    const struct route *routes;        /* ended by a row without a method */
    const struct use *uses;            /* ended by a row without a node */
    const struct shape *const *shapes; /* ended by NULL */
    const struct metric_row *metrics;  /* of uses[0]; metric.h; NULL: none */
    /* Puts an error into the reply as the system does; call->route is NULL for an unknown path. */
    void (*refuse)(struct call *c, const struct err *err);
};

/* The facades, ended by NULL (facade.c). */
extern const struct facade *const facades[];
const struct facade *facade_find(const char *name); /* NULL if there is none */

struct param {
    char *name, *value; /* the value decoded, as people write it */
};

/* One request to a facade. */
struct call {
    const struct facade *facade;
    const struct route *route; /* NULL until found */
    struct param params[ROUTE_MAX_PARAMS];
    size_t n_params;
    char allow[64]; /* the methods of the path, when it has others than the one asked */
    struct node *root;
    const struct http_request *q;
    struct http_reply *r;
    json_t *query, *body; /* where the route has an operation: checked; body json_null(): none */
    unsigned form;        /* which of the operation's bodies it is */
};
void call_fini(struct call *c);

/* Does 'url' (undecoded, without a query) fit 'pattern'?  Fills the parameters, also on failure.
 * Pure. */
bool route_fits(const char *pattern, const char *url, struct call *c);

/* Finds the route of 'facade' for a method and a URL.  With 'unit' its paths are at the root of
 * the listener, without they are below the prefix.  0; -ENOENT: not one of its paths; -EOPNOTSUPP:
 * another method applies (c->facade is set, c->allow filled). */
int route_find(const struct facade *f, const char *unit, const char *method, const char *url,
               struct call *c, struct err *err);

/* Answers the request.  May wait: not in an event loop. */
void route_serve(struct call *c);

/* --- for the functions of routes; each keeps to the caller's right --- */

const char *call_param(const struct call *c, const char *name); /* NULL if the path has none */
/* Names a child of a collection for the uses that follow: sets {name}. */
void call_set_param(struct call *c, const char *name, const char *value);
/* "pumps/{unit}" with the parameters filled in; the caller frees. */
char *call_path(const struct call *c, const char *node);

/* The value of facade->uses[use], or all attributes of its node: a new reference; NULL with
 * -ENOENT, -EACCES, ... */
json_t *call_read(struct call *c, unsigned use, struct err *err);
/* The bytes of a file below the node of a use: "pumps/p1/binlog" and "4125….json". */
int call_text_below(struct call *c, unsigned use, const char *name, struct buf *out,
                    struct err *err);
/* The plain names of the children of a node, in order: a JSON array. */
json_t *call_children(struct call *c, unsigned use, struct err *err);
/* The plain names of what its directory lists, in order: its directories, or the files whose names
 * end in 'suffix', without it. */
json_t *call_listed(struct call *c, unsigned use, const char *suffix, struct err *err);
/* Removes such a file. */
int call_remove_below(struct call *c, unsigned use, const char *name, struct err *err);
/* Runs an action or writes an attribute. */
int call_write(struct call *c, unsigned use, const json_t *v, struct err *err);
/* Makes the node of a use with a document; removes it. */
int call_create(struct call *c, unsigned use, const json_t *spec, struct err *err);
int call_remove(struct call *c, unsigned use, struct err *err);

/* Keeps a refusal as the last_error of a node ("tasks/{task}").  False: there is no such node. */
bool call_refused(struct call *c, const char *node, const char *text);

/* The body as a JSON object; -EINVAL with where it is none. */
json_t *call_body(const struct call *c, struct err *err);
/* Its fields by a table of types: -EINVAL names the first of another type.  Absent ones are
 * made empty (0, "", false); others are left alone. */
int call_check_body(json_t *body, const struct field *fields, struct err *err);

/* 'attrs' (what call_read() gave; NULL: nothing is there) in a shape: a new object. */
json_t *shape_of(const struct shape *s, const json_t *attrs);

/* The HTTP status of an error that is not the system's own: no right, too large, too busy; else
 * 500. */
unsigned route_status(int code);

/* Replies with status 200, unless the function set another: JSON in the given flags of jansson, 'v'
 * taken; or text. */
int call_json(struct call *c, json_t *v, size_t flags);
int call_text(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
