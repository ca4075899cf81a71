/* value.c - values against their rows, and text <-> JSON. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/node.h"
#include "node/private.h"
#include "node/suggest.h"
#include "node/yaml.h"

const char *const attr_type_names[] = {
    [ATTR_BOOL] = "bool",       [ATTR_COUNT] = "count", [ATTR_BYTES] = "bytes",
    [ATTR_SECONDS] = "seconds", [ATTR_TIME] = "time",   [ATTR_TEXT] = "text",
    [ATTR_ENUM] = "enum",       [ATTR_JSON] = "json",   [ATTR_DOCUMENT] = "document",
    [ATTR_LINES] = "lines",
};

/* --- checking --- */

static int check_bounds(const struct attr *a, double v, struct err *err)
{
    bool bounded = a->min || a->max;

    if (!bounded || (v >= (double)a->min && v <= (double)a->max))
        return 0;
    return err_set(err, -EINVAL, "%s: from %" PRId64 " to %" PRId64 " expected", a->name, a->min,
                   a->max);
}

static int check_whole(const struct attr *a, const json_t *v, struct err *err)
{
    if (!json_is_integer(v) || (json_integer_value(v) < 0 && a->min >= 0))
        return err_set(err, -EINVAL, "%s: a whole number%s expected", a->name,
                       a->min < 0 ? "" : " from 0 up");
    return check_bounds(a, (double)json_integer_value(v), err);
}

static int check_seconds(const struct attr *a, const json_t *v, struct err *err)
{
    if (!json_is_number(v) || !(json_number_value(v) >= 0))
        return err_set(err, -EINVAL, "%s: a number of seconds from 0 up expected", a->name);
    return check_bounds(a, json_number_value(v), err);
}

static int check_choice(const struct attr *a, const json_t *v, struct err *err)
{
    const char *word = json_is_string(v) ? json_string_value(v) : "";
    struct suggestion s = suggest_for(word);
    SCOPED(buf_fini) struct buf all = BUF_INIT;

    for (const char *const *c = a->choices; *c; c++) {
        if (json_is_string(v) && strcmp(*c, word) == 0)
            return 0;
        suggest_offer(&s, *c);
        buf_printf(&all, "%s%s", c == a->choices ? "" : c[1] ? ", " : " or ", *c);
    }
    return err_set(err, -EINVAL, "%s: %s expected%s", a->name, all.size ? all.data : "nothing",
                   SUGGESTED(&s));
}

static int check_time(const struct attr *a, const json_t *v, struct err *err)
{
    const char *text = json_string_value(v), *rest = NULL;
    struct tm tm = { 0 };

    if (text)
        rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (text && !rest)
        rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    if (rest && *rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (rest && *rest == 'Z')
        rest++;
    if (!rest || *rest)
        return err_set(err, -EINVAL, "%s: a time in UTC such as 2026-01-31T12:00:00Z expected",
                       a->name);
    return 0;
}

static int check_text(const struct attr *a, const json_t *v, struct err *err)
{
    if (!json_is_string(v))
        return err_set(err, -EINVAL, "%s: text expected", a->name);
    if (strlen(json_string_value(v)) != json_string_length(v))
        return err_set(err, -EINVAL, "%s: a zero byte cannot be part of it", a->name);
    return 0;
}

int value_check(const struct attr *a, const json_t *v, struct err *err)
{
    switch (a->type) {
    case ATTR_BOOL:
        return json_is_boolean(v) ? 0
                                  : err_set(err, -EINVAL, "%s: true or false expected", a->name);
    case ATTR_COUNT:
    case ATTR_BYTES:
        return check_whole(a, v, err);
    case ATTR_SECONDS:
        return check_seconds(a, v, err);
    case ATTR_ENUM:
        return check_choice(a, v, err);
    case ATTR_TIME:
        return check_time(a, v, err);
    case ATTR_TEXT:
        return check_text(a, v, err);
    case ATTR_JSON:
        return 0;
    case ATTR_DOCUMENT:
        return json_is_object(v)
                   ? 0
                   : err_set(err, -EINVAL, "%s: a document with named fields expected", a->name);
    case ATTR_LINES:
        break;
    }
    return err_set(err, -EINVAL, "%s cannot be written", a->name);
}

static const struct attr *param(const struct action *a, const char *name)
{
    for (const struct attr *p = a->params; p && p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

static int unknown_arg(const struct action *a, const char *name, struct err *err)
{
    struct suggestion s = suggest_for(name);

    if (!a->params || !a->params->name)
        return err_set(err, -EINVAL, "%s takes no arguments, not even %s", a->name, name);
    for (const struct attr *p = a->params; p->name; p++)
        suggest_offer(&s, p->name);
    return err_set(err, -EINVAL, "%s has no argument %s%s", a->name, name, SUGGESTED(&s));
}

int args_check(const struct action *a, const json_t *args, struct err *err)
{
    const char *key;
    json_t *v;

    if (!json_is_object(args))
        return err_set(err, -EINVAL, "%s: named arguments expected, as in name=value", a->name);
    if (a->document)
        return 0; /* its fields are run()'s to know */
    json_object_foreach ((json_t *)args, key, v) {
        const struct attr *p = param(a, key);

        if (!p)
            return unknown_arg(a, key, err);
        if (value_check(p, v, err) < 0)
            return err_wrap(err, "%s", a->name);
    }
    for (const struct attr *p = a->params; p && p->name; p++)
        if (p->flags & ATTR_REQUIRED && !json_object_get(args, p->name))
            return err_set(err, -EINVAL, "%s: %s is missing: %s", a->name, p->name, p->help);
    return 0;
}

/* --- text to JSON --- */

static json_t *bool_of_text(const struct attr *a, const char *s, struct err *err)
{
    static const char *const words[][2] = {
        { "false", "true" }, { "0", "1" }, { "no", "yes" }, { "off", "on" }
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        for (int v = 0; v < 2; v++)
            if (strcasecmp(s, words[i][v]) == 0)
                return json_boolean(v);
    err_set(err, -EINVAL, "%s: true or false expected", a->name);
    return NULL;
}

struct suffix {
    const char *text;
    double times;
};

static const struct suffix byte_suffixes[] = {
    { "", 1 },         { "B", 1 },       { "K", 0x1p10 },   { "KB", 0x1p10 },  { "KiB", 0x1p10 },
    { "M", 0x1p20 },   { "MB", 0x1p20 }, { "MiB", 0x1p20 }, { "G", 0x1p30 },   { "GB", 0x1p30 },
    { "GiB", 0x1p30 }, { "T", 0x1p40 },  { "TB", 0x1p40 },  { "TiB", 0x1p40 }, { 0 },
};
static const struct suffix second_suffixes[] = {
    { "", 1 },     { "s", 1 },     { "ms", 0.001 }, { "us", 0.000001 }, { "m", 60 }, { "min", 60 },
    { "h", 3600 }, { "d", 86400 }, { 0 },
};

static double suffix_times(const struct suffix *table, const char *s)
{
    while (*s == ' ')
        s++;
    for (; table->text; table++)
        if (strcasecmp(table->text, s) == 0)
            return table->times;
    return 0;
}

static json_t *bad_number(const struct attr *a, struct err *err)
{
    static const char *const wanted[] = {
        [ATTR_COUNT] = "a whole number",
        [ATTR_BYTES] = "a number of bytes such as 1048576, 512K or 64M",
        [ATTR_SECONDS] = "a number of seconds such as 10, 0.5, 200ms, 5m or 2h",
    };

    err_set(err, -EINVAL, "%s: %s expected", a->name, wanted[a->type]);
    return NULL;
}

static json_t *whole_of_text(const struct attr *a, const char *s, struct err *err)
{
    char *end;
    long long v;
    double times;

    errno = 0;
    v = strtoll(s, &end, 10);
    if (end == s || errno || isspace((unsigned char)*s))
        return bad_number(a, err);
    times = a->type == ATTR_BYTES ? suffix_times(byte_suffixes, end) : *end == '\0';
    if (times == 0 || fabs((double)v * times) > 0x1p62)
        return bad_number(a, err);
    return json_integer(v * (long long)times);
}

static json_t *seconds_of_text(const struct attr *a, const char *s, struct err *err)
{
    char *end;
    double v = strtod(s, &end), times = suffix_times(second_suffixes, end);

    if (end == s || !isdigit((unsigned char)*s) || !isfinite(v) || times == 0 ||
        strspn(s, "0123456789.eE+-") != (size_t)(end - s))
        return bad_number(a, err);
    v *= times;
    return v == floor(v) && v < 0x1p53 && !memchr(s, '.', (size_t)(end - s))
               ? json_integer((json_int_t)v)
               : json_real(v);
}

static json_t *string_of_text(const struct attr *a, const char *text, size_t size, struct err *err)
{
    json_t *v = json_stringn(text, size);

    if (!v)
        err_set(err, -EINVAL, "%s: the text is not UTF-8", a->name);
    return v;
}

/* JSON, or YAML: whoever begins with a bracket is told what is wrong with the JSON. */
static json_t *json_or_yaml(const char *text, size_t size, struct err *err)
{
    size_t at = 0;
    json_error_t je;
    json_t *v = json_loadb(text, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &je);

    if (v)
        return v;
    v = yaml_parse(text, size, err);
    while (at < size && isspace((unsigned char)text[at]))
        at++;
    if (!v && at < size && (text[at] == '{' || text[at] == '['))
        err_set(err, -EINVAL, "line %d, column %d: %s", je.line, je.column, je.text);
    return v;
}

json_t *value_of_text(const struct attr *a, const char *text, size_t size, struct err *err)
{
    SCOPED(freep) char *s = xstrndup(text, size);

    /* MySQL 9 ends the certificates that it makes with one. */
    if (a->type == ATTR_TEXT && size > 1 && text[size - 1] == '\0' && text[size - 2] == '\n')
        size--;
    if (strlen(s) != size) {
        err_set(err, -EINVAL, "%s: a zero byte cannot be part of it", a->name);
        return NULL;
    }
    if (size == 0 && a->type != ATTR_TEXT) {
        err_set(err, -EINVAL, "%s: a value is expected", a->name);
        return NULL;
    }
    switch (a->type) {
    case ATTR_BOOL:
        return bool_of_text(a, s, err);
    case ATTR_COUNT:
    case ATTR_BYTES:
        return whole_of_text(a, s, err);
    case ATTR_SECONDS:
        return seconds_of_text(a, s, err);
    case ATTR_TIME:
    case ATTR_TEXT:
    case ATTR_ENUM:
        return string_of_text(a, text, size, err);
    case ATTR_JSON:
    case ATTR_DOCUMENT:
        return json_or_yaml(text, size, err);
    case ATTR_LINES:
        break;
    }
    err_set(err, -EACCES, "%s cannot be written", a->name);
    return NULL;
}

static json_t *args_of_text(const struct action *a, const char *text, size_t size, struct err *err)
{
    json_error_t je;
    json_t *v;
    size_t at = 0;

    while (at < size && isspace((unsigned char)text[at]))
        at++;
    if (a->document)
        return json_or_yaml(text, size, err);
    if (at == size || text[at] != '{')
        return args_of_words(a, text + at, size - at, err);
    v = json_loadb(text, size, JSON_REJECT_DUPLICATES, &je);
    if (!v)
        err_set(err, -EINVAL, "%s: line %d, column %d: %s", a->name, je.line, je.column, je.text);
    return v;
}

json_t *json_of_text(const struct target *t, const char *text, size_t size, struct err *err)
{
    bool whole = (t->attr && t->attr->type == ATTR_DOCUMENT) || (t->action && t->action->document);

    while (!whole && size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    if (t->action)
        return args_of_text(t->action, text, size, err);
    if (t->attr)
        return value_of_text(t->attr, text, size, err);
    err_set(err, -EISDIR, "%s is a directory", t->node->name);
    return NULL;
}

/* --- JSON to text --- */

static int add_bytes(const char *bytes, size_t size, void *arg)
{
    buf_add(arg, bytes, size);
    return 0;
}

void json_print(const json_t *v, struct buf *out)
{
    /* 15 digits: 0.1 stays 0.1 */
    json_dump_callback(v, add_bytes, out,
                       JSON_ENCODE_ANY | JSON_INDENT(2) | JSON_REAL_PRECISION(15));
}

void text_of_target(const struct target *t, const json_t *v, struct buf *out)
{
    const struct attr *a = t->attr;

    if (a && a->type == ATTR_DOCUMENT) {
        yaml_print(v, out);
        return;
    }
    if (json_is_string(v) && !(a && a->type == ATTR_JSON))
        buf_add(out, json_string_value(v), json_string_length(v));
    else if (!json_is_null(v) || (a && a->type == ATTR_JSON))
        json_print(v, out);
    if (out->size == 0 || out->data[out->size - 1] != '\n')
        buf_byte(out, '\n');
}
