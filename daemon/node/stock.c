/* stock.c - getters of plain fields of a node's owner. */
#include "node/node.h"

static const void *field(const struct node *n, const struct attr *a)
{
    return (const char *)n + a->offset;
}

json_t *attr_get_u64(const struct node *n, const struct attr *a, struct err *err)
{
    const _Atomic uint64_t *p = field(n, a);

    (void)err;
    return json_integer((json_int_t)atomic_load_explicit(p, memory_order_relaxed));
}

json_t *attr_get_bool(const struct node *n, const struct attr *a, struct err *err)
{
    const _Atomic bool *p = field(n, a);

    (void)err;
    return json_boolean(atomic_load_explicit(p, memory_order_relaxed));
}

json_t *attr_get_str(const struct node *n, const struct attr *a, struct err *err)
{
    char *const *p = field(n, a);

    (void)err;
    return *p ? json_string(*p) : json_null();
}
