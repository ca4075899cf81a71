#include "unit/security_doc.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/secret.h"

#define MAX_PEM 262144

static const struct doc_field name_element[] = {
    { .name = "name", .type = DOC_TEXT, .min = 1, .max = 255 },
    { 0 },
};

const struct doc_field security_doc_fields[] = {
    { .name = "ssl_ca_content",
      .type = DOC_TEXT,
      .max = MAX_PEM,
      .help = "Certificate of who signs the server's, as PEM or file:PATH; given, the server is "
              "verified" },
    { .name = "ssl_cert_content",
      .type = DOC_TEXT,
      .max = MAX_PEM,
      .help = "Our certificate, as PEM or file:PATH" },
    { .name = "ssl_key_content",
      .type = DOC_TEXT,
      .max = MAX_PEM,
      .flags = DOC_SECRET,
      .help = "The key of our certificate, as PEM or file:PATH" },
    { .name = "cert_allowed_cn",
      .type = DOC_LIST,
      .fields = name_element,
      .help = "Common names that the server's certificate may have; []: it must be made out for "
              "the host" },
    { 0 },
};

/* A text, read from its file if it names one. */
static int text_at(const json_t *security, const char *field, char **ret, struct err *err)
{
    const char *s = json_string_value(json_object_get(security, field));

    if (!s || !*s)
        return 0;
    return secret_resolve(s, ret, err) < 0 ? err_wrap(err, "security.%s", field) : 0;
}

/* "a,b" of ["a", "b"]; NULL if there is none. */
static char *joined(const json_t *list)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    const json_t *v;
    size_t i;

    json_array_foreach (list, i, v)
        buf_printf(&b, "%s%s", i ? "," : "", json_string_value(v));
    return b.size ? buf_steal(&b) : NULL;
}

int security_doc_tls(const json_t *security, struct mysql_tls *tls, struct err *err)
{
    int rc;

    tls->required = security != NULL;
    tls->allowed_cn = joined(json_object_get(security, "cert_allowed_cn"));
    rc = text_at(security, "ssl_ca_content", &tls->ca, err);
    if (rc == 0)
        rc = text_at(security, "ssl_cert_content", &tls->cert, err);
    if (rc == 0)
        rc = text_at(security, "ssl_key_content", &tls->key, err);
    tls->verify = tls->ca != NULL;
    return rc;
}
