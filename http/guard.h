/*
 * guard.h - in whose name a request acts, if at all.
 *
 * On this machine: the user that owns the other end of the connection.  A
 * browser acts with its user's uid too, so a request over loopback whose Host
 * is not this machine (a rebound name) or whose Origin is another site's is
 * refused.  From elsewhere: the bearer token's right, as the tree's owner.  A
 * token counts on this machine as well, for what comes through a proxy.
 */
#ifndef SLUICE_HTTP_GUARD_H
#define SLUICE_HTTP_GUARD_H

#include "http/peer.h"
#include "http/token.h"
#include "node/node.h"

struct guard {
    struct token_file *tokens; /* NULL: none */
    bool insecure;             /* without tokens, let callers from elsewhere do everything */
};

struct guard_headers {
    const char *host, *origin, *authorization; /* NULL: not sent */
};

struct guard_right {
    struct caller caller; /* its name points into 'name' */
    char name[TOKEN_NAME_SIZE];
    bool may_write;
};

/* 0, -EACCES (403), -ENOKEY or -EKEYREJECTED (401). */
int guard_check(const struct guard *g, const struct peer *p, const struct guard_headers *h,
                struct guard_right *ret, struct err *err);

/* Is a Host header this machine's loopback: localhost, 127.0.0.0/8 or [::1], any port? */
bool guard_host_is_local(const char *host);
/* Is an Origin header the very server that 'host' names? */
bool guard_origin_is_own(const char *origin, const char *host);

#endif
