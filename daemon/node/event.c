/* event.c - lines of events and of the audit, put where a node's ancestors have such a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/lines.h"
#include "node/node.h"
#include "node/private.h"

#define DEPTH_MAX 64

static json_t *now(void)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text(clock_wall_us(), text);
    return json_string(text);
}

/* 'n' and its ancestors, each referenced. */
static size_t chain_of(struct node *n, struct node *chain[static DEPTH_MAX])
{
    size_t size = 0;

    pthread_rwlock_rdlock(&tree_lock);
    for (; n && size < DEPTH_MAX; n = n->parent)
        chain[size++] = node_ref(n);
    pthread_rwlock_unlock(&tree_lock);
    return size;
}

static void append(struct node *n, const char *file, const char *line)
{
    const struct attr *a = type_attr(n->type, file);
    struct lines *l = a && a->lines ? a->lines(n, a) : NULL;

    if (!l)
        return;
    lines_append(l, line);
    node_changed(n, file);
}

/* To the file of every ancestor that has one. */
static void append_all(struct node *n, const char *file, const json_t *v)
{
    SCOPED(freep) char *line = json_dumps(v, JSON_COMPACT | JSON_REAL_PRECISION(15));
    struct node *chain[DEPTH_MAX];
    size_t size = chain_of(n, chain);

    for (size_t i = 0; i < size; i++) {
        if (line)
            append(chain[i], file, line);
        node_unref(chain[i]);
    }
}

void node_event(struct node *n, const char *event, json_t *fields)
{
    SCOPED(freep) char *path = node_path(n);
    SCOPED(json_decrefp)
    json_t *line = json_pack("{s:o,s:s,s:s}", "time", now(), "path", path, "event", event);

    if (fields)
        json_object_update(line, fields);
    json_decref(fields);
    append_all(n, "events", line);
}

void audit_write(struct node *n, const struct caller *who, const char *path, const char *what,
                 const struct err *result)
{
    SCOPED(json_decrefp)
    json_t *line =
        json_pack("{s:o,s:I,s:s,s:s,s:s}", "time", now(), "uid", (json_int_t)who->uid, "front",
                  who->front ? who->front : "daemon", "path", path, "what", what);

    if (!line)
        return; /* only if 'what' is not UTF-8, which no checked value is */
    if (who->pid)
        json_object_set_new(line, "pid", json_integer(who->pid));
    if (who->name)
        json_object_set_new(line, "token", json_string(who->name));
    if (result->code == 0)
        json_object_set_new(line, "result", json_string("ok"));
    else {
        json_object_set_new(line, "result", json_string(strerrorname_np(-result->code)));
        json_object_set_new(line, "error", json_string(result->text));
    }
    append_all(n, "audit", line);
}
