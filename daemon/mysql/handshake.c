#include "mysql/handshake.h"

#include <errno.h>
#include <mysql.h>

#include "base/cursor.h"
#include "base/mem.h"

enum {
    GREETING_VERSION = 10,
    CHARSET_UTF8 = 33,
    STATUS_AUTOCOMMIT = 2,
    SALT_HEAD = 8, /* bytes of the salt that protocol version 9 had room for */
    RESERVED_SIZE = 10,
    LOGIN_FILLER = 23,
};

#define OFFERED                                                                                 \
    ((uint32_t)(CLIENT_MYSQL | CLIENT_LONG_FLAG | CLIENT_CONNECT_WITH_DB | CLIENT_PROTOCOL_41 | \
                CLIENT_TRANSACTIONS | CLIENT_SECURE_CONNECTION | CLIENT_MULTI_STATEMENTS |      \
                CLIENT_MULTI_RESULTS | CLIENT_PLUGIN_AUTH | CLIENT_CONNECT_ATTRS |              \
                CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA))

static void zeroes(struct buf *out, unsigned n)
{
    while (n-- > 0)
        buf_byte(out, 0);
}

/* Replicas of MariaDB before 10.0's kind take a first digit above 5 for MySQL 5.x's heir. */
static bool needs_prefix(const char *version)
{
    return strstr(version, "MariaDB") != NULL;
}

void greeting_build(const struct greeting *g, struct buf *out)
{
    uint32_t caps = OFFERED | (g->tls ? CLIENT_SSL : 0);

    buf_byte(out, GREETING_VERSION);
    if (needs_prefix(g->version))
        buf_str(out, "5.5.5-");
    buf_add(out, g->version, strlen(g->version) + 1);
    buf_le(out, g->connection, 4);
    buf_add(out, g->salt, SALT_HEAD);
    buf_byte(out, 0);
    buf_le(out, caps & 0xffff, 2);
    buf_byte(out, CHARSET_UTF8);
    buf_le(out, STATUS_AUTOCOMMIT, 2);
    buf_le(out, caps >> 16, 2);
    buf_byte(out, SALT_SIZE + 1);
    zeroes(out, RESERVED_SIZE);
    buf_add(out, g->salt + SALT_HEAD, SALT_SIZE - SALT_HEAD);
    buf_byte(out, 0);
    buf_add(out, g->plugin, strlen(g->plugin) + 1);
}

/* Up to its NUL, which is taken too. */
static struct slice text(struct cursor *c)
{
    const uint8_t *end = memchr(c->at, 0, cursor_left(c));
    struct slice s;

    if (!end) {
        c->bad = true;
        return cursor_rest(c);
    }
    s = cursor_bytes(c, (size_t)(end - c->at));
    cursor_skip(c, 1);
    return s;
}

static struct slice proof(struct cursor *c, uint32_t capabilities)
{
    if (capabilities & CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)
        return cursor_bytes(c, cursor_lenenc(c));
    if (capabilities & CLIENT_SECURE_CONNECTION)
        return cursor_bytes(c, cursor_u8(c));
    return text(c);
}

/* The rest of the packet, connection attributes, tells us nothing that we need. */
int login_parse(struct slice packet, struct login *ret, struct err *err)
{
    struct cursor c = cursor_of(packet);
    struct login l = { .capabilities = cursor_u32(&c) };

    if (!(l.capabilities & CLIENT_PROTOCOL_41))
        return err_set(err, -ENOTSUP, "the client speaks a protocol older than that of MySQL 4.1");
    cursor_skip(&c, 4 + 1 + LOGIN_FILLER); /* its largest packet, its character set */
    l.tls = l.capabilities & CLIENT_SSL;
    if (l.tls && cursor_left(&c) == 0 && !c.bad) {
        *ret = l;
        return 0;
    }
    l.tls = false;
    l.user = text(&c);
    l.proof = proof(&c, l.capabilities);
    if ((l.capabilities & CLIENT_CONNECT_WITH_DB) && cursor_left(&c))
        (void)text(&c);
    if ((l.capabilities & CLIENT_PLUGIN_AUTH) && cursor_left(&c))
        l.plugin = text(&c);
    if (c.bad)
        return err_set(err, -EBADMSG, "the login packet is cut short");
    *ret = l;
    return 0;
}

/* Source: MySQL Source Code Documentation, "COM_CHANGE_USER". */
int change_user_parse(struct slice body, uint32_t capabilities, struct login *ret, struct err *err)
{
    struct cursor c = cursor_of(body);
    struct login l = { .capabilities = capabilities & ~(uint32_t)CLIENT_SSL };

    l.user = text(&c);
    l.proof = cursor_bytes(&c, cursor_u8(&c));
    if (cursor_left(&c))
        (void)text(&c); /* its database */
    if (cursor_left(&c)) {
        cursor_skip(&c, 2); /* its character set */
        if ((capabilities & CLIENT_PLUGIN_AUTH) && cursor_left(&c))
            l.plugin = text(&c);
    }
    if (c.bad)
        return err_set(err, -EBADMSG, "the change of user is cut short");
    *ret = l;
    return 0;
}
