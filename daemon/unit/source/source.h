/*
 * source.h - the upstream servers: sources/<s>/.
 *
 * A source is a document (DM's OpenAPI names, see source_doc.h), kept in the
 * catalog with its password sealed, and what is known of its server: version,
 * identity, binlog position, earliest binlog, how long until it purges what a
 * task still needs.  That is refreshed by one background thread per source
 * with deadlines, so no getter waits.
 *
 * Any thread, unless said otherwise.  A source found is referenced:
 * source_unref() it.
 */
#ifndef SLUICE_UNIT_SOURCE_H
#define SLUICE_UNIT_SOURCE_H

#include <jansson.h>

#include "binlog/position.h"
#include "mysql/conn.h"

struct catalog;
struct journals;
struct node;
struct node_type;
struct source;
struct store;
struct unit_patience; /* unit/unit.h */

/* For the root's parts, /schema and the manual. */
extern const struct node_type sources_type;

struct sources_config {
    struct catalog *catalog;   /* all borrowed, until the last source is released */
    struct journals *journals; /* NULL: no source has a relay */
    struct store *store;       /* that they are in; NULL with them */
    const char *data_dir;      /* where it is: its disk is guarded */
};

/* The collection, with every source of the catalog in it; one reference, the caller's, to give to
 * node_add().  A document that does not open is skipped and logged. */
struct node *sources_new(const struct sources_config *c, struct err *err);
/* The relays that ran when the daemon ended run again. */
void sources_start(struct node *sources);
/* Stops the threads of all sources; call it before the store is closed. */
void sources_stop(struct node *sources);

/* Who reads a source: asked before one is removed and while its server is probed, never under a
 * lock.  A new array of {"task": name, "file": oldest binlog file still needed or "", "offset":
 * from where on of it}. */
void sources_on_users(struct node *sources, json_t *(*users)(void *arg, const char *source),
                      void *arg);

/* Who is told, without any lock, that a source was enabled or disabled. */
void sources_on_switched(struct node *sources,
                         void (*switched)(void *arg, const char *source, bool on), void *arg);

/* NULL if there is none. */
struct source *source_find(struct node *sources, const char *name);
struct source *source_of(const struct node *n); /* borrowed */
struct source *source_ref(struct source *s);
void source_unref(struct source *s); /* NULL is fine */

/* How to connect: mysql_params_fini() it.  -EINVAL while the document is incomplete, -ENOENT for
 * a password in a file that is not there, -EPERM when the source is disabled. */
int source_params(struct source *s, struct mysql_params *ret, struct err *err);
/* The same whether or not it is disabled. */
int source_login(struct source *s, struct mysql_params *ret, struct err *err);
bool source_by_gtid(struct source *s);
bool source_enabled(struct source *s);
/* Where its binlog ended when it was last looked at, some seconds ago: after 'seen_us', wall time.
 * '*gtid' is the caller's, NULL when not known. */
void source_end(struct source *s, struct position *ret, char **gtid, int64_t *seen_us);
/* What its checker/ says of errors that somebody may mend. */
void source_patience(struct source *s, struct unit_patience *p);
/* Names compare without letter case (lower_case_table_names), as the server said last. */
bool source_folds_case(struct source *s);

#endif
