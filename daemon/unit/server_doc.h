/*
 * server_doc.h - the rows of a document that say which server, and who logs in.
 *
 * Sources, targets and tables of checkpoints write them alike: host, port, user, password, and TLS
 * under "security" (security_doc.h).  What differs is a row's sentence of help, given, and whatever
 * stands behind it:
 *
 *     SERVER_DOC_HOST("Host name or address of the target", .fallback = "\"localhost\""),
 *     SERVER_DOC_PORT("TCP port of the target"),
 *     SERVER_DOC_USER(),
 *     SERVER_DOC_PASSWORD,
 */
#ifndef SLUICE_UNIT_SERVER_DOC_H
#define SLUICE_UNIT_SERVER_DOC_H

#include "mysql/conn.h"
#include "unit/doc.h"

#define SERVER_DOC_HOST(sentence, ...)                                                  \
    {                                                                                   \
        .name = "host", .type = DOC_TEXT, .max = 255, .help = (sentence), ##__VA_ARGS__ \
    }
#define SERVER_DOC_PORT(sentence)                                                      \
    {                                                                                  \
        .name = "port", .type = DOC_COUNT, .min = 1, .max = 65535, .fallback = "3306", \
        .help = (sentence)                                                             \
    }
#define SERVER_DOC_USER(...)                                                            \
    {                                                                                   \
        .name = "user", .type = DOC_TEXT, .max = 255, .help = "Account to log in with", \
        ##__VA_ARGS__                                                                   \
    }
#define SERVER_DOC_PASSWORD                                                     \
    {                                                                           \
        .name = "password", .type = DOC_TEXT, .max = 4096, .flags = DOC_SECRET, \
        .help = "Its password, or file:PATH to read it from there"              \
    }

/* What a connection needs of the object that has these rows.  Host and user are NULL where they are
 * empty; the port is 3306 where there is none; files that password and security name are read:
 * -ENOENT and others.  What was filled in is the caller's also after an error (mysql_params_fini).
 */
int server_doc_params(const json_t *server, struct mysql_params *p, struct err *err);

#endif
