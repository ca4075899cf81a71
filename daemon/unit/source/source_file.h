/* source_file.h - DM's source files (source.yaml) as documents of sources: `cp source.yaml
 * sources/S/config`.  Pure. */
#ifndef SLUICE_UNIT_SOURCE_FILE_H
#define SLUICE_UNIT_SOURCE_FILE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* Has it the keys of such a file? */
bool source_file_is(const json_t *doc);
/* A new document; -EINVAL for what it says and no document can. */
int source_file_read(const json_t *file, json_t **ret, struct err *err);

#endif
