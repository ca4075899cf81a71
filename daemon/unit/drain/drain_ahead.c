#include "unit/drain/drain_ahead.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "route/ddl.h"
#include "unit/unit.h"

#define WAIT_US ((int64_t)60 * 1000000)

struct look {
    struct drain_lane lane; /* of our own: journal is borrowed, the grouper ours */
    const char *schema, *table;
    struct arena arena;
};

static bool same(struct slice a, const char *b)
{
    return a.size == strlen(b) && memcmp(a.data, b, a.size) == 0;
}

/* Can a statement of the kind change which columns a table has? */
static bool changes_columns(const struct ddl *d)
{
    switch (d->class) {
    case DDL_CREATE_TABLE:
    case DDL_CREATE_TABLE_LIKE:
    case DDL_CREATE_TABLE_SELECT:
        return !d->if_exists || d->or_replace; /* if it was gone, a DROP comes before */
    case DDL_UNKNOWN:
    case DDL_DROP_DATABASE:
    case DDL_DROP_TABLE:
    case DDL_ALTER_TABLE:
    case DDL_RENAME_TABLE:
        return true;
    default:
        return false;
    }
}

static bool names_it(struct look *l, const struct query *q)
{
    struct ddl d;

    arena_clear(&l->arena);
    ddl_scan(q->sql, false, false, &l->arena, &d);
    if (!changes_columns(&d))
        return false;
    for (unsigned i = 0; i < d.n_names; i++) {
        struct slice schema = d.names[i].schema.size ? d.names[i].schema : q->db;

        if (same(schema, l->schema) &&
            (d.names[i].table.size == 0 || same(d.names[i].table, l->table)))
            return true;
    }
    return false;
}

/* 1 it is about the table. */
static int look_at_event(struct look *l, struct slice raw, struct err *err)
{
    struct event ev;
    int step = event_parse(raw, &l->lane.grouper.fmt, false, &ev, err);

    if (step == 0)
        step = grouper_feed(&l->lane.grouper, &ev, err);
    if (step == TXN_DDL || step == TXN_STATEMENT)
        return names_it(l, &l->lane.grouper.query);
    return step < 0 ? step : 0;
}

static int look_at_record(struct look *l, struct journal_reader *r,
                          const struct journal_record *rec, struct err *err)
{
    struct slice raw;
    int rc;

    if (rec->kind == JOURNAL_TXN && !(rec->flags & JOURNAL_DDL))
        return 0;
    while ((rc = journal_reader_event(r, &raw, err)) > 0) {
        rc = look_at_event(l, raw, err);
        if (rc != 0)
            return rc;
    }
    return rc;
}

static bool reached(struct journal *j, const struct position *until)
{
    struct position at = { .offset = 0 };
    bool is;

    journal_position(j, &at);
    is = position_compare(&at, until) >= 0;
    position_fini(&at);
    return is;
}

static int scan(struct look *l, struct journal_reader *r, const struct position *until,
                struct unit *u, struct err *err)
{
    int64_t give_up = clock_mono_us() + WAIT_US;
    struct journal_record rec;
    bool all;
    int rc;

    do {
        all = reached(l->lane.journal, until); /* asked first: what is there now is then read */
        while ((rc = journal_reader_next(r, &rec, 0, err)) > 0) {
            rc = look_at_record(l, r, &rec, err);
            if (rc > 0)
                return err_set(err, -EINVAL,
                               "table %s.%s is changed by a statement after these rows (record "
                               "%llu), so its columns then can only be known from names in the "
                               "binlog: SET GLOBAL binlog_row_metadata=FULL at the source",
                               l->schema, l->table, (unsigned long long)rec.seq);
            if (rc < 0)
                return rc;
        }
        if (rc < 0 || all)
            return rc;
        if (clock_mono_us() > give_up)
            return err_set(err, -ETIMEDOUT, "the journal does not come to %s:%llu", until->file,
                           (unsigned long long)until->offset);
    } while (unit_sleep(u, 50));
    return err_set(err, -ECANCELED, "stopping");
}

int drain_ahead(const struct drain_lane *lane, uint64_t seq, const struct position *until,
                const char *schema, const char *table, struct unit *u, struct err *err)
{
    struct look l = { .lane = { .journal = lane->journal }, .schema = schema, .table = table };
    struct journal_reader *r = journal_reader_new(lane->journal, JOURNAL_DURABLE);
    int rc = journal_reader_seek(r, seq + 1, err);

    if (rc == 0)
        rc = drain_lane_place(&l.lane, seq + 1, err);
    if (rc == 0)
        rc = scan(&l, r, until, u, err);
    journal_reader_free(r);
    grouper_fini(&l.lane.grouper);
    arena_fini(&l.arena);
    return rc;
}
