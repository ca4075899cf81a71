/*
 * job.h - one source into one target, for one task: all that dump, load and
 * sync need, without the tree.  The task builds it from its document; it does
 * not change while a unit runs.
 *
 * Shared by the units of one source; each keeps a reference until its release,
 * which may be later than the task's end.
 */
#ifndef SLUICE_UNIT_JOB_H
#define SLUICE_UNIT_JOB_H

#include <jansson.h>
#include <stdatomic.h>

#include "binlog/position.h"
#include "mysql/conn.h"
#include "mysql/conn_set.h"
#include "route/shard_group.h"

struct filter; /* route/filter.h */
struct row_rule;
struct shards; /* unit/shard/shards.h: the DDL locks of a task */
struct router; /* route/router.h: what is in scope, and under what name */
struct source; /* unit/source/source.h */
struct store;

enum apply_mode { APPLY_MERGED, APPLY_ONE_TO_ONE, APPLY_PARALLEL };
enum on_error { ON_ERROR_STOP, ON_ERROR_QUARANTINE };
/* Foreign keys at the target while changes are applied: as the session at the source had it. */
enum foreign_keys { FOREIGN_KEYS_AS_SOURCE, FOREIGN_KEYS_OFF, FOREIGN_KEYS_ON };
/* What the copy does with a row whose key the target has. */
enum on_duplicate { ON_DUPLICATE_ERROR, ON_DUPLICATE_REPLACE, ON_DUPLICATE_IGNORE };
/* Where the rows of a copy stay on the way: nowhere, or in a folder, written or read. */
enum job_files { FILES_NONE, FILES_DUMP, FILES_LOAD };
/* How the connections of a copy come to see one moment. */
enum consistency { CONSISTENT_AUTO, CONSISTENT_FLUSH, CONSISTENT_LOCK, CONSISTENT_UNLOCKED };

/* More connections of one kind are never used; DM has no limit, so a larger number is no error. */
#define JOB_THREADS_MAX 64

struct job {
    const char *task, *source; /* names */
    const char *path;          /* "tasks/orders/sources/s1", for the log */
    struct mysql_params from, to;
    struct source *origin; /* whose relay may have the binlog; NULL: nobody's */
    const struct router *router;
    struct row_rule *row_rules; /* unit/row_filter_doc.h: rows that are left out */
    size_t n_row_rules;
    const struct filter *filter; /* what of their changes is left out; NULL: nothing */
    struct store *store;
    const char *meta_schema; /* of the checkpoint tables in the target */
    bool by_gtid;
    bool fold_case; /* names of the source in any letter case: as its router has it */
    bool copies;    /* a full copy comes before sync and says where sync starts */
    bool has_start; /* 'start' was given: incremental from there; else from where the source is */
    struct position start;
    int64_t start_us; /* or a time to start from, wall; 0: none */
    int64_t safe_us;  /* changes of so long from there on are applied in safe mode; <=0: none */

    unsigned dump_threads, load_threads;
    bool merges; /* other sources of the task may write to the same target tables */
    enum job_files files;
    const char *folder;   /* of the dump that is written or read; NULL if there is none */
    const char *data_dir; /* for transactions too large for memory; NULL: where the system says */
    enum apply_mode apply_mode;
    unsigned apply_threads; /* parallel mode */
    unsigned apply_batch;   /* most transactions merged into one */
    uint64_t apply_rows;    /* and none more into one with so many row changes; 0: no limit */
    enum on_error on_error;
    bool safe_mode;
    unsigned flush_s; /* between writes of DM's checkpoint table */
    enum foreign_keys foreign_keys;
    enum on_duplicate on_duplicate;
    enum consistency consistency;
    const char *time_zone; /* that the source's SYSTEM stands for, in DDL; NULL: the target's own */
    const char *sql_mode;  /* of DDL at the target instead of that at the source; NULL: that */
    unsigned max_retries;  /* of a unit, after errors that can pass */

    enum shard_mode shard_mode; /* how DDL of tables that are merged into one is brought together */
    bool shard_strict;          /* optimistic: what would wait is an error */
    struct shards *shards; /* what the sources of the task have in common; NULL: it merges none */
    const json_t *sources; /* names of all sources of the task */

    struct conn_set conns; /* every connection of its units is in it */

    /* for job.c; a job that a test fills in by hand needs none of it */
    atomic_uint refs;
    json_t *doc; /* the strings above are its */
    json_t *own_sources;
    char *own_path, *own_folder;
};

/* What the document does not say. */
struct job_source {
    const char *name;
    struct mysql_params params; /* borrowed */
    bool by_gtid;
    bool fold_case;        /* lower_case_table_names is not 0 */
    struct source *origin; /* a reference is taken; NULL: its relay is not used */
    struct shards *shards; /* likewise; NULL for tasks that are not run */
};

/* The job of one source of a complete task document.  -EINVAL; -EACCES and others when a file
 * with a password cannot be read.  One reference, the caller's; the store outlives it. */
int job_new(const json_t *doc, const struct job_source *source, struct store *store,
            struct job **ret, struct err *err);
struct job *job_ref(const struct job *j); /* the job itself stays unchanged */
void job_unref(const struct job *j);      /* NULL is fine */
/* Breaks all its connections, for good: what waits for a server returns -ECANCELED.  Any thread. */
void job_cut(const struct job *j);

#endif
