#include "unit/verify/verify_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void verify_set_clear(struct verify_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->items[i].key);
        free(s->items[i].value);
    }
    s->n = 0;
}

void verify_set_fini(struct verify_set *s)
{
    verify_set_clear(s);
    free(s->items);
    *s = (struct verify_set){ .n = 0 };
}

void verify_set_add(struct verify_set *s, const char *key, const char *value, unsigned part)
{
    GROW(s->items, s->n, s->cap);
    s->items[s->n++] = (struct verify_item){ .key = xstrdup(key),
                                             .value = value ? xstrdup(value) : NULL,
                                             .part = part };
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct verify_item *)a)->key, ((const struct verify_item *)b)->key);
}

void verify_set_sort(struct verify_set *s)
{
    if (s->n)
        qsort(s->items, s->n, sizeof *s->items, by_key);
}

const struct verify_item *verify_set_find(const struct verify_set *s, const char *key)
{
    struct verify_item wanted = { .key = (char *)key };

    return s->n ? bsearch(&wanted, s->items, s->n, sizeof *s->items, by_key) : NULL;
}

void verify_set_compare(const struct verify_set *a, const struct verify_set *b,
                        void (*differs)(void *arg, const struct verify_item *a,
                                        const struct verify_item *b),
                        void *arg)
{
    size_t i = 0, k = 0;

    while (i < a->n || k < b->n) {
        int order = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->items[i].key, b->items[k].key);

        if (order == 0 && strcmp(a->items[i].value, b->items[k].value) != 0)
            differs(arg, &a->items[i], &b->items[k]);
        else if (order < 0)
            differs(arg, &a->items[i], NULL);
        else if (order > 0)
            differs(arg, NULL, &b->items[k]);
        i += order <= 0;
        k += order >= 0;
    }
}
