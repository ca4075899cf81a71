/*
 * job.h - one source into one target, for one task: all that dump, load and
 * sync need, without the tree.  The task builds it from its document; it does
 * not change while a unit runs.
 */
#ifndef SLUICE_UNIT_JOB_H
#define SLUICE_UNIT_JOB_H

#include "binlog/position.h"
#include "mysql/conn.h"

struct router; /* route/router.h: what is in scope, and under what name */
struct store;

enum apply_mode { APPLY_MERGED, APPLY_ONE_TO_ONE, APPLY_PARALLEL };
enum on_error { ON_ERROR_STOP, ON_ERROR_QUARANTINE };

struct job {
    const char *task, *source; /* names */
    const char *path;          /* "tasks/orders/sources/s1", for the log */
    struct mysql_params from, to;
    const struct router *router;
    struct store *store;
    const char *meta_schema; /* of the checkpoint tables in the target */
    bool by_gtid;
    bool has_start; /* 'start' was given: incremental from there */
    struct position start;

    unsigned dump_threads, load_threads;
    const char *data_dir; /* dump to files / load from files; NULL streams */
    enum apply_mode apply_mode;
    unsigned apply_threads; /* parallel mode */
    unsigned apply_batch;   /* most transactions merged into one */
    enum on_error on_error;
    bool safe_mode;
    bool foreign_key_checks;
};

#endif
