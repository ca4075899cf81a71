/*
 * load.h - LOAD DATA LOCAL, inside this folder.
 *
 * A server may answer any statement by asking for a local file.  The library
 * would open it; ours never does: files are refused except while
 * mysql_conn_load() runs, and then the bytes come from the caller's function.
 */
#ifndef SLUICE_MYSQL_LOAD_H
#define SLUICE_MYSQL_LOAD_H

#include <mysql.h>

void load_announce(MYSQL *my); /* before login: say that we can do it */
void load_refuse(MYSQL *my);   /* after it: refuse every request */

#endif
