/*
 * precheck.h - can this work?  Asked of the servers before a task starts.
 *
 * Each line of the report says OK, or what is in the way and exactly what to
 * type to mend it, at which server.  WARN is what works but not as one might
 * think; FAIL is what would stop the task or lose something, IGNORED what was found
 * and is not to count (ignore_checking_items).  Nothing is changed anywhere, apart from the meta
 * schema's creation being tried where that is the only way to know.
 *
 * Every connection has time-outs; precheck_run() takes seconds, on the thread
 * that calls it.
 */
#ifndef SLUICE_UNIT_PRECHECK_H
#define SLUICE_UNIT_PRECHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/reason.h"
#include "mysql/conn.h"

struct buf;
struct job;

enum precheck_level { PRECHECK_OK, PRECHECK_WARN, PRECHECK_FAIL, PRECHECK_IGNORED };
extern const char *const precheck_level_names[]; /* OK WARN FAIL IGNORED */

struct precheck_line {
    enum precheck_level level;
    const char *id; /* what was looked at: "binlog_format", "grants", "table" */
    char *text;     /* what was found; owned */
    char *fix;      /* what to type; NULL if nothing helps or nothing is wrong; owned */
    enum reason reason;
};

struct precheck_report {
    unsigned n, n_warn, n_fail;
    struct precheck_line *lines;
    char **targets; /* "db.t" at the target of each table in scope, sorted */
    size_t n_targets;
    json_t
        *shards; /* by these names: the first table that becomes it (precheck_shard.h); or NULL */
};

/* What to do where tables become one. */
#define PRECHECK_MERGE_FIX                                                                   \
    "give them different names in table_migrate_rule (or, if their keys never collide: set " \
    "shard_mode, which brings their DDL together)"

/* Which stages will run. */
struct precheck_scope {
    bool dump;  /* tables are read */
    bool load;  /* and written */
    bool sync;  /* the binlog is followed */
    bool again; /* there is a checkpoint: target tables are expected to be there */
};

/* A source by itself: binlog, identity, grants.  A server that cannot be reached is a FAIL line,
 * not an error. */
int precheck_source(const struct mysql_params *source, bool by_gtid, struct precheck_report *ret,
                    struct err *err);
/* All of it: source, target, and every table in scope.  Returns 0 with a report, or an error when
 * the check itself could not go on. */
int precheck_run(const struct job *job, const struct precheck_scope *scope,
                 struct precheck_report *ret, struct err *err);

/* Adds a line to a report. */
void precheck_report_add(struct precheck_report *r, enum precheck_level level, const char *id,
                         const char *fix, const char *text);
void precheck_report_fini(struct precheck_report *r);
/* WARN and FAIL become IGNORED where one of 'words' (of ignore_checking_items; NULL: none) covers
 * them. */
void precheck_report_ignore(struct precheck_report *r, const json_t *words);
/* 0, or -EINVAL with the first line that failed. */
int precheck_report_verdict(const struct precheck_report *r, struct err *err);
/* A line each: "FAIL  binlog_format  STATEMENT: rows are needed; type at the source: SET ...". */
void precheck_report_print(const struct precheck_report *r, struct buf *out);

#endif
