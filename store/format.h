/* format.h - the version of what is on disk; what each means is in FORMAT.md. */
#ifndef SLUICE_STORE_FORMAT_H
#define SLUICE_STORE_FORMAT_H

#include "store/store.h"

#define STORE_FORMAT 1

/* Writes the version into a new store, migrates an older one forward, and
 * refuses a newer one with -EPROTO and what is no store of ours with -EBADMSG. */
int store_format_check(struct store *s, struct err *err);

#endif
