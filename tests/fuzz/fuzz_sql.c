/* SQL of clients: every statement gets one whole answer, and none of them takes the server down. */
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

#include "mysql/packet.h"
#include "mysql/sql.h"
#include "mysql/wire.h"

static bool variable(void *arg, const char *name, struct buf *ret)
{
    (void)arg;
    buf_str(ret, name);
    return name[0] != 'x';
}

static void each_variable(void *arg, void (*visit)(void *to, const char *name, const char *value),
                          void *to)
{
    (void)arg;
    visit(to, "server_id", "7");
    visit(to, "binlog_format", "ROW");
}

static int function(void *arg, const char *name, char *const *args, size_t n, struct buf *ret,
                    struct err *err)
{
    (void)arg, (void)err;
    buf_printf(ret, "%s%s", name, n && args[0] ? args[0] : "");
    return name[0] == 'x' ? -ENOENT : 1;
}

static int show(void *arg, enum sql_show what, const struct sql_show_args *args, struct wire *w,
                struct err *err)
{
    (void)arg, (void)args;
    packet_ok(w);
    return what == SQL_REPLICAS ? err_set(err, -EIO, "half an answer") : 0;
}

static unsigned check(void *arg, const char *name, const char *value, struct err *err)
{
    (void)arg, (void)value;
    return name[0] == 'x' ? (unsigned)-err_set(err, -EINVAL, "no") : 0;
}

static bool kill_one(void *arg, uint64_t id)
{
    (void)arg;
    return id % 2;
}

static const struct sql_host host = { .variable = variable,
                                      .each_variable = each_variable,
                                      .function = function,
                                      .show = show,
                                      .check = check,
                                      .kill = kill_one };

/* Packets follow one another to the end, numbered. */
static void check_answer(const struct wire *w)
{
    size_t at = 0;
    uint8_t seq = 0;

    assert(w->out.size > 0);
    while (at < w->out.size) {
        const uint8_t *p = (const uint8_t *)w->out.data + at;

        assert(p[3] == seq++);
        at += 4 + (size_t)(p[0] | p[1] << 8 | p[2] << 16);
    }
    assert(at == w->out.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wire w;
    struct sql_session s;

    if (w.fd == 0)
        wire_init(&w, -1);
    sql_session_init(&s, &host, &w);
    while (size > 0) { /* lines are statements of one connection */
        const uint8_t *end = memchr(data, '\n', size);
        size_t n = end ? (size_t)(end - data) + 1 : size;

        buf_clear(&w.out);
        w.seq = 0;
        sql_answer(&s, slice_of(data, n));
        check_answer(&w);
        data += n;
        size -= n;
    }
    sql_session_fini(&s);
    return 0;
}
