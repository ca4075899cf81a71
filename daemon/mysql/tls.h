/*
 * tls.h - the TLS rules of a connection, over a library that makes it easy to
 * have none: MYSQL_OPT_SSL_ENFORCE alone logs in in clear text where the server
 * offers no TLS, so the cipher is checked after the handshake, and certificates
 * are handed over as descriptors of memory, never as files on a disk.
 */
#ifndef SLUICE_MYSQL_TLS_H
#define SLUICE_MYSQL_TLS_H

#include <mysql.h>

#include "mysql/conn.h"

/* The PEM texts while the library connects. */
struct tls_files {
    int fds[3];
};

#define TLS_FILES_INIT        \
    (struct tls_files)        \
    {                         \
        .fds = { -1, -1, -1 } \
    }

void tls_files_fini(struct tls_files *f);

/* Before the handshake.  Returns 0, or -EINVAL if 'tls' contradicts itself. */
int tls_options(MYSQL *my, const struct mysql_tls *tls, struct tls_files *files, struct err *err);
/* After it: is it encrypted if it must be, and is the peer who we were told?  0 or -EACCES. */
int tls_check(MYSQL *my, const struct mysql_tls *tls, struct err *err);

#endif
