/*
 * columns.h - members of a collection as a table, for ls and top.
 *
 * Which attributes are columns the schema says: those that are announced when
 * they change ("watched") and fit a cell.
 */
#ifndef SLUICE_CTL_COLUMNS_H
#define SLUICE_CTL_COLUMNS_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/table.h"

/* Has the type anything to show in columns? */
bool columns_any(const json_t *type);
/* Adds a head, and a row for each of 'members' ({name: {attribute: value}}), in order of name.
 * 'people' chooses human_value() or plain_value(). */
void columns_add(const json_t *type, const json_t *members, bool people, struct table *t);

/* Names of an object in order; the caller frees the array (the names are borrowed). */
const char **sorted_keys(const json_t *object, size_t *n);

#endif
