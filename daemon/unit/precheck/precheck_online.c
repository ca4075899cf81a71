/* precheck_online.c - tables that an online schema change works on, or left behind. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/job.h"
#include "unit/precheck/precheck_priv.h"

/* What gh-ost and pt-online-schema-change call the table that becomes the new one. */
static const char *const suffixes[] = { "_gho", "_new" };

/* "_orders_gho" -> "orders"; NULL if it is no such name.  Caller frees. */
static char *base_of(const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        size_t tail = strlen(suffixes[i]);

        if (*name == '_' && size > tail + 1 && strcmp(name + size - tail, suffixes[i]) == 0)
            return xstrndup(name + 1, size - tail - 1);
    }
    return NULL;
}

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
    const json_t *on = json_object_get(p->job->doc, "enhance_online_schema_change");
    struct route r;

    if (!p->scope.sync || json_is_false(on))
        return;
    for (unsigned i = 0; i < names->n; i++) {
        const struct table_name *n = &names->names[i];
        SCOPED(freep) char *base = n->kind == TABLE_BASE ? base_of(n->name) : NULL;

        if (base && router_table(p->job->router, n->db, base, &r) && has(names, n->db, base))
            say(p, n, base);
    }
}
