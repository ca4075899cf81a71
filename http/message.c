/* message.c - requests and replies without a connection. */
#include "http/message.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/path.h"
#include "http/status.h"

void http_reply_fini(struct http_reply *r)
{
    buf_fini(&r->body);
    free(r->location);
    *r = (struct http_reply){ 0 };
}

void http_reply_error(struct http_reply *r, const struct http_request *q, const struct err *err)
{
    r->status = status_of_errno(err->code);
    buf_clear(&r->body);
    if (q->accept == FORMAT_TEXT || q->accept == FORMAT_YAML) {
        r->type = format_types[FORMAT_TEXT];
        buf_printf(&r->body, "%s\n", err->text);
        return;
    }
    json_t *o = json_pack("{s:s,s:s,s:s?}", "error", err->text, "errno", errno_name(err->code),
                          "path", q->path);

    if (!o) /* the sentence quotes bytes that are not UTF-8 */
        o = json_pack("{s:s,s:s}", "error", "the request is not UTF-8", "errno",
                      errno_name(err->code));
    r->type = format_types[FORMAT_JSON];
    json_print(o, &r->body);
    buf_byte(&r->body, '\n');
    json_decref(o);
}

static int parse_number(const char *key, const char *text, unsigned max, unsigned *ret,
                        struct err *err)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || v > max)
        return err_set(err, -EINVAL, "%s=%s: a whole number from 0 to %u is needed", key, text,
                       max);
    *ret = (unsigned)v;
    return 0;
}

static int parse_pair(const char *key, const char *value, struct http_query *q, struct err *err)
{
    unsigned n = 0;
    int rc;

    if (strcmp(key, "after") == 0) {
        free(q->after);
        q->after = xstrdup(value);
        return 0;
    }
    if (strcmp(key, "limit") == 0)
        return parse_number(key, value, HTTP_MAX_PAGE, &q->limit, err);
    if (strcmp(key, "depth") == 0)
        return parse_number(key, value, HTTP_MAX_DEPTH, &q->depth, err);
    if (strcmp(key, "watch") == 0) {
        rc = parse_number(key, *value ? value : "1", 1, &n, err);
        q->watch = rc == 0 && n;
        return rc;
    }
    return err_set(err, -EINVAL, "'%s' is not a query: there are after, limit, depth and watch",
                   key);
}

int http_query_parse(const char *text, struct http_query *ret, struct err *err)
{
    SCOPED(freep) char *copy = xstrdup(text);
    SCOPED(http_query_fini) struct http_query q = { .limit = HTTP_DEFAULT_PAGE };
    char *rest = copy, *pair;

    while ((pair = strsep(&rest, "&"))) {
        char *value = pair;

        if (!*pair)
            continue;
        strsep(&value, "=");
        if (percent_decode(pair, true) < 0 || (value && percent_decode(value, true) < 0))
            return err_set(err, -EINVAL, "'%s' in the query is not percent-encoded correctly",
                           pair);
        if (parse_pair(pair, value ? value : "", &q, err) < 0)
            return err->code;
    }
    *ret = q;
    q.after = NULL;
    return 0;
}

void http_query_fini(struct http_query *q)
{
    free(q->after);
    q->after = NULL;
}
