/*
 * relay_place.c - who the source is, and where the dump goes on.
 *
 * As long as it is the same server, by file and offset: then the journal has all of each file.  A
 * dump begins with the last record that we have, whose bytes are compared; so a binlog that was
 * reset is found out although the server has its name still.  Another server is followed by GTID,
 * when it has all that we have; without GTIDs the operator says where.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/dialect.h"
#include "mysql/server_find.h"
#include "unit/relay/relay_print.h"
#include "unit/relay/relay_priv.h"
#include "unit/source/source_priv.h"

#define COMPARE_SIZE ((size_t)1 << 20) /* a longer last record is taken on trust */

void relay_place_fini(struct relay_place *p)
{
    position_fini(&p->pos);
    gtid_set_free(p->skip);
    buf_fini(&p->expect);
    *p = (struct relay_place){ .fresh = false };
}

/* --- the server --- */

struct seen {
    const struct mysql_params *params;
    enum flavor flavor;
    char id[64];
    bool gtids;              /* its transactions have some */
    struct position end;     /* the set: all in its binlog, and before */
    struct gtid_set *purged; /* before its oldest file; NULL without GTIDs */
    struct binlog_files files;
};

static void seen_fini(struct seen *s)
{
    position_fini(&s->end);
    gtid_set_free(s->purged);
    binlog_files_fini(&s->files);
}

static int read_identity(struct mysql_conn *c, struct seen *s, struct err *err)
{
    const struct dialect *d = dialect_of(c);
    SCOPED(freep) char *id = NULL;
    SCOPED(freep) char *on = NULL;
    int rc =
        mysql_scalar(c, &id, err, "SELECT %s", d->server_uuid ? d->server_uuid : "@@server_id");

    if (rc == 0 && d->gtid_enabled)
        rc = mysql_scalar(c, &on, err, "SELECT %s", d->gtid_enabled);
    if (rc < 0)
        return rc;
    s->gtids = d->flavor == FLAVOR_MARIADB || (on && strcmp(on, "1") == 0);
    snprintf(s->id, sizeof s->id, "%s%s", d->server_uuid ? "" : "server_id ", id);
    return 0;
}

static int read_purged(struct mysql_conn *c, struct seen *s, struct err *err)
{
    const struct dialect *d = dialect_of(c);
    SCOPED(freep) char *text = NULL;
    int rc;

    if (!d->gtid_purged)
        return server_gtid_at(c, s->files.files[0].name, 4, &s->purged, err);
    rc = mysql_scalar(c, &text, err, "SELECT %s", d->gtid_purged);
    return rc < 0 ? rc : gtid_set_parse(&s->purged, s->flavor, text, err);
}

static int look(struct mysql_conn *c, struct seen *s, struct err *err)
{
    int rc = read_identity(c, s, err);

    s->flavor = mysql_conn_flavor(c);
    if (rc == 0)
        rc = server_position(c, &s->end, err);
    if (rc == 0)
        rc = server_binlogs(c, &s->files, err);
    if (rc == 0 && s->files.n == 0)
        rc = err_set(err, -ENODATA, "the source keeps no binlog: start it with log_bin");
    if (rc == 0 && s->gtids)
        rc = read_purged(c, s, err);
    if (!s->gtids) {
        gtid_set_free(s->end.gtids);
        s->end.gtids = NULL;
    }
    return rc;
}

static int see(const struct mysql_params *params, struct seen *s, struct err *err)
{
    struct mysql_conn *c;
    int rc = mysql_conn_open(&c, params, err);

    *s = (struct seen){ .params = params };
    if (rc < 0)
        return rc;
    rc = look(c, s, err);
    mysql_conn_close(c);
    return rc;
}

/* NULL: the source does not have it. */
static const struct binlog_file *file_of(const struct seen *s, const char *name)
{
    for (unsigned i = 0; i < s->files.n; i++)
        if (strcmp(s->files.files[i].name, name) == 0)
            return &s->files.files[i];
    return NULL;
}

/* --- a first start --- */

static void set_place(struct position *pos, const char *file, uint64_t offset)
{
    snprintf(pos->file, sizeof pos->file, "%s", file);
    pos->offset = offset;
}

/* The oldest file that a task still needs, if that is before 'name'. */
static void include_tasks(struct relay *r, const struct seen *s, const char **name)
{
    SCOPED(json_decrefp) json_t *users = source_ask_users(r->source);
    const json_t *user;
    size_t i;

    json_array_foreach (users, i, user) {
        const char *file = json_string_value(json_object_get(user, "file"));
        const struct binlog_file *needed = file && *file ? file_of(s, file) : NULL;

        if (needed && binlog_file_number(needed->name) < binlog_file_number(*name))
            *name = needed->name;
    }
}

/* The set of what was before 'pos'; none without GTIDs. */
static int complete(const struct seen *s, struct position *pos, struct err *err)
{
    if (!s->gtids)
        return 0;
    if (pos->offset == 4 && strcmp(pos->file, s->files.files[0].name) == 0) {
        pos->gtids = gtid_set_copy(s->purged);
        return 0;
    }
    return server_find_gtids(s->params, pos, err);
}

static int start_by_set(const struct seen *s, const char *text, struct position *pos,
                        struct err *err)
{
    int rc = gtid_set_parse(&pos->gtids, s->flavor, text, err);

    if (rc < 0)
        return err_wrap(err, "relay_binlog_gtid");
    if (!s->gtids)
        return err_set(err, -EINVAL, "relay_binlog_gtid is set, but the source has no GTIDs");
    if (!gtid_set_subset(s->purged, pos->gtids))
        return err_set(err, -ENODATA,
                       "gap: the source has purged what follows relay_binlog_gtid, %s; set it "
                       "empty to begin with the oldest binlog",
                       text);
    return server_find_next(s->params, pos, err);
}

static int first_place(struct relay *r, const struct seen *s, struct relay_place *ret,
                       struct err *err)
{
    SCOPED(json_decrefp) json_t *gtid = relay_setting(r, "relay_config.relay_binlog_gtid");
    SCOPED(json_decrefp) json_t *file = relay_setting(r, "relay_config.relay_binlog_name");
    const char *name = s->files.files[0].name;

    ret->fresh = true;
    if (json_string_length(gtid) && source_by_gtid(r->source))
        return start_by_set(s, json_string_value(gtid), &ret->pos, err);
    if (json_string_length(file)) {
        name = json_string_value(file);
        if (!file_of(s, name))
            return err_set(err, -ENODATA,
                           "the source does not have relay_binlog_name, %s: its oldest is %s", name,
                           s->files.files[0].name);
        include_tasks(r, s, &name);
    }
    set_place(&ret->pos, name, 4);
    return complete(s, &ret->pos, err);
}

/* --- the same server --- */

/* The bytes of the last record. */
static int last_record(struct journal *j, const struct journal_head *head,
                       struct journal_record *ret, struct buf *bytes, struct err *err)
{
    struct journal_reader *reader = journal_reader_new(j, JOURNAL_WRITTEN);
    struct slice piece;
    int rc = journal_reader_seek(reader, head->next_seq - 1, err);

    if (rc == 0)
        rc = journal_reader_next(reader, ret, 0, err);
    if (rc > 0 && ret->size <= COMPARE_SIZE)
        while ((rc = journal_reader_piece(reader, &piece, err)) > 0)
            buf_add(bytes, piece.data, piece.size);
    journal_reader_free(reader);
    return rc < 0 ? rc : 0;
}

/* From the last record on, so that it is compared; what cannot be asked for by a dump with 32 bits
 * begins with the file. */
static int same_place(struct journal *j, const struct journal_head *head, struct relay_place *ret,
                      struct err *err)
{
    struct journal_record last = { .seq = 0 };
    int rc = 0;

    position_copy(&ret->pos, &head->pos);
    if (head->next_seq > 1)
        rc = last_record(j, head, &last, &ret->expect, err);
    if (rc == -ERANGE || rc == -EBADMSG) { /* gone, or damaged: not what this is about */
        *err = ERR_INIT;
        rc = 0;
    }
    if (rc < 0)
        return rc;
    ret->last = last.gtid;
    if (ret->expect.size != last.to - last.from || last.to != head->pos.offset ||
        last.incarnation != head->incarnation)
        buf_clear(&ret->expect);
    if (ret->expect.size)
        ret->pos.offset = ret->expect_from = last.from;
    if (ret->pos.offset > UINT32_MAX)
        ret->pos.offset = 4;
    return 0;
}

/* --- what the operator has to decide --- */

static void print_difference(enum flavor flavor, const struct gtid_set *a, const struct gtid_set *b,
                             struct buf *out)
{
    size_t n;
    const struct gtid_member *m = gtid_set_members(a, &n);

    if (flavor == FLAVOR_MYSQL) {
        struct gtid_set *left = gtid_set_copy(a);

        gtid_set_subtract(left, b);
        gtid_set_print(left, out);
        gtid_set_free(left);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (gtid_set_has(b, &m[i].id))
            continue;
        if (out->size)
            buf_byte(out, ',');
        gtid_print(&m[i].id, out);
    }
}

static int say_errant(const struct seen *s, const struct gtid_set *ours, const char *path,
                      struct err *err)
{
    SCOPED(buf_fini) struct buf errant = BUF_INIT;

    print_difference(s->flavor, ours, s->end.gtids, &errant);
    if (!errant.size) /* MariaDB: its numbers are beyond ours, on another branch */
        gtid_set_print(ours, &errant);
    return err_set(err, -EREMCHG,
                   "errant transactions: %s is stored here, but the source (%s) does not have it; "
                   "go on from a place of its binlog all the same: echo from=%s:4 > %s/accept",
                   errant.data, s->id, s->files.files[0].name, path);
}

static int say_gap(const struct seen *s, const struct gtid_set *ours, const char *path,
                   struct err *err)
{
    SCOPED(buf_fini) struct buf missing = BUF_INIT;

    print_difference(s->flavor, s->purged, ours, &missing);
    return err_set(err, -ENODATA,
                   "gap: the source has purged transactions that are not stored here: %s; go on "
                   "without them: echo from=oldest > %s/accept",
                   missing.data, path);
}

/* MariaDB numbers transactions by domain, so only the server can tell whether ours are on its
 * branch. */
static int check_branch(const struct seen *s, const struct gtid_set *ours, struct err *err)
{
    struct mysql_stream_options o = { .by_gtid = true, .stop_at_end = true };
    struct position pos = { .gtids = (struct gtid_set *)ours };
    struct mysql_stream *stream;
    struct slice raw;
    int rc = mysql_stream_open(&stream, s->params, &pos, &o, err);

    if (rc < 0)
        return rc;
    do
        rc = mysql_stream_next(stream, &raw, err);
    while (rc > 0 && raw.size > EVENT_HEADER_SIZE && raw.data[4] != EVENT_MARIADB_GTID);
    mysql_stream_close(stream);
    return rc < 0 ? rc : 0;
}

/* Goes on by GTID, at a server that has all that we have. */
static int follow_set(const struct seen *s, const struct journal_head *head, const char *path,
                      struct relay_place *ret, struct err *err)
{
    const struct gtid_set *ours = head->pos.gtids;
    int rc;

    if (!gtid_set_subset(ours, s->end.gtids))
        return say_errant(s, ours, path, err);
    if (!gtid_set_subset(s->purged, ours))
        return say_gap(s, ours, path, err);
    if (s->flavor == FLAVOR_MARIADB) {
        rc = check_branch(s, ours, err);
        if (rc == -ERANGE)
            return say_errant(s, ours, path, err);
        if (rc < 0)
            return rc;
    }
    ret->fresh = true;
    ret->pos.gtids = gtid_set_copy(ours);
    ret->skip = gtid_set_copy(ours);
    return server_find_next(s->params, &ret->pos, err);
}

static int say_reset(const struct seen *s, const struct journal_head *head, const char *path,
                     struct err *err)
{
    return err_set(err, -EREMCHG,
                   "the binlog of the source is no longer the one stored here up to %s:%" PRIu64
                   ": it has %s to %s:%" PRIu64 " (RESET MASTER, or a copy from a backup?); begin "
                   "with it anew: echo from=%s:4 > %s/accept",
                   head->pos.file, head->pos.offset, s->files.files[0].name, s->end.file,
                   s->end.offset, s->files.files[0].name, path);
}

/* The last transactions, looked for in another server's binlog. */
static int say_changed(const struct seen *s, struct journal *j, const struct journal_head *head,
                       const char *path, struct err *err)
{
    SCOPED(buf_fini) struct buf found = BUF_INIT;
    char example[BINLOG_NAME_SIZE + 24];
    int rc = relay_print_search(j, s->params, s->flavor, &s->files, example, &found, err);

    if (rc < 0)
        return err_wrap(err, "looking for our last transactions at the source, now %s", s->id);
    err_set(err, -EREMCHG,
            "the source is another server: %s instead of %s, and without GTIDs a place in one "
            "binlog says nothing of another. %s Go on from where that ends: echo from=%s > "
            "%s/accept",
            s->id, head->source_id, found.data, example[0] ? example : "FILE:OFFSET", path);
    return err_because(err, REASON_RELAY_SWITCH);
}

static bool by_set(const struct seen *s, const struct journal_head *head)
{
    return head->pos.gtids && s->end.gtids && gtid_set_flavor(head->pos.gtids) == s->flavor;
}

/* The binlog of the server has begun anew, perhaps with all that we have (gtid_purged was set). */
static int not_ours(const struct seen *s, const struct journal_head *head, const char *path,
                    struct relay_place *ret, struct err *err)
{
    if (by_set(s, head) && gtid_set_subset(head->pos.gtids, s->end.gtids))
        return follow_set(s, head, path, ret, err);
    return say_reset(s, head, path, err);
}

/* The file that we were in is not there any more. */
static int file_gone(const struct seen *s, const struct journal_head *head, const char *path,
                     struct relay_place *ret, struct err *err)
{
    if (binlog_file_number(head->pos.file) >= binlog_file_number(s->files.files[0].name))
        return not_ours(s, head, path, ret, err);
    if (by_set(s, head))
        return follow_set(s, head, path, ret, err);
    return err_set(err, -ENODATA,
                   "gap: the source has purged its binlog from %s:%" PRIu64
                   " on, its oldest is %s now; go on without what is missing: "
                   "echo from=oldest > %s/accept",
                   head->pos.file, head->pos.offset, s->files.files[0].name, path);
}

/* --- what the operator has decided --- */

/* A server that no longer has what it had numbers its transactions anew. */
static bool was_reset(const struct seen *s, const struct journal_head *head)
{
    return strcmp(head->source_id, s->id) == 0 && !gtid_set_subset(head->pos.gtids, s->end.gtids);
}

static int accepted_place(const struct seen *s, const struct journal_head *head, const char *accept,
                          struct relay_place *ret, struct err *err)
{
    const char *colon = strrchr(accept, ':');
    int rc;

    ret->fresh = true;
    if (strcmp(accept, "oldest") == 0) {
        set_place(&ret->pos, s->files.files[0].name, 4);
    } else {
        SCOPED(freep) char *file = colon ? xstrndup(accept, (size_t)(colon - accept)) : NULL;

        if (!file || !file_of(s, file))
            return err_set(err, -ENODATA, "accept: the source has no binlog file of %s", accept);
        set_place(&ret->pos, file, strtoull(colon + 1, NULL, 10));
    }
    rc = complete(s, &ret->pos, err);
    if (rc == 0 && ret->pos.gtids && by_set(s, head) && !was_reset(s, head)) {
        ret->skip = gtid_set_copy(head->pos.gtids);
        gtid_set_union(ret->pos.gtids, head->pos.gtids);
    }
    return rc;
}

int relay_find_place(struct relay *r, const struct mysql_params *params, struct journal *j,
                     const struct journal_head *head, const char *accept, struct relay_place *ret,
                     struct err *err)
{
    SCOPED(freep) char *path = node_path(&r->unit.node);
    SCOPED(seen_fini) struct seen s = { .params = params };
    const struct binlog_file *file;
    int rc = see(params, &s, err);

    *ret = (struct relay_place){ .fresh = false };
    if (rc < 0)
        return rc;
    ret->flavor = s.flavor;
    memcpy(ret->server, s.id, sizeof ret->server);
    memcpy(ret->end_file, s.end.file, sizeof ret->end_file);
    ret->end_offset = s.end.offset;
    if (accept)
        return accepted_place(&s, head, accept, ret, err);
    if (!head->pos.file[0])
        return first_place(r, &s, ret, err);
    if (strcmp(head->source_id, s.id) != 0)
        return by_set(&s, head) ? follow_set(&s, head, path, ret, err)
                                : say_changed(&s, j, head, path, err);
    file = file_of(&s, head->pos.file);
    if (!file)
        return file_gone(&s, head, path, ret, err);
    if (file->size < head->pos.offset)
        return not_ours(&s, head, path, ret, err);
    return same_place(j, head, ret, err);
}
