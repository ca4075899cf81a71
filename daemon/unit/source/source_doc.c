#include "unit/source/source_doc.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/gtid_set.h"
#include "unit/security_doc.h"
#include "unit/server_doc.h"
#include "unit/source/source_file.h"

#define MAX_NAME 255 /* DM's limit of 32 is its own */

static const char *const flavors[] = { "mysql", "mariadb", NULL };

static const struct doc_field name_element[] = {
    { .name = "name", .type = DOC_TEXT, .min = 1, .max = 255 },
    { 0 },
};

static const char *const when_full[] = { "stop", "drop_unread", NULL };

static const struct doc_field purge_fields[] = {
    { .name = "interval",
      .type = DOC_COUNT,
      .fallback = "3600",
      .help = "Seconds between two looks at what of the relay may go; 0: never by itself" },
    { .name = "expires",
      .type = DOC_COUNT,
      .fallback = "0",
      .help = "Age in hours at which stored binlog goes; 0: none goes by age" },
    { .name = "remain_space",
      .type = DOC_COUNT,
      .fallback = "15",
      .help = "With less free disk, in GB, stored binlog goes that all have read; 0: never" },
    { .name = "max_bytes",
      .type = DOC_COUNT,
      .fallback = "0",
      .help = "Bytes of stored binlog above which the oldest goes; 0: any" },
    { .name = "when_full",
      .type = DOC_ENUM,
      .choices = when_full,
      .fallback = "\"stop\"",
      .help = "With the disk full: stop storing, or drop what was stored although not all have "
              "read it" },
    { 0 },
};

static const struct doc_field relay_fields[] = {
    { .name = "enable_relay",
      .type = DOC_BOOL,
      .fallback = "false",
      .help = "Whether the binlog of this source is stored" },
    { .name = "relay_binlog_name",
      .type = DOC_TEXT,
      .max = 255,
      .fallback = "\"\"",
      .help = "File that an empty relay begins with; empty: the oldest of the source" },
    { .name = "relay_binlog_gtid",
      .type = DOC_TEXT,
      .reason = REASON_GTID,
      .fallback = "\"\"",
      .help = "GTID set that an empty relay begins after, where enable_gtid is set" },
    { .name = "relay_dir",
      .type = DOC_TEXT,
      .ignored = "the relay is in the data folder of the daemon" },
    { .name = "server_id",
      .type = DOC_COUNT,
      .max = UINT32_MAX,
      .fallback = "0",
      .help = "Our server_id at the source; 0: one of our own, always the same" },
    { .name = "server_uuid",
      .type = DOC_TEXT,
      .max = 36,
      .fallback = "\"\"",
      .help = "Our server_uuid at a MySQL source; empty: one of our own" },
    { .name = "semi_sync",
      .type = DOC_BOOL,
      .fallback = "false",
      .help = "Whether commits at the source wait until we have them on disk" },
    { 0 },
};

const struct doc_field source_doc_checker_fields[] = {
    { .name = "check_enable",
      .type = DOC_BOOL,
      .fallback = "false",
      .help = "Whether tasks go on reading this source by themselves after errors that somebody "
              "may mend, as auto_resume of a task has it" },
    { .name = "backoff_max",
      .type = DOC_COUNT,
      .min = 1,
      .max = 86400,
      .fallback = "300",
      .help = "Longest time before such an attempt, in seconds; the first comes after one, and "
              "each takes twice as long as the one before" },
    { .name = "backoff_rollback",
      .type = DOC_COUNT,
      .min = 1,
      .max = 86400,
      .fallback = "300",
      .help = "After so many seconds without an error the next one counts as one less" },
    { 0 },
};

const struct doc_field source_doc_fields[] = {
    { .name = "source_name",
      .type = DOC_TEXT,
      .min = 1,
      .max = MAX_NAME,
      .help = "Name of the source: that of its directory" },
    SERVER_DOC_HOST("Host name or address of the source"),
    SERVER_DOC_PORT("TCP port of the source"),
    SERVER_DOC_USER(),
    SERVER_DOC_PASSWORD,
    { .name = "enable_gtid",
      .type = DOC_BOOL,
      .fallback = "false",
      .help = "Whether binlogs are followed by GTID instead of by file and offset" },
    { .name = "enable",
      .type = DOC_BOOL,
      .fallback = "true",
      .help = "Whether tasks may read this source" },
    { .name = "flavor",
      .type = DOC_ENUM,
      .reason = REASON_FLAVOR,
      .choices = flavors,
      .help = "What the server must be; left out, it is found out" },
    { .name = "security",
      .type = DOC_OBJECT,
      .fields = security_doc_fields,
      .help = "TLS to the source; there, even if empty, TLS is required" },
    { .name = "purge",
      .type = DOC_OBJECT,
      .fields = purge_fields,
      .help = "When stored binlog goes" },
    { .name = "checker",
      .type = DOC_OBJECT,
      .fields = source_doc_checker_fields,
      .help = "Whether what reads this source tries again after errors that somebody may mend" },
    { .name = "relay_config",
      .type = DOC_OBJECT,
      .fields = relay_fields,
      .help = "The binlog of this source, stored" },
    { .name = "task_name_list", .type = DOC_LIST, .fields = name_element, .flags = DOC_READ_ONLY },
    { .name = "status_list", .type = DOC_LIST, .fields = name_element, .flags = DOC_READ_ONLY },
    { 0 },
};

/* A GTID of MySQL has a colon, one of MariaDB has none. */
static int check_gtid(const json_t *doc, struct err *err)
{
    const char *text = json_string_value(doc_at(doc, "relay_config.relay_binlog_gtid"));
    struct gtid_set *set = NULL;

    if (text && *text &&
        gtid_set_parse(&set, strchr(text, ':') ? FLAVOR_MYSQL : FLAVOR_MARIADB, text, err) < 0) {
        err_wrap(err, "relay_binlog_gtid");
        return err_because(err, REASON_GTID);
    }
    gtid_set_free(set);
    return 0;
}

int source_doc_check(const json_t *doc, const char *name, json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *checked = NULL;
    json_t *read = NULL;
    const char *given;
    int rc = source_file_is(doc) ? source_file_read(doc, &read, err) : 0;

    if (rc == 0)
        rc = doc_check(source_doc_fields, read ? read : doc, &checked, err);
    json_decref(read);
    if (rc == 0)
        rc = check_gtid(checked, err);
    if (rc < 0)
        return rc;
    given = json_string_value(doc_at(checked, "source_name"));
    if (given && strcmp(given, name) != 0)
        return err_set(err, -EINVAL, "source_name: it is %s and stays so", name);
    json_object_set_new(checked, "source_name", json_string(name));
    *ret = STEAL(checked);
    return 0;
}

static int fill(const json_t *doc, struct mysql_params *p, struct err *err)
{
    if (!json_string_length(doc_at(doc, "host")))
        return err_set(err, -EINVAL, "the source has no host yet: echo HOST > host");
    if (!json_string_length(doc_at(doc, "user")))
        return err_set(err, -EINVAL, "the source has no user yet: echo USER > user");
    return server_doc_params(doc, p, err);
}

int source_doc_params(const json_t *doc, struct mysql_params *ret, struct err *err)
{
    struct mysql_params p = { 0 };
    int rc = fill(doc, &p, err);

    if (rc < 0)
        mysql_params_fini(&p);
    else
        *ret = p;
    return rc;
}
