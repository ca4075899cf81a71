#include "base/password.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"

static const unsigned char key[PASSWORD_KEY_SIZE] = "0123456789abcdef0123456789abcdef";

static void goes_round(const char *text)
{
    struct err err = ERR_INIT;
    SCOPED(freep) char *sealed = password_encrypt(key, text, &err);
    SCOPED(freep) char *again = sealed ? password_decrypt(key, sealed) : NULL;

    cr_assert_not_null(sealed, "%s", err.text);
    cr_assert_not_null(again, "%s", sealed);
    cr_assert_str_eq(again, text);
}

Test(password, goes_there_and_back_whatever_its_length)
{
    char text[200] = "";

    goes_round("");
    for (size_t i = 0; i < sizeof text - 1; i++) {
        text[i] = (char)('!' + i % 90);
        goes_round(text);
    }
    goes_round("\xc3\xa4 \xe2\x82\xac");
}

Test(password, is_never_the_same_text_twice)
{
    struct err err = ERR_INIT;
    SCOPED(freep) char *a = password_encrypt(key, "x", &err), *b = password_encrypt(key, "x", &err);

    cr_assert_str_neq(a, b);
}

/* printf '%s' secret | openssl enc -aes-256-cfb -K <hex of key> -iv 30…, with the IV and '@'
 * before. */
Test(password, opens_what_openssl_made)
{
    SCOPED(freep)
    char *text = password_decrypt(key, "MDAwMDAwMDAwMDAwMDAwMEAtcLZpjpU=");

    cr_assert_not_null(text);
    cr_assert_str_eq(text, "secret");
}

Test(password, takes_everything_else_for_a_password)
{
    static const char *const plain[] = { "",
                                         "secret",
                                         "c2VjcmV0",
                                         "a password with spaces and more",
                                         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                         "====",
                                         "MDAwMDAwMDAwMDAwMDAwMEAtc*ZpjpU=" };

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        cr_expect_null(password_decrypt(key, plain[i]), "%s", plain[i]);
}

static int read_key(const char *text)
{
    char path[] = "/tmp/sluice-key-XXXXXX";
    int fd = mkstemp(path);
    unsigned char got[PASSWORD_KEY_SIZE];
    struct err err = ERR_INIT;
    int rc;

    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    rc = password_key_read(path, got, &err);
    unlink(path);
    cr_expect(rc < 0 || (got[0] == 0x00 && got[31] == 0xff));
    return rc;
}

#define HEX62 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEE"

Test(password, reads_a_key_of_64_digits)
{
    struct err err = ERR_INIT;
    unsigned char got[PASSWORD_KEY_SIZE];

    cr_expect_eq(read_key(HEX62 "ff"), 0);
    cr_expect_eq(read_key(HEX62 "FF\r\n"), 0);
    cr_expect_eq(read_key(HEX62), -EBADMSG);
    cr_expect_eq(read_key(HEX62 "fg"), -EBADMSG);
    cr_expect_eq(read_key(HEX62 "fff"), -EBADMSG);
    cr_expect_eq(read_key(HEX62 "ff\nx"), -EBADMSG);
    cr_expect_eq(password_key_read("/nonexistent", got, &err), -ENOENT);
}
