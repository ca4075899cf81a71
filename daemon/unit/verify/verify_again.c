/*
 * Tables with changes that nobody had looked at when the daemon was killed, or that were taken and
 * could not be looked at since a server was gone: all of their rows are compared, some chunks a
 * tick, and what differs is suspected as any changed row is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/verify/verify_follow_priv.h"

#define A_WHILE_US ((int64_t)1000000)

void verify_again_add(struct verify_follow *u, const struct verify_mark *m)
{
    for (unsigned i = 0; i < u->n_again; i++)
        if (strcmp(u->again[i].mark.name, m->name) == 0 &&
            strcmp(u->again[i].mark.db, m->db) == 0 &&
            strcmp(u->again[i].mark.source, m->source) == 0) {
            free(u->again[i].at);
            u->again[i].at = xstrdup("");
            return;
        }
    u->again = xrealloc(u->again, (u->n_again + 1) * sizeof *u->again);
    u->again[u->n_again++] =
        (struct verify_again){ .mark = { xstrdup(m->source), xstrdup(m->db), xstrdup(m->name) },
                               .at = xstrdup("") };
    atomic_store(&u->unlooked, u->n_again);
}

static void again_fini(struct verify_again *a)
{
    free(a->mark.source);
    free(a->mark.db);
    free(a->mark.name);
    free(a->at);
}

void verify_again_clear(struct verify_follow *u)
{
    for (unsigned i = 0; i < u->n_again; i++)
        again_fini(&u->again[i]);
    free(u->again);
    u->again = NULL;
    u->n_again = 0;
    atomic_store(&u->unlooked, 0);
}

bool verify_again_has(const struct verify_follow *u, const struct verify_mark *m)
{
    for (unsigned i = 0; i < u->n_again; i++)
        if (strcmp(u->again[i].mark.name, m->name) == 0 &&
            strcmp(u->again[i].mark.db, m->db) == 0 &&
            strcmp(u->again[i].mark.source, m->source) == 0)
            return true;
    return false;
}

int verify_again_load(struct verify_follow *u, const struct verify_run *r, struct err *err)
{
    struct verify_mark *all;
    unsigned n;
    int rc = 0;

    if (u->loaded)
        return 0;
    for (unsigned i = 0; rc == 0 && i < r->n_sources; i++)
        rc = verify_marks_load(u->marks, r->sources[i].job->source, err);
    if (rc < 0)
        return rc;
    all = verify_marks_all(u->marks, &n);
    for (unsigned i = 0; i < n; i++)
        verify_again_add(u, &all[i]);
    if (n)
        log_info(u->unit.path,
                 "%u tables have changes from before that nobody looked at: all of "
                 "their rows are compared",
                 n);
    verify_mark_free(all, n);
    u->loaded = true;
    return 0;
}

/* --- comparing --- */

static int chunk(struct verify_run *r, struct verify_table *t, struct verify_suspects *s,
                 const char *at, const char *upto, verify_differs *differs, struct err *err)
{
    SCOPED(verify_set_fini) struct verify_set a = { .n = 0 }, b = { .n = 0 };
    struct verify_sum source = { .rows = 0 }, target = { .rows = 0 };
    int rc = verify_sum_source(r, t, at, upto, &source, err);

    if (rc == 0)
        rc = verify_sum_target(r, t, at, upto, &target, err);
    if (rc < 0 || verify_sum_same(&source, &target))
        return rc;
    rc = verify_rows_source(r, t, at, upto, &a, err);
    if (rc == 0)
        rc = verify_rows_target(r, t, at, upto, &b, err);
    if (rc == 0)
        verify_set_compare(&a, &b, differs, s);
    return rc;
}

/* 1: that was all of it. */
int verify_again_step(struct verify_follow *u, struct verify_run *r, struct verify_table *t,
                      struct verify_suspects *s, verify_differs *differs, struct err *err)
{
    struct verify_again *a = &u->again[0];
    int64_t until = clock_mono_us() + A_WHILE_US;
    int rc = 0;

    while (rc == 0 && !unit_stopping(&u->unit)) {
        SCOPED(freep) char *upto = NULL;

        rc = verify_cut(r, t, a->at, &upto, err);
        if (rc == 0)
            rc = chunk(r, t, s, a->at, upto, differs, err);
        if (rc < 0 || !upto)
            return rc < 0 ? rc : 1;
        free(a->at);
        a->at = STEAL(upto);
        if (clock_mono_us() > until)
            break;
    }
    return 0;
}

void verify_again_done(struct verify_follow *u)
{
    again_fini(&u->again[0]);
    u->n_again--;
    memmove(u->again, u->again + 1, u->n_again * sizeof *u->again);
    atomic_store(&u->unlooked, u->n_again);
}
