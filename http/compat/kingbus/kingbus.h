/*
 * kingbus.h - kingbus's admin API (9595), in rooms.
 *
 *     kingbus.c          what of the tree it uses; its routes and replies; the facade
 *     kingbus_members.c  the cluster and its members
 *     kingbus_syncer.c   the syncer: a source and its relay
 *     kingbus_server.c   the server and its replicas; /metrics, of a listener of kingbus's own
 *     kingbus_metrics.c  what the metrics are called
 *
 * kingbus has one syncer and one server; ours are the source and the server called as the listener
 * says (facades: kingbus/NAME=ADDRESS), which is "kingbus" where nothing is said.  Its cluster is
 * this daemon.
 *
 * Source: "Kingbus Admin Command"; api/ of flike/kingbus.  What we do otherwise: passwords are
 * masked, the ids of the syncer are filled in, a wrong body is a 400, and a refusal says why;
 * last_error, since and what a replica has are keys of ours.
 */
#ifndef SLUICE_HTTP_KINGBUS_H
#define SLUICE_HTTP_KINGBUS_H

#include "http/compat/route.h"

enum kingbus_use {
    KINGBUS_SOURCE,
    KINGBUS_SOURCE_CONFIG,
    KINGBUS_RELAY,
    KINGBUS_RELAY_START,
    KINGBUS_RELAY_STOP,
    KINGBUS_RELAY_PAUSE,
    KINGBUS_RELAY_HISTOGRAMS,
    KINGBUS_SERVER,
    KINGBUS_SERVER_CONFIG,
    KINGBUS_SERVER_START,
    KINGBUS_SERVER_STOP,
    KINGBUS_REPLICAS,
    KINGBUS_REPLICA,
    KINGBUS_MEMBERS,
    KINGBUS_MEMBER,
    KINGBUS_MEMBER_PEER_URL,
    KINGBUS_MEMBER_ADMIN_URL,
};

/* --- replies and bodies --- */

/* {"message": "success", "data": ...}; takes 'data'. */
int kingbus_reply(struct call *c, json_t *data);
/* An error with a status of its own: -EINVAL. */
int kingbus_fail(struct call *c, unsigned status, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The body with these fields, the caller's; NULL with the error, and its status 400. */
json_t *kingbus_body(struct call *c, const struct field *fields, struct err *err);
const char *kingbus_text(const json_t *o, const char *key); /* borrowed; "" if there is none */

/* --- what the syncer and the server have in common --- */

struct kingbus_start {
    const struct field *fields; /* of the body */
    bool (*legal)(const json_t *body);
    /* What is to be made of 'old' (NULL: there is none); a new reference. */
    json_t *(*document)(struct call *c, const json_t *old, const json_t *body);
    unsigned node, config; /* that have it */
    unsigned state, start; /* whose state it is, and the action */
};

/* Makes it, or gives it its new document, and starts it; replies. */
int kingbus_start(struct call *c, const struct kingbus_start *s, struct err *err);
/* Stops it, also when it is stopped already; replies. */
int kingbus_stop(struct call *c, unsigned node, unsigned action, struct err *err);
/* "192.168.1.150:3415" or "[::1]:3415"; the host is owned by the caller. */
bool kingbus_address(const char *text, char **host, unsigned *port);
/* For struct field: there is a password where there is a user. */
json_t *kingbus_masked(const json_t *v, const json_t *attrs);

/* --- routes --- */

int kingbus_get_cluster(struct call *c, struct err *err);
int kingbus_get_members(struct call *c, struct err *err);
int kingbus_add_member(struct call *c, struct err *err);
int kingbus_remove_member(struct call *c, struct err *err);
int kingbus_update_member(struct call *c, struct err *err);
int kingbus_set_admin_url(struct call *c, struct err *err);
int kingbus_syncer_start(struct call *c, struct err *err);
int kingbus_syncer_stop(struct call *c, struct err *err);
int kingbus_syncer_status(struct call *c, struct err *err);
int kingbus_server_start(struct call *c, struct err *err);
int kingbus_server_stop(struct call *c, struct err *err);
int kingbus_server_status(struct call *c, struct err *err);
int kingbus_get_metrics(struct call *c, struct err *err);

extern const struct shape kingbus_cluster_shape, kingbus_members_shape, kingbus_source_shape,
    kingbus_relay_shape, kingbus_replica_shape, kingbus_server_shape, kingbus_served_shape;

#endif
