/* Kafka: one message a transaction, in TiDB-Binlog's layout (sink/pb_kafka.h), in partition 0. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/commit_ts.h"
#include "sink/kafka.h"
#include "sink/pb_kafka.h"
#include "unit/drain/drain_sink.h"
#include "unit/drain/drainer_priv.h"

#define UNACKED_MAX ((uint64_t)90 << 20) /* bytes on the way: then the stream waits */
#define POLL_MS 100
#define GRACE_US ((int64_t)5000000)

/* A message on the way. */
struct sent {
    uint64_t number, ts, size;
    char lane[256];
    bool more; /* the rest of the same transaction follows: by itself it makes nothing safe */
};

struct kafka_sink {
    struct drain_sink sink; /* first */
    struct drainer *drainer;
    struct kafka *kafka;
    struct buf message;
    struct sent *ring;
    size_t first, n, cap;
    uint64_t last_number, unacked, max_message;
    struct sent safe; /* the last that is; number 0: none */
    uint64_t half_ts; /* of a transaction whose second message is next; 0: none */
};

static struct kafka_sink *of(struct drain_sink *s)
{
    return (struct kafka_sink *)s;
}

static void sink_close_kafka(struct drain_sink *sink)
{
    struct kafka_sink *s = of(sink);

    kafka_close(s->kafka);
    buf_fini(&s->message);
    free(s->ring);
    free(s);
}

static const char *text(const json_t *doc, const char *path, const char *otherwise)
{
    const char *s = json_string_value(doc_at(doc, path));

    return s && *s ? s : otherwise;
}

static int sink_open_kafka(const struct drain_sink_config *c, struct drain_place *start,
                           struct drain_sink **ret, struct err *err)
{
    SCOPED(freep) char *topic = xasprintf("%s_obinlog", c->drainer->reg.name);
    struct kafka_sink *s = xcalloc(1, sizeof *s);
    struct kafka_config kc = {
        .brokers = text(c->doc, "to.kafka_addrs", "127.0.0.1:9092"),
        .topic = text(c->doc, "to.topic_name", topic),
        .client_id = text(c->doc, "to.kafka_client_id", "sluice_drainer"),
        .max_message = (uint64_t)json_integer_value(doc_at(c->doc, "to.kafka_max_message_size")),
        .max_queued_messages =
            (uint64_t)json_integer_value(doc_at(c->doc, "to.kafka_max_messages")),
        .options = doc_at(c->doc, "to.kafka_options"),
    };
    int rc;

    (void)start;
    s->sink.ops = &drain_sink_kafka;
    s->drainer = c->drainer;
    s->max_message = kc.max_message;
    rc = kafka_open(&kc, &s->kafka, err);
    if (rc < 0) {
        sink_close_kafka(&s->sink);
        return rc;
    }
    *ret = &s->sink;
    return 0;
}

/* --- what is on the way --- */

static struct sent *at(struct kafka_sink *s, size_t i)
{
    return &s->ring[(s->first + i) % s->cap];
}

static void push(struct kafka_sink *s, const struct sent *m)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 256;
        struct sent *more = xcalloc(cap, sizeof *more);

        for (size_t i = 0; i < s->n; i++)
            more[i] = *at(s, i);
        free(s->ring);
        s->ring = more;
        s->first = 0;
        s->cap = cap;
    }
    *at(s, s->n++) = *m;
    s->unacked += m->size;
}

static int look_after(struct kafka_sink *s, int ms, struct err *err)
{
    uint64_t acked;
    int rc = kafka_poll(s->kafka, ms, &acked, err);

    while (s->n && at(s, 0)->number <= acked) {
        s->unacked -= at(s, 0)->size;
        if (!at(s, 0)->more)
            s->safe = *at(s, 0);
        s->first = (s->first + 1) % s->cap;
        s->n--;
    }
    return rc;
}

/* --- the sink --- */

static int wait_for_room(struct kafka_sink *s, uint64_t size, struct err *err)
{
    int rc = look_after(s, 0, err);

    while (rc == 0 && s->n && s->unacked + size > UNACKED_MAX) {
        if (unit_stopping(&s->drainer->sync.unit))
            return err_set(err, -ECANCELED, "stopping");
        rc = look_after(s, POLL_MS, err);
    }
    return rc;
}

static int kafka_write(struct drain_sink *sink, const struct change_txn *t,
                       const struct drain_place *place, struct err *err)
{
    struct kafka_sink *s = of(sink);
    struct sent m = { .ts = place->ts, .more = t->more };
    struct change_txn told = *t;
    struct slice bytes;
    int rc;

    /* Consumers drop what is not above the last commit_ts. */
    if (s->half_ts == place->ts)
        told.commit_ts = COMMIT_TS_SECOND(t->commit_ts);
    buf_clear(&s->message);
    pb_kafka_encode(&told, &s->message);
    bytes = slice_of(s->message.data, s->message.size);
    if (bytes.size > s->max_message)
        return err_set(err, -EFBIG,
                       "transaction %llu is %zu bytes as a message, kafka_max_message_size is %llu "
                       "(skip_txn leaves it out)",
                       (unsigned long long)place->ts, bytes.size,
                       (unsigned long long)s->max_message);
    rc = wait_for_room(s, bytes.size, err);
    if (rc < 0)
        return rc;
    m.number = ++s->last_number;
    m.size = bytes.size;
    snprintf(m.lane, sizeof m.lane, "%s", place->lane ? place->lane : DRAIN_ALL_LANES);
    while ((rc = kafka_send(s->kafka, bytes, m.number, err)) == 0) {
        if (unit_stopping(&s->drainer->sync.unit))
            return err_set(err, -ECANCELED, "stopping");
        rc = look_after(s, POLL_MS, err);
        if (rc < 0)
            return rc;
    }
    if (rc < 0)
        return rc;
    push(s, &m);
    s->half_ts = t->more ? place->ts : 0;
    return 0;
}

static int kafka_sync(struct drain_sink *sink, bool wait, struct drain_place *ret, struct err *err)
{
    struct kafka_sink *s = of(sink);
    int64_t until_us = clock_mono_us() + GRACE_US;
    int rc = look_after(s, 0, err);

    /* Brokers that do not answer hold up no stop: what they may have, they get again. */
    while (rc == 0 && wait && s->n &&
           !(unit_stopping(&s->drainer->sync.unit) && clock_mono_us() > until_us))
        rc = look_after(s, POLL_MS, err);
    if (rc < 0)
        return rc;
    if (s->n == 0)
        return 1;
    if (s->safe.number)
        *ret = (struct drain_place){ s->safe.ts, strcmp(s->safe.lane, DRAIN_ALL_LANES) == 0
                                                     ? NULL
                                                     : s->safe.lane };
    return 0;
}

const struct drain_sink_ops drain_sink_kafka = {
    .open = sink_open_kafka, .write = kafka_write, .sync = kafka_sync, .close = sink_close_kafka
};
