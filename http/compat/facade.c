/* facade.c - the APIs of other systems that we speak. */
#include "http/compat/facade.h"

#include <string.h>

const struct facade *const facades[] = {
    &dm_facade, &kingbus_facade, &pump_facade, &drainer_facade, NULL,
};

const struct facade *facade_find(const char *name)
{
    for (size_t i = 0; facades[i]; i++)
        if (strcmp(facades[i]->name, name) == 0)
            return facades[i];
    return NULL;
}
