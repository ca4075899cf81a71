/*
 * security_doc.h - "security" in a document: TLS to a server, in DM's words.  Sources and targets
 * have the same.
 */
#ifndef SLUICE_UNIT_SECURITY_DOC_H
#define SLUICE_UNIT_SECURITY_DOC_H

#include "mysql/conn.h"
#include "unit/doc.h"

extern const struct doc_field security_doc_fields[];

/* What a connection needs of it; 'security' NULL: no TLS.  There, even if empty, TLS is required;
 * with a CA the server is verified.  Files that it names are read: -ENOENT and others.  What was
 * filled in is the caller's also after an error. */
int security_doc_tls(const json_t *security, struct mysql_tls *tls, struct err *err);

#endif
