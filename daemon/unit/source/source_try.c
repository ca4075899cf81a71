/* source_try.c - does the server of a document answer, before there is a source of it? */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/precheck/precheck.h"
#include "unit/source/source_doc.h"
#include "unit/source/source_priv.h"

/* Passwords that are masked or left out are those of the source of this name, if there is one. */
static void keep_secrets(struct node *sources, const char *name, json_t *doc)
{
    struct source *s = source_find(sources, name);
    SCOPED(json_decrefp) json_t *old = s ? source_doc(s) : NULL;

    doc_keep_secrets(source_doc_fields, doc, old);
    source_unref(s);
}

static int verdict(const struct precheck_report *r, struct err *err)
{
    for (unsigned i = 0; i < r->n; i++) {
        const struct precheck_line *l = &r->lines[i];
        bool no_answer = strcmp(l->id, "connection") == 0;

        if (l->level != PRECHECK_FAIL || (!no_answer && strcmp(l->id, "gtid") != 0))
            continue;
        err_set(err, no_answer ? -EHOSTUNREACH : -EINVAL, "%s: %s%s%s", l->id, l->text,
                l->fix ? "; " : "", l->fix ? l->fix : "");
        return err_because(err, no_answer ? REASON_SOURCE : REASON_GTID_MODE);
    }
    return 0;
}

static int ask(const json_t *doc, struct err *err)
{
    struct precheck_report report = { 0 };
    struct mysql_params params = { 0 };
    int rc = source_doc_params(doc, &params, err);

    if (rc < 0)
        return rc;
    params.connect_timeout_s = PROBE_CONNECT_S;
    params.io_timeout_s = PROBE_IO_S;
    rc = precheck_source(&params, json_is_true(doc_at(doc, "enable_gtid")), &report, err);
    if (rc == 0)
        rc = verdict(&report, err);
    precheck_report_fini(&report);
    mysql_params_fini(&params);
    return rc;
}

int sources_try(struct node *sources, const json_t *doc, struct err *err)
{
    const char *name = json_string_value(json_object_get(doc, "source_name"));
    SCOPED(json_decrefp) json_t *checked = NULL;
    int rc;

    if (!name)
        return err_set(err, -EINVAL, "source_name: the document names none");
    if ((rc = source_doc_check(doc, name, &checked, err)) < 0)
        return rc;
    keep_secrets(sources, name, checked);
    return ask(checked, err);
}
