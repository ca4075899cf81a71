/*
 * kafka_run.c - brokers without Kafka, and a consumer of what a drainer sends.
 *
 *     kafka_run OUT     prints "brokers HOST:PORT,..." and consumes topic 'drained' for ever
 *
 * librdkafka's own mock cluster is the brokers.  Each message is decoded (sink/pb_kafka.h) and
 * appended to OUT as SQL; one whose commit_ts is not above the last is dropped, as consumers of a
 * drainer do.  Ends at SIGTERM with the number of messages and of those dropped.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"
#include "route/ddl.h"
#include "sink/change_sql.h"
#include "sink/pb_kafka.h"

static volatile sig_atomic_t stopping;

static void stop(int sig)
{
    (void)sig;
    stopping = 1;
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];
    rd_kafka_t *rk;

    if (brokers)
        rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    rd_kafka_conf_set(conf, "group.id", "t", why, sizeof why);
    rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", why, sizeof why);
    rk = rd_kafka_new(type, conf, why, sizeof why);
    if (!rk) {
        fprintf(stderr, "kafka: %s\n", why);
        exit(1);
    }
    return rk;
}

struct story {
    FILE *out;
    uint64_t last, n, dropped;
};

static void take(struct story *s, const rd_kafka_message_t *m)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct change_txn t;
    struct err err = ERR_INIT;

    if (pb_kafka_decode(slice_of(m->payload, m->len), &arena, &t, &err) < 0) {
        fprintf(stderr, "message %lld: %s\n", (long long)m->offset, err.text);
        exit(1);
    }
    s->n++;
    if (t.commit_ts <= s->last) {
        s->dropped++;
        return;
    }
    s->last = t.commit_ts;
    if (t.ddl) { /* a schema that is made cannot be used before */
        struct ddl d;

        ddl_scan(t.query, false, false, &arena, &d);
        t.creates_schema = d.class == DDL_CREATE_DATABASE;
    }
    change_sql_txn(&t, NULL, &sql);
    fwrite(sql.data, 1, sql.size, s->out);
    fflush(s->out);
}

int main(int argc, char **argv)
{
    struct story s = { .out = argc > 1 ? fopen(argv[1], "w") : NULL };
    rd_kafka_t *host = client(RD_KAFKA_PRODUCER, NULL), *consumer;
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, 1);
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1);
    const char *brokers = rd_kafka_mock_cluster_bootstraps(cluster);

    if (!s.out)
        return 2;
    signal(SIGTERM, stop);
    rd_kafka_mock_topic_create(cluster, "drained", 1, 1);
    printf("brokers %s\n", brokers);
    fflush(stdout);
    consumer = client(RD_KAFKA_CONSUMER, brokers);
    rd_kafka_topic_partition_list_add(parts, "drained", 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(consumer, parts);
    while (!stopping) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, 200);

        if (m && !m->err)
            take(&s, m);
        if (m)
            rd_kafka_message_destroy(m);
    }
    printf("%llu messages, %llu dropped\n", (unsigned long long)s.n, (unsigned long long)s.dropped);
    rd_kafka_topic_partition_list_destroy(parts);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    fclose(s.out);
    return 0;
}
