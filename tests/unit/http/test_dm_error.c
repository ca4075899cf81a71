#include "http/compat/dm/dm_error.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"

static void unit_is(const char *unit, enum reason reason, const char *text, unsigned code)
{
    SCOPED(json_decrefp) json_t *v = dm_error_of_unit(unit, reason, text);
    char head[16];

    snprintf(head, sizeof head, "[code=%u:", code);
    cr_expect_eq(strncmp(json_string_value(v), head, strlen(head)), 0, "%s: %s", text,
                 json_string_value(v));
    cr_expect_not_null(strstr(json_string_value(v), text));
}

/* Why units of ours stop, and the code that DM's users look for. */
Test(dm_error, knows_why_units_stop)
{
    unit_is("sync", REASON_NONE, "Duplicate entry '1' for key 'PRIMARY' (error 1062)", 10006);
    unit_is("sync", REASON_SOURCE, "source: 127.0.0.1:3306: can't read the binlog", 36069);
    unit_is("sync", REASON_CONNECTION, "Can't connect to server on '127.0.0.1' (111)", 10001);
    unit_is("sync", REASON_CONNECTION_LOST, "Lost connection to server during query", 10003);
    unit_is("sync", REASON_TARGET, "target: Access denied", 10001);
    unit_is("sync", REASON_ROW_IMAGE, "the source left a column out", 11126);
    unit_is("sync", REASON_SHARD_SEQUENCE, "detect inconsistent DDL sequence from source", 36008);
    unit_is("sync", REASON_SHARD_NOT_DROPPED, "wasn't fully dropped in downstream", 11128);
    unit_is("sync", REASON_SHARD_DIFFERS, "is different with that of source b", 38016);
    unit_is("sync", REASON_SHARD_CONFLICT, "because schema conflict detected: column a", 36062);
    unit_is("sync", REASON_STATEMENT_UNSUPPORTED, "`RENAME TABLE` statement", 36068);
    unit_is("sync", REASON_STATEMENT_UNKNOWN, "a statement of a kind not known", 36067);
    unit_is("sync", REASON_STATEMENT_LOGGED, "logged a change as a statement", 36004);
    unit_is("sync", REASON_COLUMN_COUNT, "the rows have 3 columns, the table 2", 36027);
    unit_is("sync", REASON_ONLINE_SWAP, "online ddl sql 'RENAME' invalid", 20049);
    unit_is("sync", REASON_ONLINE_RENAME, "a RENAME of a to _a_gho", 36044);
    unit_is("sync", REASON_ONLINE_RENAME_GHOST, "a RENAME of _a_gho to _b_gho", 36045);
    unit_is("sync", REASON_NO_TABLE, "the target has no table d.t", 36070);
    unit_is("dump", REASON_NONE, "permission denied", 32001);
    unit_is("dump", REASON_READ_LOCK, "Lock wait timeout exceeded", 32004);
    unit_is("dump", REASON_TARGET, "Duplicate entry '1' for key 'v'", 34019);
    unit_is("dump", REASON_ROW_COUNT, "3 rows were copied, the target has 4", 34021);
    unit_is("load", REASON_NONE, "Duplicate entry '1' for key 'PRIMARY'", 34019);
    unit_is("load", REASON_ROW_COUNT, "3 rows were copied, the target has 4", 34021);
    unit_is("check", REASON_TARGET, "connection: target: 127.0.0.1:1 as 'u'", 10001);
    unit_is("check", REASON_NONE, "target_table: d.t has rows", 26005);
    unit_is("source", REASON_SOURCE, "Access denied", 10001);
    unit_is("relay", REASON_NONE, "Access denied", 10001);
    unit_is("relay", REASON_CONNECTION_LOST, "Lost connection to server", 10003);
    unit_is("relay", REASON_RELAY_SWITCH, "the source is another server", 30034);
    unit_is("", REASON_NONE, "anything", 49001);
}

/* What is said is for people: a sentence that sounds like something else is of no account. */
Test(dm_error, does_not_read_sentences)
{
    unit_is("sync", REASON_NONE, "source: binlog_row_image: schema conflict detected", 10006);
    unit_is("dump", REASON_NONE, "the read lock was not granted", 32001);
}

static void step_is(enum dm_step step, int code, enum reason reason, enum dm_error want)
{
    struct err err = ERR_INIT;

    err_set(&err, code, "a sentence");
    err_because(&err, reason);
    cr_expect_eq(dm_error_at(step, &err), want, "%s: %d", reason_word(reason),
                 dm_error_at(step, &err));
}

Test(dm_error, knows_what_the_tree_refuses)
{
    step_is(DM_STEP_SOURCE_KEEP, -EEXIST, REASON_NONE, DM_SOURCE_EXIST);
    step_is(DM_STEP_SOURCE_KEEP, -EINVAL, REASON_GTID, DM_PARSE_GTID);
    step_is(DM_STEP_SOURCE_TRY, -EHOSTUNREACH, REASON_SOURCE, DM_DRIVER_UPSTREAM);
    step_is(DM_STEP_SOURCE_TRY, -EINVAL, REASON_GTID_MODE, DM_SOURCE_GTID);
    step_is(DM_STEP_SOURCE_TRY, -EINVAL, REASON_FLAVOR, DM_FLAVOR);
    step_is(DM_STEP_SOURCE_TRY, -EINVAL, REASON_GTID, DM_PARSE_GTID);
    step_is(DM_STEP_SOURCE_DROP, -EBUSY, REASON_HAS_TASKS, DM_SOURCE_HAS_TASKS);
    step_is(DM_STEP_SOURCE_DROP, -EBUSY, REASON_NONE, DM_SOURCE_HAS_RELAY);
    step_is(DM_STEP_TASK_KEEP, -EBUSY, REASON_NONE, DM_TASK_UPDATE);
    step_is(DM_STEP_TASK_KEEP, -EINVAL, REASON_TIME_ZONE, DM_TIME_ZONE);
    step_is(DM_STEP_TASK_KEEP, -EINVAL, REASON_GTID, DM_PARSE_GTID);
    step_is(DM_STEP_TASK_KEEP, -EINVAL, REASON_NONE, DM_COMMON);
    step_is(DM_STEP_TASK_CHECK, -EINVAL, REASON_TARGET, DM_DRIVER_DOWNSTREAM);
    step_is(DM_STEP_TASK_CHECK, -EINVAL, REASON_NONE, DM_CHECK_FAILED);
    step_is(DM_STEP_TASK_CHECK, -ECONNRESET, REASON_NONE, DM_LOST);
    step_is(DM_STEP_TASK_RUN, -ECONNRESET, REASON_NONE, DM_LOST);
    step_is(DM_STEP_TASK_RUN, -ERANGE, REASON_START_LATE, DM_START_TIME_LATE);
    step_is(DM_STEP_TASK_RUN, -EINVAL, REASON_SAFE_MODE_TIME, DM_SAFE_MODE_DURATION);
    step_is(DM_STEP_TABLE, -EBUSY, REASON_NONE, DM_NOT_PAUSED);
    step_is(DM_STEP_TABLE, -ENOENT, REASON_NO_TABLE, DM_NO_DOWNSTREAM_TABLE);
    step_is(DM_STEP_TABLE, -ENOENT, REASON_NONE, DM_TABLE_UNKNOWN);
    step_is(DM_STEP_TASK_CHECK, -EBUSY, REASON_NONE, DM_LATCH_IN_USE);
    step_is(DM_STEP_TASK_RUN, -EBUSY, REASON_NONE, DM_LATCH_IN_USE);
    step_is(DM_STEP_TABLE, -EINVAL, REASON_SQL_ARGUMENT, DM_COMMON);
    step_is(DM_STEP_TABLE, -EINVAL, REASON_NONE, DM_NO_CREATE_TABLE);
    step_is(DM_STEP_PURGE, -EBUSY, REASON_PURGE_RUNNING, DM_PURGE_RUNNING);
    step_is(DM_STEP_PURGE, -EBUSY, REASON_NONE, DM_PURGE_FORBIDDEN);
    step_is(DM_STEP_PURGE, -ENOENT, REASON_RELAY_EMPTY, DM_NO_RELAY_LOG);
    step_is(DM_STEP_PURGE, -ENOENT, REASON_RELAY_FILE, DM_PURGE_REQUEST);
    step_is(DM_STEP_PURGE, -ENOENT, REASON_RELAY_SOURCE, DM_RELAY_SOURCE);
    step_is(DM_STEP_PURGE, -ENOENT, REASON_NONE, DM_N_ERRORS);
    step_is(DM_STEP_OTHER, -EIO, REASON_NONE, DM_N_ERRORS);
}
