/*
 * ctl.h - one run of sluicectl: what the verbs share.
 *
 *     main.c   options, which verb        verbs.c   get set run create rm
 *     list.c   ls, schema                 watch.c, top.c, complete.c
 *
 * A verb returns the exit code.
 */
#ifndef SLUICE_CTL_CTL_H
#define SLUICE_CTL_CTL_H

#include "ctl/client.h"
#include "ctl/schema.h"

enum exit_code { EXIT_OK, EXIT_REFUSED, EXIT_USAGE, EXIT_UNREACHABLE };

enum output {
    OUTPUT_AUTO,  /* a table on a terminal, plain in a pipe */
    OUTPUT_TABLE, /* for people */
    OUTPUT_PLAIN, /* for awk: values as they are, separated by tabs */
    OUTPUT_JSON,
};

struct ctl {
    struct client *client;
    json_t *schema; /* once asked for: ctl_schema() */
    enum output output;
    const char *mount; /* of the tree, if that is how it is reached */
    const char *file;  /* -f */
    double interval_s; /* -d */
    long n_times;      /* -n; 0: for ever */
    bool color;
    size_t width; /* of the terminal; 0: no limit */
};

/* The schema, borrowed; NULL with 'err' set. */
const json_t *ctl_schema(struct ctl *c, struct err *err);

/* Prints "sluicectl: sentence" and gives the exit code of the error. */
int ctl_fail(const struct err *err);
int ctl_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The path as the daemon has it: without slashes around it.  The caller frees. */
char *ctl_path(const char *text);

/* What "tasks/t*" names, in order: a JSON array of paths; the path itself if it has no wildcard.
 * Also attributes and actions where only their names are meant.  -ENOENT if nothing fits. */
json_t *ctl_expand(struct ctl *c, const char *pattern, struct err *err);

/* Splits a path into directory (owned, in place of the last slash) and name. */
void ctl_split(const char *path, char **dir, const char **name);

typedef int verb_fn(struct ctl *c, int argc, char **argv);
verb_fn verb_ls, verb_get, verb_set, verb_run, verb_create, verb_rm, verb_watch, verb_top,
    verb_schema, verb_complete, verb_reparo;

/* For main's help and completion. */
struct verb {
    const char *name, *args, *help;
    verb_fn *run;
};
extern const struct verb verbs[];

#endif
