/* main.c - sluicectl: options and verbs. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/mem.h"
#include "base/scope.h"
#include "ctl/binlogctl.h"

#define DEFAULT_URL "http://127.0.0.1:8261"

const struct verb verbs[] = {
    { "ls", "[PATH...]", "what is there; a collection as a table of its members", verb_ls },
    { "get", "PATH...", "a value, or all of a directory; wildcards: 'tasks/*/state'", verb_get },
    { "set", "PATH [VALUE]", "write a value; without one: standard input, or -f FILE", verb_set },
    { "run", "PATH ACTION [KEY=VALUE...]", "run an action: run tasks/orders pause", verb_run },
    { "create", "[-f FILE] [PATH]", "make a directory, or what a YAML or JSON document describes",
      verb_create },
    { "rm", "PATH...", "remove a directory: rm tasks/orders", verb_rm },
    { "watch", "[PATH]", "a line for every change, as it happens; -n ends after so many",
      verb_watch },
    { "top", "", "tasks and sources, redrawn every second; q quits", verb_top },
    { "schema", "[PATH]", "what a directory has: every attribute and action", verb_schema },
    { "binlogctl", "COMMAND [FLAG...]",
      "TiDB-Binlog's: pumps, drainers, pause-pump, …; -h lists them", NULL },
    { "reparo", "data-dir=DIR [NAME=VALUE...]",
      "a drainer's files into a server, or as SQL: TiDB-Binlog's reparo", verb_reparo },
    { "complete", "WORD...", NULL, verb_complete },
    { 0 },
};

static void help(void)
{
    printf(
        "Usage: sluicectl [OPTION...] VERB [ARGUMENT...]\n\n"
        "Reads and steers sluiced over HTTP, or through the mounted tree.  Paths are the tree's:\n"
        "tasks/orders/state is /sluice/tasks/orders/state.\n\n");
    for (const struct verb *v = verbs; v->name; v++) {
        SCOPED(freep) char *usage = xasprintf("%s %s", v->name, v->args);

        if (v->help)
            printf("  %-32s %s\n", usage, v->help);
    }
    printf(
        "\n"
        "  --url URL          http://HOST:PORT, https://… or unix:/PATH; else $SLUICE_URL, else\n"
        "                     %s\n"
        "  --mount DIR        use the tree mounted there instead; else $SLUICE_MOUNT\n"
        "  --token-file FILE  bearer token for another machine's daemon; else $SLUICE_TOKEN\n"
        "  --cacert FILE      certificates to trust; else $SLUICE_CACERT, else the system's\n"
        "  --cert FILE        our own certificate, for whoever asks for one, and its key:\n"
        "  --key FILE\n"
        "  -o FORMAT          table (on a terminal), plain (tabs; in a pipe) or json\n"
        "  -f FILE            the document or value; - is standard input\n"
        "  -d SECONDS         top: between two pictures\n"
        "  -n TIMES           top, watch: end after so many\n"
        "  --no-color\n"
        "  -V, --version\n\n"
        "Exit status: 0 done, 1 refused (the reason is on standard error), 2 usage, 3 the daemon\n"
        "cannot be reached.\n",
        DEFAULT_URL);
}

struct options {
    const char *url, *mount, *token_file, *cacert, *cert, *key;
    const char *output;
    bool no_color;
};

enum { OPT_URL = 256, OPT_MOUNT, OPT_TOKEN_FILE, OPT_CACERT, OPT_CERT, OPT_KEY, OPT_NO_COLOR };

static const struct option long_options[] = {
    { "url", required_argument, NULL, OPT_URL },
    { "mount", required_argument, NULL, OPT_MOUNT },
    { "token-file", required_argument, NULL, OPT_TOKEN_FILE },
    { "cacert", required_argument, NULL, OPT_CACERT },
    { "cert", required_argument, NULL, OPT_CERT },
    { "key", required_argument, NULL, OPT_KEY },
    { "no-color", no_argument, NULL, OPT_NO_COLOR },
    { "output", required_argument, NULL, 'o' },
    { "file", required_argument, NULL, 'f' },
    { "interval", required_argument, NULL, 'd' },
    { "times", required_argument, NULL, 'n' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { 0 },
};

static int parse_interval(const char *text, double *ret)
{
    char *end;

    *ret = strtod(text, &end);
    return *end || end == text || !(*ret >= 0.1 && *ret <= 3600)
               ? ctl_usage("-d %s: seconds from 0.1 to 3600", text)
               : EXIT_OK;
}

static int parse_times(const char *text, long *ret)
{
    char *end;

    *ret = strtol(text, &end, 10);
    return *end || end == text || *ret < 1 ? ctl_usage("-n %s: a number from 1", text) : EXIT_OK;
}

/* Takes options also after the verb; -1: go on, else the exit code. */
static int parse_options(int argc, char **argv, struct options *o, struct ctl *c)
{
    int ch, rc = EXIT_OK;

    while (rc == EXIT_OK &&
           (ch = getopt_long(argc, argv, "o:f:d:n:hV", long_options, NULL)) != -1) {
        switch (ch) {
        case OPT_URL:
            o->url = optarg;
            o->mount = NULL;
            break;
        case OPT_MOUNT:
            o->mount = optarg;
            break;
        case OPT_TOKEN_FILE:
            o->token_file = optarg;
            break;
        case OPT_CACERT:
            o->cacert = optarg;
            break;
        case OPT_CERT:
            o->cert = optarg;
            break;
        case OPT_KEY:
            o->key = optarg;
            break;
        case OPT_NO_COLOR:
            o->no_color = true;
            break;
        case 'o':
            o->output = optarg;
            break;
        case 'f':
            c->file = optarg;
            break;
        case 'd':
            rc = parse_interval(optarg, &c->interval_s);
            break;
        case 'n':
            rc = parse_times(optarg, &c->n_times);
            break;
        case 'h':
            help();
            return EXIT_OK;
        case 'V':
            puts("sluicectl " SLUICE_VERSION);
            return EXIT_OK;
        default:
            fprintf(stderr, "Try 'sluicectl help'.\n");
            return EXIT_USAGE;
        }
    }
    return rc == EXIT_OK ? -1 : rc;
}

static int choose_output(const struct options *o, struct ctl *c)
{
    static const char *const names[] = { "", "table", "plain", "json" };
    bool terminal = isatty(STDOUT_FILENO);
    struct winsize size = { 0 };

    for (size_t i = 1; o->output && i < ARRAY_LEN(names); i++)
        if (strcmp(o->output, names[i]) == 0)
            c->output = (enum output)i;
    if (o->output && c->output == OUTPUT_AUTO)
        return ctl_usage("-o %s: table, plain or json", o->output);
    if (c->output == OUTPUT_AUTO)
        c->output = terminal ? OUTPUT_TABLE : OUTPUT_PLAIN;
    c->color = terminal && !o->no_color && !getenv("NO_COLOR");
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        c->width = size.ws_col;
    return EXIT_OK;
}

/* The first line of the file, or the environment's; the caller frees. */
static char *read_token(const char *file, struct err *err)
{
    SCOPED(freep) char *line = NULL;
    size_t cap = 0;
    FILE *in;

    if (!file)
        return getenv("SLUICE_TOKEN") ? xstrdup(getenv("SLUICE_TOKEN")) : NULL;
    in = fopen(file, "re");
    if (!in || getline(&line, &cap, in) <= 0)
        err_set(err, -EINVAL, "cannot read a token from %s", file);
    else
        line[strcspn(line, "\r\n")] = '\0';
    if (in)
        fclose(in);
    return err->code ? NULL : STEAL(line);
}

static struct client *connect_to(const struct options *o, struct err *err)
{
    struct client_http_config http = {
        .url = o->url, .cacert = o->cacert, .cert = o->cert, .key = o->key
    };
    SCOPED(freep) char *token = NULL;

    if (o->mount)
        return client_fs_new(o->mount, err);
    token = read_token(o->token_file, err);
    http.token = token;
    return err->code ? NULL : client_http_new(&http, err);
}

static const struct verb *find_verb(const char *name)
{
    for (const struct verb *v = verbs; v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

/* Runs a verb, or (NULL) what 'binlogctl' says. */
static int run(const struct verb *v, const struct options *o, struct ctl *c, int argc, char **argv,
               const struct binlogctl_args *binlogctl)
{
    struct err err = ERR_INIT;
    int rc;

    c->mount = o->mount;
    c->client = connect_to(o, &err);
    if (!c->client)
        return err.code == -EINVAL ? ctl_usage("%s", err.text) : ctl_fail(&err);
    rc = v ? v->run(c, argc, argv) : binlogctl_run(c, binlogctl);
    json_decref(c->schema);
    client_free(c->client);
    if (fflush(stdout) != 0 && errno != EPIPE)
        return ctl_fail(&(struct err){ .code = -EIO, .text = "cannot write the output" });
    return rc;
}

/* The place of the verb binlogctl, whose arguments are Go's; argc if there is none. */
static int find_binlogctl(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "binlogctl") == 0)
            return i;
    return argc;
}

/* What comes after the word binlogctl; the options before it are read. */
static int run_binlogctl(struct options *o, struct ctl *c, int argc, char **argv)
{
    static char url[1024];
    struct binlogctl_args args;
    int rc;

    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            return binlogctl_help(), EXIT_OK;
    rc = binlogctl_parse(argc, argv, &args);
    if (rc != EXIT_OK)
        return rc;
    if (args.version)
        return puts("sluicectl " SLUICE_VERSION), EXIT_OK;
    if (!binlogctl_needs_daemon(&args))
        return binlogctl_run(c, &args);
    if (args.url) { /* upstream's may be several: each knows all */
        snprintf(url, sizeof url, "%.*s", (int)strcspn(args.url, ","), args.url);
        o->url = url;
        o->mount = NULL;
    }
    o->url = o->url ? o->url : DEFAULT_URL;
    o->cacert = args.ca ? args.ca : o->cacert;
    o->cert = args.cert ? args.cert : o->cert;
    o->key = args.ssl_key ? args.ssl_key : o->key;
    return choose_output(o, c) == EXIT_OK ? run(NULL, o, c, 0, NULL, &args) : EXIT_USAGE;
}

static bool is_called(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');

    return strcmp(slash ? slash + 1 : path, name) == 0;
}

int main(int argc, char **argv)
{
    struct options o = { .url = getenv("SLUICE_URL"),
                         .mount = getenv("SLUICE_MOUNT"),
                         .cacert = getenv("SLUICE_CACERT") };
    struct ctl c = { .interval_s = 1 };
    const struct verb *v;
    int rc, at = find_binlogctl(argc, argv);

    setlocale(LC_CTYPE, "");
    if (is_called(argv[0], "binlogctl"))
        return run_binlogctl(&o, &c, argc - 1, argv + 1);
    /* Words to complete may look like options. */
    if (argc > 1 && strcmp(argv[1], "complete") == 0) {
        o.url = o.url ? o.url : DEFAULT_URL;
        return run(find_verb("complete"), &o, &c, argc - 2, argv + 2, NULL);
    }
    rc = parse_options(at, argv, &o, &c);
    if (rc >= 0)
        return rc;
    if (at < argc && optind == at)
        return run_binlogctl(&o, &c, argc - at - 1, argv + at + 1);
    if (optind == argc || strcmp(argv[optind], "help") == 0) {
        help();
        return optind == argc ? EXIT_USAGE : EXIT_OK;
    }
    v = find_verb(argv[optind]);
    if (!v)
        return ctl_usage("'%s' is not a verb", argv[optind]);
    o.url = o.url ? o.url : DEFAULT_URL;
    if (choose_output(&o, &c) != EXIT_OK)
        return EXIT_USAGE;
    return run(v, &o, &c, argc - optind - 1, argv + optind + 1, NULL);
}
