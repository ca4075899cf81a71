#include "unit/serve/serve_admit.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/dump_command.h"
#include "mysql/packet.h"
#include "unit/serve/server_priv.h"

enum {
    WAIT_AHEAD_MS = 5000, /* for what the client got from the source sooner than we did */
    WAIT_TICK_MS = 50,
    FIRST_OFFSET = 4,
    CAPABILITY_GTID = 4, /* of MariaDB's replicas */
};

#define NO_FILE "Could not find first log file name in binary log index file"
#define PURGED_MYSQL                                                                            \
    "Cannot replicate because the source purged required binary logs. Replicate the missing "   \
    "transactions from elsewhere, or provision a new replica from backup. Consider increasing " \
    "the source's binary log expiration period. The GTID set sent by the replica is '%s', and " \
    "the missing transactions are '%s'"
#define AHEAD_MYSQL                                                                              \
    "Replica has more GTIDs than the source has, using the source's SERVER_UUID. This may "      \
    "indicate that the last binary log file was truncated or lost, e.g., after a power failure " \
    "when sync_binlog != 1. The source may have rolled back transactions that were already "     \
    "replicated to the replica. Here: the source %s has none of %s"
#define PURGED_MARIADB                                                                            \
    "Could not find GTID state requested by slave in any binlog files. Probably the slave state " \
    "is too old and required binlog files have been purged."
#define AHEAD_MARIADB                                                                        \
    "Error: connecting slave requested to start from GTID %s, which is not in the master's " \
    "binlog"
#define DIVERGED_MARIADB                                                                          \
    ". Since the master's binlog contains GTIDs with higher sequence numbers, it probably means " \
    "that the slave has diverged due to executing extra erroneous transactions"
#define UNKNOWN_DOMAIN                                                                            \
    "The replica has GTID %s, and nothing of domain %u was ever in this server's binlog. If the " \
    "replica has that domain from another master: echo true > servers/%s/allow_unknown_domains"
#define BEYOND_MYSQL "Client requested source to start replication from position > file size"
#define TOO_LOW_MYSQL "Client requested source to start replication from position < 4"
#define BEYOND_MARIADB                                                                        \
    "Client requested master to start replication from impossible position; the first event " \
    "'%s' at %llu, the last event read from '%s' at 4, the last byte read from '%s' at 4."
#define INSIDE_MYSQL                                                                           \
    "bogus data in log event; the first event '%s' at %llu, the last event read from '%s' at " \
    "%llu, the last byte read from '%s' at %llu."
#define INSIDE_MARIADB                                                                            \
    "binlog truncated in the middle of event; consider out of disk space on master; the first "   \
    "event '%s' at %llu, the last event read from '%s' at %llu, the last byte read from '%s' at " \
    "%llu."
#define CHECKSUM_MYSQL \
    "Replica cannot handle replication events with the checksum that source is configured to log"
#define CHECKSUM_MARIADB \
    "Slave can not handle replication events with the checksum that master is configured to log"

void dump_start_fini(struct dump_start *d)
{
    gtid_set_free(d->has);
    gtid_set_free(d->before);
    gtid_set_free(d->until);
    journal_file_fini(&d->file);
}

const char *serve_variable(const struct session *s, const char *old_name, const char *new_name)
{
    const char *v = sql_session_get(&s->sql, new_name);

    return v ? v : sql_session_get(&s->sql, old_name);
}

/* The client is told 'fmt'. */
#define refuse(err, ...) ((void)err_set(err, -EPERM, __VA_ARGS__), mark(err))

static int mark(struct err *err)
{
    err->sql = PACKET_BINLOG;
    return err->code;
}

static char *print_set(const struct gtid_set *set)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    gtid_set_print(set, &text);
    buf_str(&text, "");
    return buf_steal(&text);
}

static struct gtid_set *executed(struct session *s)
{
    struct position p = { .gtids = NULL };
    struct gtid_set *set;

    journal_position(s->serve->journal, &p);
    set = p.gtids ? gtid_set_copy(p.gtids) : gtid_set_new(s->flavor);
    position_fini(&p);
    return set;
}

/* --- who asks --- */

static int check_flavor(struct session *s, const struct dump_command *c, struct err *err)
{
    const char *capability = sql_session_get(&s->sql, "mariadb_slave_capability");
    bool mysql = c->by_gtid || serve_variable(s, "slave_uuid", "replica_uuid");

    if (s->flavor == FLAVOR_MYSQL && capability)
        return refuse(err,
                      "This server has the binary log of a MySQL server (%s), which a "
                      "MariaDB replica cannot read",
                      s->version);
    if (s->flavor == FLAVOR_MARIADB && mysql)
        return refuse(err,
                      "This server has the binary log of a MariaDB server (%s), which a "
                      "MySQL replica cannot read",
                      s->version);
    if (s->flavor == FLAVOR_MARIADB &&
        (!capability || strtol(capability, NULL, 10) < CAPABILITY_GTID))
        return refuse(err, "A replica must know MariaDB's GTIDs: SET @mariadb_slave_capability=4 "
                           "before it asks for the binary log");
    return 0;
}

static int check_identity(struct session *s, const struct dump_command *c, struct err *err)
{
    const char *uuid = serve_variable(s, "slave_uuid", "replica_uuid");

    if (c->server_id == s->serve->server_id)
        return refuse(err, "The replica's server_id %u is that of this server",
                      (unsigned)c->server_id);
    if (uuid && strcasecmp(uuid, s->serve->server_uuid) == 0)
        return refuse(err, "The replica's server_uuid %s is that of this server", uuid);
    return 0;
}

static bool has_checksum(struct slice format)
{
    return format.size > EVENT_CHECKSUM_SIZE &&
           format.data[format.size - EVENT_CHECKSUM_SIZE - 1] == 1;
}

static int check_checksum(struct session *s, struct dump_start *d, struct err *err)
{
    const char *declared = serve_variable(s, "master_binlog_checksum", "source_binlog_checksum");

    d->checksum = declared && strcasecmp(declared, "NONE") != 0;
    if (!declared && has_checksum(d->file.format))
        return refuse(err, "%s", s->flavor == FLAVOR_MYSQL ? CHECKSUM_MYSQL : CHECKSUM_MARIADB);
    return 0;
}

/* --- by GTID, MySQL --- */

static bool same_server(const struct gtid *a, const struct gtid *b)
{
    return memcmp(a->uuid, b->uuid, sizeof a->uuid) == 0;
}

/* What 'has' has of servers whose transactions we store, beyond those; NULL: nothing. */
static struct gtid_set *ahead_of(const struct gtid_set *has, const struct gtid_set *ours)
{
    SCOPED(gtid_set_freep) struct gtid_set *more = gtid_set_copy(has);
    struct gtid_set *known = gtid_set_new(FLAVOR_MYSQL);
    size_t n_more, n_ours;
    const struct gtid_member *m, *o;

    gtid_set_subtract(more, ours);
    m = gtid_set_members(more, &n_more);
    o = gtid_set_members(ours, &n_ours);
    for (size_t i = 0; i < n_more; i++)
        for (size_t k = 0; k < n_ours; k++)
            if (same_server(&m[i].id, &o[k].id)) {
                for (size_t v = 0; v < m[i].n_intervals; v++)
                    gtid_set_add_interval(known, &m[i].id, m[i].intervals[v].from,
                                          m[i].intervals[v].to);
                break;
            }
    if (!gtid_set_empty(known))
        return known;
    gtid_set_free(known);
    return NULL;
}

/* True when it is worth another look. */
static bool wait_more(struct session *s, int64_t until_us)
{
    if (clock_mono_us() >= until_us || session_ended(s) != SESSION_GOES_ON ||
        wire_readable(&s->wire))
        return false;
    return unit_sleep(&s->serve->server->unit, WAIT_TICK_MS);
}

static int check_ahead_mysql(struct session *s, const struct gtid_set *has, struct err *err)
{
    int64_t until_us = clock_mono_us() + WAIT_AHEAD_MS * 1000LL;
    struct gtid_set *more, *ours;
    SCOPED(freep) char *text = NULL;

    for (;;) {
        ours = executed(s);
        more = ahead_of(has, ours);
        gtid_set_free(ours);
        if (!more)
            return 0;
        if (!wait_more(s, until_us))
            break;
        gtid_set_free(more);
    }
    text = print_set(more);
    gtid_set_free(more);
    return refuse(err, AHEAD_MYSQL, journal_name(s->serve->journal), text);
}

static int purged_mysql(const struct gtid_set *has, const struct gtid_set *missing, struct err *err)
{
    SCOPED(freep) char *sent = print_set(has);
    SCOPED(freep) char *lacking = missing ? print_set(missing) : xstrdup("");

    return refuse(err, PURGED_MYSQL, sent, lacking);
}

/* --- by GTID, MariaDB --- */

static const struct gtid *of_domain(const struct gtid_set *set, uint32_t domain)
{
    size_t n = 0;
    const struct gtid_member *m = set ? gtid_set_members(set, &n) : NULL;

    for (size_t i = 0; i < n; i++)
        if (m[i].id.domain == domain)
            return &m[i].id;
    return NULL;
}

static int not_here(const struct gtid *g, bool diverged, struct err *err)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    gtid_print(g, &text);
    return refuse(err, AHEAD_MARIADB "%s", text.data, diverged ? DIVERGED_MARIADB : "");
}

/* 1: it is there; 0: later, perhaps; an error: it never will be. */
static int look_for(struct session *s, const struct gtid *g, struct err *err)
{
    SCOPED(gtid_set_freep) struct gtid_set *ours = executed(s);
    SCOPED(gtid_set_freep) struct gtid_set *purged = journal_purged(s->serve->journal);
    const struct gtid *last = of_domain(ours, g->domain), *gone = of_domain(purged, g->domain);
    struct err ignored = ERR_INIT;
    uint64_t seq;

    if (!last) /* where allowed: nothing of it was ever here, so nothing of it is missing */
        return s->serve->allow_unknown_domains;
    if (gone && gone->number == g->number && gone->server_id == g->server_id)
        return 1;
    if (journal_find_gtid(s->serve->journal, g, &seq, &ignored) == 0)
        return 1;
    if (gone && g->number < gone->number)
        return refuse(err, PURGED_MARIADB);
    return last->number >= g->number ? not_here(g, true, err) : 0;
}

/* It did not come in time. */
static int never_came(struct session *s, const struct gtid *g, struct err *err)
{
    SCOPED(gtid_set_freep) struct gtid_set *ours = executed(s);
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    if (of_domain(ours, g->domain))
        return not_here(g, false, err);
    gtid_print(g, &text);
    return refuse(err, UNKNOWN_DOMAIN, text.data, (unsigned)g->domain,
                  s->serve->server->unit.node.name);
}

static int check_state_mariadb(struct session *s, const struct gtid_set *has, struct err *err)
{
    int64_t until_us = clock_mono_us() + WAIT_AHEAD_MS * 1000LL;
    size_t n = 0;
    const struct gtid_member *m = gtid_set_members(has, &n);

    for (size_t i = 0; i < n; i++) {
        int found;

        while ((found = look_for(s, &m[i].id, err)) == 0 && wait_more(s, until_us))
            ;
        if (found < 0)
            return found;
        if (found == 0)
            return never_came(s, &m[i].id, err);
    }
    return 0;
}

/* Without domains that the journal knows nothing of. */
static struct gtid_set *known_domains(struct session *s, const struct gtid_set *has)
{
    SCOPED(gtid_set_freep) struct gtid_set *ours = executed(s);
    struct gtid_set *known = gtid_set_new(FLAVOR_MARIADB);
    size_t n = 0;
    const struct gtid_member *m = gtid_set_members(has, &n);

    for (size_t i = 0; i < n; i++)
        if (of_domain(ours, m[i].id.domain))
            gtid_set_add(known, &m[i].id);
    return known;
}

/* --- by GTID, both --- */

/* The file that record 'seq' is in, or will be. */
static int file_at(struct session *s, uint64_t seq, struct journal_file *ret, struct err *err)
{
    struct journal_state state;

    journal_state(s->serve->journal, &state);
    return journal_file_of(s->serve->journal, seq > state.durable_seq ? state.durable_seq : seq,
                           ret, err);
}

static int begin_at(struct session *s, struct dump_start *d, struct err *err)
{
    int rc = file_at(s, d->seq, &d->file, err);

    if (rc < 0)
        return rc;
    d->offset = d->file.from;
    d->format = d->file.from > FIRST_OFFSET;
    d->head = !d->format && d->seq > d->file.first_seq;
    if (!d->format && !d->head) /* all of the file */
        d->seq = d->file.first_seq;
    return 0;
}

static int start_mysql(struct session *s, struct dump_start *d, struct err *err)
{
    SCOPED(gtid_set_freep) struct gtid_set *missing = NULL;
    int rc = check_ahead_mysql(s, d->has, err);

    if (rc < 0)
        return rc;
    rc = journal_find_set(s->serve->journal, d->has, &d->seq, &d->before, &missing, err);
    if (rc == -ERANGE)
        return purged_mysql(d->has, missing, err);
    return rc < 0 ? rc : begin_at(s, d, err);
}

static int start_mariadb(struct session *s, struct dump_start *d, struct err *err)
{
    SCOPED(gtid_set_freep) struct gtid_set *known = NULL, *missing = NULL;
    int rc = check_state_mariadb(s, d->has, err);

    if (rc < 0)
        return rc;
    known = known_domains(s, d->has);
    rc = journal_find_set(s->serve->journal, known, &d->seq, &d->before, &missing, err);
    if (rc == -ERANGE || rc == -ENOENT)
        return refuse(err, PURGED_MARIADB);
    return rc < 0 ? rc : begin_at(s, d, err);
}

/* --- by file and offset --- */

struct search {
    const char *name; /* NULL: the first */
    bool found, ended;
    struct journal_file *file;
    uint64_t next_seq; /* of the file behind; 0: there is none */
};

static void copy_file(struct journal_file *to, const struct journal_file *f)
{
    journal_file_fini(to);
    *to = *f;
    to->at_from = gtid_set_copy(f->at_from);
    to->bytes = BUF_INIT;
    buf_add(&to->bytes, f->format.data, f->format.size);
    to->format = slice_of(to->bytes.data, to->bytes.size);
}

/* The last of that name: the newest incarnation's. */
static bool visit(void *arg, const struct journal_file *f)
{
    struct search *look = arg;

    if (look->found && look->next_seq == 0)
        look->next_seq = f->first_seq;
    if (look->name ? strcmp(look->name, f->name) != 0 : look->found)
        return true;
    copy_file(look->file, f);
    look->found = true;
    look->next_seq = 0;
    return true;
}

static int beyond(struct session *s, const char *file, uint64_t offset, struct err *err)
{
    if (s->flavor == FLAVOR_MARIADB)
        return refuse(err, BEYOND_MARIADB, file, (unsigned long long)offset, file, file);
    return refuse(err, "%s", offset < FIRST_OFFSET ? TOO_LOW_MYSQL : BEYOND_MYSQL);
}

static int inside_event(struct session *s, const char *file, uint64_t offset, uint64_t event,
                        struct err *err)
{
    unsigned long long at = offset, last = event, end = offset + EVENT_HEADER_SIZE;

    return s->flavor == FLAVOR_MARIADB ? refuse(err, INSIDE_MARIADB, file, at, file, at, file, end)
                                       : refuse(err, INSIDE_MYSQL, file, at, file, last, file, end);
}

/* Does an event of record 'seq' begin at 'offset'?  A replica that lost its connection inside of a
 * transaction goes on there. */
static int check_inside(struct session *s, uint64_t seq, const char *file, uint64_t offset,
                        struct err *err)
{
    struct journal_reader *reader = journal_reader_new(s->serve->journal, JOURNAL_DURABLE);
    struct journal_record r = { .seq = 0 };
    struct slice event;
    uint64_t at = 0, last = 0;
    int rc = journal_reader_seek(reader, seq, err);

    if (rc == 0)
        rc = journal_reader_next(reader, &r, 0, err);
    for (at = rc > 0 ? r.from : 0; rc > 0 && at < offset; at += event.size) {
        last = at;
        rc = journal_reader_event(reader, &event, err);
    }
    journal_reader_free(reader);
    if (rc < 0)
        return rc;
    return at == offset ? 0 : inside_event(s, file, offset, last, err);
}

static int find_offset(struct session *s, struct dump_start *d, const char *name, uint64_t offset,
                       struct err *err)
{
    uint64_t seq;
    int rc = journal_find_place(s->serve->journal, name, offset, &seq, err);

    if (rc == -ENOENT)
        return refuse(err, NO_FILE);
    if (rc == -ERANGE)
        return beyond(s, name, offset, err);
    if (rc < 0 && rc != -EINVAL)
        return rc;
    d->seq = seq;
    if (rc == 0)
        return 0;
    d->inside = offset;
    return check_inside(s, seq, name, offset, err);
}

static int start_by_place(struct session *s, const struct dump_command *c, struct dump_start *d,
                          struct err *err)
{
    SCOPED(freep) char *name = xstrndup((const char *)c->file.data, c->file.size);
    struct search look = { .name = *name ? name : NULL, .file = &d->file };
    struct journal_state state;
    int rc = journal_files(s->serve->journal, visit, &look, err);

    if (rc < 0)
        return rc;
    if (!look.found)
        return refuse(err, NO_FILE);
    if (c->offset < FIRST_OFFSET || c->offset > d->file.end)
        return beyond(s, d->file.name, c->offset, err);
    if (c->offset < d->file.from)
        return refuse(err, NO_FILE "; of %s, only what follows %llu is stored", d->file.name,
                      (unsigned long long)d->file.from);
    d->offset = c->offset;
    d->format = d->offset > FIRST_OFFSET;
    journal_state(s->serve->journal, &state);
    d->seq = look.next_seq ? look.next_seq : state.durable_seq + 1;
    if (d->offset == d->file.end)
        return 0;
    if (d->offset == d->file.from) {
        d->seq = d->file.first_seq;
        return 0;
    }
    return find_offset(s, d, d->file.name, d->offset, err);
}

/* --- all --- */

static int parse_mariadb(struct gtid_set **ret, const char *text, struct err *err)
{
    int rc = gtid_set_parse(ret, FLAVOR_MARIADB, text, err);

    if (rc < 0)
        mark(err);
    return rc;
}

static int read_sets(struct session *s, const struct dump_command *c, struct dump_start *d,
                     struct err *err)
{
    const char *state = sql_session_get(&s->sql, "slave_connect_state");
    const char *until = sql_session_get(&s->sql, "slave_until_gtid");
    int rc = 0;

    if (s->flavor == FLAVOR_MYSQL && c->by_gtid) {
        d->by_gtid = true;
        if (c->gtids.size == 0)
            d->has = gtid_set_new(FLAVOR_MYSQL);
        else if ((rc = gtid_set_decode(&d->has, FLAVOR_MYSQL, c->gtids, err)) < 0)
            mark(err);
    } else if (s->flavor == FLAVOR_MARIADB && state) {
        d->by_gtid = true;
        rc = parse_mariadb(&d->has, state, err);
        if (rc == 0 && until)
            rc = parse_mariadb(&d->until, until, err);
    }
    return rc;
}

static int start(struct session *s, const struct dump_command *c, struct dump_start *d,
                 struct err *err)
{
    int rc = check_flavor(s, c, err);

    if (rc == 0)
        rc = check_identity(s, c, err);
    if (rc == 0)
        rc = read_sets(s, c, d, err);
    if (rc < 0)
        return rc;
    if (!d->by_gtid || (s->flavor == FLAVOR_MYSQL && c->file.size))
        rc = start_by_place(s, c, d, err);
    else
        rc = s->flavor == FLAVOR_MYSQL ? start_mysql(s, d, err) : start_mariadb(s, d, err);
    return rc < 0 ? rc : check_checksum(s, d, err);
}

int serve_admit(struct session *s, const struct dump_command *c, struct dump_start *ret,
                struct err *err)
{
    int rc;

    *ret = (struct dump_start){ .by_gtid = false };
    rc = start(s, c, ret, err);
    if (rc < 0) {
        if (!err->sql)
            err->sql = PACKET_BINLOG;
        dump_start_fini(ret);
    }
    return rc;
}
