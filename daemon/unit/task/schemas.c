#include "unit/task/schemas.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "node/file_ring.h"
#include "route/router.h"
#include "unit/schema/schema_store.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"

enum { CONNECT_S = 5, IO_S = 10 };

/* All three are referenced; the subtask itself is not, which may never come into the tree. */
struct schemas {
    struct node node;
    struct task *task;
    const struct job *job;
    struct unit *sync; /* NULL: the task's mode has none */
};

/* One schema. */
struct schema_dir {
    struct node node;
    struct schemas *all; /* referenced */
    char *schema;        /* plain */
    struct file_ring files;
};

struct table_file {
    struct node node;
    struct schema_dir *dir; /* referenced */
    char *table;            /* plain */
};

static struct schemas *schemas_of(const struct node *n)
{
    return node_owner((struct node *)n, struct schemas, node);
}

static struct schema_dir *dir_of(const struct node *n)
{
    return node_owner((struct node *)n, struct schema_dir, node);
}

static struct table_file *file_of(const struct node *n)
{
    return node_owner((struct node *)n, struct table_file, node);
}

/* --- what a server says --- */

static int missing(struct err *err)
{
    err->code = -ENOENT;
    return err_because(err, REASON_NO_TABLE);
}

static int show_create(const struct mysql_params *server, const char *schema, const char *table,
                       const char *as, struct buf *ret, struct err *err)
{
    SCOPED(mysql_conn_closep) struct mysql_conn *c = NULL;
    struct mysql_params p = { 0 };
    struct mysql_result *r;
    struct mysql_row row;
    int rc;

    mysql_params_copy(&p, server);
    p.set = NULL; /* which is cut off when the task stops, for good */
    p.connect_timeout_s = CONNECT_S;
    p.io_timeout_s = IO_S;
    rc = mysql_conn_open(&c, &p, err);
    mysql_params_fini(&p);
    if (rc < 0)
        return rc;
    rc = sql_query(c, &r, err, "SHOW CREATE TABLE %i.%i", schema, table);
    if (rc < 0)
        return err->sql == 1146 || err->sql == 1049 ? missing(err) : rc;
    rc = mysql_result_next(r, &row, err);
    if (rc == 1 && row.n_cols > 1)
        schema_named(slice_of(row.values[1], row.sizes[1]), as, ret);
    mysql_result_free(r);
    return rc < 0 ? rc : 0;
}

static int at_target(const struct job *job, const char *schema, const char *table, struct buf *ret,
                     struct err *err)
{
    struct route to;

    if (!router_table(job->router, schema, table, &to))
        return err_set(err, -ENOENT, "the task does not cover %s.%s", schema, table);
    if (show_create(&job->to, to.to_schema, to.to_table, table, ret, err) < 0)
        return err_of_target(err);
    return 0;
}

static int at_source(const struct job *job, const char *schema, const char *table, struct buf *ret,
                     struct err *err)
{
    if (show_create(&job->from, schema, table, table, ret, err) < 0)
        return err_of_source(err);
    return 0;
}

/* --- setting --- */

static int may_change(const struct schemas *s, struct err *err)
{
    enum unit_state state;

    if (!s->sync)
        return err_set(err, -EINVAL, "a task of this mode does not follow the binlog");
    state = unit_state(s->sync);
    if (state == UNIT_RUNNING || state == UNIT_QUARANTINED)
        return err_set(err, -EBUSY,
                       "current stage is %s but not paused: pause the task, or sources=%s of it",
                       unit_state_names[state], s->job->source);
    return 0;
}

/* The table is the one that was said, whatever the statement calls it. */
static int set_structure(const struct schemas *s, const char *schema, const char *table,
                         struct slice create, struct err *err)
{
    SCOPED(buf_fini) struct buf named = BUF_INIT;

    schema_named(create, table, &named);
    return schema_store_set(s->job, schema, table, slice_of(named.data, named.size), err);
}

/* 'create' empty: forgotten. */
static int change(const struct schemas *s, const char *schema, const char *table,
                  struct slice create, struct err *err)
{
    struct route to;
    int rc;

    if (!router_table(s->job->router, schema, table, &to))
        return err_set(err, -ENOENT, "the task does not cover %s.%s", schema, table);
    mutex_lock(&s->task->steer); /* nothing starts meanwhile */
    rc = may_change(s, err);
    if (rc == 0)
        rc = create.size ? set_structure(s, schema, table, create, err)
                         : schema_store_drop(s->job, schema, table, err);
    mutex_unlock(&s->task->steer);
    if (rc == -ENOENT)
        return err_set(err, rc, "nothing is known of %s.%s", schema, table);
    return rc;
}

static const char *const where[] = { "sql", "upstream", "downstream", NULL };

static const struct attr set_params[] = {
    { .name = "schema",
      .type = ATTR_TEXT,
      .flags = ATTR_REQUIRED,
      .help = "Schema of the table, as the source calls it" },
    { .name = "table", .type = ATTR_TEXT, .flags = ATTR_REQUIRED, .help = "Its name there" },
    { .name = "schema_source",
      .type = ATTR_ENUM,
      .choices = where,
      .help = "Where the definition comes from: sql, as given; upstream or downstream, as the "
              "source or the target has it now" },
    { .name = "sql", .type = ATTR_TEXT, .help = "A CREATE TABLE" },
    { .name = "flush", .type = ATTR_BOOL, .help = "Taken and always done: it is kept at once" },
    { .name = "sync", .type = ATTR_BOOL, .help = "Taken: other shards see it with the next DDL" },
    { 0 },
};

static int run_set(struct node *n, const json_t *args, struct err *err)
{
    const struct schemas *s = schemas_of(n);
    const char *from = json_string_value(json_object_get(args, "schema_source"));
    const char *sql = json_string_value(json_object_get(args, "sql"));
    const char *schema = json_string_value(json_object_get(args, "schema"));
    const char *table = json_string_value(json_object_get(args, "table"));
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    bool given = !from || strcmp(from, "sql") == 0;
    int rc = 0;

    if (given != (sql && *sql)) {
        err_set(err, -EINVAL,
                given ? "sql: a CREATE TABLE is expected"
                      : "sql goes with schema_source=sql alone");
        return err_because(err, REASON_SQL_ARGUMENT);
    }
    if (given)
        buf_str(&text, sql);
    else if (strcmp(from, "upstream") == 0)
        rc = at_source(s->job, schema, table, &text, err);
    else
        rc = at_target(s->job, schema, table, &text, err);
    return rc < 0 ? rc : change(s, schema, table, slice_of(text.data, text.size), err);
}

/* --- schemas/<db>/<table>.sql --- */

static json_t *get_sql(const struct node *n, const struct attr *a, struct err *err)
{
    const struct table_file *f = file_of(n);
    const struct job *job = f->dir->all->job;
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    enum schema_kept kept;
    int rc = schema_store_get(job, f->dir->schema, f->table, &kept, &text, err);

    (void)a;
    if (rc == -ENOENT)
        err_set(err, rc, "nothing is known of %s.%s", f->dir->schema, f->table);
    if (rc == 0 && kept != SCHEMA_SET)
        rc = at_target(job, f->dir->schema, f->table, &text, err);
    return rc < 0 ? NULL : json_stringn_nocheck(text.data, text.size);
}

static int set_sql(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    const struct table_file *f = file_of(n);
    const char *sql = json_string_value(v);

    (void)a;
    if (!*sql)
        return err_set(err, -EINVAL, "a CREATE TABLE is expected; rm forgets it");
    return change(f->dir->all, f->dir->schema, f->table, slice_str(sql), err);
}

/* The node stays: it says what is known, which is nothing now. */
static int file_remove(struct node *n, struct err *err)
{
    const struct table_file *f = file_of(n);

    return change(f->dir->all, f->dir->schema, f->table, slice_of(NULL, 0), err);
}

static const struct attr file_rows[] = {
    { .name = "sql",
      .type = ATTR_TEXT,
      .flags = ATTR_BULK | ATTR_ASKS,
      .get = get_sql,
      .set = set_sql,
      .help = "schemas/SCHEMA/TABLE.sql: its CREATE TABLE; written while sync does not run, it "
              "tells the columns of the rows until a DDL on the table, where the binlog does not "
              "(binlog_row_metadata=FULL)" },
    { 0 },
};

static void file_release(struct node *n)
{
    struct table_file *f = file_of(n);

    node_unref(&f->dir->node);
    free(f->table);
    free(f);
}

static const struct node_type file_type = {
    .name = "schema_table",
    .help = "The definition of a table, as sync knows it: a file TABLE.sql.",
    .attrs = file_rows,
    .remove = file_remove,
    .release = file_release,
};

#define SUFFIX ".sql"

/* "orders.sql" -> "orders"; NULL if it is no such name.  Caller frees. */
static char *table_of(const char *name)
{
    char *plain = node_name_plain(name);
    size_t size = plain ? strlen(plain) : 0;

    if (size > sizeof SUFFIX - 1 && strcmp(plain + size - (sizeof SUFFIX - 1), SUFFIX) == 0) {
        plain[size - (sizeof SUFFIX - 1)] = 0;
        return plain;
    }
    free(plain);
    return NULL;
}

static int find_file(struct node *n, const char *name, struct target *ret)
{
    struct schema_dir *d = dir_of(n);
    struct node *found = file_ring_find(&d->files, name);
    char *table = found ? NULL : table_of(name);

    if (!found && !table)
        return -ENOENT;
    if (!found) {
        struct table_file *f = xcalloc(1, sizeof *f);

        f->dir = d;
        f->table = table;
        node_ref(&d->node);
        node_init_file(&f->node, &file_type, name, &d->node);
        file_ring_keep(&d->files, &f->node);
        found = &f->node;
    }
    *ret = (struct target){ .node = found, .attr = &file_rows[0] };
    return 0;
}

/* --- listings --- */

struct listing {
    void (*emit)(void *arg, const char *name, mode_t mode);
    void *arg;
    const char *suffix;
    mode_t mode;
};

static void emit_one(void *arg, const char *name)
{
    const struct listing *l = arg;
    SCOPED(freep) char *plain = xasprintf("%s%s", name, l->suffix);
    SCOPED(freep) char *shown = node_name_shown(plain);

    l->emit(l->arg, shown, l->mode);
}

static void list_files(struct node *n, void (*emit)(void *arg, const char *name, mode_t mode),
                       void *arg)
{
    struct listing l = { emit, arg, SUFFIX, S_IFREG | 0644 };
    struct err ignored = ERR_INIT;

    schema_store_each(dir_of(n)->all->job, dir_of(n)->schema, emit_one, &l, &ignored);
}

static void list_schemas(struct node *n, void (*emit)(void *arg, const char *name, mode_t mode),
                         void *arg)
{
    struct listing l = { emit, arg, "", S_IFDIR | 0555 };
    struct err ignored = ERR_INIT;

    schema_store_each(schemas_of(n)->job, NULL, emit_one, &l, &ignored);
}

/* --- schemas/<db>/ --- */

static void dir_release(struct node *n)
{
    struct schema_dir *d = dir_of(n);

    file_ring_fini(&d->files);
    node_unref(&d->all->node);
    free(d->schema);
    free(d);
}

static const char *const dir_examples[] = {
    "cat orders.sql",
    "cp orders.sql orders.sql.mine; vi orders.sql.mine; cp orders.sql.mine orders.sql",
    "rm orders.sql",
    NULL,
};

static const struct node_part dir_parts[] = { { NULL, &file_type }, { 0 } };

static const struct node_type dir_type = {
    .name = "schema",
    .help = "Tables of one schema of the source that sync has met, a file each.",
    .examples = dir_examples,
    .parts = dir_parts,
    .find = find_file,
    .list = list_files,
    .release = dir_release,
};

static struct node *add_dir(struct schemas *all, const char *schema)
{
    struct schema_dir *d = xcalloc(1, sizeof *d);
    struct err taken = ERR_INIT;

    node_init(&d->node, &dir_type, schema);
    file_ring_init(&d->files);
    d->schema = xstrdup(schema);
    d->all = all;
    node_ref(&all->node);
    if (node_add(&all->node, node_ref(&d->node), &taken) == 0)
        return &d->node;
    node_unref(&d->node); /* another thread was faster */
    node_unref(&d->node);
    return node_child(&all->node, d->node.name);
}

static void is_there(void *arg, const char *name)
{
    (void)name;
    *(bool *)arg = true;
}

static int find_dir(struct node *n, const char *name, struct target *ret)
{
    SCOPED(freep) char *schema = node_name_plain(name);
    struct err ignored = ERR_INIT;
    bool there = false;

    if (schema)
        schema_store_each(schemas_of(n)->job, schema, is_there, &there, &ignored);
    if (!there)
        return -ENOENT;
    *ret = (struct target){ .node = add_dir(schemas_of(n), schema) };
    return ret->node ? 0 : -ENOENT;
}

/* --- schemas/ --- */

/* For a table of a schema that sync has not met. */
static int create_dir(struct node *n, const char *name, const json_t *spec, struct err *err)
{
    struct node *made;

    if (spec)
        return err_set(err, -EINVAL, "a schema takes no document; its tables are files");
    made = add_dir(schemas_of(n), name);
    node_unref(made);
    return made ? 0 : err_set(err, -EEXIST, "%s exists already", name);
}

static void schemas_release(struct node *n)
{
    struct schemas *s = schemas_of(n);

    if (s->sync)
        node_unref(&s->sync->node);
    job_unref(s->job);
    node_unref(&s->task->node);
    free(s);
}

static const struct action actions[] = {
    { .name = "set",
      .params = set_params,
      .run = run_set,
      .help = "Set the definition of a table, as its file does, or by what a server has" },
    { 0 },
};

static const char *const examples[] = {
    "ls *",
    "cat shop/orders.sql",
    "echo schema=shop table=orders schema_source=upstream > set",
    NULL,
};

static const struct node_part parts[] = { { NULL, &dir_type }, { 0 } };

const struct node_type schemas_type = {
    .name = "schemas",
    .help = "Definitions of the source's tables, as sync knows them. They can be set while it does "
            "not run.",
    .examples = examples,
    .actions = actions,
    .parts = parts,
    .create = create_dir,
    .find = find_dir,
    .list = list_schemas,
    .release = schemas_release,
};

int schemas_add(struct subtask *s, struct err *err)
{
    struct schemas *all = xcalloc(1, sizeof *all);
    int rc;

    node_init(&all->node, &schemas_type, "schemas");
    all->task = s->task;
    node_ref(&s->task->node);
    all->job = job_ref(s->job);
    all->sync = s->units[STAGE_SYNC];
    if (all->sync)
        node_ref(&all->sync->node);
    rc = node_add(&s->node, &all->node, err);
    if (rc < 0)
        node_unref(&all->node);
    return rc;
}

static void clear_dir(void *arg, struct node *n)
{
    (void)arg;
    file_ring_clear(&dir_of(n)->files);
}

void schemas_clear(struct subtask *s)
{
    struct node *all = node_child(&s->node, "schemas");

    if (all)
        node_each(all, clear_dir, NULL);
    node_unref(all);
}
