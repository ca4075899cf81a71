/* registrant_dir.h - for registrant.c: the directories of its document. */
#ifndef SLUICE_UNIT_REGISTRANT_DIR_H
#define SLUICE_UNIT_REGISTRANT_DIR_H

#include "unit/drain/registrant.h"

int registrant_dirs_add(struct registrant *r, struct err *err);
/* The default follows from 'addr'; caller frees. */
char *registrant_node_id(const char *name, const json_t *full);

#endif
