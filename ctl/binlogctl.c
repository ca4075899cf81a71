/* binlogctl.c - TiDB-Binlog's binlogctl, command by command. */
#include "ctl/binlogctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"
#include "base/password.h"
#include "base/scope.h"
#include "ctl/table.h"

/* --- arguments --- */

enum flag_kind { FLAG_TEXT, FLAG_BOOL };

static const struct flag {
    const char *name, *value_name;
    enum flag_kind kind;
    size_t offset;
    const char *help;
} flags[] = {
#define FLAG(flag, value, type, field, text)                            \
    {                                                                   \
        flag, value, type, offsetof(struct binlogctl_args, field), text \
    }
    FLAG("cmd", "COMMAND", FLAG_TEXT, cmd, "What to do; may stand without the flag"),
    FLAG("node-id", "ID", FLAG_TEXT, node_id, "Which pump or drainer: its node_id, or its name"),
    FLAG("state", "STATE", FLAG_TEXT, state, "online, pausing, paused, closing or offline"),
    FLAG("data-dir", "DIR", FLAG_TEXT, data_dir, "Where generate_meta writes: binlog_position"),
    FLAG("time-zone", "ZONE", FLAG_TEXT, time_zone, "generate_meta: the time in it as a comment"),
    FLAG("text", "TEXT", FLAG_TEXT, text, "What to encrypt or decrypt; else standard input"),
    FLAG("key", "FILE", FLAG_TEXT, key,
         "of encrypt: the file that the setting secret_key_path names"),
    FLAG("show-offline-nodes", NULL, FLAG_BOOL, offline_too, "List those that are offline, too"),
    FLAG("force", NULL, FLAG_BOOL, force, "update-*: also where that may lose changes"),
    FLAG("pd-urls", "URL", FLAG_TEXT, url, "The daemon, which is the registry"),
    FLAG("ssl-ca", "FILE", FLAG_TEXT, ca, "Certificates that the daemon's must lead to"),
    FLAG("ssl-cert", "FILE", FLAG_TEXT, cert, "Our own certificate, for whoever asks for one"),
    FLAG("ssl-key", "FILE", FLAG_TEXT, ssl_key, "Its private key"),
    FLAG("V", NULL, FLAG_BOOL, version, "Print the version"),
#undef FLAG
};

static const struct flag *find_flag(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (strlen(flags[i].name) == len && memcmp(flags[i].name, name, len) == 0)
            return &flags[i];
    return NULL;
}

static int take_flag(char **argv, int argc, int *at, struct binlogctl_args *ret)
{
    const char *word = argv[(*at)++], *name = word + (word[1] == '-' ? 2 : 1);
    const char *equals = strchr(name, '=');
    const struct flag *f = find_flag(name, equals ? (size_t)(equals - name) : strlen(name));
    char *field = (char *)ret + (f ? f->offset : 0);

    if (!f)
        return ctl_usage("binlogctl has no flag %s", word);
    if (f->kind == FLAG_BOOL) {
        *(bool *)field = !equals || strcmp(equals + 1, "true") == 0 || strcmp(equals + 1, "1") == 0;
        return EXIT_OK;
    }
    if (!equals && *at == argc)
        return ctl_usage("%s needs a value", word);
    *(const char **)field = equals ? equals + 1 : argv[(*at)++];
    return EXIT_OK;
}

int binlogctl_parse(int argc, char **argv, struct binlogctl_args *ret)
{
    int rc = EXIT_OK;

    *ret = (struct binlogctl_args){ .data_dir = "binlog_position" };
    for (int i = 0; i < argc && rc == EXIT_OK;) {
        if (argv[i][0] == '-' && argv[i][1])
            rc = take_flag(argv, argc, &i, ret);
        else if (ret->cmd)
            rc = ctl_usage("'%s' is one word too many", argv[i]);
        else
            ret->cmd = argv[i++];
    }
    if (!ret->cmd)
        ret->cmd = "pumps"; /* as upstream */
    return rc;
}

/* --- lists --- */

static const char *text_at(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

/* "2018-12-25 14:23:37 +0800 CST" of a time stamp, physical ms << 18 | logical. */
static void add_time(const json_t *ts, struct buf *out)
{
    time_t s = (time_t)((json_integer_value(ts) >> 18) / 1000);
    struct tm tm;
    char text[64];

    if (s == 0)
        return;
    localtime_r(&s, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z %Z", &tm);
    buf_str(out, text);
}

static json_t *node_of(const json_t *attrs)
{
    const char *said = text_at(attrs, "advertise_addr");
    SCOPED(buf_fini) struct buf updated = BUF_INIT;

    add_time(json_object_get(attrs, "update_ts"), &updated);
    return json_pack("{s:s,s:s,s:s,s:O?,s:s}", "NodeID", text_at(attrs, "node_id"), "Addr",
                     *said ? said : text_at(attrs, "addr"), "State", text_at(attrs, "node_state"),
                     "MaxCommitTS", json_object_get(attrs, "max_commit_ts"), "UpdateTime",
                     updated.size ? updated.data : "");
}

/* All of a kind, as the tree has them: {"p1": {…}}; a new reference. */
static json_t *read_kind(struct ctl *c, const char *kind, struct err *err)
{
    json_t *v = c->client->ops->read(c->client, kind, 1, err);
    json_t *children = json_incref(json_object_get(v, "children"));

    json_decref(v);
    return children;
}

static void print_nodes(struct ctl *c, const json_t *nodes)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    SCOPED(buf_fini) struct buf out = BUF_INIT;
    const char *key;
    json_t *n, *v;
    size_t i;

    static const char *const head[] = { "NodeID", "Addr", "State", "MaxCommitTS", "UpdateTime" };

    for (i = 0; i < ARRAY_LEN(head); i++)
        table_cell(&t, head[i]);
    table_end_row(&t);
    json_array_foreach (nodes, i, n) {
        json_object_foreach (n, key, v) {
            char number[32];

            snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
            table_cell(&t, json_is_string(v) ? json_string_value(v) : number);
        }
        table_end_row(&t);
    }
    if (c->output == OUTPUT_TABLE)
        table_print(&t, c->width, c->color, &out);
    for (i = t.n_columns; c->output != OUTPUT_TABLE && i < t.n_cells; i++)
        buf_printf(&out, "%s%s", t.cells[i].text, (i + 1) % t.n_columns ? "\t" : "\n");
    fwrite(out.data, 1, out.size, stdout);
}

static int list(struct ctl *c, const struct binlogctl_args *a, const char *kind, struct err *err)
{
    SCOPED(json_decrefp) json_t *all = read_kind(c, kind, err), *nodes = json_array();
    const char *name;
    json_t *attrs;

    if (!all)
        return err->code;
    json_object_foreach (all, name, attrs)
        if (a->offline_too || strcmp(text_at(attrs, "node_state"), "offline") != 0)
            json_array_append_new(nodes, node_of(attrs));
    if (c->output == OUTPUT_JSON) {
        json_dumpf(nodes, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_nodes(c, nodes);
    }
    return 0;
}

/* --- actions --- */

/* The path of the node with this id, or with this name; the caller frees. */
static char *find_node(struct ctl *c, const char *kind, const char *id, struct err *err)
{
    SCOPED(json_decrefp) json_t *all = read_kind(c, kind, err);
    const char *name;
    json_t *attrs;

    if (!all)
        return NULL;
    json_object_foreach (all, name, attrs)
        if (strcmp(text_at(attrs, "node_id"), id) == 0)
            return xasprintf("%s/%s", kind, name);
    if (json_object_get(all, id))
        return xasprintf("%s/%s", kind, id);
    err_set(err, -ENOENT, "nodeID %s not found among the %s", id, kind);
    return NULL;
}

static int act(struct ctl *c, const struct binlogctl_args *a, const char *kind, const char *action,
               const char *words, struct err *err)
{
    SCOPED(freep) char *node = NULL, *path = NULL;

    if (!a->node_id)
        return err_set(err, -EINVAL, "-node-id says which: see sluicectl binlogctl %s", kind);
    node = find_node(c, kind, a->node_id, err);
    if (!node)
        return err->code;
    path = xasprintf("%s/%s", node, action);
    return c->client->ops->run(c->client, path, words, strlen(words), err);
}

static int run_action(struct ctl *c, const struct binlogctl_args *a, const char *kind,
                      const char *action, struct err *err)
{
    int rc = act(c, a, kind, action, "\n", err);

    if (rc == 0)
        printf("%s of %s: done\n", action, a->node_id);
    return rc;
}

static int update(struct ctl *c, const struct binlogctl_args *a, const char *kind, struct err *err)
{
    static const char *const states[] = { "online", "pausing", "paused", "closing", "offline" };
    SCOPED(freep) char *words = NULL;
    size_t i = 0;

    while (i < ARRAY_LEN(states) && strcmp(a->state ? a->state : "", states[i]) != 0)
        i++;
    if (i == ARRAY_LEN(states))
        return err_set(err, -EINVAL, "state %s is illegal", a->state ? a->state : "");
    words = xasprintf("state=%s%s\n", a->state, a->force ? " force=true" : "");
    i = (size_t)-act(c, a, kind, "update_state", words, err);
    if (i == 0)
        printf("the state of %s is %s\n", a->node_id, a->state);
    return -(int)i;
}

/* --- generate_meta --- */

/* All that the pumps store later has a greater one; of our clock while there are none. */
static int fresh_ts(struct ctl *c, json_int_t *ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *all = read_kind(c, "pumps", err);
    struct timespec now;
    const char *name;
    json_t *attrs;

    if (!all)
        return err->code;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret =
        json_object_size(all) ? 0 : ((json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000) << 18;
    json_object_foreach (all, name, attrs) {
        SCOPED(freep) char *path = xasprintf("pumps/%s/commit_ts", name);
        SCOPED(json_decrefp) json_t *ts = c->client->ops->read(c->client, path, 0, err);

        if (!ts)
            return err->code;
        *ret = json_integer_value(ts) > *ret ? json_integer_value(ts) : *ret;
    }
    return 0;
}

/* As a whole or not at all. */
static int write_file(const char *path, const struct buf *text, struct err *err)
{
    SCOPED(freep) char *beside = xasprintf("%s.new", path);
    SCOPED(closep) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || write(fd, text->data, text->size) != (ssize_t)text->size || fsync(fd) < 0 ||
        rename(beside, path) < 0)
        return err_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

static int generate_meta(struct ctl *c, const struct binlogctl_args *a, struct err *err)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    SCOPED(freep) char *path = xasprintf("%s/savepoint", a->data_dir);
    SCOPED(json_decrefp) json_t *stamp = NULL;
    json_int_t ts = 0;

    if (fresh_ts(c, &ts, err) < 0)
        return err->code;
    if (mkdir(a->data_dir, 0755) < 0 && errno != EEXIST)
        return err_set(err, -errno, "cannot make %s: %s", a->data_dir, strerror(errno));
    buf_printf(&text, "commitTS = %lld\n", (long long)ts);
    if (a->time_zone) {
        setenv("TZ", a->time_zone, 1); // NOLINT(concurrency-mt-unsafe): the only thread
        tzset();
        stamp = json_integer(ts);
        buf_str(&text, "# ");
        add_time(stamp, &text);
        buf_byte(&text, '\n');
    }
    if (write_file(path, &text, err) < 0)
        return err->code;
    printf("%s: %s", path, text.data);
    return 0;
}

/* --- encrypt, decrypt --- */

/* The text that was given, else a line of standard input; the caller frees.  NULL: there is none.
 */
static char *text_of(const struct binlogctl_args *a)
{
    char *typed = NULL;
    size_t cap = 0;

    if (a->text)
        return xstrdup(a->text);
    if (getline(&typed, &cap, stdin) < 0) {
        free(typed);
        return NULL;
    }
    typed[strcspn(typed, "\r\n")] = '\0';
    return typed;
}

static int crypt_text(const struct binlogctl_args *a, bool back, struct err *err)
{
    SCOPED(freep) char *text = NULL, *out = NULL;
    unsigned char key[PASSWORD_KEY_SIZE];

    if (!a->key)
        return err_set(err, -EINVAL, "-key names the file of the setting secret_key_path");
    if (password_key_read(a->key, key, err) < 0)
        return err->code;
    if (!(text = text_of(a)))
        return err_set(err, -EINVAL, "nothing came on the standard input");
    out = back ? password_decrypt(key, text) : password_encrypt(key, text, err);
    if (!out)
        return back ? err_set(err, -EINVAL, "that is no encrypted password") : err->code;
    printf("%s\n", out);
    return 0;
}

/* --- commands --- */

enum what { LIST, ACTION, UPDATE, META, ENCRYPT, DECRYPT };

static const struct command {
    const char *name;
    enum what what;
    const char *kind, *action;
    const char *help;
} commands[] = {
    { "pumps", LIST, "pumps", NULL, "all pumps that are not offline" },
    { "drainers", LIST, "drainers", NULL, "all drainers that are not offline" },
    { "pause-pump", ACTION, "pumps", "pause", "let it stand still" },
    { "pause-drainer", ACTION, "drainers", "pause", "let it stand still" },
    { "resume-pump", ACTION, "pumps", "resume", "let it go on; not upstream's" },
    { "resume-drainer", ACTION, "drainers", "resume", "let it go on; not upstream's" },
    { "offline-pump", ACTION, "pumps", "close", "take it away, once every drainer has all" },
    { "offline-drainer", ACTION, "drainers", "close", "take it away" },
    { "update-pump", UPDATE, "pumps", NULL, "change what the registry says, nothing else" },
    { "update-drainer", UPDATE, "drainers", NULL, "change what the registry says, nothing else" },
    { "generate_meta", META, NULL, NULL, "write a savepoint of now, to begin a drainer with" },
    { "encrypt", ENCRYPT, NULL, NULL, "print a password as a configuration may have it" },
    { "decrypt", DECRYPT, NULL, NULL, "and back; as DM's dmctl, not upstream's" },
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

bool binlogctl_needs_daemon(const struct binlogctl_args *a)
{
    const struct command *cmd = find_command(a->cmd);

    return cmd && cmd->what != ENCRYPT && cmd->what != DECRYPT;
}

int binlogctl_run(struct ctl *c, const struct binlogctl_args *a)
{
    const struct command *cmd = find_command(a->cmd);
    struct err err = ERR_INIT;
    int rc = 0;

    if (!cmd)
        return ctl_usage("binlogctl has no command %s", a->cmd);
    switch (cmd->what) {
    case LIST:
        rc = list(c, a, cmd->kind, &err);
        break;
    case ACTION:
        rc = run_action(c, a, cmd->kind, cmd->action, &err);
        break;
    case UPDATE:
        rc = update(c, a, cmd->kind, &err);
        break;
    case META:
        rc = generate_meta(c, a, &err);
        break;
    case ENCRYPT:
    case DECRYPT:
        rc = crypt_text(a, cmd->what == DECRYPT, &err);
        break;
    }
    return rc < 0 ? ctl_fail(&err) : EXIT_OK;
}

void binlogctl_help(void)
{
    printf("Usage: sluicectl [OPTION...] binlogctl [-cmd] COMMAND [FLAG...]\n\n"
           "TiDB-Binlog's binlogctl, for the pumps and drainers of sluiced.\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        printf("  %-18s %s\n", commands[i].name, commands[i].help);
    printf("\n");
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        SCOPED(freep)
        char *usage =
            xasprintf("-%s %s", flags[i].name, flags[i].value_name ? flags[i].value_name : "");

        printf("  %-22s %s\n", usage, flags[i].help);
    }
}
