/* relay_run.c - the relay's thread: connects, stores what comes, connects again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/conn_set.h"
#include "unit/relay/relay_priv.h"
#include "unit/source/source_priv.h"

#define RECONNECT_LIMIT_US ((int64_t)60 * 1000000) /* then the unit retries, ever more slowly */
#define GATHER_MS 2 /* what comes so soon goes to the disk together */
#define GATHER_MOST_US ((int64_t)8000)
#define IDLE_MS 1000 /* so often safe_ts moves while nothing comes */

struct relay_run {
    struct relay *relay;
    struct conn_set conns;
    struct mysql_params params;
    struct journal *journal;
    struct journal_head head; /* as of the begin, then brought up to date for each connection */
    struct ingest in;
    bool writing;
    struct mysql_stream *stream;
    struct relay_acks *acks;
    char end_file[BINLOG_NAME_SIZE]; /* of the source, when we connected */
    uint64_t end_offset;
    bool behind;     /* that was not reached yet: what comes is of then, not of now */
    int64_t idle_us; /* monotonic: when a time stamp was given last */
    int64_t
        unsent_us; /* monotonic: of the oldest record that was not yet sent to the disk; 0: none */
};

/* --- opening and closing --- */

static void show_conns(struct relay *r, struct conn_set *conns)
{
    mutex_lock(&r->unit.lock);
    r->conns = conns;
    if (conns && unit_stopping(&r->unit))
        conn_set_shut(conns);
    mutex_unlock(&r->unit.lock);
}

static void relay_wake(struct unit *u)
{
    struct relay *r = relay_of(&u->node);

    mutex_lock(&u->lock);
    if (r->conns)
        conn_set_shut(r->conns);
    mutex_unlock(&u->lock);
}

static void show_stream(struct relay *r, struct mysql_stream *stream)
{
    mutex_lock(&r->unit.lock);
    r->stream = stream;
    mutex_unlock(&r->unit.lock);
}

static void disconnect(struct relay_run *run)
{
    atomic_store(&run->relay->connected, false);
    atomic_store(&run->relay->caught_up, false);
    atomic_store(&run->relay->semi_sync_active, false);
    relay_acks_free(run->acks);
    run->acks = NULL;
    show_stream(run->relay, NULL);
    mysql_stream_close(run->stream);
    run->stream = NULL;
}

static int open_run(struct relay_run *run, struct err *err)
{
    struct relay *r = run->relay;
    int rc;

    if (relay_disk_full(r, err)) {
        atomic_store(&r->full, true);
        return err->code;
    }
    atomic_store(&r->full, false);
    run->journal = relay_journal(r, true, err);
    if (!run->journal)
        return err->code;
    rc = journal_write_begin(run->journal, &run->head, err);
    if (rc < 0)
        return rc;
    run->writing = true;
    ingest_init(&run->in, run->journal, &run->head.pos, run->head.incarnation);
    return 0;
}

/* What was committed is synced; the source's commits no longer wait for us meanwhile. */
static int close_run(struct relay_run *run, int rc, struct err *err)
{
    struct err why = ERR_INIT;

    disconnect(run);
    if (run->writing && journal_write_end(run->journal, &why) < 0 &&
        (rc >= 0 || rc == -ECANCELED)) {
        *err = why;
        rc = why.code;
    }
    ingest_fini(&run->in);
    journal_head_fini(&run->head);
    journal_close(run->journal);
    show_conns(run->relay, NULL);
    mysql_params_fini(&run->params);
    conn_set_fini(&run->conns);
    return rc;
}

/* --- connecting --- */

static char *take_accept(struct relay *r)
{
    char *accept;

    mutex_lock(&r->unit.lock);
    accept = r->accept;
    r->accept = NULL;
    mutex_unlock(&r->unit.lock);
    return accept;
}

static int keep_server(struct relay *r, uint32_t incarnation, const char *server, struct err *err)
{
    json_t *old = relay_kept(r, "servers"), *servers = old ? json_copy(old) : json_object();
    char key[16];

    snprintf(key, sizeof key, "%u", incarnation);
    json_object_set_new(servers, key, json_string(server));
    json_decref(old);
    return relay_keep(r, "servers", servers, err);
}

static int keep_skip(struct relay *r, const struct gtid_set *skip, struct err *err)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    if (skip)
        gtid_set_print(skip, &text);
    return relay_keep(r, "skip", json_string(text.size ? text.data : ""), err);
}

/* Another server, or files that begin anew. */
static int begin_incarnation(struct relay_run *run, struct relay_place *place, struct err *err)
{
    struct relay *r = run->relay;
    uint32_t incarnation = run->in.incarnation + 1;
    int rc = keep_server(r, incarnation, place->server, err);

    if (rc == 0)
        rc = keep_skip(r, place->skip, err);
    if (rc == 0)
        rc = journal_incarnation(run->journal, place->server, place->pos.gtids, err);
    if (rc < 0)
        return rc;
    position_fini(&run->in.head);
    run->in.head = (struct position){ .gtids = gtid_set_copy(place->pos.gtids) };
    run->in.incarnation = incarnation;
    snprintf(run->head.source_id, sizeof run->head.source_id, "%s", place->server);
    log_info(r->unit.path, "stores the binlog of %s from %s:%llu on", place->server,
             place->pos.file, (unsigned long long)place->pos.offset);
    node_event(&r->unit.node, "incarnation",
               json_pack("{s:s, s:i, s:s, s:I}", "server", place->server, "incarnation",
                         (int)incarnation, "file", place->pos.file, "offset",
                         (json_int_t)place->pos.offset));
    return 0;
}

/* Those of its domain have passed, once one with a higher number is stored. */
static void drop_passed(struct gtid_set *skip, const struct gtid_set *head)
{
    size_t n;
    const struct gtid_member *m = gtid_set_members(skip, &n);

    for (size_t i = 0; i < n; i++) {
        struct gtid none = m[i].id, next = m[i].id;

        none.number = 0;
        next.number++;
        if (gtid_set_has(head, &next))
            gtid_set_add(skip, &none);
    }
}

/* The same incarnation goes on after a restart: what it passes by is kept. */
static int restore_skip(struct relay_run *run, enum flavor flavor, struct err *err)
{
    SCOPED(json_decrefp) json_t *text = relay_kept(run->relay, "skip");
    int rc;

    if (run->in.skip || !json_string_length(text) || !run->in.head.gtids)
        return 0;
    rc = gtid_set_parse(&run->in.skip, flavor, json_string_value(text), err);
    if (rc == 0 && flavor == FLAVOR_MARIADB)
        drop_passed(run->in.skip, run->in.head.gtids);
    return rc;
}

static int open_stream(struct relay_run *run, const struct position *from, struct err *err)
{
    struct relay *r = run->relay;
    SCOPED(json_decrefp) json_t *semi_sync = relay_setting(r, "relay_config.semi_sync");
    struct mysql_stream_options o = { .server_id = relay_server_id(r),
                                      .heartbeat_ms = RELAY_HEARTBEAT_MS,
                                      .all_events = true,
                                      .semi_sync = json_is_true(semi_sync) };
    char uuid[40];
    int rc;

    relay_server_uuid(r, uuid);
    o.uuid = uuid;
    rc = mysql_stream_open(&run->stream, &run->params, from, &o, err);
    if (rc < 0)
        return rc;
    show_stream(r, run->stream);
    if (mysql_stream_semi_sync(run->stream))
        run->acks = relay_acks_new(run->journal, r->gate, run->stream, r->unit.path);
    else if (o.semi_sync)
        log_warn(r->unit.path, "semi_sync is set, but it is off at the source: "
                               "SET GLOBAL rpl_semi_sync_master_enabled = ON there");
    atomic_store(&r->semi_sync_active, run->acks != NULL);
    atomic_store(&r->heard_us, clock_wall_us());
    atomic_store(&r->connected, true);
    return 0;
}

static void update_head(struct relay_run *run)
{
    struct journal_state state;

    journal_drop(run->journal);
    journal_state(run->journal, &state);
    run->head.next_seq = state.next_seq;
    run->head.incarnation = run->in.incarnation;
    position_copy(&run->head.pos, &run->in.head);
}

static void use_place(struct relay_run *run, struct relay_place *place)
{
    ingest_connect(&run->in, place->flavor, &place->pos);
    buf_fini(&run->in.expect);
    run->in.expect = place->expect;
    run->in.expect_from = place->expect_from;
    place->expect = BUF_INIT;
    if (place->fresh) {
        gtid_set_free(run->in.skip);
        run->in.skip = place->skip;
        place->skip = NULL;
    }
}

static int go_to(struct relay_run *run, struct relay_place *place, struct err *err)
{
    int rc = place->fresh ? begin_incarnation(run, place, err) : 0;

    if (rc < 0)
        return rc;
    use_place(run, place);
    rc = restore_skip(run, place->flavor, err);
    memcpy(run->end_file, place->end_file, sizeof run->end_file);
    run->end_offset = place->end_offset;
    run->behind = true;
    return rc < 0 ? rc : open_stream(run, &place->pos, err);
}

static void show_gtid(struct relay *r, const struct gtid *g)
{
    if (!g->number)
        return;
    mutex_lock(&r->unit.lock);
    r->current_gtid = *g;
    mutex_unlock(&r->unit.lock);
}

/* As the document is now: a failover is a change of its host. */
static int read_params(struct relay_run *run, struct err *err)
{
    int rc;

    mysql_params_fini(&run->params);
    run->params = (struct mysql_params){ 0 };
    rc = source_params(run->relay->source, &run->params, err);
    run->params.set = &run->conns;
    return rc;
}

static int connect_source(struct relay_run *run, struct err *err)
{
    SCOPED(freep) char *accept = take_accept(run->relay);
    SCOPED(relay_place_fini) struct relay_place place = { .fresh = false };
    int rc = read_params(run, err);

    if (rc < 0)
        return rc;
    update_head(run);
    rc = relay_find_place(run->relay, &run->params, run->journal, &run->head, accept, &place, err);
    if (rc == 0) {
        show_gtid(run->relay, &place.last);
        rc = go_to(run, &place, err);
    }
    return rc < 0 ? err_of_source(err) : 0;
}

static bool can_reconnect(const struct err *err)
{
    return err->code == -ECONNRESET || err->code == -ETIMEDOUT || err->code == -ECONNREFUSED ||
           err->code == -EPIPE;
}

static void note_reconnect(struct relay *r, const struct err *why)
{
    char *old;

    atomic_fetch_add(&r->reconnects, 1);
    mutex_lock(&r->unit.lock);
    old = r->reconnect_reason;
    r->reconnect_reason = xstrdup(why->text);
    mutex_unlock(&r->unit.lock);
    free(old);
    log_warn(r->unit.path, "connects to the source again: %s", why->text);
}

static int reconnect(struct relay_run *run, struct err *err)
{
    int64_t began = clock_mono_us(), delay_ms = 50;

    note_reconnect(run->relay, err);
    do {
        int rc;

        disconnect(run);
        *err = ERR_INIT;
        rc = connect_source(run, err);
        if (rc == 0 || !can_reconnect(err))
            return rc;
        if (!unit_sleep(&run->relay->unit, delay_ms))
            return err_set(err, -ECANCELED, "stopping");
        delay_ms = delay_ms < 4000 ? delay_ms * 2 : 4000;
    } while (clock_mono_us() - began < RECONNECT_LIMIT_US);
    return err->code;
}

/* --- what comes --- */

static void count(struct relay_run *run, const struct ingest_did *did)
{
    struct relay *r = run->relay;

    atomic_fetch_add_explicit(&r->events, 1, memory_order_relaxed);
    if (did->alive) { /* only at its end */
        atomic_fetch_add(&r->heartbeats, 1);
        run->behind = false;
    }
    if (did->incident)
        log_error(r->unit.path,
                  "the source says that it lost events before %s:%llu: tasks that "
                  "read on will stop there",
                  run->in.head.file, (unsigned long long)run->in.head.offset);
    if (!did->committed || did->record.kind != JOURNAL_TXN)
        return;
    show_gtid(r, &did->record.gtid);
    atomic_fetch_add_explicit(&r->transactions, 1, memory_order_relaxed);
    atomic_store_explicit(&r->read_commit_us, did->record.commit_us, memory_order_relaxed);
    unit_progressed(&r->unit);
}

/* Also for what was stored before the connection was lost, so that nobody there waits in vain. */
static int acknowledge(struct relay_run *run, const struct ingest_did *did, struct err *err)
{
    struct journal_state state;
    uint64_t seq = did->record.seq;

    if (!run->acks || !mysql_stream_ack_wanted(run->stream) || !(did->committed || did->known))
        return 0;
    if (!did->committed) {
        journal_state(run->journal, &state);
        seq = state.next_seq - 1;
    }
    relay_acks_add(run->acks, seq, run->in.at_file, run->in.at);
    return journal_flush(run->journal, err);
}

static int say_other(struct relay_run *run, struct err *err)
{
    SCOPED(freep) char *path = node_path(&run->relay->unit.node);
    struct err why = *err;

    return err_set(err, -EREMCHG,
                   "%s (RESET MASTER, or a copy from a backup?); begin with its binlog anew: "
                   "echo from=oldest > %s/accept",
                   why.text, path);
}

static int take(struct relay_run *run, struct slice raw, struct err *err)
{
    struct ingest_did did;
    int rc = ingest_event(&run->in, raw, &did, err);

    if (rc == -EREMCHG)
        return say_other(run, err);
    if (rc < 0)
        return rc;
    count(run, &did);
    if (did.committed) {
        run->idle_us = clock_mono_us();
        run->unsent_us = run->unsent_us ? run->unsent_us : run->idle_us;
    }
    return acknowledge(run, &did, err);
}

/* Readers have it from memory; the disk can wait a moment for what may come next, unless somebody
 * waits for the disk. */
static bool may_gather(const struct relay_run *run)
{
    return run->unsent_us && !run->acks && clock_mono_us() - run->unsent_us < GATHER_MOST_US;
}

/* Binlog files are numbered: a longer name is a later one. */
static bool is_past_end(const struct relay_run *run)
{
    size_t len = strlen(run->in.at_file), end_len = strlen(run->end_file);
    int order = len != end_len ? (len > end_len ? 1 : -1) : strcmp(run->in.at_file, run->end_file);

    return order > 0 || (order == 0 && run->in.at >= run->end_offset);
}

/* An idle source: the time stamps move all the same.  Not before all is read that it had when we
 * connected: it may be long silent before that, and what it then sends is old. */
static int tell_time(struct relay_run *run, struct err *err)
{
    uint64_t safe_ts;

    if (run->behind && is_past_end(run))
        run->behind = false;
    if (run->behind || run->in.open || clock_mono_us() - run->idle_us < (int64_t)IDLE_MS * 1000)
        return 0;
    run->idle_us = clock_mono_us();
    return journal_idle(run->journal, &safe_ts, err);
}

/* Nothing more came for now.  1: something did, 0: still nothing. */
static int rest(struct relay_run *run, struct err *err)
{
    int rc = 0;

    atomic_store(&run->relay->caught_up, true);
    if (may_gather(run) && (rc = mysql_stream_wait(run->stream, GATHER_MS, err)) != 0)
        return rc;
    run->unsent_us = 0;
    if (!run->in.open)
        rc = journal_flush(run->journal, err);
    if (rc == 0)
        rc = tell_time(run, err);
    return rc < 0 ? rc : mysql_stream_wait(run->stream, IDLE_MS, err);
}

/* 1 an event; 0 nothing came. */
static int next(struct relay_run *run, struct slice *raw, struct err *err)
{
    struct relay *r = run->relay;
    bool ready = mysql_stream_ready(run->stream);
    int rc = ready ? 1 : rest(run, err);

    if (rc <= 0)
        return rc;
    rc = mysql_stream_next(run->stream, raw, err);
    if (rc == 0)
        return err_set(err, -ECONNRESET, "the source ended the stream");
    if (rc > 0 && (!ready || atomic_load_explicit(&r->events, memory_order_relaxed) % 256 == 0)) {
        atomic_store(&r->heard_us, clock_wall_us());
        atomic_store(&r->caught_up, false);
        atomic_store(&r->bytes_read, mysql_stream_bytes(run->stream));
    }
    return rc;
}

static int read_on(struct relay_run *run, struct err *err)
{
    struct relay *r = run->relay;
    int rc = connect_source(run, err);

    for (;;) {
        struct slice raw;

        if (unit_stopping(&r->unit))
            return err_set(err, -ECANCELED, "stopping");
        if (atomic_load_explicit(&r->full, memory_order_relaxed) && relay_disk_full(r, err))
            return err->code;
        if (rc == 0)
            rc = next(run, &raw, err);
        if (rc > 0)
            rc = take(run, raw, err);
        if (rc < 0 && unit_stopping(&r->unit))
            return err_set(err, -ECANCELED, "stopping");
        if (rc == -ECANCELED)
            rc = err_set(err, -ECONNRESET, "its settings have changed");
        if (rc < 0 && can_reconnect(err))
            rc = reconnect(run, err);
        if (rc < 0)
            return rc;
    }
}

static int relay_main(struct unit *u, struct err *err)
{
    struct relay_run run = { .relay = relay_of(&u->node) };
    int rc;

    conn_set_init(&run.conns);
    show_conns(run.relay, &run.conns);
    rc = open_run(&run, err);
    if (rc == 0)
        rc = read_on(&run, err);
    return close_run(&run, rc, err);
}

static void relay_progress(struct unit *u, struct unit_progress *ret)
{
    struct relay *r = relay_of(&u->node);

    ret->phase = "storing the binlog";
    ret->bytes = atomic_load(&r->bytes_read);
    ret->lag_s = relay_lag_seconds(r);
}

const struct unit_ops relay_ops = {
    .name = "relay",
    .run = relay_main,
    .wake = relay_wake,
    .progress = relay_progress,
};
