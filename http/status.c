/* status.c - errno and HTTP status. */
#include "http/status.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    int code;
    unsigned status;
} rows[] = {
    { -EINVAL, 400 },
    { -ENAMETOOLONG, 400 },
    { -ERANGE, 400 },
    { -EILSEQ, 400 },
    { -EBADMSG, 400 },
    { -ENOKEY, 401 }, /* no token where one is needed */
    { -EKEYREJECTED, 401 },
    { -EACCES, 403 },
    { -EPERM, 403 },
    { -ENOENT, 404 },
    { -ELOOP, 404 },
    { -EOPNOTSUPP, 405 }, /* the resource is there, the verb does not apply
                           */
    { -EBUSY, 409 },
    { -EEXIST, 409 },
    { -ENOTEMPTY, 409 },
    { -EFBIG, 413 },
    { -E2BIG, 413 },
    { -EROFS, 421 },
    { -EIO, 500 },
    { -EHOSTUNREACH, 502 }, /* a server that we asked */
    { -ECONNRESET, 502 },
    { -ECONNREFUSED, 502 },
    { -EAGAIN, 503 },
    { -ESHUTDOWN, 503 },
    { -ECANCELED, 503 },
    { -ENOMEM, 503 },
    { -ETIMEDOUT, 504 },
    { -ENOSPC, 507 },
    { -EDQUOT, 507 },
};

unsigned status_of_errno(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].code == code)
            return rows[i].status;
    return 500;
}

const char *errno_name(int code)
{
    const char *name = strerrorname_np(-code);

    return name ? name : "EIO";
}
