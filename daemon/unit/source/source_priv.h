/* source_priv.h - a source, for source.c (its life), source_look.c (its thread) and source_node.c
 * (its rows). */
#ifndef SLUICE_UNIT_SOURCE_PRIV_H
#define SLUICE_UNIT_SOURCE_PRIV_H

#include "base/thread.h"
#include "node/node.h"
#include "unit/doc.h"
#include "unit/source/source.h"
#include "unit/source/source_probe.h"

enum source_state { SOURCE_NEW, SOURCE_RUNNING, SOURCE_ERROR, SOURCE_STOPPED };
extern const char *const source_state_names[];

struct source {
    struct node node;     /* first */
    struct node security; /* below it, and keeps it alive */
    struct node checker;  /* likewise */
    struct sources *all;
    char *name;               /* plain */
    struct mutex change_lock; /* one change of the document at a time; held while it is stored */
    struct mutex lock;
    struct cond cond;    /* the thread has something to do, or has done it */
    json_t *doc GUARDED; /* checked, with its secrets */
    enum source_state state GUARDED;
    struct err error GUARDED; /* why the last look failed; code 0: it did not */
    struct source_seen seen GUARDED;
    char *warning GUARDED;      /* what a task will miss, or does already; NULL: nothing */
    json_t *users GUARDED;      /* as of the last look */
    char *report GUARDED;       /* of the last check; NULL: none yet */
    struct err verdict GUARDED; /* of the same: the first line that failed */
    uint64_t checks_wanted GUARDED, checks_done GUARDED;
    uint64_t doc_changes GUARDED;
    bool stop_wanted GUARDED;
    bool abandoned GUARDED; /* removed: nobody joins the thread */
    struct source_probe *probe;
    struct relay *relay; /* below it, and as old as it */
    pthread_t thread;
    bool has_thread;
};

struct relay;

struct sources {
    struct node node; /* first */
    struct sources_config config;
    struct mutex lock;
    struct cond cond; /* the keeper shall end; a source's thread has ended */
    bool stopping GUARDED;
    unsigned n_threads GUARDED; /* of removed sources, too: they use this until they end */
    pthread_t keeper;           /* once a second: relay_tick() of each */
    bool has_keeper;
    json_t *(*users)(void *arg, const char *source)GUARDED;
    void *users_arg GUARDED;
    void (*switched)(void *arg, const char *source, bool on) GUARDED;
    void *switched_arg GUARDED;
};

extern const struct node_type source_type, source_security_type, source_checker_type,
    source_tables_type;

/* source_ask.c: what is asked of the server when it is read. */
json_t *source_get_names(const struct node *n, const struct attr *a, struct err *err);
json_t *source_get_schema_list(const struct node *n, const struct attr *a, struct err *err);
void source_tables_add(struct source *s);   /* the directory tables_of/ */
void source_tables_clear(struct source *s); /* so that it can go */

/* source_security.c: what 'doc' has in the field of the row, or its default; a new reference. */
json_t *source_field(const struct doc_field *fields, const json_t *doc, const struct attr *a);

/* source.c */
json_t *source_doc(struct source *s); /* a new reference; documents are never changed in place */
/* Checks, stores and publishes a whole document; "******" and absent secrets stay as they are. */
int source_set_doc(struct source *s, const json_t *doc, struct err *err);
/* One field of it, at "security.ssl_ca_content"; 'v' is borrowed. */
int source_set_field(struct source *s, const char *path, const json_t *v, struct err *err);
bool source_doc_enabled(const json_t *doc);
json_t *source_ask_users(struct source *s); /* see sources_on_users(); a new array */

/* source_look.c */
void source_start_thread(struct source *s);
void source_ask_stop(struct source *s, bool abandon); /* 'abandon': nobody will join it */
/* Has the thread check the server and waits for the report; -EINVAL with its first line that
 * failed; -ETIMEDOUT after ten seconds. */
int source_check(struct source *s, struct err *err);

/* Asks the server of a document (source_try.c).  -EHOSTUNREACH: it does not answer; -EINVAL: the
 * document is wrong, or enable_gtid does not fit the server. */
int sources_try(struct node *sources, const json_t *doc, struct err *err);
int sources_create(struct node *dir, const char *name, const json_t *spec, struct err *err);
int source_remove(struct node *n, struct err *err);
void source_release(struct node *n);
void sources_release(struct node *n);

#endif
