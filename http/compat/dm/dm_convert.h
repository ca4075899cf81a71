/*
 * dm_convert.h - a task of the API as DM's task file, and back.
 *
 * dm/task_file.h does both, for all of sluice; here is what DM checks of a file beyond that, and
 * the numbers of its errors.
 */
#ifndef SLUICE_HTTP_DM_CONVERT_H
#define SLUICE_HTTP_DM_CONVERT_H

#include <jansson.h>

#include "http/compat/dm/dm_error.h"

/* The task of a file, a new reference; NULL with a sentence, and which error of DM's it is. */
json_t *dm_task_of_file(const json_t *file, enum dm_error *e, struct err *err);

#endif
