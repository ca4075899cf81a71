/*
 * sql.h - the SQL that replicas, binlog tools and monitors send, answered without an SQL engine.
 *
 * It is short and known (each replica's list was recorded), but the spelling varies: any case,
 * comments, aliases, several variables in one SET.  So statements are taken apart by words and
 * answered by tables: what can be SHOWn, which functions there are, which variables.  What is not
 * known gets an error and leaves the connection open, since an answer that never comes breaks
 * clients that would have gone on without.
 *
 *     sql.c         which kind of statement       sql_select.c  SELECT, and expressions
 *     sql_set.c     SET, user variables           sql_show.c    SHOW, KILL
 *     sql_lex.c     words
 *
 * What is answered comes from the host: unit/ has one a server.
 */
#ifndef SLUICE_MYSQL_SQL_H
#define SLUICE_MYSQL_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct wire;
struct sql_vars;

enum sql_show {
    SQL_BINLOG_STATUS, /* SHOW MASTER STATUS, SHOW BINARY LOG STATUS */
    SQL_BINLOGS,       /* SHOW BINARY LOGS */
    SQL_BINLOG_EVENTS,
    SQL_REPLICAS, /* SHOW SLAVE HOSTS, SHOW REPLICAS */
    SQL_REPLICA_STATUS,
    SQL_NOTHING, /* an empty result */
};

struct sql_show_args {
    char *file;                 /* IN 'f'; NULL: not said */
    uint64_t from, skip, limit; /* FROM p LIMIT o,n; limit UINT64_MAX: none */
    bool old_names;             /* SLAVE and MASTER instead of REPLICA and SOURCE */
};

struct sql_host {
    void *arg;
    /* Appends the value of a system variable.  false: there is none of that name. */
    bool (*variable)(void *arg, const char *name, struct buf *ret);
    void (*each_variable)(void *arg, void (*visit)(void *to, const char *name, const char *value),
                          void *to);
    /* A function with texts as arguments (NULL for NULL).  1 and the value appended; 0: NULL;
     * -ENOENT: there is no such function. */
    int (*function)(void *arg, const char *name, char *const *args, size_t n_args, struct buf *ret,
                    struct err *err);
    /* Queues a result set; errors become an error packet. */
    void (*each_status)(void *arg, void (*visit)(void *to, const char *name, const char *value),
                        void *to); /* of SHOW STATUS; NULL: there is none */
    int (*show)(void *arg, enum sql_show what, const struct sql_show_args *args, struct wire *w,
                struct err *err);
    /* Is a user variable's new value sound?  Otherwise the number of the error. */
    unsigned (*check)(void *arg, const char *name, const char *value, struct err *err);
    bool (*kill)(void *arg, uint64_t connection); /* false: there is none of that number */
};

struct sql_session {
    const struct sql_host *host;
    struct wire *wire;
    uint32_t connection;
    const char *user;
    struct sql_vars *vars;
};

void sql_session_init(struct sql_session *s, const struct sql_host *host, struct wire *w);
void sql_session_fini(struct sql_session *s);
/* A user variable's text, borrowed; NULL: not set, or NULL. */
const char *sql_session_get(const struct sql_session *s, const char *name);
void sql_session_clear(struct sql_session *s); /* forgets all user variables */

/* Answers one statement: queues packets, always. */
void sql_answer(struct sql_session *s, struct slice statement);

#endif
