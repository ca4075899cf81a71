#include "store/format.h"

#include <errno.h>

#include "base/cursor.h"
#include "base/scope.h"
#include "store/key.h"

/* A new store has no key at all in the family that holds the version. */
static int is_new(struct store *s, bool *ret, struct err *err)
{
    SCOPED(store_iter_freep)
    struct store_iter *it = store_iter_new(s, STORE_META, slice_of(NULL, 0));
    struct slice key, value;
    int rc = store_iter_next(it, &key, &value, err);

    if (rc < 0)
        return rc;
    *ret = rc == 0;
    return 0;
}

static int write_version(struct store *s, struct slice key, struct err *err)
{
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    bool fresh = false;
    int rc = is_new(s, &fresh, err);

    if (rc < 0)
        return rc;
    if (!fresh)
        return err_set(err, -EBADMSG, "the store has no format version: it is damaged");
    buf_be(&value, STORE_FORMAT, 4);
    return store_put(s, STORE_META, key, key_slice(&value), true, err);
}

int store_format_check(struct store *s, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    struct cursor c;
    uint64_t version;
    int rc;

    key_format(&key);
    rc = store_get(s, STORE_META, key_slice(&key), &value, err);
    if (rc == -ENOENT)
        return write_version(s, key_slice(&key), err);
    if (rc < 0)
        return rc;
    c = cursor_of(key_slice(&value));
    version = cursor_be(&c, 4);
    if (c.bad || version == 0)
        return err_set(err, -EBADMSG, "the store's format version is unreadable: it is damaged");
    if (version > STORE_FORMAT)
        return err_set(err, -EPROTO,
                       "the store has format %llu, made by a newer sluiced; this one reads up to "
                       "%d: install the newer version again, or give another folder with --data",
                       (unsigned long long)version, STORE_FORMAT);
    return 0;
}
