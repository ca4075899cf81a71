/* serve_show.c - SHOW BINARY LOGS and its kin. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/control.h"
#include "journal/journal.h"
#include "mysql/packet.h"
#include "unit/relay/relay.h"
#include "unit/serve/serve.h"
#include "unit/source/source.h"

enum { FLUSH_SIZE = 64 << 10 };

/* --- SHOW MASTER STATUS --- */

static const struct packet_column status_columns[] = {
    { .name = "File" },
    { .name = "Position", .number = true },
    { .name = "Binlog_Do_DB" },
    { .name = "Binlog_Ignore_DB" },
    { .name = "Executed_Gtid_Set" },
};

static int show_status(struct session *s, struct wire *w)
{
    struct position p = { .gtids = NULL };
    size_t n = ARRAY_LEN(status_columns) - (s->flavor == FLAVOR_MARIADB);

    journal_position(s->serve->journal, &p);
    packet_columns(w, status_columns, n);
    packet_row(w);
    packet_text(w, p.file);
    packet_number(w, p.offset);
    packet_text(w, "");
    packet_text(w, "");
    if (s->flavor == FLAVOR_MYSQL) {
        SCOPED(buf_fini) struct buf set = BUF_INIT;

        buf_str(&set, "");
        if (p.gtids)
            gtid_set_print(p.gtids, &set);
        packet_text(w, set.data);
    }
    packet_row_end(w);
    packet_eof(w);
    position_fini(&p);
    return 0;
}

/* --- SHOW BINARY LOGS --- */

static const struct packet_column logs_columns[] = {
    { .name = "Log_name" },
    { .name = "File_size", .number = true },
    { .name = "Encrypted" },
};

struct logs {
    struct session *s;
    struct wire *w;
};

static bool put_log(void *arg, const struct journal_file *f)
{
    struct logs *l = arg;

    packet_row(l->w);
    packet_text(l->w, f->name);
    packet_number(l->w, f->end);
    if (l->s->flavor == FLAVOR_MYSQL)
        packet_text(l->w, "No");
    packet_row_end(l->w);
    return true;
}

static int show_logs(struct session *s, struct wire *w, struct err *err)
{
    struct logs l = { .s = s, .w = w };
    int rc;

    packet_columns(w, logs_columns, ARRAY_LEN(logs_columns) - (s->flavor == FLAVOR_MARIADB));
    rc = journal_files(s->serve->journal, put_log, &l, err);
    if (rc == 0)
        packet_eof(w);
    return rc;
}

/* --- SHOW BINLOG EVENTS --- */

static const struct packet_column events_columns[] = {
    { .name = "Log_name" },
    { .name = "Pos", .number = true },
    { .name = "Event_type" },
    { .name = "Server_id", .number = true },
    { .name = "End_log_pos", .number = true },
    { .name = "Info" },
};

struct events {
    struct wire *w;
    struct journal_reader *reader;
    const char *file;
    uint64_t skip, left, at;
};

/* "Write_rows_v1" as the servers write it is a name of theirs; ours is the type's. */
static void info_of(const struct event *ev, struct buf *ret)
{
    struct rotate r;
    struct err ignored = ERR_INIT;

    buf_str(ret, "");
    if (ev->type == EVENT_ROTATE && rotate_decode(ev, &r, &ignored) == 0)
        buf_printf(ret, "%.*s;pos=%llu", SLICE_ARG(r.file), (unsigned long long)r.offset);
}

static int put_event(struct events *e, struct slice raw, struct err *err)
{
    struct event_format none = { .checksum = 1 };
    struct event ev;
    SCOPED(buf_fini) struct buf info = BUF_INIT;
    uint64_t at = e->at;
    int rc = event_parse(raw, &none, false, &ev, err);

    e->at += raw.size;
    if (rc < 0)
        return rc;
    if (e->skip > 0) {
        e->skip--;
        return 0;
    }
    info_of(&ev, &info);
    packet_row(e->w);
    packet_text(e->w, e->file);
    packet_number(e->w, at);
    packet_text(e->w, event_type_name(ev.type));
    packet_number(e->w, ev.server_id);
    packet_number(e->w, e->at);
    packet_text(e->w, info.data);
    packet_row_end(e->w);
    e->left--;
    return e->w->out.size >= FLUSH_SIZE ? wire_flush(e->w, SERVE_WRITE_TIMEOUT_MS, err) : 0;
}

/* Of one record, those from offset 'from' on. */
static int put_events(struct events *e, uint64_t from, struct err *err)
{
    struct slice raw;
    int rc = 0;

    while (e->left > 0 && (rc = journal_reader_event(e->reader, &raw, err)) > 0) {
        if (e->at < from)
            e->at += raw.size;
        else if ((rc = put_event(e, raw, err)) < 0)
            break;
    }
    return rc < 0 ? rc : 0;
}

static int put_file(struct events *e, const struct journal_file *f, uint64_t from, struct err *err)
{
    struct journal_record r;
    int rc = journal_reader_seek(e->reader, f->first_seq, err);

    while (rc == 0 && e->left > 0 && (rc = journal_reader_next(e->reader, &r, 0, err)) > 0) {
        if (r.incarnation != f->incarnation || r.file_no != f->no)
            return 0;
        e->at = r.from;
        rc = r.to > from ? put_events(e, from, err) : 0;
    }
    return rc < 0 ? rc : 0;
}

struct search {
    const char *name; /* NULL: the first */
    struct journal_file *file;
    bool found;
};

static bool find_file(void *arg, const struct journal_file *f)
{
    struct search *look = arg;

    if (look->name && strcmp(look->name, f->name) != 0)
        return true;
    *look->file = *f; /* numbers and the name are all that is used */
    look->file->format = slice_of(NULL, 0);
    look->file->at_from = NULL;
    look->file->bytes = BUF_INIT;
    look->found = true;
    return look->name != NULL;
}

static int show_events(struct session *s, const struct sql_show_args *a, struct wire *w,
                       struct err *err)
{
    struct journal_file f = { .no = 0 };
    struct search look = { .name = a->file, .file = &f };
    struct events e = { .w = w, .skip = a->skip, .left = a->limit };
    int rc = journal_files(s->serve->journal, find_file, &look, err);

    if (rc == 0 && !look.found) {
        rc = err_set(err, -ENOENT,
                     "Error when executing command SHOW BINLOG EVENTS: Could not find target log");
        err->sql = 1220;
    }
    if (rc < 0)
        return rc;
    e.file = f.name;
    e.reader = journal_reader_new(s->serve->journal, JOURNAL_DURABLE);
    packet_columns(w, events_columns, ARRAY_LEN(events_columns));
    rc = put_file(&e, &f, a->from, err);
    journal_reader_free(e.reader);
    if (rc == 0)
        packet_eof(w);
    return rc;
}

/* --- SHOW REPLICAS --- */

static const struct packet_column replicas_mysql[] = {
    { .name = "Server_Id", .number = true },
    { .name = "Host" },
    { .name = "Port", .number = true },
    { .name = "Source_Id", .number = true },
    { .name = "Replica_UUID" },
};

static const struct packet_column replicas_mariadb[] = {
    { .name = "Server_id", .number = true },
    { .name = "Host" },
    { .name = "Port", .number = true },
    { .name = "Master_id", .number = true },
};

static void put_replica(struct session *s, const struct session *of, struct wire *w)
{
    packet_row(w);
    packet_number(w, of->server_id);
    packet_text(w, of->host);
    packet_number(w, of->port);
    packet_number(w, s->serve->server_id);
    if (s->flavor == FLAVOR_MYSQL)
        packet_text(w, of->dump_uuid);
    packet_row_end(w);
}

/* Those that dump; what they registered with does not change any more. */
static int show_replicas(struct session *s, struct wire *w) NO_THREAD_CHECK
{
    if (s->flavor == FLAVOR_MYSQL)
        packet_columns(w, replicas_mysql, ARRAY_LEN(replicas_mysql));
    else
        packet_columns(w, replicas_mariadb, ARRAY_LEN(replicas_mariadb));
    mutex_lock(&s->serve->lock);
    for (const struct session *o = s->serve->sessions; o; o = o->next)
        if (o->dump_id && o->registered && !o->over)
            put_replica(s, o, w);
    mutex_unlock(&s->serve->lock);
    packet_eof(w);
    return 0;
}

/* --- SHOW REPLICA STATUS: how our own replication from the source is --- */

enum { MAX_STATUS = 24 };

struct status {
    struct packet_column columns[MAX_STATUS];
    char *values[MAX_STATUS];
    size_t n;
};

static void put(struct status *t, const char *name, char *value)
{
    t->columns[t->n] = (struct packet_column){ .name = name };
    t->values[t->n++] = value;
}

/* Names by words: "Master_Host" was once what "Source_Host" is. */
struct words {
    const char *host, *user, *port, *file, *read, *io, *sql, *behind, *executed;
};

static const struct words old_words = {
    "Master_Host",       "Master_User",           "Master_Port",
    "Master_Log_File",   "Read_Master_Log_Pos",   "Slave_IO_Running",
    "Slave_SQL_Running", "Seconds_Behind_Master", "Exec_Master_Log_Pos",
};
static const struct words new_words = {
    "Source_Host",         "Source_User",           "Source_Port",
    "Source_Log_File",     "Read_Source_Log_Pos",   "Replica_IO_Running",
    "Replica_SQL_Running", "Seconds_Behind_Source", "Exec_Source_Log_Pos",
};

static char *number_text(uint64_t n)
{
    return xasprintf("%llu", (unsigned long long)n);
}

static void fill_status(struct session *s, struct status *t, const struct words *n,
                        const struct mysql_params *from)
{
    struct position p = { .gtids = NULL };
    struct relay_tip tip;
    struct buf set = BUF_INIT;

    relay_tip(s->serve->source, &tip);
    journal_position(s->serve->journal, &p);
    buf_str(&set, "");
    if (p.gtids)
        gtid_set_print(p.gtids, &set);
    put(t, n->host, xstrdup(from->host ? from->host : ""));
    put(t, n->user, xstrdup(from->user ? from->user : ""));
    put(t, n->port, number_text(from->port));
    put(t, n->file, xstrdup(p.file));
    put(t, n->read, number_text(p.offset));
    put(t, n->io, xstrdup(tip.at_work ? "Yes" : "No"));
    put(t, n->sql, xstrdup(tip.at_work ? "Yes" : "No"));
    put(t, "Last_IO_Error", xstrdup(""));
    put(t, "Last_SQL_Error", xstrdup(""));
    put(t, n->executed, number_text(p.offset));
    put(t, n->behind, tip.caught_up ? xstrdup("0") : NULL);
    if (s->flavor == FLAVOR_MYSQL) {
        put(t, "Retrieved_Gtid_Set", xstrdup(set.data));
        put(t, "Executed_Gtid_Set", xstrdup(set.data));
        put(t, "Auto_Position", xstrdup("1"));
    } else {
        put(t, "Using_Gtid", xstrdup("Slave_Pos"));
        put(t, "Gtid_IO_Pos", xstrdup(set.data));
    }
    buf_fini(&set);
    position_fini(&p);
}

static int show_replication(struct session *s, bool old_names, struct wire *w)
{
    struct status t = { .n = 0 };
    struct mysql_params from = { 0 };
    struct err ignored = ERR_INIT;

    if (source_params(s->serve->source, &from, &ignored) < 0)
        from = (struct mysql_params){ 0 };
    fill_status(s, &t, old_names ? &old_words : &new_words, &from);
    packet_columns(w, t.columns, t.n);
    packet_row(w);
    for (size_t i = 0; i < t.n; i++) {
        packet_text(w, t.values[i]);
        free(t.values[i]);
    }
    packet_row_end(w);
    packet_eof(w);
    mysql_params_fini(&from);
    return 0;
}

/* --- all of them --- */

static const struct packet_column nothing_columns[] = { { .name = "Nothing" } };

int serve_show(void *arg, enum sql_show what, const struct sql_show_args *args, struct wire *w,
               struct err *err)
{
    struct session *s = arg;

    switch (what) {
    case SQL_BINLOG_STATUS:
        return show_status(s, w);
    case SQL_BINLOGS:
        return show_logs(s, w, err);
    case SQL_BINLOG_EVENTS:
        return show_events(s, args, w, err);
    case SQL_REPLICAS:
        return show_replicas(s, w);
    case SQL_REPLICA_STATUS:
        return show_replication(s, args->old_names, w);
    case SQL_NOTHING:
        packet_columns(w, nothing_columns, ARRAY_LEN(nothing_columns));
        packet_eof(w);
        return 0;
    }
    return 0;
}
