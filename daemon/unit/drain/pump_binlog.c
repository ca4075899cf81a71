/*
 * pumps/<p>/binlog/: one transaction by its commit_ts, as text in the shape of TiDB-Binlog's debug
 * page (binlog/450...), and as JSON (binlog/450....json).  The files are made when asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal.h"
#include "mysql/conn_set.h"
#include "node/file_ring.h"
#include "sink/change_sql.h"
#include "unit/drain/drain_decode.h"
#include "unit/drain/pump_priv.h"

struct binlog_dir {
    struct node node;
    struct pump *pump; /* its unit's node is referenced */
    struct file_ring files;
};

struct record_file {
    struct node node;
    struct binlog_dir *dir; /* referenced */
    uint64_t ts;
};

static struct binlog_dir *dir_of(const struct node *n)
{
    return node_owner((struct node *)n, struct binlog_dir, node);
}

static struct record_file *file_of(const struct node *n)
{
    return node_owner((struct node *)n, struct record_file, node);
}

static void journal_closep(struct journal **j)
{
    journal_close(*j);
}

/* --- a transaction --- */

struct shown {
    struct journal_record record;
    struct journal_file file;
    struct drain_decoded got;
    struct drain_lane lane;
    struct journal_reader *reader;
    struct drain_filter *filter;
    struct drain_decoder *decoder;
    struct conn_set conns;
};

static void shown_fini(struct shown *s)
{
    drain_decoder_closed(s->decoder, &s->lane);
    drain_decoder_free(s->decoder);
    drain_filter_free(s->filter);
    journal_reader_free(s->reader);
    journal_file_fini(&s->file);
    grouper_fini(&s->lane.grouper);
    conn_set_fini(&s->conns);
}

static int not_found(uint64_t ts, struct err *err)
{
    return err_set(err, -ENOENT, "fail read binlog by ts: %llu: not found", (unsigned long long)ts);
}

static int find_record(struct shown *s, struct journal *j, uint64_t ts, struct err *err)
{
    struct err ignored = ERR_INIT;
    uint64_t seq;
    int rc = journal_find_ts(j, ts, &seq, &ignored);

    if (rc < 0)
        return not_found(ts, err);
    rc = journal_reader_seek(s->reader, seq, err);
    if (rc == 0)
        rc = journal_reader_next(s->reader, &s->record, 0, err);
    if (rc < 0)
        return rc;
    if (rc == 0 || s->record.commit_ts != ts)
        return not_found(ts, err);
    rc = journal_file_of(j, seq, &s->file, err);
    return rc == 0 ? drain_lane_place(&s->lane, seq, err) : rc;
}

static int next_event(void *arg, struct slice *ret, struct err *err)
{
    struct shown *s = arg;

    return journal_reader_event(s->reader, ret, err);
}

/* Everything is shown, whatever its schema: no filter leaves out but the servers' own. */
static int open_decoder(struct shown *s, struct pump *p, struct err *err)
{
    SCOPED(json_decrefp) json_t *all = json_object();
    struct drain_decoder_config c = { .sources = p->reg.config.sources, .conns = &s->conns };
    int rc = drain_filter_new(all, &s->filter, err);

    if (rc < 0)
        return rc;
    c.filter = s->filter;
    s->decoder = drain_decoder_new(&c);
    return drain_decoder_opened(s->decoder, &s->lane, err);
}

static int show(struct shown *s, struct pump *p, struct journal *j, uint64_t ts, struct err *err)
{
    struct drain_item item = { .lane = &s->lane };
    int rc;

    conn_set_init(&s->conns);
    s->lane.journal = j;
    s->lane.name = p->reg.name;
    s->lane.source = (char *)journal_name(j);
    s->reader = journal_reader_new(j, JOURNAL_DURABLE);
    rc = find_record(s, j, ts, err);
    if (rc == 0)
        rc = open_decoder(s, p, err);
    item.record = s->record;
    return rc == 0 ? drain_decode(s->decoder, &item, next_event, s, &s->got, err) : rc;
}

static void place_text(const struct shown *s, struct buf *out)
{
    gtid_print(&s->record.gtid, out);
    buf_printf(out, "%s%s:%llu", out->size ? " " : "", s->file.name,
               (unsigned long long)s->record.from);
}

/* --- as text --- */

/* As protobuf prints bytes in text: C's octal escapes. */
static void put_escaped(struct buf *out, const char *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)p[i];

        if (c == '"' || c == '\\')
            buf_byte(out, '\\');
        if (c >= 0x20 && c < 0x7f)
            buf_byte(out, (char)c);
        else
            buf_printf(out, "\\%03o", c);
    }
}

static json_t *as_text(const struct shown *s)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT, key = BUF_INIT;
    const struct drain_decoded *got = &s->got;
    unsigned long long ts = s->record.commit_ts;

    place_text(s, &key);
    buf_printf(&out, "tp:%s start_ts:%llu commit_ts:%llu prewrite_key:\"",
               got->has_ddl && !got->has_rows ? "PostDDL" : "Commit", ts, ts);
    put_escaped(&out, key.data, key.size);
    buf_byte(&out, '"');
    if (got->has_ddl) {
        buf_str(&out, " ddl_query:\"");
        put_escaped(&out, (const char *)got->ddl.query.data, got->ddl.query.size);
        buf_byte(&out, '"');
    }
    buf_str(&out, "\n\n PrewriteValue: \n");
    if (got->has_ddl)
        change_sql_txn(&got->ddl, NULL, &out);
    if (got->has_rows)
        change_sql_txn(&got->rows, NULL, &out);
    buf_str(&out, "\n GetMvccByEncodedKey: ");
    return json_string_nocheck(out.data);
}

/* --- as JSON --- */

static json_t *json_text(const void *p, size_t size)
{
    json_t *v = json_stringn(p ? p : "", size);

    return v;
}

static json_t *json_hex(const struct value *v)
{
    SCOPED(buf_fini) struct buf hex = BUF_INIT;

    buf_str(&hex, "0x");
    for (uint32_t i = 0; i < v->size; i++)
        buf_printf(&hex, "%02x", v->p[i]);
    return json_string(hex.data);
}

/* Numbers that a double cannot hold are integers of JSON all the same; bytes that are no text are
 * 0x and hex digits. */
static json_t *json_value(const struct change_column *c, const struct value *v)
{
    json_t *text;

    switch (v->kind) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        return json_null();
    case VALUE_INT:
        return json_integer(v->i);
    case VALUE_UINT:
        return v->u <= INT64_MAX ? json_integer((json_int_t)v->u)
                                 : json_sprintf("%llu", (unsigned long long)v->u);
    case VALUE_FLOAT:
        return json_real((double)v->f);
    case VALUE_DOUBLE:
        return json_real(v->d);
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_JSON:
    case VALUE_JSON_DIFF:
        break;
    }
    text = c->binary ? NULL : json_text(v->p, v->size);
    return text ? text : json_hex(v);
}

static json_t *json_row(const struct change_table *t, const struct value *row)
{
    json_t *o = json_object();

    for (unsigned i = 0; row && i < t->n_cols; i++)
        if (row[i].kind != VALUE_ABSENT)
            json_object_set_new(o, t->cols[i].name, json_value(&t->cols[i], &row[i]));
    return row ? o : (json_decref(o), json_null());
}

static json_t *json_change(const struct change *c)
{
    static const char *const kinds[] = {
        [ROWS_INSERT] = "insert", [ROWS_UPDATE] = "update", [ROWS_DELETE] = "delete"
    };

    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "schema", c->table->schema, "table",
                     c->table->name, "type", kinds[c->kind], "columns_named_by",
                     c->table->names ? c->table->names : "binlog", "before",
                     json_row(c->table, c->before), "after", json_row(c->table, c->after));
}

static json_t *as_json(const struct shown *s)
{
    SCOPED(buf_fini) struct buf gtid = BUF_INIT;
    json_t *changes = json_array();
    char when[CLOCK_TEXT_SIZE];
    json_t *all;

    gtid_print(&s->record.gtid, &gtid);
    clock_text(s->record.commit_us ? s->record.commit_us
                                   : (int64_t)(s->record.commit_ts >> 18) * 1000,
               when);
    for (size_t i = 0; s->got.has_rows && i < s->got.rows.n_changes; i++)
        json_array_append_new(changes, json_change(&s->got.rows.changes[i]));
    all = json_pack("{s:I, s:I, s:s, s:s, s:s, s:I, s:I, s:o}", "commit_ts",
                    (json_int_t)s->record.commit_ts, "seq", (json_int_t)s->record.seq, "time", when,
                    "gtid", gtid.data ? gtid.data : "", "file", s->file.name, "offset",
                    (json_int_t)s->record.from, "size", (json_int_t)s->record.size, "changes",
                    changes);
    if (s->got.has_ddl)
        json_object_set_new(all, "ddl", json_text(s->got.ddl.query.data, s->got.ddl.query.size));
    return all;
}

/* --- the files --- */

static json_t *read_file(const struct node *n, json_t *(*as)(const struct shown *s),
                         struct err *err)
{
    struct record_file *f = file_of(n);
    SCOPED(journal_closep) struct journal *j = NULL;
    struct shown s = { .reader = NULL };
    json_t *v = NULL;

    if (pump_journal(f->dir->pump, &j, err) < 0)
        return NULL;
    if (show(&s, f->dir->pump, j, f->ts, err) == 0)
        v = as(&s);
    shown_fini(&s);
    return v;
}

static json_t *get_text(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a;
    return read_file(n, as_text, err);
}

static json_t *get_json(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a;
    return read_file(n, as_json, err);
}

static const struct attr file_rows[] = {
    { .name = "text",
      .type = ATTR_TEXT,
      .flags = ATTR_BULK | ATTR_ASKS,
      .get = get_text,
      .help = "binlog/COMMIT_TS: the transaction as TiDB-Binlog's debug page shows one" },
    { .name = "json",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_ASKS,
      .get = get_json,
      .help = "binlog/COMMIT_TS.json: the same for programs" },
    { 0 },
};

static void file_release(struct node *n)
{
    node_unref(&file_of(n)->dir->node);
    free(file_of(n));
}

static const struct node_type file_type = {
    .name = "pump_record",
    .help = "A transaction by its commit_ts: two files, COMMIT_TS and COMMIT_TS.json.",
    .attrs = file_rows,
    .release = file_release,
};

static struct node *file_at(struct binlog_dir *d, const char *name, uint64_t ts)
{
    struct node *found = file_ring_find(&d->files, name);
    struct record_file *f;

    if (found)
        return found;
    f = xcalloc(1, sizeof *f);
    f->dir = d;
    f->ts = ts;
    node_ref(&d->node);
    node_init_file(&f->node, &file_type, name, &d->node);
    file_ring_keep(&d->files, &f->node);
    return &f->node;
}

static int find(struct node *dir, const char *name, struct target *ret)
{
    size_t digits = strspn(name, "0123456789");
    bool json = strcmp(name + digits, ".json") == 0;

    if (digits == 0 || digits > 19 || name[0] == '0' || (name[digits] && !json))
        return -ENOENT;
    *ret = (struct target){ .node = file_at(dir_of(dir), name, strtoull(name, NULL, 10)),
                            .attr = &file_rows[json] };
    return 0;
}

/* --- the directory --- */

static void dir_release(struct node *n)
{
    struct binlog_dir *d = dir_of(n);

    file_ring_fini(&d->files);
    node_unref(&d->pump->unit.node);
    free(d);
}

static const char *const examples[] = {
    "cat 450000000000000000",
    "cat 450000000000000000.json | jq .changes",
    "cat $(cat ../max_commit_ts)",
    NULL,
};

static const struct node_part parts[] = { { NULL, &file_type }, { 0 } };

const struct node_type pump_binlog_type = {
    .name = "pump_binlog",
    .help = "Stored transactions by commit_ts: each can be read as a file of that name, and none "
            "is listed.",
    .examples = examples,
    .parts = parts,
    .find = find,
    .release = dir_release,
};

int pump_binlog_add(struct pump *p, struct err *err)
{
    struct binlog_dir *d = xcalloc(1, sizeof *d);
    int rc;

    node_init(&d->node, &pump_binlog_type, "binlog");
    file_ring_init(&d->files);
    d->pump = p;
    node_ref(&p->unit.node);
    rc = node_add(&p->unit.node, &d->node, err);
    if (rc < 0)
        node_unref(&d->node);
    return rc;
}

/* Files refer to the directory, and it to those that are kept. */
void pump_binlog_clear(struct pump *p)
{
    struct node *n = node_child(&p->unit.node, "binlog");

    if (n)
        file_ring_clear(&dir_of(n)->files);
    node_unref(n);
}
