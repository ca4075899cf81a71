/*
 * facade_check - resolves everything that the facades name against /schema on standard input.
 *
 *     sluiced --print-man schema | facade_check
 *
 * Says what is not there and exits with 1: a row of the tree was renamed, or a facade names
 * something that never was.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "http/compat/facade.h"
#include "http/compat/metric.h"
#include "http/compat/state.h"

static const json_t *schema;
static unsigned n_wrong, n_names;

/* "pumps/{unit}/binlog" -> the type at "pumps/NAME/binlog"; NULL, said, if there is none. */
static const json_t *type_at(const struct facade *f, const char *node)
{
    SCOPED(buf_fini) struct buf path = BUF_INIT;
    const char *name;

    buf_str(&path, ""); /* the root has no name */
    for (const char *p = node; *p; p++) {
        if (*p != '{') {
            buf_byte(&path, *p);
            continue;
        }
        buf_str(&path, "NAME");
        p += strcspn(p, "}");
    }
    name = json_string_value(json_object_get(json_object_get(schema, "paths"), path.data));
    n_names++;
    if (name)
        return json_object_get(json_object_get(schema, "types"), name);
    printf("%s: there is no %s\n", f->name, path.data);
    n_wrong++;
    return NULL;
}

static const json_t *row_in(const json_t *rows, const char *name)
{
    const json_t *row;
    size_t i;

    json_array_foreach ((json_t *)rows, i, row)
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
            return row;
    return NULL;
}

static void check_row(const struct facade *f, const char *node, const char *row, bool action)
{
    const json_t *type = type_at(f, node);

    n_names++;
    if (!type || !row || row_in(json_object_get(type, "attributes"), row) ||
        (action && row_in(json_object_get(type, "actions"), row)))
        return;
    printf("%s: %s has no %s\n", f->name, node, row);
    n_wrong++;
}

/* Every state of ours that can be there has a word in the other systems. */
static void check_states(const struct facade *f, const char *node)
{
    const json_t *type = type_at(f, node);
    const json_t *row = row_in(json_object_get(type, "attributes"), "state"), *state;
    size_t i, k;

    json_array_foreach (json_object_get(row, "choices"), i, state) {
        for (k = 0; state_at(k) && strcmp(state_at(k), json_string_value(state)) != 0; k++)
            ;
        if (state_at(k))
            continue;
        printf("state.c: no row for %s of %s\n", json_string_value(state), node);
        n_wrong++;
    }
}

static void check_shape(const struct facade *f, const struct shape *s)
{
    for (const struct field *field = s->fields; field->key; field++) {
        if (field->attr)
            check_row(f, s->node, field->attr, false);
        if (field->make == state_dm || field->make == state_kingbus)
            check_states(f, s->node);
    }
}

static void check_facade(const struct facade *f)
{
    for (const struct use *u = f->uses; u->node; u++)
        check_row(f, u->node, u->row, true);
    for (size_t i = 0; f->shapes[i]; i++)
        check_shape(f, f->shapes[i]);
    for (const struct metric_row *m = f->metrics; m && m->name; m++)
        if (m->attr)
            check_row(f, f->uses[0].node, m->attr, false);
    if (f->units) {
        char node[64];

        snprintf(node, sizeof node, "%s/{unit}", f->units);
        check_row(f, node, "addr", false);
    }
}

int main(void)
{
    SCOPED(json_decrefp) json_t *v = json_loadf(stdin, 0, NULL);

    schema = v;
    if (!v)
        return puts("no schema on standard input"), 2;
    for (size_t i = 0; facades[i]; i++)
        check_facade(facades[i]);
    printf("%u names, %u are not there\n", n_names, n_wrong);
    return n_wrong || n_names < 50;
}
