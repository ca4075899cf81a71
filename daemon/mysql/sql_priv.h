/* sql_priv.h - between sql*.c. */
#ifndef SLUICE_MYSQL_SQL_PRIV_H
#define SLUICE_MYSQL_SQL_PRIV_H

#include "mysql/sql.h"
#include "mysql/sql_lex.h"

/* A statement being read: what failed becomes an error packet in sql.c. */
struct sql_reader {
    struct sql_session *session;
    const struct sql_token *at; /* stops at SQL_END */
    unsigned code;              /* of the error; 0: a syntax error */
    unsigned depth;             /* of calls inside calls */
};

/* Takes the next token if it is that word, or sign. */
bool sql_take(struct sql_reader *r, const char *word);
bool sql_take_sign(struct sql_reader *r, char sign);
/* Nothing, or a semicolon, is left. */
bool sql_at_end(const struct sql_reader *r);
int sql_syntax(const struct sql_reader *r, struct err *err); /* -EINVAL, "... near ..." */

/* Each reads its statement behind the first word and queues the answer.  0 or an error. */
int sql_run_set(struct sql_reader *r, struct err *err);
int sql_run_select(struct sql_reader *r, struct err *err);
int sql_run_show(struct sql_reader *r, struct err *err);
int sql_run_kill(struct sql_reader *r, struct err *err);

/* The value of an expression up to a comma, a closing parenthesis, AS or the end: appended to
 * 'ret'.  1; 0: it is NULL. */
int sql_expression(struct sql_reader *r, struct buf *ret, struct err *err);

#endif
