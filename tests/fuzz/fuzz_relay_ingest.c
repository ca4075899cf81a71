/* Any events into the relay's ingest: what is committed follows one another, and is what was fed.
 */
#include <assert.h>

#include "base/scope.h"
#include "unit/relay/relay_ingest.h"

static void feed(struct ingest *in, const uint8_t *data, size_t size, uint64_t *last)
{
    struct ingest_did did;
    struct err err;

    for (size_t at = 0; size - at >= EVENT_HEADER_SIZE;) {
        size_t n = event_size(data + at);

        if (n < EVENT_HEADER_SIZE || n > size - at)
            n = size - at;
        if (ingest_event(in, slice_of(data + at, n), &did, &err) < 0)
            return;
        at += n;
        if (!did.committed)
            continue;
        assert(did.record.seq == *last + 1);
        assert(did.record.to >= did.record.from && did.record.size <= size);
        *last = did.record.seq;
    }
}

static void run(struct journal *j, const uint8_t *data, size_t size)
{
    struct position from = { .file = "b.1", .offset = 4 };
    struct journal_head head;
    struct ingest in;
    struct err err;
    uint64_t last = 0;

    if (journal_write_begin(j, &head, &err) < 0 || journal_incarnation(j, "1", NULL, &err) < 0)
        return;
    ingest_init(&in, j, &head.pos, 1);
    journal_head_fini(&head);
    ingest_connect(&in, data[0] & 1 ? FLAVOR_MARIADB : FLAVOR_MYSQL, &from);
    buf_str(&in.format, "not looked at");
    feed(&in, data + 1, size - 1, &last);
    ingest_fini(&in);
    journal_write_end(j, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store *store;
    struct journals *all;
    struct journal *j;
    struct err err;

    if (size < 1)
        return 0;
    store = store_open_mem();
    all = journals_new(store);
    if (journal_open(all, "s", true, &j, &err) == 0)
        run(j, data, size);
    journal_close(j);
    journals_free(all);
    store_close(store);
    return 0;
}
