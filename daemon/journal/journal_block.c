#include "journal/journal_block.h"

#include <assert.h>
#include <errno.h>
#include <xxhash.h>
#ifdef __x86_64__
#include <xxh_x86dispatch.h> /* the same sums with the vectors that this machine has */
#endif

#include "base/scope.h"
#include "journal/commit_ts.h"

#define VERSION 1
#define UUID_SIZE 16

/* The first byte of a record. */
enum bit {
    BIT_EVENT = 1, /* JOURNAL_EVENT, else JOURNAL_TXN */
    BIT_FOLLOWS =
        2,        /* same file; begins where the one before ended, and is as long as its events */
    BIT_GTID = 4, /* has one */
    BIT_NEXT_GTID = 8, /* and it is the next number of the last GTID's origin */
    BIT_TIME = 16,     /* the source says when */
    ALL_BITS = 31,
};
enum { ALL_FLAGS = JOURNAL_DDL | JOURNAL_XA | JOURNAL_SKEWED | JOURNAL_LARGE };

/* --- values with a checksum --- */

uint64_t checked_sum(struct slice value, struct slice key)
{
    return XXH3_64bits_withSeed(value.data, value.size, XXH3_64bits(key.data, key.size));
}

uint64_t checked_chain(uint64_t sums, uint64_t sum)
{
    uint64_t both[2] = { sums, sum };

    return XXH3_64bits(both, sizeof both);
}

void checked_begin(struct buf *value)
{
    buf_clear(value);
    buf_le(value, 0, BLOCK_CHECKSUM_SIZE);
}

static void put_le64(uint8_t *at, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

uint64_t checked_finish(struct buf *value, struct slice key)
{
    uint8_t *data = (uint8_t *)value->data;
    uint64_t sum =
        checked_sum(slice_of(data + BLOCK_CHECKSUM_SIZE, value->size - BLOCK_CHECKSUM_SIZE), key);

    put_le64(data, sum);
    return sum;
}

int checked_open_sum(struct slice value, struct slice key, struct slice *ret, uint64_t *ret_sum,
                     struct err *err)
{
    struct cursor c = cursor_of(value);
    uint64_t sum = cursor_u64(&c);
    struct slice rest = cursor_rest(&c);

    if (c.bad || sum != checked_sum(rest, key))
        return err_set(err, -EBADMSG, "damaged: the checksum of its %zu bytes is wrong",
                       value.size);
    *ret = rest;
    *ret_sum = sum;
    return 0;
}

int checked_open(struct slice value, struct slice key, struct slice *ret, struct err *err)
{
    uint64_t sum;

    return checked_open_sum(value, key, ret, &sum, err);
}

/* --- origins --- */

void origin_add(struct buf *out, const struct gtid *g)
{
    buf_byte(out, (char)g->flavor);
    if (g->flavor == FLAVOR_MARIADB) {
        buf_be(out, g->domain, 4);
        return;
    }
    buf_add(out, g->uuid, UUID_SIZE);
    buf_byte(out, (char)strlen(g->tag));
    buf_str(out, g->tag);
}

bool origin_parse(struct cursor *c, struct gtid *ret)
{
    uint8_t flavor = cursor_u8(c);
    struct gtid g = { .flavor = (enum flavor)flavor };
    struct slice uuid;
    bool ok = true;

    if (flavor == FLAVOR_MARIADB) {
        g.domain = (uint32_t)cursor_be(c, 4);
    } else if (flavor == FLAVOR_MYSQL) {
        uuid = cursor_bytes(c, UUID_SIZE);
        if (!c->bad)
            memcpy(g.uuid, uuid.data, UUID_SIZE);
        ok = gtid_tag(&g, cursor_bytes(c, cursor_u8(c)));
    } else {
        ok = false;
    }
    if (!ok || c->bad)
        return false;
    *ret = g;
    return true;
}

bool origin_equal(const struct gtid *a, const struct gtid *b)
{
    if (a->flavor != b->flavor)
        return false;
    if (a->flavor == FLAVOR_MARIADB)
        return a->domain == b->domain;
    return memcmp(a->uuid, b->uuid, UUID_SIZE) == 0 && strcmp(a->tag, b->tag) == 0;
}

/* --- records --- */

static bool follows(const struct journal_record *prev, const struct journal_record *r)
{
    return prev->seq != 0 && prev->incarnation == r->incarnation && prev->file_no == r->file_no &&
           prev->to == r->from && r->to - r->from == r->size;
}

static bool is_next_gtid(const struct gtid *prev, const struct gtid *g)
{
    return prev->number != 0 && origin_equal(prev, g) && prev->server_id == g->server_id &&
           prev->number + 1 == g->number;
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static void add_gtid(struct buf *out, const struct gtid *g)
{
    origin_add(out, g);
    if (g->flavor == FLAVOR_MARIADB)
        buf_lenenc(out, g->server_id);
    buf_lenenc(out, g->number);
}

static void add_place(struct buf *out, const struct journal_record *r)
{
    buf_lenenc(out, r->incarnation);
    buf_lenenc(out, r->file_no);
    buf_lenenc(out, r->from);
    buf_lenenc(out, r->to);
}

static unsigned bits_of(const struct journal_record *prev, const struct journal_record *r)
{
    unsigned bits = r->kind == JOURNAL_EVENT ? BIT_EVENT : 0;

    if (follows(prev, r))
        bits |= BIT_FOLLOWS;
    if (r->gtid.number)
        bits |= is_next_gtid(&prev->gtid, &r->gtid) ? BIT_GTID | BIT_NEXT_GTID : BIT_GTID;
    if (r->commit_us)
        bits |= BIT_TIME;
    return bits;
}

/* 'prev' keeps the last GTID that there was. */
static void advance(struct journal_record *prev, const struct journal_record *r)
{
    struct gtid last = r->gtid.number ? r->gtid : prev->gtid;

    *prev = *r;
    prev->gtid = last;
}

void block_add(struct buf *out, struct journal_record *prev, const struct journal_record *r,
               const struct block_large *large)
{
    unsigned bits = bits_of(prev, r);

    assert(r->commit_ts > prev->commit_ts && r->from <= r->to);
    buf_byte(out, (char)bits);
    buf_byte(out, (char)r->flags);
    buf_byte(out, (char)r->type);
    buf_lenenc(out, r->commit_ts - prev->commit_ts);
    buf_lenenc(out, r->size);
    if (bits & BIT_TIME)
        buf_lenenc(
            out, zigzag((int64_t)((uint64_t)r->commit_us - (uint64_t)commit_ts_us(r->commit_ts))));
    if (!(bits & BIT_FOLLOWS))
        add_place(out, r);
    if ((bits & BIT_GTID) && !(bits & BIT_NEXT_GTID))
        add_gtid(out, &r->gtid);
    if (r->flags & JOURNAL_LARGE) {
        buf_le(out, large->n_pieces, 4);
        buf_le(out, large->checksum, 8);
    }
    advance(prev, r);
}

void block_finish(uint8_t *block, size_t size, uint32_t n_records, struct slice key)
{
    block[BLOCK_CHECKSUM_SIZE] = VERSION;
    for (int i = 0; i < 4; i++)
        block[BLOCK_CHECKSUM_SIZE + 1 + i] = (uint8_t)(n_records >> (8 * i));
    put_le64(block,
             checked_sum(slice_of(block + BLOCK_CHECKSUM_SIZE, size - BLOCK_CHECKSUM_SIZE), key));
}

int block_check(struct slice block, struct slice key, uint32_t *n_records, struct err *err)
{
    struct slice rest;
    struct cursor c;
    uint8_t version;
    uint32_t n;
    int rc = checked_open(block, key, &rest, err);

    if (rc < 0)
        return rc;
    c = cursor_of(rest);
    version = cursor_u8(&c);
    n = cursor_u32(&c);
    if (c.bad || version != VERSION || n == 0)
        return err_set(err, -EBADMSG, "damaged: a block of version %u with %u records", version, n);
    *n_records = n;
    return 0;
}

void block_begin(struct block_cursor *b, struct slice block, uint64_t first_seq)
{
    *b = (struct block_cursor){ .c = cursor_of(block), .next_seq = first_seq };
    cursor_skip(&b->c, BLOCK_HEAD_SIZE);
}

static void read_place(struct block_cursor *b, struct journal_record *r, bool follows_on)
{
    uint64_t incarnation, file_no;

    if (follows_on) {
        r->incarnation = b->prev.incarnation;
        r->file_no = b->prev.file_no;
        r->from = b->prev.to;
        r->to = r->from + r->size;
        b->c.bad |= b->prev.seq == 0 || r->to < r->from;
        return;
    }
    incarnation = cursor_lenenc(&b->c);
    file_no = cursor_lenenc(&b->c);
    r->from = cursor_lenenc(&b->c);
    r->to = cursor_lenenc(&b->c);
    b->c.bad |= incarnation > UINT32_MAX || file_no > UINT32_MAX || r->from > r->to;
    r->incarnation = (uint32_t)incarnation;
    r->file_no = (uint32_t)file_no;
}

static void read_gtid(struct block_cursor *b, struct journal_record *r, unsigned bits)
{
    uint64_t server_id;

    if (!(bits & BIT_GTID)) {
        b->c.bad |= (bits & BIT_NEXT_GTID) != 0;
        return;
    }
    if (bits & BIT_NEXT_GTID) {
        r->gtid = b->prev.gtid;
        r->gtid.number++;
        b->c.bad |= b->prev.gtid.number == 0;
        return;
    }
    if (!origin_parse(&b->c, &r->gtid)) {
        b->c.bad = true;
        return;
    }
    if (r->gtid.flavor == FLAVOR_MARIADB) {
        server_id = cursor_lenenc(&b->c);
        b->c.bad |= server_id > UINT32_MAX;
        r->gtid.server_id = (uint32_t)server_id;
    }
    r->gtid.number = cursor_lenenc(&b->c);
}

static void read_times(struct block_cursor *b, struct journal_record *r)
{
    uint64_t delta = cursor_lenenc(&b->c);

    r->commit_ts = b->prev.commit_ts + delta;
    b->c.bad |= r->commit_ts <= b->prev.commit_ts;
}

static void read_head(struct block_cursor *b, struct journal_record *r)
{
    unsigned bits = cursor_u8(&b->c);

    r->flags = cursor_u8(&b->c);
    r->type = cursor_u8(&b->c);
    r->kind = bits & BIT_EVENT ? JOURNAL_EVENT : JOURNAL_TXN;
    b->c.bad |= (bits & ~(unsigned)ALL_BITS) != 0 || (r->flags & ~(unsigned)ALL_FLAGS) != 0;
    read_times(b, r);
    r->size = cursor_lenenc(&b->c);
    if (bits & BIT_TIME)
        r->commit_us = (int64_t)((uint64_t)unzigzag(cursor_lenenc(&b->c)) +
                                 (uint64_t)commit_ts_us(r->commit_ts));
    read_place(b, r, (bits & BIT_FOLLOWS) != 0);
    read_gtid(b, r, bits);
}

int block_next(struct block_cursor *b, struct journal_record *ret, struct slice *events,
               struct block_large *large, struct err *err)
{
    struct journal_record r = { .seq = b->next_seq };
    struct block_large l = { 0 };
    struct slice bytes = { 0 };

    if (cursor_left(&b->c) == 0)
        return 0;
    read_head(b, &r);
    if (r.flags & JOURNAL_LARGE) {
        l.n_pieces = cursor_u32(&b->c);
        l.checksum = cursor_u64(&b->c);
    }
    if (l.n_pieces == 0)
        bytes = cursor_bytes(&b->c, r.size);
    if (b->c.bad)
        return err_set(err, -EBADMSG, "damaged: record %llu is no record",
                       (unsigned long long)r.seq);
    b->next_seq++;
    advance(&b->prev, &r);
    *ret = r;
    *events = bytes;
    *large = l;
    return 1;
}
