#include "unit/session_doc.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"

/* Values are the source's to the last bit only while these are as sluice sets them. */
static const struct {
    const char *name, *instead;
} ours[] = {
    { "sql_mode", "rows are written strictly, DDL in the sql_mode that it had at the source" },
    { "foreign_key_checks", "it is a setting of its own, beside variables" },
    { "unique_checks", "a copy decides it" },
    { "time_zone", "say timezone of the task" },
    { "timestamp", "it is that of the statement at the source" },
    { "autocommit", "the checkpoint is in each transaction" },
    { "character_set_client", "values travel as bytes" },
    { "character_set_connection", "values travel as bytes" },
    { "character_set_results", "values travel as bytes" },
    { "collation_connection", "values travel as bytes" },
    { "auto_increment_increment", "values are those of the source" },
    { "auto_increment_offset", "values are those of the source" },
    { "gtid_next", "the target names its transactions" },
    { "max_error_count", "warnings are counted" },
};

static bool is_name(const char *name)
{
    return *name &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
               strlen(name);
}

int session_doc_check(const json_t *variables, struct err *err)
{
    const char *name;
    json_t *v;

    json_object_foreach ((json_t *)variables, name, v) {
        if (!is_name(name))
            return err_set(err, -EINVAL, "target_config.session: '%s' is no variable", name);
        for (size_t i = 0; i < ARRAY_LEN(ours); i++)
            if (strcasecmp(ours[i].name, name) == 0)
                return err_set(err, -EINVAL,
                               "target_config.session: %s cannot be given: %s; leave it out", name,
                               ours[i].instead);
    }
    return 0;
}

static bool is_number(const char *text)
{
    const char *digits = text + (*text == '-');
    size_t n = strspn(digits, "0123456789"), fraction;

    if (digits[n] != '.')
        return n && !digits[n];
    fraction = strspn(digits + n + 1, "0123456789");
    return n && fraction && !digits[n + 1 + fraction];
}

char *session_doc_sql(const json_t *variables)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    const char *name;
    json_t *v;

    json_object_foreach ((json_t *)variables, name, v) {
        const char *text = json_string_value(v);

        buf_printf(&sql, "%s%s = ", sql.size ? ", " : "SET SESSION ", name);
        if (is_number(text))
            buf_str(&sql, text);
        else
            sql_quote(&sql, slice_str(text));
    }
    return sql.size ? xstrdup(sql.data) : NULL;
}
