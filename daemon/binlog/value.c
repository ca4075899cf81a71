#include "binlog/value.h"

#include <string.h>

bool value_same(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        return true;
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
        return a->u == b->u;
    case VALUE_FLOAT:
        // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the same bits, NaN or not
        return memcmp(&a->f, &b->f, sizeof a->f) == 0;
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_JSON:
    case VALUE_JSON_DIFF:
        return a->size == b->size && memcmp(a->p, b->p, a->size) == 0;
    }
    return false;
}
