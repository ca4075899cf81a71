#include "root.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/export.h"
#include "node/lines.h"
#include "options.h"

enum { MAX_ROWS = 64, MAX_PARTS = 12, LINES_SIZE = 512 * 1024 };

struct root {
    struct node node;
    const struct options *options;
    struct lines *events, *audit;
    int64_t started_us, started_mono_us;
};

struct settings {
    struct node node;
    const struct options *options;
};

static const struct root *root_of(const struct node *n)
{
    return node_owner(n, const struct root, node);
}

static json_t *get_version(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a, (void)err;
    return json_string(SLUICE_VERSION);
}

static json_t *get_pid(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a, (void)err;
    return json_integer(getpid());
}

static json_t *get_started(const struct node *n, const struct attr *a, struct err *err)
{
    char text[CLOCK_TEXT_SIZE];

    (void)a, (void)err;
    clock_text(root_of(n)->started_us, text);
    return json_string(text);
}

static json_t *get_uptime(const struct node *n, const struct attr *a, struct err *err)
{
    int64_t ms_since = (clock_mono_us() - root_of(n)->started_mono_us) / 1000;

    (void)a, (void)err;
    return json_real((double)ms_since / 1000.0);
}

static json_t *get_cpu(const struct node *n, const struct attr *a, struct err *err)
{
    struct timespec used = { 0 };

    (void)n, (void)a, (void)err;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return json_real((double)used.tv_sec + (double)used.tv_nsec / 1e9);
}

static json_t *get_disk(const struct node *n, const struct attr *a, struct err *err)
{
    struct statvfs v;
    bool all = strcmp(a->name, "disk_bytes") == 0;

    (void)err;
    if (statvfs(root_of(n)->options->data, &v) < 0)
        return json_null();
    return json_integer((json_int_t)v.f_frsize * (json_int_t)(all ? v.f_blocks : v.f_bavail));
}

/* Source: proc_pid_statm(5); the second number is resident pages. */
static json_t *get_memory(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(closep) int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    char text[128] = "", *resident;

    (void)n, (void)a;
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0) {
        err_set(err, -EIO, "cannot read /proc/self/statm: %m");
        return NULL;
    }
    resident = strchr(text, ' ');
    return json_integer(resident ? strtoll(resident, NULL, 10) * sysconf(_SC_PAGESIZE) : 0);
}

static json_t *get_log_level(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a, (void)err;
    return json_string(log_level_names[log_get_level()]);
}

static int set_log_level(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)err;
    for (size_t i = 0; log_level_names[i]; i++)
        if (strcmp(log_level_names[i], json_string_value(v)) == 0)
            log_set_level((enum log_level)i);
    node_changed(n, a->name);
    return 0;
}

/* The row of the setting is found by its place in the table. */
static json_t *get_option(const struct node *n, const struct attr *a, struct err *err)
{
    (void)err;
    return option_json(root_of(n)->options, &option_rows[a->offset]);
}

static json_t *get_setting(const struct node *n, const struct attr *a, struct err *err)
{
    (void)err;
    return option_json(node_owner(n, const struct settings, node)->options,
                       &option_rows[a->offset]);
}

static struct lines *events_of(const struct node *n, const struct attr *a)
{
    (void)a;
    return root_of(n)->events;
}

static struct lines *audit_of(const struct node *n, const struct attr *a)
{
    (void)a;
    return root_of(n)->audit;
}

static int run_shutdown(struct node *n, const json_t *args, struct err *err)
{
    (void)n, (void)args;
    if (kill(getpid(), SIGTERM) < 0)
        return err_set(err, -errno, "cannot signal myself: %m");
    return 0;
}

static const struct attr own_attrs[] = {
    { .name = "version", .type = ATTR_TEXT, .get = get_version, .help = "Version of sluiced" },
    { .name = "pid",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_pid,
      .help = "Process that serves this tree" },
    { .name = "started", .type = ATTR_TIME, .get = get_started, .help = "When it was started" },
    { .name = "uptime_seconds",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE,
      .get = get_uptime,
      .help = "How long it has been running" },
    { .name = "cpu_seconds",
      .type = ATTR_SECONDS,
      .get = get_cpu,
      .help = "Time that the process has had of the processors" },
    { .name = "memory_bytes",
      .type = ATTR_BYTES,
      .flags = ATTR_GAUGE,
      .get = get_memory,
      .help = "Resident memory of the process" },
    { .name = "disk_bytes",
      .type = ATTR_BYTES,
      .flags = ATTR_GAUGE,
      .get = get_disk,
      .help = "Size of the disk of the data folder" },
    { .name = "disk_free_bytes",
      .type = ATTR_BYTES,
      .flags = ATTR_GAUGE,
      .get = get_disk,
      .help = "Space left on it" },
    { .name = "events",
      .type = ATTR_LINES,
      .flags = ATTR_BULK | ATTR_WATCHED,
      .lines = events_of,
      .help = "What happened anywhere in the tree, one JSON object a line; the last 1,000 survive "
              "a restart" },
    { .name = "audit",
      .type = ATTR_LINES,
      .flags = ATTR_BULK,
      .lines = audit_of,
      .help = "Every change that someone asked for, one JSON object a line: who, from where, "
              "what, and whether it was refused" },
    { .name = "schema",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_LARGE | ATTR_ASKS,
      .get = schema_get,
      .help = "Every type of directory with its attributes and actions" },
    { .name = "metrics",
      .type = ATTR_TEXT,
      .flags = ATTR_BULK | ATTR_LARGE | ATTR_ASKS,
      .get = metrics_get,
      .help = "All numbers of the tree in Prometheus' text format" },
};

static const struct action actions[] = {
    { .name = "shutdown",
      .run = run_shutdown,
      .help = "Stop the daemon; what runs goes on from where it was at the next start" },
    { .name = NULL },
};

static const char *const examples[] = {
    "cat status",
    "tail -f events",
    "echo debug > log_level",
    NULL,
};

static const char *const settings_examples[] = {
    "grep . *",
    "cat http_max_body",
    "man 5 sluice.conf",
    NULL,
};

/* Filled by root_type(). */
static struct attr root_attrs[MAX_ROWS], settings_attrs[MAX_ROWS];
static struct node_part root_parts[MAX_PARTS];

static void release_root(struct node *n)
{
    struct root *r = node_owner(n, struct root, node);

    lines_free(r->events);
    lines_free(r->audit);
    free(r);
}

static void release_settings(struct node *n)
{
    free(node_owner(n, struct settings, node));
}

static const struct node_type type = {
    .name = "daemon",
    .help = "The daemon itself: what it runs is below sources and tasks, how it was set up is in "
            "settings",
    .examples = examples,
    .attrs = root_attrs,
    .actions = actions,
    .parts = root_parts,
    .release = release_root,
};

static const struct node_type settings_type = {
    .name = "settings",
    .help = "What the daemon was started with: its configuration file, environment and command "
            "line together",
    .examples = settings_examples,
    .attrs = settings_attrs,
    .release = release_settings,
};

static struct attr attr_of_option(size_t i, bool at_root)
{
    const struct option_row *row = &option_rows[i];
    struct attr a = { .name = row->key,
                      .help = row->help,
                      .type = option_attr_type(row),
                      .flags = ATTR_GAUGE,
                      .unit = row->unit,
                      .choices = row->choices,
                      .offset = i,
                      .get = at_root ? get_option : get_setting };

    if (at_root && strcmp(row->key, "log_level") == 0) {
        a.get = get_log_level;
        a.set = set_log_level;
    }
    return a;
}

static void fill_parts(const struct node_part *parts)
{
    size_t n = 0;

    for (; parts[n].type; n++) {
        assert(n < MAX_PARTS - 2);
        root_parts[n] = parts[n];
    }
    root_parts[n] = (struct node_part){ .name = "settings", .type = &settings_type };
}

const struct node_type *root_type(const struct node_part *parts)
{
    size_t n = 0;

    if (root_attrs[0].name)
        return &type;
    for (; n < ARRAY_LEN(own_attrs); n++)
        root_attrs[n] = own_attrs[n];
    for (size_t i = 0; option_rows[i].key; i++) {
        assert(n < MAX_ROWS - 1 && i < MAX_ROWS - 1);
        if (option_rows[i].at_root)
            root_attrs[n++] = attr_of_option(i, true);
        settings_attrs[i] = attr_of_option(i, false);
    }
    fill_parts(parts);
    return &type;
}

static struct node *settings_new(const struct options *o)
{
    struct settings *s = xcalloc(1, sizeof *s);

    s->options = o;
    node_init(&s->node, &settings_type, "settings");
    return &s->node;
}

struct node *root_new(const struct options *o)
{
    struct root *r = xcalloc(1, sizeof *r);
    struct err err = ERR_INIT;
    int rc;

    r->options = o;
    r->events = lines_new(LINES_KEPT, LINES_SIZE);
    r->audit = lines_new(LINES_KEPT, LINES_SIZE);
    r->started_us = clock_wall_us();
    r->started_mono_us = clock_mono_us();
    node_init(&r->node, &type, "");
    rc = node_add(&r->node, settings_new(o), &err);
    assert(rc == 0);
    return &r->node;
}

struct lines *root_events(struct node *root)
{
    return root_of(root)->events;
}

struct lines *root_audit(struct node *root)
{
    return root_of(root)->audit;
}
