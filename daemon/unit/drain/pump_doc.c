#include "unit/drain/pump_doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define MAX_NAME 255

static const struct doc_field any_text[] = { { .name = "text", .type = DOC_TEXT, .max = 4096 },
                                             { 0 } };

const struct doc_field pump_doc_fields[] = {
    { .name = "name", .type = DOC_TEXT, .max = MAX_NAME, .help = "That of its directory" },
    { .name = "source_name",
      .type = DOC_TEXT,
      .max = MAX_NAME,
      .help = "Source whose journal it shows; started, it keeps the source's relay at work" },
    { .name = "node_id", .type = DOC_TEXT, .max = MAX_NAME, .help = "Its name in the registry" },
    { .name = "addr",
      .type = DOC_TEXT,
      .max = MAX_NAME,
      .fallback = "\"\"",
      .help = "host:port on which it answers as a pump of TiDB-Binlog; empty: it has none" },
    { .name = "advertise_addr",
      .type = DOC_TEXT,
      .max = MAX_NAME,
      .fallback = "\"\"",
      .help = "host:port that the registry tells instead of addr" },
    { .name = "gc",
      .type = DOC_TEXT,
      .max = 32,
      .fallback = "\"7\"",
      .help = "How long transactions are kept: days, or a duration such as 8h" },
    { .name = "gc_respect_drainers",
      .type = DOC_BOOL,
      .fallback = "true",
      .help = "Whether what a drainer still needs is kept for longer" },
    { .name = "stop_write_at_available_space",
      .type = DOC_TEXT,
      .max = 32,
      .fallback = "\"10 GiB\"",
      .help = "Space of the disk below which the source is not read" },
    { .name = "heartbeat_interval",
      .type = DOC_COUNT,
      .min = 1,
      .max = 3600,
      .fallback = "2",
      .help = "Seconds between heartbeats in the registry" },
    { .name = "gen_binlog_interval",
      .type = DOC_COUNT,
      .min = 1,
      .max = 3600,
      .fallback = "3",
      .help = "Seconds after which an idle source's time is told to drainers; never later" },
    { .name = "labels", .type = DOC_MAP, .fields = any_text, .help = "Shown in the registry" },
    { 0 },
};

/* --- texts that are quantities --- */

struct unit_word {
    const char *word;
    uint64_t factor;
};

static const struct unit_word times[] = {
    { "", 86400000000 }, { "d", 86400000000 }, { "h", 3600000000 }, { "m", 60000000 },
    { "s", 1000000 },    { "ms", 1000 },       { NULL, 0 },
};

static const struct unit_word sizes[] = {
    { "", 1 },
    { "B", 1 },
    { "KB", 1000 },
    { "MB", 1000000 },
    { "GB", 1000000000 },
    { "TB", 1000000000000 },
    { "KiB", 1024 },
    { "MiB", 1024 * 1024 },
    { "GiB", 1024 * 1024 * 1024 },
    { "TiB", (uint64_t)1024 * 1024 * 1024 * 1024 },
    { NULL, 0 },
};

static bool quantity(const char *text, const struct unit_word *units, double *ret)
{
    char *end;
    double n = strtod(text, &end);

    if (end == text || !(n >= 0) || n > 1e12)
        return false;
    while (*end == ' ')
        end++;
    for (; units->word; units++)
        if (strcasecmp(end, units->word) == 0) {
            *ret = n * (double)units->factor;
            return *ret < 9e18;
        }
    return false;
}

int pump_duration(const char *text, int64_t *us, struct err *err)
{
    double n;

    if (!quantity(text, times, &n))
        return err_set(err, -EINVAL, "%s: days (7) or a duration (8h, 90m, 30s) expected", text);
    *us = (int64_t)n;
    return 0;
}

int pump_size(const char *text, uint64_t *bytes, struct err *err)
{
    double n;

    if (!quantity(text, sizes, &n))
        return err_set(err, -EINVAL, "%s: a size such as 10 GiB or 4096 expected", text);
    *bytes = (uint64_t)n;
    return 0;
}

static int check_address(const json_t *full, struct err *err)
{
    const char *advertised = json_string_value(doc_at(full, "advertise_addr"));

    if (advertised && (advertised[0] == ':' || strncmp(advertised, "0.0.0.0:", 8) == 0))
        return err_set(err, -EINVAL, "advertise_addr: %s is no address that others can connect to",
                       advertised);
    return 0;
}

int pump_doc_check(const json_t *full, struct err *err)
{
    int64_t us = 0;
    uint64_t bytes;
    int rc = pump_duration(json_string_value(doc_at(full, "gc")), &us, err);

    if (rc == 0 && us == 0)
        rc = err_set(err, -EINVAL, "it must be greater than 0");
    if (rc < 0)
        return err_wrap(err, "gc");
    rc = pump_size(json_string_value(doc_at(full, "stop_write_at_available_space")), &bytes, err);
    return rc < 0 ? err_wrap(err, "stop_write_at_available_space") : check_address(full, err);
}
