#include "mysql/wire_tls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"

enum { RSA_BITS = 2048, CERTIFICATE_DAYS = 3650, MAX_PASSWORD_BLOCK = 1024 };

struct wire_tls {
    SSL_CTX *context;
    struct mutex lock;
    EVP_PKEY *rsa GUARDED; /* for passwords; NULL until a client asks for it */
    struct buf public_key; /* of it, as PEM; does not change once it is made */
    uint8_t fingerprint[SHA256_DIGEST_LENGTH];
};

static void pkey_freep(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static void x509_freep(X509 **x)
{
    X509_free(*x);
}

static void bio_freep(BIO **b)
{
    BIO_free(*b);
}

static void pkey_ctx_freep(EVP_PKEY_CTX **c)
{
    EVP_PKEY_CTX_free(*c);
}

static int refused(struct err *err, int code, const char *what)
{
    char why[256];

    ERR_error_string_n(ERR_get_error(), why, sizeof why);
    ERR_clear_error();
    return err_set(err, code, "%s: %s", what, why);
}

static int make_rsa(struct wire_tls *t, struct err *err) REQUIRES(t->lock)
{
    SCOPED(bio_freep) BIO *out = BIO_new(BIO_s_mem());
    SCOPED(pkey_freep) EVP_PKEY *k = EVP_RSA_gen(RSA_BITS);
    char *text;
    long size;

    if (!k || !out || PEM_write_bio_PUBKEY(out, k) != 1)
        return refused(err, -EIO, "no RSA key can be made");
    size = BIO_get_mem_data(out, &text);
    buf_add(&t->public_key, text, (size_t)size);
    t->rsa = STEAL(k);
    return 0;
}

/* Signed by itself. */
static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
    SCOPED(x509_freep) X509 *x = X509_new();
    X509_NAME *subject = X509_get_subject_name(x);

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60 * 60);
    X509_gmtime_adj(X509_getm_notAfter(x), 60L * 60 * 24 * CERTIFICATE_DAYS);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const uint8_t *)"sluice", -1, -1, 0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0);
    X509_set_issuer_name(x, subject);
    return X509_sign(x, key, EVP_sha256()) ? STEAL(x) : NULL;
}

static int use_own(struct wire_tls *t, const char *name, struct err *err)
{
    SCOPED(pkey_freep) EVP_PKEY *k = EVP_EC_gen("P-256");
    SCOPED(x509_freep) X509 *x = k ? make_certificate(k, name) : NULL;

    if (!x || SSL_CTX_use_certificate(t->context, x) != 1 ||
        SSL_CTX_use_PrivateKey(t->context, k) != 1)
        return refused(err, -EIO, "no certificate can be made");
    return 0;
}

/* The certificate, and behind it those of who signed it. */
static int use_chain(struct wire_tls *t, const char *pem, struct err *err)
{
    SCOPED(bio_freep) BIO *in = BIO_new_mem_buf(pem, -1);
    SCOPED(x509_freep) X509 *own = PEM_read_bio_X509(in, NULL, NULL, NULL);
    X509 *next;

    if (!own || SSL_CTX_use_certificate(t->context, own) != 1)
        return refused(err, -EINVAL, "tls_cert is no certificate");
    while ((next = PEM_read_bio_X509(in, NULL, NULL, NULL)))
        if (SSL_CTX_add0_chain_cert(t->context, next) != 1) {
            X509_free(next);
            return refused(err, -EINVAL, "tls_cert: its chain");
        }
    ERR_clear_error();
    return 0;
}

static int use_given(struct wire_tls *t, const char *cert, const char *key, struct err *err)
{
    SCOPED(bio_freep) BIO *in = BIO_new_mem_buf(key ? key : "", -1);
    SCOPED(pkey_freep) EVP_PKEY *k = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    int rc = use_chain(t, cert, err);

    if (rc < 0)
        return rc;
    if (!k)
        return refused(err, -EINVAL, "tls_key is no private key");
    if (SSL_CTX_use_PrivateKey(t->context, k) != 1 || SSL_CTX_check_private_key(t->context) != 1)
        return refused(err, -EINVAL, "tls_key is not that of tls_cert");
    return 0;
}

int wire_tls_new(struct wire_tls **ret, const char *cert, const char *key, const char *name,
                 struct err *err)
{
    struct wire_tls *t = xcalloc(1, sizeof *t);
    int rc;

    t->public_key = BUF_INIT;
    mutex_init(&t->lock);
    t->context = SSL_CTX_new(TLS_server_method());
    if (!t->context) {
        wire_tls_free(t);
        return refused(err, -EIO, "no TLS");
    }
    SSL_CTX_set_min_proto_version(t->context, TLS1_2_VERSION);
    SSL_CTX_set_mode(t->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                     SSL_MODE_RELEASE_BUFFERS);
    rc = cert && *cert ? use_given(t, cert, key, err) : use_own(t, name, err);
    if (rc == 0)
        X509_digest(SSL_CTX_get0_certificate(t->context), EVP_sha256(), t->fingerprint, NULL);
    if (rc < 0)
        wire_tls_free(t);
    else
        *ret = t;
    return rc;
}

void wire_tls_free(struct wire_tls *t) NO_THREAD_CHECK
{
    if (!t)
        return;
    SSL_CTX_free(t->context);
    EVP_PKEY_free(t->rsa);
    buf_fini(&t->public_key);
    mutex_fini(&t->lock);
    free(t);
}

SSL *wire_tls_session(struct wire_tls *t, int fd)
{
    SSL *ssl = SSL_new(t->context);

    SSL_set_fd(ssl, fd);
    return ssl;
}

const uint8_t *wire_tls_fingerprint(const struct wire_tls *t)
{
    return t->fingerprint;
}

int wire_tls_public_key(struct wire_tls *t, struct slice *ret, struct err *err)
{
    int rc = 0;

    mutex_lock(&t->lock);
    if (!t->rsa)
        rc = make_rsa(t, err);
    mutex_unlock(&t->lock);
    if (rc == 0)
        *ret = slice_of(t->public_key.data, t->public_key.size);
    return rc;
}

static EVP_PKEY *rsa_of(struct wire_tls *t)
{
    EVP_PKEY *k;

    mutex_lock(&t->lock);
    k = t->rsa;
    mutex_unlock(&t->lock);
    return k;
}

int wire_tls_decrypt(struct wire_tls *t, struct slice in, struct buf *out, struct err *err)
{
    SCOPED(pkey_ctx_freep) EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(rsa_of(t), NULL);
    uint8_t text[MAX_PASSWORD_BLOCK];
    size_t size = sizeof text;

    if (EVP_PKEY_decrypt_init(c) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_decrypt(c, text, &size, in.data, in.size) != 1)
        return refused(err, -EBADMSG, "a password that is not encrypted with our key");
    buf_add(out, text, size);
    OPENSSL_cleanse(text, sizeof text);
    return 0;
}
