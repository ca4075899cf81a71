#include "mysql/server_find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "binlog/payload.h"
#include "binlog/txn.h"
#include "mysql/server.h"
#include "mysql/stream.h"

#define EVENT_LIMIT ((size_t)1 << 30) /* of one event inside a payload */

/* --- reading one file from its start --- */

struct scan {
    struct mysql_stream *stream;
    struct grouper grouper;
    struct event event; /* the last one */
    int step;           /* what it was for */
    bool begins;        /* ... a transaction: grouper.pos is still before it */
};

static void scan_fini(struct scan *s)
{
    mysql_stream_close(s->stream);
    grouper_fini(&s->grouper);
}

static int scan_open(struct scan *s, const struct mysql_params *p, const char *file,
                     struct err *err)
{
    struct mysql_stream_options o = { .stop_at_end = true };
    struct position start = { .offset = 4 };
    int rc;

    *s = (struct scan){ .step = TXN_NOTHING };
    snprintf(start.file, sizeof start.file, "%s", file);
    rc = mysql_stream_open(&s->stream, p, &start, &o, err);
    if (rc == 0)
        grouper_init(&s->grouper, mysql_stream_flavor(s->stream), &start);
    return rc;
}

static int feed_inner(void *scan, const struct event *inner, struct err *err)
{
    return grouper_feed(&((struct scan *)scan)->grouper, inner, err);
}

/* 1 an event, 0 the binlog's end. */
static int scan_next(struct scan *s, struct err *err)
{
    struct slice raw;
    int rc = mysql_stream_next(s->stream, &raw, err);

    if (rc <= 0)
        return rc;
    rc = event_parse(raw, &s->grouper.fmt, true, &s->event, err);
    if (rc == 0)
        rc = s->step = grouper_feed(&s->grouper, &s->event, err);
    if (rc == TXN_PAYLOAD)
        rc = payload_each(&s->event, EVENT_LIMIT, feed_inner, s, err);
    s->begins = s->step == TXN_BEGIN;
    return rc < 0 ? rc : 1;
}

/* --- GTIDs from file and offset --- */

static int scan_to(struct scan *s, const struct position *at, struct err *err)
{
    const struct position *pos = &s->grouper.pos;
    int rc = 1;

    while (rc > 0 && pos->offset < at->offset && strcmp(pos->file, at->file) == 0)
        rc = scan_next(s, err);
    if (rc < 0)
        return rc;
    if (strcmp(pos->file, at->file) != 0 || (rc == 0 && pos->offset < at->offset))
        return err_set(err, -ERANGE, "the source's %s ends before %llu", at->file,
                       (unsigned long long)at->offset);
    if (pos->offset > at->offset)
        return err_set(err, -EINVAL, "%s:%llu is inside a transaction, the next ends at %llu",
                       at->file, (unsigned long long)at->offset, (unsigned long long)pos->offset);
    /* A file begins with the set of all before it. */
    while (rc > 0 && !pos->gtids && !s->begins)
        rc = scan_next(s, err);
    return rc < 0 ? rc : 0;
}

static int gtids_by_scan(const struct mysql_params *p, struct position *at, struct err *err)
{
    SCOPED(scan_fini) struct scan s = { .step = TXN_NOTHING };
    int rc = scan_open(&s, p, at->file, err);

    if (rc == 0)
        rc = scan_to(&s, at, err);
    if (rc == 0)
        at->gtids =
            s.grouper.pos.gtids ? gtid_set_copy(s.grouper.pos.gtids) : gtid_set_new(FLAVOR_MYSQL);
    return rc;
}

int server_find_gtids(const struct mysql_params *p, struct position *at, struct err *err)
{
    struct mysql_conn *c;
    bool mariadb;
    int rc = mysql_conn_open(&c, p, err);

    if (rc < 0)
        return rc;
    mariadb = mysql_conn_flavor(c) == FLAVOR_MARIADB;
    if (mariadb)
        rc = server_gtid_at(c, at->file, at->offset, &at->gtids, err);
    mysql_conn_close(c);
    return mariadb ? rc : gtids_by_scan(p, at, err);
}

/* --- which file, from its head --- */

struct head {
    int64_t begun_us;
    const struct gtid_set *before; /* all transactions of the files before it */
};

static int read_head(struct scan *s, struct head *ret, struct err *err)
{
    int rc = 1;

    *ret = (struct head){ .begun_us = 0 };
    while (rc > 0 && !s->grouper.pos.gtids && !s->begins) {
        rc = scan_next(s, err);
        if (rc > 0 && s->step == TXN_FORMAT && s->event.timestamp && !ret->begun_us)
            ret->begun_us = (int64_t)s->event.timestamp * 1000000;
    }
    ret->before = s->grouper.pos.gtids;
    return rc < 0 ? rc : 0;
}

/* What is looked for. */
struct wanted {
    const struct gtid_set *gtids; /* or, if NULL: */
    int64_t wall_us;
};

static bool begins_before(const struct head *h, const struct wanted *w)
{
    if (w->gtids)
        return h->before && gtid_set_subset(h->before, w->gtids);
    return h->begun_us <= w->wall_us;
}

static int list_files(const struct mysql_params *p, struct binlog_files *ret, struct err *err)
{
    struct mysql_conn *c;
    int rc = mysql_conn_open(&c, p, err);

    if (rc < 0)
        return rc;
    rc = server_binlogs(c, ret, err);
    mysql_conn_close(c);
    return rc;
}

static int open_head(struct scan *s, const struct mysql_params *p, const char *file, struct head *h,
                     struct err *err)
{
    int rc = scan_open(s, p, file, err);

    if (rc == 0)
        rc = read_head(s, h, err);
    if (rc < 0) {
        scan_fini(s);
        *s = (struct scan){ .step = TXN_NOTHING };
    }
    return rc;
}

/* How many of the files begin before what is wanted.  The newest is asked first, where most of
 * what is looked for is; then each question halves what is left. */
static int count_before(const struct mysql_params *p, const struct binlog_files *f,
                        const struct wanted *w, unsigned *ret, struct err *err)
{
    unsigned low = 0, high = f->n, at = f->n - 1;

    while (low < high) {
        struct scan s;
        struct head h = { 0 };
        int rc = open_head(&s, p, f->files[at].name, &h, err);

        if (rc < 0)
            return rc;
        if (begins_before(&h, w))
            low = at + 1;
        else
            high = at;
        scan_fini(&s);
        at = low + (high - low) / 2;
    }
    *ret = low;
    return 0;
}

/* bin.000001: the server has never had another before it. */
static bool is_first(const char *file)
{
    const char *dot = strrchr(file, '.');

    return dot && strtoul(dot + 1, NULL, 10) == 1;
}

/* The scan of the newest file that begins before what is wanted, at its first transaction; for a
 * time of before all binlogs, where none of them is gone, of the first. */
static int open_file_of(struct scan *s, const struct mysql_params *p, const struct wanted *w,
                        struct err *err)
{
    struct binlog_files f = { 0 };
    struct head h;
    unsigned n = 0;
    int rc = list_files(p, &f, err);

    if (rc == 0 && f.n == 0)
        rc = err_set(err, -ENODATA, "the source keeps no binlog: start it with log_bin");
    if (rc == 0)
        rc = count_before(p, &f, w, &n, err);
    if (rc == 0 && n == 0 && w->wall_us && is_first(f.files[0].name))
        n = 1;
    if (rc == 0 && n == 0)
        rc = err_set(err, -ENODATA,
                     "the source's oldest binlog, %s, begins later than that, and those before it "
                     "are gone",
                     f.files[0].name);
    if (rc == 0)
        rc = open_head(s, p, f.files[n - 1].name, &h, err);
    binlog_files_fini(&f);
    return rc;
}

/* --- the place in it --- */

static bool is_after(const struct scan *s, const struct wanted *w)
{
    if (!s->begins)
        return false;
    if (w->gtids)
        return s->grouper.gtid.number && !gtid_set_has(w->gtids, &s->grouper.gtid);
    return (int64_t)s->event.timestamp * 1000000 >= w->wall_us;
}

/* '*ret' is before the first transaction after what is wanted, or ('*at_end') the end. */
static int find(const struct mysql_params *p, const struct wanted *w, struct position *ret,
                bool *at_end, struct err *err)
{
    SCOPED(scan_fini) struct scan s = { .step = TXN_NOTHING };
    int rc = open_file_of(&s, p, w, err);

    if (rc < 0)
        return rc;
    rc = 1;
    while (rc > 0 && !is_after(&s, w))
        rc = scan_next(&s, err);
    if (rc < 0)
        return rc;
    position_copy(ret, &s.grouper.pos);
    *at_end = rc == 0;
    return 0;
}

int server_find_file(const struct mysql_params *p, struct position *at, struct err *err)
{
    struct wanted w = { .gtids = at->gtids };
    struct position found = { .offset = 0 };
    bool at_end;
    int rc = find(p, &w, &found, &at_end, err);

    if (rc < 0)
        return rc;
    if (!found.gtids || !gtid_set_subset(at->gtids, found.gtids))
        rc = err_set(err, -EINVAL,
                     "the source's binlog has transactions that are not in the set before others "
                     "that are: such a place can only be followed by GTID");
    if (rc == 0) {
        memcpy(at->file, found.file, sizeof at->file);
        at->offset = found.offset;
    }
    position_fini(&found);
    return rc;
}

int server_find_next(const struct mysql_params *p, struct position *at, struct err *err)
{
    struct wanted w = { .gtids = at->gtids };
    struct position found = { .offset = 0 };
    bool at_end;
    int rc = find(p, &w, &found, &at_end, err);

    if (rc == 0) {
        memcpy(at->file, found.file, sizeof at->file);
        at->offset = found.offset;
    }
    position_fini(&found);
    return rc;
}

int server_find_time(const struct mysql_params *p, int64_t wall_us, struct position *ret,
                     bool *at_end, struct err *err)
{
    struct wanted w = { .wall_us = wall_us };

    return find(p, &w, ret, at_end, err);
}
