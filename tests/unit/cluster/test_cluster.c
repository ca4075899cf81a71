#include "cluster/cluster.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "node/node.h"
#include "node/watch.h"
#include "store/catalog.h"
#include "store/secret.h"
#include "unit/store/both_stores.h"

static struct store *store;
static struct secret_key *key;
static struct catalog *catalog;
static struct node *root;
static char dir[64];
static const struct node_type root_type = { .name = "root", .help = "Root" };

static void open_tree(const char *member)
{
    struct err err = ERR_INIT;
    struct node *cluster = cluster_new(catalog, member, &err);

    cr_assert_not_null(cluster, "%s", err.text);
    root = xcalloc(1, sizeof *root);
    node_init(root, &root_type, "");
    cr_assert_eq(node_add(root, cluster, &err), 0);
}

static void close_tree(void)
{
    node_unref(root);
    free(root);
}

static void setup(void)
{
    struct err err = ERR_INIT;
    SCOPED(freep) char *path = NULL;

    make_test_dir(dir);
    path = xasprintf("%s/key", dir);
    store = store_open_mem();
    cr_assert_eq(secret_key_open(path, &key, &err), 0, "%s", err.text);
    catalog = catalog_new(store, key);
    open_tree("first");
}

static void teardown(void)
{
    close_tree();
    watch_stop();
    catalog_free(catalog);
    secret_key_free(key);
    store_close(store);
    remove_test_dir(dir);
}

TestSuite(cluster, .init = setup, .fini = teardown);

static char *text_of(const char *path)
{
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT;
    struct buf b = BUF_INIT;

    cr_assert_eq(node_find(root, path, &t, &err), 0, "%s", err.text);
    cr_assert_eq(target_text(&t, &b, &err), 0, "%s", err.text);
    b.data[b.size - 1] = '\0';
    return buf_steal(&b);
}

static int write_text(const char *path, const char *text, struct err *err)
{
    SCOPED(target_release) struct target t = { 0 };

    cr_assert_eq(node_find(root, path, &t, err), 0, "%s", err->text);
    return target_write_text(&t, text, strlen(text), NULL, err);
}

static void is(const char *path, const char *want)
{
    SCOPED(freep) char *got = text_of(path);

    cr_expect_str_eq(got, want, "%s: %s", path, got);
}

Test(cluster, has_sound_tables)
{
    struct err err = ERR_INIT;

    cr_assert_eq(node_type_check(&cluster_type, &err), 0, "%s", err.text);
}

Test(cluster, is_one_member_that_leads)
{
    is("cluster/leader", "first");
    is("cluster/members/first/is_leader", "true");
    is("cluster/members/first/state", "online");
    is("cluster/members/first/peer_url", "");
}

Test(cluster, keeps_its_ids_over_a_restart_and_a_new_name)
{
    SCOPED(freep) char *id = text_of("cluster/members/first/id");
    SCOPED(freep) char *cluster_id = text_of("cluster/cluster_id");

    cr_assert_neq(strcmp(id, cluster_id), 0);
    close_tree();
    open_tree("second");
    is("cluster/members/second/id", id);
    is("cluster/cluster_id", cluster_id);
    is("cluster/leader", "second");
}

Test(cluster, keeps_what_was_set)
{
    struct err err = ERR_INIT;

    cr_assert_eq(write_text("cluster/members/first/peer_url", "http://h:1\n", &err), 0);
    cr_assert_eq(write_text("cluster/name", "orders\n", &err), 0);
    close_tree();
    open_tree("first");
    is("cluster/members/first/peer_url", "http://h:1");
    is("cluster/name", "orders");
}

Test(cluster, shows_where_it_listens_until_told_otherwise)
{
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT;

    node_find(root, "cluster", &t, &err);
    cluster_listens(t.node, "http://127.0.0.1:8261");
    is("cluster/members/first/admin_url", "http://127.0.0.1:8261");
    cr_assert_eq(write_text("cluster/members/first/admin_url", "http://h:9595", &err), 0);
    is("cluster/members/first/admin_url", "http://h:9595");
    cr_assert_eq(write_text("cluster/members/first/admin_url", "ftp://h", &err), -EINVAL);
    cr_assert_eq(write_text("cluster/members/first/admin_url", "\n", &err), 0);
    is("cluster/members/first/admin_url", "http://127.0.0.1:8261");
}

Test(cluster, refuses_other_members_and_to_lose_the_last)
{
    SCOPED(target_release) struct target members = { 0 }, first = { 0 };
    SCOPED(json_decrefp) json_t *spec = json_pack("{s:s}", "peer_url", "http://h:1");
    struct err err = ERR_INIT;

    node_find(root, "cluster/members", &members, &err);
    node_find(root, "cluster/members/first", &first, &err);
    cr_assert_eq(node_create_direct(members.node, "second", spec, NULL, &err), -EOPNOTSUPP);
    write_text("cluster/members/first/peer_url", "http://h:1", &err);
    cr_assert_eq(node_create_direct(members.node, "second", spec, NULL, &err), -EEXIST);
    cr_assert_eq(node_create_direct(members.node, "first", NULL, NULL, &err), -EEXIST);
    cr_assert_eq(node_destroy_direct(first.node, NULL, &err), -EBUSY);
    is("cluster/members/first/state", "online");
}
