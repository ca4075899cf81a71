/* source_look.c - a source's thread: looks at the server every ten seconds, checks it when asked.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/precheck/precheck.h"
#include "unit/relay/relay_unit.h"
#include "unit/source/source_doc.h"
#include "unit/source/source_priv.h"

#define LOOK_INTERVAL_MS 10000
#define LOOK_AGAIN_MS 1000 /* at a server that did not answer, which somebody waits for */
#define CHECK_WAIT_MS 10000

/* "orders, invoices": who needs 'file'. */
static void print_needy(const json_t *users, const char *file, struct buf *out)
{
    const json_t *user;
    size_t i;

    json_array_foreach (users, i, user) {
        const char *needs = json_string_value(json_object_get(user, "file"));

        if (needs && strcmp(needs, file) == 0)
            buf_printf(out, "%s%s", out->size ? ", " : "",
                       json_string_value(json_object_get(user, "task")));
    }
}

/* What somebody should know of; NULL: nothing. */
static char *warning_of(const struct source_seen *seen, const json_t *users)
{
    SCOPED(buf_fini) struct buf tasks = BUF_INIT;

    if (!seen->needed || (!seen->purged && !seen->runway_short))
        return NULL;
    print_needy(users, seen->needed, &tasks);
    if (seen->purged)
        return xasprintf("the server has purged %s, which task %s needs: what was in it is lost to "
                         "the task; copy again (echo remove_meta=true > start), with the tables "
                         "emptied at the target",
                         seen->needed, tasks.data);
    return xasprintf(
        "the server may soon purge %s, which task %s needs (runway_seconds says when): "
        "resume the task, or keep binlogs for longer at the source "
        "(binlog_expire_logs_seconds, max_binlog_total_size)",
        seen->needed, tasks.data);
}

/* Said once when it comes and once when it goes. */
static void announce(struct source *s, const struct source_seen *seen, const json_t *users)
{
    char *now = warning_of(seen, users), *was;
    SCOPED(freep) char *path = xasprintf("sources/%s", s->node.name);
    bool changed;

    mutex_lock(&s->lock);
    was = s->warning;
    s->warning = now;
    changed = strcmp(was ? was : "", now ? now : "") != 0;
    mutex_unlock(&s->lock);
    free(was);
    if (!changed)
        return;
    if (now)
        log_warn(path, "%s", now);
    node_event(&s->node, "warning", json_pack("{s:s}", "warning", now ? now : ""));
}

/* Publishes what a look found; a source that cannot be read keeps what was known of it. */
static void publish(struct source *s, enum source_state state, const struct err *error,
                    struct source_seen *seen, json_t *users)
{
    struct source_seen old = { .runway_s = -1 };
    enum source_state was;
    json_t *old_users;

    if (seen->contact_us)
        announce(s, seen, users);
    mutex_lock(&s->lock);
    was = s->state;
    s->state = state;
    s->error = *error;
    old_users = s->users;
    s->users = users;
    if (seen->contact_us) {
        old = s->seen;
        s->seen = *seen;
        *seen = (struct source_seen){ .runway_s = -1 };
    }
    mutex_unlock(&s->lock);
    source_seen_fini(&old);
    json_decref(old_users);
    node_changed(&s->node, NULL);
    if (was != state)
        node_event(&s->node, "state",
                   json_pack("{s:s,s:s,s:s}", "from", source_state_names[was], "to",
                             source_state_names[state], "error", error->code ? error->text : ""));
}

static int check_flavor(const json_t *doc, const char *version, struct err *err)
{
    const char *wanted = json_string_value(doc_at(doc, "flavor"));
    const char *is = version && strstr(version, "MariaDB") ? "mariadb" : "mysql";

    if (!wanted || !version || strcmp(wanted, is) == 0)
        return 0;
    return err_set(err, -EINVAL, "the server is %s (%s), flavor says %s: echo %s > flavor", is,
                   version, wanted, is);
}

static void look(struct source *s)
{
    SCOPED(json_decrefp) json_t *doc = source_doc(s);
    struct source_seen seen = { .runway_s = -1 };
    struct mysql_params params = { 0 };
    json_t *users = source_ask_users(s);
    struct err err = ERR_INIT;
    int rc;

    relay_cover(s->relay, users);
    if (!source_doc_enabled(doc)) {
        source_probe_reset(s->probe);
        publish(s, SOURCE_STOPPED, &err, &seen, users);
        return;
    }
    rc = source_doc_params(doc, &params, &err);
    if (rc == -EINVAL) { /* a draft */
        publish(s, SOURCE_NEW, &err, &seen, users);
        return;
    }
    if (rc == 0)
        rc = source_probe_run(s->probe, &params, users, &seen, &err);
    if (rc == 0)
        rc = check_flavor(doc, seen.version, &err);
    publish(s, rc < 0 ? SOURCE_ERROR : SOURCE_RUNNING, &err, &seen, users);
    source_seen_fini(&seen);
    mysql_params_fini(&params);
}

/* The text of the report; 'verdict' is what is to be mended first. */
static char *make_report(struct source *s, struct err *verdict)
{
    SCOPED(json_decrefp) json_t *doc = source_doc(s);
    struct precheck_report report = { 0 };
    struct mysql_params params = { 0 };
    struct err err = ERR_INIT;
    struct buf text = BUF_INIT;
    int rc = source_doc_params(doc, &params, &err);

    if (rc == 0) {
        params.connect_timeout_s = PROBE_CONNECT_S;
        params.io_timeout_s = PROBE_IO_S;
        rc = precheck_source(&params, json_is_true(doc_at(doc, "enable_gtid")), &report, &err);
    }
    if (rc < 0) {
        buf_printf(&text, "FAIL  %s\n", err.text);
        *verdict = err;
    } else {
        precheck_report_print(&report, &text);
        precheck_report_verdict(&report, verdict);
    }
    precheck_report_fini(&report);
    mysql_params_fini(&params);
    return buf_steal(&text);
}

/* Returns what is to be mended first, 0 if nothing is. */
static int check(struct source *s)
{
    struct err verdict = ERR_INIT;
    char *report = make_report(s, &verdict), *old;

    mutex_lock(&s->lock);
    old = s->report;
    s->report = report;
    s->verdict = verdict;
    mutex_unlock(&s->lock);
    free(old);
    node_changed(&s->node, "check_report");
    return verdict.code;
}

static void check_done(struct source *s, uint64_t number)
{
    mutex_lock(&s->lock);
    s->checks_done = number;
    cond_broadcast(&s->cond);
    mutex_unlock(&s->lock);
}

struct work {
    bool stop, doc_changed;
    uint64_t check; /* its number; 0: none */
};

/* A login that is refused is not tried often: servers count them. */
static int64_t look_interval_us(const struct source *s) REQUIRES(s->lock)
{
    bool no_answer = s->error.code == -ECONNREFUSED || s->error.code == -ECONNRESET;

    return 1000LL * (no_answer ? LOOK_AGAIN_MS : LOOK_INTERVAL_MS);
}

static struct work wait_for_work(struct source *s, uint64_t doc_changes)
{
    struct work w = { false, false, 0 };
    int64_t until, left_us;

    mutex_lock(&s->lock);
    left_us = look_interval_us(s);
    until = clock_mono_us() + left_us;
    while (!s->stop_wanted && s->checks_wanted == s->checks_done && s->doc_changes == doc_changes &&
           left_us > 0) {
        cond_wait(&s->cond, &s->lock, (left_us + 999) / 1000);
        left_us = until - clock_mono_us();
    }
    w.stop = s->stop_wanted;
    w.doc_changed = s->doc_changes != doc_changes;
    w.check = s->checks_wanted != s->checks_done ? s->checks_wanted : 0;
    mutex_unlock(&s->lock);
    return w;
}

static uint64_t doc_changes(struct source *s)
{
    uint64_t n;

    mutex_lock(&s->lock);
    n = s->doc_changes;
    mutex_unlock(&s->lock);
    return n;
}

static void count_threads(struct sources *all, int by)
{
    mutex_lock(&all->lock);
    all->n_threads += (unsigned)by;
    cond_broadcast(&all->cond);
    mutex_unlock(&all->lock);
}

static void *source_run(void *arg)
{
    struct source *s = arg;
    struct sources *all = s->all;
    struct work w = { false, false, 0 };
    bool abandoned, bad;

    while (!w.stop) {
        uint64_t seen = doc_changes(s);

        if (w.doc_changed)
            source_probe_reset(s->probe);
        bad = w.check && check(s) < 0;
        if (bad) /* it may be long until this is seen twice */
            check_done(s, w.check);
        look(s);
        if (w.check && !bad) /* who asked sees what is, not what was ten seconds ago */
            check_done(s, w.check);
        w = wait_for_work(s, seen);
    }
    mutex_lock(&s->lock);
    abandoned = s->abandoned;
    mutex_unlock(&s->lock);
    if (abandoned)
        pthread_detach(pthread_self());
    node_unref(&s->node);
    count_threads(all, -1);
    return NULL;
}

void source_start_thread(struct source *s)
{
    node_ref(&s->node); /* the thread's */
    count_threads(s->all, 1);
    s->thread = thread_start("source", source_run, s);
    s->has_thread = true;
}

void source_ask_stop(struct source *s, bool abandon)
{
    mutex_lock(&s->lock);
    s->stop_wanted = true;
    s->abandoned = abandon;
    cond_broadcast(&s->cond);
    mutex_unlock(&s->lock);
    source_probe_cancel(s->probe);
}

int source_check(struct source *s, struct err *err)
{
    int64_t until = clock_mono_us() + CHECK_WAIT_MS * 1000LL;
    uint64_t number;
    bool done;

    mutex_lock(&s->lock);
    number = ++s->checks_wanted;
    cond_broadcast(&s->cond);
    while (s->checks_done < number && !s->stop_wanted) {
        int64_t left_us = until - clock_mono_us();

        if (left_us <= 0 || !cond_wait(&s->cond, &s->lock, (left_us + 999) / 1000))
            break;
    }
    done = s->checks_done >= number;
    if (done)
        *err = s->verdict;
    mutex_unlock(&s->lock);
    return done ? err->code : err_set(err, -ETIMEDOUT, "the check goes on; see check_report");
}
