/*
 * sync_ddl_look.h - how the tables of a DDL look, before and after it.
 *
 * A look is what SHOW CREATE says of each table, without the AUTO_INCREMENT
 * counter: each text ends in a NUL; empty: the table is not there.  Whether a
 * statement ran is told by three looks: the one before, the one now, and the one
 * that the statement makes of the first, which the target itself says of empty
 * tables in a schema of their own.
 */
#ifndef SLUICE_UNIT_SYNC_DDL_LOOK_H
#define SLUICE_UNIT_SYNC_DDL_LOOK_H

#include "mysql/conn.h"
#include "route/router.h"

struct buf;

/* Tables by their names at the target; without a table: the schema itself. */
int ddl_look(struct mysql_conn *c, const struct route *tables, size_t n, struct buf *ret,
             struct err *err);
/* The look of table 'i', without its NUL; empty if there are fewer. */
struct slice ddl_look_of(struct slice look, size_t i);

/* How the tables would look after a statement that found them as 'before'.  'sql' has to name them
 * in 'scratch', which is made and dropped here; 'session' goes before it.  -EIO: the target refuses
 * to try. */
int ddl_try(struct mysql_conn *c, const struct route *tables, size_t n, struct slice before,
            const char *scratch, struct slice session, struct slice sql, struct buf *ret,
            struct err *err);

#endif
