#include "binlog/position.h"

#include <stdlib.h>
#include <string.h>

void position_fini(struct position *p)
{
    gtid_set_free(p->gtids);
    *p = (struct position){ 0 };
}

void position_copy(struct position *to, const struct position *from)
{
    struct gtid_set *gtids = gtid_set_copy(from->gtids);

    gtid_set_free(to->gtids);
    memcpy(to->file, from->file, sizeof to->file);
    to->offset = from->offset;
    to->gtids = gtids;
}

/* "mysql-bin.000009" comes before "mysql-bin.000010" and ".999999" before ".1000000". */
static uint64_t file_number(const char *file)
{
    const char *dot = strrchr(file, '.');

    return dot ? strtoull(dot + 1, NULL, 10) : 0;
}

int position_compare(const struct position *a, const struct position *b)
{
    uint64_t fa = file_number(a->file), fb = file_number(b->file);

    if (fa != fb)
        return fa < fb ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}
