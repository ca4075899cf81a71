#include "fs/private.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/scope.h"

static json_t *get_text(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a, (void)err;
    return json_string("a text");
}

static json_t *get_document(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a, (void)err;
    return json_pack("{s:i}", "a", 1);
}

static int set(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)n, (void)a, (void)v, (void)err;
    return 0;
}

static const struct attr attrs[] = {
    { .name = "text", .help = "A text", .type = ATTR_TEXT, .get = get_text, .set = set },
    { .name = "config",
      .help = "A document",
      .type = ATTR_DOCUMENT,
      .get = get_document,
      .set = set },
    { .name = "far", .help = "Far away", .type = ATTR_TEXT, .get = get_text, .flags = ATTR_ASKS },
    { 0 },
};
static const struct node_type type = { .name = "t", .help = "A type", .attrs = attrs };
static struct node node;
static struct fs fs;

static struct file *open_file(const char *name, bool for_writing)
{
    struct err err = ERR_INIT;
    SCOPED(target_release) struct target t = { 0 };

    if (!fs.root) {
        node_init(&node, &type, "");
        mutex_init(&fs.files_lock);
        fs.root = &node;
    }
    cr_assert_eq(node_lookup(&node, name, &t, &err), 0);
    return file_new(&fs, &t, for_writing);
}

static void finish(void)
{
    files_free(&fs);
    node_unref(&node);
    mutex_fini(&fs.files_lock);
}

Test(file, a_document_is_taken_whole_when_something_is_new)
{
    struct file *f = open_file("config", true);
    struct caller who = { .front = "fs" };
    struct buf b = BUF_INIT;

    cr_assert(f->is_document);
    cr_assert(!file_take_document(f, &b), "nothing was written yet");
    cr_assert_eq(file_append(f, "a: ", 3, &who), 0);
    cr_assert_eq(file_append(f, "1\n", 2, &who), 0);
    cr_assert(file_take_document(f, &b));
    cr_assert_str_eq(b.data, "a: 1\n");
    cr_assert(!file_take_document(f, &b), "it was taken");
    cr_assert_eq(file_append(f, "b: 2\n", 5, &who), 0);
    buf_clear(&b);
    cr_assert(file_take_document(f, &b));
    cr_assert_str_eq(b.data, "a: 1\nb: 2\n", "again from the start");
    buf_fini(&b);
    finish();
}

Test(file, a_document_has_a_limit)
{
    static char part[1 << 20];
    struct file *f = open_file("config", true);
    struct caller who = { .front = "fs" };
    struct buf b = BUF_INIT;
    int n = 0;

    memset(part, 'x', sizeof part);
    while (file_append(f, part, sizeof part, &who) == 0)
        n++;
    cr_assert_eq(n, 64);
    cr_assert_eq(file_append(f, part, sizeof part, &who), -EFBIG);
    cr_assert(!file_take_document(f, &b), "what was cut is not applied");
    buf_fini(&b);
    finish();
}

Test(file, only_documents_open_for_writing_are_gathered)
{
    cr_assert(!open_file("config", false)->is_document);
    cr_assert(!open_file("text", true)->is_document);
    cr_assert(file_waits(open_file("far", false)));
    cr_assert(!file_waits(open_file("text", false)));
    finish();
}

Test(file, what_open_rendered_serves_one_read_at_the_start)
{
    struct file *f = open_file("text", false);
    struct err err = ERR_INIT;

    cr_assert_eq(file_render(f, &err), 0);
    cr_assert(!file_is_stale(f), "just rendered");
    cr_assert(file_is_stale(f), "the next read at 0 renders anew");
    finish();
}

Test(file, inode_numbers_lead_back)
{
    struct file *f = open_file("text", false);
    struct target t;

    cr_assert_eq(fs_ino(&fs, &(struct target){ .node = &node }), FUSE_ROOT_ID);
    cr_assert_eq(fs_target(&fs, FUSE_ROOT_ID, &t), 0);
    cr_assert_eq(t.node, &node);
    target_release(&t);
    cr_assert_eq(fs_target(&fs, fs_ino(&fs, &f->target), &t), 0);
    cr_assert_str_eq(t.attr->name, "text");
    target_release(&t);
    finish();
}
