/* source_checker.c - sources/<s>/checker/: when tasks go on by themselves after errors that
 * somebody has to mend. */
#include "base/mem.h"
#include "base/scope.h"
#include "unit/source/source_doc.h"
#include "unit/source/source_priv.h"
#include "unit/unit.h"

static struct source *checker_owner(const struct node *n)
{
    return node_owner(n, struct source, checker);
}

static void checker_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&checker_owner(n)->lock);
}

static void checker_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&checker_owner(n)->lock);
}

void source_patience(struct source *s, struct unit_patience *p)
{
    SCOPED(json_decrefp) json_t *doc = source_doc(s);
    SCOPED(json_decrefp)
    json_t *full = doc_full(source_doc_checker_fields, doc_at(doc, "checker"));

    p->resumes = json_is_true(json_object_get(full, "check_enable"));
    p->longest_ms = json_integer_value(json_object_get(full, "backoff_max")) * 1000;
    p->calm_ms = json_integer_value(json_object_get(full, "backoff_rollback")) * 1000;
}

/* --- the rows; the node is locked, so NO_THREAD_CHECK --- */

static json_t *get_field(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return source_field(source_doc_checker_fields, doc_at(checker_owner(n)->doc, "checker"), a);
}

static int set_field(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    SCOPED(freep) char *path = xasprintf("checker.%s", a->name);

    return source_set_field(checker_owner(n), path, v, err);
}

static const struct attr checker_attrs[] = {
    { .name = "check_enable",
      .type = ATTR_BOOL,
      .flags = ATTR_STORED,
      .get = get_field,
      .set = set_field,
      .help = "Whether sync of any task goes on by itself after errors that somebody may mend; a "
              "task's auto_resume says it for that task alone" },
    { .name = "backoff_max",
      .type = ATTR_COUNT,
      .flags = ATTR_STORED,
      .get = get_field,
      .set = set_field,
      .help = "Longest wait before such an attempt, in seconds; the first is about one, and each "
              "twice as long as the one before" },
    { .name = "backoff_rollback",
      .type = ATTR_COUNT,
      .flags = ATTR_STORED,
      .get = get_field,
      .set = set_field,
      .help = "After so many seconds without an error, the next wait is half as long" },
    { 0 },
};

static const char *const checker_examples[] = {
    "echo true > check_enable",
    "echo 60 > backoff_max",
    "cat check_enable backoff_max",
    NULL,
};

static void checker_release(struct node *n)
{
    node_unref(&checker_owner(n)->node);
}

const struct node_type source_checker_type = {
    .name = "checker",
    .help = "Whether what reads this source tries again after errors that somebody has to mend, "
            "such as a table that the target lacks. What may pass by itself is always tried again.",
    .examples = checker_examples,
    .attrs = checker_attrs,
    .lock = checker_lock,
    .unlock = checker_unlock,
    .release = checker_release,
};
