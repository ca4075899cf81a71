/* prewrite.c - a stored transaction as TiDB-Binlog's /debug/binlog/{ts} shows it. */
#include "http/compat/prewrite.h"

#include "base/buf.h"
#include "base/scope.h"

void prewrite_quote(const char *text, size_t size, struct buf *out)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '\n')
            buf_str(out, "\\n");
        else if (c == '\r')
            buf_str(out, "\\r");
        else if (c == '\t')
            buf_str(out, "\\t");
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            buf_printf(out, "\\%03o", c);
        else
            buf_byte(out, (char)c);
    }
    buf_byte(out, '"');
}

static void add_key(const json_t *record, struct buf *out)
{
    const char *gtid = json_string_value(json_object_get(record, "gtid"));
    const char *file = json_string_value(json_object_get(record, "file"));
    SCOPED(buf_fini) struct buf key = BUF_INIT;

    if (gtid && *gtid)
        buf_str(&key, gtid);
    else if (file)
        buf_printf(&key, "%s:%lld", file,
                   (long long)json_integer_value(json_object_get(record, "offset")));
    if (!key.size)
        return;
    buf_str(out, "prewrite_key:");
    prewrite_quote(key.data, key.size, out);
    buf_byte(out, ' ');
}

void prewrite_text(long long commit_ts, const json_t *record, const char *dump, struct buf *out)
{
    const json_t *ddl = json_object_get(record, "ddl");

    buf_printf(out, "tp:Commit start_ts:%lld commit_ts:%lld ", commit_ts, commit_ts);
    add_key(record, out);
    if (json_is_string(ddl) && json_string_length(ddl)) {
        buf_str(out, "ddl_query:");
        prewrite_quote(json_string_value(ddl), json_string_length(ddl), out);
        buf_byte(out, ' ');
    }
    buf_printf(out, "\n\n PrewriteValue: \n%s\n GetMvccByEncodedKey: \n", dump ? dump : "");
}
