/* source_node.c - sources/ and sources/<s>/: their rows. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/relay/relay_unit.h"
#include "unit/source/source_doc.h"
#include "unit/source/source_priv.h"

static void source_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&source_of(n)->lock);
}

static void source_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&source_of(n)->lock);
}

/* --- fields of the document; the node is locked, so NO_THREAD_CHECK --- */

static json_t *get_doc_field(const struct node *n, const struct attr *a,
                             struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return source_field(source_doc_fields, source_of(n)->doc, a);
}

static int set_doc_field(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    return source_set_field(source_of(n), a->name, v, err);
}

/* An empty flavour is found out, so the file can be made empty. */
static int set_flavor(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    return source_set_field(source_of(n), a->name, json_string_length(v) ? v : NULL, err);
}

static json_t *get_config(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    SCOPED(json_decrefp) json_t *full = doc_full(source_doc_fields, source_of(n)->doc);

    (void)a;
    (void)err;
    return doc_masked(source_doc_fields, full);
}

static int set_config(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)a;
    return source_set_doc(source_of(n), v, err);
}

/* --- what is known of the server --- */

static json_t *get_state(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    (void)a;
    (void)err;
    return json_string(source_state_names[source_of(n)->state]);
}

static json_t *get_error(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    const struct source *s = source_of(n);

    (void)a;
    (void)err;
    return json_string(s->error.code ? s->error.text : "");
}

static json_t *get_warning(const struct node *n, const struct attr *a,
                           struct err *err) NO_THREAD_CHECK
{
    const char *warning = source_of(n)->warning;

    (void)a;
    (void)err;
    return json_string(warning ? warning : "");
}

static json_t *get_enabled(const struct node *n, const struct attr *a,
                           struct err *err) NO_THREAD_CHECK
{
    const json_t *v = doc_at(source_of(n)->doc, "enable");

    (void)a;
    (void)err;
    return json_boolean(!v || json_is_true(v));
}

/* Stock getters for fields of struct source_seen; 'offset' is within it. */
#define SEEN(n, a, type) (*(type const *)((const char *)&source_of(n)->seen + (a)->offset))

static json_t *get_seen_text(const struct node *n, const struct attr *a,
                             struct err *err) NO_THREAD_CHECK
{
    const char *text = SEEN(n, a, char *);

    (void)err;
    return json_string(text ? text : "");
}

static json_t *get_server_id(const struct node *n, const struct attr *a,
                             struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return json_integer(SEEN(n, a, uint32_t));
}

static json_t *get_binlog_bytes(const struct node *n, const struct attr *a,
                                struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return json_integer((json_int_t)SEEN(n, a, uint64_t));
}

static json_t *get_growth(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return json_integer((json_int_t)SEEN(n, a, double));
}

static json_t *get_skew(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return json_real(round(SEEN(n, a, double) * 1000) / 1000); /* asking is no more precise */
}

static json_t *get_runway(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    double seconds = SEEN(n, a, double);

    (void)err;
    return seconds < 0 ? json_null() : json_real(seconds);
}

static json_t *get_contact(const struct node *n, const struct attr *a,
                           struct err *err) NO_THREAD_CHECK
{
    int64_t us = SEEN(n, a, int64_t);
    char text[CLOCK_TEXT_SIZE];

    (void)err;
    if (us == 0)
        return json_null();
    clock_text(us, text);
    return json_string(text);
}

static json_t *get_tasks(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    json_t *names = json_array();
    const json_t *user;
    size_t i;

    (void)a;
    (void)err;
    json_array_foreach (source_of(n)->users, i, user)
        json_array_append(names, json_object_get(user, "task"));
    return names;
}

static json_t *get_report(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    const char *report = source_of(n)->report;

    (void)a;
    (void)err;
    return json_string(report ? report : "");
}

/* --- actions --- */

static int run_check(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return source_check(source_of(n), err);
}

static int set_enabled(struct node *n, bool on, struct err *err)
{
    SCOPED(json_decrefp) json_t *v = json_boolean(on);

    return source_set_field(source_of(n), "enable", v, err);
}

static int run_enable(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return set_enabled(n, true, err);
}

static int run_disable(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return set_enabled(n, false, err);
}

static int run_try(struct node *n, const json_t *args, struct err *err)
{
    return sources_try(n, args, err);
}

static int run_create(struct node *n, const json_t *args, struct err *err)
{
    return node_create_document(n, args, err);
}

/* --- the tables --- */

#define SEEN_ROW(field) .offset = offsetof(struct source_seen, field)

static const char *const flavors[] = { "", "mysql", "mariadb", NULL };

static const struct attr source_attrs[] = {
    { .name = "state",
      .type = ATTR_ENUM,
      .choices = source_state_names,
      .flags = ATTR_WATCHED | ATTR_METRIC,
      .get = get_state,
      .help = "Whether the server answers: new while settings are missing, running, error, "
              "stopped when disabled" },
    { .name = "error",
      .type = ATTR_TEXT,
      .get = get_error,
      .help = "Why the server was not reached; empty if nothing is wrong" },
    { .name = "warning",
      .type = ATTR_TEXT,
      .flags = ATTR_WATCHED,
      .get = get_warning,
      .help = "Binlogs that a task needs and that are purged, or may be within the hour and with "
              "more than half of their time over; empty if nothing is wrong" },
    { .name = "enabled",
      .type = ATTR_BOOL,
      .get = get_enabled,
      .help = "Whether tasks may read this source" },
    { .name = "host",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .get = get_doc_field,
      .set = set_doc_field,
      .help = "Host name or address of the server" },
    { .name = "port",
      .type = ATTR_COUNT,
      .flags = ATTR_STORED | ATTR_GAUGE,
      .min = 1,
      .max = 65535,
      .get = get_doc_field,
      .set = set_doc_field,
      .help = "TCP port of the server" },
    { .name = "user",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .get = get_doc_field,
      .set = set_doc_field,
      .help = "Account to log in with" },
    { .name = "password",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .set = set_doc_field,
      .help = "Its password, or file:PATH to read it from there" },
    { .name = "flavor",
      .type = ATTR_ENUM,
      .choices = flavors,
      .flags = ATTR_STORED,
      .get = get_doc_field,
      .set = set_flavor,
      .help = "What the server must be; empty: it is found out" },
    { .name = "enable_gtid",
      .type = ATTR_BOOL,
      .flags = ATTR_STORED,
      .get = get_doc_field,
      .set = set_doc_field,
      .help = "Whether binlogs are followed by GTID instead of by file and offset" },
    { .name = "config",
      .type = ATTR_DOCUMENT,
      .flags = ATTR_BULK,
      .get = get_config,
      .set = set_config,
      .help = "All settings as one document, with the names of DM's OpenAPI; taken or refused "
              "when it is closed: cp tells, bash's echo does not (last_error and events do)" },
    { .name = "server_version",
      .type = ATTR_TEXT,
      .get = get_seen_text,
      SEEN_ROW(version),
      .help = "Version that the server tells" },
    { .name = "server_id",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_server_id,
      SEEN_ROW(server_id),
      .help = "Its server_id" },
    { .name = "server_uuid",
      .type = ATTR_TEXT,
      .get = get_seen_text,
      SEEN_ROW(uuid),
      .help =
          "Its server_uuid; of MariaDB, which has none, its gtid_domain_id and server_id: 0-101" },
    { .name = "binlog_position",
      .type = ATTR_TEXT,
      .get = get_seen_text,
      SEEN_ROW(position),
      .help = "End of its binlog, as file:offset" },
    { .name = "gtid",
      .type = ATTR_TEXT,
      .get = get_seen_text,
      SEEN_ROW(gtid),
      .help = "End of its binlog, as a GTID set" },
    { .name = "earliest_binlog",
      .type = ATTR_TEXT,
      .get = get_seen_text,
      SEEN_ROW(earliest),
      .help = "Oldest binlog file that it still has" },
    { .name = "needed_binlog",
      .type = ATTR_TEXT,
      .get = get_seen_text,
      SEEN_ROW(needed),
      .help = "Oldest binlog file that a task still has to read; empty if none is known" },
    { .name = "binlog_bytes",
      .type = ATTR_BYTES,
      .flags = ATTR_GAUGE,
      .get = get_binlog_bytes,
      SEEN_ROW(binlog_bytes),
      .help = "Size of all its binlog files" },
    { .name = "binlog_rate",
      .type = ATTR_BYTES,
      .flags = ATTR_GAUGE,
      .unit = "bytes/s",
      .get = get_growth,
      SEEN_ROW(growth_bytes_s),
      .help = "How fast its binlog grows" },
    { .name = "runway_seconds",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE,
      .get = get_runway,
      SEEN_ROW(runway_s),
      .help = "Time until the server may purge a binlog that a task still needs; empty: not in "
              "sight" },
    { .name = "clock_skew_seconds",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE,
      .get = get_skew,
      SEEN_ROW(skew_s),
      .help = "The server's clock minus ours" },
    { .name = "last_contact",
      .type = ATTR_TIME,
      .get = get_contact,
      SEEN_ROW(contact_us),
      .help = "When the server last answered" },
    { .name = "tasks", .type = ATTR_JSON, .get = get_tasks, .help = "Tasks that read this source" },
    { .name = "check_report",
      .type = ATTR_TEXT,
      .flags = ATTR_BULK,
      .get = get_report,
      .help = "What the last check found, a line each: OK, or what to type" },
    { .name = "schemas",
      .type = ATTR_TEXT,
      .flags = ATTR_BULK | ATTR_ASKS,
      .get = source_get_names,
      .help = "Names of the schemas on the server, asked when read" },
    { .name = "tables",
      .type = ATTR_TEXT,
      .flags = ATTR_BULK | ATTR_ASKS,
      .get = source_get_names,
      .help =
          "Tables on the server, asked when read: schema, name, kind, estimated rows and bytes, "
          "separated by tabs" },
    { .name = "schema_list",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_ASKS,
      .get = source_get_schema_list,
      .help = "All schemas that its account sees there, its own ones of the server too, as JSON" },
    { 0 },
};

static const struct action source_actions[] = {
    { .name = "check",
      .run = run_check,
      .help = "Ask the server whether it can be a source, and write check_report" },
    { .name = "enable", .run = run_enable, .help = "Let tasks read this source" },
    { .name = "disable",
      .run = run_disable,
      .help = "End what tasks read from this source until it is enabled, start none, and do not "
              "ask its server" },
    { 0 },
};

static const char *const source_examples[] = {
    "echo 192.0.2.7 > host; echo repl > user; echo file:/root/pw > password",
    "echo > check; cat check_report",
    "cat server_version binlog_position runway_seconds",
    NULL,
};

static const struct node_part source_parts[] = { { "security", &source_security_type },
                                                 { "checker", &source_checker_type },
                                                 { "relay", &relay_type },
                                                 { "tables_of", &source_tables_type },
                                                 { 0 } };

const struct node_type source_type = {
    .name = "source",
    .help = "A server that tasks read from. What is known of it is refreshed every ten seconds.",
    .examples = source_examples,
    .attrs = source_attrs,
    .actions = source_actions,
    .parts = source_parts,
    .lock = source_lock,
    .unlock = source_unlock,
    .remove = source_remove,
    .release = source_release,
};

static const struct action sources_actions[] = {
    { .name = "create",
      .run = run_create,
      .document = true,
      .help = "Make a source from a document" },
    { .name = "check",
      .run = run_try,
      .document = true,
      .help = "Ask the server of a document whether it answers, without making a source of it" },
    { 0 },
};

static const char *const sources_examples[] = {
    "mkdir s1; echo 192.0.2.7 > s1/host",
    "cat s1.yaml > create",
    "cat */state",
    NULL,
};

static const struct node_part sources_parts[] = { { NULL, &source_type }, { 0 } };

const struct node_type sources_type = {
    .name = "sources",
    .help = "The servers that tasks read from.",
    .examples = sources_examples,
    .actions = sources_actions,
    .parts = sources_parts,
    .create = sources_create,
    .release = sources_release,
};
