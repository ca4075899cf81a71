/* The target of a copy: what it allows, and that it is ours. */
#include <errno.h>

#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/copy/copy_engine.h"

#define BULK_MAX_BYTES (2ull << 30) /* a crash repeats the table */

/* Where one transaction cannot be large, or LOCAL is off, there is INSERT. */
static int target_probe(struct copy *c, struct err *err)
{
    bool local = false, cluster = false;
    struct mysql_result *r;
    struct mysql_row row;
    int rc = sql_query(c->target, &r, err,
                       "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('local_infile', "
                       "'wsrep_on', 'group_replication_group_name', 'max_binlog_cache_size', "
                       "'wsrep_max_ws_size', 'group_replication_transaction_size_limit')");

    if (rc < 0)
        return rc;
    c->bulk_max_bytes = BULK_MAX_BYTES;
    while ((rc = mysql_result_next(r, &row, err)) > 0) {
        struct slice name = slice_of(row.values[0], row.sizes[0]);
        struct slice value = slice_of(row.values[1], row.sizes[1]);

        if (slice_eq(name, slice_str("local_infile")))
            local = slice_eq(value, slice_str("ON"));
        else if (slice_eq(name, slice_str("wsrep_on")))
            cluster |= slice_eq(value, slice_str("ON"));
        else if (slice_eq(name, slice_str("group_replication_group_name")))
            cluster |= value.size > 0;
        else if (mysql_row_u64(&row, 1) && mysql_row_u64(&row, 1) / 2 < c->bulk_max_bytes)
            c->bulk_max_bytes = mysql_row_u64(&row, 1) / 2;
    }
    mysql_result_free(r);
    c->can_load = local && !cluster;
    c->max_packet = mysql_conn_max_packet(c->target);
    return rc;
}

/* A run that has it is ended. */
static int take(struct copy *c, struct err *err)
{
    const struct job *job = c->job;
    struct checkpoint_key key = { job->meta_schema, job->task, job->source, "load" };
    struct mysql_conn *first = NULL;
    int rc = job_link_target(&c->link, NULL, &first, err);

    if (rc == 0)
        rc = checkpoint_prepare(first, job->meta_schema, err);
    if (rc == 0)
        rc = checkpoint_take(first, &key, c->from.flavor, &c->fence, err);
    c->has_fence = rc == 0;
    job_link_close(&c->link, first);
    return rc;
}

int copy_target_open(struct copy *c, struct err *err)
{
    int rc = take(c, err);

    if (rc == 0)
        rc = job_link_target(&c->link, &c->fence, &c->target, err);
    if (rc == 0) {
        c->to = (struct server_kind){ mysql_conn_flavor(c->target), mysql_conn_version(c->target) };
        rc = target_probe(c, err);
    }
    if (rc == 0)
        rc = copy_state_create(c->target, c->job, err);
    return rc == 0 ? copy_state_finished(c->target, c->job, err) : rc;
}

void copy_target_close(struct copy *c)
{
    job_link_close(&c->link, c->target);
    c->target = NULL;
    if (c->has_fence)
        checkpoint_fini(&c->fence);
    c->has_fence = false;
}
