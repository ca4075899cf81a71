#include "unit/sync/sync_members.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* One member from behind its opening quote on, to 'to'; returns behind the closing one. */
static const char *unquote(const char *s, char **to)
{
    for (; *s; s++) {
        if (*s == '\'' && *++s != '\'')
            return s;
        *(*to)++ = *s;
    }
    return s;
}

void members_init(struct members *m, const char *column_type)
{
    size_t size = strlen(column_type) + 1;
    const char *s = strchr(column_type, '\'');
    char *to;

    *m = (struct members){ .bytes = xcalloc(1, size), .set = xcalloc(1, size) };
    for (to = m->bytes; s; s = strchr(s, '\'')) {
        char *from = to;

        s = unquote(s + 1, &to);
        m->at = xrealloc(m->at, (m->n + 1) * sizeof *m->at);
        m->at[m->n++] = slice_of(from, (size_t)(to - from));
    }
}

void members_fini(struct members *m)
{
    free(m->at);
    free(m->bytes);
    free(m->set);
}

struct slice members_one(const struct members *m, uint64_t index)
{
    return index && index <= m->n ? m->at[index - 1] : slice_of("", 0);
}

struct slice members_set(const struct members *m, uint64_t bits)
{
    size_t at = 0;

    for (size_t i = 0; i < m->n && i < 64; i++) {
        if (!(bits >> i & 1))
            continue;
        if (at)
            m->set[at++] = ',';
        memcpy(m->set + at, m->at[i].data, m->at[i].size);
        at += m->at[i].size;
    }
    return slice_of(m->set, at);
}
