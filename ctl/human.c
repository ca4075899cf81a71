/* human.c - values as people like to read them. */
#include "ctl/human.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "ctl/schema.h"

/* A number without a unit may be a port or a process: those are not grouped. */
#define UNGROUPED 10000000

void human_bytes(double v, struct buf *out)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    size_t i = 0;

    for (; fabs(v) >= 1024 && i + 1 < ARRAY_LEN(units); i++)
        v /= 1024;
    buf_printf(out, i == 0 ? "%.0f %s" : "%.1f %s", v, units[i]);
}

/* The two largest units that count. */
void human_seconds(double v, struct buf *out)
{
    static const struct {
        long size;
        const char *unit;
    } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
    long whole = lround(v);

    if (whole < 60) {
        buf_printf(out, v < 10 && v > 0 ? "%.1f s" : "%.0f s", v);
        return;
    }
    for (size_t i = 0; i + 1 < ARRAY_LEN(units); i++) {
        if (whole < units[i].size)
            continue;
        buf_printf(out, "%ld%s %ld%s", whole / units[i].size, units[i].unit,
                   whole % units[i].size / units[i + 1].size, units[i + 1].unit);
        return;
    }
}

void human_count(double v, struct buf *out)
{
    char digits[64];
    int len = snprintf(digits, sizeof digits, "%.0f", fabs(v));

    if (v < 0)
        buf_byte(out, '-');
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            buf_byte(out, ',');
        buf_byte(out, digits[i]);
    }
}

static void human_number(const json_t *row, double v, struct buf *out)
{
    const char *type = row_text(row, "type"), *unit = row_text(row, "unit");

    if (strcmp(type, "bytes") == 0) {
        human_bytes(v, out);
        buf_str(out, strstr(unit, "/s") ? "/s" : "");
        return;
    }
    if (strcmp(type, "seconds") == 0) {
        human_seconds(v, out);
        return;
    }
    if (strcmp(type, "count") == 0 && (*unit || v >= UNGROUPED))
        human_count(v, out);
    else
        buf_printf(out, "%.15g", v);
    if (*unit)
        buf_printf(out, " %s", unit);
}

void plain_value(const json_t *v, struct buf *out)
{
    SCOPED(freep) char *text = NULL;

    if (json_is_string(v)) {
        for (const char *s = json_string_value(v); *s; s++)
            buf_byte(out, (char)(*s == '\n' || *s == '\t' ? ' ' : *s));
        return;
    }
    if (json_is_null(v))
        return;
    text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    buf_str(out, text ? text : "");
}

void human_value(const json_t *row, const json_t *v, struct buf *out)
{
    double fraction;

    if (json_is_number(v)) {
        human_number(row, json_number_value(v), out);
    } else if (json_is_boolean(v)) {
        buf_str(out, json_is_true(v) ? "yes" : "no");
    } else if (json_is_object(v) && human_fraction(v, &fraction)) {
        human_bar(fraction, 12, out);
        buf_printf(out, " %3.0f%%", floor(fraction * 100));
    } else {
        plain_value(v, out);
    }
}

static bool clamp(double v, double *ret)
{
    *ret = v < 0 ? 0 : v > 1 ? 1 : v;
    return !isnan(v);
}

bool human_percent(const char *text, double *ret)
{
    const char *sign = text;

    while ((sign = strchr(sign, '%'))) {
        const char *at = sign;

        while (at > text && at[-1] == ' ')
            at--;
        while (at > text && (at[-1] == '.' || (at[-1] >= '0' && at[-1] <= '9')))
            at--;
        if (*at >= '0' && *at <= '9')
            return clamp(strtod(at, NULL) / 100, ret);
        sign++;
    }
    return false;
}

/* "bytes" of "bytes_total", where both are numbers. */
static bool ratio(const json_t *o, const char *part, double *ret)
{
    char whole[64];
    const json_t *all;

    snprintf(whole, sizeof whole, "%s_total", part);
    all = json_object_get(o, whole);
    if (!json_is_number(all) || !json_is_number(json_object_get(o, part)) ||
        json_number_value(all) <= 0)
        return false;
    return clamp(json_number_value(json_object_get(o, part)) / json_number_value(all), ret);
}

bool human_fraction(const json_t *progress, double *ret)
{
    const json_t *percent = json_object_get(progress, "percent");
    const char *key;
    json_t *v;

    if (json_is_number(percent))
        return clamp(json_number_value(percent) / 100, ret);
    if (ratio(progress, "bytes", ret) || ratio(progress, "rows", ret))
        return true;
    json_object_foreach ((json_t *)progress, key, v)
        if (json_is_number(v) && ratio(progress, key, ret))
            return true;
    return false;
}

void human_bar(double fraction, int width, struct buf *out)
{
    static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    int full = (int)(fraction * width * 8), cells = full / 8;

    for (int i = 0; i < cells; i++)
        buf_str(out, "█");
    buf_str(out, eighths[full % 8]);
    for (int i = cells + (full % 8 > 0); i < width; i++)
        buf_str(out, "·");
}
