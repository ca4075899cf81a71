#include "fixture.h"

#include <poll.h>
#include <sys/eventfd.h>

static void wake(void *arg)
{
    eventfd_write(*(int *)arg, 1);
}

struct seat {
    int fd;
    struct watch *w;
};

static struct seat sit(struct node *below, uint64_t since, int *fd)
{
    *fd = eventfd(0, EFD_NONBLOCK);
    return (struct seat){ *fd, watch_subscribe(below, since, wake, fd) };
}

/* The next change, waiting up to two seconds. */
static struct change next(struct seat *s)
{
    struct pollfd p = { s->fd, POLLIN, 0 };
    struct change c;
    eventfd_t n;

    while (!watch_next(s->w, &c)) {
        cr_assert_eq(poll(&p, 1, 2000), 1, "no change came");
        eventfd_read(s->fd, &n);
    }
    return c;
}

static bool is_quiet(struct seat *s)
{
    struct change c;

    usleep(250000);
    if (!watch_next(s->w, &c))
        return true;
    change_fini(&c);
    return false;
}

static void leave(struct seat *s)
{
    watch_unsubscribe(s->w);
    close(s->fd);
}

static struct node *child(struct node *root, const char *name)
{
    struct node *n = node_child(root, name);

    node_unref(n); /* the tree holds it */
    return n;
}

Test(watch, changes_melt_and_carry_values)
{
    struct node *root = tree_new(), *a = child(root, "a");
    int fd;
    struct seat s = sit(root, 0, &fd);
    struct change c;
    json_t *v;

    for (int i = 0; i < 10000; i++)
        node_changed(a, "rows");
    node_changed(a, "level");
    usleep(300000);
    c = next(&s);
    cr_assert_eq(c.kind, CHANGE_VALUES);
    cr_assert_str_eq(c.path, "a");
    v = change_json(&c);
    cr_assert_eq(json_object_size(json_object_get(v, "changed")), 2);
    cr_assert_str_eq(json_string_value(json_object_get(json_object_get(v, "changed"), "level")),
                     "low");
    json_decref(v);
    change_fini(&c);
    cr_assert(is_quiet(&s));
    leave(&s);
    watch_stop();
    node_unref(root);
}

Test(watch, hears_only_what_is_below)
{
    struct node *root = tree_new(), *a = child(root, "a"), *b = child(root, "b");
    int fd;
    struct seat s = sit(a, 0, &fd);
    struct change c;

    node_changed(b, "rows");
    cr_assert(is_quiet(&s));
    node_changed(child(a, "c"), "rows");
    c = next(&s);
    cr_assert_str_eq(c.path, "a/c");
    change_fini(&c);
    leave(&s);
    watch_stop();
    node_unref(root);
}

Test(watch, hears_of_nodes_that_come_and_go)
{
    struct node *root = tree_new();
    int fd;
    struct seat s = sit(root, 0, &fd);
    struct err err = ERR_INIT;
    struct change c;

    cr_assert_eq(node_create(root, "new", NULL, NULL, &err), 0);
    c = next(&s);
    cr_assert_eq(c.kind, CHANGE_CREATE);
    cr_assert_str_eq(c.path, "new");
    change_fini(&c);
    cr_assert_eq(node_destroy(child(root, "new"), NULL, &err), 0);
    c = next(&s);
    cr_assert_eq(c.kind, CHANGE_REMOVE);
    cr_assert_str_eq(c.path, "new");
    cr_assert_eq(c.node, root);
    change_fini(&c);
    leave(&s);
    watch_stop();
    node_unref(root);
}

Test(watch, of_a_removed_node_hears_so_once)
{
    struct node *root = tree_new(), *a = child(root, "a");
    int fd;
    struct seat s = sit(child(a, "c"), 0, &fd);
    struct change c;

    node_remove(a);
    c = next(&s);
    cr_assert_eq(c.kind, CHANGE_REMOVE);
    cr_assert_str_eq(c.path, "a/c");
    change_fini(&c);
    node_changed(root, "rows");
    cr_assert(is_quiet(&s));
    leave(&s);
    watch_stop();
    node_unref(root);
}

Test(watch, resumes_after_a_number)
{
    struct node *root = tree_new(), *a = child(root, "a"), *b = child(root, "b");
    int fd, fd2;
    struct seat s = sit(root, 0, &fd), again;
    struct change c;
    uint64_t seq;

    node_changed(a, "rows");
    c = next(&s);
    seq = c.seq;
    change_fini(&c);
    node_changed(b, "port");
    c = next(&s);
    change_fini(&c);
    leave(&s);
    again = sit(root, seq, &fd2);
    c = next(&again);
    cr_assert_str_eq(c.path, "b");
    cr_assert_gt(c.seq, seq);
    change_fini(&c);
    leave(&again);
    again = sit(root, 1, &fd2); /* a number of an earlier run */
    c = next(&again);
    cr_assert_eq(c.kind, CHANGE_RESET);
    change_fini(&c);
    leave(&again);
    watch_stop();
    node_unref(root);
}

Test(watch, a_reader_far_behind_starts_over)
{
    struct node *root = thing_new("");
    struct err err = ERR_INIT;
    int fd;
    struct seat s = sit(root, 0, &fd);
    struct change c;
    bool reset = false;
    char name[16];

    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "t%d", i);
        cr_assert_eq(thing_create(root, name, NULL, &err), 0);
    }
    usleep(400000);
    while (watch_next(s.w, &c)) {
        reset = reset || c.kind == CHANGE_RESET;
        change_fini(&c);
    }
    cr_assert(reset);
    leave(&s);
    watch_stop();
    node_unref(root);
}

Test(watch, the_mount_misses_nothing_of_a_flood)
{
    enum { N = 3000 };
    struct node *root = thing_new("");
    struct err err = ERR_INIT;
    int fd = eventfd(0, EFD_NONBLOCK), n[4] = { 0 };
    struct seat s;
    struct change c;
    char name[16];

    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "t%d", i);
        cr_assert_eq(thing_create(root, name, NULL, &err), 0);
    }
    s = (struct seat){ fd, watch_subscribe_all(root, wake, &fd) };
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "t%d", i);
        node_changed(child(root, name), "rows");
        if (i % 100 == 0)
            node_remove(child(root, name));
    }
    do {
        c = next(&s);
        n[c.kind]++;
        cr_assert_neq(c.kind, CHANGE_RESET);
        cr_assert(c.kind != CHANGE_VALUES || !c.node->removed);
        change_fini(&c);
    } while (n[CHANGE_VALUES] < N - N / 100 || n[CHANGE_REMOVE] < N / 100);
    cr_assert(is_quiet(&s));
    cr_assert_eq(n[CHANGE_VALUES], N - N / 100);
    leave(&s);
    watch_stop();
    node_unref(root);
}

Test(watch, what_melts_keeps_its_place)
{
    struct node *root = tree_new(), *a = child(root, "a"), *b = child(root, "b");
    int fd, fd2;
    struct seat s = sit(root, 0, &fd), probe = sit(root, 0, &fd2);
    struct change first, second;

    for (int i = 0; i < 2; i++) { /* the probe sees each in a gathering of its own */
        struct node *const all[] = { a, b };

        for (int k = 0; k < 2; k++) {
            struct change c;

            node_changed(all[k], i ? "port" : "rows");
            c = next(&probe);
            change_fini(&c);
        }
    }
    first = next(&s);
    second = next(&s);
    cr_assert_str_eq(first.path, "a");
    cr_assert_str_eq(second.path, "b");
    cr_assert_lt(first.seq, second.seq, "numbers grow: who resumes after one misses none");
    cr_assert(change_has(&first, &thing_attrs[0]) && change_has(&first, &thing_attrs[1]));
    cr_assert(is_quiet(&s));
    change_fini(&first);
    change_fini(&second);
    leave(&s);
    leave(&probe);
    watch_stop();
    node_unref(root);
}

static void note(void *arg, const struct change *c, const struct attr *a)
{
    (void)c;
    buf_printf(arg, "%s ", a->name);
}

Test(watch, announces_watched_rows_and_status)
{
    struct node *root = tree_new(), *a = child(root, "a");
    int fd;
    struct seat s = sit(root, 0, &fd);
    struct buf b = BUF_INIT;
    struct change c;

    node_changed(a, "level");
    node_changed(a, "events");
    usleep(150000);
    c = next(&s);
    change_announced(&c, note, &b);
    cr_assert_str_eq(b.data, "level events status ");
    buf_fini(&b);
    change_fini(&c);
    leave(&s);
    watch_stop();
    node_unref(root);
}
