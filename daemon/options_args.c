/* The command line and the environment, and which of them wins. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "node/suggest.h"
#include "options.h"

/* What is no setting. */
enum flag { FLAG_CONFIG, FLAG_NO_MOUNT, FLAG_CHECK, FLAG_HELP, FLAG_VERSION, FLAG_PRINT, N_FLAGS };

static const struct {
    const char *name;
    bool has_value;
} flags[N_FLAGS] = {
    [FLAG_CONFIG] = { "--config", true },       [FLAG_NO_MOUNT] = { "--no-mount", false },
    [FLAG_CHECK] = { "--check-config", false }, [FLAG_HELP] = { "--help", false },
    [FLAG_VERSION] = { "--version", false },    [FLAG_PRINT] = { "--print-man", true },
};

struct assignment {
    const struct option_row *row;
    const char *value;
};

/* A command line, taken apart. */
struct line {
    char *const *argv;
    int argc, at;
    const char *config;
    bool no_mount;
    enum command command;
    struct assignment *set;
    size_t n_set;
    struct buf *problems;
};

static void flag_name(const struct option_row *row, char ret[static 64])
{
    snprintf(ret, 64, "--%s", row->key);
    for (char *p = ret; *p; p++)
        if (*p == '_')
            *p = '-';
}

static void env_name(const struct option_row *row, char ret[static 64])
{
    snprintf(ret, 64, "SLUICE_%s", row->key);
    for (char *p = ret; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
}

static const struct option_row *row_of_flag(const char *flag)
{
    char name[64];

    for (const struct option_row *row = option_rows; row->key; row++) {
        flag_name(row, name);
        if (strcmp(name, flag) == 0)
            return row;
    }
    return NULL;
}

static void unknown_flag(struct line *l, const char *flag)
{
    struct suggestion s = suggest_for(flag);
    char names[64][64];
    size_t n = 0;

    for (const struct option_row *row = option_rows; row->key && n < ARRAY_LEN(names); row++, n++) {
        flag_name(row, names[n]);
        suggest_offer(&s, names[n]);
    }
    for (size_t i = 0; i < N_FLAGS; i++)
        suggest_offer(&s, flags[i].name);
    option_problem(l->problems, flag, "no such flag%s", SUGGESTED(&s));
}

/* "--log-level=debug" or "--log-level debug"; NULL and a problem if there is none. */
static const char *take_value(struct line *l, const char *flag, const char *given)
{
    if (given)
        return given;
    if (l->at < l->argc)
        return l->argv[l->at++];
    option_problem(l->problems, flag, "needs a value");
    return NULL;
}

static void take_setting(struct line *l, const struct option_row *row, const char *flag,
                         const char *given)
{
    const char *value = row->type == OPTION_BOOL && !given ? "true" : take_value(l, flag, given);

    if (!value)
        return;
    l->set = xrealloc(l->set, (l->n_set + 1) * sizeof *l->set);
    l->set[l->n_set++] = (struct assignment){ .row = row, .value = value };
}

static void take_print(struct line *l, const char *what)
{
    if (strcmp(what, "tree") == 0)
        l->command = COMMAND_PRINT_TREE;
    else if (strcmp(what, "conf") == 0)
        l->command = COMMAND_PRINT_CONF;
    else if (strcmp(what, "schema") == 0)
        l->command = COMMAND_PRINT_SCHEMA;
    else
        option_problem(l->problems, "--print-man", "'%s' is none of tree, conf and schema", what);
}

static void take_other(struct line *l, enum flag flag, const char *given)
{
    const char *value = NULL;

    if (flags[flag].has_value) {
        value = take_value(l, flags[flag].name, given);
        if (!value)
            return;
    } else if (given) {
        option_problem(l->problems, flags[flag].name, "takes no value");
    }
    switch (flag) {
    case FLAG_CONFIG:
        l->config = value;
        break;
    case FLAG_NO_MOUNT:
        l->no_mount = true;
        break;
    case FLAG_CHECK:
        l->command = COMMAND_CHECK;
        break;
    case FLAG_HELP:
        l->command = COMMAND_HELP;
        break;
    case FLAG_VERSION:
        l->command = COMMAND_VERSION;
        break;
    case FLAG_PRINT:
        take_print(l, value);
        break;
    case N_FLAGS:
        break;
    }
}

static void take_flag(struct line *l)
{
    const char *word = l->argv[l->at++], *equals = strchr(word, '=');
    SCOPED(freep) char *flag = xstrndup(word, equals ? (size_t)(equals - word) : strlen(word));
    const char *given = equals ? equals + 1 : NULL;
    const struct option_row *row;

    for (size_t i = 0; i < N_FLAGS; i++) {
        if (strcmp(flags[i].name, flag) == 0) {
            take_other(l, (enum flag)i, given);
            return;
        }
    }
    row = row_of_flag(flag);
    if (row)
        take_setting(l, row, flag, given);
    else if (strncmp(word, "--", 2) == 0)
        unknown_flag(l, flag);
    else
        option_problem(l->problems, word, "sluiced takes flags only: see --help");
}

static void set_from_flags(struct options *o, const struct line *l)
{
    for (size_t i = 0; i < l->n_set; i++) {
        const struct option_row *row = l->set[i].row;
        bool anew = true;
        char name[64];

        for (size_t j = 0; j < i; j++)
            anew = anew && l->set[j].row != row;
        flag_name(row, name);
        option_set(o, row, l->set[i].value, anew, name, l->problems);
    }
}

static const char *env_value(char *const *env, const char *name)
{
    size_t size = strlen(name);

    for (; *env; env++)
        if (strncmp(*env, name, size) == 0 && (*env)[size] == '=')
            return *env + size + 1;
    return NULL;
}

static void set_list_from_env(struct options *o, const struct option_row *row, const char *value,
                              const char *name, struct buf *problems)
{
    SCOPED(freep) char *copy = xstrdup(value);
    char *rest = copy, *item;

    for (bool anew = true; (item = strsep(&rest, ",")) != NULL; anew = false)
        option_set(o, row, item, anew, name, problems);
}

static void set_from_env(struct options *o, char *const *env, struct buf *problems)
{
    char name[64];

    for (const struct option_row *row = option_rows; row->key; row++) {
        const char *value;

        env_name(row, name);
        value = env_value(env, name);
        if (!value)
            continue;
        if (row->type != OPTION_LIST) {
            option_set(o, row, value, true, name, problems);
            continue;
        }
        set_list_from_env(o, row, value, name, problems);
    }
}

static void find_owner(struct options *o, struct buf *problems)
{
    const struct passwd *user;
    const struct group *group;

    o->uid = geteuid();
    o->gid = getegid();
    if (o->owner[0]) {
        user = getpwnam(o->owner); // NOLINT(concurrency-mt-unsafe): the first thread comes later
        if (!user) {
            option_problem(problems, "owner", "there is no user '%s'", o->owner);
            return;
        }
        o->uid = user->pw_uid;
        o->gid = user->pw_gid;
    }
    if (o->group[0]) {
        group = getgrnam(o->group); // NOLINT(concurrency-mt-unsafe): the first thread comes later
        if (!group)
            option_problem(problems, "group", "there is no group '%s'", o->group);
        else
            o->gid = group->gr_gid;
    }
}

/* What holds between settings. */
static void check_together(struct options *o, struct buf *problems)
{
    find_owner(o, problems);
    if (!o->tls_cert[0] != !o->tls_key[0])
        option_problem(problems, o->tls_cert[0] ? "tls_cert" : "tls_key", "needs %s as well",
                       o->tls_cert[0] ? "tls_key" : "tls_cert");
    if (!o->data[0])
        option_problem(problems, "data", "needs a folder");
}

int options_read(struct options *o, int argc, char *const *argv, char *const *env,
                 enum command *command, struct buf *problems)
{
    struct line l = { .argv = argv, .argc = argc, .at = 1, .problems = problems };

    *o = (struct options){ .config = NULL };
    for (const struct option_row *row = option_rows; row->key; row++)
        option_reset(o, row);
    while (l.at < argc)
        take_flag(&l);
    if (!l.config)
        l.config = env_value(env, "SLUICE_CONFIG");
    if (l.config) {
        o->config = xstrdup(l.config);
        options_read_file(o, l.config, problems);
    }
    set_from_env(o, env, problems);
    set_from_flags(o, &l);
    if (l.no_mount)
        o->mount[0] = '\0';
    free(l.set);
    *command = l.command;
    if (problems->size == 0)
        check_together(o, problems);
    return problems->size ? -EINVAL : 0;
}
