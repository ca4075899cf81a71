/*
 * serve_admit.h - where a dump begins, or why it does not.
 *
 * A refusal is error 1236, the only number that stops a replica instead of having it come back for
 * ever, in the words of a server of the journal's flavour.
 */
#ifndef SLUICE_UNIT_SERVE_ADMIT_H
#define SLUICE_UNIT_SERVE_ADMIT_H

#include "journal/journal.h"
#include "unit/serve/serve.h"

struct dump_command;

struct dump_start {
    bool by_gtid;
    struct gtid_set *has;    /* what the client has, which is not sent; NULL: everything is */
    struct gtid_set *before; /* by_gtid: all transactions before 'seq' */
    struct gtid_set *until;  /* MariaDB: where it ends; NULL: nowhere */
    struct journal_file file;
    uint64_t offset; /* in it, as the first rotate says */
    bool head;       /* the file's first events are sent, then those from 'seq' on */
    bool format;     /* its format description is sent out of 'file': none comes by itself */
    uint64_t seq;    /* of the first record */
    uint64_t inside; /* it begins at this offset, inside of the record; 0: with it */
    bool checksum;   /* the client expects one on the first rotate */
};
void dump_start_fini(struct dump_start *d);

/* 0, or an error with err->sql for the client.  May wait some seconds for transactions that the
 * client has and we do not have yet. */
int serve_admit(struct session *s, const struct dump_command *c, struct dump_start *ret,
                struct err *err);

/* A user variable under its old or its new name. */
const char *serve_variable(const struct session *s, const char *old_name, const char *new_name);

#endif
