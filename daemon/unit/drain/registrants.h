/*
 * registrants.h - pumps/ and drainers/: what both collections are.
 *
 * The type of a collection has the rows, the action and the functions of here, and names and
 * examples of its own; how one is made is its kind's.
 */
#ifndef SLUICE_UNIT_REGISTRANTS_H
#define SLUICE_UNIT_REGISTRANTS_H

#include "unit/drain/registrant.h"

struct registrants;

/* Makes one, in the tree: 'kept' is from the catalog, 'doc' what is asked for otherwise. */
typedef int (*registrants_add_fn)(struct registrants *all, const char *name, const json_t *kept,
                                  const json_t *doc, struct err *err);

struct registrants {
    struct node node; /* first */
    struct registry_config config;
    const struct registrant_kind *kind;
    registrants_add_fn add;
    struct node *pumps; /* of drainers: the collection that they read */
};

/* In the type of a collection. */
#define REGISTRANTS_TYPE                                                                     \
    .attrs = registrants_rows, .actions = registrants_actions, .create = registrants_create, \
    .release = registrants_release

extern const struct attr registrants_rows[];
extern const struct action registrants_actions[];
int registrants_create(struct node *dir, const char *name, const json_t *spec, struct err *err);
void registrants_release(struct node *n);

/* With everyone of the catalog; what cannot be made is left out, and said.  NULL with an error. */
struct node *registrants_new(const struct registrant_kind *kind, registrants_add_fn add,
                             struct node *pumps, const struct node_type *type,
                             const struct registry_config *c, struct err *err);
void registrants_start(struct node *dir); /* those that were online */
void registrants_halt(struct node *dir);  /* all are asked to end */

#endif
