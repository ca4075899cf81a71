#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/suggest.h"

static const char *const log_formats[] = { "logfmt", "json", NULL };

#define AT(field) .offset = offsetof(struct options, field)

const struct option_row option_rows[] = {
    { .key = "data",
      .at_root = true,
      .type = OPTION_TEXT,
      AT(data),
      .value_name = "DIR",
      .normal = "/var/lib/sluice",
      .help = "Folder that holds everything sluiced keeps; made if it is not there" },
    { .key = "mount",
      .at_root = true,
      .type = OPTION_TEXT,
      AT(mount),
      .value_name = "DIR",
      .normal = "",
      .help = "Where the tree is mounted; an empty folder. Without it there is HTTP only" },
    { .key = "listen",
      .at_root = true,
      .type = OPTION_LIST,
      AT(listen),
      .value_name = "ADDRESS",
      .normal = "127.0.0.1:8261",
      .help = "Where HTTP is served: HOST:PORT, [IPV6]:PORT or unix:PATH; may be given again" },
    { .key = "facades",
      .type = OPTION_LIST,
      AT(facades),
      .value_name = "SYSTEM=ADDRESS",
      .normal = "",
      .help = "Listeners that speak as another system does, each on a port of its own: "
              "kingbus=127.0.0.1:9595, kingbus/NAME=... for another source and server than those "
              "called kingbus, several with + between, v1 for the tree; pumps and drainers have "
              "their addr. Where listen says, all of them are served, too" },
    { .key = "member_name",
      .type = OPTION_TEXT,
      AT(member_name),
      .value_name = "NAME",
      .normal = "",
      .help = "What this daemon is called in cluster/members; the name of the host if empty" },
    { .key = "owner",
      .type = OPTION_TEXT,
      AT(owner),
      .value_name = "USER",
      .normal = "",
      .help = "Owner of every file of the tree, and so who may do what the owner bits of mode "
              "say, through files and on HTTP alike; the user that sluiced runs as if empty" },
    { .key = "group",
      .type = OPTION_TEXT,
      AT(group),
      .value_name = "GROUP",
      .normal = "",
      .help = "Group of every file of the tree; that of the owner if empty" },
    { .key = "mode",
      .type = OPTION_MODE,
      AT(mode),
      .value_name = "OCTAL",
      .normal = "0644",
      .help = "Permission bits of a file that can be read and written; other files and the "
              "directories follow from it" },
    { .key = "allow_other",
      .type = OPTION_BOOL,
      AT(allow_other),
      .normal = "false",
      .help = "Let other users than the one that sluiced runs as into the tree, as owner, group "
              "and mode say; always so for root, otherwise /etc/fuse.conf must have "
              "user_allow_other" },
    { .key = "tls_cert",
      .type = OPTION_TEXT,
      AT(tls_cert),
      .value_name = "FILE",
      .normal = "",
      .help = "Certificate chain (PEM) of listeners that other machines can reach" },
    { .key = "tls_key",
      .type = OPTION_TEXT,
      AT(tls_key),
      .value_name = "FILE",
      .normal = "",
      .help = "Private key (PEM) of tls_cert" },
    { .key = "tokens",
      .type = OPTION_TEXT,
      AT(tokens),
      .value_name = "FILE",
      .normal = "",
      .help = "Bearer tokens of callers from other machines, one a line: NAME, read or write, "
              "SHA-256 of the token" },
    { .key = "allow_insecure",
      .type = OPTION_BOOL,
      AT(allow_insecure),
      .normal = "false",
      .help = "Serve other machines without TLS or without tokens: everyone who can connect can "
              "then do everything" },
    { .key = "secret_key_path",
      .type = OPTION_TEXT,
      AT(secret_key_path),
      .value_name = "FILE",
      .normal = "",
      .help = "Key, 64 hexadecimal digits, of passwords that are given encrypted, as sluicectl "
              "binlogctl encrypt prints them; what is kept is sealed under a key of its own" },
    { .key = "http_threads",
      .type = OPTION_COUNT,
      AT(http_threads),
      .normal = "2",
      .min = 1,
      .max = 64,
      .help = "Event loops of each listener" },
    { .key = "http_connections",
      .type = OPTION_COUNT,
      AT(http_connections),
      .normal = "512",
      .min = 1,
      .max = 65536,
      .help = "Most connections of each listener" },
    { .key = "http_timeout_seconds",
      .type = OPTION_COUNT,
      AT(http_timeout_seconds),
      .normal = "60",
      .unit = "seconds",
      .min = 1,
      .max = 86400,
      .help = "Idle connections are closed after this long" },
    { .key = "http_max_body",
      .type = OPTION_BYTES,
      AT(http_max_body),
      .normal = "64M",
      .min = 4096,
      .max = UINT64_C(1) << 30,
      .help = "Largest body of a request" },
    { .key = "stop_seconds",
      .type = OPTION_COUNT,
      AT(stop_seconds),
      .normal = "30",
      .unit = "seconds",
      .min = 1,
      .max = 3600,
      .help = "How long each step of stopping may take before sluiced exits without it" },
    { .key = "core_dumps",
      .type = OPTION_BOOL,
      AT(core_dumps),
      .normal = "false",
      .help = "Let a crash write a core file, which may hold passwords in clear text" },
    { .key = "log_level",
      .at_root = true,
      .type = OPTION_ENUM,
      AT(log_level),
      .normal = "info",
      .choices = log_level_names,
      .help = "Least severe lines that are logged; can be changed while sluiced runs, by writing "
              "to the file of this name or with SIGHUP" },
    { .key = "log_format",
      .type = OPTION_ENUM,
      AT(log_format),
      .normal = "logfmt",
      .choices = log_formats,
      .help = "Form of the log lines on standard error" },
    { .key = NULL },
};

static void *field_of(const struct options *o, const struct option_row *row)
{
    return (char *)(uintptr_t)o + row->offset;
}

void option_problem(struct buf *problems, const char *where, const char *fmt, ...)
{
    char what[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    buf_printf(problems, "%s: %s\n", where, what);
}

const struct option_row *option_find(const char *key, const char *where, struct buf *problems)
{
    struct suggestion s = suggest_for(key);

    for (const struct option_row *row = option_rows; row->key; row++) {
        if (strcmp(row->key, key) == 0)
            return row;
        suggest_offer(&s, row->key);
    }
    option_problem(problems, where, "no setting '%s'%s", key, SUGGESTED(&s));
    return NULL;
}

/* --- values --- */

static bool list_clear(struct option_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->at[i]);
    free(l->at);
    *l = (struct option_list){ .n = 0 };
    return true;
}

static void list_add(struct option_list *l, const char *text)
{
    l->at = xrealloc(l->at, (l->n + 2) * sizeof *l->at);
    l->at[l->n++] = xstrdup(text);
    l->at[l->n] = NULL;
}

static bool set_bool(bool *ret, const char *text)
{
    static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(words[i], text) == 0) {
            *ret = i % 2;
            return true;
        }
    }
    return false;
}

/* "64M" in bytes.  False if it is no number or does not fit. */
static bool parse_number(const char *text, bool bytes, uint64_t *ret)
{
    static const char units[] = "KMGT";
    unsigned long long v;
    unsigned shift = 0;
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    v = strtoull(text, &end, 10);
    if (bytes && *end && strchr(units, toupper((unsigned char)*end))) {
        shift = 10 * (unsigned)(strchr(units, toupper((unsigned char)*end)) - units + 1);
        end++;
        if (strcasecmp(end, "iB") == 0 || strcasecmp(end, "B") == 0)
            end += strlen(end);
    }
    if (errno || *end || v > UINT64_MAX >> shift)
        return false;
    *ret = (uint64_t)v << shift;
    return true;
}

static bool set_number(uint64_t *ret, const struct option_row *row, const char *text,
                       const char *where, struct buf *problems)
{
    bool bytes = row->type == OPTION_BYTES;
    uint64_t v;

    if (!parse_number(text, bytes, &v)) {
        option_problem(problems, where, "'%s' is no %s", text,
                       bytes ? "number of bytes (4096, 64K, 64M, 1G)" : "whole number");
        return false;
    }
    if (v < row->min || v > row->max) {
        option_problem(problems, where, "%s is not between %" PRIu64 " and %" PRIu64, text,
                       row->min, row->max);
        return false;
    }
    *ret = v;
    return true;
}

static bool set_mode(uint64_t *ret, const char *text, const char *where, struct buf *problems)
{
    char *end;
    unsigned long v = strtoul(text, &end, 8);

    if (!isdigit((unsigned char)*text) || *end || v > 0777) {
        option_problem(problems, where, "'%s' is no octal file mode", text);
        return false;
    }
    *ret = v;
    return true;
}

static bool set_enum(uint64_t *ret, const struct option_row *row, const char *text,
                     const char *where, struct buf *problems)
{
    SCOPED(buf_fini) struct buf all = BUF_INIT;

    for (size_t i = 0; row->choices[i]; i++) {
        if (strcmp(row->choices[i], text) == 0) {
            *ret = i;
            return true;
        }
        buf_printf(&all, "%s%s", i ? ", " : "", row->choices[i]);
    }
    option_problem(problems, where, "'%s' is none of %s", text, all.data);
    return false;
}

bool option_set(struct options *o, const struct option_row *row, const char *text, bool anew,
                const char *where, struct buf *problems)
{
    void *field = field_of(o, row);

    switch (row->type) {
    case OPTION_TEXT:
        free(*(char **)field);
        *(char **)field = xstrdup(text);
        return true;
    case OPTION_LIST:
        if (anew)
            list_clear(field);
        list_add(field, text);
        return true;
    case OPTION_BOOL:
        if (set_bool(field, text))
            return true;
        option_problem(problems, where, "'%s' is neither true nor false", text);
        return false;
    case OPTION_COUNT:
    case OPTION_BYTES:
        return set_number(field, row, text, where, problems);
    case OPTION_MODE:
        return set_mode(field, text, where, problems);
    case OPTION_ENUM:
        return set_enum(field, row, text, where, problems);
    }
    return false;
}

void option_reset(struct options *o, const struct option_row *row)
{
    SCOPED(buf_fini) struct buf none = BUF_INIT;
    bool ok = row->type == OPTION_LIST && !*row->normal
                  ? list_clear(field_of(o, row))
                  : option_set(o, row, row->normal, true, row->key, &none);

    if (!ok)
        abort(); /* the table contradicts itself */
}

json_t *option_json(const struct options *o, const struct option_row *row)
{
    const void *field = field_of(o, row);
    const struct option_list *list = field;
    char mode[8];
    json_t *v;

    switch (row->type) {
    case OPTION_TEXT:
        return json_string(*(char *const *)field);
    case OPTION_LIST:
        v = json_array();
        for (size_t i = 0; i < list->n; i++)
            json_array_append_new(v, json_string(list->at[i]));
        return v;
    case OPTION_BOOL:
        return json_boolean(*(const bool *)field);
    case OPTION_COUNT:
    case OPTION_BYTES:
        return json_integer((json_int_t) * (const uint64_t *)field);
    case OPTION_MODE:
        snprintf(mode, sizeof mode, "%04o", (unsigned)*(const uint64_t *)field);
        return json_string(mode);
    case OPTION_ENUM:
        return json_string(row->choices[*(const uint64_t *)field]);
    }
    return NULL;
}

enum attr_type option_attr_type(const struct option_row *row)
{
    static const enum attr_type types[] = {
        [OPTION_TEXT] = ATTR_TEXT,   [OPTION_LIST] = ATTR_JSON,   [OPTION_BOOL] = ATTR_BOOL,
        [OPTION_COUNT] = ATTR_COUNT, [OPTION_BYTES] = ATTR_BYTES, [OPTION_MODE] = ATTR_TEXT,
        [OPTION_ENUM] = ATTR_ENUM,
    };

    return types[row->type];
}

void options_fini(struct options *o)
{
    for (const struct option_row *row = option_rows; row->key; row++) {
        if (row->type == OPTION_TEXT)
            free(*(char **)field_of(o, row));
        if (row->type == OPTION_LIST)
            list_clear(field_of(o, row));
    }
    free(o->config);
    *o = (struct options){ .config = NULL };
}
