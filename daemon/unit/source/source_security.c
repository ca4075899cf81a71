/* source_security.c - sources/<s>/security/: its rows. */
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/security_doc.h"
#include "unit/source/source_priv.h"

static struct source *security_owner(const struct node *n)
{
    return node_owner(n, struct source, security);
}

static void security_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&security_owner(n)->lock);
}

static void security_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&security_owner(n)->lock);
}

/* --- a field of a document, for here and for source_node.c --- */

static const struct doc_field *field_named(const struct doc_field *fields, const char *name)
{
    while (fields->name && strcmp(fields->name, name) != 0)
        fields++;
    return fields->name ? fields : NULL;
}

static json_t *empty_of(enum attr_type type)
{
    return type == ATTR_JSON ? json_array() : json_string("");
}

json_t *source_field(const struct doc_field *fields, const json_t *doc, const struct attr *a)
{
    const json_t *v = json_object_get(doc, a->name);
    json_t *fallback;

    if (v)
        return json_incref((json_t *)v);
    fallback = doc_fallback(field_named(fields, a->name));
    return fallback ? fallback : empty_of(a->type);
}

/* --- the rows; the node is locked, so NO_THREAD_CHECK --- */

static json_t *get_security_field(const struct node *n, const struct attr *a,
                                  struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return source_field(security_doc_fields, doc_at(security_owner(n)->doc, "security"), a);
}

static int set_security_field(struct node *n, const struct attr *a, const json_t *v,
                              struct err *err)
{
    SCOPED(freep) char *path = xasprintf("security.%s", a->name);

    return source_set_field(security_owner(n), path, v, err);
}

static json_t *get_required(const struct node *n, const struct attr *a,
                            struct err *err) NO_THREAD_CHECK
{
    (void)a;
    (void)err;
    return json_boolean(doc_at(security_owner(n)->doc, "security") != NULL);
}

/* TLS without any certificate is an empty object; none at all is no object. */
static int set_required(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    struct source *s = security_owner(n);
    SCOPED(json_decrefp) json_t *doc = source_doc(s);
    SCOPED(json_decrefp) json_t *empty = json_object();
    bool is = doc_at(doc, "security") != NULL;

    (void)a;
    if (is == json_is_true(v))
        return 0;
    return source_set_field(s, "security", is ? NULL : empty, err);
}

static const struct attr security_attrs[] = {
    { .name = "required",
      .type = ATTR_BOOL,
      .get = get_required,
      .set = set_required,
      .help = "Whether the connection must be encrypted; false forgets the rest" },
    { .name = "ssl_ca_content",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .get = get_security_field,
      .set = set_security_field,
      .help = "Certificate of who signs the server's, as PEM or file:PATH; given, the server is "
              "verified" },
    { .name = "ssl_cert_content",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .get = get_security_field,
      .set = set_security_field,
      .help = "Our certificate, as PEM or file:PATH" },
    { .name = "ssl_key_content",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .set = set_security_field,
      .help = "The key of our certificate, as PEM or file:PATH" },
    { .name = "cert_allowed_cn",
      .type = ATTR_JSON,
      .flags = ATTR_STORED,
      .get = get_security_field,
      .set = set_security_field,
      .help = "Common names that the server's certificate may have; []: it must be made out for "
              "the host" },
    { 0 },
};

static const char *const security_examples[] = {
    "echo true > required",
    "echo file:/etc/ssl/db-ca.pem > ssl_ca_content",
    "cat ssl_ca_content",
    NULL,
};

static void security_release(struct node *n)
{
    node_unref(&security_owner(n)->node);
}

const struct node_type source_security_type = {
    .name = "security",
    .help = "TLS to this server. Unless something is set here, the connection is not encrypted.",
    .examples = security_examples,
    .attrs = security_attrs,
    .lock = security_lock,
    .unlock = security_unlock,
    .release = security_release,
};
