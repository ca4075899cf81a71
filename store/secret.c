#include "store/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/password.h"
#include "base/scope.h"
#include "store/folder.h"

#define SEALED "sealed:1:"
enum { KEY_SIZE = 32, NONCE_SIZE = 12, TAG_SIZE = 16, MAX_FILE_SIZE = 64 * 1024 };

/* Alone in a page, which stays out of swap and core files where the system lets us. */
struct secret_key {
    uint8_t bytes[KEY_SIZE];
};

static void random_bytes(uint8_t *ret, size_t size)
{
    int ok = RAND_bytes(ret, (int)size);

    assert(ok == 1); /* a system without entropy cannot seal anything */
}

/* Written beside and renamed, so that a crash never leaves half a key. */
static int make_key_file(const char *path, struct err *err)
{
    SCOPED(freep) char *beside = xasprintf("%s.new", path);
    SCOPED(closep) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    uint8_t bytes[KEY_SIZE];
    ssize_t n;

    if (fd < 0)
        return err_set(err, -errno, "cannot make key file %s: %m", path);
    random_bytes(bytes, sizeof bytes);
    n = write(fd, bytes, sizeof bytes);
    OPENSSL_cleanse(bytes, sizeof bytes);
    if (n != sizeof bytes || fsync(fd) < 0 || rename(beside, path) < 0)
        return err_set(err, n < 0 || n == sizeof bytes ? -errno : -EIO,
                       "cannot write key file %s: %m", path);
    return folder_sync_name(path, err);
}

static int check_key_file(int fd, const char *path, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(err, -errno, "cannot stat key file %s: %m", path);
    if (!S_ISREG(st.st_mode) || st.st_size != KEY_SIZE)
        return err_set(err, -EBADMSG,
                       "key file %s is damaged (%lld bytes instead of %d): put the right one back",
                       path, (long long)st.st_size, KEY_SIZE);
    if (st.st_mode & 077)
        return err_set(err, -EACCES, "key file %s can be read by others: chmod 600 %s", path, path);
    return 0;
}

int secret_key_open(const char *path, struct secret_key **ret, struct err *err)
{
    SCOPED(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct secret_key *k;
    int rc;

    if (fd < 0 && errno == ENOENT) {
        if (make_key_file(path, err) < 0)
            return err->code;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return err_set(err, -errno, "cannot open key file %s: %m", path);
    rc = check_key_file(fd, path, err);
    if (rc < 0)
        return rc;
    k = mmap(NULL, sizeof *k, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (k == MAP_FAILED)
        return err_set(err, -errno, "no memory for the key");
    (void)mlock(k, sizeof *k);
    (void)madvise(k, sizeof *k, MADV_DONTDUMP);
    if (read(fd, k->bytes, KEY_SIZE) != KEY_SIZE) {
        secret_key_free(k);
        return err_set(err, -EIO, "cannot read key file %s", path);
    }
    *ret = k;
    return 0;
}

void secret_key_free(struct secret_key *k)
{
    if (!k)
        return;
    OPENSSL_cleanse(k, sizeof *k);
    munmap(k, sizeof *k);
}

static EVP_CIPHER_CTX *cipher_new(const struct secret_key *k, const uint8_t *nonce,
                                  const char *place, bool encrypt)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n, ok;

    ok = c && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, k->bytes, nonce, encrypt) &&
         EVP_CipherUpdate(c, NULL, &n, (const uint8_t *)place, (int)strlen(place));
    assert(ok);
    return c;
}

char *secret_seal(const struct secret_key *k, const char *text, const char *place)
{
    size_t size = strlen(text), raw_size = NONCE_SIZE + size + TAG_SIZE;
    SCOPED(freep) uint8_t *raw = xmalloc(raw_size);
    char *sealed = xmalloc(sizeof SEALED + (raw_size + 2) / 3 * 4);
    EVP_CIPHER_CTX *c;
    int n, ok;

    random_bytes(raw, NONCE_SIZE);
    c = cipher_new(k, raw, place, true);
    ok = EVP_CipherUpdate(c, raw + NONCE_SIZE, &n, (const uint8_t *)text, (int)size) &&
         EVP_CipherFinal_ex(c, raw + NONCE_SIZE + n, &n) &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, raw + NONCE_SIZE + size);
    assert(ok);
    EVP_CIPHER_CTX_free(c);
    memcpy(sealed, SEALED, sizeof SEALED);
    EVP_EncodeBlock((uint8_t *)sealed + sizeof SEALED - 1, raw, (int)raw_size);
    return sealed;
}

/* Base64 with padding into fresh memory; NULL if it is none.  Only the one text that encoding
 * gives counts: the bits that padding leaves unused must be zero. */
static uint8_t *decode(const char *text, size_t *size)
{
    size_t len = strlen(text), pad = 0;
    SCOPED(freep) uint8_t *raw = NULL;
    SCOPED(freep) char *again = NULL;

    if (len == 0 || len % 4 != 0 || len > INT_MAX)
        return NULL;
    raw = xmalloc(len / 4 * 3);
    if (EVP_DecodeBlock(raw, (const uint8_t *)text, (int)len) < 0)
        return NULL;
    while (pad < 2 && text[len - 1 - pad] == '=')
        pad++;
    *size = len / 4 * 3 - pad;
    again = xmalloc(len + 1);
    EVP_EncodeBlock((uint8_t *)again, raw, (int)*size);
    return strcmp(again, text) == 0 ? STEAL(raw) : NULL;
}

static int decrypt(const struct secret_key *k, uint8_t *raw, size_t size, const char *place,
                   char **ret)
{
    size_t text_size = size - NONCE_SIZE - TAG_SIZE;
    char *text = xmalloc(text_size + 1);
    EVP_CIPHER_CTX *c = cipher_new(k, raw, place, false);
    int n = 0, ok;

    ok = EVP_CipherUpdate(c, (uint8_t *)text, &n, raw + NONCE_SIZE, (int)text_size) &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, raw + size - TAG_SIZE) &&
         EVP_CipherFinal_ex(c, (uint8_t *)text + n, &n) > 0;
    EVP_CIPHER_CTX_free(c);
    text[text_size] = '\0';
    if (!ok) {
        OPENSSL_cleanse(text, text_size);
        free(text);
        return -EBADMSG;
    }
    *ret = text;
    return 0;
}

int secret_open(const struct secret_key *k, const char *sealed, const char *place, char **ret,
                struct err *err)
{
    SCOPED(freep) uint8_t *raw = NULL;
    size_t size = 0;
    int rc = -EBADMSG;

    if (strncmp(sealed, SEALED, sizeof SEALED - 1) == 0)
        raw = decode(sealed + sizeof SEALED - 1, &size);
    if (raw && size >= NONCE_SIZE + TAG_SIZE)
        rc = decrypt(k, raw, size, place, ret);
    if (rc < 0)
        return err_set(err, rc,
                       "the secret kept at %s does not open: put back the key file it was sealed "
                       "with, or write the secret again",
                       place);
    return 0;
}

void secret_free(char *text)
{
    if (!text)
        return;
    OPENSSL_cleanse(text, strlen(text));
    free(text);
}

/* --- documents --- */

struct walk {
    const struct secret_key *key;
    const char *const *names;
    bool sealing;
};

static bool is_secret(const struct walk *w, const char *name)
{
    for (const char *const *p = w->names; *p; p++)
        if (strcmp(*p, name) == 0)
            return true;
    return false;
}

static json_t *convert(const struct walk *w, const json_t *text, const char *place, struct err *err)
{
    char *made = NULL;
    json_t *ret;

    if (w->sealing)
        made = secret_seal(w->key, json_string_value(text), place);
    else if (secret_open(w->key, json_string_value(text), place, &made, err) < 0)
        return NULL;
    ret = json_string(made);
    secret_free(made);
    return ret ? ret : json_null();
}

static json_t *walk_json(const struct walk *w, json_t *v, const char *name, const char *place,
                         struct err *err);

static json_t *walk_object(const struct walk *w, json_t *v, const char *place, struct err *err)
{
    json_t *copy = json_object(), *member, *made;
    const char *name;

    json_object_foreach (v, name, member) {
        SCOPED(freep) char *below = xasprintf("%s/%s", place, name);

        made = walk_json(w, member, name, below, err);
        if (!made) {
            json_decref(copy);
            return NULL;
        }
        json_object_set_new(copy, name, made);
    }
    return copy;
}

static json_t *walk_array(const struct walk *w, json_t *v, const char *place, struct err *err)
{
    json_t *copy = json_array(), *member, *made;
    size_t i;

    json_array_foreach (v, i, member) {
        SCOPED(freep) char *below = xasprintf("%s/%zu", place, i);

        made = walk_json(w, member, "", below, err);
        if (!made) {
            json_decref(copy);
            return NULL;
        }
        json_array_append_new(copy, made);
    }
    return copy;
}

static json_t *walk_json(const struct walk *w, json_t *v, const char *name, const char *place,
                         struct err *err)
{
    if (json_is_object(v))
        return walk_object(w, v, place, err);
    if (json_is_array(v))
        return walk_array(w, v, place, err);
    if (json_is_string(v) && is_secret(w, name))
        return convert(w, v, place, err);
    return json_incref(v);
}

json_t *secret_seal_json(const struct secret_key *k, const json_t *doc, const char *const *names,
                         const char *place)
{
    struct walk w = { .key = k, .names = names, .sealing = true };
    struct err none = ERR_INIT;

    return walk_json(&w, (json_t *)doc, "", place, &none);
}

json_t *secret_open_json(const struct secret_key *k, const json_t *doc, const char *const *names,
                         const char *place, struct err *err)
{
    struct walk w = { .key = k, .names = names };

    return walk_json(&w, (json_t *)doc, "", place, err);
}

static unsigned char password_key[PASSWORD_KEY_SIZE]; /* constant once there are threads */
static bool has_password_key;

int secret_set_password_key(const char *path, struct err *err)
{
    has_password_key = false;
    if (!*path)
        return 0;
    if (password_key_read(path, password_key, err) < 0)
        return err_wrap(err, "secret_key_path");
    has_password_key = true;
    return 0;
}

int secret_resolve(const char *text, char **ret, struct err *err)
{
    SCOPED(closep) int fd = -1;
    const char *path;
    char *content;
    ssize_t n;

    if (strncmp(text, "file:", 5) != 0) {
        content = has_password_key ? password_decrypt(password_key, text) : NULL;
        *ret = content ? content : xstrdup(text);
        return 0;
    }
    path = text + 5;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, -errno, "cannot read secret from %s: %m", path);
    content = xcalloc(1, MAX_FILE_SIZE + 1);
    n = read(fd, content, MAX_FILE_SIZE + 1);
    if (n < 0 || n > MAX_FILE_SIZE) {
        secret_free(content);
        return n < 0 ? err_set(err, -errno, "cannot read secret from %s: %m", path)
                     : err_set(err, -EFBIG, "cannot read secret from %s: over %d bytes", path,
                               MAX_FILE_SIZE);
    }
    content[n] = '\0';
    if (n > 0 && content[n - 1] == '\n')
        content[n - 1] = '\0';
    *ret = content;
    return 0;
}
