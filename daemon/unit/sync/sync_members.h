/* sync_members.h - the texts of an ENUM or SET, from its column_type: "enum('a','b''c')". */
#ifndef SLUICE_UNIT_SYNC_MEMBERS_H
#define SLUICE_UNIT_SYNC_MEMBERS_H

#include <stddef.h>

#include "base/slice.h"

struct members {
    struct slice *at;
    size_t n;
    char *bytes, *set; /* that they are in; room for a SET's value */
};

void members_init(struct members *m, const char *column_type);
void members_fini(struct members *m);

/* The member of this number, from 1; "" for 0 and what is not there. */
struct slice members_one(const struct members *m, uint64_t index);
/* Those whose bits are set, with commas; until the next call. */
struct slice members_set(const struct members *m, uint64_t bits);

#endif
