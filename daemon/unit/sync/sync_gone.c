/* Tables that were set aside for so long that the source has purged what they missed: no release
 * brings them to where the others are, only a new snapshot does. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/scope.h"
#include "mysql/server.h"
#include "unit/sync/sync_aside.h"
#include "unit/sync/sync_gone.h"

int gone_refusal(const struct job *job, const char *table, struct err *err)
{
    return err_set(err, -EBUSY,
                   "table %s needs_resnapshot: the source has purged what it missed; copy it again "
                   "(with its names at the source: echo source=%s schema=... table=... > "
                   "tasks/%s/resnapshot), or take it back without that (echo table=%s > "
                   "tasks/%s/sources/%s/sync/skip)",
                   table, job->source, job->task, table, job->task, job->source);
}

/* The journal may have what the server does not have any more. */
static bool is_stored(const struct job *job, const struct position *from)
{
    struct mysql_stream_options stream = { .by_gtid = job->by_gtid && from->gtids };
    struct feed_config c = {
        .params = &job->from, .stream = &stream, .source = job->origin, .source_id = ""
    };

    return job->origin && feed_is_stored(&c, from, false);
}

static bool look_at(struct sync_run *r, struct mysql_conn *c, const char *table,
                    const struct position *from)
{
    struct err why = ERR_INIT, said = ERR_INIT;

    if (server_has_position(c, from, r->job->by_gtid, &why) != -ENODATA || is_stored(r->job, from))
        return false;
    gone_refusal(r->job, table, &said);
    log_error(r->sync->unit.path, "%s: %s", said.text, why.text);
    aside_mark_gone(r->aside, table);
    mutex_lock(&r->sync->unit.lock);
    r->sync->unit.error = said;
    mutex_unlock(&r->sync->unit.lock);
    node_changed(&r->sync->unit.node, "error");
    return true;
}

void gone_look(struct sync_run *r)
{
    struct mysql_params quick = r->job->from;
    struct position from = { .offset = 0 };
    struct err none = ERR_INIT;
    struct mysql_conn *c;
    bool some = false;
    char *table;

    if (r->only_aside || !aside_any_kept(r->aside))
        return; /* a release has a list of its own, and the error to show for it */
    quick.connect_timeout_s = quick.io_timeout_s = 5;
    if (mysql_conn_open(&c, &quick, &none) < 0)
        return; /* who reads the stream says so */
    for (unsigned i = 0; (table = aside_at(r->aside, i, &from)); i++) {
        if (!aside_is_gone(r->aside, table))
            some |= look_at(r, c, table, &from);
        free(table);
        position_fini(&from);
    }
    mysql_conn_close(c);
    if (some)
        sync_publish_aside(r);
}
