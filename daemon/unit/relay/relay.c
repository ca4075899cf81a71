#include "unit/relay/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/catalog.h"
#include "unit/doc.h"
#include "unit/relay/relay_priv.h"
#include "unit/source/source_doc.h"
#include "unit/source/source_priv.h"

#define START_WAIT_MS 10000
#define WHO_SIZE 128

/* --- what survives a restart: an object beside the source's document ---
 *
 * {"paused": true, "server_id": 2.., "server_uuid": "..", "servers": {"1": server of incarnation},
 *  "skip": GTIDs that the source's binlog has again after the place where an incarnation began} */

static char *kept_path(const struct relay *r)
{
    return xasprintf("relays/%s", r->source->node.name);
}

json_t *relay_kept(struct relay *r, const char *key)
{
    json_t *v;

    mutex_lock(&r->unit.lock);
    v = json_incref(json_object_get(r->kept, key));
    mutex_unlock(&r->unit.lock);
    return v;
}

int relay_keep(struct relay *r, const char *key, json_t *v, struct err *err)
{
    SCOPED(freep) char *path = kept_path(r);
    json_t *with, *old;
    int rc;

    mutex_lock(&r->unit.lock);
    with = json_copy(r->kept);
    mutex_unlock(&r->unit.lock);
    json_object_set_new(with, key, v);
    rc = catalog_put(r->source->all->config.catalog, path, with, err);
    if (rc < 0) {
        json_decref(with);
        return rc;
    }
    mutex_lock(&r->unit.lock);
    old = r->kept;
    r->kept = with;
    mutex_unlock(&r->unit.lock);
    json_decref(old);
    return 0;
}

void relay_restore(struct relay *r) NO_THREAD_CHECK
{
    SCOPED(freep) char *path = kept_path(r);
    struct err err = ERR_INIT;
    json_t *kept;
    int rc = catalog_get(r->source->all->config.catalog, path, &kept, &err);

    if (rc == 0) {
        json_decref(r->kept);
        r->kept = kept;
    } else if (rc != -ENOENT) {
        log_error(path, "%s", err.text);
    }
}

/* --- its settings --- */

static const struct doc_field *field_at(const char *path)
{
    const struct doc_field *fields = source_doc_fields;
    size_t n = strcspn(path, ".");

    while (fields->name && (strncmp(fields->name, path, n) != 0 || fields->name[n]))
        fields++;
    for (fields = fields->name ? fields->fields : fields; fields && fields->name; fields++)
        if (strcmp(fields->name, path + n + 1) == 0)
            return fields;
    return NULL;
}

json_t *relay_setting(struct relay *r, const char *path)
{
    SCOPED(json_decrefp) json_t *doc = source_doc(r->source);
    const json_t *v = doc_at(doc, path);
    json_t *fallback;

    if (v)
        return json_incref((json_t *)v);
    fallback = doc_fallback(field_at(path));
    return fallback ? fallback : json_null();
}

static bool is_enabled(struct relay *r)
{
    SCOPED(json_decrefp) json_t *v = relay_setting(r, "relay_config.enable_relay");

    return json_is_true(v);
}

static bool is_paused(struct relay *r)
{
    SCOPED(json_decrefp) json_t *v = relay_kept(r, "paused");

    return json_is_true(v);
}

/* Two daemons that read one source must not take each other for what a crash left. */
static uint32_t made_up_id(struct relay *r)
{
    struct err err = ERR_INIT;
    uint32_t id = 0;

    if (getrandom(&id, sizeof id, 0) != sizeof id)
        id = (uint32_t)clock_wall_us();
    id = 0x20000000u | (id & 0x1fffffffu);
    if (relay_keep(r, "server_id", json_integer(id), &err) < 0)
        log_error(r->unit.path, "its server_id is not kept: %s", err.text);
    return id;
}

uint32_t relay_server_id(struct relay *r)
{
    SCOPED(json_decrefp) json_t *set = relay_setting(r, "relay_config.server_id");
    SCOPED(json_decrefp) json_t *kept = NULL;

    if (json_integer_value(set))
        return (uint32_t)json_integer_value(set);
    kept = relay_kept(r, "server_id");
    return kept ? (uint32_t)json_integer_value(kept) : made_up_id(r);
}

void relay_server_uuid(struct relay *r, char ret[static 40])
{
    SCOPED(json_decrefp) json_t *set = relay_setting(r, "relay_config.server_uuid");

    if (json_string_length(set))
        snprintf(ret, 40, "%s", json_string_value(set));
    else
        snprintf(ret, 40, "736c7569-6365-4000-8000-0000%08x", relay_server_id(r));
}

/* --- the journal --- */

struct journal *relay_journal(struct relay *r, bool create, struct err *err)
{
    struct journals *all = r->source->all->config.journals;
    struct journal *j, *mine;

    mutex_lock(&r->unit.lock);
    j = r->journal ? journal_ref(r->journal) : NULL;
    mutex_unlock(&r->unit.lock);
    if (j)
        return j;
    if (!all) {
        err_set(err, -ENOTSUP, "there is no store for journals");
        return NULL;
    }
    if (journal_open(all, r->source->name, create, &j, err) < 0)
        return NULL;
    mutex_lock(&r->unit.lock);
    mine = r->journal;
    if (!mine)
        r->journal = journal_ref(j);
    mutex_unlock(&r->unit.lock);
    return j;
}

struct journal *source_journal(struct source *s)
{
    struct err none = ERR_INIT;

    return relay_journal(s->relay, false, &none);
}

/* --- whether it runs --- */

static bool is_wanted(struct relay *r)
{
    SCOPED(json_decrefp) json_t *doc = source_doc(r->source);
    bool by_others;

    if (!source_doc_enabled(doc) || !json_string_length(doc_at(doc, "host")) ||
        !json_string_length(doc_at(doc, "user")) || is_paused(r))
        return false;
    mutex_lock(&r->unit.lock);
    by_others = r->n_wants > 0;
    mutex_unlock(&r->unit.lock);
    return by_others || is_enabled(r);
}

static bool waits_for_retry(struct relay *r)
{
    return unit_state(&r->unit) == UNIT_ERROR && unit_retry_s(&r->unit) > 0;
}

int relay_follow(struct relay *r, bool anew, struct err *err)
{
    enum unit_state state = unit_state(&r->unit);
    struct err busy = ERR_INIT;
    int rc = 0;

    if (!r->source->all->config.journals)
        return 0;
    if (!is_wanted(r)) {
        if (state == UNIT_RUNNING || state == UNIT_ERROR || is_paused(r))
            unit_ask_stop(&r->unit, is_paused(r) ? UNIT_PAUSED : UNIT_STOPPED);
        return 0;
    }
    if (state == UNIT_NEW || state == UNIT_STOPPED || state == UNIT_PAUSED ||
        (anew && state == UNIT_ERROR))
        rc = unit_start(&r->unit, &busy);
    if (rc < 0 && rc != -EBUSY) {
        *err = busy;
        return rc;
    }
    return 0;
}

static bool connects_otherwise(const json_t *old, const json_t *doc)
{
    static const char *const paths[] = { "host",
                                         "port",
                                         "user",
                                         "password",
                                         "security",
                                         "relay_config.semi_sync",
                                         "relay_config.server_id",
                                         "relay_config.server_uuid" };

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const json_t *a = doc_at(old, paths[i]), *b = doc_at(doc, paths[i]);

        if (a != b && !(a && b && json_equal(a, b)))
            return true;
    }
    return false;
}

void relay_settings_changed(struct relay *r, const json_t *old, const json_t *doc)
{
    struct err none = ERR_INIT;

    if (!old || !connects_otherwise(old, doc))
        return;
    mutex_lock(&r->unit.lock);
    if (r->stream)
        mysql_stream_shutdown(r->stream);
    mutex_unlock(&r->unit.lock);
    if (unit_state(&r->unit) == UNIT_ERROR)
        relay_follow(r, true, &none);
}

void relay_ask_stop(struct relay *r)
{
    enum unit_state state = unit_state(&r->unit);

    if (state == UNIT_RUNNING || waits_for_retry(r))
        unit_ask_stop(&r->unit, UNIT_STOPPED);
}

/* The thread has ended, and nobody starts it again. */
static void drop_journal(struct relay *r)
{
    struct journal *j;

    mutex_lock(&r->unit.lock);
    j = r->journal;
    r->journal = NULL;
    mutex_unlock(&r->unit.lock);
    journal_close(j);
}

void relay_wait(struct relay *r)
{
    unit_wait(&r->unit, -1);
    relay_verify_join(r);
    drop_journal(r);
}

/* --- who wants it --- */

static int find_want(struct relay *r, const char *who) REQUIRES(r->unit.lock)
{
    for (unsigned i = 0; i < r->n_wants; i++)
        if (strcmp(r->wants[i], who) == 0)
            return (int)i;
    return -1;
}

int relay_want(struct source *s, const char *who, struct err *err)
{
    struct relay *r = s->relay;
    struct journal *j = relay_journal(r, true, err);

    if (!j)
        return err->code;
    journal_close(j);
    mutex_lock(&r->unit.lock);
    if (find_want(r, who) < 0) {
        r->wants = xrealloc(r->wants, (r->n_wants + 1) * sizeof *r->wants);
        r->wants[r->n_wants++] = xstrdup(who);
    }
    mutex_unlock(&r->unit.lock);
    return relay_follow(r, true, err);
}

void relay_unwant(struct source *s, const char *who)
{
    struct relay *r = s->relay;
    struct err none = ERR_INIT;
    int i;

    mutex_lock(&r->unit.lock);
    i = find_want(r, who);
    if (i >= 0) {
        free(r->wants[i]);
        r->wants[i] = r->wants[--r->n_wants];
    }
    mutex_unlock(&r->unit.lock);
    relay_follow(r, false, &none);
}

/* --- what others ask --- */

void relay_tip(struct source *s, struct relay_tip *ret)
{
    struct relay *r = s->relay;
    enum unit_state state = unit_state(&r->unit);

    ret->at_work = !atomic_load(&r->full) && (state == UNIT_RUNNING || waits_for_retry(r));
    ret->caught_up = atomic_load(&r->connected) && atomic_load(&r->caught_up);
    ret->heard_us = atomic_load(&r->heard_us);
    mutex_lock(&r->unit.lock);
    ret->last = r->current_gtid;
    mutex_unlock(&r->unit.lock);
}

struct relay_gate *relay_gate_of(struct source *s)
{
    return s->relay->gate;
}

bool relay_is_semi_sync(struct source *s)
{
    return atomic_load(&s->relay->semi_sync_active);
}

bool relay_server_of(struct source *s, uint32_t incarnation, char ret[static 64])
{
    SCOPED(json_decrefp) json_t *servers = relay_kept(s->relay, "servers");
    char key[16];
    const char *is;

    snprintf(key, sizeof key, "%u", incarnation);
    is = json_string_value(json_object_get(servers, key));
    if (is)
        snprintf(ret, 64, "%s", is);
    return is != NULL;
}

double relay_lag_seconds(struct relay *r)
{
    int64_t heard = atomic_load(&r->heard_us), read = atomic_load(&r->read_commit_us);
    int64_t now = clock_wall_us(), since = read;

    /* Only a source that is heard can tell that there is no more. */
    if (atomic_load(&r->caught_up) || !atomic_load(&r->connected))
        since = now - heard > 2000 * (int64_t)RELAY_HEARTBEAT_MS ? heard : 0;
    return since && now > since ? (double)(now - since) / 1e6 : 0.0;
}

/* --- life --- */

struct relay *relay_new(struct source *s) NO_THREAD_CHECK
{
    struct relay *r = xcalloc(1, sizeof *r);

    r->source = s;
    r->gate = relay_gate_new();
    r->kept = json_object();
    r->corruption = json_array();
    unit_init(&r->unit, &relay_ops, &relay_type, "relay");
    r->unit.max_retries = 1000000; /* a source may be away for as long as it likes */
    return r;
}

struct node *relay_node(struct relay *r)
{
    return &r->unit.node;
}

void relay_release(struct node *n)
{
    node_unref(&relay_of(n)->source->node);
}

void relay_free(struct relay *r) NO_THREAD_CHECK
{
    journal_close(r->journal);
    unit_fini(&r->unit);
    for (unsigned i = 0; i < r->n_wants; i++)
        free(r->wants[i]);
    free(r->wants);
    free(r->accept);
    free(r->reconnect_reason);
    json_decref(r->kept);
    json_decref(r->corruption);
    relay_gate_free(r->gate);
    free(r);
}

/* Tasks are asked; others that come back for what is stored here have a hold. */
static void see_reader(void *arg, const char *who, uint64_t seq)
{
    (void)seq;
    if (strncmp(who, "drainers/", 9) == 0)
        snprintf(arg, WHO_SIZE, "%s", who);
}

static void reader_of(struct relay *r, char who[WHO_SIZE])
{
    struct err none = ERR_INIT;
    struct journal *j = relay_journal(r, false, &none);

    if (j)
        journal_holds(j, see_reader, who);
    journal_close(j);
}

int relay_may_go(struct relay *r, struct err *err)
{
    enum unit_state state = unit_state(&r->unit);
    char who[WHO_SIZE] = "";

    mutex_lock(&r->unit.lock);
    if (r->n_wants)
        snprintf(who, sizeof who, "%s", r->wants[0]);
    mutex_unlock(&r->unit.lock);
    if (who[0])
        return err_set(err, -EBUSY, "its relay is used by %s: stop that first", who);
    if (state == UNIT_RUNNING || waits_for_retry(r))
        return err_set(err, -EBUSY, "its relay runs: echo > relay/stop");
    reader_of(r, who);
    if (who[0])
        return err_set(err, -EBUSY,
                       "%s goes on from what is stored of it: remove or close that first", who);
    return 0;
}

void relay_forget(struct relay *r)
{
    SCOPED(freep) char *path = kept_path(r);
    struct sources *all = r->source->all;
    struct err err = ERR_INIT;

    catalog_delete(all->config.catalog, path, &err);
    if (!all->config.journals)
        return;
    relay_wait(r);
    err = ERR_INIT;
    if (journal_delete(all->config.journals, r->source->name, &err) < 0 && err.code != -ENOENT)
        log_warn(path, "its journal stays: %s", err.text);
}
