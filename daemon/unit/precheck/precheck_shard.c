#include "unit/precheck/precheck_shard.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "route/shard_table.h"

/* One of the two. */
struct shard {
    const json_t *of;
    struct shard_table table;
    char *label; /* "d.t1", or "source s2: d.t1" */
};

struct both {
    struct precheck_report *r;
    struct shard first, mine;
    unsigned n; /* lines so far */
};

static const char *text(const json_t *v, const char *key)
{
    return json_string_value(json_object_get(v, key));
}

json_t *precheck_shard_new(const char *source, const char *schema, const char *table,
                           const char *create, const char *make)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s*}", "source", source, "schema", schema, "table",
                     table, "create", create, "make", make);
}

/* --- what to type --- */

/* "int unsigned NOT NULL DEFAULT 5" */
static void print_column(const struct shard_column *c, struct buf *out)
{
    sql_ident(out, slice_str(c->name));
    buf_printf(out, " %s%s%s", c->type, c->is_unsigned ? " unsigned" : "",
               c->zerofill ? " zerofill" : "");
    if (*c->charset)
        buf_printf(out, " CHARACTER SET %s", c->charset);
    if (*c->collation)
        buf_printf(out, " COLLATE %s", c->collation);
    if (c->generated)
        buf_printf(out, " AS %s", c->generated);
    else if (!c->nullable)
        buf_str(out, " NOT NULL");
    if (c->fallback)
        buf_printf(out, " DEFAULT %s", c->fallback);
    if (c->auto_increment)
        buf_str(out, " AUTO_INCREMENT");
}

/* 'where' gets the column as the other has it. */
static char *alter(const struct both *b, const struct shard *where, const char *verb,
                   const struct shard_column *c)
{
    SCOPED(buf_fini) struct buf fix = BUF_INIT;
    bool here = strcmp(text(where->of, "source"), text(b->mine.of, "source")) == 0;

    if (here)
        buf_str(&fix, "type at the source: ALTER TABLE ");
    else
        buf_printf(&fix, "type at the source %s: ALTER TABLE ", text(where->of, "source"));
    sql_table(&fix, text(where->of, "schema"), text(where->of, "table"));
    buf_printf(&fix, " %s COLUMN ", verb);
    print_column(c, &fix);
    return xstrdup(fix.data);
}

static void __attribute__((format(printf, 4, 5)))
say(struct both *b, enum precheck_level level, const char *fix, const char *fmt, ...)
{
    SCOPED(freep) char *what = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&what, fmt, ap) < 0)
        what = xstrdup(fmt);
    va_end(ap);
    precheck_report_add(b->r, level, "shards", fix, what);
    b->n += level == PRECHECK_FAIL;
}

/* --- columns --- */

/* A copy makes the target's table as the first shard is that it comes to, which takes the rows of
 * others only if they have no more columns, and no values that need wider ones. */
static char *make_first(const struct both *b)
{
    const char *target = text(b->mine.of, "make");

    return target ? xasprintf("make %s at the target first, with the columns of all its shards, "
                              "each as wide as the widest",
                              target)
                  : NULL;
}

/* A row without it would have no value for it. */
static bool must_be_given(const struct shard_column *c)
{
    return !c->nullable && !c->fallback && !c->auto_increment && !c->generated;
}

static void check_lacking(struct both *b, const struct shard *has, const struct shard *lacks,
                          enum shard_mode mode)
{
    for (unsigned i = 0; i < has->table.n_cols; i++) {
        const struct shard_column *c = &has->table.cols[i];
        bool joins = mode == SHARD_OPTIMISTIC && !must_be_given(c);
        SCOPED(freep) char *fix = NULL;

        if (shard_table_column(&lacks->table, c->name))
            continue;
        fix = joins ? make_first(b) : alter(b, lacks, "ADD", c);
        if (!fix)
            continue;
        say(b, PRECHECK_FAIL, fix, "%s has no column %s, as %s has: column length mismatch",
            lacks->label, c->name, has->label);
    }
}

static void check_common(struct both *b, enum shard_mode mode)
{
    for (unsigned i = 0; i < b->first.table.n_cols; i++) {
        const struct shard_column *c = &b->first.table.cols[i];
        const struct shard_column *mine = shard_table_column(&b->mine.table, c->name);
        struct err why = ERR_INIT;
        enum shard_order order = mine ? shard_column_compare(c, mine, &why) : SHARD_EQUAL;
        bool joins = mode == SHARD_OPTIMISTIC && order != SHARD_APART;
        SCOPED(freep) char *fix = NULL;

        if (order != SHARD_EQUAL)
            fix = joins ? make_first(b) : alter(b, &b->mine, "MODIFY", c);
        if (!fix)
            continue;
        say(b, joins ? PRECHECK_WARN : PRECHECK_FAIL, fix,
            "%s.%s is %s, in %s it is %s: different column definition", b->mine.label, c->name,
            mine->type, b->first.label, c->type);
    }
}

/* The primary key, and what else no columns are to blame for. */
static void check_join(struct both *b)
{
    struct shard_table joined = { 0 };
    struct err why = ERR_INIT;

    if (b->n == 0 && shard_table_join(&b->first.table, &b->mine.table, &joined, &why) < 0)
        say(b, PRECHECK_FAIL, "give both the same primary key", "%s and %s: %s", b->first.label,
            b->mine.label, why.text);
    shard_table_fini(&joined);
}

/* --- numbers that each server counts for itself --- */

static const struct shard_column *counter_of(const struct shard_table *t)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        if (t->cols[i].auto_increment)
            return &t->cols[i];
    return NULL;
}

static void check_counters(struct both *b)
{
    const struct shard_column *c = counter_of(&b->mine.table);
    SCOPED(freep) char *what = NULL;

    if (!c || !counter_of(&b->first.table))
        return;
    what = xasprintf("%s and %s both count %s: equal numbers would collide at the target",
                     b->first.label, b->mine.label, c->name);
    precheck_report_add(b->r, PRECHECK_WARN, "auto_increment",
                        "let each count numbers of its own: SET GLOBAL auto_increment_increment=N, "
                        "auto_increment_offset=1 to N, or ranges far apart: ALTER TABLE ... "
                        "AUTO_INCREMENT=FROM",
                        what);
}

/* --- both --- */

static int read_shard(struct shard *s, const json_t *of, bool same_source, struct err *err)
{
    const char *create = text(of, "create");

    s->of = of;
    s->label = same_source ? xasprintf("%s.%s", text(of, "schema"), text(of, "table"))
                           : xasprintf("%s.%s of source %s", text(of, "schema"), text(of, "table"),
                                       text(of, "source"));
    return shard_table_parse(slice_str(create), &s->table, err);
}

static void shard_fini(struct shard *s)
{
    shard_table_fini(&s->table);
    free(s->label);
}

void precheck_shard_compare(struct precheck_report *r, enum shard_mode mode, const json_t *first,
                            const json_t *mine)
{
    struct both b = { .r = r };
    bool same = strcmp(text(first, "source"), text(mine, "source")) == 0;
    struct err err = ERR_INIT;

    if (read_shard(&b.first, first, same, &err) < 0 || read_shard(&b.mine, mine, same, &err) < 0) {
        say(&b, PRECHECK_FAIL, NULL, "%s: %s", b.mine.label ? b.mine.label : b.first.label,
            err.text);
    } else {
        check_lacking(&b, &b.first, &b.mine, mode);
        check_lacking(&b, &b.mine, &b.first, mode);
        check_common(&b, mode);
        if (mode == SHARD_OPTIMISTIC)
            check_join(&b);
        check_counters(&b);
    }
    shard_fini(&b.first);
    shard_fini(&b.mine);
}
