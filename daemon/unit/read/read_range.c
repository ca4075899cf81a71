#include "unit/read/read_range.h"

#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"

/* How a key column's value is written for the server to compare. */
enum literal {
    LITERAL_NONE,
    LITERAL_INTEGER,
    LITERAL_NUMBER,
    LITERAL_QUOTED,
    LITERAL_BYTES,
    LITERAL_CHARS
};

static const struct {
    const char *type;
    enum literal literal;
} literals[] = {
    { "tinyint", LITERAL_INTEGER },   { "smallint", LITERAL_INTEGER },
    { "mediumint", LITERAL_INTEGER }, { "int", LITERAL_INTEGER },
    { "bigint", LITERAL_INTEGER },    { "year", LITERAL_INTEGER },
    { "decimal", LITERAL_NUMBER },    { "date", LITERAL_QUOTED },
    { "time", LITERAL_QUOTED },       { "datetime", LITERAL_QUOTED },
    { "timestamp", LITERAL_QUOTED },  { "uuid", LITERAL_QUOTED },
    { "inet6", LITERAL_QUOTED },      { "inet4", LITERAL_QUOTED },
    { "binary", LITERAL_BYTES },      { "varbinary", LITERAL_BYTES },
    { "char", LITERAL_CHARS },        { "varchar", LITERAL_CHARS },
};

static enum literal literal_of(const struct table_column *c)
{
    for (size_t i = 0; i < ARRAY_LEN(literals); i++)
        if (strcmp(literals[i].type, c->data_type) == 0)
            return literals[i].literal;
    return LITERAL_NONE;
}

const struct table_key *read_range_key(const struct table_def *t)
{
    const struct table_key *key = table_row_key(t);

    for (unsigned i = 0; key && i < key->n_parts; i++) {
        const struct table_column *c = &t->cols[key->cols[i]];

        if (c->generated || literal_of(c) == LITERAL_NONE)
            return NULL;
    }
    return key;
}

static void hex_add(struct buf *out, const char *p, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        buf_byte(out, digits[(uint8_t)p[i] >> 4]);
        buf_byte(out, digits[(uint8_t)p[i] & 15]);
    }
}

static unsigned nibble(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

static void unhex_add(struct buf *out, const char *hex, size_t size)
{
    for (size_t i = 0; i + 1 < size; i += 2)
        buf_byte(out, (char)(nibble(hex[i]) << 4 | nibble(hex[i + 1])));
}

static void literal_add(struct buf *out, const struct table_column *c, const char *hex, size_t size)
{
    switch (literal_of(c)) {
    case LITERAL_INTEGER:
    case LITERAL_NUMBER:
        unhex_add(out, hex, size);
        break;
    case LITERAL_QUOTED: /* dates, addresses: nothing in them needs an escape */
        buf_byte(out, '\'');
        unhex_add(out, hex, size);
        buf_byte(out, '\'');
        break;
    case LITERAL_BYTES:
        buf_printf(out, "x'%.*s'", (int)size, hex);
        break;
    case LITERAL_CHARS:
        buf_printf(out, "_%s x'%.*s' COLLATE %s", c->charset, (int)size, hex, c->collation);
        break;
    case LITERAL_NONE:
        break;
    }
}

/* (a > x OR (a = x AND (b > y ...))), and a >= x beside it for the index. */
static void after_add(struct buf *out, const struct table_def *t, const struct table_key *key,
                      const char *at)
{
    for (unsigned i = 0; i < key->n_parts; i++) {
        const struct table_column *c = &t->cols[key->cols[i]];
        size_t size = strcspn(at, ",");
        bool last = i + 1 == key->n_parts;

        if (i == 0 && !last) {
            sql_ident(out, slice_str(c->name));
            buf_str(out, " >= ");
            literal_add(out, c, at, size);
            buf_str(out, " AND ");
        }
        buf_byte(out, '(');
        sql_ident(out, slice_str(c->name));
        buf_str(out, " > ");
        literal_add(out, c, at, size);
        if (!last) {
            buf_str(out, " OR ");
            sql_ident(out, slice_str(c->name));
            buf_str(out, " = ");
            literal_add(out, c, at, size);
            buf_str(out, " AND ");
        }
        at += size + (at[size] == ',');
    }
    for (unsigned i = 0; i < key->n_parts; i++)
        buf_byte(out, ')');
}

void read_range_after(struct buf *out, const struct table_def *t, const char *at)
{
    buf_byte(out, '(');
    after_add(out, t, read_range_key(t), at);
    buf_byte(out, ')');
}

void read_range_upto(struct buf *out, const struct table_def *t, const char *at)
{
    const struct table_key *key = read_range_key(t);
    const struct table_column *lead = &t->cols[key->cols[0]];

    buf_byte(out, '(');
    sql_ident(out, slice_str(lead->name)); /* for the index */
    buf_str(out, " <= ");
    literal_add(out, lead, at, strcspn(at, ","));
    buf_str(out, " AND NOT ");
    read_range_after(out, t, at);
    buf_byte(out, ')');
}

void read_range_equal(struct buf *out, const struct table_def *t, const char *at)
{
    const struct table_key *key = read_range_key(t);

    for (unsigned i = 0; i < key->n_parts; i++) {
        const struct table_column *c = &t->cols[key->cols[i]];
        size_t size = strcspn(at, ",");

        buf_str(out, i ? " AND " : "(");
        sql_ident(out, slice_str(c->name));
        buf_str(out, " = ");
        literal_add(out, c, at, size);
        at += size + (at[size] == ',');
    }
    buf_byte(out, ')');
}

static void order_add(struct buf *out, const struct table_def *t, const struct table_key *key)
{
    buf_str(out, " ORDER BY ");
    for (unsigned i = 0; i < key->n_parts; i++) {
        buf_str(out, i ? ", " : "");
        sql_ident(out, slice_str(t->cols[key->cols[i]].name));
    }
}

void read_range_order(struct buf *out, const struct table_def *t)
{
    order_add(out, t, read_range_key(t));
}

void read_range_sql(struct buf *out, const struct table_def *t, const struct read_range *r)
{
    const struct table_key *key = read_range_key(t);
    const char *word = " WHERE ";

    if (!key)
        return;
    if (r->low && !r->at) { /* 'at' is within the range */
        sql_add(out, "%r%i >= %r", word, t->cols[key->cols[0]].name, r->low);
        word = " AND ";
    }
    if (r->high) {
        sql_add(out, "%r%i < %r", word, t->cols[key->cols[0]].name, r->high);
        word = " AND ";
    }
    if (r->at) {
        buf_str(out, word);
        after_add(out, t, key, r->at);
    }
    order_add(out, t, key);
}

void read_range_at(struct buf *out, const struct table_def *t, const struct table_key *key,
                   const struct mysql_row *row)
{
    for (unsigned i = 0; i < key->n_parts; i++) {
        unsigned col = key->cols[i];

        for (unsigned before = key->cols[i]; before-- > 0;)
            col -= t->cols[before].generated;
        buf_str(out, i ? "," : "");
        hex_add(out, row->values[col], row->sizes[col]);
    }
}

static __int128 number_of(const char *text)
{
    bool minus = *text == '-';
    __int128 v = 0;

    for (const char *p = text + minus; *p >= '0' && *p <= '9'; p++)
        v = v * 10 + (*p - '0');
    return minus ? -v : v;
}

static char *number_text(__int128 v)
{
    if (v < 0)
        return xasprintf("%lld", (long long)v);
    return xasprintf("%llu", (unsigned long long)v);
}

unsigned read_range_cut(const char *min, const char *max, unsigned n, struct read_range **ret)
{
    __int128 low = number_of(min), span = number_of(max) - low + 1;
    struct read_range *rows;

    if (n == 0 || span < n)
        n = 1;
    rows = xcalloc(n, sizeof *rows);
    for (unsigned i = 0; i < n; i++) {
        rows[i].no = i;
        if (i > 0)
            rows[i].low = number_text(low + span * i / n);
        if (i + 1 < n)
            rows[i].high = number_text(low + span * (i + 1) / n);
    }
    *ret = rows;
    return n;
}

int read_range_split(struct mysql_conn *source, const struct table_def *t, unsigned n,
                     struct read_range **ret, unsigned *n_ret, struct err *err)
{
    const struct table_key *key = read_range_key(t);
    SCOPED(freep) char *min = NULL;
    SCOPED(freep) char *max = NULL;
    struct mysql_result *r;
    struct mysql_row row;
    int rc;

    if (n <= 1 || !key || literal_of(&t->cols[key->cols[0]]) != LITERAL_INTEGER) {
        *n_ret = read_range_cut("0", "0", 1, ret);
        return 0;
    }
    rc = sql_query(source, &r, err, "SELECT MIN(%i), MAX(%i) FROM %i.%i",
                   t->cols[key->cols[0]].name, t->cols[key->cols[0]].name, t->db, t->name);
    if (rc < 0)
        return rc;
    rc = mysql_result_next(r, &row, err);
    if (rc > 0) {
        min = mysql_row_text(&row, 0);
        max = mysql_row_text(&row, 1);
    }
    mysql_result_free(r);
    if (rc < 0)
        return rc;
    *n_ret = read_range_cut(min ? min : "0", max ? max : "0", n, ret);
    return 0;
}

void read_ranges_free(struct read_range *ranges, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        free(ranges[i].low);
        free(ranges[i].high);
        free(ranges[i].at);
    }
    free(ranges);
}
