/*
 * err.h - the one error type.
 *
 * A function that can fail returns 0 or a negative errno value and, through a
 * trailing "struct err *", one sentence a person can act on.  FUSE needs the
 * number, HTTP and the log need the sentence.  When a MySQL or MariaDB server
 * refused something, its error number and SQLSTATE travel along.
 *
 * Thread: an err belongs to whoever declared it; nothing here is shared.
 */
#ifndef SLUICE_BASE_ERR_H
#define SLUICE_BASE_ERR_H

#include "base/reason.h"

struct err {
    int code;         /* negative errno; 0 while nothing has failed */
    unsigned sql;     /* the server's own error number; 0 if none */
    char sqlstate[6]; /* five characters, or "" */
    enum reason reason;
    char text[1024]; /* UTF-8, outermost context first: "task t1: dump: no such table" */
};

#define ERR_INIT  \
    (struct err)  \
    {             \
        .code = 0 \
    }

/* Records 'code' and the formatted sentence, and returns 'code' so a failure
 * is one statement: return err_set(err, -EINVAL, "bad GTID '%s'", s);
 * Clears 'sql', 'sqlstate' and 'reason'. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Prefixes "<context>: " to an error already recorded.  Returns its code. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The analyzer sees one file at a time: it cannot know that these codes are below 0. */
#ifdef __clang_analyzer__
#define err_set(err, code, ...) ((void)(err_set)(err, code, __VA_ARGS__), (code))
#define err_wrap(err, ...) ((void)(err_wrap)(err, __VA_ARGS__), -5)
#endif

#endif
