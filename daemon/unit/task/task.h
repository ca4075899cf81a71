/*
 * task.h - one task: its document, its sources and what is asked of it.
 *
 *     task.c          life: made, changed, kept, deleted
 *     task_run.c      start, pause, resume, stop; what follows when a unit ends
 *     task_order.c    what is told: the command, for which sources, and how
 *     task_begin.c    ... where it is to begin
 *     task_build.c    the subtasks for the document as it is
 *     task_units.c    all units: asked to end, waited for
 *     task_targets.c  migrate_targets, asked of the sources
 *     task_rows.c     attributes and actions of tasks/<t>/
 *     task_settings.c attributes that are fields of the document, and their directories
 *     task_show.c     progress, rates, lag
 *     task_again.c    tables added and copied again
 *     subtask.c       tasks/<t>/sources/<s>/: the units of one source
 *
 * Locks: 'steer' is taken by whoever changes what the task does (an action, a
 * unit that ended) and held while deciding, keeping and starting, never while
 * waiting for a unit to end; getters never take it.  'lock' guards the fields
 * and is held for moments.  Order: steer, lock, a unit's lock.
 */
#ifndef SLUICE_UNIT_TASK_H
#define SLUICE_UNIT_TASK_H

#include "base/thread.h"
#include "unit/job.h"
#include "unit/rate.h"
#include "unit/task/task_plan.h"
#include "unit/task/tasks.h"

struct lines;
struct shards;
struct subtask;
struct verify;
struct task_order;

struct task {
    struct node node;
    struct tasks_config config;
    char *name; /* plain, as in the document; node.name is as shown */
    struct lines *events;
    struct verify *verify; /* its node below; referenced, NULL once dropped */
    struct shards *shards; /* locks/ */

    struct mutex steer;

    struct mutex lock;
    struct cond cond;              /* something happened to a unit */
    json_t *doc GUARDED;           /* as written, checked */
    json_t *full GUARDED;          /* with the defaults */
    enum wanted wanted GUARDED;    /* what was last asked for; survives a restart */
    json_t *apart GUARDED;         /* by source: where it is another word for it alone */
    json_t *begins GUARDED;        /* by source: how it was to begin; see task_begin.c */
    bool keep_meta GUARDED;        /* it is being deleted, and its checkpoints are to stay */
    bool halted GUARDED;           /* the daemon ends: nothing starts any more */
    json_t *followed GUARDED;      /* by source that came to sync: true, or where it last ended */
    json_t *started GUARDED;       /* by source: true where it was started before */
    bool checked GUARDED;          /* the check has passed with this document */
    bool passed GUARDED;           /* it has passed with some: target tables may be ours */
    bool finished GUARDED;         /* nothing is left to do */
    struct err error GUARDED;      /* why it could not even begin; code 0: nothing */
    struct subtask **subs GUARDED; /* changed under steer and lock */
    unsigned n_subs GUARDED;
    json_t *reports GUARDED;       /* of the last checks: by source, a text */
    json_t *targets GUARDED;       /* what they found: by source, the names of its tables there */
    json_t *shapes GUARDED;        /* and by those names how the first table of it is made */
    enum unit_state shown GUARDED; /* the state that watchers were told last */
    struct rate rate GUARDED;
};

/* task_rows.c */
const struct node_type *task_type(void);

/* task.c */
void task_release(struct node *n);
/* A draft, or with a document.  Not in the tree yet. */
int task_new(const struct tasks_config *c, const char *name, const json_t *doc, struct task **ret,
             struct err *err);
int task_restore(const struct tasks_config *c, const char *name, const json_t *kept,
                 struct task **ret, struct err *err);
/* Replaces the document; secrets that are masked or absent stay.  -EBUSY while it runs. */
int task_set_document(struct task *t, const json_t *doc, struct err *err);
/* Changes one field of it: "target_config.host"; v NULL removes it. */
int task_set_field(struct task *t, const char *path, const json_t *v, struct err *err);
/* Writes to the catalog what survives a restart; under steer. */
int task_save(struct task *t, struct err *err);
int task_delete(struct node *n, struct err *err);
/* 'force': stopped first, if it runs.  'keep_meta': what the target keeps of it stays. */
int task_delete_so(struct task *t, bool force, bool keep_meta, struct err *err);
/* The same while it runs: its units stop for a moment.  What is checked stays so. */
int task_take_document(struct task *t, const json_t *doc, struct err *err);
/* Without looking whether it runs; under steer. */
int task_replace_document(struct task *t, const json_t *doc, struct err *err);
json_t *task_document(struct task *t); /* masked, with defaults; a new reference */

/* task_run.c */
int task_run(struct task *t, const struct task_order *o, struct err *err);
/* Asks both servers now, with 'doc' in place of its document unless it is NULL.  The report is kept
 * anyway; -EINVAL names the first line that failed. */
int task_check(struct task *t, const json_t *doc, struct err *err);
void task_resume_at_start(struct task *t);
/* 'sources' NULL: all. */
void task_note_started(struct task *t, const json_t *sources) REQUIRES(t->lock);
/* Asks every unit to return, without changing what is wanted; task_wait() waits. */
void task_halt(struct task *t);
/* A source was enabled or disabled: its part goes on, or ends, which is waited for. */
void task_source_switched(struct task *t, const char *source, bool on);

/* task_units.c; 'only': names of sources, NULL: all */
#define TASK_ACTION_MS 10000 /* an action returns after ten seconds at the latest */
#define TASK_GRACE_MS 5000   /* to finish what is under way at the servers, before it is cut off */
void task_ask(struct task *t, const json_t *only, enum unit_state to);
int task_wait(struct task *t, const json_t *only, int64_t timeout_ms);
/* Those that wait for a server that hangs get no answer any more, and end too. */
void task_cut(struct task *t, const json_t *only);
/* The document has other values of what is in effect at once. */
void task_reconsider(struct task *t);
/* Waits for units that were asked to end, as long as an action may take. */
int task_await(struct task *t, const json_t *only, int64_t grace_ms);

/* task_begin.c */
int task_begin(struct task *t, const struct task_order *o, const json_t *chosen, struct err *err)
    REQUIRES(t->steer);
void task_begin_of(struct task *t, struct job *job); /* into a new job what was said before */

/* task_targets.c */
/* [{source_name, source_schema, source_table, target_schema, target_table}] of all sources or one;
 * asks servers.  NULL with 'err', -EEXIST for a table that more than one route matches. */
json_t *task_targets(struct task *t, const char *only, struct err *err);

/* task_build.c */
/* Subtasks anew for the sources in 'only' (NULL: all), and for those that have none; under steer,
 * while the units of those do not run. */
int task_build(struct task *t, const json_t *only, struct err *err) REQUIRES(t->steer);
/* For all sources, not in the tree: how many; the caller frees. */
int task_make_subtasks(struct task *t, const json_t *doc, unsigned stages, struct subtask ***ret,
                       struct err *err);
struct subtask *task_subtask(struct task *t, const char *source) REQUIRES(t->lock);
/* Lets go of its subtasks, which hold references to it: when it is deleted, and at the daemon's
 * end. */
void task_drop(struct task *t);
/* 'arg' is the subtask: for unit.ended and unit.moved. */
void task_unit_ended(struct unit *u, void *arg);
void task_unit_moved(struct unit *u, void *arg);

/* task_show.c; with the task locked */
enum unit_state task_state(struct task *t) REQUIRES(t->lock);
enum unit_state task_source_state(struct task *t, const char *source) REQUIRES(t->lock);
enum wanted task_wanted(const struct task *t, const char *source) REQUIRES(t->lock);
bool task_started(const struct task *t, const char *source) REQUIRES(t->lock);
void task_sample(struct task *t); /* unlocked; once a second */
json_t *task_get_state(const struct node *n, const struct attr *a, struct err *err);
json_t *task_get_error(const struct node *n, const struct attr *a, struct err *err);
json_t *task_get_reason(const struct node *n, const struct attr *a, struct err *err);
json_t *task_get_stage(const struct node *n, const struct attr *a, struct err *err);
json_t *task_get_progress(const struct node *n, const struct attr *a, struct err *err);
json_t *task_get_number(const struct node *n, const struct attr *a, struct err *err);
json_t *task_get_lag(const struct node *n, const struct attr *a, struct err *err);
json_t *task_get_next_retry(const struct node *n, const struct attr *a, struct err *err);
json_t *task_get_tables(const struct node *n, const struct attr *a, struct err *err);
enum task_number {
    TASK_ROWS,
    TASK_ROWS_ESTIMATED,
    TASK_BYTES,
    TASK_TABLES,
    TASK_TABLES_DONE,
    TASK_ROWS_S,
    TASK_BYTES_S,
    TASK_ETA_S,
};

/* task_settings.c */
/* Before anything else of it: makes the types of the directories. */
void task_settings_init(void);
/* 'before' and a row for each setting; made once, never freed. */
const struct attr *task_setting_rows(const struct attr *before);
int task_settings_add(struct task *t, struct err *err); /* its directories */
extern const struct node_part task_parts[];

static inline struct task *task_of(const struct node *n)
{
    return node_owner((struct node *)n, struct task, node);
}
void task_lock(struct node *n);
void task_unlock(struct node *n);

#endif
