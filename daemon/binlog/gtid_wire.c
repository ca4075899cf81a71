/* GTID sets as servers send them. */
#include <errno.h>

#include "base/cursor.h"
#include "base/scope.h"
#include "binlog/gtid_set.h"
#include "binlog/varlen.h"

#define UUID_SIZE 16
#define TAGGED 1 /* in the lowest and the highest byte of the count */

static bool has_tags(const struct gtid_member *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (m[i].id.tag[0])
            return true;
    return false;
}

void gtid_set_encode(const struct gtid_set *s, struct buf *out)
{
    size_t n;
    const struct gtid_member *m = gtid_set_members(s, &n);
    bool tagged = has_tags(m, n);

    buf_le(out, tagged ? (uint64_t)TAGGED << 56 | (uint64_t)n << 8 | TAGGED : n, 8);
    for (size_t i = 0; i < n; i++) {
        buf_add(out, m[i].id.uuid, UUID_SIZE);
        if (tagged) {
            buf_varlen(out, strlen(m[i].id.tag));
            buf_str(out, m[i].id.tag);
        }
        buf_le(out, m[i].n_intervals, 8);
        for (size_t k = 0; k < m[i].n_intervals; k++) {
            buf_le(out, m[i].intervals[k].from, 8);
            buf_le(out, m[i].intervals[k].to, 8);
        }
    }
}

static void read_member(struct cursor *c, bool tagged, struct gtid_set *s)
{
    struct gtid id = { .flavor = FLAVOR_MYSQL };
    struct slice uuid = cursor_bytes(c, UUID_SIZE);
    uint64_t n;

    if (uuid.size)
        memcpy(id.uuid, uuid.data, UUID_SIZE);
    if (tagged && !gtid_tag(&id, cursor_bytes(c, cursor_varlen(c))))
        c->bad = true;
    n = cursor_u64(c);
    while (n-- > 0 && !c->bad) {
        uint64_t from = cursor_u64(c), to = cursor_u64(c);

        if (!c->bad && gtid_set_add_interval(s, &id, from, to) < 0)
            c->bad = true;
    }
}

static void read_mysql(struct cursor *c, struct gtid_set *s)
{
    uint64_t head = cursor_u64(c);
    bool tagged = head >> 56 == TAGGED;
    uint64_t n = tagged ? head >> 8 & 0xffffffffffff : head;

    while (n-- > 0 && !c->bad)
        read_member(c, tagged, s);
}

/* The lowest 28 bits are the count, the rest flags.  Several servers may be listed
 * in one domain: the last is the latest. */
static void read_mariadb(struct cursor *c, struct gtid_set *s)
{
    uint32_t n = cursor_u32(c) & 0xfffffff;

    while (n-- > 0 && !c->bad) {
        struct gtid g = { .flavor = FLAVOR_MARIADB };

        g.domain = cursor_u32(c);
        g.server_id = cursor_u32(c);
        g.number = cursor_u64(c);
        if (!c->bad)
            gtid_set_add(s, &g);
    }
}

static void freep_set(struct gtid_set **s)
{
    gtid_set_free(*s);
}

int gtid_set_decode(struct gtid_set **ret, enum flavor flavor, struct slice body, struct err *err)
{
    SCOPED(freep_set) struct gtid_set *s = gtid_set_new(flavor);
    struct cursor c = cursor_of(body);

    if (flavor == FLAVOR_MARIADB)
        read_mariadb(&c, s);
    else
        read_mysql(&c, s);
    if (c.bad)
        return err_set(err, -EBADMSG, "a GTID set of %zu bytes cannot be read", body.size);
    *ret = STEAL(s);
    return 0;
}
