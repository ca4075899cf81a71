/*
 * source_probe.h - what is known of a source's server, and how it is found out.
 *
 * A probe keeps one connection and is asked again and again by one thread;
 * each call takes seconds at most.  What it found is a value that the source
 * publishes under its lock.
 */
#ifndef SLUICE_UNIT_SOURCE_PROBE_H
#define SLUICE_UNIT_SOURCE_PROBE_H

#include <jansson.h>
#include <stdbool.h>

#include "mysql/conn.h"

#define PROBE_CONNECT_S 5
#define PROBE_IO_S 10

/* All texts are owned, NULL while not known. */
struct source_seen {
    int64_t contact_us; /* wall; 0: never */
    char *version, *uuid;
    uint32_t server_id;
    bool folds_case; /* lower_case_table_names is not 0 */
    char *position;  /* "bin.000003:1234" */
    char *gtid;
    char *earliest;  /* oldest binlog file */
    char *needed;    /* oldest binlog file that a task needs */
    bool purged;     /* ... and the server no longer has it */
    double runway_s; /* -1: none in sight, or nobody needs anything */
    bool runway_short;
    double skew_s;
    double growth_bytes_s;
    uint64_t binlog_bytes;
};

void source_seen_fini(struct source_seen *s);

struct source_probe;

struct source_probe *source_probe_new(void);
void source_probe_free(struct source_probe *p);
/* The next run connects anew.  The thread that runs it. */
void source_probe_reset(struct source_probe *p);
/* 'users' is what sources_on_users() gives.  '*ret' is all that is known, also when the binlog
 * cannot be read. */
int source_probe_run(struct source_probe *p, const struct mysql_params *params, const json_t *users,
                     struct source_seen *ret, struct err *err);
/* Any thread: makes a run that waits return soon. */
void source_probe_cancel(struct source_probe *p);

#endif
