#include "unit/copy/copy_unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "unit/copy/copy.h"

struct copy_unit {
    struct unit unit;
    struct copy *copy; /* referenced */
};

static struct copy_unit *copy_unit_of(const struct node *n)
{
    return (struct copy_unit *)node_owner((struct node *)n, struct unit, node);
}

static void copy_unit_release(struct node *n)
{
    struct copy_unit *u = copy_unit_of(n);

    unit_fini(&u->unit);
    copy_unref(u->copy);
    free(u);
}

/* --- rows --- */

static struct copy_totals totals_of(const struct node *n)
{
    struct copy_totals t;

    copy_totals_read(copy_unit_of(n)->copy, &t);
    return t;
}

static json_t *get_phase(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_string(copy_phase_names[totals_of(n).phase]);
}

static json_t *get_tables_total(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_integer((json_int_t)totals_of(n).tables);
}

static json_t *get_tables_done(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_integer((json_int_t)totals_of(n).tables_done);
}

static json_t *get_rows(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_integer((json_int_t)totals_of(n).rows);
}

static json_t *get_rows_in_flight(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_integer((json_int_t)totals_of(n).rows_in_flight);
}

static json_t *get_rows_estimated(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_integer((json_int_t)totals_of(n).rows_estimated);
}

static json_t *get_bytes(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_integer((json_int_t)totals_of(n).bytes);
}

static json_t *get_rows_rate(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_integer((json_int_t)totals_of(n).rows_s);
}

static json_t *get_bytes_rate(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_integer((json_int_t)totals_of(n).bytes_s);
}

static json_t *get_eta(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_real(totals_of(n).eta_s);
}

static json_t *get_rounds(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_integer((json_int_t)totals_of(n).rounds);
}

static json_t *get_position(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return copy_position_json(copy_unit_of(n)->copy);
}

static json_t *get_tables(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return copy_tables_json(copy_unit_of(n)->copy);
}

#define COPY_ATTRS                                                                  \
    { .name = "phase",                                                              \
      .type = ATTR_TEXT,                                                            \
      .get = get_phase,                                                             \
      .help = "What the copy is at: planning, snapshot, schema, rows, views" },     \
        { .name = "tables_total",                                                   \
          .type = ATTR_COUNT,                                                       \
          .flags = ATTR_GAUGE,                                                      \
          .get = get_tables_total,                                                  \
          .help = "Tables in scope" },                                              \
        { .name = "tables_done",                                                    \
          .type = ATTR_COUNT,                                                       \
          .flags = ATTR_GAUGE,                                                      \
          .get = get_tables_done,                                                   \
          .help = "Tables copied and counted at the target" },                      \
        { .name = "rows",                                                           \
          .type = ATTR_COUNT,                                                       \
          .unit = "rows",                                                           \
          .flags = ATTR_GAUGE,                                                      \
          .get = get_rows,                                                          \
          .help = "Rows read and sent so far" },                                    \
        { .name = "rows_in_flight",                                                 \
          .type = ATTR_COUNT,                                                       \
          .unit = "rows",                                                           \
          .flags = ATTR_GAUGE,                                                      \
          .get = get_rows_in_flight,                                                \
          .help = "Of these, rows that the target has not committed yet" },         \
        { .name = "rows_estimated",                                                 \
          .type = ATTR_COUNT,                                                       \
          .unit = "rows",                                                           \
          .flags = ATTR_GAUGE,                                                      \
          .get = get_rows_estimated,                                                \
          .help = "Rows in all, as far as the source can say" },                    \
        { .name = "bytes",                                                          \
          .type = ATTR_BYTES,                                                       \
          .flags = ATTR_GAUGE,                                                      \
          .get = get_bytes,                                                         \
          .help = "Size of those rows as text" },                                   \
        { .name = "rows_per_second",                                                \
          .type = ATTR_COUNT,                                                       \
          .unit = "rows/s",                                                         \
          .flags = ATTR_GAUGE,                                                      \
          .get = get_rows_rate,                                                     \
          .help = "Rate of the last seconds" },                                     \
        { .name = "bytes_per_second",                                               \
          .type = ATTR_BYTES,                                                       \
          .unit = "bytes/s",                                                        \
          .flags = ATTR_GAUGE,                                                      \
          .get = get_bytes_rate,                                                    \
          .help = "Rate of the last seconds" },                                     \
        { .name = "eta_seconds",                                                    \
          .type = ATTR_SECONDS,                                                     \
          .flags = ATTR_GAUGE,                                                      \
          .get = get_eta,                                                           \
          .help = "Time left at that rate; 0 if it is done or not known" },         \
    {                                                                               \
        .name = "tables", .type = ATTR_JSON, .flags = ATTR_BULK, .get = get_tables, \
        .help = "Every table with its state, rows, bytes and way of loading"        \
    }

static const struct attr dump_attrs[] = {
    UNIT_ATTRS,
    COPY_ATTRS,
    { .name = "position",
      .type = ATTR_JSON,
      .get = get_position,
      .help = "Where the source's binlog was at the snapshot" },
    { .name = "rounds",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_rounds,
      .help = "Snapshots taken: more than one after a restart, or when tables changed meanwhile" },
    { 0 },
};

static const struct attr load_attrs[] = {
    UNIT_ATTRS,
    COPY_ATTRS,
    { .name = "position",
      .type = ATTR_JSON,
      .get = get_position,
      .help = "Where the source's binlog was when what is loaded was read" },
    { 0 },
};

static const char *const dump_examples[] = { "cat tables", "watch cat rows rows_per_second",
                                             "cat position", NULL };
static const char *const load_examples[] = { "cat tables", "watch cat rows eta_seconds",
                                             "cat status", NULL };

const struct node_type dump_type = {
    .name = "dump",
    .help = "Reads the source for a full copy, into the target or a folder: one consistent "
            "moment, over several connections",
    .examples = dump_examples,
    .attrs = dump_attrs,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .release = copy_unit_release,
};

const struct node_type load_type = {
    .name = "load",
    .help = "Fills the target with the rows that the dump reads, or that a folder has",
    .examples = load_examples,
    .attrs = load_attrs,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .release = copy_unit_release,
};

/* --- running --- */

static void dump_progressed(void *arg)
{
    unit_progressed(arg);
}

static int copy_unit_run(struct unit *u, struct err *err)
{
    struct copy_unit *d = (struct copy_unit *)u;

    copy_restart(d->copy);
    if (unit_stopping(u))
        return err_set(err, -ECANCELED, "asked to stop");
    copy_on_progress(d->copy, dump_progressed, u);
    return copy_run(d->copy, err);
}

static void copy_unit_wake(struct unit *u)
{
    copy_stop(((struct copy_unit *)u)->copy);
}

/* The dump's thread does the work, where there is a dump. */
static int load_wait(struct unit *u, struct err *err)
{
    while (!copy_finished(((struct copy_unit *)u)->copy))
        if (!unit_sleep(u, 100))
            return err_set(err, -ECANCELED, "asked to stop");
    return 0;
}

static void copy_progress(struct unit *u, struct unit_progress *ret)
{
    struct copy_totals t = totals_of(&u->node);

    ret->phase = copy_phase_names[t.phase];
    ret->tables = t.tables;
    ret->tables_done = t.tables_done;
    ret->rows = t.rows;
    ret->rows_estimated = t.rows_estimated;
    ret->bytes = t.bytes;
}

static json_t *copy_tables(struct unit *u)
{
    return copy_tables_json(((struct copy_unit *)u)->copy);
}

static const struct unit_ops dump_ops = {
    .name = "dump",
    .run = copy_unit_run,
    .wake = copy_unit_wake,
    .progress = copy_progress,
    .tables = copy_tables,
};

/* Its tables are those of the dump, and told with that. */
static const struct unit_ops load_ops = {
    .name = "load",
    .run = load_wait,
    .progress = copy_progress,
};

static const struct unit_ops load_alone_ops = {
    .name = "load",
    .run = copy_unit_run,
    .wake = copy_unit_wake,
    .progress = copy_progress,
    .tables = copy_tables,
};

struct unit *copy_new_dump(const struct job *job, const struct copy_way *way)
{
    struct copy_unit *u = xcalloc(1, sizeof *u);

    u->copy = copy_new(job, way);
    unit_init(&u->unit, &dump_ops, &dump_type, "dump");
    return &u->unit;
}

struct unit *copy_new_load(const struct job *job, const struct copy_way *way, struct unit *dump)
{
    struct copy_unit *u = xcalloc(1, sizeof *u);

    u->copy = dump ? copy_ref(((struct copy_unit *)dump)->copy) : copy_new(job, way);
    unit_init(&u->unit, dump ? &load_ops : &load_alone_ops, &load_type, "load");
    return &u->unit;
}
