/* What both servers say about rows of a table: sums, names with hashes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/read/read_range.h"
#include "unit/verify/verify_priv.h"

#define HASH "LEFT(SHA2(%r,256),32)"
#define SUM "COALESCE(SUM(CAST(CONV(LEFT(SHA2(%r,256),16),16,10) AS UNSIGNED)),0)"
#define KEYS_AT_ONCE 300
#define CHUNK_ROWS 10000 /* of the continuous one */

/* One end of a table. */
struct end {
    struct mysql_conn *c;
    const struct table_def *def;
    const char *expr;
    const char *what; /* for messages */
    const char *left; /* a condition: filters keep such rows from the target; NULL: none */
    unsigned part;
};

static struct end source_end(struct verify_run *r, const struct verify_table *t, unsigned part)
{
    const struct verify_part *p = &t->parts[part];

    return (struct end){ .c = r->sources[p->source].conn,
                         .def = p->def,
                         .expr = p->exprs.source,
                         .what = "source",
                         .left = p->left.inserts,
                         .part = part };
}

static struct end target_end(struct verify_run *r, const struct verify_table *t)
{
    return (struct end){
        .c = r->target, .def = t->def, .expr = t->parts[0].exprs.target, .what = "target"
    };
}

static int query(const struct end *e, const struct buf *sql, struct mysql_result **ret,
                 struct err *err)
{
    int rc = mysql_conn_query(e->c, slice_of(sql->data, sql->size), true, ret, err);

    return rc < 0 ? err_wrap(err, "%s", e->what) : 0;
}

static void add_range(struct buf *sql, const struct table_def *def, const char *at,
                      const char *upto)
{
    if (at && at[0]) {
        buf_str(sql, " WHERE ");
        read_range_after(sql, def, at);
    }
    if (upto) {
        buf_str(sql, at && at[0] ? " AND " : " WHERE ");
        read_range_upto(sql, def, upto);
    }
}

static void add_key(struct buf *sql, const struct table_def *def)
{
    const struct table_key *key = read_range_key(def);

    for (unsigned i = 0; i < key->n_parts; i++) {
        buf_str(sql, i ? "," : "");
        sql_ident(sql, slice_str(def->cols[key->cols[i]].name));
    }
}

/* --- sums --- */

/* Both are decimals without a sign; enough for the sums of any number of sources. */
static void add_decimal(char to[static 48], const char *more)
{
    char out[48];
    size_t i = strlen(to), k = strlen(more), at = sizeof out;
    unsigned carry = 0;

    out[--at] = '\0';
    while (i || k || carry) {
        unsigned digit =
            carry + (i ? (unsigned)(to[--i] - '0') : 0) + (k ? (unsigned)(more[--k] - '0') : 0);

        out[--at] = (char)('0' + digit % 10);
        carry = digit / 10;
    }
    memmove(to, out + at, sizeof out - at);
}

static int add_sum(const struct end *e, const char *at, const char *upto, struct verify_sum *ret,
                   struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    SCOPED(freep) char *hash = NULL;
    struct mysql_result *res;
    struct mysql_row row;
    int rc;

    sql_add(&sql, "SELECT COUNT(*), " SUM " FROM %i.%i", e->expr, e->def->db, e->def->name);
    add_range(&sql, e->def, at, upto);
    rc = query(e, &sql, &res, err);
    if (rc < 0)
        return rc;
    rc = mysql_result_next(res, &row, err);
    if (rc > 0) {
        ret->rows += mysql_row_u64(&row, 0);
        hash = mysql_row_text(&row, 1);
        add_decimal(ret->hash, hash);
    }
    mysql_result_free(res);
    return rc < 0 ? rc : 0;
}

bool verify_sum_same(const struct verify_sum *a, const struct verify_sum *b)
{
    return a->rows == b->rows && strcmp(a->hash, b->hash) == 0;
}

int verify_sum_source(struct verify_run *r, const struct verify_table *t, const char *at,
                      const char *upto, struct verify_sum *ret, struct err *err)
{
    int rc = 0;

    *ret = (struct verify_sum){ .hash = "0" };
    for (unsigned i = 0; i < t->n_parts && rc == 0; i++) {
        struct end e = source_end(r, t, i);

        rc = add_sum(&e, at, upto, ret, err);
    }
    return rc;
}

int verify_sum_target(struct verify_run *r, const struct verify_table *t, const char *at,
                      const char *upto, struct verify_sum *ret, struct err *err)
{
    struct end e = target_end(r, t);

    *ret = (struct verify_sum){ .hash = "0" };
    return add_sum(&e, at, upto, ret, err);
}

/* --- where a chunk ends --- */

static void add_hex(struct buf *out, const char *p, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        buf_byte(out, digits[(uint8_t)p[i] >> 4]);
        buf_byte(out, digits[(uint8_t)p[i] & 15]);
    }
}

static void key_of(const struct mysql_row *row, unsigned n, struct buf *out)
{
    for (unsigned i = 0; i < n; i++) {
        buf_str(out, i ? "," : "");
        add_hex(out, row->values[i], row->sizes[i]);
    }
}

/* By the source's rows; where several are merged, by the target's. */
int verify_cut(struct verify_run *r, const struct verify_table *t, const char *at, char **ret,
               struct err *err)
{
    struct end e = t->n_parts == 1 ? source_end(r, t, 0) : target_end(r, t);
    SCOPED(buf_fini) struct buf sql = BUF_INIT, key = BUF_INIT;
    struct mysql_result *res;
    struct mysql_row row;
    int rc;

    *ret = NULL;
    buf_str(&sql, "SELECT ");
    add_key(&sql, e.def);
    sql_add(&sql, " FROM %i.%i", e.def->db, e.def->name);
    add_range(&sql, e.def, at, NULL);
    read_range_order(&sql, e.def);
    sql_add(&sql, " LIMIT %u, 1", (r->verify ? r->verify->chunk_rows : CHUNK_ROWS) - 1);
    rc = query(&e, &sql, &res, err);
    if (rc < 0)
        return rc;
    rc = mysql_result_next(res, &row, err);
    if (rc > 0) {
        key_of(&row, row.n_cols, &key);
        *ret = buf_steal(&key);
    }
    mysql_result_free(res);
    return rc < 0 ? rc : 0;
}

/* --- rows --- */

static int add_items(const struct end *e, const struct buf *sql, bool ranges,
                     struct verify_set *ret, struct err *err)
{
    struct mysql_result *res;
    struct mysql_row row;
    int rc = query(e, sql, &res, err);

    if (rc < 0)
        return rc;
    while ((rc = mysql_result_next(res, &row, err)) > 0) {
        SCOPED(freep) char *value = mysql_row_text(&row, row.n_cols - 2);
        SCOPED(buf_fini) struct buf key = BUF_INIT;

        if (ranges)
            key_of(&row, row.n_cols - 2, &key);
        else
            buf_add(&key, row.values[0], row.sizes[0]);
        verify_set_add(ret, key.data ? key.data : "", value ? value : "", e->part);
        ret->items[ret->n - 1].left_out = mysql_row_u64(&row, row.n_cols - 1) != 0;
    }
    mysql_result_free(res);
    return rc;
}

static void add_select(const struct end *e, bool ranges, struct buf *sql)
{
    buf_str(sql, "SELECT ");
    if (ranges)
        add_key(sql, e->def);
    sql_add(sql, ranges ? "," HASH "," : HASH ",COUNT(*),", e->expr);
    if (e->left) /* rows of one hash are one row, many times */
        sql_add(sql, ranges ? "(%r) IS TRUE" : "MAX((%r) IS TRUE)", e->left);
    else
        buf_str(sql, "0");
    sql_add(sql, " FROM %i.%i", e->def->db, e->def->name);
}

static int add_rows(const struct end *e, const struct verify_table *t, const char *at,
                    const char *upto, struct verify_set *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;

    add_select(e, t->ranges, &sql);
    if (t->ranges)
        add_range(&sql, e->def, at, upto);
    else if (at[0]) /* a bucket: the first digits of the hash */
        sql_add(&sql, " WHERE LEFT(SHA2(%r,256), 2) = %q", e->expr, at);
    if (!t->ranges)
        sql_add(&sql, " GROUP BY 1");
    return add_items(e, &sql, t->ranges, ret, err);
}

/* Of several sources' rows that are the same (without a key) the counts add up. */
static void merge_counts(struct verify_set *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n; i++) {
        struct verify_item *last = kept ? &s->items[kept - 1] : NULL;

        if (last && strcmp(last->key, s->items[i].key) == 0) {
            unsigned long long both =
                strtoull(last->value, NULL, 10) + strtoull(s->items[i].value, NULL, 10);

            free(last->value);
            last->value = xasprintf("%llu", both);
            last->left_out = last->left_out || s->items[i].left_out;
            free(s->items[i].key);
            free(s->items[i].value);
        } else {
            s->items[kept++] = s->items[i];
        }
    }
    s->n = kept;
}

static void done(const struct verify_table *t, struct verify_set *s)
{
    verify_set_sort(s);
    if (!t->ranges && t->n_parts > 1)
        merge_counts(s);
}

int verify_rows_source(struct verify_run *r, const struct verify_table *t, const char *at,
                       const char *upto, struct verify_set *ret, struct err *err)
{
    int rc = 0;

    for (unsigned i = 0; i < t->n_parts && rc == 0; i++) {
        struct end e = source_end(r, t, i);

        rc = add_rows(&e, t, at, upto, ret, err);
    }
    done(t, ret);
    return rc;
}

int verify_rows_target(struct verify_run *r, const struct verify_table *t, const char *at,
                       const char *upto, struct verify_set *ret, struct err *err)
{
    struct end e = target_end(r, t);
    int rc = add_rows(&e, t, at, upto, ret, err);

    done(t, ret);
    return rc;
}

/* --- rows by their names --- */

static int add_keys(const struct end *e, const struct verify_table *t,
                    const struct verify_set *keys, struct verify_set *ret, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < keys->n && rc == 0;) {
        SCOPED(buf_fini) struct buf sql = BUF_INIT;
        size_t until = i + KEYS_AT_ONCE < keys->n ? i + KEYS_AT_ONCE : keys->n;

        add_select(e, t->ranges, &sql);
        if (!t->ranges)
            sql_add(&sql, " WHERE " HASH " IN (", e->expr);
        for (size_t first = i; i < until; i++) {
            if (t->ranges) {
                buf_str(&sql, i == first ? " WHERE " : " OR ");
                read_range_equal(&sql, e->def, keys->items[i].key);
            } else {
                sql_add(&sql, i == first ? "%q" : ",%q", keys->items[i].key);
            }
        }
        buf_str(&sql, t->ranges ? "" : ") GROUP BY 1");
        rc = add_items(e, &sql, t->ranges, ret, err);
    }
    return rc;
}

int verify_keys_source(struct verify_run *r, const struct verify_table *t,
                       const struct verify_set *keys, struct verify_set *ret, struct err *err)
{
    int rc = 0;

    for (unsigned i = 0; i < t->n_parts && rc == 0; i++) {
        struct end e = source_end(r, t, i);

        rc = add_keys(&e, t, keys, ret, err);
    }
    done(t, ret);
    return rc;
}

int verify_keys_target(struct verify_run *r, const struct verify_table *t,
                       const struct verify_set *keys, struct verify_set *ret, struct err *err)
{
    struct end e = target_end(r, t);
    int rc = add_keys(&e, t, keys, ret, err);

    done(t, ret);
    return rc;
}
