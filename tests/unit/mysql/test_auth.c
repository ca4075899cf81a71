#include <criterion/criterion.h>

#include "mysql/auth.h"

static const struct auth_plugin *plugin(const char *name)
{
    return auth_plugin_named(slice_str(name));
}

static void from_hex(const char *hex, uint8_t *ret)
{
    for (size_t i = 0; hex[2 * i]; i++)
        sscanf(hex + 2 * i, "%2hhx", &ret[i]);
}

/* 1, 2, 3, ... */
static void count_up(uint8_t *salt, size_t size)
{
    for (size_t i = 0; i < size; i++)
        salt[i] = (uint8_t)(i + 1);
}

static bool proves(const char *name, const char *password, const char *hex)
{
    uint8_t salt[AUTH_NONCE_SIZE], proof[64];

    count_up(salt, sizeof salt);
    from_hex(hex, proof);
    return auth_verify(plugin(name), password, salt, slice_of(proof, strlen(hex) / 2));
}

/* Proofs made by Python's hashlib. */
Test(auth, knows_a_native_proof_and_no_other)
{
    uint8_t salt[SALT_SIZE], proof[20];

    count_up(salt, sizeof salt);
    from_hex("a32c00ac9e448cdc31378e740f873371a183b13c", proof);

    cr_assert(auth_verify(plugin("mysql_native_password"), "sluice", salt,
                          slice_of(proof, sizeof proof)));
    cr_assert_not(auth_verify(plugin("mysql_native_password"), "slvice", salt,
                              slice_of(proof, sizeof proof)));
    salt[0]++;
    cr_assert_not(auth_verify(plugin("mysql_native_password"), "sluice", salt,
                              slice_of(proof, sizeof proof)));
}

Test(auth, knows_a_caching_sha2_proof_and_no_other)
{
    cr_assert(proves("caching_sha2_password", "sluice",
                     "33186bb954a3041878f5d5fb4e5daf6922ecc93d4cb7c22b29a0cdb558637c9a"));
    cr_assert_not(proves("caching_sha2_password", "slvice",
                         "33186bb954a3041878f5d5fb4e5daf6922ecc93d4cb7c22b29a0cdb558637c9a"));
}

/* Signatures made by the reference arithmetic in Python; x is odd in the first and third. */
Test(auth, knows_an_ed25519_signature_whatever_the_sign_of_x)
{
    cr_assert(proves("client_ed25519", "secret",
                     "60a0f4f8bcb6396043e44b2a25521af16f0815ff6369cc541c281e2c4455c823"
                     "2b79b21ee5bb933507725db2f2919ea09e676f6abee19c5c7b98b40a627a9707"));
    cr_assert(proves("client_ed25519", "sluice",
                     "dd7e37d1e101b479a0301362f6011bc6b0996944ac9f5695f2ddf62540121b6d"
                     "f4eedd482841e13cd7a82880f17465439ace1095ddfc1bec73d5ac36a303740d"));
    cr_assert_not(proves("client_ed25519", "x",
                         "dd7e37d1e101b479a0301362f6011bc6b0996944ac9f5695f2ddf62540121b6d"
                         "f4eedd482841e13cd7a82880f17465439ace1095ddfc1bec73d5ac36a303740d"));
}

Test(auth, takes_no_proof_for_no_password_alone)
{
    uint8_t salt[SALT_SIZE] = { 1 };

    cr_assert(auth_verify(plugin("mysql_native_password"), "", salt, slice_of(NULL, 0)));
    cr_assert_not(auth_verify(plugin("mysql_native_password"), "x", salt, slice_of(NULL, 0)));
    cr_assert_not(auth_verify(plugin("mysql_native_password"), "", salt, slice_of("abc", 3)));
}

Test(auth, a_proof_of_another_length_is_none)
{
    cr_assert_not(proves("caching_sha2_password", "sluice", "0011"));
    cr_assert_null(auth_plugin_named(slice_str("dialog")));
}

Test(auth, salts_have_no_zeroes)
{
    uint8_t salt[4096];

    auth_salt(salt, sizeof salt);

    cr_assert_null(memchr(salt, 0, sizeof salt));
}

/* For the salt 1, 2, 3, ... and the certificate whose SHA-256 is 100, 101, 102, ... */
static void vouches(const char *name, const char *password, const char *want)
{
    struct auth a = { .password = password, .plugin = plugin(name) };
    uint8_t certificate[32];
    char got[AUTH_VOUCH_SIZE];

    count_up(a.salt, sizeof a.salt);
    for (size_t i = 0; i < sizeof certificate; i++)
        certificate[i] = (uint8_t)(100 + i);
    auth_vouch(&a, certificate, got);
    cr_expect_str_eq(got, want, "%s: %s", name, got);
}

/* The digest was made by Python's hashlib. */
Test(auth, vouches_for_the_certificate_by_the_password)
{
    vouches("mysql_native_password", "sluice",
            "\001EC7CE92440677D33273E2C1B490A96212FB8BAFBA62E67D6769AFBCB41C31E74");
}

Test(auth, does_not_vouch_without_a_password_or_a_way)
{
    vouches("mysql_native_password", "", "");
    vouches("client_ed25519", "sluice", "");
    vouches("caching_sha2_password", "sluice", "");
}
