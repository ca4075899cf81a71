#include <criterion/criterion.h>

#include "store/catalog.h"
#include "store/store.h"
#include "unit/verify/verify_cutover.h"
#include "unit/verify/verify_place.h"

static struct position at(const char *file, uint64_t offset)
{
    struct position p = { .offset = offset };

    snprintf(p.file, sizeof p.file, "%s", file);
    return p;
}

static void set(struct verify_places *p, const char *source, const char *file, uint64_t offset)
{
    struct position to = at(file, offset);

    verify_places_set(p, source, "17", &to);
}

Test(verify_place, places_are_kept_by_source_until_they_are_cleared)
{
    struct store *store = store_open_mem();
    struct catalog *catalog = catalog_new(store, NULL);
    struct verify_places a, b;
    struct err err = ERR_INIT;

    verify_places_init(&a, catalog, "orders");
    set(&a, "s1", "bin.000003", 4711);
    set(&a, "s2", "bin.000001", 4);
    set(&a, "s1", "bin.000004", 5000000000);
    set(&a, "s1", "", 0); /* nothing is known: the last stays */
    cr_assert_eq(verify_places_save(&a, &err), 0);

    verify_places_init(&b, catalog, "orders");
    verify_places_load(&b);
    cr_assert_eq(b.n, 2);
    cr_assert_str_eq(verify_places_find(&b, "s1")->file, "bin.000004");
    cr_assert_eq(verify_places_find(&b, "s1")->offset, 5000000000);
    cr_assert_str_eq(verify_places_find(&b, "s1")->server, "17");
    cr_assert_null(verify_places_find(&b, "s3"));
    verify_places_clear(&b);
    verify_places_load(&a);
    cr_assert_eq(a.n, 0);
    verify_places_fini(&a);
    verify_places_fini(&b);
    catalog_free(catalog);
    store_close(store);
}

Test(verify_place, a_cutover_is_a_file_and_an_offset)
{
    struct position p;

    cr_assert(verify_cutover_parse("my:bin.000003:4711", &p));
    cr_assert_str_eq(p.file, "my:bin.000003");
    cr_assert_eq(p.offset, 4711);
    cr_assert(!verify_cutover_parse("bin.000003", &p));
    cr_assert(!verify_cutover_parse("bin.000003:", &p));
    cr_assert(!verify_cutover_parse("bin.000003:-4", &p));
    cr_assert(!verify_cutover_parse("bin.000003:4x", &p));
    cr_assert(!verify_cutover_parse(":4", &p));
    cr_assert(!verify_cutover_parse("0-1-5:4", &p));
    cr_assert(!verify_cutover_parse("bin.000003:99999999999999999999", &p));
}
