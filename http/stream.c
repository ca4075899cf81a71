/* stream.c - server-sent events. */
#include "http/stream.h"

#include <errno.h>
#include <microhttpd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "node/lines.h"
#include "node/watch.h"

struct stream {
    struct streams *all;
    struct stream *next, **link GUARDED; /* in all->first */
    struct target target;
    struct watch *watch;
    struct MHD_Connection *conn;
    struct lines *lines; /* of a file of lines, else NULL */
    uint64_t offset;     /* of the next line */
    struct buf out;      /* rendered, not sent yet: from 'sent' */
    size_t sent;

    struct mutex lock; /* after watch.c's, before libmicrohttpd's */
    bool woken GUARDED, beat GUARDED, suspended GUARDED, ending GUARDED;
};

struct streams {
    struct mutex lock; /* before a stream's */
    struct cond cond;
    struct stream *first GUARDED;
    bool ending GUARDED;
    pthread_t heart;
};

/* --- rendering --- */

static void render_event(const char *event, uint64_t id, const json_t *data, struct buf *out)
{
    char *text = json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    buf_printf(out, "event: %s\n", event);
    if (id)
        buf_printf(out, "id: %llu\n", (unsigned long long)id);
    buf_printf(out, "data: %s\n\n", text ? text : "null");
    free(text);
}

/* Leaves in {"changed":{…}} only what the watched attribute is called. */
static void keep_one(json_t *data, const char *name)
{
    json_t *changed = json_object_get(data, "changed");
    json_t *v = json_incref(json_object_get(changed, name));

    json_object_clear(changed);
    if (v)
        json_object_set_new(changed, name, v);
}

/* Appends one event.  Nothing if 't' is an attribute that 'c' does not touch. */
static void stream_render(const struct target *t, const struct change *c, struct buf *out)
{
    json_t *data;

    if (t->attr && c->kind != CHANGE_RESET && c->kind != CHANGE_REMOVE &&
        (c->node != t->node || !change_has(c, t->attr)))
        return;
    if (t->attr && c->kind == CHANGE_REMOVE && !t->node->removed)
        return;
    data = change_json(c);
    if (t->attr)
        keep_one(data, t->attr->name);
    render_event(change_kind_names[c->kind], c->seq, data, out);
    json_decref(data);
}

/* The values as they are now, which a new stream begins with. */
static void render_present(const struct target *t, struct buf *out)
{
    struct err err = ERR_INIT;
    char *path = node_path(t->node);
    json_t *v = target_read(t, &err);

    if (v && t->attr)
        v = json_pack("{s:o}", t->attr->name, v);
    if (v) {
        json_t *data = json_pack("{s:s,s:o}", "path", path, "changed", v);

        render_event(change_kind_names[CHANGE_VALUES], 0, data, out);
        json_decref(data);
    }
    free(path);
}

/* --- lines --- */

enum { LINES_BLOCK = 64 * 1024 };

/* Where a new stream begins: some lines before the end. */
static uint64_t last_lines(struct lines *l)
{
    uint64_t end = lines_end(l), from = lines_start(l);
    char block[4096];
    size_t size;
    int n = 0;

    if (end - from > sizeof block)
        from = end - sizeof block;
    size = lines_read(l, from, block, (size_t)(end - from));
    for (size_t i = size; i-- > 0;)
        if (block[i] == '\n' && n++ == LINES_AT_START)
            return from + i + 1;
    return from == lines_start(l) ? from : end;
}

/* Where one resumes; from the oldest if that is gone, or of another run. */
static uint64_t resume_lines(struct lines *l, uint64_t since)
{
    return since < lines_start(l) || since > lines_end(l) ? lines_start(l) : since;
}

/* Renders the lines that are complete, some at a time. */
static void render_lines(struct stream *s)
{
    char *block = xmalloc(LINES_BLOCK), *at = block, *end;
    size_t size;

    if (s->offset < lines_start(s->lines))
        s->offset = lines_start(s->lines);
    size = lines_read(s->lines, s->offset, block, LINES_BLOCK);
    while ((end = memchr(at, '\n', size - (size_t)(at - block)))) {
        s->offset += (uint64_t)(end + 1 - at);
        buf_printf(&s->out, "event: line\nid: %llu\ndata: %.*s\n\n", (unsigned long long)s->offset,
                   (int)(end - at), at);
        at = end + 1;
    }
    free(block);
}

/* --- waking and sleeping --- */

static void wake_locked(struct stream *s) REQUIRES(s->lock)
{
    if (s->suspended)
        MHD_resume_connection(s->conn);
    s->suspended = false;
}

static void wake(void *stream)
{
    struct stream *s = stream;

    mutex_lock(&s->lock);
    s->woken = true;
    wake_locked(s);
    mutex_unlock(&s->lock);
}

/* What the next read has to do besides changes. */
enum todo { LOOK_AGAIN, BEAT, SLEEP, END };

/* Decides it; for SLEEP the connection is suspended already, so no wake gets lost. */
static enum todo next_todo(struct stream *s)
{
    enum todo todo = SLEEP;

    mutex_lock(&s->lock);
    if (s->ending)
        todo = END;
    else if (s->woken)
        todo = LOOK_AGAIN;
    else if (s->beat)
        todo = BEAT;
    else {
        s->suspended = true;
        MHD_suspend_connection(s->conn);
    }
    s->woken = s->beat = false;
    mutex_unlock(&s->lock);
    return todo;
}

/* Renders changes until there is something to send; otherwise says what to do. */
static enum todo fill(struct stream *s)
{
    struct change c;

    buf_clear(&s->out);
    s->sent = 0;
    for (;;) {
        enum todo todo;

        while (s->out.size == 0 && watch_next(s->watch, &c)) {
            if (!s->lines)
                stream_render(&s->target, &c, &s->out);
            change_fini(&c);
        }
        if (s->lines)
            render_lines(s);
        if (s->out.size)
            return LOOK_AGAIN;
        todo = next_todo(s);
        if (todo == BEAT)
            buf_str(&s->out, ":\n\n");
        if (todo != LOOK_AGAIN)
            return todo;
    }
}

ssize_t stream_read(void *stream, uint64_t pos, char *ret, size_t max)
{
    struct stream *s = stream;
    size_t size;

    (void)pos;
    if (s->sent == s->out.size) {
        enum todo todo = fill(s);

        if (todo == END)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (todo == SLEEP)
            return 0;
    }
    size = s->out.size - s->sent < max ? s->out.size - s->sent : max;
    memcpy(ret, s->out.data + s->sent, size);
    s->sent += size;
    return (ssize_t)size;
}

/* --- all of them --- */

static void *beat_hearts(void *arg)
{
    struct streams *all = arg;

    mutex_lock(&all->lock);
    while (!all->ending) {
        if (cond_wait(&all->cond, &all->lock, (int64_t)HEARTBEAT_S * 1000))
            continue;
        for (struct stream *s = all->first; s; s = s->next) {
            mutex_lock(&s->lock);
            s->beat = true;
            wake_locked(s);
            mutex_unlock(&s->lock);
        }
    }
    mutex_unlock(&all->lock);
    return NULL;
}

struct streams *streams_new(void)
{
    struct streams *all = xcalloc(1, sizeof *all);

    mutex_init(&all->lock);
    cond_init(&all->cond);
    all->heart = thread_start("http-heart", beat_hearts, all);
    return all;
}

void streams_end(struct streams *all)
{
    mutex_lock(&all->lock);
    all->ending = true;
    cond_broadcast(&all->cond);
    for (struct stream *s = all->first; s; s = s->next) {
        mutex_lock(&s->lock);
        s->ending = true;
        wake_locked(s);
        mutex_unlock(&s->lock);
    }
    mutex_unlock(&all->lock);
}

void streams_free(struct streams *all)
{
    if (!all)
        return;
    streams_end(all);
    thread_join(all->heart);
    cond_fini(&all->cond);
    mutex_fini(&all->lock);
    free(all);
}

static bool enlist(struct streams *all, struct stream *s)
{
    bool ok;

    mutex_lock(&all->lock);
    ok = !all->ending;
    if (ok) {
        s->next = all->first;
        s->link = &all->first;
        if (s->next)
            s->next->link = &s->next;
        all->first = s;
    }
    mutex_unlock(&all->lock);
    return ok;
}

static void delist(struct stream *s)
{
    mutex_lock(&s->all->lock);
    if (s->link) {
        *s->link = s->next;
        if (s->next)
            s->next->link = s->link;
    }
    mutex_unlock(&s->all->lock);
}

struct stream *stream_open(struct streams *all, const struct target *t, uint64_t since,
                           struct MHD_Connection *conn, struct err *err)
{
    struct stream *s = xcalloc(1, sizeof *s);

    mutex_init(&s->lock);
    s->all = all;
    s->conn = conn;
    s->target = *t;
    node_ref(t->node);
    s->lines = t->attr && t->attr->lines ? t->attr->lines(t->node, t->attr) : NULL;
    s->watch = watch_subscribe(t->node, s->lines ? 0 : since, wake, s);
    buf_str(&s->out, "retry: 2000\n\n");
    if (s->lines)
        s->offset = since ? resume_lines(s->lines, since) : last_lines(s->lines);
    else if (!since)
        render_present(t, &s->out);
    if (enlist(all, s))
        return s;
    stream_free(s);
    err_set(err, -ESHUTDOWN, "the daemon is stopping");
    return NULL;
}

void stream_free(void *stream)
{
    struct stream *s = stream;

    delist(s);
    watch_unsubscribe(s->watch);
    target_release(&s->target);
    buf_fini(&s->out);
    mutex_fini(&s->lock);
    free(s);
}
