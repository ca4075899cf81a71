#include "node/file_ring.h"

#include <string.h>

void file_ring_init(struct file_ring *r)
{
    *r = (struct file_ring){ .next = 0 };
    mutex_init(&r->lock);
}

void file_ring_fini(struct file_ring *r)
{
    mutex_fini(&r->lock);
}

struct node *file_ring_find(struct file_ring *r, const char *name)
{
    struct node *found = NULL;

    mutex_lock(&r->lock);
    for (unsigned i = 0; i < FILE_RING_SIZE && !found; i++)
        if (r->kept[i] && strcmp(r->kept[i]->name, name) == 0)
            found = node_ref(r->kept[i]);
    mutex_unlock(&r->lock);
    return found;
}

void file_ring_keep(struct file_ring *r, struct node *file)
{
    struct node *old;

    node_ref(file);
    mutex_lock(&r->lock);
    old = r->kept[r->next];
    r->kept[r->next] = file;
    r->next = (r->next + 1) % FILE_RING_SIZE;
    mutex_unlock(&r->lock);
    node_unref(old);
}

void file_ring_clear(struct file_ring *r)
{
    struct node *kept[FILE_RING_SIZE];

    mutex_lock(&r->lock);
    memcpy(kept, r->kept, sizeof kept);
    memset(r->kept, 0, sizeof r->kept);
    mutex_unlock(&r->lock);
    for (unsigned i = 0; i < FILE_RING_SIZE; i++)
        node_unref(kept[i]);
}
