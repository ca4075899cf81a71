/*
 * file_ring.h - files that a directory makes when asked for (node_type.find): those that were
 * asked for last stay, so that a name is the same node, and its inode good, from a look-up to the
 * reading after it.
 *
 * Files refer to their directory and the ring to them: file_ring_clear() before the directory can
 * go.  Any thread.
 */
#ifndef SLUICE_NODE_FILE_RING_H
#define SLUICE_NODE_FILE_RING_H

#include "base/thread.h"
#include "node/node.h"

enum { FILE_RING_SIZE = 64 };

struct file_ring {
    struct mutex lock;
    struct node *kept[FILE_RING_SIZE] GUARDED;
    unsigned next GUARDED;
};

void file_ring_init(struct file_ring *r);
void file_ring_fini(struct file_ring *r); /* it was cleared */
/* With a reference; NULL: it is not among them. */
struct node *file_ring_find(struct file_ring *r, const char *name);
void file_ring_keep(struct file_ring *r, struct node *file); /* takes a reference of its own */
void file_ring_clear(struct file_ring *r);

#endif
