#include "unit/shard/shard_tried.h"

#include <stdlib.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/thread.h"

#define KEPT 32

struct answer {
    XXH128_hash_t key;
    char *after;
};

struct shard_tried {
    struct mutex lock;
    struct answer kept[KEPT] GUARDED;
    unsigned next GUARDED; /* the oldest */
};

struct shard_tried *shard_tried_new(void)
{
    struct shard_tried *t = xcalloc(1, sizeof *t);

    mutex_init(&t->lock);
    return t;
}

void shard_tried_clear(struct shard_tried *t)
{
    mutex_lock(&t->lock);
    for (unsigned i = 0; i < KEPT; i++) {
        free(t->kept[i].after);
        t->kept[i].after = NULL;
    }
    mutex_unlock(&t->lock);
}

void shard_tried_free(struct shard_tried *t)
{
    shard_tried_clear(t);
    mutex_fini(&t->lock);
    free(t);
}

char *shard_tried_find(struct shard_tried *t, struct slice key)
{
    XXH128_hash_t hash = XXH3_128bits(key.data, key.size);
    char *found = NULL;

    mutex_lock(&t->lock);
    for (unsigned i = 0; i < KEPT && !found; i++)
        if (t->kept[i].after && XXH128_isEqual(t->kept[i].key, hash))
            found = xstrdup(t->kept[i].after);
    mutex_unlock(&t->lock);
    return found;
}

void shard_tried_add(struct shard_tried *t, struct slice key, struct slice after)
{
    struct answer a = { XXH3_128bits(key.data, key.size),
                        xstrndup((const char *)after.data, after.size) };

    mutex_lock(&t->lock);
    free(t->kept[t->next].after);
    t->kept[t->next] = a;
    t->next = (t->next + 1) % KEPT;
    mutex_unlock(&t->lock);
}
