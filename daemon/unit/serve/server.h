/*
 * server.h - binlog servers: servers/<s>/.
 *
 * A server speaks MySQL's protocol from the master's side: replicas of MariaDB and MySQL, and the
 * tools that read binlogs, connect to it as to the real one, and get what the journal of one
 * source has, byte for byte as the source sent it.
 *
 *     server.c          life, the document           server_node.c    rows, actions
 *     server_doc.c      fields of the document       replica.c        replicas/<id>/
 *     serve.c           the unit: listen, sessions   serve_session.c  login, commands
 *     serve_sql.c       what SQL answers             serve_show.c     SHOW ...
 *     serve_admit.c     where a dump begins, or why not
 *     serve_dump.c      a dump's beginning and end      serve_stream.c  its events and heartbeats
 *     serve_report.c    what it tells of its replica
 *     serve_ack.c       what one replica was asked to acknowledge, and has
 *     serve_quorum.c    what enough replicas have: the source may wait for that
 *
 * A server runs one listening thread and a thread a connection; what a connection holds is its
 * buffers and a reader of the journal.  At the tip all readers share the journal's newest blocks.
 * Only records that the disk has are served.
 */
#ifndef SLUICE_UNIT_SERVER_H
#define SLUICE_UNIT_SERVER_H

#include "base/err.h"

struct catalog;
struct node;
struct node_type;

extern const struct node_type servers_type;

/* The collection, with every server of the catalog; one reference, the caller's.  Both are
 * borrowed: 'sources' is the collection of sources. */
struct node *servers_new(struct catalog *catalog, struct node *sources, struct err *err);
/* Starts those that ran when the daemon ended. */
void servers_start(struct node *servers);
/* Ends all connections and threads. */
void servers_stop(struct node *servers);

#endif
