#include "mysql/sql.h"

#include <errno.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/packet.h"
#include "mysql/sql_priv.h"

enum { NEAR_SIZE = 60 };

bool sql_take(struct sql_reader *r, const char *word)
{
    if (!sql_is(r->at, word))
        return false;
    r->at++;
    return true;
}

bool sql_take_sign(struct sql_reader *r, char sign)
{
    if (!sql_is_sign(r->at, sign))
        return false;
    r->at++;
    return true;
}

bool sql_at_end(const struct sql_reader *r)
{
    const struct sql_token *t = r->at;

    while (sql_is_sign(t, ';'))
        t++;
    return t->kind == SQL_END;
}

int sql_syntax(const struct sql_reader *r, struct err *err)
{
    struct slice near = r->at->raw;

    return err_set(err, -EINVAL,
                   "You have an error in your SQL syntax: this binlog server knows no such "
                   "statement, near '%.*s'",
                   (int)(near.size < NEAR_SIZE ? near.size : NEAR_SIZE), (const char *)near.data);
}

/* Statements that change nothing here. */
static int run_ok(struct sql_reader *r, struct err *err)
{
    (void)err;
    packet_ok(r->session->wire);
    return 0;
}

static const struct {
    const char *word;
    int (*run)(struct sql_reader *r, struct err *err);
} statements[] = {
    { "SET", sql_run_set },   { "SELECT", sql_run_select },
    { "SHOW", sql_run_show }, { "KILL", sql_run_kill },
    { "USE", run_ok },        { "COMMIT", run_ok },
    { "ROLLBACK", run_ok },   { "BEGIN", run_ok },
};

static int run(struct sql_reader *r, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(statements); i++)
        if (sql_take(r, statements[i].word))
            return statements[i].run(r, err);
    return sql_syntax(r, err);
}

static void tokens_fini(struct sql_tokens *t)
{
    sql_tokens_fini(t);
}

void sql_answer(struct sql_session *s, struct slice statement)
{
    SCOPED(tokens_fini) struct sql_tokens tokens;
    struct err err = ERR_INIT;
    struct sql_reader r = { .session = s };
    size_t queued = s->wire->out.size;
    uint64_t sent = s->wire->bytes_sent;
    uint8_t seq = s->wire->seq;
    int rc = sql_lex(statement, &tokens, &err);

    if (rc == 0) {
        r.at = tokens.at;
        rc = run(&r, &err);
    }
    if (rc >= 0)
        return;
    if (s->wire->bytes_sent == sent) { /* half an answer goes, unless the client has it */
        s->wire->out.size = queued;
        s->wire->seq = seq;
    }
    packet_err(s->wire, r.code ? r.code : PACKET_SYNTAX, err.text);
}
