#include "unit/server_doc.h"

#include "base/mem.h"
#include "store/secret.h"
#include "unit/security_doc.h"
#include "unit/session_doc.h"

static const char *text(const json_t *server, const char *field)
{
    const char *s = json_string_value(json_object_get(server, field));

    return s && *s ? s : NULL;
}

int server_doc_params(const json_t *server, struct mysql_params *p, struct err *err)
{
    const char *host = text(server, "host"), *user = text(server, "user");
    const char *password = text(server, "password");
    const json_t *port = json_object_get(server, "port");

    p->host = host ? xstrdup(host) : NULL;
    p->port = port ? (unsigned)json_integer_value(port) : 3306;
    p->user = user ? xstrdup(user) : NULL;
    p->session = session_doc_sql(doc_at(server, "session.variables"));
    if (password && secret_resolve(password, &p->password, err) < 0)
        return err_wrap(err, "password");
    return security_doc_tls(json_object_get(server, "security"), &p->tls, err);
}
