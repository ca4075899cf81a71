/* server_priv.h - a server, for server.c (its life), server_node.c (its rows) and serve.c. */
#ifndef SLUICE_UNIT_SERVER_PRIV_H
#define SLUICE_UNIT_SERVER_PRIV_H

#include "unit/serve/server.h"
#include "unit/unit.h"

struct gate_keeper;
struct serve;
struct source;

struct servers {
    struct node node; /* first */
    struct catalog *catalog;
    struct node *sources;
};

struct server {
    struct unit unit;     /* first */
    struct node replicas; /* below it, and keeps it alive */
    struct servers *all;
    char *name;               /* plain */
    struct mutex change_lock; /* one change or start at a time; held while it is stored */
    json_t *doc GUARDED;      /* of unit.lock: checked, with its secrets; never changed in place */
    bool wanted GUARDED;      /* of unit.lock: it shall run */
    struct mutex lock;
    struct serve *serve GUARDED;        /* of 'lock': while it runs */
    struct cond cond;                   /* it listens now, or does not any more */
    struct gate_keeper *keeper GUARDED; /* of 'lock': while it shall run, and replicas count */
    struct source *guarded GUARDED;     /* of 'lock': whose gate that is, with a reference */
    char *expected GUARDED;             /* the replica whose directory is being made */
    struct mutex making;                /* one at a time */
    _Atomic uint64_t bytes_sent;
    _Atomic uint64_t n_replicas; /* dumps that run */
};

extern const struct node_type server_type;
extern const struct unit_ops serve_ops;

/* server.c */
struct server *server_of(const struct node *n);
json_t *server_doc(struct server *s); /* a new reference */
int server_set_doc(struct server *s, const json_t *doc, struct err *err);
int server_set_field(struct server *s, const char *field, const json_t *v, struct err *err);
/* What acknowledgements to the source wait for as long as the server shall run; borrowed, may be
 * NULL. */
struct gate_keeper *server_keeper(struct server *s);
/* Returns when it listens. */
int server_start(struct server *s, struct err *err);
int server_stop(struct server *s, struct err *err);

int servers_create(struct node *dir, const char *name, const json_t *spec, struct err *err);
int server_remove(struct node *n, struct err *err);
void server_release(struct node *n);
void servers_release(struct node *n);

#endif
