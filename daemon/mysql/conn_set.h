/*
 * conn_set.h - connections that one call ends together, so that a unit which is
 * asked to stop does not wait for a server that hangs.
 *
 *     params.set = &set;                  who connects with these parameters is in the set
 *     conn_set_shut(&set);                any thread, for good: every call that waits returns
 *                                         -ECANCELED, new connections are refused so
 *
 * A connection that is still being made is in the set, too, once its host's name is resolved.
 */
#ifndef SLUICE_MYSQL_CONN_SET_H
#define SLUICE_MYSQL_CONN_SET_H

#include "base/thread.h"

struct mysql_conn;

struct conn_set {
    struct mutex lock;
    struct mysql_conn *first GUARDED;
    bool shut GUARDED;
};

void conn_set_init(struct conn_set *s);
void conn_set_fini(struct conn_set *s); /* every connection was closed before */
void conn_set_shut(struct conn_set *s);
bool conn_set_is_shut(struct conn_set *s);

#endif
