#include "unit/copy_table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

void copy_table_free(struct copy_table *t)
{
    if (!t)
        return;
    dump_columns_fini(&t->columns);
    copy_state_ranges_free(t->ranges, t->n_ranges);
    table_free(t->def);
    free(t->create);
    free(t->label);
    free(t);
}

uint64_t copy_table_shape(const char *create)
{
    static const char counter[] = " AUTO_INCREMENT=";
    uint64_t hash = 0;

    for (size_t size; *create; create += size + (create[size] == '\n')) {
        const char *at;

        size = strcspn(create, "\n");
        at = *create == ')' ? memmem(create, size, counter, sizeof counter - 1) : NULL;
        if (at) { /* in the line of the table's options */
            hash = XXH64(create, (size_t)(at - create), hash);
            at += sizeof counter - 1;
            at += strspn(at, "0123456789");
            hash = XXH64(at, (size_t)(create + size - at), hash);
        } else {
            hash = XXH64(create, size, hash);
        }
    }
    return hash;
}
