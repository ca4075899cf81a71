#include "route/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/slice.h"

/* A name has at most 64 characters: an expression that needs more steps is a runaway. */
#define MATCH_LIMIT 100000
#define MATCH_HEAP_KIB 1024

struct pattern {
    char *text;
    bool fold;
    pcre2_code *re; /* NULL: a wildcard pattern */
    pcre2_match_context *limits;
};

static void pattern_freep(struct pattern **p)
{
    pattern_free(*p);
}

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    pcre2_code_free(p->re);
    pcre2_match_context_free(p->limits);
    free(p->text);
    free(p);
}

const char *pattern_text(const struct pattern *p)
{
    return p->text;
}

/* --- wildcards --- */

/* One character of UTF-8 (or one stray byte); moves 's' past it. */
static uint32_t next_char(const char **s, bool fold)
{
    const uint8_t *p = (const uint8_t *)*s;
    uint32_t c = *p++;
    unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

    if (fold && c >= 'A' && c <= 'Z')
        c += 'a' - 'A';
    for (; more && (*p & 0xc0) == 0x80; more--)
        c = c << 6 | (*p++ & 0x3f);
    *s = (const char *)p;
    return c;
}

/* The class at 's', just past '['.  Moves 's' past the ']'; one that never ends is no class. */
static bool match_class(const char **s, uint32_t c, bool fold)
{
    bool negated = **s == '!';
    bool found = false;

    if (negated)
        (*s)++;
    do {
        uint32_t from = next_char(s, fold), to = from;

        if (**s == '-' && (*s)[1] != ']' && (*s)[1] != '\0') {
            (*s)++;
            to = next_char(s, fold);
        }
        found = found || (c >= from && c <= to);
    } while (**s != ']');
    (*s)++;
    return found != negated;
}

/* Does one step of the pattern (no '*') match the character 'c'? */
static bool match_one(const char **pattern, uint32_t c, bool fold)
{
    uint32_t want = next_char(pattern, fold);

    if (want == '?')
        return true;
    if (want == '[')
        return match_class(pattern, c, fold);
    return want == c;
}

/* Only the last '*' ever needs to be tried again, so this is pattern x name at worst. */
static bool match_wildcard(const char *pattern, const char *name, bool fold)
{
    const char *star = NULL, *resume = NULL;

    while (*name) {
        const char *p = pattern, *n = name;

        if (*pattern == '*') {
            star = ++pattern;
            resume = name;
            continue;
        }
        if (*pattern && match_one(&p, next_char(&n, fold), fold)) {
            pattern = p;
            name = n;
            continue;
        }
        if (!star)
            return false;
        next_char(&resume, fold);
        pattern = star;
        name = resume;
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static int check_wildcard(const char *text, struct err *err)
{
    for (const char *s = text; (s = strchr(s, '[')); s++) {
        const char *open = s++;

        s += *s == '!';
        if (*s == '\0' || !(s = strchr(s + 1, ']')))
            return err_set(err, -EINVAL, "pattern '%s': '%s' has no closing ]", text, open);
    }
    return 0;
}

/* --- expressions --- */

static int compile(struct pattern *p, struct err *err)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | (p->fold ? PCRE2_CASELESS : 0);
    PCRE2_UCHAR8 why[128];
    PCRE2_SIZE at;
    int code;

    p->re =
        pcre2_compile((PCRE2_SPTR)p->text + 1, PCRE2_ZERO_TERMINATED, options, &code, &at, NULL);
    if (!p->re) {
        pcre2_get_error_message(code, why, sizeof why);
        return err_set(err, -EINVAL, "pattern '%s': %s at character %zu", p->text, (char *)why,
                       at + 1);
    }
    pcre2_jit_compile(p->re, PCRE2_JIT_COMPLETE); /* without it, it is only slower */
    p->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(p->limits, MATCH_LIMIT);
    pcre2_set_heap_limit(p->limits, MATCH_HEAP_KIB);
    return 0;
}

static int match_expression(const struct pattern *p, const char *name)
{
    pcre2_match_data *m = pcre2_match_data_create_from_pattern(p->re, NULL);
    int rc = pcre2_match(p->re, (PCRE2_SPTR)name, PCRE2_ZERO_TERMINATED, 0, 0, m, p->limits);

    pcre2_match_data_free(m);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    return rc < 0 ? -E2BIG : 1;
}

unsigned pattern_n_groups(const struct pattern *p)
{
    uint32_t n = 0;

    if (p->re)
        pcre2_pattern_info(p->re, PCRE2_INFO_CAPTURECOUNT, &n);
    return n;
}

int pattern_group(const struct pattern *p, const char *name, size_t *at, size_t *size)
{
    pcre2_match_data *m = pcre2_match_data_create_from_pattern(p->re, NULL);
    int rc = pcre2_match(p->re, (PCRE2_SPTR)name, PCRE2_ZERO_TERMINATED, 0, 0, m, p->limits);
    const PCRE2_SIZE *found = pcre2_get_ovector_pointer(m);
    bool has = rc > 1 && found[2] != PCRE2_UNSET;

    *at = has ? found[2] : 0;
    *size = has ? found[3] - found[2] : 0;
    pcre2_match_data_free(m);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    return rc < 0 ? -E2BIG : has;
}

int pattern_groups(const struct pattern *p, const char *name, struct buf *out)
{
    pcre2_match_data *m = pcre2_match_data_create_from_pattern(p->re, NULL);
    int rc = pcre2_match(p->re, (PCRE2_SPTR)name, PCRE2_ZERO_TERMINATED, 0, 0, m, p->limits);
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m);

    for (int i = rc > 1 ? 1 : 0; i < rc; i++)
        if (at[2 * i] != PCRE2_UNSET)
            buf_add(out, name + at[2 * i], at[2 * i + 1] - at[2 * i]);
    pcre2_match_data_free(m);
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    return rc < 0 ? -E2BIG : 1;
}

/* --- both --- */

int pattern_new(const char *text, bool fold, struct pattern **ret, struct err *err)
{
    SCOPED(pattern_freep) struct pattern *p = xcalloc(1, sizeof *p);
    int rc;

    p->text = xstrdup(text);
    p->fold = fold;
    rc = text[0] == '~' ? compile(p, err) : check_wildcard(text, err);
    if (rc < 0)
        return rc;
    *ret = STEAL(p);
    return 0;
}

int pattern_match(const struct pattern *p, const char *name)
{
    return p->re ? match_expression(p, name) : match_wildcard(p->text, name, p->fold);
}
