/*
 * serve.h - what one listener serves: the tree, APIs of other systems, or both.
 *
 *     kingbus=127.0.0.1:9595             one system
 *     kingbus/orders=127.0.0.1:9595      its syncer is the source, its server the server "orders"
 *     kingbus+v1=127.0.0.1:9595          and the tree
 *     pump/p1=127.0.0.1:8250             the pump p1; pumps with an address of their own need none
 *
 * An address alone (the setting 'listen') serves the tree and every system, those whose paths
 * collide below a prefix: /pumps/p1/status.
 */
#ifndef SLUICE_HTTP_SERVE_H
#define SLUICE_HTTP_SERVE_H

#include "http/compat/route.h"

struct serve {
    bool tree;
    struct served {
        const struct facade *facade;
        char *unit; /* NULL: below the prefix of the facade, or its default */
    } * at;
    size_t n;
};

/* "kingbus+v1=127.0.0.1:9595": '*address' points into 'text'. */
int serve_parse(const char *text, struct serve *ret, const char **address, struct err *err);
void serve_all(struct serve *ret);
void serve_unit(struct serve *ret, const struct facade *f, const char *unit);
void serve_fini(struct serve *s);
/* Does it serve this one and nothing else? */
bool serve_is_only(const struct serve *s, const char *facade);

/* As route_find(), in all that is served; c->facade is also set where none of its paths fits and
 * one facade is all there is. */
int serve_find(const struct serve *s, const char *method, const char *url, struct call *c,
               struct err *err);

#endif
