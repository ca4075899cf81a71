/*
 * status.h - errno and HTTP status: one table, read both ways.
 *
 * Codes are negative errno values, as everywhere.  Several share a status;
 * the way back gives the one that comes first in the table.
 */
#ifndef SLUICE_HTTP_STATUS_H
#define SLUICE_HTTP_STATUS_H

unsigned status_of_errno(int code); /* 500 for what the table does not name */
const char *errno_name(int code);   /* "ENOENT"; borrowed, static */

#endif
