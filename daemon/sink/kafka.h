/*
 * kafka.h - messages in order to one partition of a topic, and which of them are safe.
 *
 * The one place that knows librdkafka.  Messages are numbered by who sends them, growing.  The
 * producer is idempotent and acks are of all replicas, so messages are acknowledged in their order
 * and none twice by us; after a restart some may come again.
 *
 * One thread.
 */
#ifndef SLUICE_SINK_KAFKA_H
#define SLUICE_SINK_KAFKA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct kafka;

struct kafka_config {
    const char *brokers; /* "host:port,host:port" */
    const char *topic, *client_id;
    uint64_t max_message, max_queued_messages;
    const json_t *options; /* of librdkafka, by name; NULL: none */
};

/* Does not wait for a broker. -EINVAL: a setting that librdkafka does not take. */
int kafka_open(const struct kafka_config *c, struct kafka **ret, struct err *err);
void kafka_close(struct kafka *k); /* what is on the way is given up; NULL is fine */

/* 'bytes' is copied.  1; 0: too much is on the way: poll, and try again; -EFBIG; what the delivery
 * of an earlier one came to. */
int kafka_send(struct kafka *k, struct slice bytes, uint64_t number, struct err *err);
/* Looks after deliveries for at most 'ms'.  The number up to which all are safe is in *acked (0:
 * none yet).  <0: one was not delivered. */
int kafka_poll(struct kafka *k, int ms, uint64_t *acked, struct err *err);

#endif
