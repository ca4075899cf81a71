/* The reader of dump files: whatever comes in, items lie inside the file, in order, and the pieces
 * in which it is read change nothing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "unit/load/load_parse.h"

struct text {
    const uint8_t *at;
    size_t left, step;
};

static ssize_t text_read(void *arg, char *to, size_t size)
{
    struct text *t = arg;
    size_t n = t->left < t->step ? t->left : t->step;

    n = n < size ? n : size;
    memcpy(to, t->at, n);
    t->at += n;
    t->left -= n;
    return (ssize_t)n;
}

struct outcome {
    unsigned rows, values, statements;
    size_t bytes;
    int rc;
};

static struct outcome parse(const uint8_t *data, size_t size, size_t step)
{
    struct text t = { data, size, step };
    struct outcome o = { .rows = 0 };
    struct err err = ERR_INIT;
    struct load_parser p;
    enum load_item item;
    uint64_t at = 0;

    load_parser_init(&p, text_read, &t);
    while ((o.rc = load_parse_next(&p, &item, &err)) == 0 && item != LOAD_END) {
        assert(load_parser_at(&p) > at && load_parser_at(&p) <= size);
        at = load_parser_at(&p);
        o.rows += item == LOAD_ROW;
        o.statements += item == LOAD_STATEMENT;
        for (unsigned i = 0; item == LOAD_ROW && i < p.n_values; i++) {
            o.values++;
            o.bytes += p.sizes[i];
            assert(!p.values[i] == (p.forms[i] == LOAD_NULL));
        }
        o.bytes += item == LOAD_STATEMENT ? p.statement.size : 0;
    }
    load_parser_fini(&p);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome all = parse(data, size, size ? size : 1), some = parse(data, size, 7);

    assert(all.rc == some.rc && all.rows == some.rows && all.values == some.values);
    assert(all.statements == some.statements && all.bytes == some.bytes);
    return 0;
}
