#include "unit/copy/copy_table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/scope.h"

void copy_table_free(struct copy_table *t)
{
    if (!t)
        return;
    read_columns_fini(&t->columns);
    read_ranges_free(t->ranges, t->n_ranges);
    table_free(t->def);
    free(t->create);
    free(t->label);
    free(t);
}

uint64_t copy_table_shape(const char *create)
{
    static const char counter[] = " AUTO_INCREMENT=";
    SCOPED(buf_fini) struct buf kept = BUF_INIT;

    while (*create) {
        size_t size = strcspn(create, "\n");
        const char *at = *create == ')' ? memmem(create, size, counter, sizeof counter - 1) : NULL;
        const char *end = create + size + (create[size] == '\n');

        if (at) { /* in the line of the table's options */
            buf_add(&kept, create, (size_t)(at - create));
            create = at + sizeof counter - 1;
            create += strspn(create, "0123456789");
        }
        buf_add(&kept, create, (size_t)(end - create));
        create = end;
    }
    return XXH64(kept.data, kept.size, 0);
}
