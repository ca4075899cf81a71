/*
 * server.h - what a server says of itself: who it is, how it is set up, where
 * its binlog ends and begins, and how long it keeps it.
 */
#ifndef SLUICE_MYSQL_SERVER_H
#define SLUICE_MYSQL_SERVER_H

#include "binlog/position.h"
#include "mysql/conn.h"

/* Variables; NULL or 0 for what the server does not have. */
struct server_info {
    enum flavor flavor;
    unsigned version;
    char *version_text;
    char *uuid;      /* MySQL */
    char *host_name; /* as the server calls its machine */
    uint32_t server_id;
    uint32_t domain_id; /* MariaDB */
    bool log_bin, gtid;
    char *binlog_format, *row_image, *row_metadata;
    char *time_zone, *sql_mode, *collation;
    unsigned lower_case_table_names;
    bool local_infile, read_only, event_scheduler;
    bool log_updates;  /* a replica logs what it applies */
    bool requires_key; /* tables without a primary key are refused */
    bool galera, group_replication;
    uint64_t max_packet, max_connections, n_connections;
    uint64_t max_transaction; /* bytes; Galera's and Group Replication's limit; 0: none */
    uint64_t binlog_cache;    /* max_binlog_cache_size */
    double clock_skew_s;      /* its clock minus ours, half the round trip allowed for */
};

int server_read(struct mysql_conn *c, struct server_info *ret, struct err *err);
void server_info_fini(struct server_info *i);

/* 'user'@'host' that the connection counts as, quoted for a GRANT; caller frees. */
char *server_account(struct mysql_conn *c);

/* The end of its binlog: file, offset and GTID set, of one moment.  -ENODATA if it keeps no
 * binlog, -EACCES without the right (the sentence has the GRANT). */
int server_position(struct mysql_conn *c, struct position *ret, struct err *err);
/* File and offset alone, without a set.  As above. */
int server_end(struct mysql_conn *c, struct position *ret, struct err *err);
/* MariaDB: the GTID set at a place of its binlog.  -ENODATA if that place is not there. */
int server_gtid_at(struct mysql_conn *c, const char *file, uint64_t offset, struct gtid_set **ret,
                   struct err *err);

struct binlog_file {
    char *name;
    uint64_t size;
};

struct binlog_files {
    unsigned n;
    struct binlog_file *files; /* the oldest first */
};

int server_binlogs(struct mysql_conn *c, struct binlog_files *ret, struct err *err);
void binlog_files_fini(struct binlog_files *f);

/* Can a dump start at 'pos' still?  0, -ENODATA if what is needed was purged, -ERANGE if it is
 * beyond the end; the sentence says which. */
int server_has_position(struct mysql_conn *c, const struct position *pos, bool by_gtid,
                        struct err *err);

/* How it purges its binlog. */
struct binlog_keeping {
    uint64_t expire_s;    /* 0: never by age */
    uint64_t space_limit; /* 0: never by size */
};
int server_keeping(struct mysql_conn *c, struct binlog_keeping *ret, struct err *err);

/* The moment a binlog file was begun, in wall us: when the one before it was closed.  Opens a dump
 * of its own, which ends at once. */
int server_binlog_begun(const struct mysql_params *p, const char *file, int64_t *ret,
                        struct err *err);

/*
 * Seconds until a server purges the binlog file 'needed', or -1 for "not in
 * sight".  Pure.  A file goes when its last change is older than expire_s, or
 * when all files together are over space_limit; servers look when they rotate
 * or start, so this is the earliest moment, not the certain one.
 */
struct runway {
    const struct binlog_files *files;
    const char *needed; /* a file of 'files'; the current one is never purged */
    int64_t closed_us;  /* wall time at which 'needed' was closed; 0 if it is current */
    int64_t now_us;     /* wall time */
    struct binlog_keeping keep;
    double growth_bytes_s; /* 0: not known or idle */
};
double server_runway(const struct runway *r);
/* Is it under 'limit_s', and under half of what who needs the newest file has?  So a server that
 * never keeps its binlogs for long does not alarm who is up with it. */
bool server_runway_short(const struct runway *r, double limit_s);

#endif
