/*
 * registrant.h - what pumps and drainers have in common: a document, a place in the registry and
 * TiDB-Binlog's life cycle around a unit.
 *
 *     offline --start--> online --pause--> pausing --> paused --resume--> online
 *                               --close--> closing --> offline
 *
 * 'node_state' is the registry's word and survives a restart: what was online, pausing or closing
 * when the daemon ended is started as online.  'state' is the unit's own.  An error leaves a node
 * online, as a killed process would be: only the operator takes it away.
 *
 * The owner is a unit (its node first) whose 'arg' is the registrant.  Locks: 'steer' by who
 * changes what it does; the unit's lock for the fields.  Order: steer, the unit's, the registry's.
 */
#ifndef SLUICE_UNIT_REGISTRANT_H
#define SLUICE_UNIT_REGISTRANT_H

#include "unit/doc.h"
#include "unit/drain/registry.h"
#include "unit/unit.h"

struct catalog;
struct journals;
struct store;

/* What all of them are given; borrowed. */
struct registry_config {
    struct catalog *catalog;
    struct store *store;
    struct journals *journals;
    struct registry *registry;
    struct node *sources;
    const char *data_dir;
};

/* A directory for one object of the document. */
struct registrant_dir {
    const char *name, *prefix; /* "checkpoint", "to.checkpoint." */
    const struct node_type *type;
    int parent; /* index of the one above; -1: the registrant itself */
};

struct registrant;

struct registrant_kind {
    const char *dir; /* "pumps" */
    enum card_kind card;
    const struct doc_field *fields;
    const struct registrant_dir *dirs; /* ended by one without a name */
    /* Beyond what the fields say; NULL: nothing. */
    int (*check)(const json_t *full, struct err *err);
    /* It is offline now, or about to be removed; NULL: nothing is to be done. */
    void (*left)(struct registrant *r);
};

struct registrant {
    struct unit *unit;
    const struct registrant_kind *kind;
    struct registry_config config;
    char *name; /* plain */
    unsigned card;
    struct mutex steer;
    /* under the unit's lock */
    json_t *doc, *full; /* as written, and with the defaults */
    enum node_state node_state;
    bool halting; /* the daemon ends: nothing is taken from the registry */
    _Atomic uint64_t max_commit_ts, update_ts;
};

static inline struct registrant *registrant_of(const struct node *n)
{
    return node_owner((struct node *)n, struct unit, node)->arg;
}

/* 'u' was made by unit_init(), 'r' is part of the same owner.  'kept': from the catalog, or NULL;
 * 'doc': what is asked for otherwise (NULL: a draft).  The node is not in the tree yet. */
int registrant_init(struct registrant *r, struct unit *u, const struct registrant_kind *kind,
                    const struct registry_config *config, const char *name, const json_t *kept,
                    const json_t *doc, struct err *err);
void registrant_fini(struct registrant *r);
/* Into 'dir', kept and registered; the document's directories below it. */
int registrant_join(struct registrant *r, struct node *dir, bool keep, struct err *err);
/* It could not: its directories, which hold it, go. */
void registrant_discard(struct registrant *r);
/* For rmdir: -EBUSY unless it does not run, and no drainer lacks what a pump has. */
int registrant_remove(struct registrant *r, struct err *err);

/* A new reference of what the document says, with defaults. */
json_t *registrant_doc(struct registrant *r);
int registrant_set_doc(struct registrant *r, const json_t *doc, struct err *err);
int registrant_set_field(struct registrant *r, const char *path, const json_t *v, struct err *err);

/* -EBUSY with who it is: a drainer that is not offline lacks what this pump has. */
int registrant_undrained(struct registrant *r, struct err *err);

enum node_state registrant_state(struct registrant *r);
/* Sets the registry's word and keeps it. */
int registrant_move(struct registrant *r, enum node_state to, struct err *err);
/* Heartbeat: update_ts is now, and the card is true again. */
void registrant_beat(struct registrant *r);

/* The actions. */
int registrant_start(struct registrant *r, struct err *err);
int registrant_pause(struct registrant *r, enum unit_state to, struct err *err);
int registrant_close(struct registrant *r, struct err *err);
/* The daemon starts, and ends. */
void registrant_restart(struct registrant *r);
void registrant_halt(struct registrant *r);

/* Rows for the tables of both. */
json_t *registrant_get_node_state(const struct node *n, const struct attr *a, struct err *err);
json_t *registrant_get_ts(const struct node *n, const struct attr *a, struct err *err);
json_t *registrant_get_node_id(const struct node *n, const struct attr *a, struct err *err);
int registrant_set_value(struct node *n, const struct attr *a, const json_t *v, struct err *err);
json_t *registrant_get_config(const struct node *n, const struct attr *a, struct err *err);
int registrant_set_config(struct node *n, const struct attr *a, const json_t *v, struct err *err);
int registrant_run_start(struct node *n, const json_t *args, struct err *err);
int registrant_run_pause(struct node *n, const json_t *args, struct err *err);
int registrant_run_stop(struct node *n, const json_t *args, struct err *err);
int registrant_run_close(struct node *n, const json_t *args, struct err *err);
int registrant_run_update(struct node *n, const json_t *args, struct err *err);
extern const struct attr registrant_update_params[];

/* 'before' (ended by a row without a name) and a row for each field of the document. */
struct attr *registrant_rows(const struct attr *before, const struct action *actions,
                             const struct doc_field *fields);
/* The type of a directory with the object's fields as rows. */
struct node_type registrant_dir_type(const char *name, const char *help,
                                     const struct doc_field *fields, const struct node_part *parts);

#define REGISTRANT_ROWS                                                                            \
    { .name = "node_state",                                                                        \
      .type = ATTR_ENUM,                                                                           \
      .choices = node_state_names,                                                                 \
      .flags = ATTR_WATCHED | ATTR_METRIC,                                                         \
      .get = registrant_get_node_state,                                                            \
      .help = "What the registry says of it, in TiDB-Binlog's words" },                            \
        { .name = "max_commit_ts",                                                                 \
          .type = ATTR_COUNT,                                                                      \
          .flags = ATTR_GAUGE,                                                                     \
          .offset = offsetof(struct registrant, max_commit_ts),                                    \
          .get = registrant_get_ts,                                                                \
          .help = "A pump: the greatest commit_ts that drainers can read; a drainer: all up to "   \
                  "it is applied" },                                                               \
        { .name = "update_ts",                                                                     \
          .type = ATTR_COUNT,                                                                      \
          .flags = ATTR_GAUGE,                                                                     \
          .offset = offsetof(struct registrant, update_ts),                                        \
          .get = registrant_get_ts,                                                                \
          .help = "Timestamp of its last heartbeat" },                                             \
        { .name = "config",                                                                        \
          .type = ATTR_DOCUMENT,                                                                   \
          .flags = ATTR_BULK,                                                                      \
          .get = registrant_get_config,                                                            \
          .set = registrant_set_config,                                                            \
          .help = "All settings as one document; taken or refused when it is closed" },            \
    {                                                                                              \
        .name = "node_id", .type = ATTR_TEXT, .flags = ATTR_STORED, .get = registrant_get_node_id, \
        .set = registrant_set_value,                                                               \
        .help = "Its name in the registry; by default the host's name and the port of addr"        \
    }

#endif
