/* rocksdb_gate.c - who is inside, and how it is opened anew when nobody is. */
#include <errno.h>

#include "base/clock.h"
#include "store/disk_guard.h"
#include "store/rocksdb_priv.h"

#define GATE_TIMEOUT_US INT64_C(5000000)

int rocks_not_open(struct err *err)
{
    return err_set(err, -EIO, "store: it could not be opened again after the disk failed");
}

void rocks_leave(struct store_rocksdb *r)
{
    mutex_lock(&r->gate);
    r->n_users--;
    if (r->closed)
        cond_broadcast(&r->gate_moved);
    mutex_unlock(&r->gate);
}

void rocks_enter(struct store_rocksdb *r)
{
    mutex_lock(&r->gate);
    while (r->closed)
        cond_wait(&r->gate_moved, &r->gate, -1);
    r->n_users++;
    mutex_unlock(&r->gate);
}

/* Closes the gate and waits until all are out; not for ever, since who keeps an iterator may be
 * waiting for us. */
static bool close_gate(struct store_rocksdb *r)
{
    int64_t until = clock_mono_us() + GATE_TIMEOUT_US;
    bool alone;

    mutex_lock(&r->gate);
    r->closed = true;
    while (r->n_users > 0 && clock_mono_us() < until)
        cond_wait(&r->gate_moved, &r->gate, 100);
    alone = r->n_users == 0;
    mutex_unlock(&r->gate);
    return alone;
}

static void open_gate(struct store_rocksdb *r, bool works)
{
    mutex_lock(&r->gate);
    r->closed = false;
    r->broken = !works;
    cond_broadcast(&r->gate_moved);
    mutex_unlock(&r->gate);
}

/* RocksDB's C API has no Resume(). */
static int open_anew(struct store_rocksdb *r, struct err *err)
{
    int rc;

    if (!close_gate(r)) {
        open_gate(r, false);
        return err_set(err, -EIO,
                       "store: busy readers keep it from being opened again after the "
                       "disk failed");
    }
    rocks_close_database(r);
    rc = rocks_open_database(r, err);
    if (rc < 0)
        rocks_close_database(r);
    open_gate(r, rc == 0);
    return rc;
}

int rocks_mend(struct store_rocksdb *r, struct err *err)
{
    bool broken;

    mutex_lock(&r->gate);
    while (r->closed)
        cond_wait(&r->gate_moved, &r->gate, -1);
    broken = r->broken;
    if (broken)
        r->closed = true;
    mutex_unlock(&r->gate);
    return broken ? open_anew(r, err) : 0;
}

void rocks_breaks(struct store_rocksdb *r, int code)
{
    struct disk_guard *g;

    mutex_lock(&r->gate);
    r->broken = true;
    g = r->guard;
    mutex_unlock(&r->gate);
    if (g && code == -ENOSPC)
        disk_guard_was_full(g);
}
