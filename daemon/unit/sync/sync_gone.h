/*
 * sync_gone.h - tables that were set aside and whose changes the source has purged meanwhile.
 *
 * Such a table stays set aside, and is named in needs_resnapshot too.  What it needs of the binlog
 * is no longer waited for: neither the source's warning nor its purging hold count it.
 */
#ifndef SLUICE_UNIT_SYNC_GONE_H
#define SLUICE_UNIT_SYNC_GONE_H

#include "unit/sync/sync_priv.h"

/* Asks the source, and its journal, what of that they still have; marks what they have not, says so
 * and publishes.  Waits for the source, five seconds at most; no lock is held. */
void gone_look(struct sync_run *r);
/* -EBUSY, and what is to be done with 'table'. */
int gone_refusal(const struct job *job, const char *table, struct err *err);

#endif
