/*
 * private.h - what the files of daemon/node share about a node; no one else includes it.
 */
#ifndef SLUICE_NODE_PRIVATE_H
#define SLUICE_NODE_PRIVATE_H

#include <pthread.h>
#include <uthash.h>

#include "node/node.h"

/* Guards parent, children, by_id and removed of every node.  A leaf: nothing is locked and no
 * callback is called while it is held. */
extern pthread_rwlock_t tree_lock;

struct node_private {
    struct node *node;
    uint64_t id;          /* never given twice */
    UT_hash_handle hh;    /* among the parent's children, by name */
    UT_hash_handle hh_id; /* among all nodes of the tree, by id */
    struct node *dropped; /* chain of nodes just taken out, in node.c */
    char *last_error;     /* under note_lock in builtin.c */
    _Atomic uint64_t changes;
    _Atomic int64_t changed_us; /* wall time */
    _Atomic int64_t set_us;     /* when a setting in its document, or of its own, last changed */
    _Atomic uint64_t dirty;     /* rows that changed since watch.c last looked: bit = row number */
    struct size_seen *sizes;    /* of costly rows; under size_lock in target.c */
};

/* A row's number within its node: 1.. built-in rows, then attributes, then actions; 0 is the
 * node itself.  Below ROWS_MAX, which node_type_check() sees to. */
#define ROWS_MAX 63
#define ROW_ANY 63 /* in 'dirty': something changed */
unsigned target_row(const struct target *t);
void target_set_row(struct target *t, unsigned row); /* neither attr nor action if out of range */

/* The rows every node has. */
#define N_BUILTIN 3
extern const struct attr builtin_rows[]; /* status, last_error, README; ended by an empty row */
#define STATUS_ROW (&builtin_rows[0])
bool attr_in_status(const struct attr *a);
void builtin_fini(struct node_private *p);
void sizes_free(struct size_seen *s);

json_t *readme_get(const struct node *n, const struct attr *self, struct err *err);

const struct attr *type_attr(const struct node_type *type, const char *name);
const struct action *type_action(const struct node_type *type, const char *name);
bool node_has_row(const struct node *n, const char *name);

static inline void node_lock(const struct node *n)
{
    if (n->type->lock)
        n->type->lock((struct node *)n);
}

static inline void node_unlock(const struct node *n)
{
    if (n->type->unlock)
        n->type->unlock((struct node *)n);
}

/* Is it a secret: written, never shown? */
static inline bool attr_is_secret(const struct attr *a)
{
    return a->flags & ATTR_SECRET || (a->set && !a->get && !a->lines);
}

/* Checks a value against its row; arguments against an action's parameters. */
int value_check(const struct attr *a, const json_t *v, struct err *err);
int args_check(const struct action *a, const json_t *args, struct err *err);
/* A value of the row's type from bare text; no newline at its end. */
json_t *value_of_text(const struct attr *a, const char *text, size_t size, struct err *err);
/* `k=v` words with shell quoting -> an object; values by 'params'. */
json_t *args_of_words(const struct action *a, const char *text, size_t size, struct err *err);

/* watch.c: a node came or went.  Not under the tree lock. */
void watch_node_added(struct node *n);
void watch_node_removed(struct node *parent, const char *name);

/* A request ended at 'n': the audit line and, if it was refused, last_error. */
void node_conclude(struct node *n, const char *path, const char *what, const struct caller *who,
                   const struct err *err);
/* One line of the audit of n's root. */
void audit_write(struct node *n, const struct caller *who, const char *path, const char *what,
                 const struct err *result);

/* yaml_parse.c: would a reader take the plain text for something else than text? */
bool yaml_is_ambiguous(const char *s);

#endif
