#include "unit/source/source_def.h"

#include <errno.h>

#include "mysql/conn.h"
#include "mysql/table.h"

int source_def_read(struct mysql_conn **c, const struct mysql_params *from, const char *schema,
                    const char *name, struct table_def **ret, struct err *err)
{
    int rc = *c ? 0 : mysql_conn_open(c, from, err);

    if (rc < 0)
        return err_of_source(err);
    rc = table_read(*c, schema, name, ret, err);
    if (rc == -ECONNRESET || rc == -ETIMEDOUT) {
        mysql_conn_close(*c);
        *c = NULL;
    }
    return rc;
}
