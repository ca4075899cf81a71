#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/scope.h"
#include "binlog/event.h"
#include "mysql/dialect.h"
#include "mysql/server.h"
#include "mysql/stream.h"

static int read_number(struct mysql_conn *c, const char *expression, uint64_t *ret, struct err *err)
{
    SCOPED(freep) char *text = NULL;
    int rc = mysql_scalar(c, &text, err, "SELECT %s", expression);

    if (rc == 0)
        *ret = (uint64_t)strtod(text, NULL);
    return rc;
}

int server_keeping(struct mysql_conn *c, struct binlog_keeping *ret, struct err *err)
{
    const struct dialect *d = dialect_of(c);
    struct binlog_keeping keep = { 0 };
    int rc = read_number(c, d->expire_seconds, &keep.expire_s, err);

    if (rc == 0 && d->space_limit)
        rc = read_number(c, d->space_limit, &keep.space_limit, err);
    if (rc == 0)
        *ret = keep;
    return rc;
}

/* The first event that is in the file, not made for this dump: the format description. */
static int first_in_file(struct mysql_stream *s, int64_t *ret, struct err *err)
{
    struct event_format none = { 0 };
    struct slice raw;
    struct event ev;
    int rc;

    while ((rc = mysql_stream_next(s, &raw, err)) > 0) {
        rc = event_parse(raw, &none, false, &ev, err);
        if (rc < 0)
            return rc;
        if (ev.type != EVENT_FORMAT_DESCRIPTION)
            continue;
        *ret = (int64_t)ev.timestamp * 1000000;
        return 0;
    }
    return rc < 0 ? rc : err_set(err, -EBADMSG, "a binlog without a format description");
}

int server_binlog_begun(const struct mysql_params *p, const char *file, int64_t *ret,
                        struct err *err)
{
    struct mysql_stream_options o = { .stop_at_end = true };
    struct position at = { .offset = 4 };
    struct mysql_stream *s;
    int rc;

    snprintf(at.file, sizeof at.file, "%s", file);
    rc = mysql_stream_open(&s, p, &at, &o, err);
    if (rc < 0)
        return rc;
    rc = first_in_file(s, ret, err);
    mysql_stream_close(s);
    return rc;
}

double server_runway(const struct runway *r)
{
    double by_age = -1, by_size = -1;
    uint64_t from_needed = 0;
    unsigned i = 0;

    while (i < r->files->n && strcmp(r->files->files[i].name, r->needed) != 0)
        i++;
    if (i == r->files->n)
        return 0; /* it is gone */
    for (unsigned j = i; j < r->files->n; j++)
        from_needed += r->files->files[j].size;
    if (r->keep.expire_s) {
        /* The current file is closed now at the earliest. */
        int64_t closed = r->closed_us ? r->closed_us : r->now_us;

        by_age = (double)r->keep.expire_s - (double)(r->now_us - closed) / 1e6;
        if (by_age < 0)
            by_age = 0;
    }
    if (r->keep.space_limit && r->growth_bytes_s > 0)
        by_size = from_needed >= r->keep.space_limit
                      ? 0
                      : (double)(r->keep.space_limit - from_needed) / r->growth_bytes_s;
    if (by_age < 0 || (by_size >= 0 && by_size < by_age))
        return by_size;
    return by_age;
}

bool server_runway_short(const struct runway *r, double limit_s)
{
    struct runway newest = *r;
    double left = server_runway(r);

    if (left < 0 || r->files->n == 0)
        return false;
    newest.closed_us = 0;
    newest.needed = r->files->files[r->files->n - 1].name;
    if (strcmp(r->needed, newest.needed) == 0)
        return false;
    return left < limit_s && left <= server_runway(&newest) / 2;
}
