#include "sink/checkpoint.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"

#define ROWS_TABLE "sluice_checkpoint"
#define SERVER_FENCED 1048 /* Column 'seq' cannot be null */
#define SERVER_NO_SUCH_THREAD 1094
#define TAKEOVER_WAIT_MS 60000

/* Names are binary: tasks that differ in case are different tasks. */
static const char create_rows[] =
    " (task VARBINARY(255) NOT NULL, source VARBINARY(255) NOT NULL,"
    " part VARBINARY(64) NOT NULL,"
    " epoch BIGINT UNSIGNED NOT NULL, seq BIGINT UNSIGNED NOT NULL,"
    " sub_seq INT UNSIGNED NOT NULL, binlog_file VARBINARY(255) NOT NULL,"
    " binlog_offset BIGINT UNSIGNED NOT NULL, gtids LONGBLOB NOT NULL,"
    " source_id VARBINARY(127) NOT NULL, sessions LONGBLOB NOT NULL,"
    " changed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,"
    " PRIMARY KEY (task, source, part)) ENGINE=InnoDB";

/* `meta_schema`.`table`, quoted. */
static void checkpoint_table(const char *meta_schema, const char *table, struct buf *out)
{
    sql_ident(out, slice_str(meta_schema));
    buf_byte(out, '.');
    sql_ident(out, slice_str(table));
}

static void add_row(const struct checkpoint_key *k, struct buf *out)
{
    buf_str(out, " WHERE task=");
    sql_quote(out, slice_str(k->task));
    buf_str(out, " AND source=");
    sql_quote(out, slice_str(k->source));
    buf_str(out, " AND part=");
    sql_quote(out, slice_str(k->part));
}

static int exec(struct mysql_conn *c, const struct buf *sql, struct err *err)
{
    return mysql_conn_exec(c, slice_of(sql->data, sql->size), NULL, err);
}

int checkpoint_prepare(struct mysql_conn *c, const char *meta_schema, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    buf_str(&sql, "CREATE DATABASE IF NOT EXISTS ");
    sql_ident(&sql, slice_str(meta_schema));
    rc = exec(c, &sql, err);
    if (rc == 0) {
        buf_clear(&sql);
        buf_str(&sql, "CREATE TABLE IF NOT EXISTS ");
        checkpoint_table(meta_schema, ROWS_TABLE, &sql);
        buf_str(&sql, create_rows);
        rc = exec(c, &sql, err);
    }
    return rc < 0 ? err_wrap(err, "checkpoint tables in schema %s", meta_schema) : 0;
}

/* --- sessions --- */

/* What a session of this row locks, so that it can be told from a stranger with its number. */
static void lock_name(const struct checkpoint_key *k, uint64_t id, char ret[static 64])
{
    SCOPED(buf_fini) struct buf all = BUF_INIT;

    buf_printf(&all, "%s/%s/%s/%s", k->meta_schema, k->task, k->source, k->part);
    snprintf(ret, 64, "sluice/%016llx/%llu", (unsigned long long)XXH3_64bits(all.data, all.size),
             (unsigned long long)id);
}

int checkpoint_enlist(struct checkpoint *cp, struct mysql_conn *session, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    SCOPED(freep) char *got = NULL;
    uint64_t id = mysql_conn_id(session);
    char name[64];
    int rc;

    lock_name(&cp->key, id, name);
    rc = mysql_scalar(session, &got, err, "SELECT GET_LOCK('%s', 0)", name);
    if (rc < 0)
        return rc;
    if (got[0] != '1')
        return err_set(err, -EBUSY, "the target did not give this session its own lock %s", name);
    buf_str(&sql, "SET SESSION sql_mode='STRICT_ALL_TABLES'");
    rc = exec(session, &sql, err);
    if (rc < 0)
        return rc;
    buf_clear(&sql);
    buf_str(&sql, "UPDATE ");
    checkpoint_table(cp->key.meta_schema, ROWS_TABLE, &sql);
    buf_printf(&sql, " SET sessions=CONCAT(sessions,' %llu'),seq=IF(epoch=%llu,seq,NULL)",
               (unsigned long long)id, (unsigned long long)cp->epoch);
    add_row(&cp->key, &sql);
    return exec(session, &sql, err);
}

/* Ends session 'id' if it is still the one that wrote this row.  1 if it was there. */
static int end_session(struct mysql_conn *c, const struct checkpoint_key *k, uint64_t id,
                       struct err *err)
{
    SCOPED(freep) char *holder = NULL;
    char name[64];
    int rc;

    lock_name(k, id, name);
    rc = mysql_scalar(c, &holder, err, "SELECT IFNULL(IS_USED_LOCK('%s'), 0)", name);
    if (rc < 0)
        return rc;
    if (strtoull(holder, NULL, 10) != id)
        return 0;
    rc = mysql_conn_execf(c, err, "KILL %llu", (unsigned long long)id);
    return rc < 0 && err->sql != SERVER_NO_SUCH_THREAD ? rc : 1;
}

/* A killed session still rolls back, or ends a statement: asked again until it is gone. */
static int end_sessions(struct mysql_conn *c, const struct checkpoint_key *k, const char *sessions,
                        struct err *err)
{
    int64_t until = clock_mono_us() + (int64_t)TAKEOVER_WAIT_MS * 1000;

    assert(sessions);
    for (const char *at = sessions; *at;) {
        char *next;
        uint64_t id = strtoull(at, &next, 10);
        int rc;

        if (next == at)
            break;
        at = next;
        while ((rc = end_session(c, k, id, err)) > 0) {
            if (clock_mono_us() > until)
                return err_set(err, -ETIMEDOUT,
                               "session %llu of the former owner is still there a minute after "
                               "KILL (an ALTER rolls back?): see SHOW PROCESSLIST at the target",
                               (unsigned long long)id);
            usleep(10000);
        }
        if (rc < 0)
            return err_wrap(err, "ending session %llu of the former owner", (unsigned long long)id);
    }
    return 0;
}

/* --- taking over --- */

static int make_row(struct mysql_conn *c, const struct checkpoint_key *k, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;

    buf_str(&sql, "INSERT IGNORE INTO ");
    checkpoint_table(k->meta_schema, ROWS_TABLE, &sql);
    buf_str(&sql, " (task,source,part,epoch,seq,sub_seq,binlog_file,binlog_offset,gtids,source_id,"
                  "sessions) VALUES (");
    sql_quote(&sql, slice_str(k->task));
    buf_byte(&sql, ',');
    sql_quote(&sql, slice_str(k->source));
    buf_byte(&sql, ',');
    sql_quote(&sql, slice_str(k->part));
    buf_str(&sql, ",0,0,0,'',0,'','','')");
    return exec(c, &sql, err);
}

static char *column_text(const struct mysql_row *row, unsigned i)
{
    return xstrndup(row->values[i] ? row->values[i] : "", row->values[i] ? row->sizes[i] : 0);
}

static int read_columns(const struct mysql_row *row, enum flavor flavor, struct checkpoint *ret,
                        char **sessions, struct err *err)
{
    SCOPED(freep) char *epoch = column_text(row, 0), *seq = column_text(row, 1);
    SCOPED(freep) char *sub_seq = column_text(row, 2), *file = column_text(row, 3);
    SCOPED(freep) char *offset = column_text(row, 4), *gtids = column_text(row, 5);
    SCOPED(freep) char *source_id = column_text(row, 6);

    ret->epoch = strtoull(epoch, NULL, 10);
    ret->seq = strtoull(seq, NULL, 10);
    ret->sub_seq = (uint32_t)strtoul(sub_seq, NULL, 10);
    snprintf(ret->pos.file, sizeof ret->pos.file, "%s", file);
    ret->pos.offset = strtoull(offset, NULL, 10);
    snprintf(ret->source_id, sizeof ret->source_id, "%s", source_id);
    *sessions = column_text(row, 7);
    return gtids[0] ? gtid_set_parse(&ret->pos.gtids, flavor, gtids, err) : 0;
}

/* The row as it is, locked if 'lock'.  'ret' has its key and nothing else. */
static int read_row(struct mysql_conn *c, bool lock, enum flavor flavor, struct checkpoint *ret,
                    char **sessions, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct mysql_result *r;
    struct mysql_row row;
    int rc;

    buf_str(&sql, "SELECT epoch,seq,sub_seq,binlog_file,binlog_offset,gtids,source_id,sessions"
                  " FROM ");
    checkpoint_table(ret->key.meta_schema, ROWS_TABLE, &sql);
    add_row(&ret->key, &sql);
    if (lock)
        buf_str(&sql, " FOR UPDATE");
    rc = mysql_conn_query(c, slice_of(sql.data, sql.size), true, &r, err);
    if (rc < 0)
        return rc;
    rc = mysql_result_next(r, &row, err);
    if (rc == 0)
        rc = err_set(err, -ENOENT, "the row was deleted meanwhile");
    else if (rc > 0)
        rc = read_columns(&row, flavor, ret, sessions, err);
    mysql_result_free(r);
    return rc;
}

static int bump_epoch(struct mysql_conn *c, enum flavor flavor, struct checkpoint *ret,
                      struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    SCOPED(freep) char *sessions = NULL;
    int rc = mysql_conn_execf(c, err, "START TRANSACTION");

    if (rc == 0)
        rc = read_row(c, true, flavor, ret, &sessions, err);
    if (rc < 0)
        return rc;
    ret->epoch++;
    buf_str(&sql, "UPDATE ");
    checkpoint_table(ret->key.meta_schema, ROWS_TABLE, &sql);
    buf_printf(&sql, " SET epoch=%llu,sessions=''", (unsigned long long)ret->epoch);
    add_row(&ret->key, &sql);
    rc = exec(c, &sql, err);
    return rc < 0 ? rc : mysql_conn_execf(c, err, "COMMIT");
}

static void set_key(struct checkpoint *cp, const struct checkpoint_key *key)
{
    *cp = (struct checkpoint){ .key = { .meta_schema = xstrdup(key->meta_schema),
                                        .task = xstrdup(key->task),
                                        .source = xstrdup(key->source),
                                        .part = xstrdup(key->part) } };
}

static int take(struct mysql_conn *c, enum flavor flavor, struct checkpoint *cp, struct err *err)
{
    struct checkpoint seen = { .key = cp->key };
    SCOPED(freep) char *sessions = NULL;
    /* Only read: an open transaction of the former owner has the row locked. */
    int rc = read_row(c, false, flavor, &seen, &sessions, err);

    position_fini(&seen.pos);
    if (rc == 0)
        rc = end_sessions(c, &cp->key, sessions, err);
    else if (rc == -ENOENT)
        rc = make_row(c, &cp->key, err);
    return rc < 0 ? rc : bump_epoch(c, flavor, cp, err);
}

int checkpoint_take(struct mysql_conn *c, const struct checkpoint_key *key, enum flavor flavor,
                    struct checkpoint *ret, struct err *err)
{
    struct checkpoint cp;
    int rc = checkpoint_prepare(c, key->meta_schema, err);

    if (rc < 0)
        return rc;
    set_key(&cp, key);
    rc = take(c, flavor, &cp, err);
    if (rc < 0) {
        checkpoint_fini(&cp);
        return err_wrap(err, "checkpoint %s of task %s, source %s", key->part, key->task,
                        key->source);
    }
    *ret = cp;
    return 0;
}

void checkpoint_fini(struct checkpoint *cp)
{
    free((void *)cp->key.meta_schema);
    free((void *)cp->key.task);
    free((void *)cp->key.source);
    free((void *)cp->key.part);
    position_fini(&cp->pos);
    *cp = (struct checkpoint){ 0 };
}

bool checkpoint_has_position(const struct checkpoint *cp)
{
    return cp->pos.file[0] != '\0' || (cp->pos.gtids && !gtid_set_empty(cp->pos.gtids));
}

/* --- advancing --- */

static void add_position(const struct position *pos, struct buf *out)
{
    SCOPED(buf_fini) struct buf gtids = BUF_INIT;

    if (pos->gtids)
        gtid_set_print(pos->gtids, &gtids);
    buf_str(out, ",binlog_file=");
    sql_quote(out, slice_str(pos->file));
    buf_str(out, ",binlog_offset=");
    buf_u64_text(out, pos->offset);
    buf_str(out, ",gtids=");
    sql_quote(out, slice_of(gtids.data, gtids.size));
}

static void add_fenced(const struct checkpoint *cp, uint64_t seq, struct buf *out)
{
    buf_str(out, "UPDATE ");
    checkpoint_table(cp->key.meta_schema, ROWS_TABLE, out);
    buf_str(out, " SET seq=IF(epoch=");
    buf_u64_text(out, cp->epoch);
    buf_str(out, " AND seq=");
    buf_u64_text(out, cp->seq);
    buf_byte(out, ',');
    buf_u64_text(out, seq);
    buf_str(out, ",NULL)");
}

void checkpoint_sql(const struct checkpoint *cp, const struct position *pos, uint32_t sub_seq,
                    struct buf *out)
{
    add_fenced(cp, sub_seq ? cp->seq : cp->seq + 1, out);
    buf_str(out, ",sub_seq=");
    buf_u64_text(out, sub_seq);
    if (!sub_seq)
        add_position(pos, out);
    add_row(&cp->key, out);
    buf_byte(out, ';');
}

void checkpoint_advanced(struct checkpoint *cp, const struct position *pos, uint32_t sub_seq)
{
    cp->sub_seq = sub_seq;
    if (sub_seq)
        return;
    cp->seq++;
    if (pos != &cp->pos)
        position_copy(&cp->pos, pos);
}

void checkpoint_touch_sql(const struct checkpoint *cp, struct buf *out)
{
    buf_str(out, "UPDATE ");
    checkpoint_table(cp->key.meta_schema, ROWS_TABLE, out);
    buf_printf(out, " SET seq=IF(epoch=%llu,seq,NULL)", (unsigned long long)cp->epoch);
    add_row(&cp->key, out);
}

int checkpoint_set(struct checkpoint *cp, struct mysql_conn *session, const struct position *pos,
                   const char *source_id, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    add_fenced(cp, cp->seq + 1, &sql);
    buf_str(&sql, ",sub_seq=0,source_id=");
    sql_quote(&sql, slice_str(source_id));
    add_position(pos, &sql);
    add_row(&cp->key, &sql);
    rc = exec(session, &sql, err);
    if (rc < 0)
        return rc;
    checkpoint_advanced(cp, pos, 0);
    snprintf(cp->source_id, sizeof cp->source_id, "%s", source_id);
    return 0;
}

int checkpoint_rehome(struct checkpoint *cp, struct mysql_conn *session, const char *source_id,
                      struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    add_fenced(cp, cp->seq, &sql);
    buf_str(&sql, ",binlog_file='',binlog_offset=0,source_id=");
    sql_quote(&sql, slice_str(source_id));
    add_row(&cp->key, &sql);
    rc = exec(session, &sql, err);
    if (rc < 0)
        return rc;
    cp->pos.file[0] = '\0';
    cp->pos.offset = 0;
    snprintf(cp->source_id, sizeof cp->source_id, "%s", source_id);
    return 0;
}

void checkpoint_owned_sql(const struct checkpoint *cp, struct buf *out)
{
    buf_str(out, "((SELECT epoch FROM ");
    checkpoint_table(cp->key.meta_schema, ROWS_TABLE, out);
    add_row(&cp->key, out);
    buf_printf(out, " LOCK IN SHARE MODE)=%llu)", (unsigned long long)cp->epoch);
}

bool checkpoint_fenced(const struct err *err)
{
    return err->sql == SERVER_FENCED;
}

/* --- the end --- */

static int forget_part(struct mysql_conn *c, const struct checkpoint_key *key, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct checkpoint cp = { .key = *key };
    SCOPED(freep) char *sessions = NULL;
    int rc = read_row(c, false, FLAVOR_MYSQL, &cp, &sessions, err);

    position_fini(&cp.pos);
    if (rc == -EINVAL) { /* a set of the other flavour: its sessions were read before it */
        *err = ERR_INIT;
        rc = 0;
    }
    if (rc == 0)
        rc = end_sessions(c, key, sessions, err);
    if (rc < 0)
        return rc == -ENOENT ? 0 : rc;
    buf_str(&sql, "DELETE FROM ");
    checkpoint_table(key->meta_schema, ROWS_TABLE, &sql);
    add_row(key, &sql);
    return exec(c, &sql, err);
}

int checkpoint_forget(struct mysql_conn *c, const char *meta_schema, const char *task,
                      const char *source, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct mysql_result *r;
    struct mysql_row row;
    int rc = checkpoint_prepare(c, meta_schema, err);

    if (rc < 0)
        return rc;
    buf_str(&sql, "SELECT source,part FROM ");
    checkpoint_table(meta_schema, ROWS_TABLE, &sql);
    buf_str(&sql, " WHERE task=");
    sql_quote(&sql, slice_str(task));
    if (source) {
        buf_str(&sql, " AND source=");
        sql_quote(&sql, slice_str(source));
    }
    rc = mysql_conn_query(c, slice_of(sql.data, sql.size), true, &r, err);
    if (rc < 0)
        return rc;
    while ((rc = mysql_result_next(r, &row, err)) > 0) {
        SCOPED(freep) char *of = column_text(&row, 0), *part = column_text(&row, 1);
        struct checkpoint_key key = { meta_schema, task, of, part };

        rc = forget_part(c, &key, err);
        if (rc < 0)
            break;
    }
    mysql_result_free(r);
    return rc;
}
