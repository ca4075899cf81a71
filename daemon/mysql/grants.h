/*
 * grants.h - what an account may do, read from SHOW GRANTS.
 *
 * Knows grants on everything and on schemas (with wildcards), roles that are
 * active, and MySQL's partial revokes; grants on single tables count as none,
 * so ask the server about those by trying.
 */
#ifndef SLUICE_MYSQL_GRANTS_H
#define SLUICE_MYSQL_GRANTS_H

#include "mysql/conn.h"

struct grants {
    unsigned n;
    char **lines; /* "GRANT SELECT, RELOAD ON *.* TO ..." */
};

int grants_read(struct mysql_conn *c, struct grants *ret, struct err *err);
void grants_fini(struct grants *g);

/* May it do 'right' ("SELECT", "REPLICATION SLAVE") in all of schema 'db'; NULL: everywhere. */
bool grants_have(const struct grants *g, const char *right, const char *db);

#endif
