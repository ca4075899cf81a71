/*
 * cluster.h - who runs this together: cluster/ with one member, this daemon.
 *
 * The ids are drawn once and kept, so that a member is the same after a restart and under another
 * name.  Where others are told to reach it (peer_url, admin_url) is a setting: with one member
 * nobody asks, but what was said is kept and shown.
 *
 * Adding and removing members is refused with the reason.
 */
#ifndef SLUICE_CLUSTER_CLUSTER_H
#define SLUICE_CLUSTER_CLUSTER_H

#include "base/err.h"

struct catalog;
struct node;
struct node_type;

/* For the root's parts, /schema and the manual. */
extern const struct node_type cluster_type;

/* 'member' is the name of this one; 'catalog' is borrowed.  One reference, the caller's, to give to
 * node_add(). */
struct node *cluster_new(struct catalog *catalog, const char *member, struct err *err);
/* Where HTTP is served, which admin_url shows until it is set. */
void cluster_listens(struct node *cluster, const char *url);

#endif
