/* What an operator asks of a sync unit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_gone.h"
#include "unit/sync/sync_node.h"
#include "unit/sync/sync_operator.h"

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

/* --- a DDL that failed, or will --- */

static const char *arg(const json_t *args, const char *name)
{
    return json_string_value(json_object_get(args, name));
}

/* One that stands still for its error goes on now. */
static int go_on(struct sync *s, struct err *err)
{
    struct err ignored = ERR_INIT;

    if (unit_state(&s->unit) == UNIT_ERROR && unit_start(&s->unit, &ignored) < 0 &&
        ignored.code != -EBUSY)
        *err = ignored;
    return err->code;
}

static int operation(struct node *n, const json_t *args, const char *op, struct err *err)
{
    struct sync *s = sync_of_node(n);
    int rc = operators_add(s, op, arg(args, "position"), arg(args, "sql"), err);

    return rc < 0 ? rc : go_on(s, err);
}

/* With a table it is about one that is set aside. */
static int run_skip(struct node *n, const json_t *args, struct err *err)
{
    return json_object_get(args, "table") ? release(n, args, true, err)
                                          : operation(n, args, "skip", err);
}

static int run_replace(struct node *n, const json_t *args, struct err *err)
{
    return operation(n, args, "replace", err);
}

static int run_inject(struct node *n, const json_t *args, struct err *err)
{
    return operation(n, args, "inject", err);
}

static int run_revert(struct node *n, const json_t *args, struct err *err)
{
    return operators_revert(sync_of_node(n), arg(args, "position"), err);
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
#define POSITION                                                                                 \
    {                                                                                            \
        .name = "position",                                                                      \
        .help = "Where the DDL is, as FILE:OFFSET of its event; without it the one that failed", \
        .type = ATTR_TEXT                                                                        \
    }
static const struct attr position_params[] = { POSITION, { 0 } };
static const struct attr skip_params[] = {
    POSITION,
    { .name = "table", .help = "A table that is set aside; empty: all", .type = ATTR_TEXT },
    { 0 },
};
static const struct attr sql_params[] = {
    POSITION,
    { .name = "sql",
      .help =
          "The statements, with ; between them; tables as the source calls them, with their schema",
      .type = ATTR_TEXT,
      .flags = ATTR_REQUIRED },
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
      .help =
          "Passes by the DDL that the target refused, or the one at position, and goes on; with "
          "table: takes one that is set aside back without the changes that it missed",
      .params = skip_params,
      .run = run_skip },
    { .name = "replace",
      .help =
          "Runs other DDL, each statement once, instead of the one that the target refused, and "
          "goes on",
      .params = sql_params,
      .run = run_replace },
    { .name = "inject",
      .help = "Runs DDL, each statement once, before the one that the target refused, and goes on",
      .params = sql_params,
      .run = run_inject },
    { .name = "revert",
      .help = "Forgets what is to be done about a DDL that has not come yet",
      .params = position_params,
      .run = run_revert },
    { .name = "resolve_ddl",
      .help =
          "Answers whether a DDL had run at the target when we were killed; done also says that "
          "what a refused statement takes was made there by hand",
      .params = resolve_params,
      .run = run_resolve },
    { 0 },
};
