/* filter_event.h - the events that filters know by name, and which of them a statement is. */
#ifndef SLUICE_ROUTE_FILTER_EVENT_H
#define SLUICE_ROUTE_FILTER_EVENT_H

#include <stdint.h>

#include "route/alter.h"
#include "route/filter.h"

/* A set of events, and whether being in it leaves out or keeps. */
struct filter_word {
    uint64_t events;
    bool keeps;
};

/* False: there is no such word. */
bool filter_word_of(const char *text, struct filter_word *ret);

/* The events, as bits, that a change of rows is ('bit' is of enum filter_rows), a statement, or a
 * clause of an ALTER TABLE. */
uint64_t filter_events_of_rows(unsigned bit);
uint64_t filter_events_of_class(enum ddl_class class);
uint64_t filter_events_of_clause(const struct filter_statement *st, const struct alter_clause *c);
uint64_t filter_events_of_many(void); /* an ALTER TABLE of several clauses, as a whole */

/* Does a column of type 'was' lose values ('range'), or digits ('precision'), as 'becomes'?  Types
 * as in SHOW CREATE TABLE; what stands behind them is not looked at.  filter_type.c */
struct filter_loss {
    bool range, precision;
};
struct filter_loss filter_type_loss(struct slice was, struct slice becomes);

#endif
