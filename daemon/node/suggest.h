/*
 * suggest.h - did you mean.
 *
 *     struct suggestion s = suggest_for("lag_second");
 *     for each known word: suggest_offer(&s, word);
 *     err_set(err, -EINVAL, "no attribute %s%s", word, SUGGESTED(&s));
 *
 * The text is ": did you mean lag_seconds?" or "" when nothing offered is close.
 */
#ifndef SLUICE_NODE_SUGGEST_H
#define SLUICE_NODE_SUGGEST_H

struct suggestion {
    const char *word; /* borrowed */
    unsigned distance;
    char text[160];
};

struct suggestion suggest_for(const char *word);
void suggest_offer(struct suggestion *s, const char *candidate);

#define SUGGESTED(s) ((s)->text)

#endif
