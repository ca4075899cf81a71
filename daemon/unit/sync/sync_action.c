/* What an operator asks of a sync unit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_gone.h"
#include "unit/sync/sync_node.h"

static void ask(struct sync *s, const char *table, bool skip)
{
    char *old;

    mutex_lock(&s->unit.lock);
    old = s->release;
    s->release = xstrdup(table);
    s->release_skips = skip;
    atomic_store(&s->leave, true);
    sync_interrupt(s, false);
    mutex_unlock(&s->unit.lock);
    free(old);
}

void sync_reload(struct unit *u)
{
    struct sync *s = node_owner(u, struct sync, unit);

    mutex_lock(&s->unit.lock);
    atomic_fetch_add(&s->reloads, 1);
    sync_interrupt(s, false);
    mutex_unlock(&s->unit.lock);
}

static int check_aside(struct sync *s, const char *table, bool skip, struct err *err)
{
    SCOPED(freep) char *list = NULL, *gone = NULL, *wanted = xasprintf(",%s,", table);
    bool busy;

    mutex_lock(&s->unit.lock);
    busy = s->catching_up && s->catching_up[0];
    list = xasprintf(",%s,", s->aside_text ? s->aside_text : "");
    gone = xasprintf(",%s,", s->aside_gone ? s->aside_gone : "");
    mutex_unlock(&s->unit.lock);
    if (busy)
        return err_set(err, -EBUSY, "a table is catching up: see catching_up");
    if (strcmp(list, ",,") == 0)
        return err_set(err, -ENOENT, "no table is set aside");
    if (table[0] && !strstr(list, wanted))
        return err_set(err, -ENOENT, "table %s is not set aside: see set_aside", table);
    if (!skip && table[0] && strstr(gone, wanted))
        return gone_refusal(s->job, table, err);
    if (!skip && !table[0] && strcmp(gone, list) == 0) {
        gone[strlen(gone) - 1] = '\0'; /* without the commas around it */
        return gone_refusal(s->job, gone + 1, err);
    }
    return 0;
}

/* The loop ends, takes the tables back and begins anew: see catching_up, set_aside and error. */
static int release(struct node *n, const json_t *args, bool skip, struct err *err)
{
    struct sync *s = sync_of_node(n);
    const char *table = json_string_value(json_object_get(args, "table"));
    int rc = check_aside(s, table ? table : "", skip, err);

    if (rc < 0)
        return rc;
    ask(s, table ? table : "", skip);
    return 0;
}

static int run_release(struct node *n, const json_t *args, struct err *err)
{
    return release(n, args, false, err);
}

static int run_skip(struct node *n, const json_t *args, struct err *err)
{
    return release(n, args, true, err);
}

static int run_resolve(struct node *n, const json_t *args, struct err *err)
{
    struct sync *s = sync_of_node(n);
    const char *as = json_string_value(json_object_get(args, "as"));
    bool runs;

    if (!as || (strcmp(as, "done") != 0 && strcmp(as, "run") != 0))
        return err_set(err, -EINVAL, "say as=done (it ran at the target) or as=run (it did not)");
    mutex_lock(&s->unit.lock);
    runs = s->run != NULL;
    mutex_unlock(&s->unit.lock);
    if (runs) /* the word would lie there for a statement that nobody has looked at */
        return err_set(err, -EBUSY, "nothing is open: the stream goes on");
    return sync_ddl_resolve(s->job, as, err);
}

static const struct attr table_params[] = {
    { .name = "table",
      .help = "One that is set aside; without it all are taken back, one after the other",
      .type = ATTR_TEXT },
    { 0 },
};
static const struct attr resolve_params[] = {
    { .name = "as", .help = "done or run", .type = ATTR_TEXT },
    { 0 },
};
const struct action sync_actions[] = {
    { .name = "release",
      .help = "Brings the tables that were set aside to where the others are",
      .params = table_params,
      .run = run_release },
    { .name = "skip",
      .help = "Takes them back as they are, without the changes that they missed",
      .params = table_params,
      .run = run_skip },
    { .name = "resolve_ddl",
      .help =
          "Answers whether a DDL had run at the target when we were killed; done also says that "
          "what a refused statement takes was made there by hand",
      .params = resolve_params,
      .run = run_resolve },
    { 0 },
};
