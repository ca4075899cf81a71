/*
 * registry.h - all pumps and drainers, as TiDB-Binlog's registry shows them.
 *
 * A pump or drainer puts its card here and keeps it true; whoever asks who is there reads the
 * cards, so no node has to be locked for another's sake.  The registry also gives out fresh
 * timestamps (physical ms << 18 | logical): each is greater than any given before, and than the
 * greatest commit_ts on any card.
 *
 * Any thread; its lock is a leaf.
 */
#ifndef SLUICE_UNIT_REGISTRY_H
#define SLUICE_UNIT_REGISTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum node_state { NODE_ONLINE, NODE_PAUSING, NODE_PAUSED, NODE_CLOSING, NODE_OFFLINE };
extern const char *const node_state_names[]; /* NULL at the end */
/* The state of that name, or -1. */
int node_state_of(const char *name);

enum card_kind { CARD_PUMP, CARD_DRAINER };

struct card {
    enum card_kind kind;
    char *name;           /* of its directory, plain */
    char *node_id, *host; /* as registered */
    json_t *labels;       /* NULL: none */
    json_t *pumps;        /* of a drainer: names of those it reads; NULL or empty: all */
    bool of_files;        /* a drainer that reads files, and no pump */
    enum node_state state;
    uint64_t max_commit_ts, update_ts;
};

struct registry;

struct registry *registry_new(void);
void registry_free(struct registry *r); /* no card is in it; NULL is fine */

/* 'c' is copied; the number names it from then on. */
unsigned registry_add(struct registry *r, const struct card *c);
void registry_set(struct registry *r, unsigned number, const struct card *c);
void registry_remove(struct registry *r, unsigned number);

uint64_t registry_fresh_ts(struct registry *r);

/* TiDB-Binlog's NodeStatus of each of the kind, in the order of adding: a new array. */
json_t *registry_nodes(struct registry *r, enum card_kind kind);

/* The least max_commit_ts of the drainers of a pump that are not offline; UINT64_MAX: it has none.
 * 'who' (may be NULL, 256 bytes) gets the name of the one that has it. */
uint64_t registry_drained_ts(struct registry *r, const char *pump, char *who);

#endif
