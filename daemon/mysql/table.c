#include "mysql/table.h"

#include <errno.h>
#include <limits.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/dialect.h"
#include "mysql/quote.h"
#include "mysql/table_priv.h"

/* --- rows of information_schema --- */

static char *text_at(const struct mysql_row *row, unsigned col)
{
    return row->values[col] ? xstrndup(row->values[col], row->sizes[col]) : NULL;
}

static uint64_t number_at(const struct mysql_row *row, unsigned col)
{
    return row->values[col] ? strtoull(row->values[col], NULL, 10) : 0;
}

static bool is_at(const struct mysql_row *row, unsigned col, const char *word)
{
    return row->values[col] && strcasecmp(row->values[col], word) == 0;
}

static bool has_at(const struct mysql_row *row, unsigned col, const char *part)
{
    return row->values[col] && strcasestr(row->values[col], part);
}

int table_each_row(struct mysql_conn *c, struct buf *sql, table_row_fn add, void *arg,
                   struct err *err)
{
    struct mysql_result *r = NULL;
    struct mysql_row row;
    int rc = mysql_conn_query(c, slice_of(sql->data, sql->size), true, &r, err);

    while (rc == 0 && (rc = mysql_result_next(r, &row, err)) > 0) {
        add(arg, &row);
        rc = 0;
    }
    mysql_result_free(r);
    buf_clear(sql);
    return rc;
}

/* "<db_column> = 'db' AND <name_column> = 'name'" */
static void where_table(struct buf *sql, const char *db_column, const char *db,
                        const char *name_column, const char *name)
{
    buf_printf(sql, "%s = ", db_column);
    sql_text(sql, db);
    buf_printf(sql, " AND %s = ", name_column);
    sql_text(sql, name);
}

/* --- one table --- */

static enum table_kind kind_at(const struct mysql_row *row, unsigned col)
{
    if (has_at(row, col, "VIEW"))
        return TABLE_VIEW;
    return is_at(row, col, "SEQUENCE") ? TABLE_SEQUENCE : TABLE_BASE;
}

void table_add_table(void *arg, const struct mysql_row *row)
{
    struct table_def *t = arg;

    t->kind = kind_at(row, 0);
    t->versioned = is_at(row, 0, "SYSTEM VERSIONED");
    t->engine = text_at(row, 1);
    t->collation = text_at(row, 2);
    t->rows_estimate = number_at(row, 3);
    t->size_estimate = number_at(row, 4);
    t->transactional = is_at(row, 5, "YES");
    t->n_cols = UINT_MAX; /* found */
}

static int read_table(struct mysql_conn *c, struct table_def *t, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    buf_str(&sql, TABLE_SELECT TABLE_FROM);
    where_table(&sql, "t.table_schema", t->db, "t.table_name", t->name);
    rc = table_each_row(c, &sql, table_add_table, t, err);
    if (rc == 0 && t->n_cols == 0)
        return err_set(err, -ENOENT, "no table %s.%s", t->db, t->name);
    t->n_cols = 0;
    return rc;
}

void table_add_column(void *arg, const struct mysql_row *row)
{
    struct table_def *t = arg;
    struct table_column *col;

    t->cols = xrealloc(t->cols, (t->n_cols + 1) * sizeof *t->cols);
    col = &t->cols[t->n_cols++];
    *col = (struct table_column){
        .name = text_at(row, 0),
        .data_type = text_at(row, 1),
        .column_type = text_at(row, 2),
        .charset = text_at(row, 3),
        .collation = text_at(row, 4),
        .is_unsigned = has_at(row, 2, "unsigned") || has_at(row, 2, "zerofill"),
        .nullable = is_at(row, 5, "YES"),
        .is_virtual = has_at(row, 6, "VIRTUAL GENERATED"),
        .invisible = has_at(row, 6, "INVISIBLE"),
        .auto_increment = has_at(row, 6, "auto_increment"),
        .on_update_now = has_at(row, 6, "on update"),
        .needs_value = is_at(row, 5, "NO") && is_at(row, 7, "1") &&
                       !has_at(row, 6, "auto_increment") && !has_at(row, 6, "GENERATED"),
        .json = is_at(row, 1, "json"),
    };
    /* "DEFAULT_GENERATED" of MySQL is a default, not a generated column. */
    col->generated =
        col->is_virtual || has_at(row, 6, "STORED GENERATED") || has_at(row, 6, "PERSISTENT");
    if (strcmp(col->data_type, "enum") == 0 || strcmp(col->data_type, "set") == 0)
        col->is_unsigned = false; /* a member may be called "unsigned" */
}

static int read_columns(struct mysql_conn *c, struct table_def *t, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;

    buf_str(&sql, COLUMN_SELECT COLUMN_FROM);
    where_table(&sql, "table_schema", t->db, "table_name", t->name);
    buf_str(&sql, " ORDER BY ordinal_position");
    return table_each_row(c, &sql, table_add_column, t, err);
}

int table_column_find(const struct table_def *t, const char *name)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        if (strcasecmp(t->cols[i].name, name) == 0)
            return (int)i;
    return -1;
}

void table_add_key_part(void *arg, const struct mysql_row *row)
{
    struct table_def *t = arg;
    struct table_key *k = t->n_keys ? &t->keys[t->n_keys - 1] : NULL;
    int col;

    if (number_at(row, 1) == 1) {
        t->keys = xrealloc(t->keys, (t->n_keys + 1) * sizeof *t->keys);
        k = &t->keys[t->n_keys++];
        *k = (struct table_key){
            .name = text_at(row, 0),
            .unique = number_at(row, 4) == 0,
            .primary = is_at(row, 0, "PRIMARY"),
        };
    }
    if (!k)
        return;
    col = row->values[2] ? table_column_find(t, row->values[2]) : -1;
    k->cols = xrealloc(k->cols, (k->n_parts + 1) * sizeof *k->cols);
    k->prefix = xrealloc(k->prefix, (k->n_parts + 1) * sizeof *k->prefix);
    k->cols[k->n_parts] = col < 0 ? UINT_MAX : (unsigned)col;
    k->prefix[k->n_parts] = (unsigned)number_at(row, 3);
    k->functional |= col < 0;
    k->n_parts++;
}

static int read_keys(struct mysql_conn *c, struct table_def *t, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;

    buf_str(&sql, KEY_SELECT KEY_FROM);
    where_table(&sql, "table_schema", t->db, "table_name", t->name);
    buf_str(&sql, " ORDER BY " KEY_ORDER);
    return table_each_row(c, &sql, table_add_key_part, t, err);
}

static bool part_identifies(const struct table_def *t, const struct table_key *k, unsigned part)
{
    const struct table_column *col;

    if (k->cols[part] == UINT_MAX || k->prefix[part] != 0)
        return false;
    col = &t->cols[k->cols[part]];
    return !col->nullable && !col->is_virtual;
}

const struct table_key *table_row_key(const struct table_def *t)
{
    for (unsigned i = 0; i < t->n_keys; i++) {
        const struct table_key *k = &t->keys[i];
        unsigned good = 0;

        while (k->unique && good < k->n_parts && part_identifies(t, k, good))
            good++;
        if (k->unique && good == k->n_parts)
            return k;
    }
    return NULL;
}

/* --- foreign keys --- */

void table_add_foreign(void *arg, const struct mysql_row *row)
{
    struct table_def *t = arg;

    t->foreign = xrealloc(t->foreign, (t->n_foreign + 1) * sizeof *t->foreign);
    t->foreign[t->n_foreign++] = (struct table_foreign_key){
        .name = text_at(row, 0),
        .db = text_at(row, 1),
        .table = text_at(row, 2),
        .to_db = text_at(row, 3),
        .to_table = text_at(row, 4),
        .on_update = text_at(row, 5),
        .on_delete = text_at(row, 6),
    };
    t->has_foreign_keys = true;
}

bool table_plain_name(const char *s)
{
    return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

/* Which tables point at one is a question for which older servers open every table there is, so
 * InnoDB is asked first whether there are any.  It needs the PROCESS right and writes names in a
 * form of its own: when either is in the way, the long way is the way. */
static bool surely_none(struct mysql_conn *c, const struct table_def *t)
{
    const char *dictionary = dialect_of(c)->innodb_foreign;
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    SCOPED(freep) char *count = NULL;
    struct err ignored = ERR_INIT;

    if (!dictionary || !t->engine || strcasecmp(t->engine, "InnoDB") != 0 ||
        !table_plain_name(t->db) || !table_plain_name(t->name))
        return false;
    buf_printf(&sql, "SELECT COUNT(*) FROM information_schema.%s WHERE", dictionary);
    buf_printf(&sql, " for_name = '%s/%s' OR ref_name = '%s/%s'", t->db, t->name, t->db, t->name);
    return mysql_scalar(c, &count, &ignored, "%s", sql.data) == 0 && strcmp(count, "0") == 0;
}

static int read_foreign(struct mysql_conn *c, struct table_def *t, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    if (surely_none(c, t))
        return 0;
    buf_str(&sql, FOREIGN_SELECT);
    where_table(&sql, "constraint_schema", t->db, "table_name", t->name);
    rc = table_each_row(c, &sql, table_add_foreign, t, err);
    if (rc < 0)
        return rc;
    buf_str(&sql, FOREIGN_SELECT);
    where_table(&sql, "unique_constraint_schema", t->db, "referenced_table_name", t->name);
    buf_str(&sql, " AND NOT (");
    where_table(&sql, "constraint_schema", t->db, "table_name", t->name);
    buf_str(&sql, ")");
    return table_each_row(c, &sql, table_add_foreign, t, err);
}

static void table_freep(struct table_def **t)
{
    table_free(*t);
}

int table_read(struct mysql_conn *c, const char *db, const char *name, struct table_def **ret,
               struct err *err)
{
    SCOPED(table_freep) struct table_def *t = xcalloc(1, sizeof *t);
    int rc;

    t->db = xstrdup(db);
    t->name = xstrdup(name);
    rc = read_table(c, t, err);
    if (rc == 0)
        rc = read_columns(c, t, err);
    if (rc == 0)
        rc = read_keys(c, t, err);
    if (rc == 0 && t->kind == TABLE_BASE)
        rc = read_foreign(c, t, err);
    if (rc < 0)
        return rc == -ENOENT ? rc : err_wrap(err, "definition of %s.%s", db, name);
    *ret = STEAL(t);
    return 0;
}

static void column_fini(struct table_column *col)
{
    free(col->name);
    free(col->data_type);
    free(col->column_type);
    free(col->charset);
    free(col->collation);
}

static void foreign_fini(struct table_foreign_key *f)
{
    free(f->name);
    free(f->db);
    free(f->table);
    free(f->to_db);
    free(f->to_table);
    free(f->on_update);
    free(f->on_delete);
}

void table_free(struct table_def *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < t->n_cols; i++)
        column_fini(&t->cols[i]);
    for (unsigned i = 0; i < t->n_keys; i++) {
        free(t->keys[i].name);
        free(t->keys[i].cols);
        free(t->keys[i].prefix);
    }
    for (unsigned i = 0; i < t->n_foreign; i++)
        foreign_fini(&t->foreign[i]);
    free(t->cols);
    free(t->keys);
    free(t->foreign);
    free(t->db);
    free(t->name);
    free(t->engine);
    free(t->collation);
    free(t);
}

/* --- what there is --- */

static void add_name(void *arg, const struct mysql_row *row)
{
    struct table_names *t = arg;

    /* doubling whenever n is a power of two */
    if ((t->n & (t->n - 1)) == 0)
        t->names = xrealloc(t->names, (t->n ? 2 * t->n : 1) * sizeof *t->names);
    t->names[t->n] = (struct table_name){ .db = text_at(row, 0) };
    if (row->n_cols > 1) {
        t->names[t->n].name = text_at(row, 1);
        t->names[t->n].kind = kind_at(row, 2);
        t->names[t->n].rows_estimate = number_at(row, 3);
        t->names[t->n].size_estimate = number_at(row, 4);
    }
    t->n++;
}

#define SERVERS_OWN "('mysql', 'sys', 'information_schema', 'performance_schema')"

static int read_names(struct mysql_conn *c, struct buf *sql, struct table_names *ret,
                      struct err *err)
{
    struct table_names names = { 0 };
    int rc = table_each_row(c, sql, add_name, &names, err);

    if (rc < 0)
        table_names_fini(&names);
    else
        *ret = names;
    return rc;
}

int table_list(struct mysql_conn *c, const char *db, struct table_names *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;

    buf_str(&sql, "SELECT table_schema, table_name, table_type, table_rows,"
                  " COALESCE(data_length, 0) + COALESCE(index_length, 0)"
                  " FROM information_schema.tables WHERE table_type <> 'TEMPORARY' AND ");
    if (db) {
        buf_str(&sql, "table_schema = ");
        sql_text(&sql, db);
    } else {
        buf_str(&sql, "table_schema NOT IN " SERVERS_OWN);
    }
    buf_str(&sql, " ORDER BY table_schema, table_name");
    return read_names(c, &sql, ret, err);
}

int table_schemas(struct mysql_conn *c, struct table_names *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;

    buf_str(&sql, "SELECT schema_name FROM information_schema.schemata"
                  " WHERE LOWER(schema_name) NOT IN " SERVERS_OWN " ORDER BY schema_name");
    return read_names(c, &sql, ret, err);
}

void table_names_fini(struct table_names *t)
{
    for (unsigned i = 0; i < t->n; i++) {
        free(t->names[i].db);
        free(t->names[i].name);
    }
    free(t->names);
    *t = (struct table_names){ 0 };
}
