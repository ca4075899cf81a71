/* load_value.h - a value in an INSERT of a dump's file, as the bytes that it stands for. */
#ifndef SLUICE_UNIT_LOAD_VALUE_H
#define SLUICE_UNIT_LOAD_VALUE_H

#include "unit/load/load_lex.h"
#include "unit/load/load_parse.h"

struct load_literal {
    char *p; /* unescaped in place, where it was read */
    size_t size;
    enum load_form form;
};

/* The value at 'l', all of which is in memory.  False: it is none. */
bool load_literal_take(struct load_lex *l, struct load_literal *v);

#endif
