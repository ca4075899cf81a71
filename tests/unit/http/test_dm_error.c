#include "http/compat/dm/dm_error.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"

static void unit_is(const char *unit, const char *text, unsigned code)
{
    SCOPED(json_decrefp) json_t *v = dm_error_of_unit(unit, text);
    char head[16];

    snprintf(head, sizeof head, "[code=%u:", code);
    cr_expect_eq(strncmp(json_string_value(v), head, strlen(head)), 0, "%s: %s", text,
                 json_string_value(v));
    cr_expect_not_null(strstr(json_string_value(v), text));
}

/* What units of ours say, and the code that DM's users look for. */
Test(dm_error, knows_what_units_say)
{
    unit_is("sync", "db.t: Duplicate entry '1' for key 'PRIMARY' (error 1062)", 10006);
    unit_is("sync", "Table 'db.t' doesn't exist (error 1146)", 10006);
    unit_is("sync", "source: 127.0.0.1:3306: can't read the binlog", 36069);
    unit_is("sync", "Can't connect to server on '127.0.0.1' (111) (error 2002)", 10001);
    unit_is("sync", "d.t: binlog_row_image is MINIMAL", 11126);
    unit_is("sync", "detect inconsistent DDL sequence from source", 36008);
    unit_is("sync", "add column a wasn't fully dropped in downstream: source s", 11128);
    unit_is("sync", "the DDL of source a `d`.`t` is different with that of source b", 38016);
    unit_is("sync", "because schema conflict detected: column a", 36062);
    unit_is("sync", "`RENAME TABLE` statement not supported in optimistic mode", 36068);
    unit_is("sync", "a statement of a kind not known touches the task: run", 36067);
    unit_is("sync", "the target has no table d.t", 36070);
    unit_is("dump", "permission denied", 32001);
    unit_is("dump", "the read lock was not granted", 32004);
    unit_is("load", "Duplicate entry '1' for key 'PRIMARY'", 34019);
    unit_is("check", "connection: target: 127.0.0.1:1 as 'u'", 10001);
    unit_is("check", "target_table: d.t has rows", 26005);
    unit_is("", "anything", 49001);
}

static void step_is(enum dm_step step, int code, const char *text, enum dm_error want)
{
    struct err err = ERR_INIT;

    err_set(&err, code, "%s", text);
    cr_expect_eq(dm_error_at(step, &err), want, "%s: %d", text, dm_error_at(step, &err));
}

Test(dm_error, knows_what_the_tree_refuses)
{
    step_is(DM_STEP_SOURCE_KEEP, -EEXIST, "s exists already", DM_SOURCE_EXIST);
    step_is(DM_STEP_SOURCE_TRY, -EHOSTUNREACH, "connection: source: no", DM_DRIVER_UPSTREAM);
    step_is(DM_STEP_TASK_KEEP, -EBUSY, "cannot change: the task is running", DM_TASK_UPDATE);
    step_is(DM_STEP_TASK_KEEP, -EINVAL, "timezone: 'x' is no time zone", DM_TIME_ZONE);
    step_is(DM_STEP_TASK_KEEP, -EINVAL, "source_config.source_conf[0]: binlog_gtid: bad",
            DM_PARSE_GTID);
    step_is(DM_STEP_TASK_KEEP, -EINVAL, "anything else", DM_COMMON);
    step_is(DM_STEP_TASK_CHECK, -EINVAL, "connection: target: no", DM_DRIVER_DOWNSTREAM);
    step_is(DM_STEP_TASK_CHECK, -EINVAL, "target_table: it has rows", DM_CHECK_FAILED);
    step_is(DM_STEP_TASK_RUN, -EINVAL, "start_time 2099 is too late: …", DM_START_TIME_LATE);
    step_is(DM_STEP_TABLE, -EBUSY, "current stage is running", DM_NOT_PAUSED);
    step_is(DM_STEP_PURGE, -EBUSY, "task t still needs it: force=true deletes it all the same",
            DM_PURGE_FORBIDDEN);
    step_is(DM_STEP_PURGE, -ENOENT, "nothing is stored", DM_NO_RELAY_LOG);
    step_is(DM_STEP_OTHER, -EIO, "disk", DM_N_ERRORS);
}
