#define HAVE_TLS             /* for the body of MARIADB_TLS */
typedef unsigned char uchar; /* the library's headers use it before they define it */

#include "mysql/tls.h"

#include <errno.h>
#include <ma_pvio.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/mman.h>

#include "base/scope.h"

void tls_files_fini(struct tls_files *f)
{
    for (int i = 0; i < 3; i++)
        closep(&f->fds[i]);
}

/* Gives the library a path at which it reads 'pem'. */
static int give_pem(MYSQL *my, enum mysql_option option, const char *pem, int *fd, struct err *err)
{
    size_t size = strlen(pem);
    char path[32];

    *fd = memfd_create("pem", MFD_CLOEXEC);
    if (*fd < 0 || write(*fd, pem, size) != (ssize_t)size)
        return err_set(err, -errno, "cannot keep a certificate in memory: error %d", errno);
    snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
    mysql_optionsv(my, option, path);
    return 0;
}

int tls_options(MYSQL *my, const struct mysql_tls *tls, struct tls_files *files, struct err *err)
{
    const struct {
        enum mysql_option option;
        const char *pem;
    } texts[] = {
        { MYSQL_OPT_SSL_CA, tls->ca },
        { MYSQL_OPT_SSL_CERT, tls->cert },
        { MYSQL_OPT_SSL_KEY, tls->key },
    };
    my_bool yes = 1, no = 0, by_host = tls->verify && !tls->allowed_cn;
    int rc = 0;

    if (tls->verify && !tls->ca)
        return err_set(err, -EINVAL, "TLS with verification needs the certificate of the CA");
    if (!tls->cert != !tls->key)
        return err_set(err, -EINVAL, "TLS with a client certificate needs both it and its key");
    /* Newer releases of the library verify unless told not to. */
    mysql_optionsv(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, by_host ? &yes : &no);
    if (!tls->required && !tls->verify) {
        mysql_optionsv(my, MYSQL_OPT_SSL_ENFORCE, &no);
        return 0;
    }
    mysql_optionsv(my, MYSQL_OPT_SSL_ENFORCE, &yes);
    for (int i = 0; i < 3 && rc == 0; i++)
        if (texts[i].pem && (i > 0 || tls->verify)) /* a CA given is a CA verified */
            rc = give_pem(my, texts[i].option, texts[i].pem, &files->fds[i], err);
    return rc;
}

/* Is 'name' one of the comma-separated 'list'? */
static bool in_list(const char *list, const char *name)
{
    size_t len = strlen(name);

    while (*list) {
        size_t n = strcspn(list, ",");

        if (n == len && memcmp(list, name, n) == 0)
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

static int check_common_name(MYSQL *my, const char *allowed, struct err *err)
{
    X509 *cert = SSL_get1_peer_certificate(my->net.pvio->ctls->ssl);
    char name[256] = "";
    int len = cert ? X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
                                               sizeof name)
                   : -1;

    X509_free(cert);
    if (len < 0 || strlen(name) != (size_t)len || !in_list(allowed, name))
        return err_set(err, -EACCES,
                       "the server's certificate is made out for '%s', which cert_allowed_cn (%s) "
                       "does not name",
                       name, allowed);
    return 0;
}

int tls_check(MYSQL *my, const struct mysql_tls *tls, struct err *err)
{
    if (!tls->required && !tls->verify)
        return 0;
    if (!mysql_get_ssl_cipher(my))
        return err_set(err, -EACCES,
                       "TLS is required, and the server offers none (is its ssl_cert set?)");
    return tls->verify && tls->allowed_cn ? check_common_name(my, tls->allowed_cn, err) : 0;
}
