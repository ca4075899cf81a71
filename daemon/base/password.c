/* password.c - passwords in configuration files, encrypted. */
#include "base/password.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"

enum { IV_SIZE = 16, HEAD_SIZE = IV_SIZE + 1, TEXT_MAX = 4096 };

static int hex(char c)
{
    return !isxdigit((unsigned char)c) ? -1 : c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

static int key_parse(const char *text, unsigned char *key)
{
    size_t len = strcspn(text, "\r\n");

    if (len != 2 * (size_t)PASSWORD_KEY_SIZE || text[len + strspn(text + len, "\r\n")])
        return -EBADMSG;
    for (size_t i = 0; i < PASSWORD_KEY_SIZE; i++) {
        int high = hex(text[2 * i]), low = hex(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return -EBADMSG;
        key[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}

int password_key_read(const char *path, unsigned char key[PASSWORD_KEY_SIZE], struct err *err)
{
    char text[2 * PASSWORD_KEY_SIZE + 8] = "";
    FILE *in = fopen(path, "re");
    int rc = in ? 0 : -errno;
    size_t n;

    if (!in)
        return err_set(err, rc, "cannot read the key %s: %s", path, strerrordesc_np(-rc));
    n = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    rc = memchr(text, '\0', n) ? -EBADMSG : key_parse(text, key);
    OPENSSL_cleanse(text, sizeof text);
    return rc < 0 ? err_set(err, rc, "%s is no key: that is 64 hexadecimal digits", path) : 0;
}

/* Bytes of 'in' to as many of 'out'. */
static bool run_cipher(const unsigned char *key, const unsigned char *iv, bool encrypt,
                       const unsigned char *in, size_t size, unsigned char *out)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0;
    bool ok = c && EVP_CipherInit_ex(c, EVP_aes_256_cfb128(), NULL, key, iv, encrypt) &&
              EVP_CipherUpdate(c, out, &n, in, (int)size) && (size_t)n == size;

    EVP_CIPHER_CTX_free(c);
    return ok;
}

char *password_encrypt(const unsigned char key[PASSWORD_KEY_SIZE], const char *text,
                       struct err *err)
{
    size_t size = strlen(text);
    unsigned char all[HEAD_SIZE + TEXT_MAX];
    char *ret;

    if (size > TEXT_MAX)
        return err_set(err, -E2BIG, "a password has at most %d bytes", TEXT_MAX), NULL;
    if (RAND_bytes(all, IV_SIZE) != 1 ||
        !run_cipher(key, all, true, (const unsigned char *)text, size, all + HEAD_SIZE))
        return err_set(err, -EIO, "the system cannot encrypt"), NULL;
    all[IV_SIZE] = '@';
    ret = xcalloc(1, (HEAD_SIZE + size + 2) / 3 * 4 + 1);
    EVP_EncodeBlock((unsigned char *)ret, all, (int)(HEAD_SIZE + size));
    return ret;
}

char *password_decrypt(const unsigned char key[PASSWORD_KEY_SIZE], const char *text)
{
    size_t len = strlen(text), padding = 0;
    SCOPED(freep) unsigned char *all = NULL, *plain = NULL;
    int n;

    if (len % 4 || len < (HEAD_SIZE + 2) / 3 * (size_t)4 ||
        len > (HEAD_SIZE + TEXT_MAX + 2) / 3 * (size_t)4)
        return NULL;
    all = xcalloc(1, len / 4 * 3 + 1);
    n = EVP_DecodeBlock(all, (const unsigned char *)text, (int)len);
    while (padding < 2 && text[len - 1 - padding] == '=')
        padding++;
    n -= (int)padding; /* which EVP_DecodeBlock() counts */
    if (n < HEAD_SIZE || all[IV_SIZE] != '@')
        return NULL;
    plain = xcalloc(1, (size_t)n);
    if (!run_cipher(key, all, false, all + HEAD_SIZE, (size_t)n - HEAD_SIZE, plain) ||
        memchr(plain, '\0', (size_t)n - HEAD_SIZE))
        return NULL;
    return (char *)STEAL(plain);
}
