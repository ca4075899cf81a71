/*
 * verify_place.h - up to where in each source's binlog the changes were looked at.
 *
 * What changed after it is read again when continuous validation goes on (verify_past.h).  It is
 * kept, synced, some seconds behind; tables of which rows are suspected then are marked before it
 * (verify_marks.h).  Belongs to the unit's thread, and to others while that does not run.
 */
#ifndef SLUICE_UNIT_VERIFY_PLACE_H
#define SLUICE_UNIT_VERIFY_PLACE_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "binlog/event.h"
#include "binlog/position.h"

struct catalog;

struct verify_place {
    char *source;
    char server[128]; /* that it is of */
    char file[BINLOG_NAME_SIZE];
    uint64_t offset;
};

struct verify_places {
    struct catalog *catalog;
    char *path;
    struct verify_place *all;
    unsigned n;
};

void verify_places_init(struct verify_places *p, struct catalog *catalog, const char *task);
void verify_places_fini(struct verify_places *p);
/* What an earlier process kept. */
void verify_places_load(struct verify_places *p);
int verify_places_save(const struct verify_places *p, struct err *err);
void verify_places_clear(struct verify_places *p); /* kept, too: there are none */

/* {"s1": "bin.000003:4711"}; the caller's. */
json_t *verify_places_json(const struct verify_places *p);

/* NULL: there is none. */
const struct verify_place *verify_places_find(const struct verify_places *p, const char *source);
/* 'at' without a file: nothing is known yet, and what was stays. */
void verify_places_set(struct verify_places *p, const char *source, const char *server,
                       const struct position *at);

#endif
