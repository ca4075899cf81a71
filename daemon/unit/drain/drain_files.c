/* From the files of a drainer, as TiDB-Binlog's reparo does: into any target. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/ddl.h"
#include "sink/pb_file.h"
#include "unit/drain/drain_folder.h"
#include "unit/drain/drain_sink.h"
#include "unit/drain/drainer_priv.h"

#define SAVE_EVERY 1000 /* transactions */

struct files_run {
    struct drain_run *run;
    struct arena arena;
    uint64_t from_ts, to_ts; /* inclusive; to_ts 0: open */
    uint64_t done_ts;        /* all up to it is in the target */
    uint64_t last_ts, n;     /* of the record before; records since the last save */
    uint64_t missing;        /* number of a file that is not there, before the one at hand */
    bool gap;                /* there is such a one */
};

/* Local time to milliseconds << 18: reparo's rule. */
static int ts_of_text(const json_t *doc, const char *field, uint64_t *ts, struct err *err)
{
    const char *text = json_string_value(doc_at(doc, field)), *rest;
    struct tm tm = { .tm_isdst = -1 };

    if (!text || !*text)
        return 0;
    rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    if (!rest || *rest)
        return err_set(err, -EINVAL, "%s: YYYY-MM-DD hh:mm:ss expected", field);
    *ts = (uint64_t)mktime(&tm) * 1000 << 18;
    return 0;
}

/* --- what is left out: names that filters leave no room for --- */

static size_t keep_in_scope(struct files_run *f, struct change_txn *t)
{
    const struct router *router = drain_filter_router(f->run->target.filter);
    size_t kept = 0;

    for (size_t i = 0; i < t->n_changes; i++) {
        struct change_table *table = (struct change_table *)t->changes[i].table;
        struct route to;

        if (!router_table(router, table->schema, table->name, &to) ||
            drain_filter_rows(f->run->target.filter, table->schema, table->name) &
                (1u << t->changes[i].kind))
            continue;
        table->schema = arena_dup(&f->arena, to.to_schema, strlen(to.to_schema) + 1);
        table->name = arena_dup(&f->arena, to.to_table, strlen(to.to_table) + 1);
        t->changes[kept++] = t->changes[i];
    }
    return kept;
}

static bool names_in_scope(struct files_run *f, const struct change_txn *t, const struct ddl *d)
{
    const struct router *router = drain_filter_router(f->run->target.filter);

    for (unsigned i = 0; i < d->n_names; i++) {
        struct slice s = d->names[i].schema.size ? d->names[i].schema : t->schema;
        char schema[256], table[256];
        struct route to;

        snprintf(schema, sizeof schema, "%.*s", SLICE_ARG(s));
        snprintf(table, sizeof table, "%.*s", SLICE_ARG(d->names[i].table));
        if (table[0] ? router_table(router, schema, table, &to)
                     : router_schema(router, schema, &to))
            return true;
    }
    return false;
}

/* "use `db`; statement;" */
static bool take_statement(struct files_run *f, struct change_txn *t)
{
    const char *schema;
    struct slice rest;
    struct ddl d;

    pb_file_statement(t->query, &f->arena, &schema, &rest);
    while (rest.size && strchr("; \n", rest.data[rest.size - 1]))
        rest.size--;
    t->schema = slice_str(schema);
    t->query = rest;
    ddl_scan(rest, false, false, &f->arena, &d);
    t->creates_schema = d.class == DDL_CREATE_DATABASE;
    if (d.n_names)
        t->table = d.names[0].table;
    return names_in_scope(f, t, &d);
}

/* --- the stream --- */

/* Never between two of the same commit_ts, which two sources may have. */
static int save_between(struct files_run *f, uint64_t ts, struct err *err)
{
    bool moved;

    if (ts == f->last_ts || ++f->n < SAVE_EVERY)
        return 0;
    f->n = 0;
    return drain_run_save(f->run, false, &moved, err);
}

static int one_record(struct files_run *f, const struct drain_folder_record *rec, struct err *err)
{
    struct drain_place at = { rec->commit_ts, NULL };
    struct change_txn t = { .ddl = false };
    int rc = save_between(f, rec->commit_ts, err);

    arena_clear(&f->arena);
    if (rc == 0)
        rc = pb_file_decode(rec->payload, &f->arena, &t, err);
    if (rc < 0)
        return rc;
    f->last_ts = rec->commit_ts;
    drain_run_pass(f->run, &at);
    if (drainer_ignores(f->run->drainer, t.commit_ts))
        return 0;
    if (t.ddl && !take_statement(f, &t))
        return 0;
    if (t.ddl && !json_is_true(doc_at(f->run->doc, "syncer.sync_ddl")))
        return 0;
    if (!t.ddl)
        t.n_changes = keep_in_scope(f, &t);
    return t.ddl || t.n_changes ? drain_run_write(f->run, &t, &at, err) : 0;
}

/* What a missing file had may be left out only if it is before the range. */
static int look_at_gap(struct files_run *f, const struct drain_folder_record *rec, struct err *err)
{
    bool before = rec->commit_ts < f->from_ts || rec->commit_ts <= f->done_ts;

    if (f->gap && !before)
        return err_set(err, -ENOENT,
                       "data_dir: the file binlog-%016llu-... is missing: what it had would be "
                       "left out (a start_datetime or initial_commit_ts behind it goes on from "
                       "there)",
                       (unsigned long long)f->missing);
    f->gap = false;
    return 0;
}

static int next_record(struct files_run *f, struct drain_folder_file *file,
                       struct drain_folder_record *rec, struct err *err)
{
    struct drain_stats *stats = &f->run->drainer->stats;
    int64_t began_us = clock_mono_us();
    int rc = drain_folder_next(file, rec, err);

    if (rc > 0)
        histogram_observe(&stats->file_read_us, clock_mono_us() - began_us);
    if (rc == -EBADMSG)
        atomic_fetch_add(&stats->corruptions, 1);
    return rc;
}

static int one_file(struct files_run *f, const struct drain_folder_name *name, bool last,
                    struct err *err)
{
    struct drain_folder_file file;
    struct drain_folder_record rec;
    struct unit *u = &f->run->drainer->sync.unit;
    int rc = drain_folder_open(&file, name->path, err);

    if (rc < 0)
        return rc;
    if (file.size == 0 && !last)
        rc = err_set(err, -EBADMSG, "%s is empty, and is not the last file", name->path);
    while (rc == 0 && (rc = next_record(f, &file, &rec, err)) > 0) {
        if (unit_stopping(u))
            rc = err_set(err, -ECANCELED, "stopping");
        else if ((rc = look_at_gap(f, &rec, err)) < 0)
            break;
        else if (f->to_ts && rec.commit_ts > f->to_ts)
            rc = 1;
        else if (rec.commit_ts < f->from_ts || rec.commit_ts <= f->done_ts)
            continue;
        else
            rc = one_record(f, &rec, err);
        if (rc != 0)
            break;
    }
    if (rc == -ENODATA) {
        log_warn(u->path, "%s ends inside a record: the rest is left out", name->path);
        rc = last ? 0
                  : err_set(err, -EBADMSG, "%s ends inside a record, and is not the last file",
                            name->path);
    }
    drain_folder_close(&file);
    return rc;
}

/* Bounds are inclusive; the savepoint, if there is one, is what is done. */
static int set_bounds(struct files_run *f, struct err *err)
{
    struct drain_run *r = f->run;
    json_int_t initial = json_integer_value(doc_at(r->doc, "initial_commit_ts"));
    int rc;

    f->from_ts = initial > 0 ? (uint64_t)initial : 0;
    f->to_ts = r->stop_ts;
    rc = ts_of_text(r->doc, "start_datetime", &f->from_ts, err);
    if (rc == 0)
        rc = ts_of_text(r->doc, "stop_datetime", &f->to_ts, err);
    f->done_ts = r->place.ts;
    return rc;
}

int drain_from_files(struct drain_run *r, struct err *err)
{
    const char *dir = json_string_value(doc_at(r->doc, "data_dir"));
    struct files_run f = { .run = r };
    struct drain_folder files;
    int rc = set_bounds(&f, err);

    if (rc == 0)
        rc = drain_folder_read(&files, dir, err);
    if (rc < 0)
        return rc;
    if (files.n == 0)
        rc = err_set(err, -ENOENT, "data_dir: no file of a drainer (binlog-...) is in %s", dir);
    for (size_t i = 0; i < files.n && rc == 0; i++) {
        if (i && files.names[i].number > files.names[i - 1].number + 1) {
            f.gap = true;
            f.missing = files.names[i - 1].number + 1;
        }
        rc = one_file(&f, &files.names[i], i + 1 == files.n, err);
    }
    drain_folder_fini(&files);
    arena_fini(&f.arena);
    return rc > 0 ? 0 : rc;
}
