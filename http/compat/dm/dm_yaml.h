/*
 * dm_yaml.h - a task of the API as DM's task file, and back.
 *
 * The file has more than one way to say most things: settings of an instance stand in it or are
 * called by a name, and what is called is in a section of its own.  What the API has no word for is
 * refused, so that nothing is lost on the way; what never had an effect is passed over.
 *
 * Pure: JSON in, JSON out; node/yaml.h makes text of it.
 *
 * Source: "DM Advanced Task Configuration File"; dm/config of pingcap/tiflow.
 */
#ifndef SLUICE_HTTP_DM_YAML_H
#define SLUICE_HTTP_DM_YAML_H

#include <jansson.h>

#include "http/compat/dm/dm_error.h"

/* The file of a task: a new reference. */
json_t *dm_file_of_task(const json_t *task);

/* The task of a file; NULL with a sentence, and which error of DM's it is. */
json_t *dm_task_of_file(const json_t *file, enum dm_error *e, struct err *err);

/* The names of settings that both have. */
struct dm_setting {
    const char *task, *file;
};
extern const struct dm_setting dm_top_settings[], dm_target_settings[], dm_dump_settings[],
    dm_load_settings[], dm_sync_settings[], dm_meta_settings[], dm_route_settings[];

/* Copies what 'from' has of 'settings' to 'to', under the other's names. */
void dm_to_file(const struct dm_setting *settings, const json_t *from, json_t *to);
void dm_to_task(const struct dm_setting *settings, const json_t *from, json_t *to);

#endif
