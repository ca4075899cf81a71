#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/guard.h"

/* sha256 of "secret" and of "looking" */
#define TOKENS                                                                       \
    "# who right hash\n"                                                             \
    "ops write 2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\n\n" \
    "graf read  14f22c3ccfb754c8a1e6fd94f9f6f36e0415243d0ea0d1aef49822e6ca325425 # x\n"

static const struct peer user = { .kind = PEER_LOCAL, .tcp = true, .uid = 1000, .gid = 100 };
static const struct peer closed = { .kind = PEER_UNKNOWN, .tcp = true, .uid = (uid_t)-1 };
static const struct peer elsewhere = { .kind = PEER_REMOTE, .tcp = true, .uid = (uid_t)-1 };

static char path[32];

static void no_file(void)
{
    unlink(path);
}

static struct token_file *tokens_of(const char *text)
{
    struct err err = ERR_INIT;
    FILE *out;

    snprintf(path, sizeof path, "/tmp/sluice-tokens-XXXXXX");
    out = fdopen(mkstemp(path), "w");
    fputs(text, out);
    fclose(out);
    return token_file_open(path, &err);
}

static int check(const struct guard *g, const struct peer *p, struct guard_headers h,
                 struct guard_right *right)
{
    struct err err = ERR_INIT;

    *right = (struct guard_right){ .caller.uid = 12345 };
    return guard_check(g, p, &h, right, &err);
}

Test(guard, acts_as_the_user_at_the_other_end)
{
    struct guard g = { 0 };
    struct guard_right r;

    cr_assert_eq(check(&g, &user, (struct guard_headers){ "localhost:8261" }, &r), 0);
    cr_assert_eq(r.caller.uid, 1000);
    cr_assert(r.may_write);
    cr_assert_str_eq(r.caller.front, "http");
}

Test(guard, refuses_whom_the_kernel_does_not_name)
{
    struct guard g = { .insecure = true };
    struct guard_right r;

    cr_assert_eq(check(&g, &closed, (struct guard_headers){ "localhost" }, &r), -EACCES);
    cr_assert_eq(r.caller.uid, 12345);
}

Test(guard, refuses_rebound_names_and_pages_of_other_sites)
{
    struct guard g = { 0 };
    struct guard_right r;

    cr_expect_eq(check(&g, &user, (struct guard_headers){ "evil.example:8261" }, &r), -EACCES);
    cr_expect_eq(check(&g, &user, (struct guard_headers){ "localhost:8261", "http://evil" }, &r),
                 -EACCES);
    cr_expect_eq(check(&g, &user, (struct guard_headers){ "localhost:8261", "null" }, &r), -EACCES);
    cr_expect_eq(
        check(&g, &user, (struct guard_headers){ "localhost:8261", "http://localhost:3000" }, &r),
        -EACCES);
    cr_expect_eq(
        check(&g, &user, (struct guard_headers){ "localhost:8261", "http://localhost:8261" }, &r),
        0);
}

Test(guard, asks_callers_from_elsewhere_for_a_token, .fini = no_file)
{
    struct guard g = { .tokens = tokens_of(TOKENS) };
    struct guard_right r;

    cr_assert_not_null(g.tokens);
    cr_expect_eq(check(&g, &elsewhere, (struct guard_headers){ "db1" }, &r), -ENOKEY);
    cr_expect_eq(check(&g, &elsewhere, (struct guard_headers){ "db1", NULL, "Bearer nope" }, &r),
                 -EKEYREJECTED);
    cr_expect_eq(check(&g, &elsewhere, (struct guard_headers){ "db1", NULL, "Basic c2Vj" }, &r),
                 -EKEYREJECTED);
    cr_expect_eq(check(&g, &elsewhere, (struct guard_headers){ "db1", NULL, "Bearer secret" }, &r),
                 0);
    cr_expect(r.may_write);
    cr_expect_str_eq(r.caller.name, "ops");
    token_file_free(g.tokens);
}

Test(guard, lets_everyone_in_only_when_told_so)
{
    struct guard g = { 0 }, open = { .insecure = true };
    struct guard_right r;

    cr_assert_eq(check(&g, &elsewhere, (struct guard_headers){ "db1" }, &r), -ENOKEY);
    cr_assert_eq(check(&open, &elsewhere, (struct guard_headers){ "db1" }, &r), 0);
}

Test(guard, knows_its_own_names)
{
    static const char *const own[] = { "localhost", "LOCALHOST:1", "127.0.0.1:8261",
                                       "127.9.9.9", "[::1]:8261",  "[::1]" };
    static const char *const foreign[] = { "",         "localhost.evil", "127.0.0.1.evil",
                                           "10.0.0.1", "[::2]:1",        "[::1]evil",
                                           "[::1",     "evil:127.0.0.1", "0.0.0.0" };

    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        cr_expect(guard_host_is_local(own[i]), "%s", own[i]);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        cr_expect_not(guard_host_is_local(foreign[i]), "%s", foreign[i]);
}

Test(token, tells_readers_from_writers, .fini = no_file)
{
    struct token_file *f = tokens_of(TOKENS);
    char name[TOKEN_NAME_SIZE];
    struct err err = ERR_INIT;
    bool write = true;

    cr_assert_eq(token_check(f, "looking", name, &write, &err), 0, "%s", err.text);
    cr_assert_str_eq(name, "graf");
    cr_assert_not(write);
    cr_assert_eq(token_check(f, "", name, &write, &err), -EKEYREJECTED);
    token_file_free(f);
}

Test(token, names_the_line_that_is_wrong, .fini = no_file)
{
    static const char *const bad[] = { "ops write\n", "ops own 00\n", "ops write 123\n",
                                       "\n# x\n" };

    for (size_t i = 0; i < 4; i++) {
        cr_expect_null(tokens_of(bad[i]), "%s", bad[i]);
        no_file();
    }
}

Test(token, is_withdrawn_with_its_line, .fini = no_file)
{
    struct token_file *f = tokens_of(TOKENS);
    char name[TOKEN_NAME_SIZE];
    struct err err = ERR_INIT;
    bool write;

    cr_assert_eq(token_check(f, "secret", name, &write, &err), 0);
    unlink(path);

    cr_assert_eq(token_check(f, "secret", name, &write, &err), -EKEYREJECTED);
    token_file_free(f);
}
