/* relay_unit.h - a relay, for the source that has it below itself and is as old as it. */
#ifndef SLUICE_UNIT_RELAY_UNIT_H
#define SLUICE_UNIT_RELAY_UNIT_H

#include <jansson.h>

#include "unit/relay/relay.h"

struct node;
struct node_type;
struct relay;

extern const struct node_type relay_type;

struct relay *relay_new(struct source *s); /* not in the tree yet */
struct node *relay_node(struct relay *r);  /* borrowed */
void relay_free(struct relay *r);          /* with its source */
/* After the source is in the tree: what was kept of it. */
void relay_restore(struct relay *r);
/* Starts or stops the unit as the settings say.  'anew': also out of an error. */
int relay_follow(struct relay *r, bool anew, struct err *err);
/* The source's document is another: connects anew if that says so. */
void relay_settings_changed(struct relay *r, const json_t *old, const json_t *doc);
void relay_ask_stop(struct relay *r);
void relay_wait(struct relay *r); /* after relay_ask_stop(): it has ended */
/* The source may be removed: nobody wants its relay, and it does not run.  Else -EBUSY. */
int relay_may_go(struct relay *r, struct err *err);
/* The source is removed: its journal goes too. */
void relay_forget(struct relay *r);

/* --- relay_keep.c --- */
/* Takes the file off those of source_ask_users() for whom the relay has it: the server may purge.
 */
void relay_cover(struct relay *r, json_t *users);
/* Once a second for each source, by one thread (source.c). */
void relay_tick(struct relay *r);

#endif
