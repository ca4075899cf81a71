/*
 * drainer.h - drainers/<d>/: pumps merged by commit_ts, into a target.
 *
 *     drain_merge.c    which pump's transaction is next        pure
 *     drain_feed.c     the pumps' journals as one stream
 *     drain_filter.c   what is left out                        pure
 *     drain_sync.c     ... into MySQL or MariaDB: as sync does, from the stream
 *     drain_decode.c   transactions with their rows decoded, for the other targets
 *     drain_sink.h     those: files, Kafka, SQL text, another journal
 *     drain_reverse.c  a range undone (flashback)
 *     drain_files.c    files of a drainer read back (reparo)
 *     drainer_holds.c  what journals keep for it no more
 *     drainer.c        life, savepoint; drainer_node.c its rows; drainer_doc.c its document
 *
 * Into MySQL the place in the stream is in the target, in the transactions themselves (the
 * checkpoint of sync, with commit_ts as the offset and the pump as the file): exactly once.
 * Elsewhere it is the savepoint, kept by us and as TiDB-Binlog keeps it.
 */
#ifndef SLUICE_UNIT_DRAINER_H
#define SLUICE_UNIT_DRAINER_H

#include "unit/drain/registrant.h"

/* For the root's parts, /schema and the manual. */
const struct node_type *drainers_type(void);

/* The collection with every drainer of the catalog; one reference, the caller's.  'pumps' is that
 * of pump.h. */
struct node *drainers_new(const struct registry_config *c, struct node *pumps, struct err *err);
void drainers_start(struct node *drainers); /* those that were online */
void drainers_stop(struct node *drainers);

#endif
