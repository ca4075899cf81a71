#include "unit/setting_row.h"

#include <string.h>

static enum attr_type type_of(const struct doc_field *f)
{
    switch (f->type) {
    case DOC_BOOL:
        return ATTR_BOOL;
    case DOC_COUNT:
        return ATTR_COUNT;
    case DOC_TEXT:
        return ATTR_TEXT;
    case DOC_ENUM:
        return ATTR_ENUM;
    case DOC_OBJECT:
    case DOC_LIST:
    case DOC_MAP:
        break;
    }
    return ATTR_JSON;
}

bool setting_has_row(const struct doc_field *f)
{
    return !(f->type == DOC_ENUM && !f->fallback) && f->type != DOC_OBJECT && !f->refused &&
           !f->ignored && !(f->flags & DOC_READ_ONLY) && strcmp(f->name, "name") != 0;
}

struct attr setting_row(const struct doc_field *f, const struct setting_access *access)
{
    bool list = type_of(f) == ATTR_JSON;

    return (struct attr){
        .name = f->name,
        .help = f->help,
        .type = type_of(f),
        .flags = ATTR_STORED | (list ? ATTR_BULK : 0) | (f->type == DOC_COUNT ? ATTR_GAUGE : 0),
        .choices = f->choices,
        .min = f->type == DOC_COUNT ? f->min : 0,
        .max = f->type == DOC_COUNT ? f->max : 0,
        .get = f->flags & DOC_SECRET ? NULL : access->get,
        .set = access->set,
    };
}

size_t setting_count(const struct doc_field *fields)
{
    size_t n = 0;

    while (fields[n].name)
        n++;
    return n;
}

struct attr *setting_rows(struct attr *to, const struct doc_field *fields,
                          const struct setting_access *access)
{
    for (; fields->name; fields++)
        if (setting_has_row(fields))
            *to++ = setting_row(fields, access);
    return to;
}

json_t *setting_empty(const struct attr *a)
{
    return a->type == ATTR_JSON ? json_array() : json_string("");
}
