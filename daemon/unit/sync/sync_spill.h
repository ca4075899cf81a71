/*
 * sync_spill.h - a transaction too large for memory, in a file without a name.
 *
 * The file lives as long as the process: after a crash the source sends the
 * transaction again.  It is applied event by event in the order of the source, as
 * one transaction of the target, in bounded memory.
 */
#ifndef SLUICE_UNIT_SYNC_SPILL_H
#define SLUICE_UNIT_SYNC_SPILL_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "unit/sync/sync_raw.h"

struct spill;

/* With what 'txn' has so far.  'dir' NULL: /var/tmp. */
int spill_new(struct spill **ret, const char *dir, const struct raw_txn *txn, struct err *err);
void spill_free(struct spill *s); /* NULL is fine */
int spill_add(struct spill *s, const struct raw_event *e, struct err *err);
int spill_truncate(struct spill *s, size_t n_events, struct err *err);
size_t spill_events(const struct spill *s);

/* From the start: 1 and an event, valid until the next call; 0 at the end. */
int spill_rewind(struct spill *s, struct err *err);
int spill_next(struct spill *s, struct raw_event *ret, struct err *err);

/* The bytes of an event outside of memory; also how the store keeps prepared transactions. */
void raw_event_pack(const struct raw_event *e, struct buf *out);
/* 1 an event (borrowed), 0 the end, -EBADMSG. */
int raw_event_unpack(struct cursor *c, struct raw_event *ret);

#endif
