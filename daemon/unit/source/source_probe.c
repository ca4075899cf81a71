#include "unit/source/source_probe.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "mysql/server.h"

struct source_probe {
    struct mutex lock;       /* held to replace 'conn', and by other threads to use it */
    struct mysql_conn *conn; /* only the probing thread replaces it, so that reads it freely */
    /* The binlog's end when it was last looked at, for its growth. */
    struct position last;
    int64_t last_us;
    double growth_bytes_s;
    /* When the file after the one needed was begun: does not change, costs a dump to ask. */
    char begun_file[BINLOG_NAME_SIZE];
    int64_t begun_us;
};

void source_seen_fini(struct source_seen *s)
{
    free(s->version);
    free(s->uuid);
    free(s->position);
    free(s->gtid);
    free(s->earliest);
    free(s->needed);
    *s = (struct source_seen){ .runway_s = -1 };
}

struct source_probe *source_probe_new(void)
{
    struct source_probe *p = xcalloc(1, sizeof *p);

    mutex_init(&p->lock);
    return p;
}

static void set_conn(struct source_probe *p, struct mysql_conn *c)
{
    struct mysql_conn *old;

    mutex_lock(&p->lock);
    old = p->conn;
    p->conn = c;
    mutex_unlock(&p->lock);
    mysql_conn_close(old);
}

void source_probe_free(struct source_probe *p)
{
    if (!p)
        return;
    set_conn(p, NULL);
    position_fini(&p->last);
    mutex_fini(&p->lock);
    free(p);
}

void source_probe_reset(struct source_probe *p)
{
    set_conn(p, NULL);
}

void source_probe_cancel(struct source_probe *p)
{
    mutex_lock(&p->lock);
    if (p->conn)
        mysql_conn_shutdown(p->conn);
    mutex_unlock(&p->lock);
}

/* --- growth and runway --- */

static uint64_t bytes_from(const struct binlog_files *f, const char *file)
{
    uint64_t sum = 0;
    bool found = false;

    for (unsigned i = 0; i < f->n; i++) {
        found |= strcmp(f->files[i].name, file) == 0;
        sum += found ? f->files[i].size : 0;
    }
    return sum;
}

static bool has_file(const struct binlog_files *f, const char *file)
{
    for (unsigned i = 0; i < f->n; i++)
        if (strcmp(f->files[i].name, file) == 0)
            return true;
    return false;
}

#define RUNWAY_SHORT_S 3600.0
#define GROWTH_WEIGHT 0.3 /* of the newest sample */

static void note_growth(struct source_probe *p, const struct binlog_files *f,
                        const struct position *now)
{
    int64_t now_us = clock_mono_us();
    double seconds = (double)(now_us - p->last_us) / 1e6;
    uint64_t since = p->last.file[0] ? bytes_from(f, p->last.file) : 0;

    if (since >= p->last.offset && since && seconds > 0.1) {
        double rate = (double)(since - p->last.offset) / seconds;

        p->growth_bytes_s += GROWTH_WEIGHT * (rate - p->growth_bytes_s);
    }
    position_fini(&p->last);
    position_copy(&p->last, now);
    p->last_us = now_us;
}

/* The oldest file that any user needs; "" if none does. */
static void oldest_needed(const json_t *users, struct position *ret)
{
    const json_t *user;
    size_t i;

    json_array_foreach (users, i, user) {
        const char *file = json_string_value(json_object_get(user, "file"));
        struct position p = { .offset = 4 };

        if (!file || !*file)
            continue;
        snprintf(p.file, sizeof p.file, "%s", file);
        if (!ret->file[0] || position_compare(&p, ret) < 0)
            *ret = p;
    }
}

/* When 'file' was closed: when the next one was begun.  0 if it is the current one. */
static int closed_at(struct source_probe *p, const struct mysql_params *params,
                     const struct binlog_files *f, const char *file, int64_t *ret, struct err *err)
{
    unsigned i = 0;
    int rc;

    *ret = 0;
    while (i < f->n && strcmp(f->files[i].name, file) != 0)
        i++;
    if (i + 1 >= f->n)
        return 0;
    if (strcmp(p->begun_file, f->files[i + 1].name) != 0) {
        rc = server_binlog_begun(params, f->files[i + 1].name, &p->begun_us, err);
        if (rc < 0)
            return rc;
        snprintf(p->begun_file, sizeof p->begun_file, "%s", f->files[i + 1].name);
    }
    *ret = p->begun_us;
    return 0;
}

static int find_runway(struct source_probe *p, const struct mysql_params *params,
                       const json_t *users, const struct binlog_files *f, struct source_seen *s,
                       struct err *err)
{
    struct position needed = { .offset = 0 };
    struct runway r = { .files = f, .needed = needed.file, .growth_bytes_s = p->growth_bytes_s };
    int rc;

    oldest_needed(users, &needed);
    if (!needed.file[0])
        return 0;
    s->needed = xstrdup(needed.file);
    s->purged = !has_file(f, needed.file);
    rc = server_keeping(p->conn, &r.keep, err);
    if (rc == 0)
        rc = closed_at(p, params, f, needed.file, &r.closed_us, err);
    if (rc < 0)
        return rc;
    r.now_us = clock_wall_us();
    s->runway_s = server_runway(&r);
    s->runway_short = server_runway_short(&r, RUNWAY_SHORT_S);
    return 0;
}

/* --- one look --- */

static void take_info(struct source_seen *s, struct server_info *i)
{
    s->version = STEAL(i->version_text);
    if (i->uuid)
        s->uuid = STEAL(i->uuid);
    else if (i->flavor == FLAVOR_MARIADB)
        s->uuid = xasprintf("%u-%u", i->domain_id, i->server_id);
    s->server_id = i->server_id;
    s->folds_case = i->lower_case_table_names != 0;
    s->skew_s = i->clock_skew_s;
}

static void take_position(struct source_seen *s, const struct position *pos)
{
    struct buf gtids = BUF_INIT;

    if (pos->gtids)
        gtid_set_print(pos->gtids, &gtids);
    s->gtid = buf_steal(&gtids);
    s->position = xasprintf("%s:%llu", pos->file, (unsigned long long)pos->offset);
}

static int look_at_binlog(struct source_probe *p, const struct mysql_params *params,
                          const json_t *users, struct source_seen *s, struct err *err)
{
    struct position pos = { .gtids = NULL };
    struct binlog_files f = { 0 };
    int rc = server_position(p->conn, &pos, err);

    if (rc == 0) {
        take_position(s, &pos);
        rc = server_binlogs(p->conn, &f, err);
    }
    if (rc == 0 && f.n) {
        s->earliest = xstrdup(f.files[0].name);
        s->binlog_bytes = bytes_from(&f, f.files[0].name);
        note_growth(p, &f, &pos);
        s->growth_bytes_s = p->growth_bytes_s;
        rc = find_runway(p, params, users, &f, s, err);
    }
    binlog_files_fini(&f);
    position_fini(&pos);
    return rc;
}

static int look(struct source_probe *p, const struct mysql_params *params, const json_t *users,
                struct source_seen *s, struct err *err)
{
    struct server_info info;
    int rc = server_read(p->conn, &info, err);

    if (rc < 0)
        return rc;
    s->contact_us = clock_wall_us();
    take_info(s, &info);
    rc = look_at_binlog(p, params, users, s, err);
    server_info_fini(&info);
    return rc;
}

int source_probe_run(struct source_probe *p, const struct mysql_params *params, const json_t *users,
                     struct source_seen *ret, struct err *err)
{
    struct mysql_params mine;
    struct mysql_conn *c;
    int rc = 0;

    mysql_params_copy(&mine, params);
    mine.connect_timeout_s = PROBE_CONNECT_S;
    mine.io_timeout_s = PROBE_IO_S;
    if (!p->conn) {
        rc = mysql_conn_open(&c, &mine, err);
        if (rc == 0)
            set_conn(p, c);
    }
    if (rc == 0)
        rc = look(p, &mine, users, ret, err);
    if (rc < 0) /* also for a missing right: a server grants it to new sessions only */
        set_conn(p, NULL);
    mysql_params_fini(&mine);
    return rc;
}
