/* What is written to files: every type of row and the words of an action.  The first byte says
 * which; what is accepted must print and be accepted again as the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/node.h"
#include "node/private.h"

static const char *const choices[] = { "full", "incremental", "all", NULL };
static json_t *get(const struct node *n, const struct attr *a, struct err *err);
static int set(struct node *n, const struct attr *a, const json_t *v, struct err *err);
#define ROW(row, kind, ...)                                                              \
    {                                                                                    \
        .name = row, .help = "A value", .type = kind, .get = get, .set = set __VA_ARGS__ \
    }
static const struct attr attrs[] = {
    ROW("flag", ATTR_BOOL),
    ROW("count", ATTR_COUNT, , .max = 1000000),
    ROW("bytes", ATTR_BYTES),
    ROW("seconds", ATTR_SECONDS),
    ROW("time", ATTR_TIME),
    ROW("text", ATTR_TEXT),
    ROW("choice", ATTR_ENUM, , .choices = choices),
    ROW("json", ATTR_JSON),
    ROW("config", ATTR_DOCUMENT),
    { 0 },
};
static json_t *taken; /* by the last setter or action */

static json_t *get(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a, (void)err;
    return json_incref(taken);
}

static int set(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)n, (void)a, (void)err;
    json_decref(taken);
    taken = json_deep_copy(v);
    return 0;
}

static int run(struct node *n, const json_t *args, struct err *err)
{
    return set(n, NULL, args, err);
}

static const struct action actions[] = {
    { .name = "words", .help = "Take words", .params = attrs, .run = run },
    { .name = "whole", .help = "Take a document", .document = true, .run = run },
    { 0 },
};
static const struct node_type type = {
    .name = "fuzz", .help = "Takes it", .attrs = attrs, .actions = actions
};

static int write_text(const struct target *t, const void *text, size_t size)
{
    static const struct caller who = { .front = "fuzz" };
    struct err err = ERR_INIT;
    int rc = target_write_text(t, text, size, &who, &err);

    assert(rc == 0 || (rc == err.code && err.text[0]));
    return rc;
}

static void again(const struct target *t)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT, second = BUF_INIT;

    text_of_target(t, taken, &text);
    if (t->attr->type == ATTR_TEXT && text.data[text.size - 1] == '\n' && text.size > 1 &&
        (text.data[text.size - 2] == '\n' || text.data[text.size - 2] == '\r'))
        return; /* newlines at the end of a text are the shell's */
    assert(write_text(t, text.data, text.size) == 0);
    text_of_target(t, taken, &second);
    assert(text.size == second.size && memcmp(text.data, second.data, text.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { N_ATTRS = ARRAY_LEN(attrs) - 1 };
    struct node n;
    struct target t = { .node = &n };
    unsigned row;

    if (size < 1)
        return 0;
    node_init(&n, &type, "");
    row = data[0] % (N_ATTRS + 2);
    if (row < N_ATTRS)
        t.attr = &attrs[row];
    else
        t.action = &actions[row - N_ATTRS];
    if (write_text(&t, data + 1, size - 1) == 0 && t.attr)
        again(&t);
    json_decref(taken);
    taken = NULL;
    node_unref(&n);
    return 0;
}
