#include "unit/serve/server_doc.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/scope.h"

#define MAX_NAME 255

const struct doc_field server_doc_fields[] = {
    { .name = "name",
      .type = DOC_TEXT,
      .min = 1,
      .max = MAX_NAME,
      .help = "Name of the server: that of its directory" },
    { .name = "source_name",
      .type = DOC_TEXT,
      .max = MAX_NAME,
      .help = "The source whose journal is served" },
    { .name = "addr",
      .type = DOC_TEXT,
      .max = 300,
      .help = "Where to listen: HOST:PORT, [IPV6]:PORT" },
    { .name = "user", .type = DOC_TEXT, .max = 255, .help = "Account that replicas log in with" },
    { .name = "password",
      .type = DOC_TEXT,
      .max = 4096,
      .flags = DOC_SECRET,
      .help = "Its password, or file:PATH to read it from there" },
    { .name = "tls_cert",
      .type = DOC_TEXT,
      .max = 1 << 20,
      .help = "Certificate as PEM, or file:PATH; empty: one of its own is made at each start" },
    { .name = "tls_key",
      .type = DOC_TEXT,
      .max = 1 << 20,
      .flags = DOC_SECRET,
      .help = "Private key of tls_cert as PEM, or file:PATH" },
    { .name = "server_id",
      .type = DOC_COUNT,
      .min = 1,
      .max = UINT32_MAX,
      .help = "Replication id, unlike that of any replica; made up when the server is made" },
    { .name = "server_uuid",
      .type = DOC_TEXT,
      .max = 36,
      .help = "Identity that MySQL replicas see; made up when the server is made" },
    { .name = "version",
      .type = DOC_TEXT,
      .max = 50,
      .help = "Version that clients see; empty: that of the source" },
    { .name = "semi_sync",
      .type = DOC_BOOL,
      .fallback = "false",
      .help = "Whether replicas that can are asked to acknowledge transactions" },
    { .name = "semi_sync_timeout",
      .type = DOC_COUNT,
      .min = 1,
      .max = 86400000,
      .fallback = "10000",
      .help =
          "Milliseconds without an acknowledgement after which a replica counts as asynchronous" },
    { .name = "semi_sync_wait_for_replica_count",
      .type = DOC_COUNT,
      .min = 0,
      .max = 10000,
      .fallback = "0",
      .help = "With semi_sync: how many replicas must have a transaction before the source, which "
              "waits for the relay, hears that it is safe; 0: our disk suffices" },
    { .name = "allow_unknown_domains",
      .type = DOC_BOOL,
      .fallback = "false",
      .help = "Whether a MariaDB replica may have GTID domains that the source has nothing of, as "
              "those that replicate from several masters do" },
    { .name = "max_replicas",
      .type = DOC_COUNT,
      .min = 1,
      .max = 10000,
      .fallback = "1000",
      .help = "Most connections at a time" },
    { 0 },
};

int server_doc_address(const char *addr, char **host, char **port, struct err *err)
{
    const char *colon = strrchr(addr, ':');
    size_t len = colon ? (size_t)(colon - addr) : 0;
    bool six = len > 2 && addr[0] == '[' && colon[-1] == ']';

    if (len == 0 || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strtoul(colon + 1, NULL, 10) > 65535 || (!six && memchr(addr, ':', len)))
        return err_set(err, -EINVAL, "addr: '%s' is neither HOST:PORT nor [IPV6]:PORT", addr);
    *host = xstrndup(addr + six, len - 2 * six);
    *port = xstrdup(colon + 1);
    return 0;
}

static int check_address(const json_t *doc, struct err *err)
{
    const char *addr = json_string_value(json_object_get(doc, "addr"));
    char *host, *port;
    int rc;

    if (!addr || !*addr)
        return 0;
    if ((rc = server_doc_address(addr, &host, &port, err)) < 0)
        return rc;
    free(host);
    free(port);
    return 0;
}

static bool is_uuid(const char *s)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    for (size_t i = 0; i < sizeof shape - 1; i++)
        if (shape[i] == '-' ? s[i] != '-' : !s[i] || !strchr("0123456789abcdefABCDEF", s[i]))
            return false;
    return !s[sizeof shape - 1];
}

static void make_uuid(char ret[static 37])
{
    uint8_t b[16];

    (void)!getrandom(b, sizeof b, 0);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* version 4 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(ret, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

/* High numbers: people give out low ones. */
static uint32_t make_server_id(void)
{
    uint32_t id = 0;

    (void)!getrandom(&id, sizeof id, 0);
    return 0x40000000U | (id >> 2);
}

static int fill_identity(json_t *doc, struct err *err)
{
    const char *uuid = json_string_value(json_object_get(doc, "server_uuid"));
    char made[37];

    if (!uuid || !*uuid) {
        make_uuid(made);
        json_object_set_new(doc, "server_uuid", json_string(made));
    } else if (!is_uuid(uuid)) {
        return err_set(err, -EINVAL, "server_uuid: '%s' is no UUID", uuid);
    }
    if (!json_object_get(doc, "server_id"))
        json_object_set_new(doc, "server_id", json_integer(make_server_id()));
    return 0;
}

int server_doc_check(const json_t *doc, const char *name, json_t **ret, struct err *err)
{
    const char *given;
    json_t *checked;
    int rc = doc_check(server_doc_fields, doc, &checked, err);

    if (rc < 0)
        return rc;
    given = json_string_value(json_object_get(checked, "name"));
    if (given && strcmp(given, name) != 0)
        rc = err_set(err, -EINVAL, "name: it is %s and stays so", name);
    if (rc == 0)
        rc = check_address(checked, err);
    if (rc == 0)
        rc = fill_identity(checked, err);
    if (rc < 0) {
        json_decref(checked);
        return rc;
    }
    json_object_set_new(checked, "name", json_string(name));
    *ret = checked;
    return 0;
}

int server_doc_complete(const json_t *doc, struct err *err)
{
    static const char *const needed[] = { "source_name", "addr", "user", "password" };

    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        const char *v = json_string_value(json_object_get(doc, needed[i]));

        if (!v || !*v)
            return err_set(err, -EINVAL, "the server has no %s yet", needed[i]);
    }
    if (json_integer_value(json_object_get(doc, "semi_sync_wait_for_replica_count")) &&
        !json_is_true(json_object_get(doc, "semi_sync")))
        return err_set(
            err, -EINVAL,
            "semi_sync_wait_for_replica_count: replicas acknowledge only with semi_sync");
    return 0;
}
