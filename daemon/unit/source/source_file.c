#include "unit/source/source_file.h"

#include <errno.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/scope.h"
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

/* "5m0s" */
static int take_seconds(json_t *doc, const char *at, const json_t *v, struct err *err)
{
    SCOPED(freep)
    char *text = json_is_string(v) ? xstrdup(json_string_value(v)) : json_dumps(v, JSON_ENCODE_ANY);
    SCOPED(json_decrefp) json_t *seconds = NULL;
    int64_t us;

    if (duration_parse(text, &us, err) < 0)
        return err->code;
    seconds = json_integer(us / 1000000);
    dm_put(doc, at, seconds);
    return 0;
}

static int take_backoff_max(json_t *doc, const json_t *v, struct err *err)
{
    return take_seconds(doc, "checker.backoff_max", v, err);
}

static int take_backoff_rollback(json_t *doc, const json_t *v, struct err *err)
{
    return take_seconds(doc, "checker.backoff_rollback", v, err);
}

static const struct dm_key checker_keys[] = {
    { "check-enable", "checker.check_enable" },
    { "backoff-max", NULL, take_backoff_max },
    { "backoff-rollback", NULL, take_backoff_rollback },
    /* without effect: how an attempt's wait grows is always the same */
    { "check-interval" },
    { "backoff-min" },
    { "backoff-jitter" },
    { "backoff-factor" },
    { 0 },
};

static int take_checker(json_t *doc, const json_t *v, struct err *err)
{
    return dm_keys_take(checker_keys, v, "", doc, err);
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
    { "checker", NULL, take_checker },
    /* without effect: letter case is asked of the server */
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
