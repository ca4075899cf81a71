/*
 * task_doc.h - the document of a task: what a user writes, as a table of fields.
 *
 * The names are those of DM's OpenAPI (Task), and ours beside them.  A document
 * may be incomplete while a task is a draft; task_doc_complete() says what is
 * missing before it can start, and job_of_document() makes of it what the units
 * need.  Pure.
 */
#ifndef SLUICE_UNIT_TASK_DOC_H
#define SLUICE_UNIT_TASK_DOC_H

#include "unit/doc.h"

extern const struct doc_field task_doc_fields[];
/* Of parts of it, for the directories of a task. */
extern const struct doc_field task_doc_target_fields[], task_doc_session_fields[],
    task_doc_full_fields[], task_doc_incr_fields[], task_doc_list_fields[];

/* Checks what was written, a document or DM's own task file (dm/task_file.h), for task 'name' (its
 * "name" may be absent): fields, values, and what does not fit together.  '*ret' is a checked copy
 * with the name.  -EINVAL. */
int task_doc_check(const json_t *doc, const char *name, json_t **ret, struct err *err);
/* Can it start?  -EINVAL says what is missing and what to type. */
int task_doc_complete(const json_t *doc, struct err *err);

/* The binlog_gtid of an entry of source_conf; NULL if it has none.  The caller frees. */
struct gtid_set;
int task_doc_gtids(const json_t *conf, struct gtid_set **ret, struct err *err);

/* Its start_time, in wall us; 0 if it has none. */
int task_doc_time(const json_t *conf, int64_t *ret, struct err *err);
/* "2026-01-31T12:00:00Z", a blank for the T, +01:00 or +0100 for the Z; without either ('zoned' is
 * false) it is read as UTC.  -EINVAL. */
int task_time_parse(const char *text, int64_t *ret, bool *zoned, struct err *err);

/* The rules that concern one source.  -EINVAL for a pattern that is none. */
struct router;
int task_doc_router(const json_t *doc, const char *source, bool fold_case, struct router **ret,
                    struct err *err);
/* Does a rule that names one table contradict another?  -EINVAL says which.  What patterns may
 * share is known once the tables are: router_check(). */
int task_doc_check_routes(const json_t *doc, struct err *err);
/* Are shadow_table_rules and trash_table_rules expressions with one group each? */
int task_doc_check_online(const json_t *doc, struct err *err);

/* Names of the sources that the task reads, in order, each once; a new reference. */
json_t *task_doc_sources(const json_t *doc);

#endif
