#include "node/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 64

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b) ||
           ((a == '-' || a == '_') && (b == '-' || b == '_'));
}

/* Edit distance (Levenshtein, with swaps of neighbours), case and -/_ ignored. */
static unsigned distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];

    for (unsigned j = 0; j <= n_b; j++)
        last[j] = before[j] = j;
    for (unsigned i = 1; i <= n_a; i++) {
        unsigned *spare = before;

        now[0] = i;
        for (unsigned j = 1; j <= n_b; j++) {
            unsigned cost = same(a[i - 1], b[j - 1]) ? 0 : 1;

            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        before = last, last = now, now = spare;
    }
    return last[n_b];
}

struct suggestion suggest_for(const char *word)
{
    size_t size = strlen(word);

    /* a third of the letters may be wrong, three at most */
    return (struct suggestion){ .word = word,
                                .distance = (unsigned)(size / 3 < 3 ? size / 3 : 3) + 1 };
}

void suggest_offer(struct suggestion *s, const char *candidate)
{
    size_t n_a = strlen(s->word), n_b = strlen(candidate);
    unsigned d;

    if (n_a > WORD_MAX || n_b > WORD_MAX)
        return;
    d = distance(s->word, n_a, candidate, n_b);
    if (d >= s->distance)
        return;
    s->distance = d;
    snprintf(s->text, sizeof s->text, ": did you mean %s?", candidate);
}
