#include <criterion/criterion.h>
#include <errno.h>

#include "node/node.h"
#include "unit/serve/server.h"
#include "unit/serve/server_doc.h"

Test(server_doc, every_row_of_servers_is_sound)
{
    struct err err = ERR_INIT;

    cr_expect_eq(node_type_check(&servers_type, &err), 0, "%s", err.text);
}

Test(server_doc, makes_up_an_identity_once)
{
    struct err err = ERR_INIT;
    json_t *doc = json_pack("{s:s}", "source_name", "s1"), *one, *two;

    cr_assert_eq(server_doc_check(doc, "b1", &one, &err), 0, "%s", err.text);
    cr_assert_eq(server_doc_check(one, "b1", &two, &err), 0);

    cr_assert_eq(strlen(json_string_value(json_object_get(one, "server_uuid"))), 36);
    cr_assert_gt(json_integer_value(json_object_get(one, "server_id")), 0);
    cr_assert(json_equal(one, two));
    json_decref(one);
    json_decref(two);
    json_decref(doc);
}

static int check(const char *field, const char *value, struct err *err)
{
    json_t *doc = json_pack("{s:s}", field, value), *checked = NULL;
    int rc = server_doc_check(doc, "b1", &checked, err);

    json_decref(doc);
    json_decref(checked);
    return rc;
}

Test(server_doc, refuses_addresses_and_identities_that_are_none)
{
    static const char *const bad[][2] = {
        { "addr", "3306" },         { "addr", ":3306" },
        { "addr", "h:" },           { "addr", "h:70000" },
        { "addr", "::1:3306" },     { "addr", "h:3x" },
        { "server_uuid", "12345" }, { "name", "another" },
        { "nonsense", "1" },        { "server_uuid", "12345678-1234-1234-1234-12345678901g" },
    };
    static const char *const good[][2] = {
        { "addr", "127.0.0.1:3306" },
        { "addr", "[::1]:0" },
        { "addr", "db.example.com:3306" },
        { "server_uuid", "8504a7a4-9221-44df-8a6b-ae5b007ebea3" },
    };
    struct err err = ERR_INIT;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(check(bad[i][0], bad[i][1], &err), -EINVAL, "%s: %s", bad[i][0], bad[i][1]);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect_eq(check(good[i][0], good[i][1], &err), 0, "%s", err.text);
}

Test(server_doc, says_what_a_start_lacks)
{
    struct err err = ERR_INIT;
    json_t *doc = json_pack("{s:s, s:s, s:s}", "source_name", "s1", "addr", "h:1", "user", "u");

    cr_assert_eq(server_doc_complete(doc, &err), -EINVAL);
    cr_assert_not_null(strstr(err.text, "password"));
    json_decref(doc);
}
