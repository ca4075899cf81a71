#include "base/duration.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

#define LONGEST_US (100LL * 365 * 24 * 3600 * 1000000)

static const struct unit_row {
    const char *name;
    double us;
} units[] = {
    { "ms", 1e3 }, { "us", 1 }, { "ns", 1e-3 }, { "h", 3600e6 }, { "m", 60e6 }, { "s", 1e6 },
};

/* Digits, with a point among them or not; false if there are none. */
static bool number(const char **at, double *ret)
{
    double scale = 1;
    bool any = false, point = false;

    for (*ret = 0; (**at >= '0' && **at <= '9') || (**at == '.' && !point); (*at)++) {
        if (**at == '.') {
            point = true;
            continue;
        }
        any = true;
        *ret = *ret * 10 + (**at - '0');
        scale *= point ? 10 : 1;
    }
    *ret /= scale;
    return any;
}

static const struct unit_row *unit_at(const char **at)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        size_t size = strlen(units[i].name);

        if (strncmp(*at, units[i].name, size) == 0) {
            *at += size;
            return &units[i];
        }
    }
    return NULL;
}

int duration_parse(const char *text, int64_t *ret, struct err *err)
{
    const char *at = text;
    double sum = 0, n;
    bool ok = *text != 0;

    while (ok && *at) {
        const struct unit_row *unit;

        ok = number(&at, &n);
        unit = ok ? unit_at(&at) : NULL;
        if (ok && !unit) /* bare seconds, alone */
            ok = *at == 0 && sum == 0;
        sum += n * (unit ? unit->us : 1e6);
    }
    if (!ok)
        return err_set(err, -EINVAL, "'%s' is no duration: 90s, 10m or 1h30m is expected", text);
    if (!(sum <= (double)LONGEST_US))
        return err_set(err, -EINVAL, "'%s' is too long", text);
    *ret = (int64_t)sum;
    return 0;
}
