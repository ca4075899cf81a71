/*
 * precheck_item.h - the names of what is looked at before a start: those in check_report, and DM's
 * for the same.  ignore_checking_items may have either.
 */
#ifndef SLUICE_UNIT_PRECHECK_ITEM_H
#define SLUICE_UNIT_PRECHECK_ITEM_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* Is 'word' the name of something, or "all"?  -EINVAL with a guess at what was meant. */
int precheck_item_check(const char *word, struct err *err);
/* Does one of these words?  NULL: there are none. */
bool precheck_items_cover(const json_t *words, const char *id);

#endif
