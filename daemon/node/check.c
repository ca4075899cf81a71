/* check.c - what must hold of every table of rows. */
#include <errno.h>
#include <string.h>

#include "node/node.h"
#include "node/private.h"

static bool name_is_sound(const char *s)
{
    if (*s < 'a' || *s > 'z')
        return false;
    return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

static int check_words(const char *type, const char *name, const char *help, struct err *err)
{
    if (!name_is_sound(name))
        return err_set(err, -EINVAL, "%s: %s is not a name of small letters, digits and _", type,
                       name);
    if (!help || !*help || help[strlen(help) - 1] == '.')
        return err_set(err, -EINVAL, "%s/%s: one help sentence without a full stop", type, name);
    return 0;
}

static int check_attr(const char *type, const struct attr *a, struct err *err)
{
    int rc = check_words(type, a->name, a->help, err);

    if (rc < 0)
        return rc;
    if ((a->type == ATTR_ENUM) != (a->choices != NULL && a->choices[0] != NULL))
        return err_set(err, -EINVAL, "%s/%s: choices go with an enum", type, a->name);
    if (a->min > a->max)
        return err_set(err, -EINVAL, "%s/%s: min is above max", type, a->name);
    return 0;
}

static int check_row(const struct node_type *t, const struct attr *a, struct err *err)
{
    int rc = check_attr(t->name, a, err);

    if (rc < 0)
        return rc;
    if ((a->type == ATTR_LINES) != (a->lines != NULL))
        return err_set(err, -EINVAL, "%s/%s: 'lines' goes with ATTR_LINES", t->name, a->name);
    if (!a->get && !a->set && !a->lines)
        return err_set(err, -EINVAL, "%s/%s: neither a getter nor a setter", t->name, a->name);
    if (a->flags & ATTR_STORED && !a->set)
        return err_set(err, -EINVAL, "%s/%s: stored, but it cannot be set", t->name, a->name);
    if (a->flags & ATTR_WATCHED && a->set)
        return err_set(err, -EINVAL, "%s/%s: what can be written is not announced", t->name,
                       a->name);
    return 0;
}

static int check_action(const struct node_type *t, const struct action *a, struct err *err)
{
    int rc = check_words(t->name, a->name, a->help, err);

    if (rc == 0 && !a->run)
        rc = err_set(err, -EINVAL, "%s/%s: nothing to run", t->name, a->name);
    for (const struct attr *p = a->params; rc == 0 && p && p->name; p++)
        rc = check_attr(a->name, p, err);
    return rc;
}

/* How many rows have this name, built-in ones included. */
static int count_name(const struct node_type *t, const char *name)
{
    int n = 0;

    for (const struct attr *a = builtin_rows; a->name; a++)
        n += strcmp(a->name, name) == 0;
    for (const struct attr *a = t->attrs; a && a->name; a++)
        n += strcmp(a->name, name) == 0;
    for (const struct action *a = t->actions; a && a->name; a++)
        n += strcmp(a->name, name) == 0;
    return n;
}

static int check_unique(const struct node_type *t, const char *name, struct err *err)
{
    return count_name(t, name) == 1
               ? 0
               : err_set(err, -EINVAL, "%s: two rows are called %s", t->name, name);
}

static int check_type(const struct node_type *t, struct err *err)
{
    unsigned n_rows = N_BUILTIN;
    int rc = 0;

    if (!name_is_sound(t->name) || !t->help || !*t->help)
        return err_set(err, -EINVAL, "type %s: a name of small letters, and a help sentence",
                       t->name);
    if ((t->lock == NULL) != (t->unlock == NULL))
        return err_set(err, -EINVAL, "type %s: lock without unlock", t->name);
    for (const struct attr *a = t->attrs; rc == 0 && a && a->name; a++, n_rows++) {
        rc = check_row(t, a, err);
        if (rc == 0)
            rc = check_unique(t, a->name, err);
    }
    for (const struct action *a = t->actions; rc == 0 && a && a->name; a++, n_rows++) {
        rc = check_action(t, a, err);
        if (rc == 0)
            rc = check_unique(t, a->name, err);
    }
    if (rc == 0 && n_rows >= ROWS_MAX)
        return err_set(err, -EINVAL, "type %s: more than %d rows", t->name, ROWS_MAX);
    return rc;
}

int node_type_check(const struct node_type *type, struct err *err)
{
    int rc = check_type(type, err);

    for (const struct node_part *p = type->parts; rc == 0 && p && p->type; p++)
        if (p->type != type)
            rc = node_type_check(p->type, err);
    return rc;
}
