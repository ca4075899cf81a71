#include "binlog/json_diff.h"

#include <errno.h>

int json_diff_next(struct cursor *c, struct json_diff *ret)
{
    struct json_diff d = { 0 };
    unsigned op;

    if (!cursor_left(c))
        return 0;
    op = cursor_u8(c);
    d.op = (enum json_diff_op)op;
    d.path = cursor_bytes(c, cursor_lenenc(c));
    if (op != JSON_DIFF_REMOVE)
        d.value = cursor_bytes(c, cursor_lenenc(c));
    if (c->bad || op > JSON_DIFF_REMOVE)
        return -EBADMSG;
    *ret = d;
    return 1;
}

/* A value that is opened into its members only where a path leads. */
struct node {
    struct json_value value; /* while not open */
    bool open, object;
    struct node *members; /* in order */
    struct node *next;
    struct slice key;
};

static struct node *new_node(struct arena *arena, struct json_value v, struct slice key)
{
    struct node *n = arena_alloc(arena, sizeof *n);

    *n = (struct node){ .value = v, .key = key };
    return n;
}

static bool open_node(struct node *n, struct arena *arena)
{
    struct node **at = &n->members;
    struct json_container c;

    if (n->open)
        return true;
    if (!json_open(n->value, &c))
        return false;
    for (uint32_t i = 0; i < c.n; i++) {
        struct slice key = { 0 };
        struct json_value v;

        if (!json_member(&c, i, &key, &v))
            return false;
        *at = new_node(arena, v, key);
        at = &(*at)->next;
    }
    n->open = true;
    n->object = c.object;
    return true;
}

/* One step of a path: a member's name or a place in an array. */
struct leg {
    bool member;
    struct slice name;
    uint64_t index;
};

/* What follows a backslash; the server escapes quotes, backslashes and control characters. */
static uint8_t unescape(struct cursor *c)
{
    static const char names[] = "bfnrt", plain[] = "\b\f\n\r\t";
    uint8_t byte = cursor_u8(c);
    const char *at = byte ? strchr(names, byte) : NULL;

    if (at)
        return (uint8_t)plain[at - names];
    if (byte != 'u')
        return byte;
    cursor_skip(c, 2); /* "00" */
    byte = 0;
    for (int i = 0; i < 2; i++) {
        uint8_t digit = cursor_u8(c);

        byte = (uint8_t)(byte << 4 | (digit <= '9' ? digit & 15 : (digit & 15) + 9));
    }
    return byte;
}

/* The rest of a name in quotes. */
static bool quoted_name(struct cursor *c, struct arena *arena, struct slice *ret)
{
    uint8_t *to = arena_alloc(arena, cursor_left(c));
    size_t n = 0;

    for (;;) {
        uint8_t byte = cursor_u8(c);

        if (c->bad)
            return false;
        if (byte == '"')
            break;
        to[n++] = byte == '\\' ? unescape(c) : byte;
    }
    *ret = slice_of(to, n);
    return true;
}

static bool read_leg(struct cursor *c, struct arena *arena, struct leg *ret)
{
    uint8_t kind = cursor_u8(c);
    const uint8_t *start;

    *ret = (struct leg){ .member = kind == '.' };
    if (kind == '[') {
        start = c->at;
        while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && ret->index < UINT32_MAX)
            ret->index = ret->index * 10 + (*c->at++ - '0');
        return c->at > start && cursor_u8(c) == ']';
    }
    if (kind != '.' || c->at == c->end)
        return false;
    if (*c->at == '"') {
        c->at++;
        return quoted_name(c, arena, &ret->name);
    }
    start = c->at;
    while (c->at < c->end && *c->at != '.' && *c->at != '[')
        c->at++;
    ret->name = slice_of(start, (size_t)(c->at - start));
    return true;
}

/* Where the pointer to the member of 'n' is that 'leg' names: its end if there is none. */
static struct node **find_member(struct node *n, const struct leg *leg)
{
    struct node **at = &n->members;

    if (n->object)
        while (*at && !slice_eq((*at)->key, leg->name))
            at = &(*at)->next;
    else
        for (uint64_t i = 0; *at && i < leg->index; i++)
            at = &(*at)->next;
    return at;
}

/* Objects keep their keys in order of length, then of bytes. */
static struct node **object_place(struct node *n, struct slice key)
{
    struct node **at = &n->members;

    while (*at && ((*at)->key.size < key.size || ((*at)->key.size == key.size &&
                                                  memcmp((*at)->key.data, key.data, key.size) < 0)))
        at = &(*at)->next;
    return at;
}

static bool change(struct node *parent, const struct leg *leg, const struct json_diff *d,
                   struct arena *arena)
{
    struct node **at, *n;

    if (!open_node(parent, arena) || parent->object != leg->member)
        return false;
    at = find_member(parent, leg);
    if (d->op == JSON_DIFF_REMOVE) {
        if (!*at)
            return false;
        *at = (*at)->next;
        return true;
    }
    n = new_node(arena, json_of_binary(d->value), leg->name);
    if (d->op == JSON_DIFF_REPLACE) {
        if (!*at)
            return false;
        n->next = (*at)->next;
        *at = n;
        return true;
    }
    if (parent->object && *at)
        return false;
    if (parent->object)
        at = object_place(parent, leg->name);
    n->next = *at;
    *at = n;
    return true;
}

static bool apply(struct node *root, const struct json_diff *d, struct arena *arena)
{
    struct cursor path = cursor_of(d->path);
    struct node *parent = root;
    struct leg leg;

    if (cursor_u8(&path) != '$' || !cursor_left(&path) || !read_leg(&path, arena, &leg))
        return false;
    while (cursor_left(&path)) {
        if (!open_node(parent, arena) || parent->object != leg.member)
            return false;
        parent = *find_member(parent, &leg);
        if (!parent || !read_leg(&path, arena, &leg))
            return false;
    }
    return change(parent, &leg, d, arena);
}

static bool print_node(struct json_text *t, const struct node *n, unsigned depth)
{
    if (!n->open)
        return json_binary_print(t, n->value, depth);
    if (depth >= JSON_MAX_DEPTH)
        return false;
    json_text_add(t, n->object ? "{" : "[", 1);
    for (const struct node *m = n->members; m; m = m->next) {
        if (m != n->members)
            json_text_add(t, ", ", 2);
        if (n->object) {
            json_text_string(t, m->key);
            json_text_add(t, ": ", 2);
        }
        if (!print_node(t, m, depth + 1))
            return false;
    }
    json_text_add(t, n->object ? "}" : "]", 1);
    return !t->bad;
}

bool json_diff_apply(struct slice before, struct slice diffs, struct arena *arena,
                     struct slice *ret)
{
    struct node *root = new_node(arena, json_of_binary(before), (struct slice){ 0 });
    struct json_text t = json_text_of(arena, before.size + diffs.size);
    struct cursor c = cursor_of(diffs);
    struct json_diff d;
    int rc;

    while ((rc = json_diff_next(&c, &d)) > 0)
        if (!apply(root, &d, arena))
            return false;
    if (rc < 0 || !print_node(&t, root, 0))
        return false;
    *ret = slice_of(t.data, t.size);
    return true;
}
