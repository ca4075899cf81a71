/* api.c - requests against the tables of an API. */
#include "http/compat/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/path.h"
#include "node/yaml.h"

#define MASK "******"

/* --- values --- */

struct place {
    const struct place *in; /* NULL: the whole */
    const char *name;       /* NULL: an element of a list */
    size_t i;
};

static void print_place(const struct place *p, struct buf *out)
{
    if (!p)
        return;
    print_place(p->in, out);
    if (p->name)
        buf_printf(out, "/%s", p->name);
    else
        buf_printf(out, "/%zu", p->i);
}

static int __attribute__((format(printf, 3, 4)))
wrong(const struct place *p, struct err *err, const char *fmt, ...)
{
    SCOPED(buf_fini) struct buf at = BUF_INIT;
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    print_place(p, &at);
    return err_set(err, -EINVAL, "request body has an error: Error at \"%.300s\": %s",
                   at.size ? at.data : "/", text);
}

static const char *const type_names[] = {
    [API_TEXT] = "a string",  [API_COUNT] = "an integer", [API_NUMBER] = "a number",
    [API_BOOL] = "a boolean", [API_OBJECT] = "an object", [API_LIST] = "an array",
    [API_MAP] = "an object",
};

static bool is_of(const json_t *v, enum api_type type)
{
    switch (type) {
    case API_TEXT:
        return json_is_string(v);
    case API_COUNT:
        return json_is_integer(v) ||
               (json_is_real(v) && json_real_value(v) == (double)(json_int_t)json_real_value(v));
    case API_NUMBER:
        return json_is_number(v);
    case API_BOOL:
        return json_is_boolean(v);
    case API_OBJECT:
    case API_MAP:
        return json_is_object(v);
    case API_LIST:
        return json_is_array(v);
    }
    return false;
}

static bool is_one_of(const char *const *choices, const char *text)
{
    for (; *choices; choices++)
        if (strcmp(*choices, text) == 0)
            return true;
    return false;
}

static int check_choice(const struct place *p, const char *const *choices, const json_t *v,
                        struct err *err)
{
    SCOPED(buf_fini) struct buf all = BUF_INIT;

    if (!choices || is_one_of(choices, json_string_value(v)))
        return 0;
    for (; *choices; choices++)
        buf_printf(&all, "%s%s", all.size ? ", " : "", *choices);
    return wrong(p, err, "value \"%.100s\" is not one of: %s", json_string_value(v), all.data);
}

static int check_object(const struct place *p, const struct api_schema *s, const json_t *v,
                        json_t **ret, struct err *err);

/* A value of 'type'; elements of what holds others are of 'of'. */
static int check_value(const struct place *p, enum api_type type, const struct api_schema *of,
                       const json_t *v, json_t **ret, struct err *err);

static int check_schema(const struct place *p, const struct api_schema *s, const json_t *v,
                        json_t **ret, struct err *err)
{
    if (!s)
        return check_value(p, API_TEXT, NULL, v, ret, err);
    return check_value(p, s->type, s->type == API_OBJECT ? s : s->of, v, ret, err);
}

static int check_list(const struct place *p, const struct api_schema *of, const json_t *v,
                      json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *all = json_array();
    const json_t *element;
    size_t i;

    json_array_foreach ((json_t *)v, i, element) {
        struct place here = { p, NULL, i };
        json_t *checked;

        if (check_schema(&here, of, element, &checked, err) < 0)
            return err->code;
        json_array_append_new(all, checked);
    }
    *ret = STEAL(all);
    return 0;
}

static int check_map(const struct place *p, const struct api_schema *of, const json_t *v,
                     json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *all = json_object();
    const char *name;
    json_t *element;

    json_object_foreach ((json_t *)v, name, element) {
        struct place here = { p, name, 0 };
        json_t *checked;

        if (check_schema(&here, of, element, &checked, err) < 0)
            return err->code;
        json_object_set_new(all, name, checked);
    }
    *ret = STEAL(all);
    return 0;
}

static int check_value(const struct place *p, enum api_type type, const struct api_schema *of,
                       const json_t *v, json_t **ret, struct err *err)
{
    if (!is_of(v, type))
        return wrong(p, err, "value must be %s", type_names[type]);
    switch (type) {
    case API_OBJECT:
        return check_object(p, of, v, ret, err);
    case API_LIST:
        return check_list(p, of, v, ret, err);
    case API_MAP:
        return check_map(p, of, v, ret, err);
    case API_COUNT:
        *ret = json_is_real(v) ? json_integer((json_int_t)json_real_value(v))
                               : json_incref((json_t *)v);
        return 0;
    case API_TEXT:
    case API_NUMBER:
    case API_BOOL:
        break;
    }
    *ret = json_incref((json_t *)v);
    return 0;
}

/* Nothing was meant by it. */
static bool is_absent(const struct api_field *f, const json_t *v)
{
    return !v || json_is_null(v) || (f->choices && json_is_string(v) && !json_string_length(v));
}

static int check_closed(const struct place *p, const struct api_schema *s, const json_t *v,
                        struct err *err)
{
    const char *name;
    json_t *member;

    json_object_foreach ((json_t *)v, name, member) {
        const struct api_field *f = s->fields;
        struct place here = { p, name, 0 };

        while (f->name && strcmp(f->name, name) != 0)
            f++;
        if (!f->name)
            return wrong(&here, err, "property \"%.100s\" is unsupported", name);
    }
    return 0;
}

static int check_object(const struct place *p, const struct api_schema *s, const json_t *v,
                        json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *all = json_object();

    if (s->closed && check_closed(p, s, v, err) < 0)
        return err->code;
    for (const struct api_field *f = s->fields; f->name; f++) {
        struct place here = { p, f->name, 0 };
        const json_t *member = json_object_get(v, f->name);
        json_t *checked = NULL;

        if (f->flags & API_SHOWN)
            continue;
        if (is_absent(f, member)) {
            if (f->flags & API_REQUIRED)
                return wrong(&here, err, "property \"%s\" is missing", f->name);
            continue;
        }
        if (check_value(&here, f->type, f->of, member, &checked, err) < 0)
            return err->code;
        json_object_set_new(all, f->name, checked);
        if (f->type == API_TEXT && check_choice(&here, f->choices, checked, err) < 0)
            return err->code;
    }
    *ret = STEAL(all);
    return 0;
}

int api_check(const struct api_schema *s, const json_t *v, json_t **ret, struct err *err)
{
    return check_schema(NULL, s, v, ret, err);
}

/* --- bodies --- */

/* JSON; or what is only YAML, which allows the commas that people leave at the end. */
static json_t *parse(struct slice text, struct err *err)
{
    json_error_t at;
    json_t *v = json_loadb((const char *)text.data, text.size, JSON_DECODE_ANY, &at);
    struct err no_yaml = ERR_INIT;

    if (!v)
        v = yaml_parse((const char *)text.data, text.size, &no_yaml);
    if (!v || json_is_string(v)) { /* any words are a text to YAML */
        json_decref(v);
        err_set(err, -EINVAL, "request body has an error: it is not JSON: line %d, column %d: %s",
                at.line, at.column, at.text);
        return NULL;
    }
    return v;
}

static bool is_blank(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!strchr(" \t\r\n", ((const char *)text.data)[i]))
            return false;
    return true;
}

int api_body(const struct api_operation *op, struct slice text, json_t **ret, unsigned *form,
             struct err *err)
{
    SCOPED(json_decrefp) json_t *v = NULL;
    unsigned i = 0;

    *form = 0;
    *ret = json_null();
    if (!op->bodies)
        return 0;
    if (!is_blank(text) && !(v = parse(text, err)))
        return err->code;
    if (!v || json_is_null(v))
        return op->needs_body ? err_set(err, -EINVAL,
                                        "request body has an error: value is required but missing")
                              : 0;
    while (op->bodies[i].key && !json_object_get(v, op->bodies[i].key))
        i++;
    *form = i;
    return api_check(op->bodies[i].schema, v, ret, err);
}

/* --- queries --- */

static int query_wrong(const char *name, const char *value, const char *what, struct err *err)
{
    return err_set(err, -EINVAL, "parameter \"%s\" in query has an error: value %.100s: %s", name,
                   value, what);
}

/* As people and their libraries write it. */
static json_t *bool_of(const char *text)
{
    if (!*text || strcmp(text, "1") == 0 || strcasecmp(text, "true") == 0)
        return json_true();
    if (strcmp(text, "0") == 0 || strcasecmp(text, "false") == 0)
        return json_false();
    return NULL;
}

static json_t *count_of(const char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);

    return *text && !*end ? json_integer(n) : NULL;
}

static int take(const struct api_field *f, const char *text, json_t *all, struct err *err)
{
    json_t *v = NULL;

    switch (f->type) {
    case API_BOOL:
        v = bool_of(text);
        break;
    case API_COUNT:
        v = count_of(text);
        break;
    case API_LIST: /* the name again, each time with another value */
        v = json_incref(json_object_get(all, f->name));
        v = v ? v : json_array();
        if (json_array_append_new(v, json_string(text)) < 0) { /* it is not UTF-8 */
            json_decref(v);
            v = NULL;
        }
        break;
    case API_TEXT:
    case API_NUMBER:
    case API_OBJECT:
    case API_MAP:
        v = json_string(text);
        break;
    }
    if (!v)
        return query_wrong(f->name, text, "it is not of the right type", err);
    json_object_set_new(all, f->name, v);
    if (f->choices && *text && !is_one_of(f->choices, text))
        return query_wrong(f->name, text, "it is not one of the allowed values", err);
    return 0;
}

static int take_argument(const struct api_field *fields, char *argument, json_t *all,
                         struct err *err)
{
    char *value = strchr(argument, '=');

    if (value)
        *value++ = '\0';
    if (percent_decode(argument, true) < 0 || (value && percent_decode(value, true) < 0))
        return err_set(err, -EINVAL, "the query has a broken %% escape");
    for (; fields && fields->name; fields++)
        if (strcmp(fields->name, argument) == 0)
            return take(fields, value ? value : "", all, err);
    return 0;
}

int api_query(const struct api_field *fields, const char *text, json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *all = json_object();
    SCOPED(freep) char *copy = xstrdup(text ? text : "");
    char *rest = copy, *argument;

    while ((argument = strsep(&rest, "&")))
        if (*argument && take_argument(fields, argument, all, err) < 0)
            return err->code;
    *ret = STEAL(all);
    return 0;
}

/* --- replies --- */

static json_t *shown_value(enum api_type type, const struct api_schema *of, const json_t *v);

static json_t *shown(const struct api_schema *s, const json_t *v)
{
    return shown_value(s ? s->type : API_TEXT, s && s->type != API_OBJECT ? s->of : s, v);
}

static json_t *shown_value(enum api_type type, const struct api_schema *of, const json_t *v)
{
    json_t *all, *element;
    const char *name;
    size_t i;

    if (type == API_OBJECT && json_is_object(v))
        return api_shown(of, v);
    if (type == API_LIST && json_is_array(v)) {
        all = json_array();
        json_array_foreach ((json_t *)v, i, element)
            json_array_append_new(all, shown(of, element));
        return all;
    }
    if (type == API_MAP && json_is_object(v)) {
        all = json_object();
        json_object_foreach ((json_t *)v, name, element)
            json_object_set_new(all, name, shown(of, element));
        return all;
    }
    return json_incref((json_t *)v);
}

json_t *api_shown(const struct api_schema *s, const json_t *v)
{
    json_t *all = json_object();

    for (const struct api_field *f = s->fields; f->name; f++) {
        json_t *member = json_object_get(v, f->name);

        if (!member && !(f->flags & API_REQUIRED))
            continue;
        if ((f->flags & API_SECRET) && json_string_length(member))
            json_object_set_new(all, f->name, json_string(MASK));
        else
            json_object_set_new(all, f->name,
                                member ? shown_value(f->type, f->of, member) : json_null());
    }
    return all;
}

const char *api_ours(const struct api_schema *s, const json_t *v)
{
    const json_t *element;
    const char *found = NULL;
    size_t i;

    if (s && s->type == API_LIST)
        json_array_foreach ((json_t *)v, i, element)
            found = found ? found : api_ours(s->of, element);
    for (const struct api_field *f = s && s->type == API_OBJECT ? s->fields : NULL;
         f && f->name && !found; f++) {
        struct api_schema list = { f->name, f->type, .of = f->of };
        const json_t *member = json_object_get(v, f->name);

        if (member && (f->flags & API_OURS))
            return f->name;
        if (member)
            found = api_ours(f->type == API_OBJECT ? f->of : &list, member);
    }
    return found;
}
