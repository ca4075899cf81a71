/*
 * sync_ledger.h - how far the target is when transactions end out of order.
 *
 * Every transaction of the source gets the next number and an entry with its end.
 * Low water is the position up to which all are done: that is what a checkpoint may
 * say.  Pure.
 */
#ifndef SLUICE_UNIT_SYNC_LEDGER_H
#define SLUICE_UNIT_SYNC_LEDGER_H

#include <stdbool.h>

#include "binlog/position.h"

struct ledger_entry {
    struct gtid gtid;       /* number 0: none */
    struct gtid_set *gtids; /* all up to its end, where none were known before; else NULL */
    char *file;             /* NULL: as the one before */
    uint64_t offset;
    int64_t commit_us;
    bool done;
};

struct ledger {
    struct ledger_entry *entries; /* a ring */
    size_t cap;
    uint64_t low_seq, last_seq; /* all up to low_seq are done; the newest is last_seq */
    struct position low;
    char *last_file;
    bool has_gtids; /* some entry, or 'low', has a set */
};

void ledger_init(struct ledger *l, const struct position *from);
void ledger_fini(struct ledger *l);

/* The reader wrote by itself up to 'pos': nothing else is under way. */
void ledger_pass(struct ledger *l, const struct position *pos);

/* Returns its number.  'pos' need have no set. */
uint64_t ledger_add(struct ledger *l, const struct gtid *gtid, const struct position *pos,
                    int64_t commit_us);
void ledger_done(struct ledger *l, uint64_t seq);
size_t ledger_size(const struct ledger *l); /* entries above low water */
/* Where the transaction before number 'seq' ends; 'seq' is above low water. */
void ledger_before(const struct ledger *l, uint64_t seq, struct position *ret);
/* Commit of the oldest that is not done; 0 if all are. */
int64_t ledger_oldest_us(const struct ledger *l);

#endif
