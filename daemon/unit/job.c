#include "unit/job.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/router.h"
#include "store/secret.h"
#include "unit/task_doc.h"

/* --- rules --- */

static const char *text(const json_t *object, const char *path)
{
    return json_string_value(doc_at(object, path));
}

struct rules {
    struct router_rule *at;
    unsigned n;
};

static void rules_add(struct rules *r, struct router_rule rule)
{
    r->at = xrealloc(r->at, (r->n + 1) * sizeof *r->at);
    r->at[r->n++] = rule;
}

static void rules_freep(struct rules *r)
{
    free(r->at);
}

/* The table_migrate_rule entries of 'source': what they cover, and the routes among them. */
static void migrate_rules(const json_t *doc, const char *source, struct rules *covered,
                          struct rules *routes)
{
    const json_t *rule;
    size_t i;

    json_array_foreach (json_object_get(doc, "table_migrate_rule"), i, rule) {
        const char *to_schema = text(rule, "target.schema"), *to_table = text(rule, "target.table");
        struct router_rule r = { .schema = text(rule, "source.schema"),
                                 .table = text(rule, "source.table"),
                                 .to_schema = to_schema,
                                 .to_table = to_table };

        if (strcmp(text(rule, "source.source_name"), source) != 0)
            continue;
        rules_add(covered, r);
        if ((to_schema && *to_schema) || (to_table && *to_table))
            rules_add(routes, r);
    }
}

static void list_rules(const json_t *list, const char *schemas, const char *tables,
                       struct rules *ret)
{
    const json_t *e;
    size_t i;

    json_array_foreach (json_object_get(list, schemas), i, e)
        rules_add(ret, (struct router_rule){ .schema = json_string_value(e) });
    json_array_foreach (json_object_get(list, tables), i, e)
        rules_add(ret, (struct router_rule){ .schema = text(e, "db_name"),
                                             .table = text(e, "tbl_name") });
}

int job_router(const json_t *doc, const char *source, bool fold_case, struct router **ret,
               struct err *err)
{
    SCOPED(rules_freep) struct rules covered = { 0 };
    SCOPED(rules_freep) struct rules routes = { 0 };
    SCOPED(rules_freep) struct rules allow = { 0 };
    SCOPED(rules_freep) struct rules block = { 0 };
    const json_t *list = json_object_get(doc, "block_allow_list");
    struct router_config c = { .meta_schema = text(doc, "meta_schema"), .fold_case = fold_case };

    migrate_rules(doc, source, &covered, &routes);
    list_rules(list, "do_dbs", "do_tables", &allow);
    list_rules(list, "ignore_dbs", "ignore_tables", &block);
    c.migrate_rules = covered.at, c.n_migrate = covered.n;
    c.routes = routes.at, c.n_routes = routes.n;
    c.do_rules = allow.at, c.n_do = allow.n;
    c.ignore_rules = block.at, c.n_ignore = block.n;
    return router_new(&c, ret, err);
}

/* --- the job --- */

static const json_t *source_conf(const json_t *doc, const char *source)
{
    const json_t *conf;
    size_t i;

    json_array_foreach (doc_at(doc, "source_config.source_conf"), i, conf)
        if (strcmp(text(conf, "source_name"), source) == 0)
            return conf;
    return NULL;
}

static char *dup_text(const json_t *object, const char *path)
{
    const char *s = text(object, path);

    return s && *s ? xstrdup(s) : NULL;
}

static int resolve(const json_t *object, const char *path, char **ret, struct err *err)
{
    const char *s = text(object, path);
    int rc = s && *s ? secret_resolve(s, ret, err) : 0;

    return rc < 0 ? err_wrap(err, "%s", path) : 0;
}

static int set_target(struct job *j, struct err *err)
{
    const json_t *tls = doc_at(j->doc, "target_config.security");
    struct mysql_params *to = &j->to;
    int rc;

    to->host = dup_text(j->doc, "target_config.host");
    to->port = (unsigned)json_integer_value(doc_at(j->doc, "target_config.port"));
    to->user = dup_text(j->doc, "target_config.user");
    if ((rc = resolve(j->doc, "target_config.password", &to->password, err)) < 0)
        return rc;
    to->tls.ca = dup_text(tls, "ssl_ca_content");
    to->tls.cert = dup_text(tls, "ssl_cert_content");
    to->tls.required = to->tls.ca || to->tls.cert;
    to->tls.verify = to->tls.ca != NULL;
    return resolve(tls, "ssl_key_content", &to->tls.key, err);
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
    if (task_doc_gtids(conf, &j->start.gtids, err) < 0)
        return err->code;
    j->has_start = j->has_start || j->start.gtids;
    return 0;
}

static unsigned choice(const json_t *v, const char *const *words)
{
    unsigned i = 0;

    while (words[i] && strcmp(words[i], json_string_value(v)) != 0)
        i++;
    return i;
}

static unsigned count(const json_t *doc, const char *path)
{
    return (unsigned)json_integer_value(doc_at(doc, path));
}

static void set_knobs(struct job *j)
{
    static const char *const apply_modes[] = { [APPLY_MERGED] = "merged",
                                               [APPLY_ONE_TO_ONE] = "one-to-one",
                                               [APPLY_PARALLEL] = "parallel",
                                               NULL };
    static const char *const on_errors[] = {
        [ON_ERROR_STOP] = "stop", [ON_ERROR_QUARANTINE] = "quarantine", NULL
    };
    const char *foreign_keys = text(j->doc, "target_config.session.foreign_key_checks");

    j->merges = json_array_size(doc_at(j->doc, "source_config.source_conf")) > 1;
    j->dump_threads = count(j->doc, "source_config.full_migrate_conf.export_threads");
    j->load_threads = count(j->doc, "source_config.full_migrate_conf.import_threads");
    j->apply_mode = choice(json_object_get(j->doc, "apply_mode"), apply_modes);
    j->apply_threads = count(j->doc, "source_config.incr_migrate_conf.repl_threads");
    j->apply_batch = count(j->doc, "apply_batch");
    j->on_error = choice(json_object_get(j->doc, "on_error"), on_errors);
    j->safe_mode = json_is_true(doc_at(j->doc, "source_config.incr_migrate_conf.safe_mode"));
    j->foreign_key_checks = strcmp(foreign_keys, "1") == 0;
    j->max_retries = count(j->doc, "max_retries");
}

static void job_free(struct job *j)
{
    mysql_params_fini(&j->from);
    mysql_params_fini(&j->to);
    router_free((struct router *)j->router);
    position_fini(&j->start);
    free(j->own_path);
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

static void job_unrefp(struct job **j)
{
    job_unref(*j);
}

int job_new(const json_t *doc, const struct job_source *source, struct store *store,
            struct job **ret, struct err *err)
{
    SCOPED(job_unrefp) struct job *j = xcalloc(1, sizeof *j);
    struct router *router;
    int rc;

    atomic_init(&j->refs, 1);
    j->doc = doc_full(task_doc_fields, doc);
    if (!source_conf(j->doc, source->name))
        return err_set(err, -EINVAL, "source %s is not of this task", source->name);
    j->task = text(j->doc, "name");
    j->source = text(source_conf(j->doc, source->name), "source_name");
    j->path = j->own_path = xasprintf("tasks/%s/sources/%s", j->task, j->source);
    j->meta_schema = text(j->doc, "meta_schema");
    j->store = store;
    j->by_gtid = source->by_gtid;
    j->copies = strcmp(text(j->doc, "task_mode"), "incremental") != 0;
    mysql_params_copy(&j->from, &source->params);
    set_knobs(j);
    if ((rc = job_router(j->doc, source->name, source->fold_case, &router, err)) < 0)
        return rc;
    j->router = router;
    if ((rc = set_target(j, err)) < 0 || (rc = set_start(j, err)) < 0)
        return rc;
    *ret = STEAL(j);
    return 0;
}
