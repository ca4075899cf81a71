#include "node/lines.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"

/* A ring: absolute offset o is at data[o % cap]. */
struct lines {
    struct mutex lock;
    size_t min_lines, max_size;
    char *data GUARDED;
    size_t cap GUARDED;
    uint64_t start GUARDED, end GUARDED;
    size_t n_lines GUARDED;
    uint64_t number GUARDED;
    void (*hook)(void *arg, uint64_t number, const char *line);
    void *hook_arg;
};

struct lines *lines_new(size_t min_lines, size_t max_size)
{
    struct lines *l = xcalloc(1, sizeof *l);

    mutex_init(&l->lock);
    l->min_lines = min_lines;
    l->max_size = max_size;
    return l;
}

void lines_free(struct lines *l)
{
    if (!l)
        return;
    mutex_lock(&l->lock);
    free(l->data);
    mutex_unlock(&l->lock);
    mutex_fini(&l->lock);
    free(l);
}

void lines_on_append(struct lines *l, void (*hook)(void *arg, uint64_t number, const char *line),
                     void *arg)
{
    l->hook = hook;
    l->hook_arg = arg;
}

/* Copies ring bytes [from, from + size) to 'ret'. */
static void ring_get(const struct lines *l, uint64_t from, char *ret, size_t size) REQUIRES(l->lock)
{
    size_t at, first;

    if (size == 0)
        return;
    assert(l->cap);
    at = (size_t)(from % l->cap);
    first = size < l->cap - at ? size : l->cap - at;
    memcpy(ret, l->data + at, first);
    memcpy(ret + first, l->data, size - first);
}

static void ring_put(struct lines *l, const char *bytes, size_t size) REQUIRES(l->lock)
{
    size_t at, first;

    assert(l->cap); /* ring_grow() was called */
    at = (size_t)(l->end % l->cap);
    first = size < l->cap - at ? size : l->cap - at;
    memcpy(l->data + at, bytes, first);
    memcpy(l->data, bytes + first, size - first);
    l->end += size;
}

static void ring_grow(struct lines *l, size_t need) REQUIRES(l->lock)
{
    size_t held = (size_t)(l->end - l->start), cap = l->cap ? l->cap : 4096;
    char *data;

    while (cap < need)
        cap *= 2;
    if (cap == l->cap)
        return;
    data = xmalloc(cap);
    for (size_t done = 0; done < held;) { /* byte o goes to o % cap of the new ring */
        size_t at = (size_t)((l->start + done) % cap);
        size_t part = held - done < cap - at ? held - done : cap - at;

        ring_get(l, l->start + done, data + at, part);
        done += part;
    }
    free(l->data);
    l->data = data;
    l->cap = cap;
}

static void drop_oldest(struct lines *l) REQUIRES(l->lock)
{
    while (l->data[l->start++ % l->cap] != '\n')
        ;
    l->n_lines--;
}

static uint64_t append(struct lines *l, const char *line, size_t size) REQUIRES(l->lock)
{
    size_t held = (size_t)(l->end - l->start);

    while (l->n_lines >= l->min_lines && l->n_lines && held + size > l->max_size) {
        drop_oldest(l);
        held = (size_t)(l->end - l->start);
    }
    ring_grow(l, held + size);
    ring_put(l, line, size);
    l->n_lines++;
    return l->number++;
}

/* The line with its newline, as it is kept. */
static char *as_line(const char *line, size_t *size)
{
    size_t len = strlen(line);
    char *copy = xmalloc(len + 2);

    for (size_t i = 0; i < len; i++)
        copy[i] = (char)(line[i] == '\n' ? ' ' : line[i]);
    copy[len] = '\n';
    copy[len + 1] = '\0';
    *size = len + 1;
    return copy;
}

void lines_append(struct lines *l, const char *line)
{
    size_t size;
    char *copy = as_line(line, &size);
    uint64_t number;

    mutex_lock(&l->lock);
    number = append(l, copy, size);
    mutex_unlock(&l->lock);
    copy[size - 1] = '\0';
    if (l->hook)
        l->hook(l->hook_arg, number, copy);
    free(copy);
}

void lines_restore(struct lines *l, const char *line)
{
    size_t size;
    char *copy = as_line(line, &size);

    mutex_lock(&l->lock);
    append(l, copy, size);
    mutex_unlock(&l->lock);
    free(copy);
}

void lines_set_number(struct lines *l, uint64_t number)
{
    mutex_lock(&l->lock);
    l->number = number;
    mutex_unlock(&l->lock);
}

uint64_t lines_start(struct lines *l)
{
    uint64_t v;

    mutex_lock(&l->lock);
    v = l->start;
    mutex_unlock(&l->lock);
    return v;
}

uint64_t lines_end(struct lines *l)
{
    uint64_t v;

    mutex_lock(&l->lock);
    v = l->end;
    mutex_unlock(&l->lock);
    return v;
}

size_t lines_read(struct lines *l, uint64_t offset, char *ret, size_t size)
{
    size_t n = 0;

    mutex_lock(&l->lock);
    if (offset >= l->start && offset < l->end) {
        n = l->end - offset < size ? (size_t)(l->end - offset) : size;
        ring_get(l, offset, ret, n);
    }
    mutex_unlock(&l->lock);
    return n;
}

void lines_copy(struct lines *l, struct buf *out)
{
    size_t held;

    mutex_lock(&l->lock);
    held = (size_t)(l->end - l->start);
    if (buf_reserve(out, held)) {
        ring_get(l, l->start, out->data + out->size, held);
        out->size += held;
        out->data[out->size] = '\0';
    }
    mutex_unlock(&l->lock);
}

json_t *lines_json(struct lines *l)
{
    struct buf b = BUF_INIT;
    json_t *all = json_array();
    char *text, *rest, *line;

    lines_copy(l, &b);
    text = rest = buf_steal(&b);
    while ((line = strsep(&rest, "\n")) && rest) {
        json_t *v = json_loads(line, JSON_DECODE_ANY, NULL);

        json_array_append_new(all, v ? v : json_string(line));
    }
    free(text);
    return all;
}
