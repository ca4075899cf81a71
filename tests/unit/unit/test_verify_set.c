#include <criterion/criterion.h>

#include "base/buf.h"
#include "unit/verify/verify_set.h"

static void note(void *arg, const struct verify_item *a, const struct verify_item *b)
{
    buf_printf(arg, "%s:%s/%s ", a ? a->key : b->key, a ? a->value : "-", b ? b->value : "-");
}

static const char *compare(const char *const *left, const char *const *right)
{
    static struct buf out;
    struct verify_set a = { .n = 0 }, b = { .n = 0 };

    for (; *left; left += 2)
        verify_set_add(&a, left[0], left[1], 0);
    for (; *right; right += 2)
        verify_set_add(&b, right[0], right[1], 0);
    verify_set_sort(&a);
    verify_set_sort(&b);
    buf_clear(&out);
    buf_str(&out, "");
    verify_set_compare(&a, &b, note, &out);
    verify_set_fini(&a);
    verify_set_fini(&b);
    return out.data ? out.data : "";
}

#define SET(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

Test(verify_set, equal_sets_have_nothing_to_say)
{
    cr_assert_str_eq(compare(SET("b", "1", "a", "2"), SET("a", "2", "b", "1")), "");
    cr_assert_str_eq(compare(SET(), SET()), "");
}

Test(verify_set, names_what_one_lacks_and_what_differs)
{
    cr_assert_str_eq(compare(SET("a", "1", "b", "2", "c", "3"), SET("b", "9", "c", "3", "d", "4")),
                     "a:1/- b:2/9 d:-/4 ");
    cr_assert_str_eq(compare(SET(), SET("x", "1")), "x:-/1 ");
    cr_assert_str_eq(compare(SET("x", "1"), SET()), "x:1/- ");
}

Test(verify_set, finds_by_name)
{
    struct verify_set s = { .n = 0 };

    verify_set_add(&s, "b", "2", 0);
    verify_set_add(&s, "a", "1", 3);
    verify_set_sort(&s);
    cr_assert_str_eq(verify_set_find(&s, "a")->value, "1");
    cr_assert_eq(verify_set_find(&s, "a")->part, 3);
    cr_assert_null(verify_set_find(&s, "c"));
    verify_set_fini(&s);
}
