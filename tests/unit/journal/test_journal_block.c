#include <criterion/criterion.h>
#include <errno.h>

#include "base/scope.h"
#include "journal/journal_block.h"

static const struct slice key = { (const uint8_t *)"key", 3 };

struct made {
    struct buf bytes;
    struct journal_record records[32];
    struct journal_record prev;
    uint32_t n;
};

static void begin(struct made *m)
{
    *m = (struct made){ .bytes = BUF_INIT };
    for (int i = 0; i < BLOCK_HEAD_SIZE; i++)
        buf_byte(&m->bytes, 0);
}

static void add(struct made *m, struct journal_record r, const char *events)
{
    r.seq = 100 + m->n;
    if (!(r.flags & JOURNAL_LARGE))
        r.size = strlen(events);
    block_add(&m->bytes, &m->prev, &r, &(struct block_large){ 7, 0x1122334455667788 });
    if (!(r.flags & JOURNAL_LARGE))
        buf_str(&m->bytes, events);
    m->records[m->n++] = r;
}

static struct slice finish(struct made *m)
{
    block_finish((uint8_t *)m->bytes.data, m->bytes.size, m->n, key);
    return slice_of(m->bytes.data, m->bytes.size);
}

static struct gtid mysql(char uuid, const char *tag, uint64_t number)
{
    struct gtid g = { .flavor = FLAVOR_MYSQL, .number = number };

    memset(g.uuid, uuid, sizeof g.uuid);
    snprintf(g.tag, sizeof g.tag, "%s", tag);
    return g;
}

static struct gtid mariadb(uint32_t domain, uint32_t server_id, uint64_t number)
{
    return (struct gtid){
        .flavor = FLAVOR_MARIADB, .domain = domain, .server_id = server_id, .number = number
    };
}

/* Records with each bit set and not. */
static void make_all(struct made *m)
{
    begin(m);
    add(m,
        (struct journal_record){ .kind = JOURNAL_EVENT,
                                 .type = 15,
                                 .commit_ts = 5,
                                 .incarnation = 1,
                                 .file_no = 2,
                                 .from = 4,
                                 .to = 10 },
        "abcdef");
    add(m,
        (struct journal_record){ .kind = JOURNAL_TXN,
                                 .type = 16,
                                 .commit_ts = 1ULL << 40,
                                 .commit_us = 77,
                                 .incarnation = 1,
                                 .file_no = 2,
                                 .from = 10,
                                 .to = 13,
                                 .gtid = mariadb(0, 1, 5) },
        "xyz");
    add(m,
        (struct journal_record){ .kind = JOURNAL_TXN,
                                 .type = 16,
                                 .commit_ts = (1ULL << 40) + 1,
                                 .commit_us = INT64_MAX,
                                 .incarnation = 1,
                                 .file_no = 2,
                                 .from = 13,
                                 .to = 13,
                                 .gtid = mariadb(0, 1, 6) },
        "");
    add(m,
        (struct journal_record){ .kind = JOURNAL_TXN,
                                 .flags = JOURNAL_DDL | JOURNAL_SKEWED,
                                 .type = 2,
                                 .commit_ts = 1ULL << 41,
                                 .commit_us = INT64_MIN,
                                 .incarnation = 1,
                                 .file_no = 2,
                                 .from = 13,
                                 .to = 90,
                                 .gtid = mariadb(0, 2, 7) },
        "sent encrypted");
    add(m,
        (struct journal_record){ .kind = JOURNAL_EVENT,
                                 .type = 4,
                                 .commit_ts = (1ULL << 41) + 9,
                                 .incarnation = 1,
                                 .file_no = 2,
                                 .from = 90,
                                 .to = 92 },
        "ro");
    add(m,
        (struct journal_record){ .kind = JOURNAL_TXN,
                                 .type = 16,
                                 .commit_ts = (1ULL << 41) + 10,
                                 .incarnation = 1,
                                 .file_no = 3,
                                 .from = 4,
                                 .to = 6,
                                 .gtid = mariadb(0, 2, 8) },
        "gg");
    add(m,
        (struct journal_record){ .kind = JOURNAL_TXN,
                                 .flags = JOURNAL_LARGE | JOURNAL_XA,
                                 .type = 38,
                                 .commit_ts = UINT64_MAX - 9,
                                 .incarnation = UINT32_MAX,
                                 .file_no = UINT32_MAX,
                                 .from = 1ULL << 50,
                                 .to = UINT64_MAX,
                                 .size = 1ULL << 60,
                                 .gtid = mysql('a', "", 9) },
        "");
    add(m,
        (struct journal_record){ .kind = JOURNAL_TXN,
                                 .type = 16,
                                 .commit_ts = UINT64_MAX - 8,
                                 .incarnation = UINT32_MAX,
                                 .file_no = UINT32_MAX,
                                 .from = 0,
                                 .to = 3,
                                 .gtid = mysql('a', "tag", UINT64_MAX) },
        "end");
    add(m,
        (struct journal_record){ .kind = JOURNAL_TXN,
                                 .type = 16,
                                 .commit_ts = UINT64_MAX,
                                 .incarnation = UINT32_MAX,
                                 .file_no = UINT32_MAX,
                                 .from = 3,
                                 .to = 4,
                                 .gtid = mysql('b', "tag", 1) },
        "!");
}

static void same_record(const struct journal_record *a, const struct journal_record *b)
{
    cr_assert_eq(a->seq, b->seq);
    cr_assert_eq(a->commit_ts, b->commit_ts);
    cr_assert_eq(a->commit_us, b->commit_us);
    cr_assert(a->kind == b->kind && a->flags == b->flags && a->type == b->type);
    cr_assert(a->incarnation == b->incarnation && a->file_no == b->file_no);
    cr_assert(a->from == b->from && a->to == b->to && a->size == b->size);
    cr_assert_eq(a->gtid.number, b->gtid.number);
    if (a->gtid.number)
        cr_assert(origin_equal(&a->gtid, &b->gtid) && a->gtid.server_id == b->gtid.server_id);
}

Test(journal_block, gives_back_every_kind_of_record)
{
    struct made m;
    struct block_cursor c;
    struct journal_record r;
    struct block_large large;
    struct slice events, block;
    struct err err = ERR_INIT;
    uint32_t n;

    make_all(&m);
    block = finish(&m);
    cr_assert_eq(block_check(block, key, &n, &err), 0, "%s", err.text);
    cr_assert_eq(n, m.n);
    block_begin(&c, block, 100);
    for (uint32_t i = 0; i < m.n; i++) {
        cr_assert_eq(block_next(&c, &r, &events, &large, &err), 1, "%u: %s", i, err.text);
        same_record(&r, &m.records[i]);
        if (r.flags & JOURNAL_LARGE)
            cr_assert(events.size == 0 && large.n_pieces == 7 &&
                      large.checksum == 0x1122334455667788);
        else
            cr_assert_eq(events.size, r.size);
    }
    cr_assert_eq(block_next(&c, &r, &events, &large, &err), 0);
    buf_fini(&m.bytes);
}

Test(journal_block, is_refused_when_any_bit_of_it_or_its_key_is_flipped)
{
    struct made m;
    struct slice block;
    uint32_t n;

    make_all(&m);
    block = finish(&m);
    for (size_t bit = 0; bit < block.size * 8; bit++) {
        struct err err = ERR_INIT;

        m.bytes.data[bit / 8] ^= (char)(1 << bit % 8);
        cr_assert_eq(block_check(block, key, &n, &err), -EBADMSG, "bit %zu", bit);
        m.bytes.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t size = 0; size < block.size; size++) {
        struct err err = ERR_INIT;

        cr_assert_eq(block_check(slice_of(block.data, size), key, &n, &err), -EBADMSG);
    }
    for (int bit = 0; bit < 24; bit++) {
        uint8_t other[3] = { 'k', 'e', 'y' };
        struct err err = ERR_INIT;

        other[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(block_check(block, slice_of(other, 3), &n, &err), -EBADMSG);
    }
    buf_fini(&m.bytes);
}

Test(journal_block, takes_few_bytes_for_a_record_that_follows)
{
    struct made m;
    size_t size;

    begin(&m);
    add(&m,
        (struct journal_record){ .kind = JOURNAL_TXN,
                                 .type = 16,
                                 .commit_ts = 1700000000000ULL << 18,
                                 .commit_us = 1700000000000000,
                                 .incarnation = 1,
                                 .file_no = 2,
                                 .from = 4,
                                 .to = 7,
                                 .gtid = mariadb(0, 1, 5) },
        "xyz");
    size = m.bytes.size;
    add(&m,
        (struct journal_record){ .kind = JOURNAL_TXN,
                                 .type = 16,
                                 .commit_ts = (1700000000000ULL << 18) + 1,
                                 .commit_us = 1700000000000000,
                                 .incarnation = 1,
                                 .file_no = 2,
                                 .from = 7,
                                 .to = 10,
                                 .gtid = mariadb(0, 1, 6) },
        "xyz");
    cr_assert_leq(m.bytes.size - size - 3, 6);
    buf_fini(&m.bytes);
}
