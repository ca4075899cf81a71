/*
 * drain_sink.h - where decoded transactions go (sink/change.h): one table of functions each.
 *
 *     file    drain_sink_file.c    TiDB-Binlog's files
 *     kafka   drain_sink_kafka.c   its messages
 *     sql     drain_sink_text.c    statements, in a file
 *     mysql   drain_sink_apply.c   a server: what comes from files (reparo), and undo
 *
 * Transactions come in the order of the stream, each with its place in it.  sync() says up to
 * where they are safe; that becomes the savepoint, and what was written beyond it may come again
 * after a crash.  So a sink that can tells open()'s caller how far it really is.
 *
 * One thread.
 */
#ifndef SLUICE_UNIT_DRAIN_SINK_H
#define SLUICE_UNIT_DRAIN_SINK_H

#include "sink/change.h"
#include "unit/drain/drain_merge.h"
#include "unit/drain/drain_target.h"

struct drain_checkpoint;
struct drain_sink;

struct drain_sink_config {
    struct drainer *drainer;
    const json_t *doc;
    struct drain_target *target; /* filter, connections, names */
};

struct drain_sink_ops {
    /* '*start' is where the stream is to begin, and may be moved to where the target is. */
    int (*open)(const struct drain_sink_config *c, struct drain_place *start,
                struct drain_sink **ret, struct err *err);
    int (*write)(struct drain_sink *s, const struct change_txn *t, const struct drain_place *at,
                 struct err *err);
    /* 1: all that was written is safe; 0: not yet, *ret is the place of the last that is (ts 0:
     * none).  'wait': until all is. */
    int (*sync)(struct drain_sink *s, bool wait, struct drain_place *ret, struct err *err);
    void (*close)(struct drain_sink *s);
};

struct drain_sink {
    const struct drain_sink_ops *ops;
};

extern const struct drain_sink_ops drain_sink_file, drain_sink_kafka, drain_sink_text,
    drain_sink_apply;

/* Where streams come from, into a sink that is open. */
struct drain_run {
    struct drainer *drainer;
    const json_t *doc;
    struct drain_target target;
    struct drain_checkpoint *checkpoint; /* NULL: none is asked for */
    struct drain_sink *sink;
    struct drain_place place; /* of what was written last, or of time that passed */
    char place_lane[256];
    uint64_t stop_ts;
};

/* One transaction into the sink, counted. */
int drain_run_write(struct drain_run *r, const struct change_txn *t, const struct drain_place *at,
                    struct err *err);
void drain_run_pass(struct drain_run *r, const struct drain_place *at);
/* Now and then, and at the end ('wait'): the savepoint.  *moved: it is a newer one. */
int drain_run_save(struct drain_run *r, bool wait, bool *moved, struct err *err);

/* drain_pumps.c, drain_files.c, drain_reverse.c: until stopped, an error (<0), or the end (0). */
int drain_from_pumps(struct drain_run *r, struct err *err);
int drain_from_files(struct drain_run *r, struct err *err);
int drain_reverse(struct drain_run *r, struct err *err);
/* From pumps into another journal, byte for byte: drain_journal.c; r->sink is NULL. */
int drain_journal(struct drain_run *r, struct err *err);

#endif
