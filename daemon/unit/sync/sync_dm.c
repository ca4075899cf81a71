#include "unit/sync/sync_dm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "store/key.h"
#include "store/store.h"
#include "unit/dm_left.h"

#define TABLE "syncer_checkpoint"

/* As DM's own, but for longer names of sources. */
static const char create_rows[] =
    "CREATE TABLE IF NOT EXISTS %i.%i (id VARCHAR(255) NOT NULL, cp_schema VARCHAR(128) NOT NULL,"
    " cp_table VARCHAR(128) NOT NULL, binlog_name VARCHAR(128), binlog_pos INT UNSIGNED,"
    " binlog_gtid TEXT, exit_safe_binlog_name VARCHAR(128) DEFAULT '',"
    " exit_safe_binlog_pos INT UNSIGNED DEFAULT 0, exit_safe_binlog_gtid TEXT,"
    " table_info JSON NOT NULL, is_global BOOLEAN,"
    " create_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,"
    " update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,"
    " UNIQUE KEY uk_id_schema_table (id, cp_schema, cp_table)) CHARACTER SET utf8mb4 COLLATE "
    "utf8mb4_bin";

static bool is_absent(const struct err *err)
{
    return err->sql == 1146 || err->sql == 1049;
}

/* --- its safe mode --- */

static void safe_key(const struct job *job, struct buf *key)
{
    key_position(key, job->task, job->source, "safe_until");
}

int dm_safe_until(struct sync_run *r, const struct position *end, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(freep)
    char *text = xasprintf("%s:%llu", end->file, (unsigned long long)end->offset);

    memcpy(r->safe_to.file, end->file, sizeof r->safe_to.file);
    r->safe_to.offset = end->offset;
    safe_key(r->job, &key);
    return r->job->store ? store_put(r->job->store, STORE_CHECKPOINT, key_slice(&key),
                                     slice_str(text), true, err)
                         : 0;
}

int dm_safe_load(struct sync_run *r, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT, value = BUF_INIT;
    const char *colon;
    int rc;

    if (!r->job->store || r->safe_to.file[0])
        return 0;
    safe_key(r->job, &key);
    rc = store_get(r->job->store, STORE_CHECKPOINT, key_slice(&key), &value, err);
    if (rc < 0)
        return rc == -ENOENT ? 0 : rc;
    buf_byte(&value, '\0');
    colon = strrchr((const char *)value.data, ':');
    if (!colon)
        return 0;
    snprintf(r->safe_to.file, sizeof r->safe_to.file, "%.*s",
             (int)(colon - (const char *)value.data), (const char *)value.data);
    r->safe_to.offset = strtoull(colon + 1, NULL, 10);
    if (position_compare(&r->cp.pos, &r->safe_to) < 0)
        return 0;
    r->safe_to.file[0] = '\0';
    return store_delete(r->job->store, STORE_CHECKPOINT, key_slice(&key), true, err);
}

/* --- what we leave --- */

int dm_checkpoint_open(struct sync_run *r, struct err *err)
{
    SCOPED(freep) char *table = dm_left_table(r->job, TABLE);
    int rc;

    if (!table || r->only_aside || r->second)
        return 0;
    rc = sql_exec(r->admin, err, create_rows, r->job->meta_schema, table);
    if (rc == 0)
        r->dm_table = STEAL(table);
    if (rc == 0 || rc == -ECONNRESET || rc == -ETIMEDOUT || rc == -ECANCELED)
        return rc;
    log_warn(r->sync->unit.path, "goes on without DM's checkpoint table: %s", err->text);
    *err = ERR_INIT;
    return 0;
}

/* 'ended': nothing beyond was applied. */
static int write_row(struct sync_run *r, struct mysql_conn *c, const char *file, uint64_t offset,
                     const char *gtid, bool ended, struct err *err)
{
    return sql_exec(
        c, err,
        "INSERT INTO %i.%i (id,cp_schema,cp_table,binlog_name,binlog_pos,binlog_gtid,"
        "exit_safe_binlog_name,exit_safe_binlog_pos,exit_safe_binlog_gtid,table_info,is_global)"
        " VALUES (%q,'','',%q,%u,%q,%q,%u,%q,_utf8mb4'null',1) ON DUPLICATE KEY UPDATE"
        " binlog_name=VALUES(binlog_name),binlog_pos=VALUES(binlog_pos),"
        "binlog_gtid=VALUES(binlog_gtid),exit_safe_binlog_name=VALUES(exit_safe_binlog_name),"
        "exit_safe_binlog_pos=VALUES(exit_safe_binlog_pos),"
        "exit_safe_binlog_gtid=VALUES(exit_safe_binlog_gtid),is_global=1",
        r->job->meta_schema, r->dm_table, r->job->source, file, offset, gtid, ended ? file : "",
        ended ? offset : (uint64_t)0, ended ? gtid : "");
}

struct published {
    char *file, *gtid;
    uint64_t offset;
    char *text; /* all of it, and whether the run has ended */
};

static void published_take(struct sync *s, bool ended, struct published *p)
{
    mutex_lock(&s->unit.lock);
    p->file = xstrdup(s->binlog_file ? s->binlog_file : "");
    p->gtid = xstrdup(s->gtid ? s->gtid : "");
    p->offset = s->binlog_offset;
    mutex_unlock(&s->unit.lock);
    p->text = xasprintf("%s:%llu:%s:%d", p->file, (unsigned long long)p->offset, p->gtid, ended);
}

static void published_fini(struct published *p)
{
    free(p->file);
    free(p->gtid);
    free(p->text);
}

/* A target may be somebody's source, whose binlog grows with each write: what it has stays. */
static bool is_written(const struct sync_run *r, const struct published *p)
{
    return (!p->file[0] && !p->gtid[0]) || (r->dm_written && strcmp(r->dm_written, p->text) == 0);
}

static void write_published(struct sync_run *r, struct mysql_conn *c, const struct published *p,
                            bool ended, struct err *err)
{
    if (write_row(r, c, p->file, p->offset, p->gtid, ended, err) < 0)
        return;
    free(r->dm_written);
    r->dm_written = xstrdup(p->text);
}

void dm_checkpoint_pulse(struct sync_run *r)
{
    struct mysql_params quick = r->job->to;
    SCOPED(published_fini) struct published p = { .file = NULL };
    struct err err = ERR_INIT;
    struct mysql_conn *c;

    if (!r->dm_table || clock_mono_us() < r->dm_due_us)
        return;
    published_take(r->sync, false, &p);
    r->dm_due_us = clock_mono_us() + (int64_t)r->job->flush_s * 1000000;
    if (is_written(r, &p))
        return;
    quick.connect_timeout_s = quick.io_timeout_s = 5;
    if (mysql_conn_open(&c, &quick, &err) == 0) {
        write_published(r, c, &p, false, &err);
        mysql_conn_close(c);
    }
    if (err.code)
        log_warn(r->sync->unit.path, "DM's checkpoint was not written: %s", err.text);
}

/* In parallel some may be applied beyond. */
void dm_checkpoint_close(struct sync_run *r)
{
    SCOPED(published_fini) struct published p = { .file = NULL };
    bool ended = r->mode != &sync_parallel;
    struct err ignored = ERR_INIT;

    if (r->dm_table && r->dm_due_us) {
        published_take(r->sync, ended, &p);
        if (!is_written(r, &p))
            write_published(r, r->admin, &p, ended, &ignored);
    }
    free(r->dm_table);
    free(r->dm_written);
    r->dm_table = r->dm_written = NULL;
}

static int drop_empty(struct mysql_conn *c, const struct job *job, const char *table,
                      struct err *err)
{
    SCOPED(freep) char *some = NULL;
    int rc =
        sql_scalar(c, &some, err, "SELECT EXISTS (SELECT 1 FROM %i.%i)", job->meta_schema, table);

    if (rc == 0 && strcmp(some, "0") == 0)
        rc = sql_exec(c, err, "DROP TABLE IF EXISTS %i.%i", job->meta_schema, table);
    if (rc < 0 &&
        err->sql == 1142) { /* checkpoints need no right to drop tables: it stays, empty */
        *err = ERR_INIT;
        rc = 0;
    }
    return rc;
}

/* What DM kept of the source, whichever release it was. */
static const struct {
    const char *what, *column;
} left[] = {
    { TABLE, "id" },
    { "lightning_checkpoint_list", "source_name" },
    { "loader_checkpoint", "id" },
    { "onlineddl", "id" },
};

static int forget(struct mysql_conn *c, const struct job *job, const char *what, const char *column,
                  struct err *err)
{
    SCOPED(freep) char *table = dm_left_table(job, what);
    int rc = table ? sql_exec(c, err, "DELETE FROM %i.%i WHERE %i=%q", job->meta_schema, table,
                              column, job->source)
                   : 0;

    if (table && rc == 0)
        rc = drop_empty(c, job, table, err);
    if (rc < 0 && is_absent(err)) {
        *err = ERR_INIT;
        rc = 0;
    }
    return rc;
}

int dm_checkpoint_forget(struct mysql_conn *c, const struct job *job, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(left) && rc == 0; i++)
        rc = forget(c, job, left[i].what, left[i].column, err);
    safe_key(job, &key);
    if (rc == 0 && job->store)
        rc = store_delete(job->store, STORE_CHECKPOINT, key_slice(&key), true, err);
    return rc;
}
