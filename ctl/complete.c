/*
 * complete.c - candidates for the shell, a line each: sluicectl complete WORD...
 * The last word is the one being typed.  Nothing is said when the daemon is away.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "ctl/ctl.h"

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void offer(const char *before, const char *word, const char *after, const char *typed)
{
    SCOPED(freep) char *all = xasprintf("%s%s%s", before, word, after);

    if (starts_with(all, typed))
        puts(all);
}

/* Which rows of a directory a verb's path may end in. */
enum rows { NO_ROWS, READABLE, WRITABLE };

static const struct {
    const char *verb;
    enum rows rows;
} path_verbs[] = {
    { "ls", NO_ROWS }, { "get", READABLE },   { "set", WRITABLE },   { "run", NO_ROWS },
    { "rm", NO_ROWS }, { "watch", READABLE }, { "create", NO_ROWS }, { "schema", NO_ROWS },
};

static void complete_path(struct ctl *c, const json_t *schema, const char *typed, enum rows rows)
{
    const char *slash = strrchr(typed, '/');
    SCOPED(freep) char *before = xstrndup(typed, slash ? (size_t)(slash - typed) + 1 : 0);
    SCOPED(freep) char *dir = ctl_path(before);
    struct err err = ERR_INIT;
    json_t *v = c->client->ops->read(c->client, dir, 0, &err), *name, *row;
    size_t i;

    json_array_foreach (json_object_get(v, "children"), i, name)
        offer(before, json_string_value(name), "/", typed);
    json_array_foreach (json_object_get(schema_type(schema, dir), "attributes"), i, row)
        if (rows != NO_ROWS && row_is(row, rows == READABLE ? "read" : "write"))
            offer(before, row_name(row), "", typed);
    json_decref(v);
}

static void complete_action(const json_t *schema, const char *path, const char *typed)
{
    SCOPED(freep) char *dir = ctl_path(path);
    size_t i;
    json_t *row;

    json_array_foreach (json_object_get(schema_type(schema, dir), "actions"), i, row)
        offer("", row_name(row), "", typed);
}

static void complete_param(const json_t *schema, const char *path, const char *action,
                           const char *typed)
{
    SCOPED(freep) char *dir = ctl_path(path);
    const json_t *row = schema_action(schema_type(schema, dir), action);
    size_t i;
    json_t *param;

    json_array_foreach (json_object_get(row, "params"), i, param)
        offer("", row_name(param), "=", typed);
}

static void complete_value(const json_t *schema, const char *path, const char *typed)
{
    SCOPED(freep) char *clean = ctl_path(path);
    SCOPED(freep) char *dir = NULL;
    const char *name;
    const json_t *row;
    size_t i;
    json_t *choice;

    ctl_split(clean, &dir, &name);
    row = schema_attr(schema_type(schema, dir), name);
    json_array_foreach (json_object_get(row, "choices"), i, choice)
        offer("", json_string_value(choice), "", typed);
    if (strcmp(row_text(row, "type"), "bool") == 0) {
        offer("", "true", "", typed);
        offer("", "false", "", typed);
    }
}

/* Words of options are not counted: what remains is VERB WORD... */
static int without_options(int argc, char **argv, char **words)
{
    int n = 0;

    for (int i = 0; i < argc; i++) {
        bool last = i + 1 == argc;

        if (!last && argv[i][0] == '-' && argv[i][1] && !strchr(argv[i], '='))
            i += strcmp(argv[i], "--no-color") != 0 && i + 2 < argc;
        else if (last || argv[i][0] != '-')
            words[n++] = argv[i];
    }
    return n;
}

static void complete_words(struct ctl *c, int n, char **words)
{
    const char *verb = words[0], *typed = words[n - 1];
    struct err err = ERR_INIT;
    const json_t *schema = ctl_schema(c, &err);

    if (!schema)
        return;
    if (n == 3 && strcmp(verb, "run") == 0)
        complete_action(schema, words[1], typed);
    else if (n > 3 && strcmp(verb, "run") == 0)
        complete_param(schema, words[1], words[2], typed);
    else if (n == 3 && strcmp(verb, "set") == 0)
        complete_value(schema, words[1], typed);
    else
        for (size_t i = 0; i < ARRAY_LEN(path_verbs); i++)
            if (strcmp(verb, path_verbs[i].verb) == 0)
                complete_path(c, schema, typed, path_verbs[i].rows);
}

int verb_complete(struct ctl *c, int argc, char **argv)
{
    SCOPED(freep) char **words = xcalloc((size_t)argc + 1, sizeof *words);
    int n = without_options(argc, argv, words);

    if (n <= 1) {
        for (const struct verb *v = verbs; v->name; v++)
            if (v->help)
                offer("", v->name, "", n ? words[0] : "");
        return EXIT_OK;
    }
    complete_words(c, n, words);
    return EXIT_OK;
}
