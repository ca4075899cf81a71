#include "cluster/cluster.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "node/node.h"
#include "store/catalog.h"

#define DOCUMENT "cluster" /* its path in the catalog */

enum { ID_SIZE = 17 }; /* as text */

struct cluster {
    struct node node;
    struct node members, member; /* of the same memory: see release_part() */
    struct catalog *catalog;
    struct mutex lock;
    json_t *doc GUARDED;   /* name, cluster_id, member_id, peer_url, admin_url, topology */
    char *listens GUARDED; /* where HTTP is served; NULL: not yet */
};

/* --- of which cluster a node is a part --- */

static struct cluster *cluster_of(const struct node *n);

static void cluster_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&cluster_of(n)->lock);
}

static void cluster_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&cluster_of(n)->lock);
}

/* --- attributes --- */

static json_t *get_text(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    const json_t *v = json_object_get(cluster_of(n)->doc, a->name);

    (void)err;
    return v ? json_incref((json_t *)v) : json_string("");
}

static json_t *get_topology(const struct node *n, const struct attr *a,
                            struct err *err) NO_THREAD_CHECK
{
    json_t *v = json_object_get(cluster_of(n)->doc, a->name);

    (void)err;
    return v ? json_incref(v) : json_null();
}

/* The next document, kept on disk and then put in place. */
static int set_text(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    struct cluster *c = cluster_of(n);
    SCOPED(json_decrefp) json_t *next = NULL;
    int rc;

    mutex_lock(&c->lock);
    next = json_deep_copy(c->doc);
    mutex_unlock(&c->lock);
    json_object_set(next, a->name, (json_t *)v);
    rc = catalog_put(c->catalog, DOCUMENT, next, err);
    if (rc < 0)
        return rc;
    mutex_lock(&c->lock);
    json_object_set(c->doc, a->name, (json_t *)v);
    mutex_unlock(&c->lock);
    return 0;
}

/* "": what it is by itself. */
static int set_url(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    static const char *const schemes[] = { "http://", "https://", "unix://", "unixs://" };
    const char *url = json_string_value(v);

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0 && url[strlen(schemes[i])])
            return set_text(n, a, v, err);
    return *url ? err_set(err, -EINVAL, "URL scheme must be http, https, unix, or unixs: %s", url)
                : set_text(n, a, v, err);
}

static json_t *get_member_name(const struct node *n, const struct attr *a, struct err *err)
{
    SCOPED(freep) char *plain = node_name_plain(cluster_of(n)->member.name);

    (void)a, (void)err;
    return json_string(plain ? plain : "");
}

static json_t *get_member_id(const struct node *n, const struct attr *a,
                             struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_incref(json_object_get(cluster_of(n)->doc, "member_id"));
}

static json_t *get_admin_url(const struct node *n, const struct attr *a,
                             struct err *err) NO_THREAD_CHECK
{
    const struct cluster *c = cluster_of(n);
    json_t *said = json_object_get(c->doc, a->name);

    (void)err;
    if (json_string_length(said))
        return json_incref(said);
    return json_string(c->listens ? c->listens : "");
}

static json_t *get_true(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a, (void)err;
    return json_true();
}

static const char *const member_states[] = { "online", NULL };

static json_t *get_state(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a, (void)err;
    return json_string(member_states[0]);
}

/* --- members come and go: not yet --- */

static bool is_peer_url(struct cluster *c, const char *url)
{
    bool same;

    mutex_lock(&c->lock);
    same = url && *url && strcmp(url, json_string_value(json_object_get(c->doc, "peer_url"))) == 0;
    mutex_unlock(&c->lock);
    return same;
}

static int members_create(struct node *dir, const char *name, const json_t *spec, struct err *err)
{
    const char *url = json_string_value(json_object_get(spec, "peer_url"));

    if (is_peer_url(cluster_of(dir), url))
        return err_set(err, -EEXIST, "peerURL exists: %s", url);
    return err_set(err, -EOPNOTSUPP,
                   "re-configuration failed due to not enough started members: %s cannot join, "
                   "this daemon is the only member",
                   name);
}

static int member_remove(struct node *member, struct err *err)
{
    return err_set(err, -EBUSY,
                   "re-configuration failed due to not enough started members: %s is the only "
                   "member",
                   member->name);
}

/* --- the types --- */

static const struct attr member_attrs[] = {
    { .name = "id", .type = ATTR_TEXT, .get = get_member_id, .help = "Its number, hexadecimal" },
    { .name = "peer_url",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .get = get_text,
      .set = set_url,
      .help = "Where other members would reach it; kept, and without use while there are none" },
    { .name = "admin_url",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .get = get_admin_url,
      .set = set_url,
      .help =
          "Where its HTTP is reached, as others are told; where it listens if nothing was set" },
    { .name = "is_leader",
      .type = ATTR_BOOL,
      .get = get_true,
      .help = "Whether it is the one that decides" },
    { .name = "state",
      .type = ATTR_ENUM,
      .choices = member_states,
      .get = get_state,
      .help = "Whether it is there" },
    { .name = NULL },
};

static const char *const member_examples[] = {
    "cat status",
    "echo http://10.0.0.5:9595 > admin_url",
    "cat ../../leader",
    NULL,
};

static void release_part(struct node *n)
{
    node_unref(&cluster_of(n)->node);
}

static const struct node_type member_type = {
    .name = "member",
    .help = "One daemon of the cluster",
    .examples = member_examples,
    .attrs = member_attrs,
    .lock = cluster_lock,
    .unlock = cluster_unlock,
    .remove = member_remove,
    .release = release_part,
};

static const struct node_part members_parts[] = { { .name = NULL, .type = &member_type },
                                                  { .type = NULL } };

static const char *const members_examples[] = {
    "ls",
    "grep . */admin_url",
    "cat */is_leader",
    NULL,
};

static const struct node_type members_type = {
    .name = "members",
    .help = "The daemons of the cluster: this one",
    .examples = members_examples,
    .parts = members_parts,
    .create = members_create,
    .release = release_part,
};

static const struct attr cluster_attrs[] = {
    { .name = "name",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .get = get_text,
      .set = set_text,
      .help = "What the cluster is called" },
    { .name = "cluster_id", .type = ATTR_TEXT, .get = get_text, .help = "Its number, hexadecimal" },
    { .name = "leader",
      .type = ATTR_TEXT,
      .get = get_member_name,
      .help = "The member that decides" },
    { .name = "topology",
      .type = ATTR_JSON,
      .flags = ATTR_STORED | ATTR_BULK,
      .get = get_topology,
      .set = set_text,
      .help = "What its deployment consists of, as who deploys it says: kept, and without effect" },
    { .name = NULL },
};

static const struct node_part cluster_parts[] = { { .name = "members", .type = &members_type },
                                                  { .type = NULL } };

static const char *const cluster_examples[] = {
    "cat status",
    "ls members",
    "echo orders > name",
    NULL,
};

static void cluster_release(struct node *n)
{
    struct cluster *c = cluster_of(n);

    mutex_lock(&c->lock);
    json_decref(c->doc);
    free(c->listens);
    mutex_unlock(&c->lock);
    mutex_fini(&c->lock);
    free(c);
}

const struct node_type cluster_type = {
    .name = "cluster",
    .help = "The daemons that run this together: one, so far",
    .examples = cluster_examples,
    .attrs = cluster_attrs,
    .parts = cluster_parts,
    .lock = cluster_lock,
    .unlock = cluster_unlock,
    .release = cluster_release,
};

static struct cluster *cluster_of(const struct node *n)
{
    if (n->type == &member_type)
        return node_owner(n, struct cluster, member);
    if (n->type == &members_type)
        return node_owner(n, struct cluster, members);
    return node_owner(n, struct cluster, node);
}

/* --- life --- */

/* 63 bits, so that it is a number in any JSON. */
static void draw_id(json_t *doc, const char *key)
{
    char text[ID_SIZE];
    uint64_t id = 0;

    if (json_object_get(doc, key))
        return;
    while (id == 0)
        if (getrandom(&id, sizeof id, 0) == sizeof id)
            id &= INT64_MAX;
    snprintf(text, sizeof text, "%" PRIx64, id);
    json_object_set_new(doc, key, json_string(text));
}

/* What is kept, with what a new one has; it is written when something was missing. */
static int open_document(struct catalog *catalog, json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = NULL;
    struct err missing = ERR_INIT;
    int rc = catalog_get(catalog, DOCUMENT, &doc, &missing);

    if (rc < 0 && rc != -ENOENT) {
        *err = missing;
        return err_wrap(err, "cluster");
    }
    if (rc < 0)
        doc = json_pack("{s:s,s:s,s:s}", "name", "sluice", "peer_url", "", "admin_url", "");
    draw_id(doc, "cluster_id");
    draw_id(doc, "member_id");
    if (rc < 0 && catalog_put(catalog, DOCUMENT, doc, err) < 0)
        return err->code;
    *ret = STEAL(doc);
    return 0;
}

struct node *cluster_new(struct catalog *catalog, const char *member, struct err *err)
{
    struct cluster *c;
    json_t *doc = NULL;

    if (open_document(catalog, &doc, err) < 0)
        return NULL;
    c = xcalloc(1, sizeof *c);
    c->catalog = catalog;
    mutex_init(&c->lock);
    mutex_lock(&c->lock);
    c->doc = doc;
    mutex_unlock(&c->lock);
    node_init(&c->node, &cluster_type, "cluster");
    node_init(&c->members, &members_type, "members");
    node_ref(&c->node); /* a part has a reference to the whole: the memory is the cluster's */
    node_init(&c->member, &member_type, member);
    node_ref(&c->node);
    if (node_add(&c->node, &c->members, err) < 0 || node_add(&c->members, &c->member, err) < 0)
        abort(); /* the names are not taken */
    return &c->node;
}

void cluster_listens(struct node *cluster, const char *url)
{
    struct cluster *c = cluster_of(cluster);

    mutex_lock(&c->lock);
    free(c->listens);
    c->listens = xstrdup(url);
    mutex_unlock(&c->lock);
}
