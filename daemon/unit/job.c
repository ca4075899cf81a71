#include "unit/job.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/filter.h"
#include "route/router.h"
#include "unit/filter_doc.h"
#include "unit/row_filter_doc.h"
#include "unit/server_doc.h"
#include "unit/shard/shards.h"
#include "unit/source/source.h"
#include "unit/task/task_doc.h"

static const char *text(const json_t *object, const char *path)
{
    return json_string_value(doc_at(object, path));
}

static const json_t *source_conf(const json_t *doc, const char *source)
{
    const json_t *conf;
    size_t i;

    json_array_foreach (doc_at(doc, "source_config.source_conf"), i, conf)
        if (strcmp(text(conf, "source_name"), source) == 0)
            return conf;
    return NULL;
}

static int set_start(struct job *j, struct err *err)
{
    const json_t *conf = source_conf(j->doc, j->source);
    const char *file = text(conf, "binlog_name");
    json_int_t offset = json_integer_value(json_object_get(conf, "binlog_pos"));

    if (j->copies)
        return 0;
    if (file && *file) {
        snprintf(j->start.file, sizeof j->start.file, "%s", file);
        j->start.offset = offset ? (uint64_t)offset : 4;
        j->has_start = true;
    }
    if (task_doc_gtids(conf, &j->start.gtids, err) < 0 ||
        task_doc_time(conf, &j->start_us, err) < 0)
        return err->code;
    j->has_start = j->has_start || j->start.gtids || j->start_us;
    return 0;
}

struct word {
    const char *word;
    unsigned value;
};

/* The value of the word at 'path'; a document that was checked has one of them. */
static unsigned choice(const json_t *doc, const char *path, const struct word *words)
{
    const char *w = text(doc, path);

    while (words->word && w && strcmp(words->word, w) != 0)
        words++;
    return words->value;
}

static const struct word apply_modes[] = { { "merged", APPLY_MERGED },
                                           { "one-to-one", APPLY_ONE_TO_ONE },
                                           { "parallel", APPLY_PARALLEL },
                                           { 0 } };
static const struct word on_errors[] = { { "stop", ON_ERROR_STOP },
                                         { "quarantine", ON_ERROR_QUARANTINE },
                                         { 0 } };
static const struct word foreign_keys[] = {
    { "source", FOREIGN_KEYS_AS_SOURCE }, { "0", FOREIGN_KEYS_OFF }, { "1", FOREIGN_KEYS_ON }, { 0 }
};
static const struct word duplicates[] = { { "error", ON_DUPLICATE_ERROR },
                                          { "replace", ON_DUPLICATE_REPLACE },
                                          { "overwrite", ON_DUPLICATE_REPLACE },
                                          { "ignore", ON_DUPLICATE_IGNORE },
                                          { 0 } };
static const struct word consistencies[] = {
    { "auto", CONSISTENT_AUTO },     { "flush", CONSISTENT_FLUSH },
    { "lock", CONSISTENT_LOCK },     { "snapshot", CONSISTENT_UNLOCKED },
    { "none", CONSISTENT_UNLOCKED }, { 0 }
};

static const struct word shard_modes[] = { { "", SHARD_OFF },
                                           { "pessimistic", SHARD_PESSIMISTIC },
                                           { "optimistic", SHARD_OPTIMISTIC },
                                           { 0 } };

static unsigned count(const json_t *doc, const char *path)
{
    return (unsigned)json_integer_value(doc_at(doc, path));
}

static unsigned threads(const json_t *doc, const char *path)
{
    unsigned n = count(doc, path);

    return n < JOB_THREADS_MAX ? n : JOB_THREADS_MAX;
}

static void set_copy_knobs(struct job *j, const json_t *conf)
{
    j->merges = json_array_size(doc_at(j->doc, "source_config.source_conf")) > 1;
    j->dump_threads = threads(conf, "export_threads");
    j->load_threads = threads(conf, "import_threads");
    j->consistency = choice(conf, "consistency", consistencies);
    j->on_duplicate = text(conf, "on_duplicate_logical")
                          ? choice(conf, "on_duplicate_logical", duplicates)
                          : choice(j->doc, "on_duplicate", duplicates);
}

static void set_sync_knobs(struct job *j, const json_t *conf)
{
    const char *zone = text(j->doc, "timezone");

    j->apply_mode = choice(j->doc, "apply_mode", apply_modes);
    j->apply_threads = threads(conf, "repl_threads");
    j->apply_batch = count(j->doc, "apply_batch");
    j->apply_rows = count(conf, "repl_batch");
    j->on_error = choice(j->doc, "on_error", on_errors);
    j->safe_mode = json_is_true(doc_at(conf, "safe_mode"));
    j->flush_s = count(conf, "checkpoint_flush_interval");
    j->foreign_keys = choice(j->doc, "target_config.session.foreign_key_checks", foreign_keys);
    j->time_zone = zone && *zone ? zone : NULL;
    j->max_retries = count(j->doc, "max_retries");
}

static void set_shards(struct job *j, const struct job_source *source)
{
    const char *mode = text(j->doc, "shard_mode");

    j->own_sources = task_doc_sources(j->doc);
    j->sources = j->own_sources;
    j->shard_strict = json_is_true(json_object_get(j->doc, "strict_optimistic_shard_mode"));
    j->merges = j->merges || (mode && *mode);
    j->shard_mode = mode ? choice(j->doc, "shard_mode", shard_modes) : SHARD_OFF;
    if (j->shard_mode != SHARD_OFF && source->shards)
        j->shards = shards_ref(source->shards);
}

static const struct word files[] = { { "dump", FILES_DUMP }, { "load", FILES_LOAD }, { 0 } };

/* With several sources each has a folder of its own below data_dir. */
static void set_folder(struct job *j)
{
    const char *dir = text(j->doc, "source_config.full_migrate_conf.data_dir");

    j->files = choice(j->doc, "task_mode", files);
    if (j->files != FILES_NONE && dir)
        j->folder = j->own_folder = j->merges ? xasprintf("%s/%s", dir, j->source) : xstrdup(dir);
}

/* What is in scope, under what name, and what of its changes is left out. */
static int set_rules(struct job *j, const struct job_source *source, struct err *err)
{
    struct router *router;
    struct filter *filter;
    int rc = task_doc_router(j->doc, source->name, source->fold_case, &router, err);

    if (rc < 0)
        return rc;
    j->router = router;
    rc = filter_doc(json_object_get(j->doc, "table_migrate_rule"),
                    json_object_get(j->doc, "binlog_filter_rule"), source->name, source->fold_case,
                    &filter, err);
    if (rc < 0)
        return rc;
    j->filter = filter;
    j->row_rules = row_filter_doc_rules(json_object_get(j->doc, "expression_filter"),
                                        source_conf(j->doc, source->name), &j->n_row_rules);
    return 0;
}

static void job_free(struct job *j)
{
    mysql_params_fini(&j->from);
    mysql_params_fini(&j->to);
    router_free((struct router *)j->router);
    filter_free((struct filter *)j->filter);
    free(j->row_rules);
    position_fini(&j->start);
    conn_set_fini(&j->conns);
    free(j->own_path);
    free(j->own_folder);
    source_unref(j->origin);
    shards_unref(j->shards);
    json_decref(j->own_sources);
    json_decref(j->doc);
    free(j);
}

struct job *job_ref(const struct job *j)
{
    struct job *mine = (struct job *)j;

    atomic_fetch_add(&mine->refs, 1);
    return mine;
}

void job_unref(const struct job *j)
{
    struct job *mine = (struct job *)j;

    if (mine && atomic_fetch_sub(&mine->refs, 1) == 1)
        job_free(mine);
}

void job_cut(const struct job *j)
{
    conn_set_shut(&((struct job *)j)->conns);
}

static void job_unrefp(struct job **j)
{
    job_unref(*j);
}

int job_new(const json_t *doc, const struct job_source *source, struct store *store,
            struct job **ret, struct err *err)
{
    SCOPED(job_unrefp) struct job *j = xcalloc(1, sizeof *j);
    int rc;

    atomic_init(&j->refs, 1);
    conn_set_init(&j->conns);
    j->doc = doc_full(task_doc_fields, doc);
    if (!source_conf(j->doc, source->name))
        return err_set(err, -EINVAL, "source %s is not of this task", source->name);
    j->task = text(j->doc, "name");
    j->source = text(source_conf(j->doc, source->name), "source_name");
    j->path = j->own_path = xasprintf("tasks/%s/sources/%s", j->task, j->source);
    j->meta_schema = text(j->doc, "meta_schema");
    j->store = store;
    j->origin = source->origin ? source_ref(source->origin) : NULL;
    j->by_gtid = source->by_gtid;
    j->fold_case = source->fold_case;
    j->copies = strcmp(text(j->doc, "task_mode"), "incremental") != 0;
    mysql_params_copy(&j->from, &source->params);
    j->from.set = j->to.set = &j->conns;
    set_copy_knobs(j, doc_at(j->doc, "source_config.full_migrate_conf"));
    set_sync_knobs(j, doc_at(j->doc, "source_config.incr_migrate_conf"));
    set_folder(j);
    set_shards(j, source);
    if ((rc = set_rules(j, source, err)) < 0)
        return rc;
    if (server_doc_params(json_object_get(j->doc, "target_config"), &j->to, err) < 0)
        return err_wrap(err, "target_config");
    if ((rc = set_start(j, err)) < 0)
        return rc;
    *ret = STEAL(j);
    return 0;
}
