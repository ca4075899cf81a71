#include "unit/verify/verify_cutover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/read/read_snapshot.h"
#include "unit/sync/sync.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/verify/verify_follow_priv.h"

static const char *const state_names[] = { "waiting", "reached", "validated", NULL };

static void cutover_fini(struct verify_cutover *c)
{
    free(c->source);
    free(c->at);
}

void verify_cutovers_fini(struct verify_cutovers *c)
{
    for (unsigned i = 0; i < c->n; i++)
        cutover_fini(&c->all[i]);
    free(c->all);
    *c = (struct verify_cutovers){ .n = 0 };
}

static struct verify_cutover *find(const struct verify_cutovers *c, const char *source)
{
    for (unsigned i = 0; i < c->n; i++)
        if (strcmp(c->all[i].source, source) == 0)
            return &c->all[i];
    return NULL;
}

static void put(struct verify_cutovers *c, const struct verify_cutover *one)
{
    struct verify_cutover *to = find(c, one->source);

    if (to) {
        cutover_fini(to);
    } else {
        c->all = xrealloc(c->all, (c->n + 1) * sizeof *c->all);
        to = &c->all[c->n++];
    }
    *to = *one;
    to->source = xstrdup(one->source);
    to->at = xstrdup(one->at);
}

/* --- kept, and shown --- */

json_t *verify_cutovers_json(const struct verify_cutovers *c)
{
    json_t *all = json_array();

    for (unsigned i = 0; i < c->n; i++) {
        const struct verify_cutover *one = &c->all[i];

        json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s, s:I}", "source", one->source,
                                             one->by_gtid ? "gtid" : "pos", one->at, "state",
                                             state_names[one->state], "validated", one->validated,
                                             "errors", (json_int_t)one->errors));
    }
    return all;
}

static const char *text_of(const json_t *one, const char *name)
{
    const char *text = json_string_value(json_object_get(one, name));

    return text ? text : "";
}

void verify_cutovers_take(struct verify_cutovers *c, const json_t *kept)
{
    const json_t *one;
    size_t i;

    verify_cutovers_fini(c);
    json_array_foreach (kept, i, one) {
        bool by_gtid = json_object_get(one, "gtid");
        struct verify_cutover to = { .source = (char *)text_of(one, "source"),
                                     .at = (char *)text_of(one, by_gtid ? "gtid" : "pos"),
                                     .by_gtid = by_gtid,
                                     .errors = (uint64_t)json_integer_value(
                                         json_object_get(one, "errors")) };

        for (unsigned k = 0; state_names[k]; k++)
            if (strcmp(state_names[k], text_of(one, "state")) == 0)
                to.state = (enum verify_cutover_state)k;
        snprintf(to.validated, sizeof to.validated, "%s", text_of(one, "validated"));
        put(c, &to);
    }
}

/* --- is it there? --- */

bool verify_cutover_parse(const char *text, struct position *ret)
{
    const char *colon = strrchr(text, ':');
    char *end;

    if (!colon || colon == text || (size_t)(colon - text) >= sizeof ret->file ||
        !strchr("0123456789", colon[1]) || !colon[1])
        return false;
    snprintf(ret->file, sizeof ret->file, "%.*s", (int)(colon - text), text);
    errno = 0;
    ret->offset = strtoull(colon + 1, &end, 10);
    return !*end && errno == 0 && strchr(ret->file, '.');
}

static bool is_past(const struct verify_cutover *c, const struct follow_source *s,
                    enum flavor flavor)
{
    struct position at = { .offset = 0 };
    struct gtid_set *wanted = NULL, *has = NULL;
    struct err ignored = ERR_INIT;
    bool past;

    if (!c->by_gtid)
        return s->at.file[0] && verify_cutover_parse(c->at, &at) &&
               position_compare(&s->at, &at) >= 0;
    past = s->gtids && s->gtids[0] && gtid_set_parse(&wanted, flavor, c->at, &ignored) == 0 &&
           gtid_set_parse(&has, flavor, s->gtids, &ignored) == 0 && gtid_set_subset(wanted, has);
    gtid_set_free(wanted);
    gtid_set_free(has);
    return past;
}

void verify_cutovers_see(struct verify_follow *f, const char *source, const struct follow_source *s,
                         enum flavor flavor)
{
    struct verify_cutover *c;
    bool reached;

    mutex_lock(&f->settings);
    c = find(&f->cutovers, source);
    reached = s && c && c->state == CUTOVER_WAITING && is_past(c, s, flavor);
    if (reached)
        c->state = CUTOVER_REACHED;
    mutex_unlock(&f->settings);
    if (reached)
        node_changed(&f->unit.node, "cutovers");
}

void verify_cutovers_settled(struct verify_follow *f)
{
    struct err ignored = ERR_INIT; /* it is settled once more */
    bool any = false;

    mutex_lock(&f->settings);
    for (unsigned i = 0; i < f->cutovers.n; i++) {
        struct verify_cutover *c = &f->cutovers.all[i];

        if (c->state != CUTOVER_REACHED)
            continue;
        c->state = CUTOVER_VALIDATED;
        clock_text(clock_wall_us(), c->validated);
        c->errors = atomic_load(&f->errors_new);
        any = true;
    }
    mutex_unlock(&f->settings);
    if (!any)
        return;
    (void)verify_follow_keep(f, !unit_stopping(&f->unit), &ignored);
    node_changed(&f->unit.node, "cutovers");
    node_event(&f->unit.node, "cutover", json_pack("{s:s}", "to", "validated"));
}

bool verify_cutover_reached(struct verify_follow *f, const char *source)
{
    const struct verify_cutover *c;
    bool reached;

    mutex_lock(&f->settings);
    c = find(&f->cutovers, source);
    reached = c && c->state == CUTOVER_REACHED;
    mutex_unlock(&f->settings);
    return reached;
}

/* --- what somebody wants --- */

const struct attr verify_cutover_params[] = {
    { .name = "source",
      .type = ATTR_TEXT,
      .help = "Of this source; needed where there are several" },
    { .name = "pos", .type = ATTR_TEXT, .help = "File and offset: bin.000003:4711" },
    { .name = "gtid", .type = ATTR_TEXT, .help = "A set of GTIDs instead" },
    { 0 },
};

static struct verify_follow *follow_of(struct node *n)
{
    return node_owner(n, struct verify_follow, unit.node);
}

/* With a reference. */
static struct subtask *source_of(struct verify_follow *f, const char *name, struct err *err)
{
    struct task *t = f->task;
    struct subtask *s = NULL;
    unsigned n;

    if (name)
        s = task_find_sub(t, name);
    mutex_lock(&t->lock);
    n = t->n_subs;
    if (!name && n == 1) {
        s = t->subs[0];
        node_ref(&s->node);
    }
    mutex_unlock(&t->lock);
    if (!s && n == 0)
        err_set(err, -EBUSY, "the task was never started: there is nothing to look at");
    else if (!s && name)
        err_set(err, -ENOENT, "source: %s is not of this task", name);
    else if (!s)
        err_set(err, -EINVAL,
                "source: the task has several, say which: source=NAME pos=FILE:OFFSET");
    return s;
}

static int check_gtid(const struct subtask *s, const char *text, struct err *err)
{
    SCOPED(freep) char *known = s->units[STAGE_SYNC] ? sync_gtids(s->units[STAGE_SYNC]) : NULL;
    struct gtid_set *set = NULL;
    struct err ignored = ERR_INIT;
    enum flavor flavor = FLAVOR_MYSQL;
    int rc;

    if (!known || !known[0])
        return err_set(err, -EINVAL,
                       "gtid: the task does not know which GTIDs it has of source %s: "
                       "give pos=FILE:OFFSET",
                       s->job->source);
    if (gtid_set_parse(&set, flavor, known, &ignored) < 0)
        flavor = FLAVOR_MARIADB;
    gtid_set_free(set);
    set = NULL;
    rc = gtid_set_parse(&set, flavor, text, err);
    gtid_set_free(set);
    return rc < 0 ? err_wrap(err, "gtid") : 0;
}

/* Without a place: the source's end. */
static int ask_now(const struct subtask *s, char **ret, struct err *err)
{
    SCOPED(position_fini) struct position now = { .offset = 0 };
    struct mysql_conn *c;
    int rc = mysql_conn_open(&c, &s->job->from, err);

    if (rc == 0) {
        rc = read_position_now(c, &now, err);
        mysql_conn_close(c);
    }
    if (rc < 0)
        return err_wrap(err, "source %s", s->job->source);
    *ret = xasprintf("%s:%llu", now.file, (unsigned long long)now.offset);
    return 0;
}

static int take_place(const struct subtask *s, const json_t *args, char **at, bool *by_gtid,
                      struct err *err)
{
    const char *pos = json_string_value(json_object_get(args, "pos"));
    const char *gtid = json_string_value(json_object_get(args, "gtid"));
    struct position parsed;

    *by_gtid = gtid;
    if (pos && gtid)
        return err_set(err, -EINVAL, "pos and gtid: only one of them says where it is");
    if (!pos && !gtid)
        return ask_now(s, at, err);
    if (pos && !verify_cutover_parse(pos, &parsed))
        return err_set(err, -EINVAL, "pos: '%s' is no place: bin.000003:4711 is expected", pos);
    *at = xstrdup(pos ? pos : gtid);
    return gtid ? check_gtid(s, gtid, err) : 0;
}

int verify_cutover_run(struct node *n, const json_t *args, struct err *err)
{
    struct verify_follow *f = follow_of(n);
    struct subtask *s = source_of(f, json_string_value(json_object_get(args, "source")), err);
    SCOPED(freep) char *at = NULL;
    bool by_gtid;
    int rc;

    if (!s)
        return err->code;
    rc = take_place(s, args, &at, &by_gtid, err);
    if (rc == 0) {
        mutex_lock(&f->settings);
        put(&f->cutovers, &(struct verify_cutover){
                              .source = (char *)s->job->source, .at = at, .by_gtid = by_gtid });
        mutex_unlock(&f->settings);
        rc = verify_follow_keep(f, verify_follow_wanted(f), err);
        node_changed(n, "cutovers");
    }
    node_unref(&s->node);
    return rc;
}

int verify_cutover_clear(struct node *n, const json_t *args, struct err *err)
{
    struct verify_follow *f = follow_of(n);

    (void)args;
    mutex_lock(&f->settings);
    verify_cutovers_fini(&f->cutovers);
    mutex_unlock(&f->settings);
    node_changed(n, "cutovers");
    return verify_follow_keep(f, verify_follow_wanted(f), err);
}
