/* both_stores.h - BOTH_STORES(suite, name) { ... } runs its body with 's' on
 * RocksDB in a folder of its own ('dir'; "" for the other) and on the store in memory. */
#ifndef SLUICE_TESTS_BOTH_STORES_H
#define SLUICE_TESTS_BOTH_STORES_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/store.h"

static inline void make_test_dir(char dir[64])
{
    snprintf(dir, 64, "/tmp/sluice-test-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
}

static inline void remove_test_dir(const char *dir)
{
    char cmd[96];

    snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
    cr_assert_eq(system(cmd), 0);
}

static inline void on_rocksdb(void (*body)(struct store *s, const char *dir))
{
    char dir[64];
    struct err err = ERR_INIT;
    struct store *s;

    make_test_dir(dir);
    cr_assert_eq(store_open(dir, &s, &err), 0, "%s", err.text);
    body(s, dir);
    store_close(s);
    remove_test_dir(dir);
}

static inline void in_memory(void (*body)(struct store *s, const char *dir))
{
    struct store *s = store_open_mem();

    body(s, "");
    store_close(s);
}

#define BOTH_STORES(suite, name)                               \
    static void name##_body(struct store *s, const char *dir); \
    Test(suite, name##_on_rocksdb)                             \
    {                                                          \
        on_rocksdb(name##_body);                               \
    }                                                          \
    Test(suite, name##_in_memory)                              \
    {                                                          \
        in_memory(name##_body);                                \
    }                                                          \
    static void name##_body(struct store *s, __attribute__((unused)) const char *dir)

#endif
