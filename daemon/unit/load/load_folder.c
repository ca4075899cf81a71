#include "unit/load/load_folder.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/ddl.h"
#include "unit/load/load_input.h"
#include "unit/load/load_words.h"

/* --- names --- */

static bool ends(const char *name, size_t size, const char *with)
{
    size_t n = strlen(with);

    return size >= n && memcmp(name + size - n, with, n) == 0;
}

/* Without .gz. */
static size_t plain_size(const char *name)
{
    size_t size = strlen(name);

    return ends(name, size, ".gz") ? size - 3 : size;
}

static char *decoded(const char *name, size_t size)
{
    char *out = xstrndup(name, size), *to = out;

    for (const char *p = out; *p;) {
        bool hex = *p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]);
        unsigned byte = hex ? (unsigned)strtoul((char[]){ p[1], p[2], 0 }, NULL, 16) : 0;

        if (byte) {
            *to++ = (char)byte;
            p += 3;
        } else {
            *to++ = *p++;
        }
    }
    *to = '\0';
    return out;
}

/* The database of "db.table...": one that has a file, else what is before the first dot. */
static char *database_of(const struct load_folder *f, const char *name)
{
    const struct load_database *best = NULL;

    for (unsigned i = 0; i < f->n_databases; i++) {
        size_t size = strlen(f->databases[i].name);

        if (strncmp(name, f->databases[i].name, size) == 0 && name[size] == '.' &&
            (!best || size > strlen(best->name)))
            best = &f->databases[i];
    }
    return best ? xstrdup(best->name) : decoded(name, strcspn(name, "."));
}

static struct load_table *table_at(struct load_folder *f, const char *db, const char *name)
{
    struct load_table *t;

    for (unsigned i = 0; i < f->n_tables; i++)
        if (strcmp(f->tables[i].db, db) == 0 && strcmp(f->tables[i].name, name) == 0)
            return &f->tables[i];
    f->tables = xrealloc(f->tables, (f->n_tables + 1) * sizeof *f->tables);
    t = &f->tables[f->n_tables++];
    *t = (struct load_table){ .db = xstrdup(db), .name = xstrdup(name) };
    return t;
}

const struct load_database *load_folder_database(const struct load_folder *f, const char *name)
{
    for (unsigned i = 0; i < f->n_databases; i++)
        if (strcmp(f->databases[i].name, name) == 0)
            return &f->databases[i];
    return NULL;
}

/* --- definitions --- */

/* The word after 'what' in a CREATE DATABASE. */
static char *option_of(const char *sql, const char *what)
{
    const char *at = strcasestr(sql, what);
    size_t size;

    if (!at)
        return NULL;
    at += strlen(what);
    at += strspn(at, " =");
    size = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return size ? xstrndup(at, size) : NULL;
}

/* The statement of a class that a file has; a copy, the caller's, with its first name. */
static int statement_of(const struct load_folder *f, const char *file, unsigned classes, char **sql,
                        char **name, struct err *err)
{
    struct load_input in;
    enum load_item item;
    int rc = load_input_open(&in, f->path, file, err);

    while (rc == 0 && (rc = load_input_next(&in, &item, err)) == 0) {
        SCOPED(arena_fini) struct arena arena = ARENA_INIT;
        struct slice s = in.parser.statement;
        struct ddl d;

        if (item != LOAD_STATEMENT) {
            rc = err_set(err, -EBADMSG, "%s: no definition in it", in.path);
            break;
        }
        ddl_scan(s, false, false, &arena, &d);
        if (!(classes & 1u << d.class) || (d.n_names == 0 && name))
            continue;
        *sql = xstrndup((const char *)s.data, s.size);
        if (name)
            *name = xstrndup((const char *)d.names[0].table.data, d.names[0].table.size);
        break;
    }
    load_input_close(&in);
    return rc;
}

static int database_add(struct load_folder *f, const char *file, struct err *err)
{
    size_t size = plain_size(file) - strlen("-schema-create.sql");
    SCOPED(freep) char *sql = NULL;
    int rc = statement_of(f, file, 1u << DDL_CREATE_DATABASE, &sql, NULL, err);

    if (rc < 0)
        return rc;
    f->databases = xrealloc(f->databases, (f->n_databases + 1) * sizeof *f->databases);
    f->databases[f->n_databases++] =
        (struct load_database){ decoded(file, size), option_of(sql, "CHARACTER SET"),
                                option_of(sql, "COLLATE") };
    return 0;
}

/* CREATE SEQUENCE, or what SHOW CREATE TABLE makes of it. */
static bool makes_sequence(const char *sql)
{
    const char *options = strrchr(sql, ')');

    return strncasecmp(sql, "CREATE SEQUENCE", 15) == 0 ||
           (options && strstr(options, " SEQUENCE=1"));
}

static int definition_add(struct load_folder *f, const char *file, bool is_view, struct err *err)
{
    unsigned classes =
        is_view ? 1u << DDL_CREATE_VIEW : 1u << DDL_CREATE_TABLE | 1u << DDL_CREATE_SEQUENCE;
    SCOPED(freep) char *db = database_of(f, file);
    SCOPED(freep) char *name = NULL;
    char *sql = NULL;
    struct load_table *t;
    int rc = statement_of(f, file, classes, &sql, &name, err);

    if (rc < 0)
        return rc;
    assert(name && sql);
    t = table_at(f, db, name);
    if (t->is_view && !is_view) { /* the table in place of a view */
        free(sql);
        return 0;
    }
    free(t->create);
    t->create = sql;
    t->is_view = is_view;
    t->is_sequence = !is_view && makes_sequence(sql);
    return 0;
}

/* --- rows --- */

struct head {
    struct load_words words;
    char *table, **names;
    unsigned n_names;
};

/* Up to the first row; 'table' stays NULL if there is none. */
static int head_read(struct load_input *in, struct head *h, struct err *err)
{
    enum load_item item;
    int rc;

    load_words_init(&h->words);
    while ((rc = load_input_next(in, &item, err)) == 0 && item != LOAD_END) {
        if (item == LOAD_ROW) {
            h->table = in->parser.table;
            h->names = in->parser.columns;
            h->n_names = in->parser.n_columns;
            return 0;
        }
        if (load_words_take(&h->words, in->parser.statement, err) < 0)
            return load_input_named(in, err);
    }
    return rc;
}

static bool same_words(const struct load_table *t, const struct head *h)
{
    bool same = t->words.n_names == h->n_names && t->words.utf8 == h->words.utf8 &&
                strcmp(t->zone, h->words.zone) == 0;

    for (unsigned i = 0; same && i < h->n_names; i++)
        same = strcmp(t->words.names[i], h->names[i]) == 0;
    return same;
}

static void words_set(struct load_table *t, const struct head *h, bool ours)
{
    t->words = (struct dump_words){ .n_names = h->n_names, .utf8 = h->words.utf8, .ours = ours };
    t->words.names = xcalloc(h->n_names + 1, sizeof *t->words.names);
    for (unsigned i = 0; i < h->n_names; i++)
        t->words.names[i] = xstrdup(h->names[i]);
    t->zone = xstrdup(h->words.zone);
}

/* What sluice.json knows of it; -EBADMSG: it is another file now. */
static int file_known(const struct load_folder *f, struct load_file *file, struct err *err)
{
    const json_t *files = json_object_get(f->manifest, "files");
    const json_t *known = json_object_get(files, file->name);
    json_int_t bytes = json_integer_value(json_object_get(known, "bytes"));
    const char *hash = json_string_value(json_object_get(known, "xxh64"));

    if (!known || !hash)
        return 0;
    if ((uint64_t)bytes != file->size)
        return err_set(err, -EBADMSG, "%s/%s has %llu bytes, it was written with %llu", f->path,
                       file->name, (unsigned long long)file->size, (unsigned long long)bytes);
    file->rows = (uint64_t)json_integer_value(json_object_get(known, "rows"));
    file->hash = strtoull(hash, NULL, 16);
    file->checked = true;
    return 0;
}

static int rows_add(struct load_folder *f, const char *name, struct err *err)
{
    SCOPED(freep) char *db = database_of(f, name);
    SCOPED(freep) char *path = xasprintf("%s/%s", f->path, name);
    struct load_file file = { .name = NULL };
    struct head h = { .table = NULL };
    struct load_input in;
    struct load_table *t;
    struct stat st;
    int rc = load_input_open(&in, f->path, name, err);

    if (rc == 0)
        rc = head_read(&in, &h, err);
    if (rc == 0 && stat(path, &st) < 0)
        rc = err_set(err, -errno, "%s: %s", path, strerrordesc_np(errno));
    if (rc == 0 && h.table) {
        t = table_at(f, db, h.table);
        if (t->n_files == 0)
            words_set(t, &h, f->ours);
        else if (!same_words(t, &h))
            rc = err_set(err, -EBADMSG, "%s has other columns or SETs than %s", path,
                         t->files[0].name);
        file = (struct load_file){ .name = xstrdup(name), .size = (uint64_t)st.st_size };
        t->files = xrealloc(t->files, (t->n_files + 1) * sizeof *t->files);
        t->files[t->n_files++] = file;
        if (rc == 0)
            rc = file_known(f, &t->files[t->n_files - 1], err);
    }
    load_input_close(&in);
    return rc;
}

/* --- the folder --- */

enum kind { DATABASE, VIEW, TABLE, ROWS, N_KINDS };

static int kind_of(const char *name)
{
    static const struct {
        const char *end;
        int kind;
    } kinds[] = {
        { "-schema-create.sql", DATABASE },
        { "-schema-view.sql", VIEW },
        { "-schema-triggers.sql", -2 },
        { "-schema-post.sql", -2 },
        { "-schema.sql", TABLE },
        { ".sql", ROWS },
        { ".sql.zst", -3 },
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (ends(name, plain_size(name), kinds[i].end))
            return kinds[i].kind;
    return -1;
}

static int view_add(struct load_folder *f, const char *name, struct err *err)
{
    return definition_add(f, name, true, err);
}

static int table_add(struct load_folder *f, const char *name, struct err *err)
{
    return definition_add(f, name, false, err);
}

static int (*const readers[])(struct load_folder *f, const char *name, struct err *err) = {
    [DATABASE] = database_add, [VIEW] = view_add, [TABLE] = table_add, [ROWS] = rows_add
};

static int names_take(struct load_folder *f, struct dirent **names, int n, struct err *err)
{
    int rc = 0;

    for (int kind = 0; rc == 0 && kind < N_KINDS; kind++)
        for (int i = 0; rc == 0 && i < n; i++)
            if (kind_of(names[i]->d_name) == kind)
                rc = readers[kind](f, names[i]->d_name, err);
    for (int i = 0; rc == 0 && i < n; i++) {
        int kind = kind_of(names[i]->d_name);

        f->n_left_out += kind == -2;
        if (kind == -3)
            rc = err_set(err, -ENOTSUP, "%s/%s: unpack it first: unzstd --rm %s/*.zst", f->path,
                         names[i]->d_name, f->path);
    }
    return rc;
}

static int by_name(const void *a, const void *b)
{
    const struct load_table *x = a, *y = b;
    int order = strcmp(x->db, y->db);

    return order ? order : strcmp(x->name, y->name);
}

static int folder_read(struct load_folder *f, struct err *err)
{
    struct dirent **names = NULL;
    int n, rc;

    rc = load_metadata_read(f, err);
    if (rc < 0)
        return rc;
    n = scandir(f->path, &names, NULL, alphasort);
    if (n < 0)
        return err_set(err, -errno, "%s: %s", f->path, strerrordesc_np(errno));
    rc = names_take(f, names, n, err);
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    if (f->n_tables)
        qsort(f->tables, f->n_tables, sizeof *f->tables, by_name);
    return rc;
}

int load_folder_read(const char *path, struct load_folder **ret, struct err *err)
{
    struct load_folder *f = xcalloc(1, sizeof *f);
    int rc;

    f->path = xstrdup(path);
    rc = folder_read(f, err);
    if (rc < 0) {
        load_folder_free(f);
        return rc;
    }
    *ret = f;
    return 0;
}

static void table_fini(struct load_table *t)
{
    for (unsigned i = 0; i < t->n_files; i++)
        free(t->files[i].name);
    for (unsigned i = 0; i < t->words.n_names; i++)
        free(t->words.names[i]);
    free(t->files);
    free(t->words.names);
    free(t->zone);
    free(t->create);
    free(t->db);
    free(t->name);
}

void load_folder_free(struct load_folder *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < f->n_tables; i++)
        table_fini(&f->tables[i]);
    for (unsigned i = 0; i < f->n_databases; i++) {
        free(f->databases[i].name);
        free(f->databases[i].charset);
        free(f->databases[i].collation);
    }
    free(f->tables);
    free(f->databases);
    position_fini(&f->position);
    json_decref(f->manifest);
    free(f->path);
    free(f);
}
