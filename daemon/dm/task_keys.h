/* task_keys.h - the keys of a task file, section by section: task_file.h reads and writes by them.
 */
#ifndef SLUICE_DM_TASK_KEYS_H
#define SLUICE_DM_TASK_KEYS_H

#include <stdbool.h>

#include "dm/keys.h"

extern const struct dm_key task_file_keys[];            /* the file's own */
extern const struct dm_key task_file_instance_keys[];   /* of mysql-instances, into source_conf */
extern const struct dm_key task_file_meta_keys[];       /* of its meta, likewise */
extern const struct dm_key task_file_route_keys[];      /* of routes, into table_migrate_rule */
extern const struct dm_key task_file_filter_keys[];     /* of filters, into binlog_filter_rule */
extern const struct dm_key task_file_expression_keys[]; /* of expression-filter */
extern const struct dm_key task_file_list_keys[];       /* of block-allow-list */

/* Settings of a stage, which an instance has in itself or calls by name. */
struct task_file_part {
    const char *own, *name, *section, *threads; /* keys of an instance; the section of the file */
    const char *to, *threads_to;                /* of source_config */
    const struct dm_key *keys;
};
extern const struct task_file_part task_file_parts[]; /* 'own' NULL ends it */

/* Sections whose entries instances call, and what it is called to call one that is not there. */
struct task_file_section {
    const char *name;
    enum reason unknown;
    bool may_rest; /* one that nobody calls is no mistake */
};
extern const struct task_file_section task_file_sections[]; /* 'name' NULL ends it */

#endif
