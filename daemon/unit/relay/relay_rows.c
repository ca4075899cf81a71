/* relay_rows.c - sources/<s>/relay/: its rows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/relay/relay_priv.h"
#include "unit/relay/relay_rate.h"
#include "unit/source/source_priv.h"

/* --- settings: fields of the source's document --- */

/* "semi_sync" -> "relay_config.semi_sync" */
static char *path_of(const struct attr *a)
{
    return xasprintf("%s.%s", a->offset ? "purge" : "relay_config", a->name);
}

static json_t *get_setting(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(freep) char *path = path_of(a);

    (void)err;
    return relay_setting(relay_of(n), path);
}

static int set_setting(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    SCOPED(freep) char *path = path_of(a);

    return source_set_field(relay_of(n)->source, path, v, err);
}

/* --- what it has; the node is locked, so NO_THREAD_CHECK --- */

static struct journal *journal_of(const struct node *n) NO_THREAD_CHECK
{
    return relay_of(n)->journal;
}

#define STATE_ROW(field) .offset = offsetof(struct journal_state, field)

static json_t *get_state_field(const struct node *n, const struct attr *a, struct err *err)
{
    struct journal_state state = { .next_seq = 0 };

    (void)err;
    if (journal_of(n))
        journal_state(journal_of(n), &state);
    return json_integer((json_int_t) * (const uint64_t *)((const char *)&state + a->offset));
}

static json_t *get_last_seq(const struct node *n, const struct attr *a, struct err *err)
{
    struct journal_state state = { .next_seq = 1 };

    (void)a, (void)err;
    if (journal_of(n))
        journal_state(journal_of(n), &state);
    return json_integer((json_int_t)state.next_seq - 1);
}

static json_t *get_incarnation(const struct node *n, const struct attr *a, struct err *err)
{
    struct journal_state state = { .incarnation = 0 };

    (void)a, (void)err;
    if (journal_of(n))
        journal_state(journal_of(n), &state);
    return json_integer(state.incarnation);
}

static void read_position(const struct node *n, struct position *ret)
{
    *ret = (struct position){ .offset = 0 };
    if (journal_of(n))
        journal_position(journal_of(n), ret);
}

static json_t *get_file(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(position_fini) struct position pos;

    (void)a, (void)err;
    read_position(n, &pos);
    return json_string_nocheck(pos.file);
}

static json_t *get_offset(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(position_fini) struct position pos;

    (void)a, (void)err;
    read_position(n, &pos);
    return json_integer((json_int_t)pos.offset);
}

static json_t *set_text(const struct gtid_set *set)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    if (set)
        gtid_set_print(set, &text);
    return json_string_nocheck(text.size ? text.data : "");
}

static json_t *get_current(const struct node *n, const struct attr *a,
                           struct err *err) NO_THREAD_CHECK
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    (void)a, (void)err;
    gtid_print(&relay_of(n)->current_gtid, &text);
    return json_string_nocheck(text.size ? text.data : "");
}

static json_t *get_executed(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(position_fini) struct position pos;

    (void)a, (void)err;
    read_position(n, &pos);
    return set_text(pos.gtids);
}

static json_t *get_purged(const struct node *n, const struct attr *a, struct err *err)
{
    struct gtid_set *purged = journal_of(n) ? journal_purged(journal_of(n)) : NULL;
    json_t *text = set_text(purged);

    (void)a, (void)err;
    gtid_set_free(purged);
    return text;
}

/* --- the source, as it was last asked, or as what came from it since tells --- */

struct end_known {
    struct position pos;
    char *gtid; /* NULL: not known */
};

static void end_fini(struct end_known *e)
{
    position_fini(&e->pos);
    free(e->gtid);
}

static void read_end(const struct node *n, struct end_known *ret)
{
    SCOPED(position_fini) struct position ours;
    struct relay *r = relay_of(n);
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    int64_t seen_us;

    source_end(r->source, &ret->pos, &ret->gtid, &seen_us);
    read_position(n, &ours);
    if (!atomic_load(&r->connected) || position_compare(&ours, &ret->pos) <= 0)
        return;
    snprintf(ret->pos.file, sizeof ret->pos.file, "%s", ours.file);
    ret->pos.offset = ours.offset;
    if (ours.gtids)
        gtid_set_print(ours.gtids, &text);
    free(ret->gtid);
    ret->gtid = xstrdup(text.size ? text.data : "");
}

static json_t *get_source_file(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(end_fini) struct end_known end = { .gtid = NULL };

    (void)a, (void)err;
    read_end(n, &end);
    return json_string_nocheck(end.pos.file);
}

static json_t *get_source_offset(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(end_fini) struct end_known end = { .gtid = NULL };

    (void)a, (void)err;
    read_end(n, &end);
    return json_integer((json_int_t)end.pos.offset);
}

static json_t *get_source_gtid(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(end_fini) struct end_known end = { .gtid = NULL };

    (void)a, (void)err;
    read_end(n, &end);
    return json_string_nocheck(end.gtid ? end.gtid : "");
}

static json_t *get_catch_up(const struct node *n, const struct attr *a, struct err *err)
{
    const struct relay *r = relay_of(n);

    (void)a, (void)err;
    return json_boolean(atomic_load(&r->connected) && atomic_load(&r->caught_up));
}

static json_t *get_lag(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_real(relay_lag_seconds(relay_of(n)));
}

static json_t *get_reason(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    const char *reason = relay_of(n)->reconnect_reason;

    (void)a, (void)err;
    return json_string_nocheck(reason ? reason : "");
}

/* --- who we are there: what was set, or our own --- */

static json_t *kept_id(const struct relay *r) NO_THREAD_CHECK
{
    json_t *kept = json_object_get(r->kept, "server_id");

    return kept ? json_incref(kept) : json_integer(0);
}

static json_t *get_server_id(const struct node *n, const struct attr *a, struct err *err)
{
    json_t *set = get_setting(n, a, err);

    if (json_integer_value(set))
        return set;
    json_decref(set);
    return kept_id(relay_of(n));
}

static json_t *get_server_uuid(const struct node *n, const struct attr *a, struct err *err)
{
    json_t *set = get_setting(n, a, err);
    SCOPED(json_decrefp) json_t *id = NULL;
    char text[40];

    if (json_string_length(set))
        return set;
    json_decref(set);
    id = kept_id(relay_of(n));
    if (!json_integer_value(id))
        return json_string("");
    snprintf(text, sizeof text, "736c7569-6365-4000-8000-0000%08x",
             (unsigned)json_integer_value(id));
    return json_string(text);
}

/* --- lists --- */

static void add_hold(void *arg, const char *who, uint64_t seq)
{
    json_object_set_new(arg, who, json_integer((json_int_t)seq));
}

static json_t *get_holds(const struct node *n, const struct attr *a, struct err *err)
{
    json_t *holds = json_object();

    (void)a, (void)err;
    if (journal_of(n))
        journal_holds(journal_of(n), add_hold, holds);
    return holds;
}

static json_t *get_corruption(const struct node *n, const struct attr *a,
                              struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_copy(relay_of(n)->corruption);
}

static json_t *get_wants(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    const struct relay *r = relay_of(n);
    json_t *list = json_array();

    (void)a, (void)err;
    for (unsigned i = 0; i < r->n_wants; i++)
        json_array_append_new(list, json_string(r->wants[i]));
    return list;
}

static bool add_file(void *arg, const struct journal_file *f)
{
    json_array_append_new(arg,
                          json_pack("{s:s, s:i, s:I, s:I, s:I}", "name", f->name, "incarnation",
                                    (int)f->incarnation, "first_seq", (json_int_t)f->first_seq,
                                    "from", (json_int_t)f->from, "end", (json_int_t)f->end));
    return true;
}

static json_t *get_files(const struct node *n, const struct attr *a, struct err *err)
{
    struct journal *j = source_journal(relay_of(n)->source);
    json_t *list = json_array();
    int rc = j ? journal_files(j, add_file, list, err) : 0;

    (void)a;
    journal_close(j);
    if (rc == 0)
        return list;
    json_decref(list);
    return NULL;
}

static const char *const when_full[] = { "stop", "drop_unread", NULL };

/* --- the rows --- */

const struct attr relay_attrs[] = {
    UNIT_ATTRS,
    { .name = "error_reason", .type = ATTR_TEXT, .get = unit_get_reason, .help = REASON_HELP },
    { .name = "enable_relay",
      .type = ATTR_BOOL,
      .get = get_setting,
      .set = set_setting,
      .help = "Whether the binlog of this source is stored" },
    { .name = "wanted_by",
      .type = ATTR_JSON,
      .get = get_wants,
      .help = "Who else has the binlog stored: pumps, kingbus" },
    { .name = "relay_binlog_name",
      .type = ATTR_TEXT,
      .get = get_setting,
      .set = set_setting,
      .help = "File that an empty relay begins with; empty: the oldest of the source" },
    { .name = "relay_binlog_gtid",
      .type = ATTR_TEXT,
      .get = get_setting,
      .set = set_setting,
      .help = "GTID set that an empty relay begins after, where enable_gtid is set" },
    { .name = "semi_sync",
      .type = ATTR_BOOL,
      .get = get_setting,
      .set = set_setting,
      .help = "Whether commits at the source wait until we have them on disk; from the next "
              "connection on" },
    { .name = "semi_sync_active",
      .type = ATTR_BOOL,
      .get = attr_get_bool,
      .offset = offsetof(struct relay, semi_sync_active),
      .help = "Whether the source waits for us now" },
    { .name = "server_id",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .max = UINT32_MAX,
      .get = get_server_id,
      .set = set_setting,
      .help = "Our server_id at the source; one of our own unless it is set" },
    { .name = "server_uuid",
      .type = ATTR_TEXT,
      .get = get_server_uuid,
      .set = set_setting,
      .help = "Our server_uuid at a MySQL source; one of our own unless it is set" },
    { .name = "interval",
      .type = ATTR_COUNT,
      .unit = "seconds",
      .flags = ATTR_GAUGE,
      .offset = 1,
      .get = get_setting,
      .set = set_setting,
      .help = "Time between two looks at what may go; 0: never by itself" },
    { .name = "expires",
      .type = ATTR_COUNT,
      .unit = "hours",
      .flags = ATTR_GAUGE,
      .offset = 1,
      .get = get_setting,
      .set = set_setting,
      .help = "Age at which stored binlog goes; 0: none goes by age" },
    { .name = "remain_space",
      .type = ATTR_COUNT,
      .unit = "GB",
      .flags = ATTR_GAUGE,
      .offset = 1,
      .get = get_setting,
      .set = set_setting,
      .help = "With less free disk, stored binlog goes that all have read; 0: never" },
    { .name = "max_bytes",
      .type = ATTR_BYTES,
      .flags = ATTR_GAUGE,
      .offset = 1,
      .get = get_setting,
      .set = set_setting,
      .help = "Size of stored binlog above which the oldest goes; 0: any" },
    { .name = "when_full",
      .type = ATTR_ENUM,
      .choices = when_full,
      .offset = 1,
      .get = get_setting,
      .set = set_setting,
      .help = "With the disk full: stop storing, or drop what not all have read" },
    { .name = "journal_bytes",
      .type = ATTR_BYTES,
      .flags = ATTR_GAUGE,
      .get = get_state_field,
      STATE_ROW(bytes),
      .help = "Size of what is stored, as the source sent it" },
    { .name = "disk_bytes",
      .type = ATTR_BYTES,
      .flags = ATTR_GAUGE,
      .get = get_state_field,
      STATE_ROW(disk_bytes),
      .help =
          "What journal_bytes take on disk, compressed: lightly the newest 2 GiB, well the rest" },
    { .name = "first_seq",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_state_field,
      STATE_ROW(first_seq),
      .help = "Number of the oldest record that is kept" },
    { .name = "last_seq",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_last_seq,
      .help = "Number of the newest record" },
    { .name = "durable_seq",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_state_field,
      STATE_ROW(durable_seq),
      .help = "Number of the newest record on disk" },
    { .name = "commit_ts",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_state_field,
      STATE_ROW(commit_ts),
      .help = "Time stamp of the newest record on disk: milliseconds << 18" },
    { .name = "safe_ts",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_state_field,
      STATE_ROW(safe_ts),
      .help = "No later record will have a time stamp up to this" },
    { .name = "incarnation",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_incarnation,
      .help = "Grows when the source is another server or begins its binlog anew" },
    { .name = "binlog_file",
      .type = ATTR_TEXT,
      .get = get_file,
      .help = "File of the source up to which all is on our disk" },
    { .name = "binlog_offset",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_offset,
      .help = "Offset in it" },
    { .name = "current_gtid",
      .type = ATTR_TEXT,
      .get = get_current,
      .help = "The last transaction that was stored" },
    { .name = "gtid_executed",
      .type = ATTR_TEXT,
      .get = get_executed,
      .help = "Transactions on our disk, and those before them" },
    { .name = "gtid_purged",
      .type = ATTR_TEXT,
      .get = get_purged,
      .help = "Transactions before the oldest record that is kept" },
    { .name = "source_file",
      .type = ATTR_TEXT,
      .get = get_source_file,
      .help = "File at the end of the source's binlog, asked every ten seconds, or where what came "
              "since is" },
    { .name = "source_offset",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_source_offset,
      .help = "Offset in it" },
    { .name = "source_gtid",
      .type = ATTR_TEXT,
      .get = get_source_gtid,
      .help = "All transactions of the source then" },
    { .name = "catch_up",
      .type = ATTR_BOOL,
      .get = get_catch_up,
      .help = "Whether all that the source has sent is stored" },
    { .name = "lag_seconds",
      .type = ATTR_SECONDS,
      .flags = ATTR_WATCHED | ATTR_GAUGE,
      .get = get_lag,
      .help = "Age of the oldest change that is not stored; 0 when all is" },
    ATTR_U64(struct relay, transactions, ATTR_COUNT,
             "Transactions stored since the daemon started"),
    ATTR_U64(struct relay, events, ATTR_COUNT, "Events read"),
    ATTR_U64(struct relay, bytes_read, ATTR_BYTES, "Bytes read over the present connection"),
    ATTR_U64(struct relay, heartbeats, ATTR_COUNT, "Heartbeats of the source"),
    ATTR_U64(struct relay, purged_records, ATTR_COUNT, "Records deleted to make space"),
    ATTR_U64(struct relay, reconnects, ATTR_COUNT, "Times that the stream was opened again"),
    { .name = "rates",
      .type = ATTR_JSON,
      .get = relay_get_rates,
      .help = "A second, over the last few: events read, records and bytes that reach the disk, "
              "reads and bytes of what memory does not have any more" },
    { .name = "pending_records",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = relay_get_pending,
      .help = "Records that were read and are not on disk yet" },
    { .name = "histograms",
      .type = ATTR_JSON,
      .flags = ATTR_BULK,
      .get = relay_get_histograms,
      .help = "How long and how large, since the daemon started: records until they are on disk, "
              "groups that go there at once, reads; seconds and bytes" },
    { .name = "reconnect_reason",
      .type = ATTR_TEXT,
      .get = get_reason,
      .help = "Why the stream was opened again the last time" },
    { .name = "holds",
      .type = ATTR_JSON,
      .get = get_holds,
      .help = "Who still reads, and from which record on: these are kept" },
    { .name = "corruption",
      .type = ATTR_JSON,
      .get = get_corruption,
      .help = "Damaged places that the last verify found" },
    { .name = "files",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_ASKS, /* the store, and the lock is taken on the way */
      .get = get_files,
      .help = "Files of the source that are stored, with their first record and their end" },
    { 0 },
};
