#include "unit/drain/drain_checkpoint.h"

#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/server_doc.h"

enum { TRIES = 5 };

struct drain_checkpoint {
    struct mysql_params params;
    const json_t *doc;
    uint64_t cluster_id;
    struct mysql_conn *conn; /* with the table there; NULL: not yet */
};

static const char *text(const json_t *doc, const char *path)
{
    const char *s = json_string_value(doc_at(doc, path));

    return s ? s : "";
}

static void set_params(struct drain_checkpoint *c, const struct drain_target *t)
{
    struct mysql_params own = { .set = (struct conn_set *)&t->job.conns };
    const json_t *server = doc_at(c->doc, "to.checkpoint");
    struct err ignored = ERR_INIT;

    if (!*text(server, "host")) {
        mysql_params_copy(&c->params, &t->job.to);
        return;
    }
    /* Without its password, which was not to be had, the server says what it wants. */
    server_doc_params(server, &own, &ignored);
    c->params = own;
}

struct drain_checkpoint *drain_checkpoint_new(const char *drainer, const json_t *doc,
                                              const struct drain_target *t)
{
    const char *type = text(doc, "to.checkpoint.type");
    struct drain_checkpoint *c;

    if (strcmp(type, "mysql") != 0 && strcmp(type, "tidb") != 0)
        return NULL;
    c = xcalloc(1, sizeof *c);
    c->doc = doc;
    c->cluster_id = XXH3_64bits(drainer, strlen(drainer)) >> 1; /* a row for each drainer */
    set_params(c, t);
    return c;
}

void drain_checkpoint_free(struct drain_checkpoint *c)
{
    if (!c)
        return;
    mysql_conn_close(c->conn);
    mysql_params_fini(&c->params);
    free(c);
}

static int connect_to(struct drain_checkpoint *c, struct err *err)
{
    const char *schema = text(c->doc, "to.checkpoint.schema");
    int rc = mysql_conn_open(&c->conn, &c->params, err);

    if (rc == 0)
        rc = sql_exec(c->conn, err, "CREATE DATABASE IF NOT EXISTS %i", schema);
    if (rc == 0)
        rc = sql_exec(c->conn, err,
                      "CREATE TABLE IF NOT EXISTS %i.%i (clusterID BIGINT UNSIGNED PRIMARY KEY,"
                      " checkPoint MEDIUMTEXT)",
                      schema, text(c->doc, "to.checkpoint.table"));
    return rc;
}

static int write_once(struct drain_checkpoint *c, const char *json, struct err *err)
{
    int rc = c->conn ? 0 : connect_to(c, err);

    if (rc == 0)
        rc = sql_exec(c->conn, err, "REPLACE INTO %i.%i VALUES (%u, %q)",
                      text(c->doc, "to.checkpoint.schema"), text(c->doc, "to.checkpoint.table"),
                      c->cluster_id, json);
    if (rc < 0) {
        mysql_conn_close(c->conn);
        c->conn = NULL;
    }
    return rc;
}

int drain_checkpoint_write(struct drain_checkpoint *c, const struct drain_place *place,
                           bool consistent, struct err *err)
{
    SCOPED(freep) char *json = NULL;
    int rc = 0;

    if (!c)
        return 0;
    json = xasprintf("{\"consistent\":%s,\"commitTS\":%llu,\"ts-map\":{\"primary-ts\":0,"
                     "\"secondary-ts\":0},\"schema-version\":0}",
                     consistent ? "true" : "false", (unsigned long long)place->ts);
    for (int i = 0; i < TRIES; i++) {
        *err = ERR_INIT;
        rc = write_once(c, json, err);
        if (rc == 0)
            return 0;
    }
    return err_wrap(err, "the checkpoint table");
}
