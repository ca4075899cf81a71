/*
 * gtid_set.h - GTID sets of MySQL ("uuid[:tag]:1-5:7,...") and MariaDB
 * ("0-1-100,1-1-7": the last of each domain) behind one interface.
 */
#ifndef SLUICE_BINLOG_GTID_SET_H
#define SLUICE_BINLOG_GTID_SET_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "binlog/event.h"

/* One transaction's identity. */
struct gtid {
    enum flavor flavor;
    uint8_t uuid[16];   /* MySQL */
    char tag[33];       /* MySQL 8.3+; "" if none */
    uint32_t domain;    /* MariaDB */
    uint32_t server_id; /* MariaDB */
    uint64_t number;    /* GNO or sequence number; 0 means there is no GTID */
};

/* Sets the tag, folded to lower case; false if it is none: a letter or '_', then digits too, at
 * most 32 ("" is fine: no tag). */
bool gtid_tag(struct gtid *g, struct slice tag);

struct gtid_set;

struct gtid_set *gtid_set_new(enum flavor flavor);
void gtid_set_free(struct gtid_set *s); /* NULL is fine */

static inline void gtid_set_freep(struct gtid_set **s) /* for SCOPED() */
{
    gtid_set_free(*s);
}

struct gtid_set *gtid_set_copy(const struct gtid_set *s); /* NULL gives NULL */
enum flavor gtid_set_flavor(const struct gtid_set *s);

/* Parses 'text' (white space and newlines allowed).  Returns 0 or -EINVAL. */
int gtid_set_parse(struct gtid_set **ret, enum flavor flavor, const char *text, struct err *err);
void gtid_set_print(const struct gtid_set *s, struct buf *out); /* canonical, sorted */

/* MariaDB: the domain's last becomes 'g', whatever its number (the order is the binlog's). */
void gtid_set_add(struct gtid_set *s, const struct gtid *g);
bool gtid_set_has(const struct gtid_set *s, const struct gtid *g);
bool gtid_set_empty(const struct gtid_set *s);
/* Every transaction of 'a' is in 'b'. */
bool gtid_set_subset(const struct gtid_set *a, const struct gtid_set *b);
bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b);
void gtid_set_union(struct gtid_set *to, const struct gtid_set *from);
void gtid_set_subtract(struct gtid_set *from, const struct gtid_set *what); /* MySQL sets only */

/* What is in a set.  MySQL: a server (and tag) and its intervals, sorted,
 * disjoint, never touching.  MariaDB: 'id' is the last GTID of a domain. */
struct gtid_interval {
    uint64_t from, to; /* 'to' is not in it */
};
struct gtid_member {
    struct gtid id; /* 'number': MariaDB only */
    struct gtid_interval *intervals;
    size_t n_intervals, cap;
};
/* Borrowed, sorted; valid until the set changes. */
const struct gtid_member *gtid_set_members(const struct gtid_set *s, size_t *n);
/* MySQL: adds from .. to - 1 of the server and tag of 'id'.  -EINVAL if that is no interval. */
int gtid_set_add_interval(struct gtid_set *s, const struct gtid *id, uint64_t from, uint64_t to);

/* The body of COM_BINLOG_DUMP_GTID and of PREVIOUS_GTIDS: n_sids, then sid,
 * n_intervals, intervals; the tagged form if any tag is in it.  MySQL sets only. */
void gtid_set_encode(const struct gtid_set *s, struct buf *out);
/* The same back from a PREVIOUS_GTIDS event's body, or the set from a MariaDB
 * GTID_LIST event's.  Returns 0 or -EBADMSG. */
int gtid_set_decode(struct gtid_set **ret, enum flavor flavor, struct slice body, struct err *err);

void gtid_print(const struct gtid *g, struct buf *out); /* "" if it has no number */
/* One GTID: "uuid[:tag]:5" or "0-1-100".  Returns 0 or -EINVAL. */
int gtid_parse(struct gtid *ret, enum flavor flavor, const char *text, struct err *err);

#endif
