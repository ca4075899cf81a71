/* client.c - what both clients share. */
#include "ctl/client.h"

#include <string.h>

void client_free(struct client *c)
{
    if (c)
        c->ops->free(c);
}

json_t *client_value_of_text(const char *text, size_t size)
{
    json_t *v;

    while (size && text[size - 1] == '\n')
        size--;
    v = size && strchr("{[-0123456789tfn", *text) ? json_loadb(text, size, JSON_DECODE_ANY, NULL)
                                                  : NULL;
    return v ? v : json_stringn(text, size);
}
