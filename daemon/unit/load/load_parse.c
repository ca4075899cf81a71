#include "unit/load/load_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "unit/load/load_value.h"

enum { FIRST_READ = 256 << 10 };

void load_parser_init(struct load_parser *p, ssize_t (*read)(void *arg, char *to, size_t size),
                      void *arg)
{
    *p = (struct load_parser){
        .read = read, .arg = arg, .data = xmalloc(FIRST_READ), .cap = FIRST_READ
    };
}

static void insert_clear(struct load_parser *p)
{
    for (unsigned i = 0; i < p->n_columns; i++)
        free(p->columns[i]);
    free(p->columns);
    free(p->table);
    p->columns = NULL;
    p->n_columns = 0;
    p->table = NULL;
}

void load_parser_fini(struct load_parser *p)
{
    insert_clear(p);
    free(p->values);
    free(p->sizes);
    free(p->forms);
    free(p->data);
    *p = (struct load_parser){ .at = 0 };
}

uint64_t load_parser_at(const struct load_parser *p)
{
    return p->base + p->at;
}

/* More bytes behind those not used yet.  1: there are; 0: the file is at its end. */
static int more(struct load_parser *p, struct err *err)
{
    ssize_t n;

    if (p->at_end)
        return 0;
    if (p->at > 0 && p->at >= p->size / 2) { /* else growing moves as much anyway */
        memmove(p->data, p->data + p->at, p->size - p->at);
        p->base += p->at;
        p->size -= p->at;
        p->at = 0;
    }
    if (p->cap - p->size < FIRST_READ / 2) {
        size_t cap = 2 * p->cap;
        char *bigger = cap > LOAD_MAX_ROW ? NULL : realloc(p->data, cap);

        if (!bigger)
            return err_set(err, -E2BIG, "a row or statement of more than %zu bytes", p->cap);
        p->data = bigger;
        p->cap = cap;
    }
    n = p->read(p->arg, p->data + p->size, p->cap - p->size);
    if (n < 0)
        return err_set(err, (int)n, "%s", strerrordesc_np((int)-n));
    p->size += (size_t)n;
    p->at_end = n == 0;
    return n > 0;
}

/* --- rows --- */

static int unexpected(struct load_parser *p, const char *at, const char *end, struct err *err)
{
    size_t size = (size_t)(end - at);

    p->at = (size_t)(at - p->data);
    return err_set(err, -EBADMSG, "not understood: %.*s", (int)(size < 60 ? size : 60), at);
}

static void value_add(struct load_parser *p, const struct load_literal *v)
{
    if (p->n_values == p->max_values) {
        p->max_values = p->max_values ? 2 * p->max_values : 32;
        p->values = xrealloc(p->values, p->max_values * sizeof *p->values);
        p->sizes = xrealloc(p->sizes, p->max_values * sizeof *p->sizes);
        p->forms = xrealloc(p->forms, p->max_values);
    }
    p->values[p->n_values] = v->form == LOAD_NULL ? NULL : v->p;
    p->sizes[p->n_values] = v->form == LOAD_NULL ? 0 : v->size;
    p->forms[p->n_values++] = (uint8_t)v->form;
}

/* All of a row is in memory: from its '(' to 'end', behind its ')'. */
// NOLINTNEXTLINE(readability-non-const-parameter): values are unescaped in place
static int row_take(struct load_parser *p, char *from, char *end, struct err *err)
{
    struct load_lex l = { from + 1, end };

    p->n_values = 0;
    for (;;) {
        struct load_literal v = { .p = NULL };
        char *at = l.p;

        if (!lex_space(&l) || !load_literal_take(&l, &v) || !lex_space(&l) ||
            (*l.p != ',' && *l.p != ')'))
            return unexpected(p, at, end, err);
        value_add(p, &v);
        if (*l.p++ == ')')
            return l.p == end ? 0 : unexpected(p, l.p - 1, end, err);
    }
}

/* --- statements --- */

static char *name_take(struct load_lex *l)
{
    struct buf name = BUF_INIT;
    const char *from = l->p;

    if (*from != '`') {
        struct slice w = lex_word(l);

        return w.size ? xstrndup(from, w.size) : NULL;
    }
    if (!lex_quoted(l))
        return NULL;
    for (const char *p = from + 1; p < l->p - 1; p += 1 + (*p == '`'))
        buf_byte(&name, *p);
    return buf_steal(&name);
}

static bool columns_take(struct load_parser *p, struct load_lex *l)
{
    do {
        char *name;

        l->p++; /* '(' or ',' */
        name = lex_space(l) ? name_take(l) : NULL;
        if (!name)
            return false;
        p->columns = xrealloc(p->columns, (p->n_columns + 1) * sizeof *p->columns);
        p->columns[p->n_columns++] = name;
        if (!lex_space(l))
            return false;
    } while (*l->p == ',');
    return *l->p++ == ')';
}

/* Behind INSERT or REPLACE, up to the first row. */
static bool insert_head(struct load_parser *p, struct load_lex *l)
{
    static const char *const words[] = { "INTO", "IGNORE", "LOW_PRIORITY", "DELAYED",
                                         "HIGH_PRIORITY" };
    struct slice w;

    for (bool known = true; known;) {
        struct load_lex before;

        if (!lex_space(l))
            return false;
        before = *l;
        w = lex_word(l);
        known = false;
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
            known |= lex_word_is(w, words[i]);
        if (!known)
            *l = before;
    }
    do { /* the last of `schema`.`table` */
        free(p->table);
        p->table = name_take(l);
        if (!p->table || !lex_space(l))
            return false;
    } while (*l->p == '.' && l->p++);
    if (*l->p == '(' && (!columns_take(p, l) || !lex_space(l)))
        return false;
    w = lex_word(l);
    return (lex_word_is(w, "VALUES") || lex_word_is(w, "VALUE")) && lex_space(l) && *l->p == '(';
}

/* A statement in an executable comment without it. */
static struct slice unwrapped(const char *p, size_t size)
{
    while (size && lex_is_space(p[size - 1]))
        size--;
    if (size > 4 && p[0] == '/' && memcmp(p + size - 2, "*/", 2) == 0) {
        size_t head = p[2] == 'M' ? 4 : 3;

        while (head < size - 2 && ((p[head] >= '0' && p[head] <= '9') || lex_is_space(p[head])))
            head++;
        p += head;
        size -= head < size - 2 ? head + 2 : size;
    }
    return slice_of(p, size);
}

/* The statement at 'at' if it is an INSERT, with enough of it in memory.  1: it is one. */
static int insert_begin(struct load_parser *p, struct err *err)
{
    char *from = p->data + p->at;
    struct load_lex l = { from, p->data + p->size };
    struct slice w = lex_word(&l);

    if (!lex_word_is(w, "INSERT") && !lex_word_is(w, "REPLACE"))
        return 0;
    insert_clear(p);
    if (!insert_head(p, &l))
        return unexpected(p, from, p->data + p->size, err);
    p->at = (size_t)(l.p - p->data);
    p->in_rows = true;
    return 1;
}

static int cut_off(struct load_parser *p, struct err *err)
{
    return err_set(err, -EBADMSG, "the file ends within %s",
                   p->in_rows ? "an INSERT" : "a statement or comment");
}

/* Moves to the next statement, with its first bytes in memory.  1: there is one; 0: the end. */
static int statement_find(struct load_parser *p, struct err *err)
{
    for (;;) {
        struct load_lex l = { p->data + p->at, p->data + p->size };
        bool found = lex_space(&l);
        int rc;

        p->at = (size_t)(l.p - p->data);
        if (found && (p->at_end || l.end - l.p >= FIRST_READ / 2))
            return 1;
        rc = more(p, err);
        if (rc < 0)
            return rc;
        if (rc == 0 && !found) {
            if (p->at < p->size && p->data[p->at] == '/')
                return cut_off(p, err);
            p->at = p->size; /* at most a line that is a comment */
            return 0;
        }
    }
}

/* 1: there is an item; 0: an INSERT begins. */
static int statement_next(struct load_parser *p, enum load_item *ret, struct err *err)
{
    int rc = statement_find(p, err);

    if (rc == 0)
        *ret = LOAD_END;
    if (rc <= 0)
        return rc < 0 ? rc : 1;
    rc = insert_begin(p, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    for (;;) {
        struct load_lex l = { p->data + p->at, p->data + p->size };

        if (lex_until(&l, ';')) {
            p->statement = unwrapped(p->data + p->at, (size_t)(l.p - 1 - p->data) - p->at);
            p->at = (size_t)(l.p - p->data);
            *ret = LOAD_STATEMENT;
            return 1;
        }
        rc = more(p, err);
        if (rc <= 0)
            return rc < 0 ? rc : cut_off(p, err);
    }
}

/* The row at 'l', if all of it is in memory.  1: yes; 0: no. */
static int row_next(struct load_parser *p, struct load_lex *l, struct err *err)
{
    char *from = l->p;
    int rc;

    if (*from != '(')
        return unexpected(p, from, l->end, err);
    if (!lex_until(l, ')'))
        return 0;
    rc = row_take(p, from, l->p, err);
    if (rc == 0)
        p->at = (size_t)(l->p - p->data);
    return rc < 0 ? rc : 1;
}

/* Behind a row, or before the first.  1: a row; 0: the INSERT is at its end. */
static int rows_next(struct load_parser *p, enum load_item *ret, struct err *err)
{
    for (;;) {
        struct load_lex l = { p->data + p->at, p->data + p->size };
        int rc;

        *ret = LOAD_ROW;
        if (lex_space(&l)) {
            if (*l.p == ';') {
                p->at = (size_t)(l.p + 1 - p->data);
                p->in_rows = false;
                return 0;
            }
            l.p += *l.p == ',';
            rc = lex_space(&l) ? row_next(p, &l, err) : 0;
            if (rc != 0)
                return rc;
        }
        rc = more(p, err);
        if (rc <= 0)
            return rc < 0 ? rc : cut_off(p, err);
    }
}

int load_parse_next(struct load_parser *p, enum load_item *ret, struct err *err)
{
    int rc = 0;

    while (rc == 0)
        rc = p->in_rows ? rows_next(p, ret, err) : statement_next(p, ret, err);
    return rc < 0 ? rc : 0;
}
