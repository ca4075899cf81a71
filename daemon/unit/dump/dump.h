/* dump.h - a full copy of a source as files in a folder (dump_folder.h). */
#ifndef SLUICE_UNIT_DUMP_H
#define SLUICE_UNIT_DUMP_H

struct copy_way;
extern const struct copy_way dump_way; /* for copy_new() */

#endif
