#include "sink/kafka.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define DELIVERY_MS "30000" /* without success so long: an error */

struct kafka {
    rd_kafka_t *producer;
    char *topic;
    uint64_t acked;
    struct err failed; /* the first delivery that came to nothing; code 0: none */
};

static int code_of(rd_kafka_resp_err_t e)
{
    switch (e) {
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        return -ETIMEDOUT;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return -EFBIG;
    default:
        return -EIO;
    }
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct kafka *k = opaque;

    (void)rk;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR && !k->failed.code)
        k->acked = (uint64_t)(uintptr_t)m->_private;
    else if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR && !k->failed.code)
        err_set(&k->failed, code_of(m->err), "topic %s: message not delivered: %s", k->topic,
                rd_kafka_err2str(m->err));
}

/* --- settings --- */

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *err)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return 0;
    return err_set(err, -EINVAL, "kafka: %s", why);
}

static int set_number(rd_kafka_conf_t *conf, const char *name, uint64_t value, struct err *err)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return set(conf, name, text, err);
}

static int set_options(rd_kafka_conf_t *conf, const json_t *options, struct err *err)
{
    const char *name;
    json_t *v;

    json_object_foreach ((json_t *)options, name, v)
        if (set(conf, name, json_string_value(v), err) < 0)
            return err->code;
    return 0;
}

static int configure(rd_kafka_conf_t *conf, const struct kafka_config *c, struct err *err)
{
    int rc = set(conf, "bootstrap.servers", c->brokers, err);

    if (rc == 0)
        rc = set(conf, "client.id", c->client_id, err);
    if (rc == 0)
        rc = set(conf, "acks", "all", err);
    if (rc == 0)
        rc = set(conf, "enable.idempotence", "true", err);
    if (rc == 0)
        rc = set(conf, "message.timeout.ms", DELIVERY_MS, err);
    if (rc == 0)
        rc = set(conf, "linger.ms", "1", err);
    if (rc == 0)
        rc = set_number(conf, "message.max.bytes", c->max_message, err);
    if (rc == 0)
        rc = set_number(conf, "queue.buffering.max.messages", c->max_queued_messages, err);
    return rc == 0 ? set_options(conf, c->options, err) : rc;
}

int kafka_open(const struct kafka_config *c, struct kafka **ret, struct err *err)
{
    struct kafka *k = xcalloc(1, sizeof *k);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    k->topic = xstrdup(c->topic);
    if (configure(conf, c, err) < 0) {
        rd_kafka_conf_destroy(conf);
        kafka_close(k);
        return err->code;
    }
    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    k->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why); /* takes conf */
    if (!k->producer) {
        rd_kafka_conf_destroy(conf);
        kafka_close(k);
        return err_set(err, -EINVAL, "kafka: %s", why);
    }
    *ret = k;
    return 0;
}

void kafka_close(struct kafka *k)
{
    if (!k)
        return;
    if (k->producer) {
        rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(k->producer);
    }
    free(k->topic);
    free(k);
}

/* --- messages --- */

int kafka_send(struct kafka *k, struct slice bytes, uint64_t number, struct err *err)
{
    rd_kafka_resp_err_t e;

    if (k->failed.code) {
        *err = k->failed;
        return err->code;
    }
    e = rd_kafka_producev(k->producer, RD_KAFKA_V_TOPIC(k->topic), RD_KAFKA_V_PARTITION(0),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_VALUE((void *)bytes.data, bytes.size),
                          RD_KAFKA_V_OPAQUE((void *)(uintptr_t)number), RD_KAFKA_V_END);
    if (e == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 1;
    if (e == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return 0;
    return err_set(err, code_of(e), "topic %s: %s", k->topic, rd_kafka_err2str(e));
}

int kafka_poll(struct kafka *k, int ms, uint64_t *acked, struct err *err)
{
    char why[256];

    rd_kafka_poll(k->producer, ms);
    *acked = k->acked;
    if (!k->failed.code && rd_kafka_fatal_error(k->producer, why, sizeof why))
        err_set(&k->failed, -EIO, "topic %s: %s", k->topic, why);
    if (k->failed.code)
        *err = k->failed;
    return k->failed.code;
}
