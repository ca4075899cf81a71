/*
 * load_lex.h - the words of a dump's file, over what of it is in memory.
 *
 * What returns bool is false where the memory ends too soon; the position then
 * means nothing, and the caller begins again with more of the file.
 */
#ifndef SLUICE_UNIT_LOAD_LEX_H
#define SLUICE_UNIT_LOAD_LEX_H

#include <stdbool.h>

#include "base/slice.h"

struct load_lex {
    char *p, *end; /* the next byte; behind the last */
};

/* Over blanks and comments, but not executable ones.  Where there is too little it stops at the
 * beginning of a comment, or the end. */
bool lex_space(struct load_lex *l);
/* From a quote to behind its partner; it may be doubled, or escaped. */
bool lex_quoted(struct load_lex *l);
/* To behind 'stop', where it is neither quoted nor in a comment: ';', or the ')' of the '(' that
 * it begins at. */
bool lex_until(struct load_lex *l, char stop);
/* The letters, digits and the like at the position; may be empty. */
struct slice lex_word(struct load_lex *l);
bool lex_word_is(struct slice w, const char *text); /* letter case does not matter */
bool lex_is_space(char c);

#endif
