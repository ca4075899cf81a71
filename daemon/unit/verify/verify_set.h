/*
 * verify_set.h - rows as two texts each, what names them and what they are: sorted, so that two
 * sets are compared in one pass.
 *
 * Pure.  A row that is named twice counts once per name: of tables without a key the name is the
 * hash of the row and the value how often it is there.
 */
#ifndef SLUICE_UNIT_VERIFY_SET_H
#define SLUICE_UNIT_VERIFY_SET_H

#include <stdbool.h>
#include <stddef.h>

struct verify_item {
    char *key, *value;
    unsigned part; /* of which source's table */
    bool left_out; /* a filter keeps its insert from the target (unit/row_left.h) */
};

struct verify_set {
    struct verify_item *items;
    size_t n, cap;
};

void verify_set_fini(struct verify_set *s);
/* Copies both; 'value' may be NULL, for sets of names. */
void verify_set_add(struct verify_set *s, const char *key, const char *value, unsigned part);
/* After the last one was added, before the calls below. */
void verify_set_sort(struct verify_set *s);
const struct verify_item *verify_set_find(const struct verify_set *s, const char *key);
/* Calls 'differs' for each name whose values differ, NULL where one set lacks it. */
void verify_set_compare(const struct verify_set *a, const struct verify_set *b,
                        void (*differs)(void *arg, const struct verify_item *a,
                                        const struct verify_item *b),
                        void *arg);

#endif
