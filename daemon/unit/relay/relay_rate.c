#include "unit/relay/relay_rate.h"

#include "base/clock.h"
#include "base/mem.h"
#include "unit/histogram_show.h"
#include "unit/relay/relay_priv.h"

static struct rate_point events_of(struct relay *r)
{
    return (struct rate_point){ .us = clock_mono_us(), .rows = atomic_load(&r->events) };
}

static struct rate_point stored_of(struct journal *j)
{
    const struct histogram *h = &journal_stats(j)->record_bytes;

    return (struct rate_point){ .us = clock_mono_us(),
                                .rows = histogram_count(h),
                                .bytes = atomic_load(&h->sum) };
}

static struct rate_point reads_of(struct journal *j)
{
    const struct histogram *h = &journal_stats(j)->read_bytes;

    return (struct rate_point){ .us = clock_mono_us(),
                                .rows = histogram_count(h),
                                .bytes = atomic_load(&h->sum) };
}

void relay_sample(struct relay *r, struct journal *j)
{
    struct rate_point events = events_of(r), stored = stored_of(j), reads = reads_of(j);

    mutex_lock(&r->unit.lock);
    rate_sample(&r->event_rate, &events);
    rate_sample(&r->store_rate, &stored);
    rate_sample(&r->read_rate, &reads);
    mutex_unlock(&r->unit.lock);
}

/* --- rows; the node is locked, so NO_THREAD_CHECK --- */

json_t *relay_get_rates(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    struct relay *r = relay_of(n);
    struct rate_point events = events_of(r), stored = { .us = 0 }, reads = { .us = 0 };

    (void)a, (void)err;
    if (r->journal) {
        stored = stored_of(r->journal);
        reads = reads_of(r->journal);
    }
    return json_pack("{s:f, s:f, s:f, s:f, s:f}", "events_s", rate_rows_s(&r->event_rate, &events),
                     "records_s", rate_rows_s(&r->store_rate, &stored), "stored_bytes_s",
                     rate_bytes_s(&r->store_rate, &stored), "reads_s",
                     rate_rows_s(&r->read_rate, &reads), "read_bytes_s",
                     rate_bytes_s(&r->read_rate, &reads));
}

json_t *relay_get_pending(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    struct journal_state state = { .next_seq = 1 };

    (void)a, (void)err;
    if (relay_of(n)->journal)
        journal_state(relay_of(n)->journal, &state);
    return json_integer((json_int_t)(state.next_seq - 1 - state.durable_seq));
}

json_t *relay_get_histograms(const struct node *n, const struct attr *a,
                             struct err *err) NO_THREAD_CHECK
{
    struct journal *j = relay_of(n)->journal;
    const struct journal_stats none = { .read_errors = 0 }, *s = j ? journal_stats(j) : &none;

    (void)a, (void)err;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "record_size", histogram_show(&s->record_bytes, 1),
        "record", histogram_show(&s->record_us, 1e-6), "group_size",
        histogram_show(&s->group_bytes, 1), "group", histogram_show(&s->group_us, 1e-6), "sync",
        histogram_show(&s->sync_us, 1e-6), "read_size", histogram_show(&s->read_bytes, 1), "read",
        histogram_show(&s->read_us, 1e-6));
}
