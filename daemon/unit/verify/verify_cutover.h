/*
 * verify_cutover.h - places in the sources' binlogs after which the target is to be used instead:
 * DM's "validation update --cutover-binlog-pos".
 *
 *     waiting     changes up to it are still on their way, or not looked at
 *     reached     all of them were looked at; rows that differ are looked at once more, and are
 *                 error rows at once, since nothing will come that mends them
 *     validated   that is over: 'errors' of the rows differed then
 */
#ifndef SLUICE_UNIT_VERIFY_CUTOVER_H
#define SLUICE_UNIT_VERIFY_CUTOVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "binlog/event.h"
#include "node/node.h"

struct follow_source;
struct verify_follow;

enum verify_cutover_state { CUTOVER_WAITING, CUTOVER_REACHED, CUTOVER_VALIDATED };

struct verify_cutover {
    char *source, *at; /* "bin.000003:4711", or a set of GTIDs */
    bool by_gtid;
    enum verify_cutover_state state;
    char validated[CLOCK_TEXT_SIZE]; /* when; "" not yet */
    uint64_t errors;
};

/* Under the settings' lock of their owner. */
struct verify_cutovers {
    struct verify_cutover *all;
    unsigned n;
};

void verify_cutovers_fini(struct verify_cutovers *c);
/* What is kept of them, and shown. */
json_t *verify_cutovers_json(const struct verify_cutovers *c);
void verify_cutovers_take(struct verify_cutovers *c, const json_t *kept);

/* "file:offset". */
struct position;
bool verify_cutover_parse(const char *text, struct position *ret);

/* All before 's' of a source was looked at; NULL: the past is still being read. */
void verify_cutovers_see(struct verify_follow *f, const char *source, const struct follow_source *s,
                         enum flavor flavor);
/* Nothing is suspected, or to be compared, any more. */
void verify_cutovers_settled(struct verify_follow *f);
/* Rows of this source that differ are error rows without a delay. */
bool verify_cutover_reached(struct verify_follow *f, const char *source);

int verify_cutover_run(struct node *n, const json_t *args, struct err *err);
int verify_cutover_clear(struct node *n, const json_t *args, struct err *err);
extern const struct attr verify_cutover_params[];

#endif
