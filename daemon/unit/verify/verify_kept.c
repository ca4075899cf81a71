/* What is kept here of a comparison: what is wanted, and what was shown when it ended. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/catalog.h"
#include "unit/task/task.h"
#include "unit/verify/verify_follow.h"
#include "unit/verify/verify_priv.h"

static char *kept_path(const struct verify *v)
{
    return xasprintf("verify/%s", v->task->node.name);
}

static char *shown_path(const struct verify *v)
{
    return xasprintf("verify_shown/%s", v->task->node.name);
}

int verify_keep(struct verify *v, bool runs, struct err *err)
{
    SCOPED(freep) char *path = kept_path(v);
    json_t *doc;
    bool repairs, fresh;
    int rc;

    mutex_lock(&v->unit.lock);
    repairs = v->repairs;
    fresh = v->fresh;
    mutex_unlock(&v->unit.lock);
    mutex_lock(&v->settings);
    doc = json_pack("{s:b, s:b, s:b, s:I, s:I}", "runs", runs, "fresh", fresh, "repairs", repairs,
                    "rate", (json_int_t)v->rate, "chunk_rows", (json_int_t)v->chunk_rows);
    mutex_unlock(&v->settings);
    rc = catalog_put(v->task->config.catalog, path, doc, err);
    json_decref(doc);
    return rc;
}

/* --- what was shown --- */

/* Counters, by the names of their files. */
static const struct {
    const char *name;
    size_t offset;
} counters[] = {
    { "tables", offsetof(struct verify, tables) },
    { "tables_done", offsetof(struct verify, tables_done) },
    { "tables_failed", offsetof(struct verify, tables_failed) },
    { "rows_checked", offsetof(struct verify, rows_checked) },
    { "rows_differing", offsetof(struct verify, rows_differing) },
    { "rows_unsettled", offsetof(struct verify, rows_unsettled) },
    { "rows_not_judged", offsetof(struct verify, rows_not_judged) },
};

static _Atomic uint64_t *counter_of(struct verify *v, size_t i)
{
    return (_Atomic uint64_t *)((char *)v + counters[i].offset);
}

void verify_keep_shown(struct verify *v)
{
    SCOPED(freep) char *path = shown_path(v);
    struct err err = ERR_INIT;
    json_t *doc = json_object();

    for (size_t i = 0; i < ARRAY_LEN(counters); i++)
        json_object_set_new(doc, counters[i].name,
                            json_integer((json_int_t)atomic_load(counter_of(v, i))));
    json_object_set_new(doc, "state", json_string(unit_state_names[unit_state(&v->unit)]));
    mutex_lock(&v->unit.lock);
    json_object_set_new(doc, "now", json_string_nocheck(v->now ? v->now : ""));
    json_object_set_new(doc, "differing", json_deep_copy(v->found));
    json_object_set_new(doc, "report", json_deep_copy(v->report));
    mutex_unlock(&v->unit.lock);
    if (catalog_put(v->task->config.catalog, path, doc, &err) < 0)
        log_warn(v->unit.path, "what was found is not shown after a restart: %s", err.text);
    json_decref(doc);
}

static void take_array(json_t **to, const json_t *from)
{
    if (!json_is_array(from))
        return;
    json_decref(*to);
    *to = json_deep_copy(from);
}

static void take_shown(struct verify *v)
{
    SCOPED(freep) char *path = shown_path(v);
    struct err ignored = ERR_INIT; /* nothing was compared */
    json_t *doc = NULL;
    const char *state;

    if (catalog_get(v->task->config.catalog, path, &doc, &ignored) < 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(counters); i++)
        atomic_store(counter_of(v, i),
                     (uint64_t)json_integer_value(json_object_get(doc, counters[i].name)));
    mutex_lock(&v->unit.lock);
    free(v->now);
    v->now = xstrdup(json_string_value(json_object_get(doc, "now")));
    take_array(&v->found, json_object_get(doc, "differing"));
    take_array(&v->report, json_object_get(doc, "report"));
    mutex_unlock(&v->unit.lock);
    state = json_string_value(json_object_get(doc, "state"));
    for (unsigned i = 0; state && i < UNIT_N_STATES; i++)
        if (strcmp(unit_state_names[i], state) == 0)
            unit_was(&v->unit, (enum unit_state)i);
    json_decref(doc);
}

/* --- the daemon starts; the task is removed --- */

void verify_resume(struct verify *v)
{
    SCOPED(freep) char *path = kept_path(v);
    struct err err = ERR_INIT;
    json_t *doc = NULL;

    verify_follow_resume(v->follow);
    if (catalog_get(v->task->config.catalog, path, &doc, &err) < 0)
        return;
    mutex_lock(&v->settings);
    v->rate = (uint64_t)json_integer_value(json_object_get(doc, "rate"));
    v->chunk_rows = (uint64_t)json_integer_value(json_object_get(doc, "chunk_rows"));
    mutex_unlock(&v->settings);
    mutex_lock(&v->unit.lock);
    v->repairs = json_is_true(json_object_get(doc, "repairs"));
    v->fresh = json_is_true(json_object_get(doc, "fresh"));
    mutex_unlock(&v->unit.lock);
    take_shown(v);
    if (json_is_true(json_object_get(doc, "runs")) && verify_run(v, VERIFY_GO_ON, &err) < 0)
        log_error(path, "cannot go on: %s", err.text);
    json_decref(doc);
}

void verify_drop(struct verify *v)
{
    SCOPED(freep) char *path = kept_path(v);
    SCOPED(freep) char *shown = shown_path(v);
    struct err ignored = ERR_INIT;

    (void)catalog_delete(v->task->config.catalog, path, &ignored);
    (void)catalog_delete(v->task->config.catalog, shown, &ignored);
    verify_follow_drop(v->follow);
}
