/* precheck_online.c - tables that an online schema change works on, or left behind. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/job.h"
#include "unit/precheck/precheck_priv.h"

static bool has(const struct table_names *names, const char *db, const char *name)
{
    for (unsigned i = 0; i < names->n; i++)
        if (strcmp(names->names[i].db, db) == 0 && strcmp(names->names[i].name, name) == 0)
            return true;
    return false;
}

static void say(struct precheck *p, const struct table_name *n, const char *base)
{
    SCOPED(buf_fini) struct buf fix = BUF_INIT;

    buf_str(&fix, "type at the source: DROP TABLE ");
    sql_table(&fix, n->db, n->name);
    buf_str(&fix, " (if nothing works on it any more; else wait until that has ended)");
    precheck_add(p, PRECHECK_WARN, "online_ddl", fix.data,
                 "%s.%s: an online schema change of %s.%s is under way, or was broken off", n->db,
                 n->name, n->db, base);
}

void precheck_online_lines(struct precheck *p, const struct table_names *names)
{
    char base[193];

    if (!p->scope.sync)
        return;
    for (unsigned i = 0; i < names->n; i++) {
        const struct table_name *n = &names->names[i];

        if (n->kind == TABLE_BASE &&
            router_online(p->job->router, n->db, n->name, base) == ONLINE_GHOST &&
            has(names, n->db, base))
            say(p, n, base);
    }
}
