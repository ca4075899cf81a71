/*
 * options.h - the settings of sluiced: one table, many readers.
 *
 * A row of the table (options.c) is a key of the configuration file, a flag
 * (log_level: --log-level), an environment variable (SLUICE_LOG_LEVEL), a line
 * of --help and of sluice.conf(5), and a file in the tree's settings/.  To add
 * a setting, add a field to struct options and one row.
 *
 * What is said on the command line wins over the environment, that over the
 * file, and that over the default.  All that is wrong is collected, a line
 * each, so that one run finds every mistake:
 *
 *     /etc/sluice/sluice.yaml:3: no setting 'lisen': did you mean listen?
 *     SLUICE_LOG_LEVEL: 'loud' is none of debug, info, warn, error
 *     --mode: '888' is no octal file mode
 *
 * Read once, before any thread; constant afterwards.
 */
#ifndef SLUICE_OPTIONS_H
#define SLUICE_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "node/node.h"

struct option_list {
    char **at; /* NULL-terminated; NULL if empty */
    size_t n;
};

struct options {
    char *data;
    char *mount; /* "": no mount */
    struct option_list listen, facades;
    char *member_name;   /* "": the host's */
    char *owner, *group; /* "": those of the process */
    uint64_t mode;
    bool allow_other;
    char *tls_cert, *tls_key, *tokens; /* "": none */
    bool allow_insecure;
    char *secret_key_path; /* "": none */
    uint64_t http_threads, http_connections, http_timeout_seconds, http_max_body;
    uint64_t stop_seconds;
    bool core_dumps;
    uint64_t log_level; /* enum log_level */
    uint64_t log_format;
    char *config; /* the file they came from; NULL: none */

    uid_t uid; /* what 'owner' and 'group' mean */
    gid_t gid;
};

enum { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

enum option_type {
    OPTION_TEXT,
    OPTION_LIST, /* flag: repeated; environment: separated by commas */
    OPTION_BOOL,
    OPTION_COUNT,
    OPTION_BYTES, /* 4096, 64K, 64M, 1G */
    OPTION_MODE,  /* octal */
    OPTION_ENUM,
};

struct option_row {
    const char *key;
    enum option_type type;
    const char *value_name;     /* of --help: FILE, HOST:PORT */
    const char *normal;         /* the default, as text; "" is none */
    const char *const *choices; /* OPTION_ENUM; NULL-terminated */
    const char *unit;
    uint64_t min, max; /* OPTION_COUNT and OPTION_BYTES */
    bool at_root;      /* worth a place in the root directory too */
    const char *help;  /* one sentence without a full stop */
    size_t offset;
};
extern const struct option_row option_rows[]; /* ended by a row without a key */

/* What the command line asks for. */
enum command {
    COMMAND_RUN,
    COMMAND_CHECK,
    COMMAND_HELP,
    COMMAND_VERSION,
    COMMAND_PRINT_TREE,
    COMMAND_PRINT_CONF,
    COMMAND_PRINT_SCHEMA
};

/* Fills 'o' (options_fini() it, also after a failure).  'env' is environ.  -EINVAL with the lines
 * in 'problems' when something is wrong. */
int options_read(struct options *o, int argc, char *const *argv, char *const *env,
                 enum command *command, struct buf *problems);
void options_fini(struct options *o);

/* A row's value as JSON (a new reference), as the tree shows it. */
json_t *option_json(const struct options *o, const struct option_row *row);
enum attr_type option_attr_type(const struct option_row *row);

/* --help, and sluice.conf(5) in roff. */
void options_help(struct buf *out);
void options_manual(struct buf *out);

/* --- between options.c and options_file.c --- */

/* Adds one line to the problems: "<where>: <what>". */
void option_problem(struct buf *problems, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* NULL and a problem with a guess if there is no such key. */
const struct option_row *option_find(const char *key, const char *where, struct buf *problems);
/* Takes 'text' as the row's value; a list grows unless it is to begin anew. */
bool option_set(struct options *o, const struct option_row *row, const char *text, bool anew,
                const char *where, struct buf *problems);
void option_reset(struct options *o, const struct option_row *row); /* back to the default */
void options_read_file(struct options *o, const char *path, struct buf *problems);

#endif
