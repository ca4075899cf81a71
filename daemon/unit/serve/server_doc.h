/* server_doc.h - the document of a server, as a table of fields.  Pure. */
#ifndef SLUICE_UNIT_SERVER_DOC_H
#define SLUICE_UNIT_SERVER_DOC_H

#include "unit/doc.h"

extern const struct doc_field server_doc_fields[];

/* Checks what was written for server 'name'; '*ret' is a copy with the name, and with a server_id
 * and a server_uuid made up where there are none: they stay.  -EINVAL. */
int server_doc_check(const json_t *doc, const char *name, json_t **ret, struct err *err);
/* Is all there that a start needs?  -EINVAL. */
int server_doc_complete(const json_t *doc, struct err *err);
/* "HOST:PORT" or "[IPV6]:PORT" apart; the caller frees both.  -EINVAL. */
int server_doc_address(const char *addr, char **host, char **port, struct err *err);

#endif
