/* GTIDs and their sets as text, in both flavours' notation. */
#include <ctype.h>
#include <errno.h>

#include "base/scope.h"
#include "binlog/gtid_set.h"

#define UUID_SIZE 16

static void print_uuid(const uint8_t uuid[UUID_SIZE], struct buf *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < UUID_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            buf_byte(out, '-');
        buf_byte(out, digits[uuid[i] >> 4]);
        buf_byte(out, digits[uuid[i] & 15]);
    }
}

static void print_mariadb(const struct gtid *g, struct buf *out)
{
    buf_u64_text(out, g->domain);
    buf_byte(out, '-');
    buf_u64_text(out, g->server_id);
    buf_byte(out, '-');
    buf_u64_text(out, g->number);
}

static void print_tag(const struct gtid *g, struct buf *out)
{
    if (g->tag[0]) {
        buf_byte(out, ':');
        buf_str(out, g->tag);
    }
}

void gtid_print(const struct gtid *g, struct buf *out)
{
    if (g->number == 0)
        return;
    if (g->flavor == FLAVOR_MARIADB) {
        print_mariadb(g, out);
        return;
    }
    print_uuid(g->uuid, out);
    print_tag(g, out);
    buf_byte(out, ':');
    buf_u64_text(out, g->number);
}

static void print_intervals(const struct gtid_member *m, struct buf *out)
{
    for (size_t i = 0; i < m->n_intervals; i++) {
        const struct gtid_interval *v = &m->intervals[i];

        buf_byte(out, ':');
        buf_u64_text(out, v->from);
        if (v->to - v->from > 1) {
            buf_byte(out, '-');
            buf_u64_text(out, v->to - 1);
        }
    }
}

/* The tags of one server follow each other: "uuid:1-5:tag:7". */
void gtid_set_print(const struct gtid_set *s, struct buf *out)
{
    size_t n;
    const struct gtid_member *m = gtid_set_members(s, &n);

    for (size_t i = 0; i < n; i++) {
        bool same_server = i > 0 && gtid_set_flavor(s) == FLAVOR_MYSQL &&
                           memcmp(m[i].id.uuid, m[i - 1].id.uuid, UUID_SIZE) == 0;

        if (i > 0 && !same_server)
            buf_byte(out, ',');
        if (gtid_set_flavor(s) == FLAVOR_MARIADB) {
            print_mariadb(&m[i].id, out);
            continue;
        }
        if (!same_server)
            print_uuid(m[i].id.uuid, out);
        print_tag(&m[i].id, out);
        print_intervals(&m[i], out);
    }
}

static const char *skip_space(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

static const char *skip_separators(const char *p)
{
    while (*p == ',' || isspace((unsigned char)*p))
        p++;
    return p;
}

static bool read_number(const char **p, uint64_t max, uint64_t *ret)
{
    const char *at = skip_space(*p);
    uint64_t v = 0;

    if (!isdigit((unsigned char)*at))
        return false;
    for (; isdigit((unsigned char)*at); at++) {
        unsigned digit = (unsigned)(*at - '0');

        if (v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *p = skip_space(at);
    *ret = v;
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_uuid(const char **p, uint8_t uuid[UUID_SIZE])
{
    const char *at = skip_space(*p);

    for (size_t i = 0; i < UUID_SIZE; i++) {
        int high, low;

        if (*at == '-' && i > 0)
            at++;
        if ((high = hex_value(at[0])) < 0 || (low = hex_value(at[1])) < 0)
            return false;
        uuid[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *p = skip_space(at);
    return true;
}

bool gtid_tag(struct gtid *g, struct slice tag)
{
    if (tag.size >= sizeof g->tag || (tag.size && isdigit(tag.data[0])))
        return false;
    for (size_t i = 0; i < tag.size; i++) {
        if (!isalnum(tag.data[i]) && tag.data[i] != '_')
            return false;
        g->tag[i] = (char)tolower(tag.data[i]);
    }
    g->tag[tag.size] = '\0';
    return true;
}

/* "tag:", if one stands here rather than a number. */
static bool read_tag(const char **p, struct gtid *g)
{
    const char *at = *p;

    if (!isalpha((unsigned char)*at) && *at != '_')
        return true;
    while (isalnum((unsigned char)*at) || *at == '_')
        at++;
    if (!gtid_tag(g, slice_of(*p, (size_t)(at - *p))))
        return false;
    *p = skip_space(at);
    return *(*p)++ == ':';
}

static bool read_interval(const char **p, struct gtid_interval *ret)
{
    uint64_t first, last;

    if (!read_number(p, INT64_MAX, &first))
        return false;
    last = first;
    if (**p == '-') {
        ++*p;
        if (!read_number(p, INT64_MAX, &last))
            return false;
    }
    *ret = (struct gtid_interval){ first, last + 1 };
    return true;
}

/* uuid:[tag:]1-5:7[:tag:3]... */
static bool read_mysql_member(const char **p, struct gtid_set *s)
{
    struct gtid id = { .flavor = FLAVOR_MYSQL };

    if (!read_uuid(p, id.uuid) || **p != ':')
        return false;
    while (**p == ':') {
        struct gtid_interval v;

        *p = skip_space(*p + 1);
        if (!read_tag(p, &id) || !read_interval(p, &v) ||
            gtid_set_add_interval(s, &id, v.from, v.to) < 0)
            return false;
    }
    return true;
}

static bool read_mariadb(const char **p, struct gtid *ret)
{
    struct gtid g = { .flavor = FLAVOR_MARIADB };
    uint64_t domain, server;

    if (!read_number(p, UINT32_MAX, &domain) || *(*p)++ != '-' ||
        !read_number(p, UINT32_MAX, &server) || *(*p)++ != '-' ||
        !read_number(p, UINT64_MAX, &g.number))
        return false;
    g.domain = (uint32_t)domain;
    g.server_id = (uint32_t)server;
    *ret = g;
    return true;
}

static bool read_mariadb_member(const char **p, struct gtid_set *s)
{
    struct gtid g;

    if (!read_mariadb(p, &g) ||
        gtid_set_has(s,
                     &(struct gtid){ .flavor = FLAVOR_MARIADB, .domain = g.domain, .number = 1 }))
        return false; /* a domain twice */
    gtid_set_add(s, &g);
    return true;
}

static void freep_set(struct gtid_set **s)
{
    gtid_set_free(*s);
}

int gtid_set_parse(struct gtid_set **ret, enum flavor flavor, const char *text, struct err *err)
{
    SCOPED(freep_set) struct gtid_set *s = gtid_set_new(flavor);
    const char *p = skip_separators(text);

    while (*p) {
        const char *at = p;
        bool ok = flavor == FLAVOR_MARIADB ? read_mariadb_member(&p, s) : read_mysql_member(&p, s);

        if (!ok || (*p && *p != ','))
            return err_set(err, -EINVAL, "bad GTID set at '%.40s': %s expected", at,
                           flavor == FLAVOR_MARIADB ? "domain-server-number, each domain once,"
                                                    : "uuid[:tag]:first-last");
        p = skip_separators(p);
    }
    *ret = STEAL(s);
    return 0;
}

int gtid_parse(struct gtid *ret, enum flavor flavor, const char *text, struct err *err)
{
    struct gtid g = { .flavor = flavor };
    const char *p = text;
    bool ok;

    if (flavor == FLAVOR_MARIADB) {
        ok = read_mariadb(&p, &g);
    } else {
        ok = read_uuid(&p, g.uuid) && *p++ == ':' && read_tag(&p, &g) &&
             read_number(&p, INT64_MAX - 1, &g.number);
    }
    if (!ok || *p || g.number == 0)
        return err_set(err, -EINVAL, "bad GTID '%.80s'", text);
    *ret = g;
    return 0;
}
