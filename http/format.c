/* format.c - media types. */
#include "http/format.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

const char *const format_types[] = {
    [FORMAT_JSON] = "application/json",
    [FORMAT_TEXT] = "text/plain; charset=utf-8",
    [FORMAT_YAML] = "application/yaml",
    [FORMAT_EVENTS] = "text/event-stream",
};

/* Every spelling; a client that accepts a range gets the first that is in it. */
static const struct {
    const char *type;
    enum format format;
} spellings[] = {
    { "application/json", FORMAT_JSON },    { "text/plain", FORMAT_TEXT },
    { "application/yaml", FORMAT_YAML },    { "application/x-yaml", FORMAT_YAML },
    { "text/yaml", FORMAT_YAML },           { "text/x-yaml", FORMAT_YAML },
    { "text/event-stream", FORMAT_EVENTS },
};

static bool is_type(const char *s, size_t len, const char *type)
{
    return strlen(type) == len && strncasecmp(s, type, len) == 0;
}

/* Does the range 'r' of 'len' characters ("text/plain", "text/" + "*", "*" + "/" + "*") cover
 * 'type'? */
static bool covers(const char *r, size_t len, const char *type)
{
    if (len == 3 && memcmp(r, "*/*", 3) == 0)
        return true;
    if (len > 2 && memcmp(r + len - 2, "/*", 2) == 0)
        return strncasecmp(r, type, len - 1) == 0;
    return is_type(r, len, type);
}

/* The q of "; charset=x; q=0.5" in thousandths; 1000 without one. */
static int quality(const char *params, size_t len)
{
    for (size_t i = 1; i + 2 < len; i++) {
        double q;

        if ((params[i] | 0x20) != 'q' || params[i + 1] != '=' || !strchr("; \t", params[i - 1]))
            continue;
        q = strtod(params + i + 2, NULL);
        return !(q > 0) ? 0 : q >= 1 ? 1000 : (int)(q * 1000 + 0.5); /* "nan" is no q */
    }
    return 1000;
}

enum format format_accepted(const char *accept)
{
    enum format best = FORMAT_NONE;
    int best_q = 0;

    if (!accept || !*accept)
        return FORMAT_JSON;
    while (*accept) {
        const char *range = accept + strspn(accept, " \t");
        const char *end = range + strcspn(range, ",");
        const char *params = range + strcspn(range, "; \t,");
        int q = quality(params, (size_t)(end - params));

        for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
            if (q > best_q && covers(range, (size_t)(params - range), spellings[i].type)) {
                best = spellings[i].format;
                best_q = q;
            }
        accept = end + (*end == ',');
    }
    return best;
}

enum format format_of_body(const char *content_type, const char *body, size_t size)
{
    size_t len = content_type ? strcspn(content_type, "; \t") : 0;

    if (len == 0 || is_type(content_type, len, "application/x-www-form-urlencoded"))
        return size && (*body == '"' || *body == '{' || *body == '[') ? FORMAT_JSON : FORMAT_TEXT;
    for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
        if (spellings[i].format != FORMAT_EVENTS && is_type(content_type, len, spellings[i].type))
            return spellings[i].format;
    return FORMAT_NONE;
}
