/* GTID sets: what is printed reads back as the same set, likewise on the wire; and the laws of
 * sets hold.  Input: flavour, then two texts with a NUL between, or bytes of the wire. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/gtid_set.h"

static void freep_set(struct gtid_set **s)
{
    gtid_set_free(*s);
}

static void check_text(const struct gtid_set *s)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    SCOPED(freep_set) struct gtid_set *back = NULL;
    struct err err;

    gtid_set_print(s, &text);
    assert(gtid_set_parse(&back, gtid_set_flavor(s), text.size ? text.data : "", &err) == 0);
    assert(gtid_set_equal(s, back));
}

static void check_wire(const struct gtid_set *s)
{
    SCOPED(buf_fini) struct buf wire = BUF_INIT;
    SCOPED(freep_set) struct gtid_set *back = NULL;
    struct err err;

    if (gtid_set_flavor(s) != FLAVOR_MYSQL)
        return;
    gtid_set_encode(s, &wire);
    assert(gtid_set_decode(&back, FLAVOR_MYSQL, slice_of(wire.data, wire.size), &err) == 0);
    assert(gtid_set_equal(s, back));
}

static void check_laws(const struct gtid_set *a, const struct gtid_set *b)
{
    SCOPED(freep_set) struct gtid_set *both = gtid_set_copy(a);
    SCOPED(freep_set) struct gtid_set *rest = NULL;

    gtid_set_union(both, b);
    assert(gtid_set_subset(a, both) && gtid_set_subset(b, both));
    if (gtid_set_flavor(a) != FLAVOR_MYSQL)
        return;
    rest = gtid_set_copy(both);
    gtid_set_subtract(rest, b);
    assert(gtid_set_subset(rest, a));
    gtid_set_union(rest, b);
    assert(gtid_set_equal(rest, both));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(freep) char *text = NULL;
    SCOPED(freep_set) struct gtid_set *a = NULL;
    SCOPED(freep_set) struct gtid_set *b = NULL;
    enum flavor flavor;
    struct err err;

    if (size < 1)
        return 0;
    flavor = data[0] & 1 ? FLAVOR_MARIADB : FLAVOR_MYSQL;
    text = xcalloc(size + 1, 1);
    memcpy(text, data + 1, size - 1);
    if (data[0] & 2) {
        if (gtid_set_decode(&a, flavor, slice_of(data + 1, size - 1), &err) < 0)
            return 0;
        b = gtid_set_new(flavor);
    } else if (gtid_set_parse(&a, flavor, text, &err) < 0 ||
               gtid_set_parse(&b, flavor, text + strnlen(text, size - 1) + (size > 1), &err) < 0) {
        return 0;
    }
    check_text(a);
    check_wire(a);
    check_laws(a, b);
    check_laws(b, a);
    return 0;
}
