/* load.h - a full copy out of a folder (load_folder.h) that has a dump, into the target. */
#ifndef SLUICE_UNIT_LOAD_H
#define SLUICE_UNIT_LOAD_H

struct copy_way;
extern const struct copy_way load_way; /* for copy_new() */

#endif
