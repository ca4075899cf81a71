#include "unit/serve/serve_ack.h"

#include <stdio.h>
#include <string.h>

#include "mysql/dump_command.h"

enum { ASK_EVERY = 100 };

void acks_begin(struct acks *a, const struct ack_point *at)
{
    a->has = *at;
    a->sent_seq = a->txn_seq = at->seq;
}

/* All that was sent is answered: what needs no answer counts, too. */
static void advance(struct acks *a, const struct ack_point *at)
{
    if (a->n == 0 && a->has.seq >= a->txn_seq && at->seq > a->has.seq)
        a->has = *at;
}

bool acks_ask(struct acks *a, const struct ack_point *at, bool more, int64_t now_us)
{
    a->sent_seq = a->txn_seq = at->seq;
    if (++a->not_asked < ASK_EVERY && more)
        return false;
    a->not_asked = 0;
    if (a->n == ACK_ASKED_MAX)
        a->n--; /* the answer to this one counts for it */
    a->asked[a->n++] = (struct asked){ .at = *at, .us = now_us };
    return true;
}

void acks_pass(struct acks *a, const struct ack_point *at)
{
    a->sent_seq = at->seq;
    advance(a, at);
}

/* How many of those that were asked for an answer at this place is for. */
static unsigned answered(const struct acks *a, const struct ack_point *at)
{
    for (unsigned i = a->n; i > 0; i--)
        if (strcmp(a->asked[i - 1].at.file, at->file) == 0 &&
            a->asked[i - 1].at.offset <= at->offset)
            return i;
    return 0;
}

int acks_take(struct acks *a, struct slice packet, struct ack_point *ret, struct err *err)
{
    struct dump_ack said;
    int rc = dump_ack_parse(packet, &said, err);
    unsigned n;

    if (rc < 0)
        return rc;
    *ret = (struct ack_point){ .offset = said.offset };
    snprintf(ret->file, sizeof ret->file, "%.*s", SLICE_ARG(said.file));
    n = answered(a, ret);
    if (n > 0) {
        a->has = a->asked[n - 1].at;
        memmove(a->asked, a->asked + n, (a->n - n) * sizeof *a->asked);
        a->n -= n;
    }
    ret->seq = a->has.seq;
    return 0;
}

int64_t acks_waits_us(const struct acks *a)
{
    return a->n ? a->asked[0].us : 0;
}
