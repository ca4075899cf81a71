#include "mysql/auth.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "base/mem.h"
#include "base/scope.h"

enum { ED25519_KEY_SIZE = 32, ED25519_SIGNATURE_SIZE = 64, VOUCH_SHA256 = 1 };

static void md_ctx_freep(EVP_MD_CTX **c)
{
    EVP_MD_CTX_free(*c);
}

static void pkey_freep(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static void bn_ctx_freep(BN_CTX **c)
{
    BN_CTX_free(*c);
}

void auth_salt(uint8_t *salt, size_t size)
{
    RAND_bytes(salt, (int)size);
    for (size_t i = 0; i < size; i++)
        salt[i] = (uint8_t)(1 + salt[i] % 127); /* clients and servers treat it as ASCII text */
}

static void digest(const EVP_MD *md, struct slice a, struct slice b, uint8_t *ret)
{
    SCOPED(md_ctx_freep) EVP_MD_CTX *c = EVP_MD_CTX_new();

    EVP_DigestInit_ex(c, md, NULL);
    EVP_DigestUpdate(c, a.data, a.size);
    EVP_DigestUpdate(c, b.data, b.size);
    EVP_DigestFinal_ex(c, ret, NULL);
}

static bool is_xor(const uint8_t *proof, const uint8_t *a, const uint8_t *b, size_t size)
{
    uint8_t want[SHA256_DIGEST_LENGTH];

    for (size_t i = 0; i < size; i++)
        want[i] = a[i] ^ b[i];
    return CRYPTO_memcmp(proof, want, size) == 0;
}

/* SHA1(pw) ^ SHA1(salt + SHA1(SHA1(pw))) */
static bool verify_native(const char *password, const uint8_t *salt, const uint8_t *proof)
{
    uint8_t one[SHA_DIGEST_LENGTH], two[SHA_DIGEST_LENGTH], mask[SHA_DIGEST_LENGTH];

    digest(EVP_sha1(), slice_str(password), slice_of(NULL, 0), one);
    digest(EVP_sha1(), slice_of(one, sizeof one), slice_of(NULL, 0), two);
    digest(EVP_sha1(), slice_of(salt, SALT_SIZE), slice_of(two, sizeof two), mask);
    return is_xor(proof, one, mask, sizeof one);
}

/* SHA1(SHA1(pw)), as servers keep it */
static void hash_native(const char *password, uint8_t ret[static SHA_DIGEST_LENGTH])
{
    uint8_t one[SHA_DIGEST_LENGTH];

    digest(EVP_sha1(), slice_str(password), slice_of(NULL, 0), one);
    digest(EVP_sha1(), slice_of(one, sizeof one), slice_of(NULL, 0), ret);
}

/* SHA256(pw) ^ SHA256(SHA256(SHA256(pw)) + salt) */
static bool verify_sha2(const char *password, const uint8_t *salt, const uint8_t *proof)
{
    uint8_t one[SHA256_DIGEST_LENGTH], two[SHA256_DIGEST_LENGTH], mask[SHA256_DIGEST_LENGTH];

    digest(EVP_sha256(), slice_str(password), slice_of(NULL, 0), one);
    digest(EVP_sha256(), slice_of(one, sizeof one), slice_of(NULL, 0), two);
    digest(EVP_sha256(), slice_of(two, sizeof two), slice_of(salt, SALT_SIZE), mask);
    return is_xor(proof, one, mask, sizeof one);
}

/* --- client_ed25519 --- */

static void reverse(uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        uint8_t t = p[i];

        p[i] = p[size - 1 - i];
        p[size - 1 - i] = t;
    }
}

/* A point of Curve25519 has u = (1 + y) / (1 - y) on it and y on Ed25519: y = (u - 1) / (u + 1)
 * modulo 2^255 - 19.  Both little-endian, in place. */
static bool edwards_y(uint8_t point[static ED25519_KEY_SIZE])
{
    SCOPED(bn_ctx_freep) BN_CTX *c = BN_CTX_new();
    BIGNUM *p, *u, *above, *below;
    bool good;

    BN_CTX_start(c);
    p = BN_CTX_get(c), u = BN_CTX_get(c), above = BN_CTX_get(c), below = BN_CTX_get(c);
    BN_one(p);
    BN_lshift(p, p, 255);
    BN_sub_word(p, 19);
    reverse(point, ED25519_KEY_SIZE);
    BN_bin2bn(point, ED25519_KEY_SIZE, u);
    BN_copy(above, u);
    good = BN_add_word(u, 1) && BN_mod_inverse(below, u, p, c) && BN_sub_word(above, 1) &&
           BN_mod_mul(above, above, below, p, c) &&
           BN_bn2binpad(above, point, ED25519_KEY_SIZE) == ED25519_KEY_SIZE;
    reverse(point, ED25519_KEY_SIZE);
    BN_CTX_end(c);
    return good;
}

/* The public key of a password, but for the sign of x, its highest bit.  MariaDB's secret key is
 * SHA512(pw), of any length, which OpenSSL's Ed25519 does not take; its first half, cut into shape
 * as X25519 does it too, times the base point is the public key. */
static bool ed25519_key(const char *password, uint8_t ret[static ED25519_KEY_SIZE])
{
    uint8_t secret[SHA512_DIGEST_LENGTH];
    SCOPED(pkey_freep) EVP_PKEY *k = NULL;
    size_t size = ED25519_KEY_SIZE;

    digest(EVP_sha512(), slice_str(password), slice_of(NULL, 0), secret);
    k = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, ED25519_KEY_SIZE);
    OPENSSL_cleanse(secret, sizeof secret);
    return k && EVP_PKEY_get_raw_public_key(k, ret, &size) == 1 && edwards_y(ret);
}

static bool signed_by(const uint8_t *key, const uint8_t *salt, const uint8_t *proof)
{
    SCOPED(pkey_freep)
    EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, ED25519_KEY_SIZE);
    SCOPED(md_ctx_freep) EVP_MD_CTX *c = EVP_MD_CTX_new();

    return k && EVP_DigestVerifyInit(c, NULL, NULL, NULL, k) == 1 &&
           EVP_DigestVerify(c, proof, ED25519_SIGNATURE_SIZE, salt, AUTH_NONCE_SIZE) == 1;
}

/* A signature by either of the two points with that y needs the same secret. */
static bool verify_ed25519(const char *password, const uint8_t *salt, const uint8_t *proof)
{
    uint8_t key[ED25519_KEY_SIZE];

    if (!ed25519_key(password, key))
        return false;
    if (signed_by(key, salt, proof))
        return true;
    key[ED25519_KEY_SIZE - 1] |= 0x80;
    return signed_by(key, salt, proof);
}

/* --- all of them --- */

const struct auth_plugin auth_plugins[] = {
    { .name = "mysql_native_password",
      .salt_size = SALT_SIZE,
      .proof_size = SHA_DIGEST_LENGTH,
      .verify = verify_native },
    { .name = "caching_sha2_password",
      .salt_size = SALT_SIZE,
      .proof_size = SHA256_DIGEST_LENGTH,
      .verify = verify_sha2 },
    { .name = "client_ed25519",
      .salt_size = AUTH_NONCE_SIZE,
      .proof_size = ED25519_SIGNATURE_SIZE,
      .verify = verify_ed25519 },
    { 0 },
};

const struct auth_plugin *auth_plugin_named(struct slice name)
{
    for (const struct auth_plugin *p = auth_plugins; p->name; p++)
        if (slice_eq(slice_str(p->name), name))
            return p;
    return NULL;
}

bool auth_verify(const struct auth_plugin *p, const char *password, const uint8_t *salt,
                 struct slice proof)
{
    bool none = proof.size == 0 || (proof.size == 1 && proof.data[0] == 0);

    if (none || !*password)
        return none && !*password;
    return proof.size == p->proof_size && p->verify(password, salt, proof.data);
}

/* SHA256(what servers keep of the password + salt + the certificate's SHA256).  Source: MariaDB
 * Connector/C, my_auth.c. */
void auth_vouch(const struct auth *a, const uint8_t *certificate, char ret[static AUTH_VOUCH_SIZE])
{
    uint8_t mix[SHA_DIGEST_LENGTH + SALT_SIZE], sum[SHA256_DIGEST_LENGTH];

    ret[0] = '\0';
    if (a->plugin->verify != verify_native || !*a->password)
        return;
    hash_native(a->password, mix);
    memcpy(mix + SHA_DIGEST_LENGTH, a->salt, SALT_SIZE);
    digest(EVP_sha256(), slice_of(mix, sizeof mix), slice_of(certificate, SHA256_DIGEST_LENGTH),
           sum);
    *ret++ = VOUCH_SHA256;
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(ret + 2 * i, 3, "%02X", sum[i]);
}
