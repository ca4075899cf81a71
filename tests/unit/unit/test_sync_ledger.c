#include <criterion/criterion.h>
#include <string.h>

#include "unit/sync/sync_ledger.h"

static struct ledger l;

static void setup(void)
{
    struct position from = { .file = "bin.000001", .offset = 4 };
    struct err err = ERR_INIT;

    cr_assert_eq(gtid_set_parse(&from.gtids, FLAVOR_MARIADB, "0-1-10", &err), 0);
    ledger_init(&l, &from);
    position_fini(&from);
}

static void teardown(void)
{
    ledger_fini(&l);
}

TestSuite(sync_ledger, .init = setup, .fini = teardown);

static uint64_t add(uint64_t number, const char *file, uint64_t offset)
{
    struct gtid g = { .flavor = FLAVOR_MARIADB, .server_id = 1, .number = number };
    struct position pos = { .offset = offset };

    snprintf(pos.file, sizeof pos.file, "%s", file);
    return ledger_add(&l, &g, &pos, (int64_t)offset);
}

static void expect(const struct position *p, const char *gtids, const char *file, uint64_t offset)
{
    struct buf text = BUF_INIT;

    gtid_set_print(p->gtids, &text);
    buf_byte(&text, '\0');
    cr_expect_str_eq((char *)text.data, gtids);
    cr_expect_str_eq(p->file, file);
    cr_expect_eq(p->offset, offset);
    buf_fini(&text);
}

Test(sync_ledger, low_water_stays_below_the_oldest_that_is_not_done)
{
    uint64_t x = add(11, "bin.000001", 100), y = add(12, "bin.000001", 200),
             z = add(13, "bin.000002", 300);

    ledger_done(&l, z);
    ledger_done(&l, y);
    expect(&l.low, "0-1-10", "bin.000001", 4);
    cr_expect_eq(ledger_oldest_us(&l), 100);
    ledger_done(&l, x);
    expect(&l.low, "0-1-13", "bin.000002", 300);
    cr_expect_eq(ledger_oldest_us(&l), 0);
    cr_expect_eq(ledger_size(&l), 0);
}

Test(sync_ledger, tells_the_position_before_one_that_is_not_done)
{
    struct position before = { .offset = 0 };

    add(11, "bin.000001", 100);
    add(12, "bin.000002", 200);
    ledger_before(&l, add(13, "bin.000002", 300), &before);
    expect(&before, "0-1-12", "bin.000002", 200);
    position_fini(&before);
}

Test(sync_ledger, grows_and_turns_round)
{
    for (uint64_t i = 1; i <= 3000; i++) {
        uint64_t seq = add(10 + i, "bin.000001", 100 * i);

        if (i > 700)
            ledger_done(&l, seq - 700);
    }
    cr_expect_eq(ledger_size(&l), 700);
    expect(&l.low, "0-1-2310", "bin.000001", 230000);
}
