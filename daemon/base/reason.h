/*
 * reason.h - what went wrong, as a word, for who tells errors apart without reading sentences: APIs
 * that have numbers for them (http/compat/dm/dm_error.c).
 *
 *     err_set(err, -EBUSY, "it is used by task %s", name);
 *     return err_because(err, REASON_HAS_TASKS);
 *
 * It is given where the error is made.  The first one stays: who is nearest to what happened knows
 * best.  An error that nobody asks for by name has none.
 */
#ifndef SLUICE_BASE_REASON_H
#define SLUICE_BASE_REASON_H

struct err;

enum reason {
    REASON_NONE,
    /* whose error it is */
    REASON_SOURCE,          /* of a server that is read */
    REASON_TARGET,          /* of the one that is written */
    REASON_CONNECTION,      /* of the way to a server: there is none */
    REASON_CONNECTION_LOST, /* ... or it broke */
    /* what of a document */
    REASON_NAME,
    REASON_TASK_MODE,
    REASON_SHARD_MODE,
    REASON_STRICT_SHARD_MODE,
    REASON_TIME_ZONE,
    REASON_CHECKING_ITEM,
    REASON_EVENT_FILTER,
    REASON_EXPRESSION,
    REASON_EXPRESSION_NAME,    /* a rule of one without schema or table */
    REASON_EXPRESSION_MANY,    /* ... or for several kinds of change */
    REASON_EXPRESSION_UNKNOWN, /* a source calls one that is not there */
    REASON_ROUTES,
    REASON_ALLOW_LIST,
    REASON_DUPLICATES, /* what is to be done with rows that are there */
    REASON_DUPLICATES_PHYSICAL,
    REASON_IMPORT_MODE,
    REASON_CHECKSUM,
    REASON_ANALYZE,
    REASON_FOLDER, /* none, or no path of one */
    REASON_FLAVOR,
    REASON_SESSION,
    REASON_START, /* position or time to start from */
    REASON_GTID,  /* a text that is no GTID set */
    REASON_SAME_SOURCE,
    REASON_SAFE_MODE_TIME,
    REASON_SQL_ARGUMENT, /* a statement where none goes, or none where one does */
    /* what of a task file */
    REASON_FILE_ROUTE_UNKNOWN, /* an instance calls what is not there */
    REASON_FILE_FILTER_UNKNOWN,
    REASON_FILE_LIST_UNKNOWN,
    REASON_FILE_DUMPER_UNKNOWN,
    REASON_FILE_LOADER_UNKNOWN,
    REASON_FILE_SYNCER_UNKNOWN,
    REASON_FILE_VALIDATOR_UNKNOWN,
    REASON_FILE_RULE_TWICE,     /* ... what it called already */
    REASON_FILE_RULE_UNUSED,    /* nobody calls it */
    REASON_FILE_SOURCE,         /* an instance does not say which */
    REASON_FILE_MAPPING,        /* of columns, which DM had once */
    REASON_FILE_COLLATION,      /* what is to become of collations */
    REASON_FILE_CHUNK_SIZE,     /* no size of files */
    REASON_FILE_VALIDATOR_MODE, /* how much is validated */
    /* what stands in the way */
    REASON_GTID_MODE, /* a server that does not write GTIDs */
    REASON_HAS_TASKS,
    REASON_PURGE_RUNNING,
    REASON_RELAY_EMPTY,
    REASON_RELAY_FILE,   /* a file that is not stored */
    REASON_RELAY_SOURCE, /* of a server whose binlog is not stored */
    REASON_RELAY_SWITCH, /* another server, and no GTIDs to go on by */
    REASON_START_LATE,   /* a time after all there is */
    /* in the binlog, and with DDL */
    REASON_READ_LOCK,             /* not to be had for a snapshot */
    REASON_ROW_COUNT,             /* the target has not as many as were copied */
    REASON_ROW_IMAGE,             /* columns are missing */
    REASON_STATEMENT_LOGGED,      /* rows as a statement */
    REASON_STATEMENT_UNKNOWN,     /* of a kind that cannot be repeated without knowing it */
    REASON_STATEMENT_UNSUPPORTED, /* known, but not in this mode */
    REASON_COLUMN_COUNT,          /* the rows have other columns than the table */
    REASON_NO_TABLE,              /* the target lacks it */
    REASON_ONLINE_NAMES,          /* an expression for names of online schema changes' tables */
    REASON_ONLINE_SWAP,           /* only one of two names that are swapped is known as such */
    REASON_ONLINE_RENAME,         /* a table is given such a name */
    REASON_ONLINE_RENAME_GHOST,   /* ... that had one */
    REASON_SHARD_SEQUENCE,        /* another DDL than the other shards had here */
    REASON_SHARD_DIFFERS,         /* another DDL than the one that waits */
    REASON_SHARD_NOT_DROPPED,     /* a column is added that others still have */
    REASON_SHARD_CONFLICT,        /* no table fits all shards */
    REASON_N,
};

/* "start_late"; "" for none.  And back: REASON_NONE for what is no such word. */
const char *reason_word(enum reason r);
enum reason reason_of_word(const char *word);

/* Gives the error its reason, unless it has one.  Returns its code. */
int err_because(struct err *err, enum reason r);
/* "source: ..." or "target: ...", with that as the reason. */
int err_of_source(struct err *err);
int err_of_target(struct err *err);

#ifdef __clang_analyzer__ /* see err.h */
#define err_because(err, r) ((void)(err_because)(err, r), -5)
#define err_of_source(err) ((void)(err_of_source)(err), -5)
#define err_of_target(err) ((void)(err_of_target)(err), -5)
#endif

#endif
