#include "unit/dm_left.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"

#define MAX_NAME 64 /* of a table, in characters */

char *dm_left_table(const struct job *job, const char *what)
{
    char *name = strchr(job->task, '/') ? NULL : xasprintf("%s_%s", job->task, what);
    size_t characters = 0;

    for (const char *s = name; s && *s; s++)
        characters += (*s & 0xc0) != 0x80;
    if (characters <= MAX_NAME)
        return name;
    free(name);
    return NULL;
}

static bool is_absent(const struct err *err)
{
    return err->sql == 1146 || err->sql == 1049; /* no such table, no such database */
}

/* --- where sync was --- */

static int parse_position(const struct mysql_row *row, enum flavor flavor, struct position *ret,
                          struct err *err)
{
    SCOPED(freep) char *gtids = mysql_row_text(row, 2);

    *ret = (struct position){ .offset = row->values[1] ? mysql_row_u64(row, 1) : 0 };
    if (row->values[0])
        snprintf(ret->file, sizeof ret->file, "%.*s", (int)row->sizes[0], row->values[0]);
    if (gtids && *gtids && gtid_set_parse(&ret->gtids, flavor, gtids, err) < 0)
        return err_wrap(err, "DM's checkpoint");
    return ret->file[0] || ret->gtids;
}

int dm_left_position(struct mysql_conn *target, const struct job *job, enum flavor flavor,
                     struct position *ret, struct err *err)
{
    SCOPED(freep) char *table = dm_left_table(job, "syncer_checkpoint");
    struct mysql_result *res = NULL;
    struct mysql_row row;
    int rc = table ? sql_query(target, &res, err,
                               "SELECT binlog_name,binlog_pos,binlog_gtid FROM %i.%i"
                               " WHERE id=%q AND is_global=1",
                               job->meta_schema, table, job->source)
                   : 0;

    if (rc < 0 && is_absent(err)) {
        *err = ERR_INIT;
        return 0;
    }
    if (rc < 0 || !res)
        return rc;
    rc = mysql_result_next(res, &row, err);
    if (rc > 0)
        rc = parse_position(&row, flavor, ret, err);
    mysql_result_free(res);
    return rc;
}

/* --- one number of a table that may not be there --- */

/* 'sql' has a %i.%i for the table and a %q for the source; *ret is 0 without the table. */
static int count(struct mysql_conn *target, const struct job *job, const char *what,
                 const char *sql, unsigned *ret, struct err *err)
{
    SCOPED(freep) char *table = dm_left_table(job, what), *n = NULL;
    int rc = table ? sql_scalar(target, &n, err, sql, job->meta_schema, table, job->source) : 0;

    if (rc < 0 && is_absent(err)) {
        *err = ERR_INIT;
        rc = 0;
    }
    *ret = n ? (unsigned)strtoul(n, NULL, 10) : 0;
    return rc < 0 ? err_wrap(err, "looking at what DM left") : 0;
}

static int read_load(struct mysql_conn *target, const struct job *job, enum dm_load *ret,
                     struct err *err)
{
    static const struct {
        const char *table, *begun, *unfinished;
    } loaders[] = {
        { "lightning_checkpoint_list",
          "SELECT COUNT(*) FROM %i.%i WHERE source_name=%q AND status<>'init'",
          "SELECT COUNT(*) FROM %i.%i WHERE source_name=%q AND status='running'" },
        { "loader_checkpoint", "SELECT COUNT(*) FROM %i.%i WHERE id=%q AND `offset`>0",
          "SELECT COUNT(*) FROM %i.%i WHERE id=%q AND `offset`<end_pos" },
    };
    unsigned begun = 0, unfinished = 0;
    int rc = 0;

    *ret = DM_LOAD_NONE;
    for (size_t i = 0; i < ARRAY_LEN(loaders) && rc == 0 && *ret == DM_LOAD_NONE; i++) {
        rc = count(target, job, loaders[i].table, loaders[i].begun, &begun, err);
        if (rc == 0 && begun)
            rc = count(target, job, loaders[i].table, loaders[i].unfinished, &unfinished, err);
        if (begun)
            *ret = unfinished ? DM_LOAD_UNFINISHED : DM_LOAD_FINISHED;
    }
    return rc;
}

/* --- ours --- */

/* Has a task of ours of this name been at work on the source? */
static int is_ours(struct mysql_conn *target, const struct job *job, struct err *err)
{
    static const struct {
        const char *table, *where;
    } traces[] = {
        { "sluice_copy", "1" },
        { "sluice_copy_round", "1" },
        { "sluice_checkpoint", "part='sync' AND (binlog_file<>'' OR gtids IS NOT NULL)" },
    };

    for (size_t i = 0; i < ARRAY_LEN(traces); i++) {
        SCOPED(freep) char *some = NULL;
        int rc =
            sql_scalar(target, &some, err,
                       "SELECT EXISTS (SELECT 1 FROM %i.%i WHERE task=%q AND source=%q AND (%r))",
                       job->meta_schema, traces[i].table, job->task, job->source, traces[i].where);

        if (rc < 0 && !is_absent(err))
            return rc;
        *err = ERR_INIT;
        if (rc == 0 && strcmp(some, "1") == 0)
            return 1;
    }
    return 0;
}

static int read_all(struct mysql_conn *target, const struct job *job, enum flavor flavor,
                    struct dm_left *left, struct err *err)
{
    int rc = dm_left_position(target, job, flavor, &left->at, err);

    left->sync = rc > 0;
    if (rc >= 0)
        rc = read_load(target, job, &left->load, err);
    return rc < 0 ? rc
                  : count(target, job, "onlineddl", "SELECT COUNT(*) FROM %i.%i WHERE id=%q",
                          &left->n_online, err);
}

int dm_left_read(struct mysql_conn *target, const struct job *job, enum flavor flavor,
                 struct dm_left *ret, struct err *err)
{
    struct dm_left left = { .sync = false };
    int rc = is_ours(target, job, err);

    if (rc == 0)
        rc = read_all(target, job, flavor, &left, err);
    if (rc < 0) {
        dm_left_fini(&left);
        return rc;
    }
    *ret = left;
    return 0;
}

void dm_left_fini(struct dm_left *left)
{
    position_fini(&left->at);
    *left = (struct dm_left){ .sync = false };
}
