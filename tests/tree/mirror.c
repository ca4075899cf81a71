/*
 * mirror.c - compares the two fronts of a running sluiced, from outside.
 *
 *     mirror MOUNT URL           reads every file of the mounted tree and the same path over HTTP:
 *                                bytes = text/plain bytes = JSON value; refusals: errno = status
 *     mirror --bad MOUNT URL     writes what cannot be right to every file on both fronts: errno =
 *                                status
 *
 * Prints how many pairs it compared; exits 1 if any differed.  It knows no file by name.
 */
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/yaml.h"

#define SHOWN_MAX 20
#define TRIES 5 /* for two reads of a moving value to fall together */

struct reply {
    long status;
    struct buf body;
};

static CURL *curl;
static const char *mount, *url;
static unsigned n_pairs, n_moving, n_refused, n_differ;

/* As http/status.c has them. */
static const struct {
    int code;
    long status;
} statuses[] = {
    { 0, 200 },      { EACCES, 403 },    { EPERM, 403 },   { EBUSY, 409 },  { EEXIST, 409 },
    { EINVAL, 400 }, { ENOENT, 404 },    { EROFS, 421 },   { ENOSPC, 507 }, { E2BIG, 413 },
    { EFBIG, 413 },  { ETIMEDOUT, 504 }, { ENOTDIR, 404 }, { EIO, 500 },
};

static long status_of(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].code == code)
            return statuses[i].status;
    return -1;
}

/* Whoever may do nothing with a thing may also be told that the verb is none for it. */
static bool status_fits(int code, long status)
{
    if (code == 0)
        return status >= 200 && status < 300;
    return status == status_of(code) || (status == 405 && (code == EACCES || code == EPERM));
}

static void differ(const char *path, const char *what, const char *file, const char *http)
{
    if (n_differ++ >= SHOWN_MAX)
        return;
    fprintf(stderr, "DIFFER %s: %s\n  file: %.300s\n  HTTP: %.300s\n", path, what, file, http);
}

static void differ_code(const char *path, const char *what, int code, const struct reply *r)
{
    char status[32];

    snprintf(status, sizeof status, "%ld", r->status);
    differ(path, what, code ? strerrorname_np(code) : "done", status);
}

/* --- HTTP --- */

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
    buf_add(arg, p, size * n);
    return size * n;
}

/* The path, each byte that is not plainly allowed as %XX. */
static void add_path(struct buf *b, const char *path)
{
    for (; *path; path++) {
        if (strchr("/-_.~", *path) || (*path >= '0' && *path <= '9') ||
            (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z'))
            buf_byte(b, *path);
        else
            buf_printf(b, "%%%02X", (unsigned char)*path);
    }
}

static struct reply request(const char *verb, const char *path, const char *type, const void *body,
                            size_t size)
{
    SCOPED(buf_fini) struct buf where = BUF_INIT;
    struct reply r = { .body = BUF_INIT };
    struct curl_slist *headers = NULL;
    SCOPED(freep) char *accept = xasprintf("Accept: %s", type);
    SCOPED(freep) char *content = xasprintf("Content-Type: %s", type);
    CURLcode rc;

    buf_printf(&where, "%s/v1/", url);
    add_path(&where, path);
    headers = curl_slist_append(headers, accept);
    headers = curl_slist_append(headers, content);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, where.data);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, verb);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &r.body);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    rc = curl_easy_perform(curl);
    if (rc != CURLE_OK) {
        fprintf(stderr, "%s %s: %s\n", verb, where.data, curl_easy_strerror(rc));
        exit(2);
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &r.status);
    curl_slist_free_all(headers);
    buf_add(&r.body, "", 0); /* never NULL */
    return r;
}

static void reply_fini(struct reply *r)
{
    buf_fini(&r->body);
}

/* Every refusal carries a sentence: as JSON in "error", as text plainly. */
static void expect_sentence(const char *path, const struct reply *r)
{
    SCOPED(json_decrefp) json_t *v = json_loadb(r->body.data, r->body.size, 0, NULL);

    if (json_is_object(v) ? !json_string_length(json_object_get(v, "error")) : r->body.size < 10)
        differ(path, "no sentence in the body", "", r->body.data);
}

/* --- files --- */

/* 0 and the bytes, or the errno. */
static int read_file(const char *path, struct buf *ret)
{
    SCOPED(freep) char *full = xasprintf("%s/%s", mount, path);
    SCOPED(closep) int fd = open(full, O_RDONLY);
    static char part[1 << 17];
    ssize_t n;

    buf_clear(ret);
    buf_add(ret, "", 0);
    if (fd < 0)
        return errno;
    while ((n = read(fd, part, sizeof part)) > 0)
        buf_add(ret, part, (size_t)n);
    return n < 0 ? errno : 0;
}

static int write_file(const char *path, const void *bytes, size_t size)
{
    SCOPED(freep) char *full = xasprintf("%s/%s", mount, path);
    int fd = open(full, O_WRONLY), code = 0;

    if (fd < 0)
        return errno;
    if (write(fd, bytes, size) < 0)
        code = errno;
    if (close(fd) < 0 && !code)
        code = errno;
    return code;
}

/* --- comparing --- */

/* Every number as N: what is left of a value that moves between two reads. */
static void mask(const char *text, struct buf *ret)
{
    buf_clear(ret);
    buf_add(ret, "", 0);
    while (*text) {
        size_t n = strspn(text, "0123456789");

        if (n == 0) {
            buf_byte(ret, *text++);
            continue;
        }
        text += n;
        if (*text == '.' && strspn(text + 1, "0123456789"))
            text += 1 + strspn(text + 1, "0123456789");
        buf_byte(ret, 'N');
    }
}

static bool same_text(const char *a, const char *b, bool moving)
{
    SCOPED(buf_fini) struct buf x = BUF_INIT, y = BUF_INIT;

    if (!moving)
        return strcmp(a, b) == 0;
    mask(a, &x);
    mask(b, &y);
    return strcmp(x.data, y.data) == 0;
}

static bool same_json(const json_t *a, const json_t *b, bool moving)
{
    SCOPED(freep) char *x = json_dumps(a, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT);
    SCOPED(freep) char *y = json_dumps(b, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT);

    return moving ? same_text(x, y, true) : json_equal(a, b);
}

/* The lines of a file as an array, each line JSON. */
static json_t *json_of_lines(const char *text)
{
    SCOPED(freep) char *copy = xstrdup(text);
    json_t *all = json_array();
    char *rest = copy, *line;

    while ((line = strsep(&rest, "\n")) && rest) {
        json_t *v = json_loads(line, JSON_DECODE_ANY, NULL);

        json_array_append_new(all, v ? v : json_string(line));
    }
    return all;
}

/* Is the JSON value what the file says?  A text is itself; the rest is JSON, lines or YAML. */
static bool value_fits(const struct buf *file, const json_t *v, bool moving)
{
    struct err err = ERR_INIT;
    SCOPED(json_decrefp) json_t *of_file = NULL;
    SCOPED(json_decrefp) json_t *lines = NULL;

    if (json_is_string(v)) {
        const char *s = json_string_value(v);
        size_t n = json_string_length(v);
        SCOPED(freep) char *line = xasprintf("%s%s", s, n && s[n - 1] == '\n' ? "" : "\n");

        return same_text(file->data, line, moving);
    }
    if (json_is_null(v) && strcmp(file->data, "\n") == 0)
        return true;
    if (!json_is_object(v) && !json_is_array(v)) {
        SCOPED(freep) char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        SCOPED(freep) char *line = xasprintf("%s\n", text);

        return same_text(file->data, line, moving);
    }
    of_file = json_loadb(file->data, file->size, JSON_DECODE_ANY, NULL);
    if (of_file && same_json(of_file, v, moving))
        return true;
    lines = json_of_lines(file->data);
    if (json_is_array(v) && same_json(lines, v, moving))
        return true;
    json_decref(of_file);
    of_file = yaml_parse(file->data, file->size, &err);
    return of_file && same_json(of_file, v, moving);
}

/* One read on each front; false if they differ. */
static bool compare_once(const char *path, bool moving, bool tell)
{
    SCOPED(buf_fini) struct buf file = BUF_INIT;
    int code = read_file(path, &file);
    SCOPED(reply_fini) struct reply text = request("GET", path, "text/plain", NULL, 0);
    SCOPED(reply_fini) struct reply json = request("GET", path, "application/json", NULL, 0);
    SCOPED(json_decrefp)
    json_t *v = json_loadb(json.body.data, json.body.size, JSON_DECODE_ANY, NULL);

    if (!status_fits(code, text.status) || !status_fits(code, json.status)) {
        if (tell)
            differ_code(path, "reading", code, &text);
        return false;
    }
    if (code) {
        n_refused += tell;
        if (tell)
            expect_sentence(path, &json);
        return true;
    }
    if (!same_text(file.data, text.body.data, moving)) {
        if (tell)
            differ(path, "bytes", file.data, text.body.data);
        return false;
    }
    if (!v || !value_fits(&file, v, moving)) {
        if (tell)
            differ(path, "the JSON value", file.data, json.body.data);
        return false;
    }
    return true;
}

static void compare_file(const char *path)
{
    n_pairs++;
    for (int i = 0; i < TRIES; i++)
        if (compare_once(path, false, false)) {
            SCOPED(buf_fini) struct buf b = BUF_INIT;

            n_refused += read_file(path, &b) != 0;
            return;
        }
    n_moving++; /* its shape, too, when a stage ends between two reads */
    for (int i = 1; i <= TRIES; i++)
        if (compare_once(path, true, i == TRIES))
            return;
}

/* --- bad writes --- */

/* PUT sets an attribute, POST runs an action: which of both it is, HTTP itself says. */
static struct reply put_or_post(const char *path, const void *bytes, size_t size)
{
    struct reply r = request("PUT", path, "text/plain", bytes, size);

    if (r.status != 405)
        return r;
    reply_fini(&r);
    return request("POST", path, "text/plain", bytes, size);
}

static void compare_write(const char *path, const char *what, const void *bytes, size_t size)
{
    int code = write_file(path, bytes, size);
    SCOPED(reply_fini)
    struct reply r = put_or_post(path, bytes, size);

    n_pairs++;
    n_refused += code != 0;
    if (!status_fits(code, r.status))
        differ_code(path, what, code, &r);
    else if (code)
        expect_sentence(path, &r);
}

static void bad_writes(const char *path)
{
    static char huge[5000];

    memset(huge, 'x', sizeof huge);
    compare_write(path, "bytes that are no text", "\xff\xfe", 2);
    compare_write(path, "5,000 letters", huge, sizeof huge);
}

static void bad_names(const char *dir)
{
    static const char *const names[] = { "%zz", "status", ".hidden" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        SCOPED(freep) char *path = xasprintf("%s%s%s", dir, *dir ? "/" : "", names[i]);
        SCOPED(freep) char *full = xasprintf("%s/%s", mount, path);
        int code = strcmp(names[i], "status") == 0 ? write_file(path, "x", 1)
                   : mkdir(full, 0755) < 0         ? errno
                                                   : 0;
        SCOPED(reply_fini) struct reply r = request("PUT", path, "text/plain", "x", 1);

        n_pairs++;
        n_refused += code != 0;
        /* a directory that takes no children at all says so on HTTP by "no such name" */
        if (!status_fits(code, r.status) && !(code == EPERM && r.status == 404))
            differ_code(path, "a bad name", code, &r);
    }
}

/* --- walking --- */

static void walk(const char *dir, void (*file)(const char *), void (*directory)(const char *))
{
    SCOPED(freep) char *full = xasprintf("%s/%s", mount, dir);
    DIR *d = opendir(full);
    int code = errno;
    struct dirent *e;

    if (!d) {
        SCOPED(reply_fini) struct reply r = request("GET", dir, "application/json", NULL, 0);

        n_pairs++;
        n_refused++;
        if (!status_fits(code, r.status))
            differ_code(dir, "listing", code, &r);
        return;
    }
    if (directory)
        directory(dir);
    while ((e = readdir(d))) {
        SCOPED(freep) char *path = xasprintf("%s%s%s", dir, *dir ? "/" : "", e->d_name);

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (e->d_type == DT_DIR)
            walk(path, file, directory);
        else if (e->d_type == DT_REG)
            file(path);
    }
    closedir(d);
}

int main(int argc, char **argv)
{
    bool bad = argc > 1 && strcmp(argv[1], "--bad") == 0;

    if (argc != (bad ? 4 : 3))
        return 2;
    mount = argv[argc - 2];
    url = argv[argc - 1];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl = curl_easy_init();
    if (bad)
        walk("", bad_writes, bad_names);
    else
        walk("", compare_file, NULL);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    printf("# uid %d: %u pairs compared, %u of them refused on both fronts, %u while they moved, "
           "%u differ\n",
           (int)getuid(), n_pairs, n_refused, n_moving, n_differ);
    return n_differ || !n_pairs;
}
