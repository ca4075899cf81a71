/* token.c - bearer tokens. */
#include "http/token.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"

struct token {
    char name[TOKEN_NAME_SIZE];
    bool may_write;
    unsigned char hash[SHA256_DIGEST_LENGTH];
};

struct token_list {
    struct token *tokens;
    size_t n;
};

struct token_file {
    char *path;
    struct mutex lock;
    struct token_list list GUARDED;
    struct timespec read_at GUARDED; /* the file's mtime when it was read */
};

static void list_fini(struct token_list *l)
{
    free(l->tokens);
    *l = (struct token_list){ 0 };
}

static bool parse_hash(const char *hex, unsigned char hash[SHA256_DIGEST_LENGTH])
{
    size_t size;

    return strlen(hex) == (size_t)SHA256_DIGEST_LENGTH * 2 &&
           OPENSSL_hexstr2buf_ex(hash, SHA256_DIGEST_LENGTH, &size, hex, '\0') == 1;
}

/* Reads one line into 'ret': 1 if it has a token, 0 if it is empty or a comment. */
static int parse_line(char *line, struct token *ret, struct err *err)
{
    char *name, *right, *hash, *rest;

    line[strcspn(line, "#\r\n")] = '\0';
    name = strtok_r(line, " \t", &rest);
    if (!name)
        return 0;
    right = strtok_r(NULL, " \t", &rest);
    hash = right ? strtok_r(NULL, " \t", &rest) : NULL;
    if (!hash || strtok_r(NULL, " \t", &rest))
        return err_set(err, -EINVAL, "a line has three words: NAME read|write SHA256");
    if (strlen(name) >= sizeof ret->name)
        return err_set(err, -EINVAL, "the name '%.20s...' is longer than %zu characters", name,
                       sizeof ret->name - 1);
    if (strcmp(right, "read") != 0 && strcmp(right, "write") != 0)
        return err_set(err, -EINVAL, "the right of '%s' is read or write, not '%s'", name, right);
    if (!parse_hash(hash, ret->hash))
        return err_set(err, -EINVAL, "the third word of '%s' is not 64 hexadecimal digits", name);
    memcpy(ret->name, name, strlen(name) + 1);
    ret->may_write = *right == 'w';
    return 1;
}

static int parse_file(FILE *in, const char *path, struct token_list *l, struct err *err)
{
    SCOPED(freep) char *line = NULL;
    size_t cap = 0;
    int number = 0;

    while (getline(&line, &cap, in) >= 0) {
        struct token t = { 0 };
        int rc = parse_line(line, &t, err);

        number++;
        if (rc < 0)
            return err_wrap(err, "%s:%d", path, number);
        if (rc == 0)
            continue;
        l->tokens = xrealloc(l->tokens, (l->n + 1) * sizeof t);
        l->tokens[l->n++] = t;
    }
    return l->n ? 0 : err_set(err, -EINVAL, "%s has no token in it", path);
}

static int read_file(const char *path, struct token_list *ret, struct timespec *mtime,
                     struct err *err)
{
    struct token_list l = { 0 };
    struct stat st;
    FILE *in = fopen(path, "re");
    int rc;

    if (!in || fstat(fileno(in), &st) < 0) {
        rc = err_set(err, -errno, "cannot read the tokens in %s: %s", path, strerrordesc_np(errno));
    } else {
        *mtime = st.st_mtim;
        rc = parse_file(in, path, &l, err);
    }
    if (in)
        fclose(in);
    if (rc < 0)
        list_fini(&l);
    else
        *ret = l;
    return rc;
}

struct token_file *token_file_open(const char *path, struct err *err)
{
    struct token_list l;
    struct timespec mtime;
    struct token_file *f;

    if (read_file(path, &l, &mtime, err) < 0)
        return NULL;
    f = xcalloc(1, sizeof *f);
    f->path = xstrdup(path);
    mutex_init(&f->lock);
    mutex_lock(&f->lock);
    f->list = l;
    f->read_at = mtime;
    mutex_unlock(&f->lock);
    return f;
}

void token_file_free(struct token_file *f)
{
    if (!f)
        return;
    mutex_lock(&f->lock);
    list_fini(&f->list);
    mutex_unlock(&f->lock);
    mutex_fini(&f->lock);
    free(f->path);
    free(f);
}

static bool is_current(struct token_file *f, const struct timespec *mtime)
{
    bool same;

    mutex_lock(&f->lock);
    same = f->read_at.tv_sec == mtime->tv_sec && f->read_at.tv_nsec == mtime->tv_nsec;
    mutex_unlock(&f->lock);
    return same;
}

/* Reads the file again if it changed; an unreadable one leaves no token valid. */
static void refresh(struct token_file *f)
{
    struct token_list l = { 0 }, old;
    struct timespec mtime = { 0 };
    struct err err = ERR_INIT;
    struct stat st;
    int rc;

    if (stat(f->path, &st) == 0 && is_current(f, &st.st_mtim))
        return;
    rc = read_file(f->path, &l, &mtime, &err);
    mutex_lock(&f->lock);
    old = f->list;
    f->list = l;
    f->read_at = mtime;
    mutex_unlock(&f->lock);
    if (rc < 0 && old.n) /* once, not at every request */
        log_error("http", "no token is accepted any more: %s", err.text);
    list_fini(&old);
}

int token_check(struct token_file *f, const char *token, char *name, bool *may_write,
                struct err *err)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    bool found = false;

    refresh(f);
    SHA256((const unsigned char *)token, strlen(token), hash);
    mutex_lock(&f->lock);
    for (size_t i = 0; i < f->list.n; i++) {
        const struct token *t = &f->list.tokens[i];

        if (CRYPTO_memcmp(t->hash, hash, sizeof hash) != 0)
            continue;
        memcpy(name, t->name, sizeof t->name);
        *may_write = t->may_write;
        found = true;
    }
    mutex_unlock(&f->lock);
    return found ? 0 : err_set(err, -EKEYREJECTED, "the bearer token is not one of ours");
}
