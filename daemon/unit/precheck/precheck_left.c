/*
 * precheck_left.c - what the source has and a copy leaves there: triggers,
 * routines and events.  What they do at the source arrives as rows; at the
 * target they would do it again.
 */
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/router.h"
#include "unit/job.h"
#include "unit/precheck/precheck_priv.h"

enum kind { TRIGGERS, ROUTINES, EVENTS, N_KINDS };

static const char *const kind_names[] = { "triggers", "routines", "events" };

static bool has_tables(const struct precheck *p, const struct table_names *names, const char *db)
{
    struct route to;

    for (unsigned i = 0; i < names->n; i++)
        if (strcmp(names->names[i].db, db) == 0 &&
            router_table(p->job->router, db, names->names[i].name, &to))
            return true;
    return false;
}

static void say(struct precheck *p, const char *db, const unsigned counts[static N_KINDS])
{
    bool mariadb = p->from.info.flavor == FLAVOR_MARIADB;
    SCOPED(buf_fini) struct buf found = BUF_INIT;
    SCOPED(freep) char *fix = NULL;

    for (int i = 0; i < N_KINDS; i++)
        if (counts[i])
            buf_printf(&found, "%s%u %s", found.size ? ", " : "", counts[i], kind_names[i]);
    fix = xasprintf("when the target takes over: %s --no-data --no-create-info --triggers "
                    "--routines --events '%s' at the source, its output into %s at the target",
                    mariadb ? "mariadb-dump" : "mysqldump", db, mariadb ? "mariadb" : "mysql");
    precheck_add(
        p, PRECHECK_WARN, "not_copied", fix,
        "%s: %s stay at the source: what they do there arrives as rows, at the target they "
        "would do it again",
        db, found.data);
}

int precheck_left_lines(struct precheck *p, const struct table_names *names, struct err *err)
{
    static const char query[] =
        "SELECT db, SUM(kind = 0), SUM(kind = 1), SUM(kind = 2) FROM ("
        "SELECT trigger_schema AS db, 0 AS kind FROM information_schema.triggers UNION ALL "
        "SELECT routine_schema, 1 FROM information_schema.routines UNION ALL "
        "SELECT event_schema, 2 FROM information_schema.events) AS o GROUP BY db ORDER BY db";
    struct mysql_result *r = NULL;
    struct mysql_row row;
    int rc = mysql_conn_queryf(p->from.conn, &r, err, "%s", query);

    while (rc == 0 && (rc = mysql_result_next(r, &row, err)) > 0) {
        unsigned counts[N_KINDS];

        for (int i = 0; i < N_KINDS; i++)
            counts[i] = (unsigned)strtoul(row.values[1 + i], NULL, 10);
        if (has_tables(p, names, row.values[0]))
            say(p, row.values[0], counts);
        rc = 0;
    }
    mysql_result_free(r);
    return rc;
}
