#include "unit/drain/drain_target.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "mysql/dialect.h"
#include "mysql/quote.h"
#include "unit/drain/drain_feed.h"
#include "unit/server_doc.h"

static void publish(struct drainer *d, struct drain_feed *feed, struct conn_set *conns)
{
    mutex_lock(&d->sync.unit.lock);
    d->feed = feed;
    d->conns = conns;
    mutex_unlock(&d->sync.unit.lock);
}

int drain_target_open(struct drain_target *t, struct drainer *d, const json_t *doc, struct err *err)
{
    struct job *j = &t->job;
    const char *mode;
    int rc;

    conn_set_init(&j->conns);
    t->doc = json_deep_copy(doc);
    t->task = xasprintf("drainers/%s", d->reg.name);
    j->task = t->task;
    j->source = "pumps";
    j->path = t->task;
    j->store = d->reg.config.store;
    j->data_dir = d->reg.config.data_dir;
    j->meta_schema = json_string_value(doc_at(t->doc, "to.meta_schema"));
    j->apply_mode = APPLY_MERGED;
    j->apply_batch = (unsigned)json_integer_value(doc_at(t->doc, "txn_batch"));
    j->on_error = ON_ERROR_STOP;
    mode = json_string_value(doc_at(t->doc, "syncer.sql_mode"));
    j->sql_mode = mode && *mode ? mode : NULL;
    j->safe_mode = json_is_true(doc_at(t->doc, "syncer.safe_mode"));
    publish(d, NULL, &j->conns);
    rc = drain_filter_new(t->doc, &t->filter, err);
    if (rc < 0)
        return rc;
    j->router = drain_filter_router(t->filter);
    j->filter = drain_filter_changes(t->filter);
    j->to.set = &j->conns;
    return server_doc_params(doc_at(t->doc, "to"), &j->to, err) < 0 ? err_wrap(err, "to") : 0;
}

void drain_target_close(struct drain_target *t, struct drainer *d)
{
    publish(d, NULL, NULL);
    mysql_params_fini(&t->job.to);
    conn_set_fini(&t->job.conns);
    drain_filter_free(t->filter);
    json_decref(t->doc);
    free(t->task);
}

void drain_target_feed(struct drain_target *t, struct drainer *d, struct drain_feed *feed)
{
    publish(d, feed, &t->job.conns);
}

bool drain_target_cascades(const struct event_format *fmt)
{
    unsigned version = mysql_version_of_text(fmt->server_version);

    return dialect_find(fmt->flavor, version)->logs_cascades;
}

/* --- marks --- */

int drain_target_marks(struct mysql_conn *c, struct err *err)
{
    int rc = mysql_conn_execf(c, err, "CREATE DATABASE IF NOT EXISTS " DRAIN_MARK_SCHEMA);

    if (rc < 0)
        return err_wrap(err, "the mark table");
    rc = mysql_conn_execf(c, err,
                          "CREATE TABLE IF NOT EXISTS " DRAIN_MARK_SCHEMA "." DRAIN_MARK_TABLE
                          " (id BIGINT NOT NULL, channel_id BIGINT NOT NULL DEFAULT 0,"
                          " val BIGINT DEFAULT 0, channel_info VARCHAR(64),"
                          " PRIMARY KEY (id, channel_id))");
    return rc < 0 ? err_wrap(err, "the mark table") : 0;
}

void drain_target_mark_sql(uint64_t channel, struct buf *out)
{
    sql_add(out,
            "INSERT INTO %i.%i (id,channel_id,val,channel_info) VALUES (0,%u,1,'sluice')"
            " ON DUPLICATE KEY UPDATE val=val+1",
            DRAIN_MARK_SCHEMA, DRAIN_MARK_TABLE, channel);
}
