/*
 * subtask.h - one source of a task: tasks/<t>/sources/<s>/ and the units below it.
 *
 * Made when its task starts and kept until the task starts with a changed
 * document.  It holds a reference to its task.
 */
#ifndef SLUICE_UNIT_SUBTASK_H
#define SLUICE_UNIT_SUBTASK_H

#include "unit/job.h"
#include "unit/rate.h"
#include "unit/task/task_plan.h"

struct task;

struct subtask {
    struct node node;
    struct task *task; /* referenced */
    struct job *job;
    unsigned stages;
    bool followed;                /* it was at sync before; see subtask_stage() */
    struct unit *units[N_STAGES]; /* referenced; NULL where the mode has none */
};

/* Not in the tree yet; its units are new.  -ENOENT: there is no such source; -EINVAL. */
int subtask_new(struct task *t, const json_t *doc, const char *source, unsigned stages,
                struct subtask **ret, struct err *err);

/* That of a source, with a reference; NULL if there is none. */
struct subtask *task_find_sub(struct task *t, const char *source);

void subtask_states(const struct subtask *s, enum unit_state ret[static N_STAGES]);
/* What is asked of it, with its task locked; of a source that is disabled nothing is. */
enum wanted subtask_wanted(const struct subtask *s);
/* The stage that it is in.  One that has not run since the daemon began is where it was: what was
 * copied is only looked at again. */
enum stage subtask_stage(const struct subtask *s);
/* The unit of it; NULL when all have finished. */
struct unit *subtask_current(const struct subtask *s);
/* All its units' counts: the copy's until sync runs, then sync's. */
void subtask_progress(const struct subtask *s, struct unit_progress *ret);

extern const struct node_type subtask_type, subtasks_type;

#endif
