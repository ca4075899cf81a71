/* reparo.c - TiDB-Binlog's reparo: the files of a drainer back into a server, or as text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "ctl/ctl.h"

/* reparo's options, and what they are in the document of a drainer. */
static const struct option_row {
    const char *name, *path; /* "dest-db.host", "to.host" */
    char kind;               /* s text, n number, b bool, l list of texts, t list of db.table */
} rows[] = {
    { "data-dir", "data_dir", 's' },
    { "start-tso", "initial_commit_ts", 'n' },
    { "stop-tso", "stop_commit_ts", 'n' },
    { "start-datetime", "start_datetime", 's' },
    { "stop-datetime", "stop_datetime", 's' },
    { "dest-type", "to.db_type", 's' },
    { "dest-db.host", "to.host", 's' },
    { "dest-db.port", "to.port", 'n' },
    { "dest-db.user", "to.user", 's' },
    { "dest-db.password", "to.password", 's' },
    { "dir", "to.dir", 's' },
    { "txn-batch", "txn_batch", 'n' },
    { "worker-count", "worker_count", 'n' },
    { "safe-mode", "syncer.safe_mode", 'b' },
    { "replicate-do-db", "syncer.replicate_do_db", 'l' },
    { "replicate-do-table", "syncer.replicate_do_table", 't' },
    { "replicate-ignore-table", "syncer.ignore_table", 't' },
    { "replicate-ignore-db", "syncer.ignore_schemas", 's' },
};

static json_t *table_of(const char *word)
{
    const char *dot = strchr(word, '.');

    return dot ? json_pack("{s:s%, s:s}", "db_name", word, (size_t)(dot - word), "tbl_name",
                           dot + 1)
               : NULL;
}

static json_t *list_of(const char *value, bool tables)
{
    SCOPED(freep) char *copy = xstrdup(value);
    char *rest = copy, *word;
    json_t *list = json_array();

    while ((word = strsep(&rest, ",")))
        if (json_array_append_new(list, tables ? table_of(word) : json_string(word)) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *number_of(const char *value)
{
    char *end;
    long long n = strtoll(value, &end, 10);

    return *value && !*end ? json_integer(n) : NULL;
}

static json_t *value_of(const struct option_row *row, const char *value)
{
    switch (row->kind) {
    case 'n':
        return number_of(value);
    case 'b':
        return json_boolean(strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
    case 'l':
    case 't':
        return list_of(value, row->kind == 't');
    default:
        return json_string(value);
    }
}

static void put(json_t *doc, const char *path, json_t *v)
{
    const char *dot = strchr(path, '.');
    SCOPED(freep) char *head = dot ? xstrndup(path, (size_t)(dot - path)) : NULL;
    json_t *inner;

    if (!dot) {
        json_object_set_new(doc, path, v);
        return;
    }
    inner = json_object_get(doc, head);
    if (!inner) {
        inner = json_object();
        json_object_set_new(doc, head, inner);
    }
    put(inner, dot + 1, v);
}

/* One "name=value". */
static int take(json_t *doc, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : 0;

    for (size_t i = 0; equals && i < ARRAY_LEN(rows); i++) {
        json_t *v;

        if (strlen(rows[i].name) != len || memcmp(rows[i].name, word, len) != 0)
            continue;
        v = value_of(&rows[i], equals + 1);
        if (!v)
            return ctl_usage("%s: that is no value of it", word);
        put(doc, rows[i].path, v);
        return EXIT_OK;
    }
    return ctl_usage("reparo has no option %s", word);
}

static int read_args(json_t *doc, int argc, char **argv)
{
    int rc = EXIT_OK;

    put(doc, "to.db_type", json_string("print"));
    put(doc, "to.dir", json_string("/tmp"));
    for (int i = 0; i < argc && rc == EXIT_OK; i++)
        rc = take(doc, argv[i]);
    if (rc == EXIT_OK && !json_object_get(doc, "data_dir"))
        rc = ctl_usage("reparo data-dir=DIR [NAME=VALUE...]: the folder of the files is not said");
    return rc;
}

/* --- a drainer for the time that it takes --- */

static char *text_at(struct ctl *c, const char *name, const char *row, struct err *err)
{
    SCOPED(freep) char *path = xasprintf("drainers/%s/%s", name, row);
    struct buf text = BUF_INIT;

    if (c->client->ops->text(c->client, path, &text, err) < 0) {
        buf_fini(&text);
        return NULL;
    }
    while (text.size && text.data[text.size - 1] == '\n')
        text.data[--text.size] = '\0';
    return buf_steal(&text);
}

/* 1 it is done, 0 not yet, <0 it is in error. */
static int look(struct ctl *c, const char *name, struct err *err)
{
    SCOPED(freep) char *state = text_at(c, name, "state", err);
    SCOPED(freep) char *why = NULL;

    if (!state)
        return err->code;
    if (strcmp(state, "finished") == 0)
        return 1;
    if (strcmp(state, "error") != 0)
        return 0;
    why = text_at(c, name, "error", err);
    return why ? err_set(err, -EIO, "%s", why) : err->code;
}

static int follow(struct ctl *c, const char *name, struct err *err)
{
    struct timespec nap = { .tv_nsec = 200000000 };
    int rc;

    while ((rc = look(c, name, err)) == 0)
        nanosleep(&nap, NULL);
    return rc < 0 ? rc : 0;
}

static int say(struct ctl *c, const char *name, const json_t *doc, struct err *err)
{
    const json_t *to = json_object_get(doc, "to");
    SCOPED(freep) char *rows_done = text_at(c, name, "rows", err);
    SCOPED(freep) char *ts = rows_done ? text_at(c, name, "last_ts", err) : NULL;

    if (!ts)
        return err->code;
    printf("%s rows, up to commit_ts %s", rows_done, ts);
    if (strcmp(json_string_value(json_object_get(to, "db_type")), "print") == 0)
        printf(", in %s/%s.sql", json_string_value(json_object_get(to, "dir")), name);
    printf("\n");
    return 0;
}

int verb_reparo(struct ctl *c, int argc, char **argv)
{
    SCOPED(freep) char *name = xasprintf("reparo-%ld", (long)getpid());
    SCOPED(freep) char *path = xasprintf("drainers/%s", name);
    SCOPED(freep) char *start = xasprintf("%s/start", path);
    SCOPED(freep) char *text = NULL;
    struct err err = ERR_INIT, ignored = ERR_INIT;
    json_t *doc = json_object();
    int rc = read_args(doc, argc, argv);

    if (rc != EXIT_OK) {
        json_decref(doc);
        return rc;
    }
    text = json_dumps(doc, JSON_COMPACT);
    rc = c->client->ops->create(c->client, path, "config", text, strlen(text), &err);
    if (rc == 0) {
        rc = c->client->ops->run(c->client, start, "\n", 1, &err);
        if (rc == 0)
            rc = follow(c, name, &err);
        if (rc == 0)
            rc = say(c, name, doc, &err);
        c->client->ops->remove(c->client, path, &ignored);
    }
    json_decref(doc);
    return rc < 0 ? ctl_fail(&err) : EXIT_OK;
}
