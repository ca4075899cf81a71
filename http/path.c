/* path.c - URLs and paths of the tree. */
#include "http/path.h"

#include <ctype.h>
#include <errno.h>

#include "base/mem.h"
#include "base/scope.h"
#include "node/node.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int percent_decode(char *text, bool plus)
{
    char *out = text;

    for (const char *in = text; *in; in++, out++) {
        if (*in == '%') {
            int high = hex(in[1]), low = high < 0 ? -1 : hex(in[2]);

            if (low < 0 || (high | low) == 0)
                return -EINVAL;
            *out = (char)(high << 4 | low);
            in += 2;
        } else {
            *out = (char)(plus && *in == '+' ? ' ' : *in);
        }
    }
    *out = '\0';
    return 0;
}

/* The name as the tree shows it, of a decoded segment: which it is already when the client
 * encoded what it read in a listing. */
static char *shown_name(const char *segment)
{
    SCOPED(freep) char *plain = strchr(segment, '%') ? node_name_plain(segment) : NULL;

    return plain ? xstrdup(segment) : node_name_shown(segment);
}

int path_of_url(const char *url, struct buf *path, struct err *err)
{
    while (*url) {
        size_t len = strcspn(url, "/");
        SCOPED(freep) char *segment = xstrndup(url, len);

        url += len + (url[len] == '/');
        if (len == 0)
            continue;
        if (percent_decode(segment, false) < 0)
            return err_set(err, -EINVAL, "'%s' in the URL is not percent-encoded correctly",
                           segment);
        SCOPED(freep) char *name = shown_name(segment);

        if (path->size)
            buf_byte(path, '/');
        buf_str(path, name);
    }
    return 0;
}

void url_of_path(const char *path, struct buf *url)
{
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;

        if (c < 0x80 && (isalnum(c) || strchr("/-._~:@!$&'()*+,;=", c)))
            buf_byte(url, (char)c);
        else
            buf_printf(url, "%%%02X", c);
    }
}
