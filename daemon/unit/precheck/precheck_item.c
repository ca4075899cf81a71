#include "unit/precheck/precheck_item.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "node/suggest.h"

/* Every name that a line of the report has. */
static const char *const ids[] = {
    "auto_increment",
    "binlog",
    "binlog_do_db",
    "binlog_format",
    "binlog_row_image",
    "binlog_row_metadata",
    "clock",
    "cluster",
    "collation",
    "columns",
    "connection",
    "connections",
    "data_dir",
    "engine",
    "foreign_keys",
    "grants",
    "gtid",
    "keys",
    "local_infile",
    "log_updates",
    "lower_case_table_names",
    "max_allowed_packet",
    "merge",
    "meta_schema",
    "not_copied",
    "online_ddl",
    "read_only",
    "required_key",
    "routes",
    "sequence",
    "server_id",
    "shards",
    "start",
    "tables",
    "takeover",
    "target",
    "target_table",
    "time_zone",
    "triggers",
    "type",
    "version",
    "versioning",
    "xa",
};

/* DM's names; id NULL: it looks at something that only TiDB has. */
static const struct {
    const char *dm, *id;
} words[] = {
    { "dump_privilege", "grants" },
    { "replication_privilege", "grants" },
    { "target_privilege", "grants" },
    { "binlog_enable", "binlog" },
    { "binlog_db", "binlog_do_db" },
    { "meta_position", "start" },
    { "conn_number", "connections" },
    { "table_schema", "columns" },
    { "table_schema", "collation" },
    { "table_schema", "keys" },
    { "table_schema", "foreign_keys" },
    { "schema_of_shard_tables", "merge" },
    { "schema_of_shard_tables", "shards" },
    { "auto_increment_ID", "merge" },
    { "auto_increment_ID", "auto_increment" },
    { "primary_key", "keys" },
    { "empty_region", NULL },
    { "region_distribution", NULL },
    { "downstream_version", NULL },
    { "free_space", NULL },
    { "downstream_mutex_features", NULL },
    { "downstream_table_empty", "target_table" },
};

int precheck_item_check(const char *word, struct err *err)
{
    struct suggestion s = suggest_for(word);

    suggest_offer(&s, "all");
    if (strcmp(word, "all") == 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        if (strcmp(ids[i], word) == 0)
            return 0;
        suggest_offer(&s, ids[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i].dm, word) == 0)
            return 0;
        suggest_offer(&s, words[i].dm);
    }
    return err_set(err, -EINVAL, "'%s' is not what a check_report calls anything%s", word,
                   SUGGESTED(&s));
}

/* Does 'word' stand for what the report calls 'id'? */
static bool precheck_item_covers(const char *word, const char *id)
{
    if (strcmp(word, id) == 0 || strcmp(word, "all") == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].id && strcmp(words[i].dm, word) == 0 && strcmp(words[i].id, id) == 0)
            return true;
    return false;
}

bool precheck_items_cover(const json_t *words_given, const char *id)
{
    const json_t *word;
    size_t i;

    json_array_foreach (words_given, i, word)
        if (precheck_item_covers(json_string_value(word), id))
            return true;
    return false;
}
