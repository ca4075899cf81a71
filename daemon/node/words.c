/* words.c - `source=s1 note='two words'` with the shell's quoting, as actions take it. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "node/node.h"
#include "node/private.h"

/* Takes one word off the text: quotes removed, backslashes followed. */
static int next_word(const char **at, const char *end, struct buf *word, struct err *err)
{
    char quote = 0;

    for (; *at < end && (quote || !isspace((unsigned char)**at)); (*at)++) {
        char c = **at;

        if (quote && c == quote) {
            quote = 0;
        } else if (!quote && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == '\\' && quote != '\'') {
            if (*at + 1 == end)
                return err_set(err, -EINVAL, "a backslash at the end");
            c = *++*at;
            if (quote && c != '"' && c != '\\')
                buf_byte(word, '\\');
            buf_byte(word, c);
        } else {
            buf_byte(word, c);
        }
    }
    return quote ? err_set(err, -EINVAL, "a %c is not closed", quote) : 0;
}

static int add_word(const struct action *a, json_t *args, const struct buf *word, struct err *err)
{
    static const struct attr text = { .name = "argument", .type = ATTR_TEXT };
    const char *eq = memchr(word->data, '=', word->size);
    const struct attr *p = a->params;
    SCOPED(freep) char *name = NULL;
    json_t *v;

    if (!eq)
        return err_set(err, -EINVAL, "%s: name=value expected, not %s", a->name, word->data);
    name = strndup(word->data, (size_t)(eq - word->data));
    while (p && p->name && strcmp(p->name, name) != 0)
        p++;
    if (json_object_get(args, name))
        return err_set(err, -EINVAL, "%s: %s is given twice", a->name, name);
    /* one that is not known is args_check()'s to refuse, with a guess */
    v = value_of_text(p && p->name ? p : &text, eq + 1, word->size - (size_t)(eq + 1 - word->data),
                      err);
    if (!v)
        return err_wrap(err, "%s", a->name);
    if (json_object_set_new(args, name, v) < 0)
        return err_set(err, -EINVAL, "%s: the name of an argument is not UTF-8", a->name);
    return 0;
}

json_t *args_of_words(const struct action *a, const char *text, size_t size, struct err *err)
{
    SCOPED(json_decrefp) json_t *args = json_object();
    SCOPED(buf_fini) struct buf word = BUF_INIT;
    const char *at = text, *end = text + size;

    for (;;) {
        while (at < end && isspace((unsigned char)*at))
            at++;
        if (at == end)
            return STEAL(args);
        buf_clear(&word);
        if (next_word(&at, end, &word, err) < 0) {
            err_wrap(err, "%s", a->name);
            return NULL;
        }
        buf_str(&word, ""); /* '' is a word too: give it memory */
        if (add_word(a, args, &word, err) < 0)
            return NULL;
    }
}
