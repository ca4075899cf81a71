#include "unit/drain/registrants.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/catalog.h"

static struct registrants *registrants_of(const struct node *n)
{
    return node_owner((struct node *)n, struct registrants, node);
}

int registrants_create(struct node *dir, const char *name, const json_t *spec, struct err *err)
{
    struct registrants *all = registrants_of(dir);

    return all->add(all, name, NULL, spec, err);
}

void registrants_release(struct node *n)
{
    free(registrants_of(n));
}

static json_t *get_nodes(const struct node *n, const struct attr *a, struct err *err)
{
    const struct registrants *all = registrants_of(n);

    (void)a, (void)err;
    return registry_nodes(all->config.registry, all->kind->card);
}

static int run_create(struct node *n, const json_t *args, struct err *err)
{
    return node_create_document(n, args, err);
}

const struct attr registrants_rows[] = {
    { .name = "nodes",
      .type = ATTR_JSON,
      .flags = ATTR_BULK,
      .get = get_nodes,
      .help = "All of them as TiDB-Binlog's registry shows them" },
    { 0 },
};

const struct action registrants_actions[] = {
    { .name = "create",
      .document = true,
      .run = run_create,
      .help = "Make one from a whole document, with its name in it" },
    { 0 },
};

static int load_one(void *arg, const char *shown, const json_t *kept, const struct err *why)
{
    struct registrants *all = arg;
    SCOPED(freep) char *plain = node_name_plain(shown);
    struct err err = ERR_INIT;

    if (!kept)
        log_error(all->kind->dir, "%s is left out: %s", shown, why->text);
    else if (all->add(all, plain ? plain : shown, kept, NULL, &err) < 0)
        log_error(all->kind->dir, "%s is left out: %s", shown, err.text);
    return 0;
}

struct node *registrants_new(const struct registrant_kind *kind, registrants_add_fn add,
                             struct node *pumps, const struct node_type *type,
                             const struct registry_config *c, struct err *err)
{
    struct registrants *all = xcalloc(1, sizeof *all);

    node_init(&all->node, type, kind->dir);
    all->config = *c;
    all->kind = kind;
    all->add = add;
    all->pumps = pumps;
    if (catalog_each(c->catalog, all->kind->dir, load_one, all, err) < 0) {
        node_unref(&all->node);
        return NULL;
    }
    return &all->node;
}

static void restart_one(void *arg, struct node *n)
{
    (void)arg;
    registrant_restart(registrant_of(n));
}

static void halt_one(void *arg, struct node *n)
{
    (void)arg;
    registrant_halt(registrant_of(n));
}

void registrants_start(struct node *dir)
{
    node_each(dir, restart_one, NULL);
}

void registrants_halt(struct node *dir)
{
    node_each(dir, halt_one, NULL);
}
