/* A drainer's files and messages: framing, both payloads, statements; what decodes encodes again.
 */
#include <stddef.h>
#include <stdint.h>

#include "sink/change_sql.h"
#include "sink/pb_file.h"
#include "sink/pb_kafka.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct change_txn *t)
{
    struct buf out = BUF_INIT;

    change_sql_txn(t, NULL, &out);
    buf_clear(&out);
    pb_file_encode(t, &out);
    buf_clear(&out);
    pb_kafka_encode(t, &out);
    buf_fini(&out);
}

static void payload(struct slice s)
{
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    struct change_txn t;
    const char *schema;
    struct slice rest;

    if (pb_file_decode(s, &arena, &t, &err) == 0) {
        use(&t);
        pb_file_statement(t.query, &arena, &schema, &rest);
    }
    if (pb_kafka_decode(s, &arena, &t, &err) == 0)
        use(&t);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(slice_of(data, size));
    struct err err = ERR_INIT;
    struct slice s;
    uint64_t need;

    while (pb_file_next(&c, &s, &need, &err) > 0)
        payload(s);
    payload(slice_of(data, size));
    return 0;
}
