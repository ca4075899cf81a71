#include "unit/relay/relay_print.h"

#include <criterion/criterion.h>

#include "base/scope.h"

static struct grouper none;

static uint64_t print_of(const char *rows, uint8_t table_id, uint32_t server_id, uint8_t type)
{
    SCOPED(buf_fini) struct buf body = BUF_INIT;
    struct txn_print p = { .hash = 1, .n_events = 5 };
    struct event ev = { .type = type, .timestamp = 1000, .server_id = server_id };

    buf_le(&body, table_id, 6);
    buf_le(&body, 1, 2);
    if (type == EVENT_WRITE_ROWS_V2) {
        buf_le(&body, 2 + (table_id & 1), 2); /* extra data, of one byte or none */
        buf_le(&body, 7, table_id & 1);
    }
    buf_str(&body, rows);
    ev.body = slice_of(body.data, body.size);
    txn_print_add(&p, &none, &(struct event){ .type = EVENT_ANONYMOUS_GTID }, TXN_BEGIN);
    txn_print_add(&p, &none, &ev, TXN_ROWS);
    cr_expect_eq(p.n_events, 1);
    return p.hash;
}

Test(relay_print, is_the_same_under_another_table_id)
{
    cr_expect_eq(print_of("row", 1, 7, EVENT_WRITE_ROWS_V1),
                 print_of("row", 2, 7, EVENT_WRITE_ROWS_V1));
    cr_expect_eq(print_of("row", 1, 7, EVENT_WRITE_ROWS_V2),
                 print_of("row", 2, 7, EVENT_WRITE_ROWS_V2));
}

Test(relay_print, tells_rows_and_servers_apart)
{
    uint64_t print = print_of("row", 1, 7, EVENT_WRITE_ROWS_V1);

    cr_expect_neq(print, print_of("raw", 1, 7, EVENT_WRITE_ROWS_V1));
    cr_expect_neq(print, print_of("row", 1, 8, EVENT_WRITE_ROWS_V1));
}
