#include "http/compat/kingbus/kingbus_metrics.h"

#include <stddef.h>

#include "base/buf.h"
#include "base/scope.h"
#include "http/compat/metric.h"

#define GAUGE(kingbus_name, row, text)                                                      \
    {                                                                                       \
        .name = "kingbus_metrics_" kingbus_name, .type = "gauge", .attr = row, .help = text \
    }

static const struct metric_row rows[] = {
    GAUGE("syncer_eps", "events_s", "events a second that the syncer reads"),
    GAUGE("apply_eps", "records_s", "transactions and events a second that reach the disk"),
    GAUGE("propose_channel_size", "pending_records", "what was read and is not on disk yet"),
    GAUGE("read_tps", "reads_s", "reads a second from the store"),
    GAUGE("read_throughput", "read_bytes_s", "bytes a second of these"),
    GAUGE("read_latency_mean", "read_mean", "milliseconds"),
    GAUGE("read_latency_p95", "read_p95", "milliseconds"),
    GAUGE("read_latency_max", "read_max", "milliseconds"),
    GAUGE("write_tps", "records_s", "transactions and events a second that reach the disk"),
    GAUGE("write_throughput", "stored_bytes_s", "bytes a second of these"),
    GAUGE("write_latency_mean", "record_mean", "milliseconds until the disk has it"),
    GAUGE("write_latency_p95", "record_p95", "milliseconds until the disk has it"),
    GAUGE("write_latency_max", "record_max", "milliseconds until the disk has it"),
    { .name = NULL },
};

/* The bound of the bucket in which the n-th observation is; 0: there was none. */
static double bound_of(const json_t *h, double n)
{
    const json_t *le = json_object_get(h, "le"), *counts = json_object_get(h, "n");
    size_t size = json_array_size(le);

    if (json_integer_value(json_object_get(h, "count")) == 0)
        return 0;
    for (size_t i = 0; i < size; i++)
        if ((double)json_integer_value(json_array_get(counts, i)) >= n)
            return json_number_value(json_array_get(le, i));
    return size ? json_number_value(json_array_get(le, size - 1)) : 0;
}

/* name_mean, name_p95, name_max: seconds to milliseconds. */
static void add_latency(json_t *to, const char *name, const json_t *h)
{
    double count = (double)json_integer_value(json_object_get(h, "count"));
    double sum = json_number_value(json_object_get(h, "sum"));
    const struct {
        const char *what;
        double seconds;
    } values[] = {
        { "mean", count > 0 ? sum / count : 0 },
        { "p95", bound_of(h, count * 0.95) },
        { "max", bound_of(h, count) },
    };

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        SCOPED(buf_fini) struct buf key = BUF_INIT;

        buf_printf(&key, "%s_%s", name, values[i].what);
        json_object_set_new(to, key.data, json_real(values[i].seconds * 1000));
    }
}

/* A name of its own each. */
static void add_replica(const json_t *r, const char *name, const char *attr, struct buf *out)
{
    long long id = (long long)json_integer_value(json_object_get(r, "server_id"));

    buf_printf(out, "# TYPE kingbus_metrics_%s_%lld gauge\nkingbus_metrics_%s_%lld %.15g\n", name,
               id, name, id, json_number_value(json_object_get(r, attr)));
}

void kingbus_metrics(const json_t *relay, const json_t *histograms, const json_t *replicas,
                     struct buf *out)
{
    json_t *all = relay ? json_copy((json_t *)relay) : json_object();
    const json_t *r;
    size_t i;

    json_object_update(all, json_object_get(relay, "rates"));
    add_latency(all, "read", json_object_get(histograms, "read"));
    add_latency(all, "record", json_object_get(histograms, "record"));
    for (const struct metric_row *row = rows; row->name; row++)
        if (!json_object_get(all, row->attr))
            json_object_set_new(all, row->attr, json_integer(0));
    metrics_of_rows(rows, all, out);
    json_array_foreach (replicas, i, r) {
        add_replica(r, "slave_eps", "events_s", out);
        add_replica(r, "slave_thoughput", "bytes_s", out);
    }
    json_decref(all);
}
