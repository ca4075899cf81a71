/* load_input.h - the bytes of a dump's file, also of a .gz one, for load_parse.h. */
#ifndef SLUICE_UNIT_LOAD_INPUT_H
#define SLUICE_UNIT_LOAD_INPUT_H

#include "unit/load/load_parse.h"

struct load_input {
    char *path;
    void *file; /* gzFile, which reads what is not compressed as it is */
    void *hash; /* XXH64_state_t of what was read */
    struct load_parser parser;
};

int load_input_open(struct load_input *in, const char *folder, const char *name, struct err *err);
void load_input_close(struct load_input *in); /* also after a failed open */
/* load_parse_next(), with FILE:LINE before what is wrong. */
int load_input_next(struct load_input *in, enum load_item *ret, struct err *err);
/* "FILE:LINE: " before an error about the last item. */
int load_input_named(const struct load_input *in, struct err *err);
uint64_t load_input_hash(const struct load_input *in);

#endif
