#include "unit/sync/sync_spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"

/* step, type, flags, timestamp, size of the body */
#define PACKED_HEADER (1 + 1 + 2 + 4 + 4)

struct spill {
    FILE *file;
    size_t n_events;
    off_t *offsets; /* where each event begins: savepoints return to one */
    size_t cap;
    struct buf body;
};

void raw_event_pack(const struct raw_event *e, struct buf *out)
{
    buf_le(out, e->step, 1);
    buf_le(out, e->type, 1);
    buf_le(out, e->flags, 2);
    buf_le(out, e->timestamp, 4);
    buf_le(out, e->body.size, 4);
    buf_add(out, e->body.data, e->body.size);
}

static size_t unpack_header(struct cursor *c, struct raw_event *ret)
{
    *ret = (struct raw_event){ .step = cursor_u8(c) };
    ret->type = cursor_u8(c);
    ret->flags = cursor_u16(c);
    ret->timestamp = cursor_u32(c);
    return cursor_u32(c);
}

int raw_event_unpack(struct cursor *c, struct raw_event *ret)
{
    size_t size;

    if (cursor_left(c) == 0)
        return 0;
    size = unpack_header(c, ret);
    ret->body = cursor_bytes(c, size);
    return c->bad ? -EBADMSG : 1;
}

static int failed(struct err *err, const char *what)
{
    int code = errno ? -errno : -EIO;

    return err_set(err, code, "%s the file of a large transaction: %s", what,
                   strerrordesc_np(-code));
}

int spill_new(struct spill **ret, const char *dir, const struct raw_txn *txn, struct err *err)
{
    struct spill *s = xcalloc(1, sizeof *s);
    int fd = open(dir ? dir : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), rc = 0;

    s->file = fd < 0 ? NULL : fdopen(fd, "w+");
    if (!s->file) {
        rc = failed(err, "making");
        if (fd >= 0)
            close(fd);
        free(s);
        return rc;
    }
    setvbuf(s->file, NULL, _IOFBF, (size_t)1 << 20);
    for (size_t i = 0; i < txn->n_events && rc == 0; i++)
        rc = spill_add(s, &txn->events[i], err);
    if (rc < 0) {
        spill_free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

void spill_free(struct spill *s)
{
    if (!s)
        return;
    fclose(s->file);
    free(s->offsets);
    buf_fini(&s->body);
    free(s);
}

int spill_add(struct spill *s, const struct raw_event *e, struct err *err)
{
    SCOPED(buf_fini) struct buf head = BUF_INIT;
    struct raw_event empty = *e;

    GROW(s->offsets, s->n_events, s->cap);
    s->offsets[s->n_events++] = ftello(s->file);
    empty.body.size = 0;
    raw_event_pack(&empty, &head);
    head.size -= 4;
    buf_le(&head, e->body.size, 4);
    errno = 0;
    if (fwrite(head.data, head.size, 1, s->file) != 1 ||
        (e->body.size && fwrite(e->body.data, e->body.size, 1, s->file) != 1))
        return failed(err, "writing");
    return 0;
}

size_t spill_events(const struct spill *s)
{
    return s->n_events;
}

int spill_truncate(struct spill *s, size_t n_events, struct err *err)
{
    if (n_events >= s->n_events)
        return 0;
    errno = 0;
    if (fflush(s->file) != 0 || ftruncate(fileno(s->file), s->offsets[n_events]) != 0 ||
        fseeko(s->file, s->offsets[n_events], SEEK_SET) != 0)
        return failed(err, "cutting");
    s->n_events = n_events;
    return 0;
}

int spill_rewind(struct spill *s, struct err *err)
{
    errno = 0;
    return fseeko(s->file, 0, SEEK_SET) == 0 ? 0 : failed(err, "reading");
}

int spill_next(struct spill *s, struct raw_event *ret, struct err *err)
{
    uint8_t head[PACKED_HEADER];
    struct cursor c = { .at = head, .end = head + sizeof head };
    size_t size;

    errno = 0;
    if (fread(head, sizeof head, 1, s->file) != 1)
        return feof(s->file) ? 0 : failed(err, "reading");
    size = unpack_header(&c, ret);
    buf_clear(&s->body);
    buf_reserve(&s->body, size);
    if (size && fread(s->body.data, size, 1, s->file) != 1)
        return failed(err, "reading");
    ret->body = slice_of(s->body.data, size);
    return 1;
}
