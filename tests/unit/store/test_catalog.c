#include <errno.h>

#include "base/scope.h"
#include "store/catalog.h"
#include "store/key.h"
#include "store/secret.h"
#include "unit/store/both_stores.h"

static char key_dir[64], key_path[96];
static struct secret_key *key;
static struct err err;

static void setup(void)
{
    make_test_dir(key_dir);
    snprintf(key_path, sizeof key_path, "%s/key", key_dir);
    cr_assert_eq(secret_key_open(key_path, &key, &err), 0, "%s", err.text);
}

static void teardown(void)
{
    secret_key_free(key);
    remove_test_dir(key_dir);
}

TestSuite(catalog, .init = setup, .fini = teardown);

static json_t *document(const char *host)
{
    return json_pack("{s:s, s:s}", "host", host, "password", "hunter2");
}

static void put(struct catalog *c, const char *path, const char *host)
{
    json_t *doc = document(host);

    cr_assert_eq(catalog_put(c, path, doc, &err), 0, "%s", err.text);
    json_decref(doc);
}

static int add_name(void *arg, const char *name, const json_t *doc, const struct err *why)
{
    buf_printf(arg, "%s=%s ", name,
               doc ? json_string_value(json_object_get(doc, "host")) : why->text);
    return 0;
}

BOTH_STORES(catalog, gives_back_a_document_with_its_secrets)
{
    struct catalog *c = catalog_new(s, key);
    json_t *doc = document("h"), *got = NULL;

    put(c, "sources/s1", "h");
    cr_assert_eq(catalog_get(c, "sources/s1", &got, &err), 0, "%s", err.text);
    cr_assert(json_equal(doc, got));
    cr_assert_eq(catalog_get(c, "sources/s2", &got, &err), -ENOENT);
    json_decref(doc);
    json_decref(got);
    catalog_free(c);
}

BOTH_STORES(catalog, keeps_no_secret_in_clear_text)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;
    SCOPED(buf_fini) struct buf v = BUF_INIT;
    struct catalog *c = catalog_new(s, key);

    put(c, "sources/s1", "h");
    key_document(&k, "sources/s1");
    cr_assert_eq(store_get(s, STORE_META, key_slice(&k), &v, &err), 0);
    cr_assert_null(strstr(v.data, "hunter2"));
    cr_assert_not_null(strstr(v.data, "sealed:1:"));
    catalog_free(c);
}

BOTH_STORES(catalog, walks_one_directory_by_name)
{
    SCOPED(buf_fini) struct buf names = BUF_INIT;
    struct catalog *c = catalog_new(s, key);

    put(c, "tasks/b", "2");
    put(c, "tasks/a", "1");
    put(c, "tasks/a/deeper", "no");
    put(c, "tasksx/c", "no");
    put(c, "sources/s1", "no");
    cr_assert_eq(catalog_each(c, "tasks", add_name, &names, &err), 0, "%s", err.text);
    cr_assert_str_eq(names.data, "a=1 b=2 ");
    cr_assert_eq(catalog_delete(c, "tasks/a", &err), 0);
    buf_clear(&names);
    cr_assert_eq(catalog_each(c, "tasks", add_name, &names, &err), 0);
    cr_assert_str_eq(names.data, "b=2 ");
    catalog_free(c);
}

BOTH_STORES(catalog, a_damaged_document_is_named_and_the_others_still_come)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;
    SCOPED(buf_fini) struct buf names = BUF_INIT;
    struct catalog *c = catalog_new(s, key);

    put(c, "tasks/a", "1");
    put(c, "tasks/c", "3");
    key_document(&k, "tasks/b");
    cr_assert_eq(store_put(s, STORE_META, key_slice(&k), slice_str("{\"x\":"), false, &err), 0);
    cr_assert_eq(catalog_each(c, "tasks", add_name, &names, &err), 0);
    cr_assert_str_eq(names.data, "a=1 b=the kept document of tasks/b is damaged c=3 ");
    catalog_free(c);
}

Test(catalog, every_failing_call_is_reported_and_changes_nothing)
{
    SCOPED(store_freep) struct store *s = store_open_mem();
    struct catalog *c = catalog_new(s, key);
    json_t *got = NULL;
    int rc = -1;

    put(c, "tasks/a", "old");
    for (unsigned n = 1; rc < 0; n++) {
        SCOPED(buf_fini) struct buf names = BUF_INIT;
        json_t *doc = document("new");

        store_mem_fail_at(s, n);
        rc = catalog_put(c, "tasks/a", doc, &err);
        rc = rc < 0 ? rc : catalog_each(c, "tasks", add_name, &names, &err);
        rc = rc < 0 ? rc : catalog_delete(c, "tasks/x", &err);
        store_mem_fail_at(s, 0);
        cr_assert(rc == 0 || rc == -EIO);
        cr_assert_eq(catalog_get(c, "tasks/a", &got, &err), 0);
        cr_assert_str_eq(json_string_value(json_object_get(got, "host")), n == 1 ? "old" : "new");
        json_decref(got);
        json_decref(doc);
        cr_assert_lt(n, 10);
    }
    catalog_free(c);
}
