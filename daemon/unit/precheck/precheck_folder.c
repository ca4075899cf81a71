/* precheck_folder.c - the folder of a dump that is to be written or read. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "route/router.h"
#include "unit/job.h"
#include "unit/load/load_folder.h"
#include "unit/precheck/precheck_priv.h"

/* What of the path is there; caller frees. */
static char *existing(const char *path)
{
    char *part = xstrdup(path), *slash;

    while (access(part, F_OK) < 0 && (slash = strrchr(part, '/')) && slash != part)
        *slash = '\0';
    if (access(part, F_OK) < 0)
        part[1] = '\0';
    return part;
}

static void check_writable(struct precheck *p)
{
    SCOPED(freep) char *there = existing(p->job->folder);
    SCOPED(freep) char *fix = NULL;

    if (access(there, W_OK | X_OK) == 0) {
        precheck_add(p, PRECHECK_OK, "data_dir", NULL, "%s can be written", p->job->folder);
        return;
    }
    fix = xasprintf("make it writable for the user of sluiced (uid %u), or choose another: echo "
                    "/FOLDER > full_migrate_conf/data_dir",
                    (unsigned)geteuid());
    precheck_add(p, PRECHECK_FAIL, "data_dir", fix, "%s: %s", there, strerrordesc_np(errno));
}

static void check_readable(struct precheck *p)
{
    struct load_folder *f;
    struct err err = ERR_INIT;
    unsigned n = 0;

    if (load_folder_read(p->job->folder, &f, &err) < 0) {
        precheck_add(p, PRECHECK_FAIL, "data_dir",
                     "dump it anew, or name the folder of a complete dump: echo /FOLDER > "
                     "full_migrate_conf/data_dir",
                     "%s", err.text);
        return;
    }
    for (unsigned i = 0; i < f->n_tables; i++) {
        struct route to;

        n += router_table(p->job->router, f->tables[i].db, f->tables[i].name, &to);
    }
    if (n)
        precheck_add(p, PRECHECK_OK, "data_dir", NULL, "%s: %u of %u tables and views in scope",
                     f->path, n, f->n_tables);
    else
        precheck_add(p, PRECHECK_FAIL, "tables", "see table_migrate_rule",
                     "%s: none of its %u tables is in scope", f->path, f->n_tables);
    if (f->n_left_out)
        precheck_add(
            p, PRECHECK_WARN, "not_copied", "load them by hand at the end: mariadb TARGET < FILE",
            "%s: %u files with triggers, routines and events are left out", f->path, f->n_left_out);
    load_folder_free(f);
}

/* The account may know of a table and still not read it. */
static bool check_select(struct precheck *p, const struct table_name *n)
{
    SCOPED(buf_fini) struct buf name = BUF_INIT;
    SCOPED(freep) char *fix = NULL;
    struct err err = ERR_INIT;

    sql_table(&name, n->db, n->name);
    if (n->kind == TABLE_VIEW ||
        mysql_conn_execf(p->from.conn, &err, "SELECT * FROM %s LIMIT 0", name.data) == 0)
        return true;
    fix = xasprintf("type at the source: GRANT SELECT ON %s TO %s", name.data, p->from.account);
    precheck_add(p, PRECHECK_FAIL, "grants", fix, "%s.%s: %s", n->db, n->name, err.text);
    return false;
}

static int check_tables(struct precheck *p, struct err *err)
{
    struct table_names names;
    struct route r;
    unsigned n = 0;
    bool all = true;
    int rc = table_list(p->from.conn, NULL, &names, err);

    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < names.n; i++)
        if (router_table(p->job->router, names.names[i].db, names.names[i].name, &r)) {
            n++;
            all &= check_select(p, &names.names[i]);
        }
    rc = precheck_left_lines(p, &names, err);
    table_names_fini(&names);
    if (rc < 0)
        return rc;
    if (n == 0)
        precheck_add(p, PRECHECK_FAIL, "tables", "see table_migrate_rule",
                     "no table of the source that the account can see is in scope");
    else if (all)
        precheck_add(p, PRECHECK_OK, "tables", NULL, "%u tables and views in scope", n);
    return 0;
}

int precheck_folder_lines(struct precheck *p, struct err *err)
{
    if (p->job->files == FILES_LOAD) {
        check_readable(p);
        return 0;
    }
    check_writable(p);
    return p->from.account ? check_tables(p, err) : 0;
}
