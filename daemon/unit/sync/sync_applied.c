#include "unit/sync/sync_applied.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"

struct name {
    char *text;
    bool taken;
};

struct applied {
    bool by_gtid;
    enum flavor flavor;
    struct name *names; /* sorted */
    size_t n, cap, left;
    bool has_rows; /* of former owners, in the target */
};

static const char create_table[] =
    "CREATE TABLE IF NOT EXISTS %i." APPLIED_TABLE " (task VARBINARY(255) NOT NULL,"
    " source VARBINARY(255) NOT NULL, part VARBINARY(64) NOT NULL,"
    " epoch BIGINT UNSIGNED NOT NULL, first_seq BIGINT UNSIGNED NOT NULL,"
    " last_seq BIGINT UNSIGNED NOT NULL, by_gtid TINYINT NOT NULL,"
    " transactions LONGBLOB NOT NULL, owned TINYINT NOT NULL,"
    " PRIMARY KEY (task, source, part, epoch, first_seq)) ENGINE=InnoDB";

/* --- names --- */

void applied_name(bool by_gtid, const struct gtid *gtid, const struct position *pos,
                  struct buf *list)
{
    if (list->size)
        buf_byte(list, ',');
    if (by_gtid && gtid->number) {
        gtid_print(gtid, list);
        return;
    }
    buf_str(list, pos->file);
    buf_byte(list, '/');
    buf_u64_text(list, pos->offset);
}

/* MariaDB's sets have the last of each domain; that is more than an earlier one of the same server.
 */
static bool set_has(const struct gtid_set *s, const struct gtid *g)
{
    const struct gtid_member *m;
    size_t n;

    if (g->flavor == FLAVOR_MYSQL)
        return gtid_set_has(s, g);
    m = gtid_set_members(s, &n);
    for (size_t i = 0; i < n; i++)
        if (m[i].id.domain == g->domain)
            return m[i].id.server_id == g->server_id && g->number <= m[i].id.number;
    return false;
}

/* Is it at or before the checkpoint?  Such a one does not come again. */
static bool is_past(enum flavor flavor, const char *text, const struct position *low)
{
    const char *slash = strrchr(text, '/');
    struct err ignored = ERR_INIT;
    struct position at;
    struct gtid g;

    if (!slash)
        return low->gtids && gtid_parse(&g, flavor, text, &ignored) == 0 && set_has(low->gtids, &g);
    at = (struct position){ .offset = strtoull(slash + 1, NULL, 10) };
    snprintf(at.file, sizeof at.file, "%.*s", (int)(slash - text), text);
    return position_compare(&at, low) <= 0;
}

static void add_names(struct applied *a, char *list, const struct position *low)
{
    char *rest = list, *text;

    while ((text = strsep(&rest, ","))) {
        if (!*text || is_past(a->flavor, text, low))
            continue;
        GROW(a->names, a->n, a->cap);
        a->names[a->n++] = (struct name){ .text = xstrdup(text) };
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

/* --- what the target has --- */

static int read_rows(struct applied *a, struct mysql_result *res, const struct position *low,
                     struct err *err)
{
    struct mysql_row row;
    int rc;

    while ((rc = mysql_result_next(res, &row, err)) > 0) {
        SCOPED(freep) char *list = mysql_row_text(&row, 1);

        a->has_rows = true;
        if (mysql_row_u64(&row, 0) != a->by_gtid)
            return err_set(
                err, -EREMCHG,
                "the target has transactions beyond the checkpoint that are known by %s: "
                "follow the source by %s again until they have come by",
                a->by_gtid ? "file and offset" : "GTID", a->by_gtid ? "file and offset" : "GTID");
        add_names(a, list, low);
    }
    return rc;
}

int applied_open(struct applied **ret, struct mysql_conn *target, const struct checkpoint *cp,
                 enum flavor flavor, bool by_gtid, struct err *err)
{
    struct applied *a = xcalloc(1, sizeof *a);
    struct mysql_result *res;
    int rc = sql_exec(target, err, create_table, cp->key.meta_schema);

    a->by_gtid = by_gtid;
    a->flavor = flavor;
    if (rc == 0)
        rc = sql_query(target, &res, err,
                       "SELECT by_gtid,transactions FROM %i." APPLIED_TABLE
                       " WHERE task=%q AND source=%q AND part=%q",
                       cp->key.meta_schema, cp->key.task, cp->key.source, cp->key.part);
    if (rc == 0) {
        rc = read_rows(a, res, &cp->pos, err);
        mysql_result_free(res);
    }
    if (rc < 0) {
        applied_free(a);
        return rc;
    }
    if (a->n)
        qsort(a->names, a->n, sizeof *a->names, compare);
    a->left = a->n;
    *ret = a;
    return 0;
}

void applied_free(struct applied *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n; i++)
        free(a->names[i].text);
    free(a->names);
    free(a);
}

bool applied_take(struct applied *a, const struct gtid *gtid, const struct position *pos)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct name key, *found;

    if (a->left == 0)
        return false;
    applied_name(a->by_gtid, gtid, pos, &text);
    buf_byte(&text, '\0');
    key.text = (char *)text.data;
    found = bsearch(&key, a->names, a->n, sizeof *a->names, compare);
    if (!found || found->taken)
        return false;
    found->taken = true;
    a->left--;
    return true;
}

size_t applied_left(const struct applied *a)
{
    return a->left;
}

bool applied_is_over(const struct applied *a)
{
    return a->has_rows && a->left == 0;
}

int applied_remove(struct applied *a, struct mysql_conn *target, const struct checkpoint *cp,
                   struct err *err)
{
    int rc = sql_exec(target, err,
                      "DELETE FROM %i." APPLIED_TABLE
                      " WHERE task=%q AND source=%q AND part=%q AND epoch<%u",
                      cp->key.meta_schema, cp->key.task, cp->key.source, cp->key.part, cp->epoch);

    if (rc == 0)
        a->has_rows = false;
    return rc;
}

/* --- SQL --- */

void applied_insert_sql(const struct checkpoint *cp, bool by_gtid, uint64_t first_seq,
                        uint64_t last_seq, struct slice names, struct buf *out)
{
    sql_add(out,
            "INSERT INTO %i." APPLIED_TABLE " (task,source,part,epoch,first_seq,last_seq,by_gtid,"
            "transactions,owned) VALUES (%q,%q,%q,%u,%u,%u,%u,",
            cp->key.meta_schema, cp->key.task, cp->key.source, cp->key.part, cp->epoch, first_seq,
            last_seq, (uint64_t)by_gtid);
    sql_quote(out, names);
    buf_str(out, ",IF(");
    checkpoint_owned_sql(cp, out);
    buf_str(out, ",1,NULL))");
}

void applied_prune_sql(const struct checkpoint *cp, uint64_t low_seq, struct buf *out)
{
    sql_add(out,
            "DELETE FROM %i." APPLIED_TABLE " WHERE task=%q AND source=%q AND part=%q AND epoch=%u"
            " AND first_seq<=%u AND last_seq<=%u",
            cp->key.meta_schema, cp->key.task, cp->key.source, cp->key.part, cp->epoch, low_seq,
            low_seq);
}
