/* guard.c - in whose name a request acts. */
#include "http/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "node/authority.h"

bool guard_host_is_local(const char *host)
{
    size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    SCOPED(freep) char *name = len <= strlen(host) ? xstrndup(host, len) : xstrdup("");
    struct in_addr four;

    if (host[strlen(name)] != '\0' && host[strlen(name)] != ':')
        return false;
    if (strcasecmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, name, &four) == 1 && ntohl(four.s_addr) >> 24 == 127;
}

bool guard_origin_is_own(const char *origin, const char *host)
{
    if (strncasecmp(origin, "http://", 7) == 0)
        origin += 7;
    else if (strncasecmp(origin, "https://", 8) == 0)
        origin += 8;
    else
        return false;
    return strcasecmp(origin, host) == 0;
}

static int check_browser(const struct guard_headers *h, struct err *err)
{
    if (h->host && !guard_host_is_local(h->host))
        return err_set(err, -EACCES,
                       "the Host '%.100s' is not this machine: use localhost, 127.0.0.1 or [::1]",
                       h->host);
    if (h->origin && !guard_origin_is_own(h->origin, h->host ? h->host : ""))
        return err_set(err, -EACCES, "a page of '%.100s' may not act here", h->origin);
    return 0;
}

static int by_token(const struct guard *g, const char *authorization, struct guard_right *ret,
                    struct err *err)
{
    const char *token = authorization + 7;

    if (strncasecmp(authorization, "Bearer ", 7) != 0)
        return err_set(err, -EKEYREJECTED, "the only Authorization known is 'Bearer TOKEN'");
    if (!g->tokens)
        return err_set(err, -EKEYREJECTED, "this server has no tokens");
    token += strspn(token, " ");
    ret->caller = (struct caller){
        .uid = authority_get()->uid, .gid = authority_get()->gid, .front = "http", .name = ret->name
    };
    return token_check(g->tokens, token, ret->name, &ret->may_write, err);
}

static int by_uid(const struct peer *p, const struct guard_headers *h, struct guard_right *ret,
                  struct err *err)
{
    if (p->kind != PEER_LOCAL)
        return err_set(err, -EACCES,
                       "the kernel does not say which user the caller is; a client "
                       "must keep its connection open until it has the answer");
    ret->caller = (struct caller){ .uid = p->uid, .gid = p->gid, .pid = p->pid, .front = "http" };
    ret->may_write = true;
    return p->tcp ? check_browser(h, err) : 0;
}

int guard_check(const struct guard *g, const struct peer *p, const struct guard_headers *h,
                struct guard_right *ret, struct err *err)
{
    if (h->authorization)
        return by_token(g, h->authorization, ret, err);
    if (p->kind != PEER_REMOTE)
        return by_uid(p, h, ret, err);
    if (g->tokens || !g->insecure)
        return err_set(err, -ENOKEY, "callers from elsewhere need a bearer token");
    ret->caller = (struct caller){ .uid = authority_get()->uid,
                                   .gid = authority_get()->gid,
                                   .front = "http",
                                   .name = "anonymous" };
    ret->may_write = true;
    return 0;
}
