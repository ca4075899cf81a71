/*
 * The configuration file: one YAML mapping from settings to scalars or, for a
 * list, to a sequence of scalars.  Read as a stream of events, which have the
 * lines that messages name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/scope.h"
#include "options.h"

enum { MAX_ROWS = 64 };

struct file {
    const char *path;
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
    struct options *o;
    size_t seen[MAX_ROWS]; /* line of each row's key; 0: not yet */
    struct buf *problems;
};

static size_t line_of(const struct file *f)
{
    return f->event.start_mark.line + 1;
}

static void problem(struct file *f, size_t line, const char *what)
{
    SCOPED(freep) char *where = xasprintf("%s:%zu", f->path, line);

    option_problem(f->problems, where, "%s", what);
}

/* The next event into f->event; false, with a problem, where the file is no YAML. */
static bool next(struct file *f)
{
    SCOPED(freep) char *what = NULL;

    if (f->has_event)
        yaml_event_delete(&f->event);
    f->has_event = yaml_parser_parse(&f->parser, &f->event) != 0;
    if (f->has_event)
        return true;
    what =
        xasprintf("this is no YAML: %s%s%s", f->parser.problem ? f->parser.problem : "unreadable",
                  f->parser.context ? ", " : "", f->parser.context ? f->parser.context : "");
    problem(f, f->parser.problem_mark.line + 1, what);
    return false;
}

/* Passes over what begins at the current event, to its last event. */
static bool skip(struct file *f)
{
    int depth = 0;

    for (;;) {
        yaml_event_type_t t = f->event.type;

        depth += t == YAML_MAPPING_START_EVENT || t == YAML_SEQUENCE_START_EVENT;
        depth -= t == YAML_MAPPING_END_EVENT || t == YAML_SEQUENCE_END_EVENT;
        if (depth == 0)
            return true;
        if (!next(f))
            return false;
    }
}

/* `key:` and `key: ~` leave the default. */
static bool is_null(const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;

    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static void set(struct file *f, const struct option_row *row, bool anew)
{
    SCOPED(freep) char *where = xasprintf("%s:%zu", f->path, line_of(f));

    if (is_null(&f->event))
        option_reset(f->o, row);
    else
        option_set(f->o, row, (const char *)f->event.data.scalar.value, anew, where, f->problems);
}

static bool read_list(struct file *f, const struct option_row *row)
{
    bool anew = true;

    for (;;) {
        if (!next(f))
            return false;
        if (f->event.type == YAML_SEQUENCE_END_EVENT)
            return true;
        if (f->event.type == YAML_SCALAR_EVENT) {
            set(f, row, anew);
            anew = false;
        } else {
            problem(f, line_of(f), "a list here holds plain values only");
            if (!skip(f))
                return false;
        }
    }
}

static bool read_value(struct file *f, const struct option_row *row)
{
    SCOPED(freep) char *what = NULL;

    if (!next(f))
        return false;
    if (!row)
        return skip(f);
    if (f->event.type == YAML_SCALAR_EVENT) {
        set(f, row, true);
        return true;
    }
    if (f->event.type == YAML_SEQUENCE_START_EVENT && row->type == OPTION_LIST)
        return read_list(f, row);
    what = xasprintf("%s takes %s", row->key,
                     row->type == OPTION_LIST ? "a value or a list of values" : "one value");
    problem(f, line_of(f), what);
    return skip(f);
}

/* The row of the key that is the current event; NULL, with a problem, if there is none. */
static const struct option_row *read_key(struct file *f)
{
    const char *key = (const char *)f->event.data.scalar.value;
    SCOPED(freep) char *where = xasprintf("%s:%zu", f->path, line_of(f));
    const struct option_row *row;
    size_t *seen;

    if (f->event.type != YAML_SCALAR_EVENT) {
        option_problem(f->problems, where, "a setting begins with its name");
        return NULL;
    }
    row = option_find(key, where, f->problems);
    if (!row)
        return NULL;
    seen = &f->seen[row - option_rows];
    if (*seen)
        option_problem(f->problems, where, "%s is already set in line %zu", key, *seen);
    *seen = line_of(f);
    return row;
}

static bool read_settings(struct file *f)
{
    for (;;) {
        const struct option_row *row;

        if (!next(f))
            return false;
        if (f->event.type == YAML_MAPPING_END_EVENT)
            return true;
        row = read_key(f);
        if (f->event.type != YAML_SCALAR_EVENT && !skip(f))
            return false;
        if (!read_value(f, row))
            return false;
    }
}

static void read_stream(struct file *f)
{
    unsigned documents = 0;

    while (next(f) && f->event.type != YAML_STREAM_END_EVENT) {
        if (f->event.type == YAML_DOCUMENT_START_EVENT && ++documents > 1) {
            problem(f, line_of(f), "a second document: one file is one document");
            return;
        }
        if (f->event.type == YAML_MAPPING_START_EVENT) {
            if (!read_settings(f))
                return;
        } else if (f->event.type == YAML_SEQUENCE_START_EVENT ||
                   f->event.type == YAML_ALIAS_EVENT ||
                   (f->event.type == YAML_SCALAR_EVENT && !is_null(&f->event))) {
            problem(f, line_of(f), "the file is a mapping: setting: value");
            return;
        }
    }
}

void options_read_file(struct options *o, const char *path, struct buf *problems)
{
    struct file f = { .path = path, .o = o, .problems = problems };
    FILE *in = fopen(path, "re");

    if (!in) {
        option_problem(problems, path, "cannot be read: %m");
        return;
    }
    if (!yaml_parser_initialize(&f.parser))
        abort(); /* out of memory */
    yaml_parser_set_input_file(&f.parser, in);
    read_stream(&f);
    if (f.has_event)
        yaml_event_delete(&f.event);
    yaml_parser_delete(&f.parser);
    fclose(in);
}
