#include "unit/serve/serve_quorum.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"

struct voter {
    uint32_t server_id, connection;
    struct ack_point at;
};

struct quorum {
    struct mutex lock;
    unsigned count;
    struct gate_keeper *keeper;
    struct voter *voters GUARDED; /* who is furthest first */
    unsigned n GUARDED, room GUARDED;
    struct ack_point safe GUARDED;
};

struct quorum *quorum_new(unsigned count, struct gate_keeper *keeper) NO_THREAD_CHECK
{
    struct quorum *q = xcalloc(1, sizeof *q);

    mutex_init(&q->lock);
    q->count = count ? count : 1;
    q->keeper = keeper;
    return q;
}

void quorum_free(struct quorum *q) NO_THREAD_CHECK
{
    if (!q)
        return;
    mutex_fini(&q->lock);
    free(q->voters);
    free(q);
}

static void drop(struct quorum *q, unsigned at) REQUIRES(q->lock)
{
    for (q->n--; at < q->n; at++)
        q->voters[at] = q->voters[at + 1];
}

static void put(struct quorum *q, const struct voter *v) REQUIRES(q->lock)
{
    unsigned at;

    for (unsigned i = 0; i < q->n; i++)
        if (q->voters[i].server_id == v->server_id) {
            drop(q, i);
            break;
        }
    GROW(q->voters, q->n, q->room);
    for (at = q->n++; at > 0 && q->voters[at - 1].at.seq < v->at.seq; at--)
        q->voters[at] = q->voters[at - 1];
    q->voters[at] = *v;
}

void quorum_report(struct quorum *q, uint32_t server_id, uint32_t connection,
                   const struct ack_point *at)
{
    struct voter v = { .server_id = server_id, .connection = connection, .at = *at };
    uint64_t seq = 0;

    mutex_lock(&q->lock);
    put(q, &v);
    if (q->n >= q->count && q->voters[q->count - 1].at.seq > q->safe.seq) {
        q->safe = q->voters[q->count - 1].at;
        seq = q->safe.seq;
    }
    mutex_unlock(&q->lock);
    if (seq && q->keeper)
        relay_gate_reached(q->keeper, seq);
}

void quorum_leave(struct quorum *q, uint32_t connection)
{
    mutex_lock(&q->lock);
    for (unsigned i = 0; i < q->n; i++)
        if (q->voters[i].connection == connection) {
            drop(q, i);
            break;
        }
    mutex_unlock(&q->lock);
}

void quorum_look(struct quorum *q, struct quorum_view *ret)
{
    *ret = (struct quorum_view){ .clients = 0 };
    mutex_lock(&q->lock);
    ret->clients = q->n;
    ret->safe = q->safe;
    mutex_unlock(&q->lock);
    if (q->keeper)
        relay_gate_look(q->keeper, &ret->waited);
}
