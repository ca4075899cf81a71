/* precheck_dm.c - what DM left at the target of a task of the same name: unit/dm_left.h. */
#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/dm_left.h"
#include "unit/job.h"
#include "unit/precheck/precheck_priv.h"

static void say_position(const struct position *at, struct buf *out)
{
    if (at->file[0])
        buf_printf(out, "%s:%llu", at->file, (unsigned long long)at->offset);
    if (at->file[0] && at->gtids)
        buf_str(out, ", ");
    if (at->gtids)
        gtid_set_print(at->gtids, out);
}

/* As a start from a position; a task that copies does not copy. */
static void goes_on(struct precheck *p, const struct dm_left *left)
{
    SCOPED(buf_fini) struct buf at = BUF_INIT;

    say_position(&left->at, &at);
    precheck_add(p, PRECHECK_OK, "takeover", NULL,
                 "DM has been here: %ssync goes on from its checkpoint, %s",
                 p->scope.dump ? "its copy is taken over, and " : "", at.data);
    p->scope.dump = p->scope.load = false;
    p->behind = true;
    precheck_start_line(p, &left->at);
}

static void say_unfinished(struct precheck *p)
{
    SCOPED(freep) char *table = dm_left_table(p->job, "lightning_checkpoint_list");
    SCOPED(freep) char *older = dm_left_table(p->job, "loader_checkpoint");
    SCOPED(buf_fini) struct buf fix = BUF_INIT;

    sql_add(&fix,
            "to copy from the beginning, TRUNCATE the tables of the task at the target, and type "
            "there: DROP TABLE IF EXISTS %i.%i, %i.%i",
            p->job->meta_schema, table, p->job->meta_schema, older);
    precheck_add(p, PRECHECK_FAIL, "takeover", fix.data,
                 "DM's load of this source is not finished, and what is left of its dump is with "
                 "DM: it cannot be gone on with");
}

/* The load is, but where its dump was is only known to a file of DM's. */
static void say_no_position(struct precheck *p)
{
    precheck_add(p, PRECHECK_FAIL, "takeover",
                 "task_mode incremental with binlog_name and binlog_pos, or binlog_gtid, of the "
                 "file 'metadata' of DM's dump in source_conf",
                 "DM has finished its load of this source, but its sync has no checkpoint yet");
}

static void say_load(struct precheck *p, enum dm_load load)
{
    if (load == DM_LOAD_UNFINISHED) {
        say_unfinished(p);
    } else if (load == DM_LOAD_FINISHED && p->scope.sync) {
        say_no_position(p);
    } else if (load == DM_LOAD_FINISHED) {
        precheck_add(p, PRECHECK_OK, "takeover", NULL,
                     "DM has finished its load of this source: there is nothing to copy");
        p->scope.dump = p->scope.load = false;
        p->behind = true;
    }
}

void precheck_dm_lines(struct precheck *p)
{
    struct err err = ERR_INIT;
    struct dm_left left;

    if (p->scope.again || p->job->start_us)
        return;
    if (dm_left_read(p->to.conn, p->job, p->from.info.flavor, &left, &err) < 0) {
        precheck_add(p, PRECHECK_FAIL, "takeover", NULL, "%s", err.text);
        return;
    }
    if (left.sync && p->scope.sync)
        goes_on(p, &left);
    else if (p->scope.dump)
        say_load(p, left.load);
    if (left.n_online)
        precheck_add(p, PRECHECK_WARN, "takeover",
                     "wait until it has ended, with DM, or end it at the source",
                     "%u online schema changes were under way: what DM had put by of them is not "
                     "taken over",
                     left.n_online);
    dm_left_fini(&left);
}
