/*
 * dm_check.h - a check_report as DM tells it.
 */
#ifndef SLUICE_HTTP_DM_CHECK_H
#define SLUICE_HTTP_DM_CHECK_H

#include <jansson.h>
#include <stdbool.h>

/* {"results": [what warns or fails], "summary": {"passed", "total", "successful", "failed",
 * "warning"}} of the lines of a check_report; a new reference. */
json_t *dm_check_detail(const char *report);
/* The text of check_result for a check that passed; the caller frees. */
char *dm_check_result(const char *report);

#endif
