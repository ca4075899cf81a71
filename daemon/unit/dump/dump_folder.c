#include "unit/dump/dump_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "store/key.h"
#include "store/store.h"
#include "unit/job.h"

#define MANIFEST "sluice.json"
#define METADATA "metadata"

struct dump_folder {
    const struct job *job;
    int dir;
    time_t started;
    struct mutex lock;
    json_t *manifest GUARDED;
};

static int failed(const struct dump_folder *f, const char *name, struct err *err)
{
    int code = errno ? -errno : -EIO;

    return err_set(err, code, "%s/%s: %s%s", f->job->folder, name, strerrordesc_np(-code),
                   code == -ENOSPC || code == -EDQUOT
                       ? "; make room there: the dump begins again by itself"
                       : "");
}

/* --- files --- */

void dump_folder_name(struct buf *out, const char *db, const char *table)
{
    for (const char *p = db; *p; p++)
        if (strchr("%/.", *p))
            buf_printf(out, "%%%02X", *p);
        else
            buf_byte(out, *p);
    if (table) {
        buf_byte(out, '.');
        dump_folder_name(out, table, NULL);
    }
}

int dump_file_begin(struct dump_file *f, struct dump_folder *folder, const char *name,
                    struct err *err)
{
    SCOPED(freep) char *partial = xasprintf("%s.partial", name);

    *f = (struct dump_file){ .folder = folder };
    f->fd = openat(folder->dir, partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (f->fd < 0)
        return failed(folder, partial, err);
    f->name = xstrdup(name);
    f->hash = XXH64_createState();
    XXH64_reset(f->hash, 0);
    return 0;
}

int dump_file_write(struct dump_file *f, const struct buf *b, struct err *err)
{
    if (fd_write(f->fd, b->data, b->size) < 0)
        return failed(f->folder, f->name, err);
    XXH64_update(f->hash, b->data, b->size);
    f->bytes += b->size;
    return 0;
}

void dump_file_drop(struct dump_file *f)
{
    if (f->fd >= 0 && f->name)
        close(f->fd);
    free(f->name);
    XXH64_freeState(f->hash);
    *f = (struct dump_file){ .fd = -1 };
}

static int synced(struct dump_folder *folder, int fd, const char *name, struct err *err)
{
    SCOPED(freep) char *partial = xasprintf("%s.partial", name);

    if (fsync(fd) < 0 || renameat(folder->dir, partial, folder->dir, name) < 0)
        return failed(folder, name, err);
    return 0;
}

int dump_file_end(struct dump_file *f, struct err *err)
{
    struct dump_folder *folder = f->folder;
    int rc = synced(folder, f->fd, f->name, err);
    char hash[20];

    if (rc == 0) {
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)XXH64_digest(f->hash));
        mutex_lock(&folder->lock);
        json_object_set_new(json_object_get(folder->manifest, "files"), f->name,
                            json_pack("{s:I, s:I, s:s}", "rows", (json_int_t)f->rows, "bytes",
                                      (json_int_t)f->bytes, "xxh64", hash));
        mutex_unlock(&folder->lock);
    }
    dump_file_drop(f);
    return rc;
}

int dump_file_whole(struct dump_folder *folder, const char *name, const struct buf *text,
                    struct err *err)
{
    struct dump_file f;
    int rc = dump_file_begin(&f, folder, name, err);

    if (rc == 0)
        rc = dump_file_write(&f, text, err);
    if (rc == 0)
        return dump_file_end(&f, err);
    dump_file_drop(&f);
    return rc;
}

/* As dump_file_whole(), and not in the manifest. */
static int put_whole(struct dump_folder *folder, const char *name, const struct buf *text,
                     struct err *err)
{
    struct dump_file f;
    int rc = dump_file_begin(&f, folder, name, err);

    if (rc == 0)
        rc = dump_file_write(&f, text, err);
    if (rc == 0)
        rc = synced(folder, f.fd, name, err);
    dump_file_drop(&f);
    if (rc == 0 && fsync(folder->dir) < 0)
        rc = failed(folder, name, err);
    return rc;
}

static int put_manifest(struct dump_folder *f, struct err *err)
{
    struct buf text = BUF_INIT;
    int rc;

    mutex_lock(&f->lock);
    text.data = json_dumps(f->manifest, JSON_INDENT(1) | JSON_SORT_KEYS);
    mutex_unlock(&f->lock);
    text.size = strlen(text.data);
    rc = put_whole(f, MANIFEST, &text, err);
    free(text.data);
    return rc;
}

/* --- whose it is --- */

static void note_key(struct buf *key, const struct job *job)
{
    key_position(key, job->task, job->source, "dump");
}

static int note_put(const struct job *job, const char *number, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT, value = BUF_INIT;

    note_key(&key, job);
    buf_printf(&value, "{\"dump\":\"%s\"}", number);
    return store_put(job->store, STORE_CHECKPOINT, key_slice(&key),
                     slice_of(value.data, value.size), true, err);
}

/* The number of this task's dump; a new one if there is none. */
static int note_number(const struct job *job, char number[static 17], struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT, value = BUF_INIT;
    uint64_t random = 0;
    int rc = -ENOENT;

    note_key(&key, job);
    if (job->store)
        rc = store_get(job->store, STORE_CHECKPOINT, key_slice(&key), &value, err);
    if (rc == 0) {
        json_t *note = json_loadb((const char *)value.data, value.size, 0, NULL);
        const char *known = json_string_value(json_object_get(note, "dump"));

        snprintf(number, 17, "%s", known ? known : "");
        json_decref(note);
    }
    if (rc != -ENOENT)
        return rc;
    *err = ERR_INIT;
    if (getrandom(&random, sizeof random, 0) < 0)
        return err_set(err, -errno, "getrandom: %s", strerrordesc_np(errno));
    snprintf(number, 17, "%016llx", (unsigned long long)random);
    return job->store ? note_put(job, number, err) : 0;
}

int dump_folder_forget(const struct job *job, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;

    note_key(&key, job);
    return job->store ? store_delete(job->store, STORE_CHECKPOINT, key_slice(&key), true, err) : 0;
}

static bool is_ours(const char *name)
{
    size_t size = strlen(name);

    return (size > 4 && strcmp(name + size - 4, ".sql") == 0) || strcmp(name, METADATA) == 0 ||
           strcmp(name, MANIFEST) == 0 || (size > 8 && strcmp(name + size - 8, ".partial") == 0);
}

/* The first name in the folder, or the first that no dump of ours would have made; NULL: none.
 * 'remove': those that we made go. */
static char *other_name(const struct dump_folder *f, bool remove, struct err *err)
{
    int fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    char *found = NULL;

    if (!d) {
        (void)failed(f, "", err);
        closep(&fd);
        return NULL;
    }
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads from this stream
    for (struct dirent *e; !found && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (!remove || !is_ours(e->d_name))
            found = xstrdup(e->d_name);
        else if (strcmp(e->d_name, MANIFEST) != 0 && unlinkat(f->dir, e->d_name, 0) < 0)
            (void)failed(f, e->d_name, err);
    }
    closedir(d);
    return found;
}

static json_t *manifest_read(const struct dump_folder *f)
{
    SCOPED(freep) char *path = xasprintf("%s/%s", f->job->folder, MANIFEST);

    return json_load_file(path, 0, NULL);
}

/* 0: the folder is empty now, and ours; 1: the dump is there. */
static int claim(struct dump_folder *f, const char *number, struct err *err)
{
    json_t *before = manifest_read(f);
    const char *whose = json_string_value(json_object_get(before, "dump"));
    bool ours = whose && strcmp(whose, number) == 0;
    SCOPED(freep) char *other = NULL;

    json_decref(before);
    if (ours && faccessat(f->dir, METADATA, F_OK, 0) == 0)
        return 1;
    other = other_name(f, ours, err);
    if (err->code)
        return err->code;
    if (other)
        return err_set(err, -EEXIST,
                       "%s has files that this dump did not write (%s): empty it, or choose "
                       "another data_dir",
                       f->job->folder, other);
    return 0;
}

/* --- the folder --- */

static int make_folder(const char *path, struct err *err)
{
    SCOPED(freep) char *copy = xstrdup(path);

    for (char *p = copy + 1;; p++) {
        char c = *p;

        if (c && c != '/')
            continue;
        *p = '\0';
        if (mkdir(copy, 0750) < 0 && errno != EEXIST)
            return err_set(err, -errno, "%s: %s", copy, strerrordesc_np(errno));
        if (!c)
            return 0;
        *p = c;
    }
}

static int begin(struct dump_folder *f, struct server_kind from, struct err *err)
{
    char number[17];
    int rc = make_folder(f->job->folder, err);

    if (rc < 0)
        return rc;
    f->dir = open(f->job->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir < 0)
        return failed(f, "", err);
    if (flock(f->dir, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, -EBUSY, "another dump is at work in %s", f->job->folder);
    rc = note_number(f->job, number, err);
    if (rc == 0)
        rc = claim(f, number, err);
    if (rc != 0)
        return rc;
    mutex_lock(&f->lock);
    f->manifest =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:{}}", "dump", number, "task", f->job->task, "source",
                  f->job->source, "flavor", from.flavor == FLAVOR_MARIADB ? "mariadb" : "mysql",
                  "version", (int)from.version, "files");
    mutex_unlock(&f->lock);
    return put_manifest(f, err);
}

int dump_folder_open(const struct job *job, struct server_kind from, struct dump_folder **ret,
                     struct err *err)
{
    struct dump_folder *f = xcalloc(1, sizeof *f);
    int rc;

    f->job = job;
    f->dir = -1;
    f->started = time(NULL);
    mutex_init(&f->lock);
    rc = begin(f, from, err);
    if (rc == 0) {
        *ret = f;
        return 0;
    }
    dump_folder_free(f);
    return rc;
}

void dump_folder_free(struct dump_folder *f)
{
    if (!f)
        return;
    closep(&f->dir);
    mutex_lock(&f->lock);
    json_decref(f->manifest);
    mutex_unlock(&f->lock);
    mutex_fini(&f->lock);
    free(f);
}

static void time_print(struct buf *out, const char *what, time_t at)
{
    char text[32];
    struct tm tm;

    localtime_r(&at, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    buf_printf(out, "%s dump at: %s\n", what, text);
}

int dump_folder_finish(struct dump_folder *f, const struct position *at, struct err *err)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    int rc;

    time_print(&text, "Started", f->started);
    if (at->file[0]) {
        buf_printf(&text, "SHOW MASTER STATUS:\n\tLog: %s\n\tPos: %llu\n\tGTID:", at->file,
                   (unsigned long long)at->offset);
        if (at->gtids)
            gtid_set_print(at->gtids, &text);
        buf_str(&text, "\n\n");
    }
    time_print(&text, "Finished", time(NULL));
    rc = fsync(f->dir) < 0 ? failed(f, "", err) : put_manifest(f, err);
    return rc < 0 ? rc : put_whole(f, METADATA, &text, err);
}
