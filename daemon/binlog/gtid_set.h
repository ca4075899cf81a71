/*
 * gtid_set.h - GTID sets of MySQL ("uuid[:tag]:1-5:7,...") and MariaDB
 * ("0-1-100,1-1-7": the last of each domain) behind one interface.
 */
#ifndef SLUICE_BINLOG_GTID_SET_H
#define SLUICE_BINLOG_GTID_SET_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
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

struct gtid_set;

struct gtid_set *gtid_set_new(enum flavor flavor);
void gtid_set_free(struct gtid_set *s);
struct gtid_set *gtid_set_copy(const struct gtid_set *s); /* NULL gives NULL */
enum flavor gtid_set_flavor(const struct gtid_set *s);

/* Parses 'text' (white space and newlines allowed).  Returns 0 or -EINVAL. */
int gtid_set_parse(struct gtid_set **ret, enum flavor flavor, const char *text, struct err *err);
void gtid_set_print(const struct gtid_set *s, struct buf *out); /* canonical, sorted */

void gtid_set_add(struct gtid_set *s, const struct gtid *g);
bool gtid_set_has(const struct gtid_set *s, const struct gtid *g);
bool gtid_set_empty(const struct gtid_set *s);
/* Every transaction of 'a' is in 'b'. */
bool gtid_set_subset(const struct gtid_set *a, const struct gtid_set *b);
bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b);
void gtid_set_union(struct gtid_set *to, const struct gtid_set *from);
void gtid_set_subtract(struct gtid_set *from, const struct gtid_set *what); /* MySQL sets only */

/* The body of COM_BINLOG_DUMP_GTID: n_sids, then sid, n_intervals, intervals;
 * the tagged form if any tag is in it. */
void gtid_set_encode(const struct gtid_set *s, struct buf *out);

void gtid_print(const struct gtid *g, struct buf *out);

#endif
