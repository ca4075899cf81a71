#include "fixture.h"

Test(node, finds_by_path)
{
    struct node *root = tree_new();
    struct target t;
    struct err err = ERR_INIT;
    SCOPED(freep) char *path = NULL;

    cr_assert_eq(node_find(root, "/a/c/port", &t, &err), 0);
    path = target_path(&t);
    cr_assert_str_eq(path, "a/c/port");
    cr_assert_str_eq(t.attr->name, "port");
    target_release(&t);
    cr_assert_eq(node_find(root, "a//poke", &t, &err), 0);
    cr_assert_str_eq(t.action->name, "poke");
    target_release(&t);
    cr_assert_eq(node_find(root, "", &t, &err), 0);
    cr_assert_eq(t.node, root);
    target_release(&t);
    node_unref(root);
}

Test(node, says_what_may_have_been_meant)
{
    struct node *root = tree_new();
    struct target t;
    struct err err = ERR_INIT;

    cr_assert_eq(node_find(root, "a/prot", &t, &err), -ENOENT);
    assert_says(&err, -ENOENT, "nothing called prot in a: did you mean port?");
    cr_assert_eq(node_find(root, "a/port/x", &t, &err), -ENOENT);
    assert_says(&err, -ENOENT, "port is a file");
    node_unref(root);
}

Test(node, refuses_taken_names)
{
    struct node *root = tree_new();
    struct err err = ERR_INIT;

    cr_assert_eq(node_create(root, "a", NULL, &tester, &err), -EEXIST);
    assert_says(&err, -EEXIST, "a exists already");
    cr_assert_eq(node_create(root, "port", NULL, &tester, &err), -EINVAL);
    assert_says(&err, -EINVAL, "it is a file");
    cr_assert_eq(node_create(root, "x%", NULL, &tester, &err), -EINVAL);
    assert_says(&err, -EINVAL, "%25");
    node_unref(root);
}

Test(node, removal_keeps_what_is_held_and_refuses_writes)
{
    struct node *root = tree_new();
    struct node *a = node_child(root, "a"), *c = node_child(a, "c");
    struct target t = { .node = c };
    struct err err = ERR_INIT;
    uint64_t ino = target_ino(&t);

    n_released = 0;
    node_remove(a);
    cr_assert_null(node_child(root, "a"));
    cr_assert(c->removed);
    cr_assert_eq(n_released, 0);
    cr_assert_eq(write_text(c, "port", "99", &err), -ENOENT);
    cr_assert_eq(target_of_ino(ino, &t), -ENOENT);
    node_unref(a);
    cr_assert_eq(n_released, 1);
    node_unref(c);
    cr_assert_eq(n_released, 2);
    node_unref(root);
    cr_assert_eq(n_released, 4);
}

static void count_child(void *arg, struct node *child)
{
    node_remove(child); /* may take the tree lock */
    ++*(size_t *)arg;
}

Test(node, visits_each_child_unlocked)
{
    struct node *root = tree_new();
    size_t n = 0;

    node_each(root, count_child, &n);
    cr_assert_eq(n, 2);
    cr_assert_eq(node_n_children(root), 0);
    node_unref(root);
}

static void check_entry(void *arg, const struct entry *e)
{
    uint64_t *last = arg;
    struct target t;

    cr_assert_neq(e->ino, 0);
    cr_assert_neq(e->ino, *last);
    cr_assert_eq(target_of_ino(e->ino, &t), 0);
    cr_assert_eq(target_mode(&t), e->mode);
    if (t.attr)
        cr_assert_str_eq(t.attr->name, e->name);
    else if (t.action)
        cr_assert_str_eq(t.action->name, e->name);
    else
        cr_assert_str_eq(t.node->name, e->name);
    target_release(&t);
    *last = e->ino;
}

static void copy_entry(void *arg, const struct entry *e)
{
    struct entry *all = arg;

    while (all->name)
        all++;
    *all = *e;
    all->name = xstrdup(e->name);
}

Test(node, lists_entries_whose_numbers_lead_back)
{
    struct node *root = tree_new();
    struct entry all[64] = { 0 };
    uint64_t last = 0;

    node_list(root, copy_entry, all);
    for (struct entry *e = all; e->name; e++) {
        check_entry(&last, e);
        free((char *)e->name);
    }
    node_unref(root);
}

Test(node, holds_100000_children)
{
    struct node *root = thing_new("");
    struct err err = ERR_INIT;
    char name[16];

    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "t%d", i);
        cr_assert_eq(thing_create(root, name, NULL, &err), 0);
    }
    cr_assert_eq(node_n_children(root), 100000);
    for (int i = 0; i < 100000; i += 7) {
        struct node *n;

        snprintf(name, sizeof name, "t%d", i);
        n = node_child(root, name);
        cr_assert(n);
        node_unref(n);
    }
    n_released = 0;
    node_unref(root);
    cr_assert_eq(n_released, 100001);
}

Test(node, a_link_is_a_node)
{
    struct node *root = thing_new(""), *link = node_symlink_new("l", "a/c");
    struct err err = ERR_INIT;
    struct target t = { .node = link };

    cr_assert_eq(node_add(root, link, &err), 0);
    cr_assert(S_ISLNK(target_mode(&t)));
    cr_assert_str_eq(link->link, "a/c");
    node_unref(root);
}
