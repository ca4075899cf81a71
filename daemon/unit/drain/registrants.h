/*
 * registrants.h - pumps/ and drainers/: what both collections are.
 *
 * The type of a collection has the rows, the action and the functions of here, and names and
 * examples of its own; how one is made is its kind's.
 */
#ifndef SLUICE_UNIT_REGISTRANTS_H
#define SLUICE_UNIT_REGISTRANTS_H

#include "unit/drain/registrant.h"

struct registrants {
    struct node node; /* first */
    struct registry_config config;
    const struct registrant_kind *kind;
    struct node *pumps; /* of drainers: the collection that they read */
    /* Makes one, in the tree: 'kept' is from the catalog, 'doc' what is asked for otherwise. */
    int (*add)(struct registrants *all, const char *name, const json_t *kept, const json_t *doc,
               struct err *err);
};

extern const struct attr registrants_rows[];
extern const struct action registrants_actions[];
int registrants_create(struct node *dir, const char *name, const json_t *spec, struct err *err);
void registrants_release(struct node *n);

/* With everyone of the catalog; what cannot be made is left out, and said.  'all' is taken: its
 * kind and add() are set. */
struct node *registrants_new(struct registrants *all, const struct node_type *type,
                             const struct registry_config *c, struct err *err);
void registrants_start(struct node *dir); /* those that were online */
void registrants_halt(struct node *dir);  /* all are asked to end */

#endif
