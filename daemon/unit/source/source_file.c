#include "unit/source/source_file.h"

#include <errno.h>

#include "dm/keys.h"

static int take_security(json_t *doc, const json_t *v, struct err *err)
{
    return dm_take_security(doc, "security", v, err);
}

static const struct dm_key from_keys[] = { { "host", "host" },
                                           { "port", "port" },
                                           { "user", "user" },
                                           { "password", "password" },
                                           { "security", NULL, take_security },
                                           { "max-allowed-packet" },
                                           { "session" },
                                           { "charset" },
                                           { 0 } };

static int take_from(json_t *doc, const json_t *v, struct err *err)
{
    return dm_keys_take(from_keys, v, "", doc, err);
}

static const struct dm_key purge_keys[] = { { "interval", "purge.interval" },
                                            { "expires", "purge.expires" },
                                            { "remain-space", "purge.remain_space" },
                                            { 0 } };

static int take_purge(json_t *doc, const json_t *v, struct err *err)
{
    return dm_keys_take(purge_keys, v, "", doc, err);
}

static int take_filters(json_t *doc, const json_t *v, struct err *err)
{
    (void)doc;
    return json_array_size(v) ? err_set(err, -EINVAL,
                                        "filters are of tasks here: write them into the task's "
                                        "binlog_filter_rule")
                              : 0;
}

static const struct dm_key keys[] = {
    { "source-id", "source_name" },
    { "enable", "enable" },
    { "enable-gtid", "enable_gtid" },
    { "flavor", "flavor" },
    { "from", NULL, take_from },
    { "enable-relay", "relay_config.enable_relay" },
    { "relay-binlog-name", "relay_config.relay_binlog_name" },
    { "relay-binlog-gtid", "relay_config.relay_binlog_gtid" },
    { "relay-dir", "relay_config.relay_dir" },
    { "server-id", "relay_config.server_id" },
    { "purge", NULL, take_purge },
    { "filters", NULL, take_filters },
    /* without effect: retries are the task's max_retries, letter case is asked of the server */
    { "checker" },
    { "case-sensitive" },
    { "auto-fix-gtid" },
    { "meta-dir" },
    { "tracer" },
    { 0 },
};

bool source_file_is(const json_t *doc)
{
    return json_object_get(doc, "source-id") || json_object_get(doc, "from") ||
           json_object_get(doc, "enable-gtid");
}

int source_file_read(const json_t *file, json_t **ret, struct err *err)
{
    json_t *doc = json_object();
    int rc = dm_keys_take(keys, file, "", doc, err);

    if (rc < 0) {
        json_decref(doc);
        return err_wrap(err, "source file of DM");
    }
    *ret = doc;
    return 0;
}
