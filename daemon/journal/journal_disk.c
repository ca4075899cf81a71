/*
 * The disk thread: takes what waits as one group, makes one batch of it with its part of the
 * index and the new head, and commits it synced, while the writer builds the next group.
 *
 * A group that failed stays whole and is tried again when the writer, which was told, comes back.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>
#ifdef __x86_64__
#include <xxh_x86dispatch.h> /* the same sums with the vectors that this machine has */
#endif

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal_impl.h"
#include "store/key.h"

#define MEASURE_EVERY_US INT64_C(3000000)

/* What the head will be once the group is on disk. */
struct plan {
    struct journal *j;
    struct store_batch *batch;
    struct head head;
    struct stretch stretch;
    struct gtid_set *gtids;
    struct gtid *fresh; /* what the group adds to them */
    size_t n_fresh, cap;
    bool replaced;           /* they are another set now */
    struct gtid_set *purged; /* the journal was empty: what was known then came before it */
    uint64_t first_seq, first_ts;
    int64_t measured_us;
    struct buf key, block;
};

void item_free(struct item *i)
{
    if (!i)
        return;
    journal_file_fini(&i->file);
    gtid_set_free(i->gtids);
    free(i);
}

void journal_enqueue(struct journal *j, struct item *i)
{
    *j->queue.last = i;
    j->queue.last = &i->next;
    if (i->block)
        j->queue.size += i->block->size;
    if (!j->busy)
        cond_signal(&j->work);
}

void journal_seal(struct journal *j)
{
    struct item *i;

    if (!j->open)
        return;
    i = xcalloc(1, sizeof *i);
    *i = (struct item){ .kind = ITEM_BLOCK, .block = j->open };
    j->open = NULL;
    journal_enqueue(j, i);
}

void journal_flush_open(struct journal *j)
{
    j->flush = true;
    if (!j->busy)
        cond_signal(&j->work);
}

void journal_wake_written(struct journal *j)
{
    if (j->n_written)
        cond_broadcast(&j->written);
}

void journal_wake_durable(struct journal *j)
{
    if (j->n_durable)
        cond_broadcast(&j->durable);
}

/* --- planning --- */

static void end_stretch(struct plan *p)
{
    if (p->stretch.n == 0)
        return;
    put_stretch(p->batch, p->j->name, &p->stretch);
    stretch_clear(&p->stretch);
}

static void add_state(struct plan *p)
{
    put_state(p->batch, p->j->name, p->head.next_seq, p->gtids);
    p->head.state_seq = p->head.next_seq;
    if (p->head.next_seq == p->first_seq) {
        gtid_set_free(p->purged);
        p->purged = gtid_set_copy(p->gtids);
    }
}

static void add_gtid(struct plan *p, const struct gtid *g)
{
    if (!p->gtids || g->number == 0)
        return;
    GROW(p->fresh, p->n_fresh, p->cap);
    p->fresh[p->n_fresh++] = *g;
    gtid_set_add(p->gtids, g);
}

static void add_record(struct plan *p, const struct journal_record *r)
{
    stretch_add(&p->stretch, r);
    if (r->seq == p->first_seq)
        p->first_ts = r->commit_ts;
    add_gtid(p, &r->gtid);
    p->head.next_seq = r->seq + 1;
    p->head.commit_ts = r->commit_ts;
    p->head.offset = r->to;
    p->head.bytes += r->size;
}

void journal_put_piece(const struct journal *j, struct store_batch *b, uint64_t seq,
                       struct slice bytes, struct block_large *l)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;

    key_block(&key, j->name, seq, ++l->n_pieces);
    checked_begin(&value);
    buf_add(&value, bytes.data, bytes.size);
    l->checksum = checked_chain(l->checksum, checked_finish(&value, key_slice(&key)));
    store_batch_put(b, j->blocks, key_slice(&key), key_slice(&value));
}

static void put_block(struct plan *p, uint8_t *bytes, size_t size, uint64_t seq, uint32_t n)
{
    key_block(&p->key, p->j->name, seq, KEY_WHOLE);
    block_finish(bytes, size, n, key_slice(&p->key));
    store_batch_put(p->batch, p->j->blocks, key_slice(&p->key), slice_of(bytes, size));
}

/* A record that is whole in memory goes to the disk in pieces, and without its events. */
static void put_large(struct plan *p, const struct journal_record *r, struct slice events)
{
    static const uint8_t head[BLOCK_HEAD_SIZE];
    struct block_large large = { 0 };
    struct journal_record none = { 0 };

    for (size_t done = 0, size; done < events.size; done += size) {
        size = events.size - done < BLOCK_SIZE ? events.size - done : BLOCK_SIZE;
        journal_put_piece(p->j, p->batch, r->seq, slice_of(events.data + done, size), &large);
    }
    buf_clear(&p->block);
    buf_add(&p->block, head, sizeof head);
    block_add(&p->block, &none, r, &large);
    put_block(p, (uint8_t *)p->block.data, p->block.size, r->seq, 1);
}

static void add_block(struct plan *p, struct block *b)
{
    struct slice bytes = slice_of(b->bytes->data, b->size), events = { 0 }, tail = { 0 };
    struct journal_record r;
    struct block_cursor at;
    struct block_large large;
    struct err none = ERR_INIT;
    int rc;

    if (p->head.next_seq - p->head.state_seq >= STATE_EVERY)
        add_state(p);
    block_begin(&at, bytes, b->first_seq);
    while ((rc = block_next(&at, &r, &events, &large, &none)) > 0) {
        add_record(p, &r);
        histogram_observe(&p->j->stats.record_bytes, (int64_t)r.size);
        tail = large.n_pieces ? slice_of(NULL, 0) : events;
        p->head.tail_hash = large.checksum;
    }
    assert(rc == 0 && p->head.next_seq == b->first_seq + b->n); /* we wrote it */
    if (tail.data)
        p->head.tail_hash = XXH3_64bits(tail.data, tail.size);
    if (b->large)
        put_large(p, &r, events);
    else
        put_block(p, b->bytes->data, b->size, b->first_seq, b->n);
    if (stretch_full(&p->stretch))
        end_stretch(p); /* never inside of a block: GC deletes whole blocks */
}

static void add_file(struct plan *p, struct journal_file *f)
{
    end_stretch(p);
    if (p->head.file[0])
        put_file_end(p->batch, p->j->name, p->head.incarnation, p->head.file_no, p->head.offset);
    if (!p->gtids && f->at_from) {
        p->gtids = gtid_set_copy(f->at_from);
        p->replaced = true;
    }
    f->first_seq = p->head.next_seq;
    f->incarnation = p->head.incarnation;
    put_file(p->batch, p->j->name, f);
    add_state(p);
    memcpy(p->head.file, f->name, sizeof p->head.file);
    p->head.file_no = f->no;
    p->head.offset = f->from;
}

static void add_incarnation(struct plan *p, const struct item *i)
{
    end_stretch(p);
    if (p->head.file[0])
        put_file_end(p->batch, p->j->name, p->head.incarnation, p->head.file_no, p->head.offset);
    p->head.incarnation++;
    memcpy(p->head.source_id, i->source_id, sizeof p->head.source_id);
    p->head.file[0] = '\0';
    p->head.file_no = 0;
    p->head.offset = 0;
    gtid_set_free(p->gtids);
    p->gtids = gtid_set_copy(i->gtids);
    p->replaced = true;
    add_state(p);
}

static void add_item(struct plan *p, struct item *i)
{
    switch (i->kind) {
    case ITEM_BLOCK:
        add_block(p, i->block);
        break;
    case ITEM_FILE:
        add_file(p, &i->file);
        break;
    case ITEM_INCARNATION:
        add_incarnation(p, i);
        break;
    case ITEM_FLOOR:
        p->head.floor = i->floor > p->head.floor ? i->floor : p->head.floor;
        break;
    }
}

static int commit_group(struct plan *p, struct err *err)
{
    int64_t began_us = clock_mono_us();
    int rc = store_batch_commit(p->j->store, p->batch, true, err);

    if (rc == 0)
        histogram_observe(&p->j->stats.sync_us, clock_mono_us() - began_us);
    return rc;
}

static int write_group(struct plan *p, struct item *group, struct err *err)
{
    struct journal_stats *stats = &p->j->stats;
    int64_t began_us = clock_mono_us();
    size_t size = 0;
    int rc;

    if (store_room(p->j->store, err) < 0)
        return err->code;
    for (struct item *i = group; i; i = i->next) {
        add_item(p, i);
        size += i->block ? i->block->size : 0;
    }
    put_head(p->batch, p->j->name, &p->head);
    rc = commit_group(p, err);
    if (rc == 0 && size) {
        histogram_observe(&stats->group_us, clock_mono_us() - began_us);
        histogram_observe(&stats->group_bytes, (int64_t)size);
    }
    return rc;
}

/* Those of a block became durable together. */
static void note_records(struct journal *j, const struct item *group)
{
    int64_t now_us = clock_mono_us();

    for (const struct item *i = group; i; i = i->next)
        if (i->block)
            histogram_observe_n(&j->stats.record_us, now_us - i->block->born_us, i->block->n);
}

/* --- the thread --- */

/* What the next group is: a bounded run of the queue; waits for it.  NULL: it is time to end. */
static struct item *take_group(struct journal *j)
{
    struct item *group, **last;
    size_t size = 0;

    mutex_lock(&j->lock);
    j->busy = false;
    while ((j->failed || (!j->queue.first && !(j->flush && j->open))) && !j->ending)
        cond_wait(&j->work, &j->lock, -1);
    if ((j->flush || j->ending) && !j->queue.first)
        journal_seal(j);
    if (!j->queue.first)
        j->flush = false;
    group = j->queue.first;
    for (last = &group; *last && size < GROUP_SIZE; last = &(*last)->next)
        size += (*last)->block ? (*last)->block->size : 0;
    j->queue.first = *last;
    *last = NULL;
    if (!j->queue.first)
        j->queue.last = &j->queue.first;
    j->busy = true;
    mutex_unlock(&j->lock);
    return group;
}

static void begin_plan(struct plan *p)
{
    struct journal *j = p->j;

    mutex_lock(&j->lock);
    p->head = j->head;
    p->first_seq = j->first.seq;
    stretch_copy(&p->stretch, &j->stretch);
    mutex_unlock(&j->lock);
    p->replaced = false;
    p->first_ts = 0;
    p->n_fresh = 0;
}

/* The set that others see follows. */
static void publish_gtids(struct journal *j, const struct plan *p, struct gtid_set **whole)
    REQUIRES(j->lock)
{
    struct gtid_set *was = j->gtids;

    if (p->replaced) {
        j->gtids = *whole;
        *whole = was;
        return;
    }
    for (size_t i = 0; i < p->n_fresh; i++)
        gtid_set_add(j->gtids, &p->fresh[i]);
}

static void publish(struct plan *p, struct item *group)
{
    struct journal *j = p->j;
    struct gtid_set *whole = p->replaced ? gtid_set_copy(p->gtids) : NULL;
    struct gtid_set *purged = STEAL(p->purged);

    mutex_lock(&j->lock);
    for (struct item *i = group; i; i = i->next)
        j->queue.size -= i->block ? i->block->size : 0;
    if (purged) {
        struct gtid_set *was = j->purged;

        j->purged = purged;
        purged = was;
    }
    if (p->first_ts)
        j->first_ts = p->first_ts;
    publish_gtids(j, p, &whole);
    j->head = p->head;
    stretch_copy(&j->stretch, &p->stretch);
    tail_evict(&j->tail, p->head.next_seq);
    journal_wake_durable(j);
    cond_signal(&j->room);
    mutex_unlock(&j->lock);
    gtid_set_free(whole);
    gtid_set_free(purged);
}

/* The group goes back to where it was. */
static void put_back(struct plan *p, struct item *group, const struct err *why)
{
    struct journal *j = p->j;
    struct item *last = group;

    while (last->next)
        last = last->next;
    store_batch_free(p->batch);
    p->batch = store_batch_new();
    gtid_set_free(p->gtids);
    gtid_set_free(STEAL(p->purged));
    mutex_lock(&j->lock);
    last->next = j->queue.first;
    if (!j->queue.first)
        j->queue.last = &last->next;
    j->queue.first = group;
    p->gtids = gtid_set_copy(j->gtids);
    j->failed = true;
    j->reported = false;
    j->failure = *why;
    cond_signal(&j->room);
    journal_wake_durable(j);
    mutex_unlock(&j->lock);
}

static void measure(struct plan *p)
{
    int64_t now = clock_mono_us();

    if (now - p->measured_us < MEASURE_EVERY_US)
        return;
    p->measured_us = now;
    journal_measure(p->j);
}

static bool gave_up(struct journal *j)
{
    bool failed;

    mutex_lock(&j->lock);
    failed = j->failed && j->ending;
    mutex_unlock(&j->lock);
    return failed;
}

void *journal_disk_run(void *arg)
{
    struct plan p = { .j = arg, .batch = store_batch_new() };
    struct item *group;

    mutex_lock(&p.j->lock);
    p.gtids = gtid_set_copy(p.j->gtids);
    mutex_unlock(&p.j->lock);
    while (!gave_up(p.j) && (group = take_group(p.j)) != NULL) {
        struct err err = ERR_INIT;

        begin_plan(&p);
        if (write_group(&p, group, &err) < 0) {
            atomic_fetch_add(&p.j->stats.group_errors, 1);
            put_back(&p, group, &err);
            continue;
        }
        note_records(p.j, group); /* before others may let the blocks go */
        publish(&p, group);
        measure(&p);
        while (group) {
            struct item *next = group->next;

            item_free(group);
            group = next;
        }
    }
    store_batch_free(p.batch);
    stretch_fini(&p.stretch);
    gtid_set_free(p.gtids);
    buf_fini(&p.key);
    buf_fini(&p.block);
    free(p.fresh);
    return NULL;
}
