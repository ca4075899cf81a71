/* schema.c - what the daemon says about its tree. */
#include "ctl/schema.h"

#include <string.h>

const char *row_text(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    return text ? text : "";
}

const char *row_name(const json_t *row)
{
    return row_text(row, "name");
}

bool row_is(const json_t *row, const char *flag)
{
    return json_is_true(json_object_get(row, flag));
}

/* Does "tasks/NAME/sources" describe "tasks/t1/sources"?  'exact' counts the words that are the
 * same: "tasks/all" is rather "tasks/all" than "tasks/NAME". */
static bool describes(const char *pattern, const char *path, int *exact)
{
    *exact = 0;
    while (*pattern && *path) {
        size_t n = strcspn(pattern, "/"), m = strcspn(path, "/");

        if (n == m && strncmp(pattern, path, n) == 0)
            ++*exact;
        else if (n != 4 || strncmp(pattern, "NAME", 4) != 0)
            return false;
        pattern += n + (pattern[n] == '/');
        path += m + (path[m] == '/');
    }
    return !*pattern && !*path;
}

const json_t *schema_type(const json_t *schema, const char *path)
{
    const char *pattern, *best = NULL;
    json_t *name;
    int best_exact = -1;

    json_object_foreach (json_object_get(schema, "paths"), pattern, name) {
        int exact;

        if (describes(pattern, path, &exact) && exact > best_exact) {
            best = json_string_value(name);
            best_exact = exact;
        }
    }
    return best ? json_object_get(json_object_get(schema, "types"), best) : NULL;
}

static const json_t *find_row(const json_t *rows, const char *name)
{
    size_t i;
    json_t *row;

    json_array_foreach (rows, i, row)
        if (strcmp(row_name(row), name) == 0)
            return row;
    return NULL;
}

const json_t *schema_attr(const json_t *type, const char *name)
{
    return find_row(json_object_get(type, "attributes"), name);
}

const json_t *schema_action(const json_t *type, const char *name)
{
    return find_row(json_object_get(type, "actions"), name);
}

const json_t *schema_document(const json_t *type)
{
    size_t i;
    json_t *row;

    json_array_foreach (json_object_get(type, "attributes"), i, row)
        if (strcmp(row_text(row, "type"), "document") == 0 && row_is(row, "write"))
            return row;
    return NULL;
}

const json_t *schema_document_action(const json_t *type)
{
    size_t i;
    json_t *row;

    json_array_foreach (json_object_get(type, "actions"), i, row)
        if (row_is(row, "document"))
            return row;
    return NULL;
}

/* How many of the keys are attributes or parts of what "path/NAME" is. */
static int count_known(const json_t *schema, const char *collection, const json_t *keys)
{
    char path[1024];
    const json_t *type;
    size_t i;
    json_t *key;
    int n = 0;

    snprintf(path, sizeof path, "%s/NAME", collection);
    type = schema_type(schema, path);
    json_array_foreach (keys, i, key) {
        snprintf(path, sizeof path, "%s/NAME/%s", collection, json_string_value(key));
        if (schema_attr(type, json_string_value(key)) || schema_type(schema, path))
            n++;
    }
    return n;
}

const char *schema_guess(const json_t *schema, const json_t *keys)
{
    const char *path, *best = NULL;
    int best_n = 0;
    bool tie = false;
    json_t *name;

    json_object_foreach (json_object_get(schema, "paths"), path, name) {
        int n;

        if (strstr(path, "NAME") || !schema_document_action(schema_type(schema, path)))
            continue;
        n = count_known(schema, path, keys);
        tie = n == best_n || (tie && n < best_n);
        if (n > best_n) {
            best = path;
            best_n = n;
        }
    }
    return tie ? NULL : best;
}
