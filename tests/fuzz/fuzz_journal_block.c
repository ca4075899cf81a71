/* Blocks of the journal: any bytes decode or are refused; what decodes, made again, decodes to the
 * same records. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "journal/journal_block.h"

enum { MAX_RECORDS = 64 };

struct list {
    struct journal_record records[MAX_RECORDS];
    struct slice events[MAX_RECORDS];
    struct block_large large[MAX_RECORDS];
    uint32_t n;
};

static void read_all(struct slice block, struct list *ret)
{
    struct block_cursor c;
    struct err err = ERR_INIT;

    ret->n = 0;
    block_begin(&c, block, 7);
    while (ret->n < MAX_RECORDS && block_next(&c, &ret->records[ret->n], &ret->events[ret->n],
                                              &ret->large[ret->n], &err) > 0)
        ret->n++;
}

static void make_again(const struct list *l, struct buf *ret)
{
    struct journal_record prev = { 0 };

    for (int i = 0; i < BLOCK_HEAD_SIZE; i++)
        buf_byte(ret, 0);
    for (uint32_t i = 0; i < l->n; i++) {
        block_add(ret, &prev, &l->records[i], &l->large[i]);
        if (l->large[i].n_pieces == 0)
            buf_add(ret, l->events[i].data, l->events[i].size);
    }
    if (l->n)
        block_finish((uint8_t *)ret->data, ret->size, l->n, slice_str("key"));
}

static bool same(const struct journal_record *a, const struct journal_record *b)
{
    return a->seq == b->seq && a->commit_ts == b->commit_ts && a->commit_us == b->commit_us &&
           a->kind == b->kind && a->flags == b->flags && a->type == b->type &&
           a->incarnation == b->incarnation && a->file_no == b->file_no && a->from == b->from &&
           a->to == b->to && a->size == b->size && a->gtid.number == b->gtid.number &&
           (a->gtid.number == 0 ||
            (origin_equal(&a->gtid, &b->gtid) && a->gtid.server_id == b->gtid.server_id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct list once, again;
    SCOPED(buf_fini) struct buf made = BUF_INIT;
    struct slice block;
    struct err err = ERR_INIT;
    uint32_t n;

    read_all(slice_of(data, size), &once);
    make_again(&once, &made);
    block = slice_of(made.data, made.size);
    if (once.n) {
        int rc = block_check(block, slice_str("key"), &n, &err);

        assert(rc == 0 && n == once.n);
        rc = block_check(slice_of(data, size), slice_str("key"), &n, &err);
        assert(rc <= 0);
    }
    read_all(block, &again);
    assert(again.n == once.n);
    for (uint32_t i = 0; i < once.n; i++)
        assert(same(&once.records[i], &again.records[i]) &&
               slice_eq(once.events[i], again.events[i]));
    return 0;
}
