#include "mysql/table_many.h"

#include <limits.h>
#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/dialect.h"
#include "mysql/quote.h"
#include "mysql/table_priv.h"

enum { MANY = 16 }; /* so many of a schema are worth reading all of it */

/* --- rows, to the table that they are of --- */

struct sorter {
    struct table_schema *s;
    unsigned name_at;      /* which column has its name; UINT_MAX: the last */
    const char *not_of;    /* a schema: no foreign keys of a table to itself there */
    struct table_slot *at; /* of the row before */
    table_row_fn add;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct table_slot *)a)->name, ((const struct table_slot *)b)->name);
}

static struct table_slot *find(const struct table_schema *s, const char *name)
{
    struct table_slot wanted = { .name = (char *)name };

    return s->n ? bsearch(&wanted, s->slots, s->n, sizeof *s->slots, by_name) : NULL;
}

static bool is_own(const struct sorter *o, const struct mysql_row *row)
{
    return o->not_of && strcmp(row->values[FOREIGN_CHILD_DB], o->not_of) == 0 &&
           strcmp(row->values[FOREIGN_CHILD], row->values[FOREIGN_PARENT]) == 0;
}

static void sort_row(void *arg, const struct mysql_row *row)
{
    struct sorter *o = arg;
    const char *name = row->values[o->name_at == UINT_MAX ? row->n_cols - 1 : o->name_at];

    if (!name || is_own(o, row))
        return;
    if (!o->at || strcmp(o->at->name, name) != 0)
        o->at = find(o->s, name);
    if (o->at)
        o->add(o->at->def, row);
}

static void new_table(void *arg, const struct mysql_row *row)
{
    struct table_schema *s = arg;
    struct table_def *t = xcalloc(1, sizeof *t);

    t->db = xstrdup(s->db);
    t->name = xstrndup(row->values[row->n_cols - 1], row->sizes[row->n_cols - 1]);
    table_add_table(t, row);
    t->n_cols = 0;
    if ((s->n & (s->n - 1)) == 0) /* doubling whenever n is a power of two */
        s->slots = xrealloc(s->slots, (s->n ? 2 * s->n : 1) * sizeof *s->slots);
    s->slots[s->n++] = (struct table_slot){ xstrdup(t->name), t };
}

/* --- one schema --- */

static int each_sorted(struct mysql_conn *c, struct table_schema *s, struct buf *sql,
                       struct sorter o, struct err *err)
{
    o.s = s;
    return table_each_row(c, sql, sort_row, &o, err);
}

static int read_tables(struct mysql_conn *c, struct table_schema *s, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    buf_str(&sql, TABLE_SELECT ", t.table_name" TABLE_FROM "t.table_type <> 'TEMPORARY'"
                               " AND t.table_schema = ");
    sql_text(&sql, s->db);
    rc = table_each_row(c, &sql, new_table, s, err);
    if (rc == 0 && s->n)
        qsort(s->slots, s->n, sizeof *s->slots, by_name);
    return rc;
}

static int read_columns(struct mysql_conn *c, struct table_schema *s, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;

    buf_str(&sql, COLUMN_SELECT ", table_name" COLUMN_FROM "table_schema = ");
    sql_text(&sql, s->db);
    buf_str(&sql, " ORDER BY table_name, ordinal_position");
    return each_sorted(c, s, &sql, (struct sorter){ .name_at = UINT_MAX, .add = table_add_column },
                       err);
}

static int read_keys(struct mysql_conn *c, struct table_schema *s, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;

    buf_str(&sql, KEY_SELECT ", table_name" KEY_FROM "table_schema = ");
    sql_text(&sql, s->db);
    buf_str(&sql, " ORDER BY table_name, " KEY_ORDER);
    return each_sorted(c, s, &sql,
                       (struct sorter){ .name_at = UINT_MAX, .add = table_add_key_part }, err);
}

/* As for one table (table.c): InnoDB is asked first whether there are any foreign keys. */
static bool surely_none(struct mysql_conn *c, const struct table_schema *s)
{
    const char *dictionary = dialect_of(c)->innodb_foreign;
    SCOPED(freep) char *count = NULL;
    struct err ignored = ERR_INIT;

    if (!dictionary || !table_plain_name(s->db))
        return false;
    for (unsigned i = 0; i < s->n; i++) {
        const struct table_def *t = s->slots[i].def;

        if (t->kind == TABLE_BASE &&
            (!t->engine || strcasecmp(t->engine, "InnoDB") != 0 || !table_plain_name(t->name)))
            return false;
    }
    return mysql_scalar(c, &count, &ignored,
                        "SELECT COUNT(*) FROM information_schema.%s"
                        " WHERE for_name LIKE '%s/%%' OR ref_name LIKE '%s/%%'",
                        dictionary, s->db, s->db) == 0 &&
           strcmp(count, "0") == 0;
}

static int read_foreign(struct mysql_conn *c, struct table_schema *s, struct err *err)
{
    struct sorter own = { .name_at = FOREIGN_CHILD, .add = table_add_foreign };
    struct sorter others = { .name_at = FOREIGN_PARENT, .not_of = s->db, .add = table_add_foreign };
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    if (surely_none(c, s))
        return 0;
    buf_str(&sql, FOREIGN_SELECT "constraint_schema = ");
    sql_text(&sql, s->db);
    rc = each_sorted(c, s, &sql, own, err);
    if (rc < 0)
        return rc;
    buf_str(&sql, FOREIGN_SELECT "unique_constraint_schema = ");
    sql_text(&sql, s->db);
    return each_sorted(c, s, &sql, others, err);
}

static int read_schema(struct mysql_conn *c, struct table_schema *s, struct err *err)
{
    int rc = read_tables(c, s, err);

    if (rc == 0)
        rc = read_columns(c, s, err);
    if (rc == 0)
        rc = read_keys(c, s, err);
    if (rc == 0)
        rc = read_foreign(c, s, err);
    s->read = rc == 0;
    return rc < 0 ? err_wrap(err, "definitions of the tables of %s", s->db) : 0;
}

/* --- many --- */

static struct table_schema *schema_of(const struct table_many *m, const char *db)
{
    for (unsigned i = m->n_schemas; i-- > 0;) /* the last is the likeliest */
        if (strcmp(m->schemas[i].db, db) == 0)
            return &m->schemas[i];
    return NULL;
}

void table_many_want(struct table_many *m, const char *db, unsigned n)
{
    struct table_schema *s = schema_of(m, db);

    if (!s) {
        m->schemas = xrealloc(m->schemas, (m->n_schemas + 1) * sizeof *m->schemas);
        s = &m->schemas[m->n_schemas++];
        *s = (struct table_schema){ .db = xstrdup(db) };
    }
    s->n_wanted += n;
}

static void forget(struct table_schema *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        table_free(s->slots[i].def);
        free(s->slots[i].name);
    }
    free(s->slots);
    s->slots = NULL;
    s->n = 0;
}

int table_many_read(struct table_many *m, const char *db, const char *name, struct table_def **ret,
                    struct err *err)
{
    struct table_schema *s = schema_of(m, db);
    struct table_slot *t;
    int rc = 0;

    if (!s || s->n_wanted < MANY)
        return table_read(m->conn, db, name, ret, err);
    if (!s->read && (rc = read_schema(m->conn, s, err)) < 0) {
        forget(s);
        return rc;
    }
    t = find(s, name);
    if (!t || !t->def)
        return table_read(m->conn, db, name, ret, err);
    *ret = t->def;
    t->def = NULL;
    return 0;
}

void table_many_fini(struct table_many *m)
{
    for (unsigned i = 0; i < m->n_schemas; i++) {
        forget(&m->schemas[i]);
        free(m->schemas[i].db);
    }
    free(m->schemas);
    *m = (struct table_many){ .conn = m->conn };
}
