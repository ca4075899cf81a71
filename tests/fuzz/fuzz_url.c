/* What comes in a request line: the path, and the query after the first '?'.  A path that is
 * accepted names the same node when it is spelled as a URL again, and cannot climb or hide. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/message.h"
#include "http/path.h"
#include "node/node.h"

static void check_path(const char *url)
{
    SCOPED(buf_fini) struct buf path = BUF_INIT, again = BUF_INIT, third = BUF_INIT;
    struct err err = ERR_INIT;

    if (path_of_url(url, &path, &err) < 0) {
        assert(err.code == -EINVAL && err.text[0]);
        return;
    }
    if (!path.size)
        return;
    for (const char *s = path.data; *s; s++)
        assert((unsigned char)*s >= ' ');
    assert(path.data[0] != '.' && !strstr(path.data, "/."));
    url_of_path(path.data, &again);
    assert(path_of_url(again.data, &third, &err) == 0);
    assert(third.size == path.size && memcmp(third.data, path.data, path.size) == 0);
}

static void check_name(const char *plain)
{
    SCOPED(freep) char *shown = node_name_shown(plain);
    SCOPED(freep) char *back = node_name_plain(shown);
    SCOPED(freep) char *again = back ? node_name_shown(back) : NULL;

    assert(strlen(shown) <= 255 && !strchr(shown, '/'));
    assert(*plain == '\0' || back == NULL || strcmp(shown, again) == 0);
}

static void check_query(const char *text)
{
    struct http_query q = { 0 };
    struct err err = ERR_INIT;

    if (http_query_parse(text, &q, &err) < 0)
        assert(err.code == -EINVAL && err.text[0]);
    else
        assert(q.limit <= HTTP_MAX_PAGE && q.depth <= HTTP_MAX_DEPTH);
    http_query_fini(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(freep) char *url = xstrndup((const char *)data, size);
    char *query = strchr(url, '?');

    if (query)
        *query++ = '\0';
    check_path(url);
    check_name(url);
    if (query)
        check_query(query);
    return 0;
}
