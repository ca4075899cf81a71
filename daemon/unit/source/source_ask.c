/* source_ask.c - names of schemas and tables, asked of a source's server when somebody reads them;
 * tables_of/<db> is made when asked for. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "mysql/table.h"
#include "node/file_ring.h"
#include "unit/source/source_doc.h"
#include "unit/source/source_priv.h"

/* Unlocked, with deadlines. */
static int ask(struct source *s, struct mysql_conn **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = source_doc(s);
    struct mysql_params p;
    int rc = source_doc_params(doc, &p, err);

    if (rc < 0)
        return rc;
    p.connect_timeout_s = PROBE_CONNECT_S;
    p.io_timeout_s = PROBE_IO_S;
    rc = mysql_conn_open(ret, &p, err);
    mysql_params_fini(&p);
    return rc;
}

/* --- as text --- */

static void print_name(struct buf *out, const struct table_name *t)
{
    static const char *const kinds[] = {
        [TABLE_BASE] = "table",
        [TABLE_VIEW] = "view",
        [TABLE_SEQUENCE] = "sequence",
    };

    buf_str(out, t->db);
    if (t->name)
        buf_printf(out, "\t%s\t%s\t%llu\t%llu", t->name, kinds[t->kind],
                   (unsigned long long)t->rows_estimate, (unsigned long long)t->size_estimate);
    buf_byte(out, '\n');
}

json_t *source_get_names(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(mysql_conn_closep) struct mysql_conn *c = NULL;
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    SCOPED(table_names_fini) struct table_names names = { 0 };
    bool tables = strcmp(a->name, "tables") == 0;

    if (ask(source_of(n), &c, err) < 0 ||
        (tables ? table_list(c, NULL, &names, err) : table_schemas(c, &names, err)) < 0)
        return NULL;
    for (unsigned i = 0; i < names.n; i++)
        print_name(&text, &names.names[i]);
    return json_string(text.size ? text.data : "");
}

/* --- as JSON --- */

/* The first column of all rows. */
static json_t *column(struct mysql_result *r, struct err *err)
{
    json_t *list = json_array();
    struct mysql_row row;
    int rc;

    while ((rc = mysql_result_next(r, &row, err)) == 1)
        json_array_append_new(list, json_stringn(row.values[0], row.sizes[0]));
    mysql_result_free(r);
    if (rc == 0)
        return list;
    json_decref(list);
    return NULL;
}

json_t *source_get_schema_list(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(mysql_conn_closep) struct mysql_conn *c = NULL;
    struct mysql_result *r;

    (void)a;
    if (ask(source_of(n), &c, err) < 0 || mysql_conn_queryf(c, &r, err, "SHOW DATABASES") < 0)
        return NULL;
    return column(r, err);
}

/* --- tables_of/ --- */

struct tables_dir {
    struct node node;
    struct source *source; /* referenced */
    struct file_ring files;
};

struct tables_file {
    struct node node;
    struct tables_dir *dir; /* referenced */
    char *db;
};

static struct tables_dir *dir_of(const struct node *n)
{
    return node_owner((struct node *)n, struct tables_dir, node);
}

static struct tables_file *file_of(const struct node *n)
{
    return node_owner((struct node *)n, struct tables_file, node);
}

/* The server says, with its own number, that there is no such schema. */
static json_t *get_tables(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(mysql_conn_closep) struct mysql_conn *c = NULL;
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct tables_file *f = file_of(n);
    struct mysql_result *r;

    (void)a;
    buf_str(&sql, "SHOW FULL TABLES IN ");
    sql_ident(&sql, slice_str(f->db));
    buf_str(&sql, " WHERE Table_type = 'BASE TABLE'");
    if (ask(f->dir->source, &c, err) < 0)
        return NULL;
    if (mysql_conn_query(c, slice_of(sql.data, sql.size), true, &r, err) < 0) {
        err->code = err->sql == 1049 ? -ENOENT : err->code;
        return NULL;
    }
    return column(r, err);
}

static const struct attr file_rows[] = {
    { .name = "list",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_ASKS,
      .get = get_tables,
      .help = "tables_of/SCHEMA: the names of its tables, as JSON" },
    { 0 },
};

static void file_release(struct node *n)
{
    node_unref(&file_of(n)->dir->node);
    free(file_of(n)->db);
    free(file_of(n));
}

static const struct node_type file_type = {
    .name = "source_schema",
    .help = "The tables of one schema: a file of the schema's name.",
    .attrs = file_rows,
    .release = file_release,
};

static int find(struct node *dir, const char *name, struct target *ret)
{
    struct tables_dir *d = dir_of(dir);
    struct node *found = file_ring_find(&d->files, name);
    char *db = found ? NULL : node_name_plain(name);

    if (!found && !db)
        return -ENOENT;
    if (!found) {
        struct tables_file *f = xcalloc(1, sizeof *f);

        f->dir = d;
        f->db = db;
        node_ref(&d->node);
        node_init_file(&f->node, &file_type, name, &d->node);
        file_ring_keep(&d->files, &f->node);
        found = &f->node;
    }
    *ret = (struct target){ .node = found, .attr = &file_rows[0] };
    return 0;
}

static void dir_release(struct node *n)
{
    struct tables_dir *d = dir_of(n);

    file_ring_fini(&d->files);
    node_unref(&d->source->node);
    free(d);
}

static const char *const examples[] = {
    "cat shop",
    "for db in $(jq -r '.[]' ../schema_list); do jq length $db; done",
    "jq -r '.[]' shop",
    NULL,
};

static const struct node_part parts[] = { { NULL, &file_type }, { 0 } };

const struct node_type source_tables_type = {
    .name = "source_tables",
    .help = "The tables of a schema, asked of the server when its file is read; none is listed.",
    .examples = examples,
    .parts = parts,
    .find = find,
    .release = dir_release,
};

void source_tables_add(struct source *s)
{
    struct tables_dir *d = xcalloc(1, sizeof *d);
    struct err impossible = ERR_INIT;

    node_init(&d->node, &source_tables_type, "tables_of");
    file_ring_init(&d->files);
    d->source = source_ref(s);
    node_add(&s->node, &d->node, &impossible);
}

void source_tables_clear(struct source *s)
{
    struct node *n = node_child(&s->node, "tables_of");

    if (n)
        file_ring_clear(&dir_of(n)->files);
    node_unref(n);
}
