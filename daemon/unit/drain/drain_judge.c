#include "unit/drain/drain_judge.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/drain/drain_target.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_mode.h"

/* What is known of a table id; ids are counted by each source. */
struct seen_table {
    const struct drain_lane *lane;
    uint64_t id;
    bool is_mark;
    unsigned filtered; /* bits by enum rows_kind */
};

enum { SEEN = 256 }; /* a small cache: what falls out is looked at again with the next TABLE_MAP */

struct drain_judge {
    struct drain_judge_config config;
    struct drainer *drainer;
    const struct drain_lane *lane;
    bool out; /* the transaction at hand is left out */
    bool server_known;
    struct seen_table seen[SEEN];
    struct arena arena;
    struct table_map *mark_map;
};

static struct drain_judge *drain_judge_make(const struct drain_judge_config *c)
{
    struct drain_judge *j = xcalloc(1, sizeof *j);

    j->config = *c;
    return j;
}

int drain_judge_new(struct drain_judge **ret, struct drainer *d, const struct drain_target *t,
                    const json_t *doc, struct err *err)
{
    struct drain_judge_config c = {
        .filter = t->filter,
        .loopback = json_is_true(doc_at(doc, "syncer.loopback_control")),
        .no_ddl = !json_is_true(doc_at(doc, "syncer.sync_ddl")),
        .channel = (uint64_t)json_integer_value(doc_at(doc, "syncer.channel_id")),
    };

    (void)err;
    *ret = drain_judge_make(&c);
    (*ret)->drainer = d;
    return 0;
}

void drain_judge_free(struct drain_judge *j)
{
    if (!j)
        return;
    free(j->mark_map);
    arena_fini(&j->arena);
    free(j);
}

void drain_judge_begin(struct drain_judge *j, const struct drain_item *item)
{
    j->lane = item->lane;
    j->server_known = false;
    j->out = j->drainer && drainer_ignores(j->drainer, item->record.commit_ts);
}

bool drain_judge_left_out(const struct drain_judge *j)
{
    return j->out;
}

/* --- tables --- */

/* Body of a TABLE_MAP: id (6 bytes), flags (2), length and name of schema, NUL, of table, NUL. */
static bool names_of(const struct event *ev, uint64_t *id, struct slice *schema,
                     struct slice *table)
{
    struct cursor c = cursor_of(ev->body);

    *id = cursor_le(&c, 6);
    cursor_skip(&c, 2);
    *schema = cursor_bytes(&c, cursor_u8(&c));
    cursor_skip(&c, 1);
    *table = cursor_bytes(&c, cursor_u8(&c));
    return !c.bad;
}

static struct seen_table *slot_of(struct drain_judge *j, uint64_t id)
{
    struct seen_table *t = &j->seen[id % SEEN];

    return t->lane == j->lane && t->id == id ? t : NULL;
}

static int keep_mark_map(struct drain_judge *j, const struct grouper *g, const struct event *ev,
                         struct err *err)
{
    struct table_map map;
    int rc;

    arena_clear(&j->arena);
    rc = table_map_decode(ev, &g->fmt, &j->arena, &map, err);
    if (rc < 0)
        return rc;
    free(j->mark_map);
    j->mark_map = table_map_dup(&map);
    return 0;
}

static int on_map(struct drain_judge *j, const struct grouper *g, const struct event *ev,
                  struct err *err)
{
    char schema_text[256], table_text[256];
    struct slice schema, table;
    struct seen_table *t;
    uint64_t id;

    if (!names_of(ev, &id, &schema, &table))
        return TXN_MAP; /* whoever decodes it says why */
    t = &j->seen[id % SEEN];
    *t = (struct seen_table){ .lane = j->lane, .id = id };
    t->is_mark = slice_eq(schema, slice_str(DRAIN_MARK_SCHEMA)) &&
                 slice_eq(table, slice_str(DRAIN_MARK_TABLE));
    if (t->is_mark) {
        int rc = j->config.loopback ? keep_mark_map(j, g, ev, err) : 0;

        return rc < 0 ? rc : TXN_NOTHING;
    }
    snprintf(schema_text, sizeof schema_text, "%.*s", SLICE_ARG(schema));
    snprintf(table_text, sizeof table_text, "%.*s", SLICE_ARG(table));
    t->filtered = drain_filter_rows(j->config.filter, schema_text, table_text);
    return TXN_MAP;
}

/* Whose mark is it? */
static int read_mark(struct drain_judge *j, const struct grouper *g, const struct event *ev,
                     struct err *err)
{
    enum { CHANNEL = 1 };
    struct value before[16], after[16];
    struct rows rows;
    int rc;

    if (!j->mark_map || j->mark_map->n_cols <= CHANNEL || j->mark_map->n_cols > 16)
        return err_set(err, -EBADMSG, "the mark table has not the columns of one");
    rc = rows_table_id(ev, &g->fmt, &j->mark_map->table_id, err);
    if (rc == 0)
        rc = rows_open(&rows, ev, &g->fmt, j->mark_map, &j->arena, err);
    while (rc >= 0 && (rc = rows_next(&rows, before, after, err)) > 0) {
        const struct value *row = rows.kind == ROWS_DELETE ? before : after;

        if (row[CHANNEL].kind == VALUE_ABSENT)
            row = before; /* an image that has only what changed */
        if ((row[CHANNEL].kind == VALUE_INT || row[CHANNEL].kind == VALUE_UINT) &&
            row[CHANNEL].u == j->config.channel)
            j->out = true;
    }
    return rc;
}

static int on_rows(struct drain_judge *j, const struct grouper *g, const struct event *ev,
                   struct err *err)
{
    struct seen_table *t;
    enum rows_kind kind;
    uint64_t id;
    int rc = rows_table_id(ev, &g->fmt, &id, err);

    if (rc < 0)
        return rc;
    t = slot_of(j, id);
    if (!t)
        return TXN_ROWS;
    if (t->is_mark) {
        rc = j->config.loopback ? read_mark(j, g, ev, err) : 0;
        return rc < 0 ? rc : TXN_NOTHING;
    }
    if (t->filtered && rows_kind_of(ev->type, &kind) && t->filtered & (1u << kind))
        return TXN_NOTHING;
    return TXN_ROWS;
}

/* --- statements --- */

/* What the filters leave of it; sync sees to a part by itself. */
static bool is_filtered(struct drain_judge *j, struct sync_run *r, struct query *q,
                        const struct ddl *d, const char *schema, const char *table)
{
    SCOPED(buf_fini) struct buf rest = BUF_INIT;
    struct filter_statement st = { .sql = q->sql, .ddl = d, .schema = schema, .table = table };
    enum filter_verdict v =
        filter_ddl(drain_filter_changes(j->config.filter), &st, &j->arena, &rest);

    if (v == FILTER_PART && !r)
        q->sql = slice_of(arena_dup(&j->arena, rest.data, rest.size), rest.size);
    return v == FILTER_IGNORE;
}

static bool is_left_out(struct drain_judge *j, struct sync_run *r, struct query *q)
{
    char schema[256] = "", table[256] = "";
    struct ddl d;

    if (j->config.no_ddl)
        return true;
    arena_clear(&j->arena);
    ddl_scan(q->sql, false, false, &j->arena, &d);
    if (d.n_names) {
        struct slice s = d.names[0].schema.size ? d.names[0].schema : q->db;

        snprintf(schema, sizeof schema, "%.*s", SLICE_ARG(s));
        snprintf(table, sizeof table, "%.*s", SLICE_ARG(d.names[0].table));
    }
    if (strcmp(schema, DRAIN_MARK_SCHEMA) == 0)
        return true;
    return is_filtered(j, r, q, &d, schema, table);
}

/* What is known of its tables may have changed all the same. */
static int note_left_out(struct sync_run *r, const struct query *q, struct err *err)
{
    struct ddl d;

    if (!r)
        return 0;
    if (r->mode->drain(r, err) < 0) /* groups under way refer to what is forgotten */
        return err->code;
    arena_clear(&r->scratch);
    sync_ddl_scan(r, q, &d);
    return sync_ddl_skipped(r, q, &d, err);
}

static int on_statement(struct drain_judge *j, struct sync_run *r, struct grouper *g, int step,
                        struct err *err)
{
    int rc;

    if (!j->out && !is_left_out(j, r, &g->query))
        return step;
    rc = note_left_out(r, &g->query, err);
    if (rc < 0)
        return rc;
    return step == TXN_DDL ? TXN_ROLLBACK : TXN_NOTHING;
}

static int judge(struct drain_judge *j, struct sync_run *r, struct grouper *g,
                 const struct event *ev, int step, struct err *err)
{
    if (!j->server_known) {
        j->server_known = true;
        j->out = j->out || drain_filter_server(j->config.filter, ev->server_id);
    }
    switch ((enum txn_step)step) {
    case TXN_MAP:
        return j->out ? TXN_NOTHING : on_map(j, g, ev, err);
    case TXN_ROWS:
        return j->out ? TXN_NOTHING : on_rows(j, g, ev, err);
    case TXN_DDL:
    case TXN_STATEMENT:
        return on_statement(j, r, g, step, err);
    case TXN_COMMIT:
    case TXN_XA_PREPARE:
    case TXN_XA_COMMIT:
        return j->out ? TXN_ROLLBACK : step;
    case TXN_NOTHING:
    case TXN_FORMAT:
    case TXN_ROTATE:
    case TXN_BEGIN:
    case TXN_CONTEXT:
    case TXN_ROLLBACK:
    case TXN_XA_ROLLBACK:
    case TXN_PAYLOAD:
    case TXN_INCIDENT:
        break;
    }
    return step;
}

int drain_judge_step(struct drain_judge *j, struct sync_run *r, const struct event *ev, int step,
                     struct err *err)
{
    return judge(j, r, &r->grouper, ev, step, err);
}

int drain_judge_event(struct drain_judge *j, struct grouper *g, const struct event *ev, int step,
                      struct err *err)
{
    return judge(j, NULL, g, ev, step, err);
}
