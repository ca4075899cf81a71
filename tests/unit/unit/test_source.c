#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "node/node.h"
#include "store/catalog.h"
#include "store/secret.h"
#include "store/store.h"
#include "unit/source/source.h"
#include "unit/source/source_doc.h"
#include "unit/source/source_priv.h"

static struct store *store;
static struct secret_key *key;
static struct catalog *catalog;
static struct node *sources;
static struct err err;

static void open_all(void)
{
    char path[] = "/tmp/sluice-key-XXXXXX";

    err = ERR_INIT;
    close(mkstemp(path));
    unlink(path);
    cr_assert_eq(secret_key_open(path, &key, &err), 0, "%s", err.text);
    unlink(path);
    store = store_open_mem();
    catalog = catalog_new(store, key);
    sources = sources_new(&(struct sources_config){ .catalog = catalog }, &err);
    cr_assert(sources);
}

static void drop_one(void *arg, struct node *n)
{
    (void)arg;
    node_remove(n);
}

static void close_tree(void)
{
    sources_stop(sources);
    node_each(sources, drop_one, NULL);
    node_unref(sources);
}

static void close_all(void)
{
    close_tree();
    catalog_free(catalog);
    store_close(store);
    secret_key_free(key);
}

TestSuite(source, .init = open_all, .fini = close_all);

static int create(const char *name, const char *json)
{
    json_t *doc = json ? json_loads(json, 0, NULL) : NULL;
    int rc = sources->type->create(sources, name, doc, &err);

    json_decref(doc);
    return rc;
}

static int set(const char *path, const char *json)
{
    json_t *v = json_loads(json, JSON_DECODE_ANY, NULL);
    struct target t;
    int rc = node_find(sources, path, &t, &err);

    cr_assert_eq(rc, 0, "%s", err.text);
    rc = target_write(&t, v, NULL, &err);
    target_release(&t);
    json_decref(v);
    return rc;
}

static void expect_text(const char *path, const char *expected)
{
    struct buf b = BUF_INIT;
    struct target t;

    cr_assert_eq(node_find(sources, path, &t, &err), 0, "%s", err.text);
    cr_expect_eq(target_text(&t, &b, &err), 0, "%s", err.text);
    cr_expect_str_eq(b.data ? b.data : "", expected, "%s is %s", path, b.data);
    target_release(&t);
    buf_fini(&b);
}

Test(source, has_sound_tables)
{
    cr_expect_eq(node_type_check(&sources_type, &err), 0, "%s", err.text);
}

Test(source, is_a_draft_until_it_knows_where_to_connect)
{
    struct mysql_params p;
    struct source *s;

    cr_assert_eq(create("s1", NULL), 0, "%s", err.text);
    s = source_find(sources, "s1");
    cr_assert(s);
    cr_expect_eq(source_params(s, &p, &err), -EINVAL);
    cr_expect_str_eq(err.text, "source s1: the source has no host yet: echo HOST > host");
    source_unref(s);
    expect_text("s1/port", "3306\n");
    expect_text("s1/state", "new\n");
    expect_text("s1/host", "\n");
}

#define DEFAULTS                  \
    "purge:\n"                    \
    "  interval: 3600\n"          \
    "  expires: 0\n"              \
    "  remain_space: 15\n"        \
    "  max_bytes: 0\n"            \
    "  when_full: stop\n"         \
    "checker:\n"                  \
    "  check_enable: false\n"     \
    "  backoff_max: 300\n"        \
    "  backoff_rollback: 300\n"   \
    "relay_config:\n"             \
    "  enable_relay: false\n"     \
    "  relay_binlog_name: \"\"\n" \
    "  relay_binlog_gtid: \"\"\n" \
    "  server_id: 0\n"            \
    "  server_uuid: \"\"\n"       \
    "  semi_sync: false\n"

Test(source, takes_settings_one_by_one_and_shows_them_in_its_document)
{
    create("s1", NULL);
    cr_expect_eq(set("s1/enable_gtid", "true"), 0);
    cr_expect_eq(set("s1/user", "\"repl\""), 0);
    cr_expect_eq(set("s1/password", "\"secret\""), 0);
    cr_expect_eq(set("s1/security/ssl_ca_content", "\"PEM\""), 0);

    expect_text("s1/config", "source_name: s1\n"
                             "port: 3306\n"
                             "user: repl\n"
                             "password: '******'\n"
                             "enable_gtid: true\n"
                             "enable: true\n"
                             "security:\n"
                             "  ssl_ca_content: PEM\n" DEFAULTS);
    expect_text("s1/security/required", "true\n");
}

Test(source, refuses_values_out_of_range_and_unknown_fields)
{
    create("s1", NULL);
    cr_expect_eq(set("s1/port", "70000"), -EINVAL);
    cr_expect_eq(set("s1/config", "{\"hots\": \"a\"}"), -EINVAL);
    cr_expect(strstr(err.text, "did you mean host?"), "%s", err.text);
    cr_expect_eq(set("s1/config", "{\"source_name\": \"other\"}"), -EINVAL);
    cr_expect_eq(set("s1/config", "{\"flavor\": \"oracle\"}"), -EINVAL);
    expect_text("s1/port", "3306\n");
}

Test(source, keeps_the_password_when_a_document_masks_it_or_leaves_it_out)
{
    struct mysql_params p;
    struct source *s;

    create("s1", "{\"host\": \"h\", \"user\": \"u\", \"password\": \"pw\", \"enable\": false}");
    cr_expect_eq(set("s1/config", "{\"host\": \"h2\", \"user\": \"u\", \"enable\": false,"
                                  " \"password\": \"******\"}"),
                 0);
    cr_expect_eq(set("s1/config", "{\"host\": \"h3\", \"user\": \"u\", \"enable\": false}"), 0);

    s = source_find(sources, "s1");
    json_t *doc = source_doc(s);
    cr_expect_eq(source_doc_params(doc, &p, &err), 0);
    cr_expect_str_eq(p.host, "h3");
    cr_expect_str_eq(p.password, "pw");
    json_decref(doc);
    mysql_params_fini(&p);
    source_unref(s);
}

Test(source, that_is_disabled_is_for_no_task)
{
    struct mysql_params p;
    struct source *s;

    create("s1", "{\"host\": \"h\", \"user\": \"u\", \"enable\": false}");
    s = source_find(sources, "s1");

    cr_expect_eq(source_params(s, &p, &err), -EPERM);
    cr_expect_not(source_enabled(s));
    source_unref(s);
}

static json_t *one_user(void *arg, const char *source)
{
    (void)arg;
    (void)source;
    return json_pack("[{s:s,s:s}]", "task", "orders", "file", "");
}

Test(source, stays_while_a_task_uses_it)
{
    struct node *n;

    create("s1", NULL);
    sources_on_users(sources, one_user, NULL);
    n = node_child(sources, "s1");
    cr_expect_eq(n->type->remove(n, &err), -EBUSY);
    cr_expect_str_eq(err.text, "it is used by task orders: remove that first");

    sources_on_users(sources, NULL, NULL);
    cr_expect_eq(n->type->remove(n, &err), 0);
    cr_expect_null(source_find(sources, "s1"));
    node_unref(n);
}

Test(source, is_there_again_after_a_restart)
{
    create("s 1/x", "{\"host\": \"h\", \"user\": \"u\", \"password\": \"pw\", \"enable\": false}");
    close_tree();

    sources = sources_new(&(struct sources_config){ .catalog = catalog }, &err);

    struct source *s = source_find(sources, "s 1/x");
    cr_assert(s);
    json_t *doc = source_doc(s);
    cr_expect_str_eq(json_string_value(json_object_get(doc, "password")), "pw");
    json_decref(doc);
    source_unref(s);
}

Test(source, with_a_bad_document_is_not_made)
{
    cr_expect_eq(create("s1", "{\"port\": 0}"), -EINVAL);
    cr_expect_null(source_find(sources, "s1"));
    cr_expect_eq(create("s1", NULL), 0);
    cr_expect_eq(create("s1", NULL), -EEXIST);
}

Test(source_doc, makes_tls_of_security)
{
    json_t *doc = json_loads("{\"host\": \"h\", \"user\": \"u\", \"security\": {\"ssl_ca_content\":"
                             " \"PEM\", \"cert_allowed_cn\": [\"a\", \"b\"]}}",
                             0, NULL);
    struct mysql_params p;

    cr_assert_eq(source_doc_params(doc, &p, &err), 0);
    cr_expect(p.tls.required && p.tls.verify);
    cr_expect_str_eq(p.tls.allowed_cn, "a,b");
    mysql_params_fini(&p);
    json_decref(doc);
}

Test(source_doc, refuses_a_password_file_that_is_not_there)
{
    json_t *doc = json_loads("{\"host\": \"h\", \"user\": \"u\","
                             " \"password\": \"file:/nonexistent/pw\"}",
                             0, NULL);
    struct mysql_params p;

    cr_expect_eq(source_doc_params(doc, &p, &err), -ENOENT);
    cr_expect(strstr(err.text, "/nonexistent/pw"), "%s", err.text);
    json_decref(doc);
}
