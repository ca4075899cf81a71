/*
 * pump_doc.h - the documents of pumps and drainers, as tables of fields, with the names of
 * TiDB-Binlog's configuration files (dashes are underscores).  Pure.
 */
#ifndef SLUICE_UNIT_PUMP_DOC_H
#define SLUICE_UNIT_PUMP_DOC_H

#include "unit/doc.h"

extern const struct doc_field pump_doc_fields[];
extern const struct doc_field drainer_doc_fields[], drainer_doc_syncer_fields[],
    drainer_doc_to_fields[], drainer_doc_checkpoint_fields[];

/* "7" is days, "8h" "90m" "30s" what they say; microseconds.  -EINVAL. */
int pump_duration(const char *text, int64_t *us, struct err *err);
/* "10 GiB", "10GB", "512 MB", "4096".  -EINVAL. */
int pump_size(const char *text, uint64_t *bytes, struct err *err);

/* For struct registrant_kind. */
int pump_doc_check(const json_t *full, struct err *err);
int drainer_doc_check(const json_t *full, struct err *err);

#endif
