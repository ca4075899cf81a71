/* Strings under collations, as far as those can be told without the server's tables. */
#include <errno.h>
#include <string.h>

#include "route/expr_impl.h"

/* --- characters --- */

size_t expr_character(struct slice s, size_t at, const struct expr_collation *c)
{
    uint8_t b = s.data[at];
    size_t n = !c->utf8 || b < 0xc0 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;

    return at + n <= s.size ? n : s.size - at;
}

static uint32_t code_of(struct slice s, size_t at, size_t n)
{
    uint32_t code = s.data[at];

    if (n == 1)
        return code;
    code &= 0xffu >> (n + 1);
    for (size_t i = 1; i < n; i++)
        code = code << 6 | (s.data[at + i] & 0x3f);
    return code;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool is_plain(uint32_t code)
{
    return code >= 0x20 && code < 0x7f;
}

/* Ideographs and Hangul: each equals itself alone in every collation that we know. */
static bool is_own(uint32_t code)
{
    return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0xac00 && code <= 0xd7a3);
}

static bool is_letter_or_digit(uint32_t code)
{
    return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
           (code >= 'A' && code <= 'Z');
}

/* Two characters whose bytes differ. */
enum verdict { SAME, LESS, GREATER, OTHER, UNKNOWN };

static enum verdict compare_characters(uint32_t a, uint32_t b)
{
    if (is_plain(a) && is_plain(b)) {
        uint8_t x = lower((uint8_t)a), y = lower((uint8_t)b);

        if (x == y)
            return SAME;
        if (!is_letter_or_digit(a) || !is_letter_or_digit(b))
            return OTHER; /* where signs stand differs from collation to collation */
        return x < y ? LESS : GREATER;
    }
    if ((is_own(a) && (is_own(b) || is_plain(b))) || (is_plain(a) && is_own(b)))
        return OTHER;
    return UNKNOWN;
}

/* --- comparing --- */

static struct slice unpadded(struct slice s, bool pad)
{
    while (pad && s.size && s.data[s.size - 1] == ' ')
        s.size--;
    return s;
}

static int compare_bytes(struct slice a, struct slice b, bool pad)
{
    size_t n = a.size < b.size ? a.size : b.size;
    int rc = n ? memcmp(a.data, b.data, n) : 0;

    if (rc != 0 || a.size == b.size)
        return rc;
    if (pad) { /* what one has more is compared with spaces */
        struct slice longer = a.size > b.size ? a : b;

        for (size_t i = n; i < longer.size; i++)
            if (longer.data[i] != ' ')
                return (longer.data[i] < ' ') == (a.size > b.size) ? -1 : 1;
        return 0;
    }
    return a.size < b.size ? -1 : 1;
}

static int unknown(const struct expr_collation *c, struct err *err)
{
    return err_set(
        err, -ENOTSUP,
        "how %s compares these values is known to the server alone: write the comparison "
        "with BINARY or COLLATE utf8mb4_bin",
        c->name ? c->name : "a collation that ignores case");
}

/* One ended before the other. */
static enum verdict compare_end(struct slice rest, size_t n, bool a_ended)
{
    uint32_t code = code_of(rest, 0, n);

    if (is_plain(code) && is_letter_or_digit(code))
        return a_ended ? LESS : GREATER;
    return is_plain(code) || is_own(code) ? OTHER : UNKNOWN;
}

static enum verdict compare_folded(struct slice a, struct slice b, const struct expr_collation *c)
{
    size_t i = 0, j = 0;

    while (i < a.size && j < b.size) {
        size_t n = expr_character(a, i, c), m = expr_character(b, j, c);
        enum verdict v;

        if (n == m && memcmp(a.data + i, b.data + j, n) == 0) {
            v = SAME;
        } else {
            v = c->utf8 || (a.data[i] < 0x80 && b.data[j] < 0x80)
                    ? compare_characters(code_of(a, i, n), code_of(b, j, m))
                    : UNKNOWN;
        }
        if (v != SAME)
            return v;
        i += n;
        j += m;
    }
    if (i < a.size)
        return compare_end(slice_of(a.data + i, a.size - i), expr_character(a, i, c), false);
    if (j < b.size)
        return compare_end(slice_of(b.data + j, b.size - j), expr_character(b, j, c), true);
    return SAME;
}

int expr_compare_text(struct slice a, struct slice b, const struct expr_collation *c, bool order,
                      int *ret, struct err *err)
{
    if (c->fold == FOLD_BYTES) {
        *ret = compare_bytes(a, b, c->pad);
        return 0;
    }
    a = unpadded(a, c->pad);
    b = unpadded(b, c->pad);
    if (a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0)) {
        *ret = 0;
        return 0;
    }
    switch (compare_folded(a, b, c)) {
    case SAME:
        *ret = 0;
        return 0;
    case LESS:
        *ret = -1;
        return 0;
    case GREATER:
        *ret = 1;
        return 0;
    case OTHER:
        *ret = 1;
        return order ? unknown(c, err) : 0;
    case UNKNOWN:
        break;
    }
    return unknown(c, err);
}

/* --- LIKE --- */

struct like {
    struct slice text, pattern;
    int escape; /* -1: none */
    const struct expr_collation *c;
    bool unknown;
};

static bool same_character(struct like *l, size_t i, size_t n, size_t j, size_t m)
{
    if (n == m && memcmp(l->text.data + i, l->pattern.data + j, n) == 0)
        return true;
    if (l->c->fold == FOLD_BYTES)
        return false;
    switch (l->c->utf8 || (l->text.data[i] < 0x80 && l->pattern.data[j] < 0x80)
                ? compare_characters(code_of(l->text, i, n), code_of(l->pattern, j, m))
                : UNKNOWN) {
    case SAME:
        return true;
    case LESS:
    case GREATER:
    case OTHER:
        return false;
    case UNKNOWN:
        break;
    }
    l->unknown = true;
    return false;
}

/* Does what stands at 'j' in the pattern, no %, match the character at 'i'?  *m: its bytes. */
static bool one_matches(struct like *l, size_t i, size_t j, size_t *n, size_t *m)
{
    bool escaped = l->escape >= 0 && l->pattern.data[j] == l->escape && j + 1 < l->pattern.size;
    size_t at = j + escaped;

    *n = expr_character(l->text, i, l->c);
    *m = expr_character(l->pattern, at, l->c) + escaped;
    if (!escaped && l->pattern.data[j] == '_')
        return true;
    return same_character(l, i, *n, at, *m - escaped);
}

/* As everywhere: on a mismatch the last % takes one character more. */
static bool matches(struct like *l)
{
    size_t i = 0, j = 0, star = 0, resume = 0, n, m;
    bool has_star = false;

    while (i < l->text.size && !l->unknown) {
        if (j < l->pattern.size && l->pattern.data[j] == '%') {
            has_star = true;
            star = ++j;
            resume = i;
        } else if (j < l->pattern.size && one_matches(l, i, j, &n, &m)) {
            i += n;
            j += m;
        } else if (has_star && !l->unknown) {
            resume += expr_character(l->text, resume, l->c);
            i = resume;
            j = star;
        } else {
            return false;
        }
    }
    while (j < l->pattern.size && l->pattern.data[j] == '%')
        j++;
    return j == l->pattern.size;
}

int expr_like(struct slice text, struct slice pattern, int escape, const struct expr_collation *c,
              bool *ret, struct err *err)
{
    struct like l = { .text = text, .pattern = pattern, .escape = escape, .c = c };

    *ret = matches(&l);
    return l.unknown ? unknown(c, err) : 0;
}
