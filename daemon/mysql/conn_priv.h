/* conn_priv.h - what the files of this folder know of a connection; nobody else includes it. */
#ifndef SLUICE_MYSQL_CONN_PRIV_H
#define SLUICE_MYSQL_CONN_PRIV_H

#include <mysql.h>

#include "mysql/conn.h"

struct mysql_conn {
    MYSQL *my;
    /* A duplicate of the library's socket: the library closes its own on an error, and
     * mysql_conn_shutdown() must never reach a descriptor that was used again since. */
    int socket;
    bool logged_in;
    enum flavor flavor;
    unsigned version;
    char *version_text;
    uint64_t id;
    uint64_t max_packet;
    char *where;             /* "host:port" */
    struct conn_set *set;    /* that it is in; NULL: none */
    struct mysql_conn *next; /* there: under its lock */
};

/* --- conn_set.c --- */
bool conn_set_add(struct conn_set *s, struct mysql_conn *c); /* false: it is shut */
void conn_set_remove(struct mysql_conn *c);                  /* also if it is in none */

/* The last failure of the library on 'c' as an err, and its code; never 0. */
int conn_fail(struct mysql_conn *c, struct err *err);
/* Likewise for a number, state and text that came another way. */
int conn_error(struct err *err, unsigned number, const char *sqlstate, const char *text);

/* The raw command and the reply to it: what the library's own calls are made of. */
int conn_command(struct mysql_conn *c, unsigned command, struct slice body, struct err *err);
int conn_reply(struct mysql_conn *c, struct err *err);

#endif
