#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/private.h"
#include "node/yaml.h"

#define DEPTH_MAX 100
#define VALUES_MAX 1000000 /* in all, each alias counted as the values it stands for */

struct anchor {
    struct anchor *next;
    char *name;
    json_t *value;
    size_t n_values;
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    struct anchor *anchors;
    size_t n_values;
    unsigned depth;
    struct err *err;
};

static json_t *refuse(struct reader *r, const char *what)
{
    err_set(r->err, -EINVAL, "line %zu: %s", r->event.start_mark.line + 1, what);
    return NULL;
}

/* Steps to the next event. */
static bool step(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;

    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event))
        return true;
    memset(&r->event, 0, sizeof r->event);
    err_set(r->err, -EINVAL, "line %zu: %s%s%s", p->problem_mark.line + 1,
            p->problem ? p->problem : "not YAML", p->context ? " " : "",
            p->context ? p->context : "");
    return false;
}

static json_t *number_of(const char *s)
{
    const char *digits = s + (*s == '-' || *s == '+');
    size_t n = strspn(digits, "0123456789");
    char *end;

    if (digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9')
        return NULL; /* 0123 is octal to some and 123 to others: text */
    errno = 0;
    if (n && digits[n] == '\0') {
        long long v = strtoll(s, &end, 10);

        return errno ? json_real(strtod(s, NULL)) : json_integer(v);
    }
    if ((n || *digits == '.') && strspn(digits, "0123456789.eE+-") == strlen(digits)) {
        double v = strtod(s, &end);

        return *end || end == s || !isfinite(v) ? NULL : json_real(v);
    }
    return NULL;
}

/* What a plain scalar means; NULL if it is text. */
static json_t *plain_value(const char *s)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
    static const char *const bools[] = { "false", "False", "FALSE", "true", "True", "TRUE" };

    for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
        if (strcmp(s, nulls[i]) == 0)
            return json_null();
    for (size_t i = 0; i < ARRAY_LEN(bools); i++)
        if (strcmp(s, bools[i]) == 0)
            return json_boolean(i >= 3);
    return number_of(s);
}

static json_t *scalar(struct reader *r)
{
    const char *s = (const char *)r->event.data.scalar.value;
    size_t size = r->event.data.scalar.length;
    const char *tag = (const char *)r->event.data.scalar.tag;
    json_t *v = NULL;

    if (tag && strcmp(tag, YAML_STR_TAG) != 0 && strcmp(tag, "!") != 0)
        return refuse(r, "a tag other than !!str is not understood");
    if (strlen(s) != size)
        return refuse(r, "a zero byte cannot be part of a text");
    if (!tag && r->event.data.scalar.plain_implicit)
        v = plain_value(s);
    if (!v)
        v = json_stringn(s, size);
    return v ? v : refuse(r, "not UTF-8");
}

static json_t *value(struct reader *r);

static json_t *sequence(struct reader *r)
{
    SCOPED(json_decrefp) json_t *all = json_array();

    for (;;) {
        json_t *v;

        if (!step(r))
            return NULL;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return STEAL(all);
        v = value(r);
        if (!v)
            return NULL;
        json_array_append_new(all, v);
    }
}

/* `<<: *base` or `<<: [*a, *b]`: what is not there yet. */
static int merge(struct reader *r, json_t *into, const json_t *from)
{
    size_t i;
    json_t *v;

    if (json_is_object(from))
        return json_object_update_missing(into, (json_t *)from);
    if (!json_is_array(from)) {
        refuse(r, "<< merges mappings only");
        return -1;
    }
    json_array_foreach (from, i, v) {
        if (!json_is_object(v)) {
            refuse(r, "<< merges mappings only");
            return -1;
        }
        json_object_update_missing(into, v);
    }
    return 0;
}

static int pair(struct reader *r, json_t *all, json_t **merged)
{
    SCOPED(freep) char *key = NULL;
    bool plain;
    json_t *v;

    if (r->event.type != YAML_SCALAR_EVENT) {
        refuse(r, "a key must be plain text");
        return -1;
    }
    key = xstrdup((const char *)r->event.data.scalar.value);
    plain = r->event.data.scalar.plain_implicit;
    if (strlen(key) != r->event.data.scalar.length || json_object_get(all, key)) {
        refuse(r, "a key is given twice, or holds a zero byte");
        return -1;
    }
    if (!step(r) || !(v = value(r)))
        return -1;
    if (plain && strcmp(key, "<<") == 0 && !*merged)
        *merged = v;
    else if (json_object_set_new(all, key, v) < 0) {
        refuse(r, "a key is not UTF-8");
        return -1;
    }
    return 0;
}

static json_t *mapping(struct reader *r)
{
    SCOPED(json_decrefp) json_t *all = json_object();
    SCOPED(json_decrefp) json_t *merged = NULL;

    for (;;) {
        if (!step(r))
            return NULL;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        if (pair(r, all, &merged) < 0)
            return NULL;
    }
    if (merged && merge(r, all, merged) < 0)
        return NULL;
    return STEAL(all);
}

static json_t *alias(struct reader *r)
{
    const char *name = (const char *)r->event.data.alias.anchor;

    for (const struct anchor *a = r->anchors; a; a = a->next) {
        if (strcmp(a->name, name) != 0)
            continue;
        r->n_values += a->n_values;
        if (r->n_values > VALUES_MAX)
            return refuse(r, "the aliases come to too many values");
        return json_deep_copy(a->value);
    }
    return refuse(r, "an alias without its anchor before it");
}

static void remember(struct reader *r, char *name, json_t *v, size_t n_values)
{
    struct anchor *a = xcalloc(1, sizeof *a);

    *a = (struct anchor){ .next = r->anchors, .value = json_incref(v), .n_values = n_values };
    a->name = name;
    r->anchors = a;
}

static const yaml_char_t *anchor_of(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return e->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

static json_t *value_of_event(struct reader *r)
{
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        return scalar(r);
    case YAML_ALIAS_EVENT:
        return alias(r);
    case YAML_SEQUENCE_START_EVENT:
        return sequence(r);
    case YAML_MAPPING_START_EVENT:
        return mapping(r);
    default:
        return refuse(r, "a value is expected");
    }
}

static json_t *value(struct reader *r)
{
    const yaml_char_t *name = anchor_of(&r->event);
    char *anchor = name ? xstrdup((const char *)name) : NULL;
    size_t before = r->n_values;
    json_t *v;

    if (++r->depth > DEPTH_MAX || ++r->n_values > VALUES_MAX) {
        free(anchor);
        return refuse(r, "too deep, or too many values");
    }
    v = value_of_event(r);
    r->depth--;
    if (v && anchor)
        remember(r, anchor, v, r->n_values - before);
    else
        free(anchor);
    return v;
}

static json_t *document(struct reader *r)
{
    SCOPED(json_decrefp) json_t *v = NULL;

    if (!step(r)) /* start of stream */
        return NULL;
    if (!step(r)) /* start of document, or end of stream */
        return NULL;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return json_null();
    if (!step(r))
        return NULL;
    v = value(r);
    if (!v || !step(r)) /* end of document */
        return NULL;
    if (!step(r)) /* end of stream */
        return NULL;
    if (r->event.type != YAML_STREAM_END_EVENT)
        return refuse(r, "one document is expected, not several");
    return STEAL(v);
}

json_t *yaml_parse(const char *text, size_t size, struct err *err)
{
    struct reader r = { .err = err };
    json_t *v;

    if (!yaml_parser_initialize(&r.parser))
        abort(); /* out of memory */
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    v = document(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    while (r.anchors) {
        struct anchor *a = r.anchors;

        r.anchors = a->next;
        json_decref(a->value);
        free(a->name);
        free(a);
    }
    return v;
}

bool yaml_is_ambiguous(const char *s)
{
    static const char *const words[] = {
        "y", "n", "yes", "no", "on", "off", "true", "false", "null"
    };
    SCOPED(json_decrefp) json_t *v = plain_value(s);

    if (v || strchr("0123456789+-.~=<", *s)) /* numbers, dates and times of YAML 1.1 too */
        return true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasecmp(s, words[i]) == 0)
            return true;
    return false;
}
