#include "fixture.h"

Test(target, status_is_every_value_under_one_lock)
{
    struct node *root = tree_new();
    SCOPED(freep) char *text = read_text(root, "a/status");
    SCOPED(json_decrefp) json_t *v = json_loads(text, 0, NULL);

    cr_assert_eq(json_integer_value(json_object_get(v, "port")), 80);
    cr_assert(json_is_null(json_object_get(v, "broken")), "one that fails hides no other");
    cr_assert(json_object_get(v, "last_error"));
    cr_assert_null(json_object_get(v, "password"));
    cr_assert_null(json_object_get(v, "events"));
    cr_assert_null(json_object_get(v, "status"));
    cr_assert_null(json_object_get(v, "README"));
    node_unref(root);
}

Test(target, a_refusal_is_kept)
{
    struct node *root = tree_new();
    struct err err;
    SCOPED(freep) char *text = NULL;

    cr_assert_eq(write_text(root, "a/port", "13", &err), -EBUSY);
    text = read_text(root, "a/last_error");
    cr_assert(strstr(text, "uid 7 a/port: port 13 is taken\n"), "%s", text);
    cr_assert_eq(write_text(root, "a/port", "14", &err), 0);
    assert_text(root, "a/port", "14\n");
    assert_text(root, "b/last_error", "\n");
    node_unref(root);
}

Test(target, modes_follow_from_callbacks)
{
    static const struct {
        const char *path;
        mode_t mode;
    } want[] = { { "a", S_IFDIR | 0755 },       { "a/rows", S_IFREG | 0444 },
                 { "a/port", S_IFREG | 0644 },  { "a/password", S_IFREG | 0200 },
                 { "a/poke", S_IFREG | 0200 },  { "a/status", S_IFREG | 0444 },
                 { "a/events", S_IFREG | 0444 } };
    struct node *root = tree_new();

    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct target t;
        struct err err = ERR_INIT;

        cr_assert_eq(node_find(root, want[i].path, &t, &err), 0);
        cr_assert_eq(target_mode(&t), want[i].mode, "%s: %o", want[i].path, target_mode(&t));
        target_release(&t);
    }
    node_unref(root);
}

Test(target, what_cannot_be_done_is_eacces)
{
    struct node *root = tree_new();
    struct target t;
    struct err err = ERR_INIT;

    cr_assert_eq(write_text(root, "a/rows", "1", &err), -EACCES);
    cr_assert_eq(node_find(root, "a/password", &t, &err), 0);
    cr_assert_null(target_read(&t, &err));
    assert_says(&err, -EACCES, "only be written");
    target_release(&t);
    node_unref(root);
}

Test(target, arguments_are_checked)
{
    struct node *root = tree_new();
    struct err err;

    cr_assert_eq(write_text(root, "a/poke", "by=2", &err), 0);
    cr_assert_eq(write_text(root, "a/poke", "{\"by\": 3}", &err), 0);
    assert_text(root, "a/rows", "5\n");
    write_text(root, "a/poke", "\n", &err);
    assert_says(&err, -EINVAL, "by is missing: How much");
    write_text(root, "a/poke", "bye=2", &err);
    assert_says(&err, -EINVAL, "no argument bye: did you mean by?");
    write_text(root, "a/poke", "[1]", &err);
    assert_says(&err, -EINVAL, "name=value");
    assert_text(root, "a/rows", "5\n");
    node_unref(root);
}

Test(target, masked_secrets_keep_the_old)
{
    struct node *root = tree_new();
    struct node *a = node_child(root, "a");
    struct err err;

    cr_assert_eq(write_text(root, "a/password", "hush\n", &err), 0);
    cr_assert_eq(write_text(root, "a/password", "******\n", &err), 0);
    cr_assert_str_eq(thing_of(a)->password, "hush");
    node_unref(a);
    node_unref(root);
}

Test(target, audit_has_every_change_and_no_secret)
{
    struct node *root = tree_new();
    struct err err;
    SCOPED(freep) char *text = NULL;

    write_text(root, "a/password", "hush", &err);
    write_text(root, "a/poke", "by=1 key=hush", &err);
    write_text(root, "a/port", "13", &err);
    node_create(root, "new", NULL, &tester, &err);
    text = read_text(root, "audit");
    cr_assert_null(strstr(text, "hush"), "%s", text);
    cr_assert(strstr(text, "\"path\":\"a/password\",\"what\":\"set ******\""), "%s", text);
    cr_assert(strstr(text, "\"what\":\"run {\\\"by\\\":1,\\\"key\\\":\\\"******\\\"}\""), "%s",
              text);
    cr_assert(strstr(text, "\"result\":\"EBUSY\",\"error\":\"port 13 is taken\""), "%s", text);
    cr_assert(strstr(text, "\"path\":\"new\",\"what\":\"create\""), "%s", text);
    node_unref(root);
}

Test(target, a_document_names_its_child)
{
    struct node *root = tree_new();
    SCOPED(json_decrefp) json_t *doc = json_pack("{s:s,s:i}", "name", "d/e", "port", 9);
    SCOPED(json_decrefp) json_t *bad = json_pack("{s:s,s:i}", "name", "f", "prot", 9);
    SCOPED(json_decrefp) json_t *none = json_object();
    struct err err = ERR_INIT;

    cr_assert_eq(node_create_document(root, doc, &err), 0, "%s", err.text);
    assert_text(root, "d%2Fe/port", "9\n");
    cr_assert_eq(node_create_document(root, bad, &err), -EINVAL);
    assert_says(&err, -EINVAL, "there is no setting prot");
    cr_assert_null(node_child(root, "f"));
    cr_assert_eq(node_create_document(root, none, &err), -EINVAL);
    node_unref(root);
}

Test(target, sizes_are_those_of_the_text)
{
    struct node *root = tree_new();
    struct target t;
    struct err err = ERR_INIT;
    SCOPED(freep) char *text = read_text(root, "a/README");

    cr_assert_eq(node_find(root, "a/README", &t, &err), 0);
    cr_assert_eq(target_size(&t), strlen(text));
    cr_assert(strstr(text, "Where it listens") && strstr(text, "mkdir NAME") &&
                  strstr(text, "cat port"),
              "%s", text);
    target_release(&t);
    node_unref(root);
}
