/* client_http.c - the daemon over HTTP, by libcurl. */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "ctl/client.h"
#include "ctl/sse.h"

enum { CONNECT_S = 10, REPLY_S = 60, RECONNECT_S = 2 };

struct http_client {
    struct client base;
    CURL *curl;
    char *url; /* without a slash at its end */
    char *socket, *authorization, *cacert, *cert, *key;
};

struct call {
    const char *method, *path, *query, *accept, *type;
    const char *body;
    size_t size;
};

struct answer {
    long status;
    struct buf body;
};

static void answer_fini(struct answer *a)
{
    buf_fini(&a->body);
}

static void slist_freep(struct curl_slist **l)
{
    curl_slist_free_all(*l);
}

/* Percent-encodes all but what every URL may have; '/' stays. */
static char *url_of(const struct http_client *c, const char *path, const char *query)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~/";
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    buf_printf(&b, "%s/v1/", c->url);
    for (; *path; path++) {
        if (strchr(plain, *path))
            buf_byte(&b, *path);
        else
            buf_printf(&b, "%%%02X", (unsigned char)*path);
    }
    if (query)
        buf_printf(&b, "?%s", query);
    return buf_steal(&b);
}

static void add_header(struct curl_slist **l, const char *name, const char *value)
{
    SCOPED(freep) char *line = value ? xasprintf("%s: %s", name, value) : NULL;

    if (line)
        *l = curl_slist_append(*l, line);
}

static size_t take_body(char *data, size_t one, size_t size, void *buf)
{
    buf_add(buf, data, one * size);
    return size;
}

static void set_common(struct http_client *c, const char *url, const struct curl_slist *headers)
{
    curl_easy_reset(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (c->socket)
        curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket);
    if (c->cacert)
        curl_easy_setopt(c->curl, CURLOPT_CAINFO, c->cacert);
    if (c->cert)
        curl_easy_setopt(c->curl, CURLOPT_SSLCERT, c->cert);
    if (c->key)
        curl_easy_setopt(c->curl, CURLOPT_SSLKEY, c->key);
}

static int unreachable(const struct http_client *c, CURLcode rc, struct err *err)
{
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, -ENOTCONN, "the daemon at %s does not answer", c->url);
    return err_set(err, -ENOTCONN, "cannot reach the daemon at %s: %s",
                   c->socket ? c->socket : c->url, curl_easy_strerror(rc));
}

/* The sentence of a refusal, from its body; after the path, unless it says where itself. */
static int refused(const struct answer *a, const char *path, struct err *err)
{
    json_t *o = json_loadb(a->body.size ? a->body.data : "", a->body.size, 0, NULL);
    const char *sentence = json_string_value(json_object_get(o, "error"));
    const char *slash = strrchr(path, '/'), *word = slash ? slash + 1 : path;

    if (!sentence)
        err_set(err, -EREMOTEIO, "%s: HTTP status %ld: %.300s", path, a->status,
                a->body.size ? a->body.data : "");
    else if (!*word || strstr(sentence, word))
        err_set(err, -EREMOTEIO, "%s", sentence);
    else
        err_set(err, -EREMOTEIO, "%s: %s", path, sentence);
    json_decref(o);
    return err->code;
}

static int perform(struct http_client *c, const struct call *k, struct answer *a, struct err *err)
{
    SCOPED(slist_freep) struct curl_slist *headers = NULL;
    SCOPED(freep) char *url = url_of(c, k->path, k->query);
    CURLcode rc;

    add_header(&headers, "Accept", k->accept ? k->accept : "application/json");
    add_header(&headers, "Authorization", c->authorization);
    add_header(&headers, "Content-Type", k->type);
    headers = curl_slist_append(headers, "Expect:");
    set_common(c, url, headers);
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, k->method);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)REPLY_S);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &a->body);
    if (k->body) {
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)k->size);
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, k->body);
    }
    rc = curl_easy_perform(c->curl);
    if (rc != CURLE_OK)
        return unreachable(c, rc, err);
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &a->status);
    return a->status < 400 ? 0 : refused(a, k->path, err);
}

static int no_answer(struct client *c, const struct call *k, struct err *err)
{
    SCOPED(answer_fini) struct answer a = { 0 };

    return perform((struct http_client *)c, k, &a, err);
}

/* One page of a directory, or a value. */
static json_t *read_page(struct client *c, const char *path, const char *query, struct err *err)
{
    SCOPED(answer_fini) struct answer a = { 0 };
    json_error_t at;
    json_t *v;

    if (perform((struct http_client *)c,
                &(struct call){ .method = "GET", .path = path, .query = query }, &a, err) < 0)
        return NULL;
    v = json_loadb(a.body.data, a.body.size, JSON_DECODE_ANY, &at);
    if (!v)
        err_set(err, -EREMOTEIO, "%s: the answer is not JSON: %s", path, at.text);
    return v;
}

static void merge(json_t *children, json_t *more)
{
    if (json_is_array(children))
        json_array_extend(children, more);
    else
        json_object_update(children, more);
}

static json_t *http_read(struct client *c, const char *path, unsigned depth, struct err *err)
{
    SCOPED(freep) char *first = xasprintf("limit=10000&depth=%u", depth);
    json_t *all = read_page(c, path, first, err);
    const char *next;

    while (all && (next = json_string_value(json_object_get(all, "children_next")))) {
        SCOPED(freep) char *after = curl_easy_escape(NULL, next, 0);
        SCOPED(freep) char *query = xasprintf("%s&after=%s", first, after);
        json_t *page = read_page(c, path, query, err);

        if (!page) {
            json_decref(all);
            return NULL;
        }
        merge(json_object_get(all, "children"), json_object_get(page, "children"));
        json_object_del(all, "children_next");
        if (json_object_get(page, "children_next"))
            json_object_set(all, "children_next", json_object_get(page, "children_next"));
        json_decref(page);
    }
    return all;
}

static int http_text(struct client *c, const char *path, struct buf *out, struct err *err)
{
    SCOPED(answer_fini) struct answer a = { 0 };
    struct call k = { .method = "GET", .path = path, .accept = "text/plain, */*;q=0.1" };
    int rc = perform((struct http_client *)c, &k, &a, err);

    if (rc == 0)
        buf_add(out, a.body.data, a.body.size);
    return rc;
}

static int http_set(struct client *c, const char *path, const char *text, size_t size,
                    struct err *err)
{
    return no_answer(
        c,
        &(struct call){
            .method = "PUT", .path = path, .type = "text/plain", .body = text, .size = size },
        err);
}

static int http_run(struct client *c, const char *path, const char *text, size_t size,
                    struct err *err)
{
    return no_answer(
        c,
        &(struct call){
            .method = "POST", .path = path, .type = "text/plain", .body = text, .size = size },
        err);
}

static int http_create(struct client *c, const char *path, const char *row, const char *text,
                       size_t size, struct err *err)
{
    (void)row;
    return no_answer(
        c,
        &(struct call){
            .method = "PUT", .path = path, .type = "application/yaml", .body = text, .size = size },
        err);
}

static int http_remove(struct client *c, const char *path, struct err *err)
{
    return no_answer(c, &(struct call){ .method = "DELETE", .path = path }, err);
}

/* --- watching --- */

struct watching {
    struct http_client *c;
    client_event_fn *fn;
    void *arg;
    struct sse sse;
    struct buf refusal;
    bool ended;
};

static bool take_event(void *arg, const char *event, const char *data)
{
    struct watching *w = arg;
    json_t *v = json_loads(data, JSON_DECODE_ANY, NULL);

    w->ended = v && !w->fn(w->arg, event, v);
    json_decref(v);
    return !w->ended;
}

static size_t take_stream(char *data, size_t one, size_t size, void *watching)
{
    struct watching *w = watching;
    long status = 0;

    curl_easy_getinfo(w->c->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 400) {
        buf_add(&w->refusal, data, one * size);
        return size;
    }
    return sse_feed(&w->sse, data, one * size) ? size : CURL_WRITEFUNC_ERROR;
}

/* One connection, until it ends. */
static int watch_once(struct watching *w, const char *path, struct err *err)
{
    SCOPED(slist_freep) struct curl_slist *headers = NULL;
    SCOPED(freep) char *url = url_of(w->c, path, "watch=1");
    struct answer a = { 0 };
    CURLcode rc;

    add_header(&headers, "Accept", "text/event-stream");
    add_header(&headers, "Authorization", w->c->authorization);
    add_header(&headers, "Last-Event-ID", *w->sse.id ? w->sse.id : NULL);
    set_common(w->c, url, headers);
    curl_easy_setopt(w->c->curl, CURLOPT_WRITEFUNCTION, take_stream);
    curl_easy_setopt(w->c->curl, CURLOPT_WRITEDATA, w);
    sse_restart(&w->sse);
    rc = curl_easy_perform(w->c->curl);
    if (w->ended)
        return 0;
    curl_easy_getinfo(w->c->curl, CURLINFO_RESPONSE_CODE, &a.status);
    if (a.status >= 400) {
        a.body = w->refusal;
        return refused(&a, path, err);
    }
    return unreachable(w->c, rc ? rc : CURLE_GOT_NOTHING, err);
}

/* Goes on where it was when the connection breaks; what cannot be reached at first is an error. */
static int http_watch(struct client *c, const char *path, client_event_fn *fn, void *arg,
                      struct err *err)
{
    struct watching w = { .c = (struct http_client *)c, .fn = fn, .arg = arg };
    bool told = false;
    int rc;

    w.sse.fn = take_event;
    w.sse.arg = &w;
    while ((rc = watch_once(&w, path, err)) == -ENOTCONN && *w.sse.id) {
        if (!told)
            fprintf(stderr, "sluicectl: %s; trying again\n", err->text);
        told = true;
        sleep(RECONNECT_S);
    }
    buf_fini(&w.refusal);
    sse_fini(&w.sse);
    return rc;
}

/* --- life --- */

static void http_free(struct client *base)
{
    struct http_client *c = (struct http_client *)base;

    curl_easy_cleanup(c->curl);
    free(c->url);
    free(c->socket);
    free(c->authorization);
    free(c->cacert);
    free(c->cert);
    free(c->key);
    free(c);
    curl_global_cleanup();
}

static const struct client_ops http_ops = {
    .read = http_read,
    .text = http_text,
    .set = http_set,
    .run = http_run,
    .create = http_create,
    .remove = http_remove,
    .watch = http_watch,
    .free = http_free,
};

struct client *client_http_new(const struct client_http_config *config, struct err *err)
{
    struct http_client *c = xcalloc(1, sizeof *c);
    const char *url = config->url;

    c->base.ops = &http_ops;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    c->curl = curl_easy_init();
    if (!c->curl)
        abort(); /* out of memory */
    if (strncmp(url, "unix:", 5) == 0) {
        c->socket = xstrdup(url + 5);
        url = "http://localhost";
    }
    c->url = strstr(url, "://") ? xstrdup(url) : xasprintf("http://%s", url);
    for (size_t n = strlen(c->url); n && c->url[n - 1] == '/'; n--)
        c->url[n - 1] = '\0';
    c->authorization = config->token ? xasprintf("Bearer %s", config->token) : NULL;
    c->cacert = config->cacert ? xstrdup(config->cacert) : NULL;
    c->cert = config->cert ? xstrdup(config->cert) : NULL;
    c->key = config->key ? xstrdup(config->key) : NULL;
    if (strncmp(c->url, "http://", 7) != 0 && strncmp(c->url, "https://", 8) != 0) {
        err_set(err, -EINVAL, "'%s' is no URL: it starts with http://, https:// or unix:/",
                config->url);
        http_free(&c->base);
        return NULL;
    }
    return &c->base;
}
