/* load_words.h - the statements around the rows of a dump's file, and what they say. */
#ifndef SLUICE_UNIT_LOAD_WORDS_H
#define SLUICE_UNIT_LOAD_WORDS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

struct load_words {
    bool utf8;     /* SET NAMES: strings are UTF-8; else they are bytes */
    char zone[65]; /* SET TIME_ZONE; without it '+00:00' */
};

void load_words_init(struct load_words *w);
/* Takes note of a statement that is no INSERT.  -ENOTSUP: with it the rows would mean something
 * else, or it is none that a dump has beside its rows. */
int load_words_take(struct load_words *w, struct slice sql, struct err *err);

#endif
