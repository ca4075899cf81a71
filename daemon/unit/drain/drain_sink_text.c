/* Statements, as text in a file: NAME.sql in to.dir. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/scope.h"
#include "sink/change_sql.h"
#include "unit/drain/drain_sink.h"

#define WRITE_SIZE ((size_t)1 << 20)

struct text_sink {
    struct drain_sink sink; /* first */
    char *path;
    int fd;
    struct buf pending;
};

static struct text_sink *of(struct drain_sink *s)
{
    return (struct text_sink *)s;
}

static void text_close(struct drain_sink *sink)
{
    struct text_sink *s = of(sink);

    if (s->fd >= 0)
        close(s->fd);
    buf_fini(&s->pending);
    free(s->path);
    free(s);
}

/* A range that begins anew writes its file anew. */
static int text_open(const struct drain_sink_config *c, struct drain_place *start,
                     struct drain_sink **ret, struct err *err)
{
    const char *dir = json_string_value(doc_at(c->doc, "to.dir"));
    json_int_t initial = json_integer_value(doc_at(c->doc, "initial_commit_ts"));
    bool anew = initial >= 0 && start->ts <= (uint64_t)initial;
    struct text_sink *s;

    if (!dir || !*dir)
        return err_set(err, -EINVAL, "to.dir: the folder of the file is not said");
    s = xcalloc(1, sizeof *s);
    s->sink.ops = &drain_sink_text;
    s->path = xasprintf("%s/%s.sql", dir, c->drainer->sync.unit.node.name);
    s->fd = open(s->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (anew ? O_TRUNC : 0), 0600);
    if (s->fd < 0) {
        err_set(err, -errno, "cannot write %s: %m", s->path);
        text_close(&s->sink);
        return err->code;
    }
    *ret = &s->sink;
    return 0;
}

static int flush(struct text_sink *s, struct err *err)
{
    int rc = fd_write(s->fd, s->pending.data, s->pending.size);

    if (rc < 0)
        return err_set(err, rc, "cannot write %s: %s", s->path, strerrordesc_np(-rc));
    buf_clear(&s->pending);
    return 0;
}

static int text_write(struct drain_sink *sink, const struct change_txn *t,
                      const struct drain_place *at, struct err *err)
{
    struct text_sink *s = of(sink);

    change_sql_txn(t, at->lane ? at->lane : NULL, &s->pending);
    return s->pending.size >= WRITE_SIZE ? flush(s, err) : 0;
}

static int text_sync(struct drain_sink *sink, bool wait, struct drain_place *ret, struct err *err)
{
    struct text_sink *s = of(sink);
    int rc = flush(s, err);

    (void)wait, (void)ret;
    if (rc == 0 && fdatasync(s->fd) < 0)
        rc = err_set(err, -errno, "cannot write %s: %m", s->path);
    return rc < 0 ? rc : 1;
}

const struct drain_sink_ops drain_sink_text = {
    .open = text_open, .write = text_write, .sync = text_sync, .close = text_close
};
