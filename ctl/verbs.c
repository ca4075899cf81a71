/* verbs.c - get, set, run, create, rm. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/scope.h"
#include "ctl/ctl.h"
#include "ctl/human.h"
#include "ctl/table.h"

enum { FILE_MAX = 64 << 20 };

static int print(const struct buf *b)
{
    return b->size && fwrite(b->data, 1, b->size, stdout) != b->size ? EXIT_REFUSED : EXIT_OK;
}

static void print_json(const json_t *v)
{
    json_dumpf(v, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    putchar('\n');
}

/* --- get --- */

/* Every attribute of a directory: a line each. */
static void add_attributes(struct ctl *c, const json_t *type, const json_t *values, struct table *t)
{
    const char *key;
    json_t *v;

    json_object_foreach ((json_t *)values, key, v) {
        SCOPED(buf_fini) struct buf text = BUF_INIT;

        if (strcmp(key, "children") == 0)
            continue;
        if (c->output == OUTPUT_TABLE)
            human_value(schema_attr(type, key), v, &text);
        else
            plain_value(v, &text);
        table_cell(t, key);
        table_cell(t, text.size ? text.data : "");
        table_end_row(t);
    }
}

static void print_table(struct ctl *c, const struct table *t)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;

    if (c->output == OUTPUT_TABLE) {
        table_print(t, c->width, c->color, &out);
    } else {
        for (size_t i = 0; i < t->n_cells; i++)
            buf_printf(&out, "%s%s", t->cells[i].text, (i + 1) % t->n_columns ? "\t" : "\n");
    }
    print(&out);
}

static int get_directory(struct ctl *c, const char *path, const json_t *type, struct err *err)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    json_t *v = c->client->ops->read(c->client, path, 0, err);

    if (!v)
        return ctl_fail(err);
    if (c->output == OUTPUT_JSON) {
        print_json(v);
    } else {
        add_attributes(c, type, v, &t);
        print_table(c, &t);
    }
    json_decref(v);
    return EXIT_OK;
}

/* [{"table": "a", "rows": 1}, …]: a line for each, under the keys of the first. */
static void add_objects(const json_t *list, struct table *t)
{
    const json_t *first = json_array_get(list, 0);
    const char *key;
    json_t *v, *o;
    size_t i;

    json_object_foreach ((json_t *)first, key, v) {
        table_cell(t, key);
        table_style(t, "\033[1m");
        if (json_is_number(v) && t->n_cells <= TABLE_MAX_COLUMNS)
            table_align_right(t, t->n_cells - 1);
    }
    table_end_row(t);
    json_array_foreach (list, i, o) {
        json_object_foreach ((json_t *)first, key, v) {
            SCOPED(buf_fini) struct buf text = BUF_INIT;

            plain_value(json_object_get(o, key), &text);
            table_cell(t, text.size ? text.data : "");
        }
        table_end_row(t);
    }
}

static bool is_list_of_objects(const json_t *v)
{
    size_t n = json_object_size(json_array_get(v, 0)), i;
    json_t *o;

    json_array_foreach (v, i, o)
        if (!json_is_object(o))
            return false;
    return n > 0 && n <= TABLE_MAX_COLUMNS;
}

/* An attribute that is JSON, for people or as it is. */
static int get_json(struct ctl *c, const char *path, struct err *err)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    json_t *v = c->client->ops->read(c->client, path, 0, err);

    if (!v)
        return ctl_fail(err);
    if (c->output == OUTPUT_TABLE && is_list_of_objects(v)) {
        add_objects(v, &t);
        print_table(c, &t);
    } else {
        print_json(v);
    }
    json_decref(v);
    return EXIT_OK;
}

static int get_attribute(struct ctl *c, const char *path, const json_t *row, bool name_it,
                         struct err *err)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    if (c->output == OUTPUT_JSON ||
        (c->output == OUTPUT_TABLE && strcmp(row_text(row, "type"), "json") == 0 && !name_it))
        return get_json(c, path, err);
    if (name_it)
        buf_printf(&text, "%s%c", path, c->output == OUTPUT_TABLE ? ' ' : '\t');
    if (c->client->ops->text(c->client, path, &text, err) < 0)
        return ctl_fail(err);
    return print(&text);
}

static int get_one(struct ctl *c, const char *path, bool name_it)
{
    struct err err = ERR_INIT;
    const json_t *schema = ctl_schema(c, &err), *type, *row;
    SCOPED(freep) char *dir = NULL;
    const char *name;

    if (!schema)
        return ctl_fail(&err);
    ctl_split(path, &dir, &name);
    row = *path ? schema_attr(schema_type(schema, dir), name) : NULL;
    if (row)
        return get_attribute(c, path, row, name_it, &err);
    type = schema_type(schema, path);
    if (name_it && c->output != OUTPUT_JSON)
        printf("%s:\n", path);
    return get_directory(c, path, type, &err);
}

int verb_get(struct ctl *c, int argc, char **argv)
{
    int worst = EXIT_OK;

    if (argc == 0)
        return ctl_usage("get what? A path, like tasks or tasks/orders/state");
    for (int i = 0; i < argc; i++) {
        struct err err = ERR_INIT;
        json_t *paths = ctl_expand(c, argv[i], &err), *path;
        size_t k;

        if (!paths)
            return ctl_fail(&err);
        json_array_foreach (paths, k, path) {
            int rc = get_one(c, json_string_value(path), argc > 1 || strpbrk(argv[i], "*?["));

            worst = rc > worst ? rc : worst;
        }
        json_decref(paths);
    }
    return worst;
}

/* --- set --- */

static int read_all(int fd, struct buf *out)
{
    char block[65536];
    ssize_t n;

    out->limit = FILE_MAX;
    while ((n = read(fd, block, sizeof block)) > 0 && !out->bad)
        buf_add(out, block, (size_t)n);
    return n < 0 ? -errno : out->bad ? -EFBIG : 0;
}

/* A file's bytes; "-" is the standard input. */
static int read_file(const char *path, struct buf *out, struct err *err)
{
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 ? -errno : read_all(fd, out);

    if (fd > STDIN_FILENO)
        close(fd);
    return rc < 0 ? err_set(err, rc, "cannot read %s: %s", path, strerror(-rc)) : 0;
}

/* A line from the terminal that does not show. */
static int ask_secret(const char *path, struct buf *out, struct err *err)
{
    struct termios was, quiet;
    SCOPED(freep) char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    tcgetattr(STDIN_FILENO, &was);
    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "%s: ", path);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    n = getline(&line, &cap, stdin);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
    fputc('\n', stderr);
    if (n <= 0)
        return err_set(err, -EINVAL, "nothing was typed");
    buf_add(out, line, (size_t)n);
    explicit_bzero(line, cap);
    return 0;
}

/* The value for 'path': an argument, a file, or what comes on the standard input. */
static int value_to_set(struct ctl *c, const char *path, int argc, char **argv, struct buf *out,
                        struct err *err)
{
    if (argc == 1) {
        buf_printf(out, "%s\n", argv[0]);
        return 0;
    }
    if (!c->file && isatty(STDIN_FILENO))
        return ask_secret(path, out, err);
    if (read_file(c->file ? c->file : "-", out, err) < 0)
        return err->code;
    if (out->size == 0) /* a pipe whose other end failed: nobody means that */
        return err_set(err, -EINVAL, "no value came; an empty one is: set %s ''", path);
    return 0;
}

int verb_set(struct ctl *c, int argc, char **argv)
{
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    SCOPED(freep) char *path = argc ? ctl_path(argv[0]) : NULL;
    struct err err = ERR_INIT;

    if (argc < 1 || argc > 2 || (argc == 2 && c->file))
        return ctl_usage("set PATH VALUE, or set PATH with the value on standard input");
    if (value_to_set(c, path, argc - 1, argv + 1, &value, &err) < 0 ||
        c->client->ops->set(c->client, path, value.size ? value.data : "", value.size, &err) < 0)
        return ctl_fail(&err);
    return EXIT_OK;
}

/* --- run --- */

/* Adds k=v such that the daemon's shell-like reader gets the same 'v'. */
static void add_word(const char *word, struct buf *out)
{
    const char *value = strchr(word, '=');

    buf_add(out, word, value ? (size_t)(value - word) : strlen(word));
    if (value) {
        buf_str(out, "='");
        for (value++; *value; value++) {
            if (*value == '\'')
                buf_str(out, "'\\''");
            else
                buf_byte(out, *value);
        }
        buf_byte(out, '\'');
    }
}

static void arguments(int argc, char **argv, struct buf *out)
{
    for (int i = 0; i < argc; i++) {
        if (i)
            buf_byte(out, ' ');
        if (*argv[i] == '{')
            buf_str(out, argv[i]);
        else
            add_word(argv[i], out);
    }
    buf_byte(out, '\n');
}

int verb_run(struct ctl *c, int argc, char **argv)
{
    SCOPED(buf_fini) struct buf words = BUF_INIT;
    struct err err = ERR_INIT;
    json_t *paths, *path;
    size_t i;
    int worst = EXIT_OK;

    if (argc < 2)
        return ctl_usage("run PATH ACTION [KEY=VALUE...], like: run tasks/orders pause");
    arguments(argc - 2, argv + 2, &words);
    if (!(paths = ctl_expand(c, argv[0], &err)))
        return ctl_fail(&err);
    json_array_foreach (paths, i, path) {
        SCOPED(freep)
        char *full = xasprintf("%s%s%s", json_string_value(path),
                               *json_string_value(path) ? "/" : "", argv[1]);

        if (c->client->ops->run(c->client, full, words.data, words.size, &err) < 0) {
            int rc = ctl_fail(&err);

            worst = rc > worst ? rc : worst;
        }
    }
    json_decref(paths);
    return worst;
}

/* --- create, rm --- */

/* The keys of a document's first level; an empty array if it is none. */
static json_t *document_keys(const struct buf *text)
{
    json_t *keys = json_array();
    yaml_parser_t parser;
    yaml_document_t doc;
    yaml_node_t *root;

    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text->data, text->size);
    if (yaml_parser_load(&parser, &doc)) {
        root = yaml_document_get_root_node(&doc);
        if (root && root->type == YAML_MAPPING_NODE)
            for (yaml_node_pair_t *p = root->data.mapping.pairs.start;
                 p < root->data.mapping.pairs.top; p++) {
                yaml_node_t *key = yaml_document_get_node(&doc, p->key);

                if (key->type == YAML_SCALAR_NODE)
                    json_array_append_new(keys, json_stringn((char *)key->data.scalar.value,
                                                             key->data.scalar.length));
            }
        yaml_document_delete(&doc);
    }
    yaml_parser_delete(&parser);
    return keys;
}

/* Where a document goes that comes without a path; the caller frees. */
static char *guess_path(const json_t *schema, const struct buf *text)
{
    json_t *keys = document_keys(text);
    const char *found = schema_guess(schema, keys);
    char *path = found ? xstrdup(found) : NULL;

    json_decref(keys);
    return path;
}

static int create_document(struct ctl *c, const char *where, const json_t *schema,
                           const struct buf *text)
{
    const json_t *type = schema_type(schema, where), *action = schema_document_action(type);
    const char *data = text->size ? text->data : "";
    struct err err = ERR_INIT;
    int rc;

    if (action) { /* a collection: the document says the name */
        SCOPED(freep) char *path = xasprintf("%s%s%s", where, *where ? "/" : "", row_name(action));

        rc = c->client->ops->run(c->client, path, data, text->size, &err);
    } else {
        const json_t *row = schema_document(type);

        rc = c->client->ops->create(c->client, where, row ? row_name(row) : "config", data,
                                    text->size, &err);
    }
    return rc < 0 ? ctl_fail(&err) : EXIT_OK;
}

int verb_create(struct ctl *c, int argc, char **argv)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    SCOPED(freep) char *where = argc ? ctl_path(argv[0]) : NULL;
    struct err err = ERR_INIT;
    const json_t *schema;

    if (argc > 1 || (argc == 0 && !c->file))
        return ctl_usage("create PATH, create -f FILE, or create -f FILE PATH");
    if (!c->file)
        return c->client->ops->create(c->client, where, "", NULL, 0, &err) < 0 ? ctl_fail(&err)
                                                                               : EXIT_OK;
    if (read_file(c->file, &text, &err) < 0)
        return ctl_usage("%s", err.text);
    if (!(schema = ctl_schema(c, &err)))
        return ctl_fail(&err);
    if (!where && !(where = guess_path(schema, &text)))
        return ctl_usage("%s does not say what it describes: create -f %s PATH", c->file, c->file);
    return create_document(c, where, schema, &text);
}

int verb_rm(struct ctl *c, int argc, char **argv)
{
    int worst = EXIT_OK;

    if (argc == 0)
        return ctl_usage("rm PATH..., like: rm tasks/orders");
    for (int i = 0; i < argc; i++) {
        SCOPED(freep) char *path = ctl_path(argv[i]);
        struct err err = ERR_INIT;

        if (c->client->ops->remove(c->client, path, &err) < 0) {
            int rc = ctl_fail(&err);

            worst = rc > worst ? rc : worst;
        }
    }
    return worst;
}
