/*
 * session_doc.h - variables of the sessions at a target, as a document has them: name to value.
 *
 * Pure.  They are set once a connection is open, before what we set ourselves; of that none can be
 * given, since it would be set again or rows be changed by it.
 */
#ifndef SLUICE_UNIT_SESSION_DOC_H
#define SLUICE_UNIT_SESSION_DOC_H

#include <jansson.h>

#include "base/err.h"

/* -EINVAL: what is no name of a variable, or one of ours. */
int session_doc_check(const json_t *variables, struct err *err);
/* "SET SESSION a = 1, b = 'x'"; the caller frees.  NULL: there are none. */
char *session_doc_sql(const json_t *variables);

#endif
