/* link.h - finding a path whose words may be links, as the kernel does for files. */
#ifndef SLUICE_HTTP_LINK_H
#define SLUICE_HTTP_LINK_H

#include <stdbool.h>

#include "node/node.h"

/* As node_find(), following links; the last word's only if 'last' is set.  -ELOOP after too
 * many. */
int link_find(struct node *root, const char *path, bool last, struct target *t, struct err *err);

#endif
