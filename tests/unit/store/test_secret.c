#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "store/secret.h"
#include "unit/store/both_stores.h"

static char dir[64], path[96];
static struct secret_key *key;
static struct err err;

static void setup(void)
{
    make_test_dir(dir);
    snprintf(path, sizeof path, "%s/key", dir);
    cr_assert_eq(secret_key_open(path, &key, &err), 0, "%s", err.text);
}

static void teardown(void)
{
    secret_key_free(key);
    remove_test_dir(dir);
}

TestSuite(secret, .init = setup, .fini = teardown);

static void opens_as(const char *sealed, const char *place, const char *expected)
{
    char *text = NULL;

    cr_assert_eq(secret_open(key, sealed, place, &text, &err), 0, "%s", err.text);
    cr_assert_str_eq(text, expected);
    secret_free(text);
}

static void is_refused(const char *sealed, const char *place)
{
    char *text = NULL;

    cr_assert_eq(secret_open(key, sealed, place, &text, &err), -EBADMSG, "'%s' opened", sealed);
    cr_assert_null(text);
    cr_assert_not_null(strstr(err.text, place), "%s", err.text);
}

Test(secret, opens_what_was_sealed)
{
    static const char *const texts[] = { "", "x", "hunter2", "with \"quotes\" and \xc3\xa9",
                                         "sealed:1:" };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        SCOPED(freep) char *sealed = secret_seal(key, texts[i], "sources/s1/password");

        cr_assert_null(strstr(sealed, "hunter2"));
        opens_as(sealed, "sources/s1/password", texts[i]);
    }
}

Test(secret, seals_differently_each_time)
{
    SCOPED(freep) char *a = secret_seal(key, "x", "p");
    SCOPED(freep) char *b = secret_seal(key, "x", "p");

    cr_assert_str_neq(a, b);
}

/* Of every length modulo 3, so that base64 ends in all its ways. */
Test(secret, any_changed_character_is_refused)
{
    for (const char *text = "hunter2"; *text; text++) {
        SCOPED(freep) char *sealed = secret_seal(key, text, "p");

        for (size_t i = 0; sealed[i]; i++) {
            char was = sealed[i];

            for (const char *other = "AB+z="; *other; other++) {
                sealed[i] = *other;
                if (*other != was)
                    is_refused(sealed, "p");
            }
            sealed[i] = was;
        }
        opens_as(sealed, "p", text);
    }
}

Test(secret, any_cut_text_is_refused)
{
    SCOPED(freep) char *sealed = secret_seal(key, "hunter2", "p");

    for (size_t n = strlen(sealed); n-- > 0;) {
        sealed[n] = '\0';
        is_refused(sealed, "p");
    }
}

Test(secret, does_not_open_elsewhere)
{
    SCOPED(freep) char *sealed = secret_seal(key, "x", "sources/s1/password");

    is_refused(sealed, "sources/s2/password");
}

Test(secret, does_not_open_under_another_key)
{
    SCOPED(freep) char *sealed = secret_seal(key, "x", "p");

    secret_key_free(key);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(secret_key_open(path, &key, &err), 0);
    is_refused(sealed, "p");
}

Test(secret, the_key_file_is_made_once_for_its_owner_only)
{
    SCOPED(freep) char *sealed = secret_seal(key, "x", "p");
    struct stat st;

    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0600);
    cr_assert_eq(st.st_size, 32);
    secret_key_free(key);
    cr_assert_eq(secret_key_open(path, &key, &err), 0);
    opens_as(sealed, "p", "x");
}

Test(secret, a_key_file_that_others_read_or_that_is_damaged_is_refused)
{
    struct secret_key *other = NULL;

    cr_assert_eq(chmod(path, 0640), 0);
    cr_assert_eq(secret_key_open(path, &other, &err), -EACCES);
    cr_assert_not_null(strstr(err.text, "chmod 600"), "%s", err.text);
    cr_assert_eq(chmod(path, 0600), 0);
    cr_assert_eq(truncate(path, 31), 0);
    cr_assert_eq(secret_key_open(path, &other, &err), -EBADMSG);
    cr_assert_null(other);
}

Test(secret, seals_members_of_a_document_wherever_they_are)
{
    static const char *const names[] = { "password", NULL };
    json_t *doc = json_pack("{s:s, s:{s:s, s:n}, s:[{s:s}], s:i}", "host", "h", "target",
                            "password", "one", "security", "all", "password", "two", "port", 1);
    json_t *sealed = secret_seal_json(key, doc, names, "tasks/t");
    SCOPED(freep) char *text = json_dumps(sealed, 0);
    json_t *opened = secret_open_json(key, sealed, names, "tasks/t", &err);

    cr_assert_null(strstr(text, "one"));
    cr_assert_null(strstr(text, "two"));
    cr_assert_not_null(strstr(text, "\"host\": \"h\""));
    cr_assert(json_equal(opened, doc), "%s", err.text);
    cr_assert_null(secret_open_json(key, doc, names, "tasks/t", &err), "clear text on disk");
    cr_assert_eq(err.code, -EBADMSG);
    json_decref(doc);
    json_decref(sealed);
    json_decref(opened);
}

static void write_secret_file(char *name, size_t size, const char *text, size_t n)
{
    int fd;

    snprintf(name, size, "file:%s/secret", dir);
    fd = open(name + 5, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(write(fd, text, n), (ssize_t)n);
    close(fd);
}

Test(secret, file_stands_for_its_content_without_the_last_newline)
{
    char name[96];
    char *text;

    write_secret_file(name, sizeof name, "pa ss\n\n", 7);
    cr_assert_eq(secret_resolve(name, &text, &err), 0, "%s", err.text);
    cr_assert_str_eq(text, "pa ss\n");
    secret_free(text);
    write_secret_file(name, sizeof name, "", 0);
    cr_assert_eq(secret_resolve(name, &text, &err), 0, "%s", err.text);
    cr_assert_str_eq(text, "");
    secret_free(text);
    cr_assert_eq(secret_resolve("plain", &text, &err), 0);
    cr_assert_str_eq(text, "plain");
    secret_free(text);
}

Test(secret, a_missing_or_huge_file_is_named)
{
    SCOPED(freep) char *huge = xcalloc(1, 70000);
    char name[96];
    char *text;

    cr_assert_eq(secret_resolve("file:/nonexistent", &text, &err), -ENOENT);
    cr_assert_not_null(strstr(err.text, "/nonexistent"));
    write_secret_file(name, sizeof name, huge, 70000);
    cr_assert_eq(secret_resolve(name, &text, &err), -EFBIG);
}
