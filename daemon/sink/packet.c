#include "sink/packet.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

void packet_fini(struct packet *p)
{
    buf_fini(&p->text);
    free(p->expected);
}

void packet_clear(struct packet *p)
{
    buf_clear(&p->text);
    p->n_expected = 0;
}

void packet_next(struct packet *p)
{
    if (p->text.size)
        buf_byte(&p->text, ';');
}

void packet_expect(struct packet *p, const struct target_table *t, enum rows_kind kind,
                   uint64_t rows, bool exact)
{
    GROW(p->expected, p->n_expected, p->cap_expected);
    p->expected[p->n_expected++] = (struct expected){ t, kind, rows, exact };
}

void packet_add(struct packet *p, struct slice sql)
{
    packet_next(p);
    buf_add(&p->text, sql.data, sql.size);
    packet_expect(p, NULL, ROWS_INSERT, 0, false);
}

bool packet_must_look(const struct packet *p)
{
    for (size_t i = 0; i < p->n_expected; i++)
        if (p->expected[i].table && p->expected[i].exact && p->expected[i].kind != ROWS_INSERT)
            return true;
    return false;
}

static const char *missing_verb(enum rows_kind kind)
{
    return kind == ROWS_INSERT ? "inserted" : kind == ROWS_UPDATE ? "updated" : "deleted";
}

/* A row that a filter kept out is changed or deleted later: as at a server of DM, nothing happens.
 */
static bool may_differ(const struct expected *e, uint64_t affected)
{
    return e->table && e->table->may_lack && e->kind != ROWS_INSERT && affected < e->rows;
}

int packet_check(struct packet *p, const struct expected *e, uint64_t affected, struct err *err)
{
    if (!e->exact || affected == e->rows || may_differ(e, affected))
        return 0;
    p->failed = e->table;
    if (!e->table)
        return err_set(err, -ESTALE, "the checkpoint row is gone from the target");
    return err_set(err, -ESTALE,
                   "table %s.%s of the target: %llu of %llu rows to be %s are not there as the "
                   "source had them: somebody else changed it",
                   e->table->db, e->table->name,
                   (unsigned long long)(e->rows > affected ? e->rows - affected : 0),
                   (unsigned long long)e->rows, missing_verb(e->kind));
}

static int read_outcomes(struct packet *p, struct err *err)
{
    struct err refused = ERR_INIT, *to = err;
    int rc = 0, worst = 0;

    for (size_t i = 0;; i++) {
        uint64_t affected = 0;

        rc = mysql_conn_recv_one(p->conn, i == 0, &affected, to);
        if (rc == 0)
            break;
        if (rc < 0) {
            if (worst < 0)
                break;
            if (i < p->n_expected)
                p->failed = p->expected[i].table;
            return p->failed
                       ? err_wrap(err, "table %s.%s of the target", p->failed->db, p->failed->name)
                       : rc;
        }
        if (worst == 0 && i < p->n_expected) {
            worst = packet_check(p, &p->expected[i], affected, err);
            if (worst < 0)
                to = &refused; /* read the rest away, keep the first sentence */
        }
    }
    return worst;
}

int packet_flush(struct packet *p, struct err *err)
{
    int rc;

    if (p->text.size == 0)
        return 0;
    p->sent = true;
    rc = mysql_conn_send(p->conn, slice_of(p->text.data, p->text.size), err);
    if (rc == 0)
        rc = read_outcomes(p, err);
    packet_clear(p);
    return rc;
}

int packet_flush_if_full(struct packet *p, struct err *err)
{
    return p->text.size >= p->full_size ? packet_flush(p, err) : 0;
}
