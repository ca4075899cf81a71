/* Random calls against a model that is an array of records.  SEED=7 in the environment: others. */
#include "../store/both_stores.h"
#include "records.h"

enum { MAX_RECORDS = 20000 };

struct model {
    struct store *s;
    struct journals *all;
    struct journal *j;
    struct feed f;
    struct journal_record *records; /* by seq */
    uint64_t next_seq, first_seq, x;
    uint64_t numbers[3]; /* of three origins */
    uint32_t n_files;
    uint64_t safe_ts;
    bool writing;
};

static uint64_t draw(struct model *m, uint64_t below)
{
    m->x = m->x * 6364136223846793005ULL + 1442695040888963407ULL;
    return (m->x >> 33) % below;
}

static struct err err;
#define OK(call)                               \
    do {                                       \
        err = ERR_INIT;                        \
        cr_assert_eq(call, 0, "%s", err.text); \
    } while (0)

/* MySQL: three servers, now and then two numbers swapped. MariaDB: three domains, two servers. */
static struct gtid next_gtid(struct model *m)
{
    unsigned origin = (unsigned)draw(m, 3);
    struct gtid g = { .flavor = m->f.flavor };

    if (g.flavor == FLAVOR_MYSQL) {
        uint64_t n = m->numbers[origin]++;

        memset(g.uuid, (int)origin + 1, sizeof g.uuid);
        snprintf(g.tag, sizeof g.tag, "%s", origin == 2 ? "tag" : "");
        g.number = origin == 1 ? (n ^ 1) + 1 : n + 1; /* 2 1 4 3 6 5 ... */
    } else {
        g.domain = origin;
        g.server_id = 1 + (uint32_t)draw(m, 2);
        m->numbers[origin] += 1 + (draw(m, 10) == 0);
        g.number = m->numbers[origin];
    }
    return g;
}

static size_t draw_size(struct model *m)
{
    switch (draw(m, 40)) {
    case 0:
        return 60000 + draw(m, 12000);
    case 1:
        return 65536 * (1 + draw(m, 10)) + draw(m, 3);
    default:
        return 19 + draw(m, 3000);
    }
}

static void add_record(struct model *m)
{
    SCOPED(buf_fini) struct buf e = BUF_INIT;
    size_t size = draw_size(m);
    bool event = draw(m, 10) == 0;
    struct journal_record r = { .kind = event ? JOURNAL_EVENT : JOURNAL_TXN,
                                .type = event ? EVENT_MARIADB_BINLOG_CHECKPOINT : EVENT_XID,
                                .commit_us = m->f.clock_us + (int64_t)draw(m, 2000000) - 1000000,
                                .incarnation = m->f.incarnation,
                                .file_no = m->f.file_no,
                                .from = m->f.offset,
                                .to = m->f.offset + size };

    if (!event)
        r.gtid = next_gtid(m);
    make_event(&e, m->next_seq, size);
    if (draw(m, 30) == 0) { /* the connection was lost, and it comes again */
        OK(journal_add(m->j, slice_of(e.data, draw(m, size)), &err));
        journal_drop(m->j);
    }
    for (size_t done = 0; done < size;) {
        size_t some = 1 + draw(m, size);

        some = some < size - done ? some : size - done;
        OK(journal_add(m->j, slice_of(e.data + done, some), &err));
        done += some;
    }
    OK(journal_commit(m->j, &r, &err));
    cr_assert_eq(r.seq, m->next_seq);
    cr_assert_eq(r.size, size);
    cr_assert_gt(r.commit_ts, m->safe_ts);
    m->safe_ts = r.commit_ts;
    m->f.offset += size;
    m->f.clock_us += (int64_t)draw(m, 5000);
    m->records[m->next_seq++] = r;
}

static void begin_file(struct model *m)
{
    feed_file(&m->f, m->f.file_no + 1);
    m->n_files++;
}

static void sync_all(struct model *m)
{
    OK(journal_flush(m->j, &err));
    OK(journal_wait_durable(m->j, m->next_seq - 1, 20000, &err));
}

static void idle(struct model *m)
{
    uint64_t ts;

    OK(journal_idle(m->j, &ts, &err));
    cr_assert_geq(ts, m->safe_ts);
    m->safe_ts = ts;
}

static void reopen(struct model *m)
{
    struct journal_head h;

    OK(journal_write_end(m->j, &err));
    journal_close(m->j);
    OK(journal_open(m->all, "s1", false, &m->j, &err));
    OK(journal_write_begin(m->j, &h, &err));
    m->f.j = m->j;
    cr_assert_eq(h.next_seq, m->next_seq);
    cr_assert_eq(h.pos.offset, m->f.offset);
    cr_assert_eq(h.incarnation, m->f.incarnation);
    for (uint64_t seq = m->first_seq; seq < m->next_seq; seq++)
        if (m->records[seq].gtid.number)
            cr_assert(gtid_set_has(h.pos.gtids, &m->records[seq].gtid), "%d", (int)seq);
    journal_head_fini(&h);
}

static void collect(struct model *m)
{
    struct journal_keep keep = { 0 };
    struct journal_gone gone;
    struct journal_state st;
    uint64_t hold = m->first_seq + draw(m, m->next_seq - m->first_seq + 1);

    sync_all(m);
    if (draw(m, 2))
        keep.max_bytes = 1 + draw(m, 3000000);
    else
        keep.until_seq = m->first_seq + draw(m, m->next_seq - m->first_seq + 1);
    OK(journal_hold(m->j, "who", hold, draw(m, 2), &err));
    OK(journal_gc(m->j, &keep, &gone, &err));
    OK(journal_release(m->j, "who", &err));
    journal_state(m->j, &st);
    cr_assert_leq(st.first_seq, hold);
    cr_assert_geq(st.first_seq, m->first_seq);
    cr_assert_eq(gone.records, st.first_seq - m->first_seq);
    if (keep.until_seq)
        cr_assert(st.first_seq <= keep.until_seq || st.first_seq == m->first_seq);
    m->first_seq = st.first_seq;
}

/* --- what is asked --- */

static void read_some(struct model *m)
{
    enum journal_depth depth = draw(m, 2) ? JOURNAL_WRITTEN : JOURNAL_DURABLE;
    struct journal_reader *r = journal_reader_new(m->j, depth);
    uint64_t seq = m->first_seq + draw(m, m->next_seq - m->first_seq + 1), n = 1 + draw(m, 100);
    struct journal_record rec;

    if (depth == JOURNAL_DURABLE)
        sync_all(m);
    OK(journal_reader_seek(r, seq, &err));
    for (; n > 0 && seq < m->next_seq; n--, seq++) {
        const struct journal_record *is = &m->records[seq];

        cr_assert_eq(journal_reader_next(r, &rec, 0, &err), 1, "%d: %s", (int)seq, err.text);
        cr_assert(rec.seq == seq && rec.commit_ts == is->commit_ts &&
                  rec.commit_us == is->commit_us && rec.kind == is->kind && rec.type == is->type &&
                  rec.flags == is->flags && rec.incarnation == is->incarnation &&
                  rec.file_no == is->file_no && rec.from == is->from && rec.to == is->to &&
                  rec.size == is->size && rec.gtid.number == is->gtid.number);
        if (draw(m, 4))
            is_event(r, seq, is->size);
    }
    if (seq == m->next_seq && n)
        cr_assert_eq(journal_reader_next(r, &rec, 0, &err), 0);
    journal_reader_free(r);
}

static void find_ts(struct model *m)
{
    uint64_t ts, seq, is = m->first_seq;
    int rc;

    sync_all(m);
    if (m->first_seq == m->next_seq)
        return;
    ts = m->records[m->first_seq + draw(m, m->next_seq - m->first_seq)].commit_ts + draw(m, 3) - 1;
    while (is < m->next_seq && m->records[is].commit_ts < ts)
        is++;
    rc = journal_find_ts(m->j, ts, &seq, &err);
    if (m->first_seq > 1 && ts <= m->records[m->first_seq - 1].commit_ts)
        cr_assert_eq(rc, -ERANGE);
    else if (is == m->next_seq)
        cr_assert_eq(rc, -ENOENT);
    else
        cr_assert(rc == 0 && seq == is, "%d %s: %d, not %d", rc, err.text, (int)seq, (int)is);
}

static void find_place(struct model *m)
{
    const struct journal_record *r, *last;
    uint64_t at, seq;
    char name[32];
    int rc;

    sync_all(m);
    if (m->first_seq == m->next_seq)
        return;
    at = m->first_seq + draw(m, m->next_seq - m->first_seq);
    r = &m->records[at];
    for (last = &m->records[m->next_seq - 1]; last->file_no != r->file_no; last--)
        continue;
    if (last->incarnation != r->incarnation)
        return; /* a newer incarnation has a file of that name: that one is meant */
    snprintf(name, sizeof name, "bin.%06u", r->file_no);
    rc = journal_find_place(m->j, name, r->from, &seq, &err);
    cr_assert(rc == 0 && seq == at, "%s: %d, not %d", err.text, (int)seq, (int)at);
    rc = journal_find_place(m->j, name, r->to - 1, &seq, &err);
    cr_assert(rc == -EINVAL && seq == at);
    rc = journal_find_place(m->j, name, r->to, &seq, &err);
    cr_assert(rc == 0 && seq == at + 1, "%s", err.text);
}

static void find_gtid(struct model *m)
{
    uint64_t at, seq;
    int rc;

    sync_all(m);
    if (m->next_seq == 1)
        return;
    at = 1 + draw(m, m->next_seq - 1);
    if (m->records[at].gtid.number == 0)
        return;
    rc = journal_find_gtid(m->j, &m->records[at].gtid, &seq, &err);
    if (at < m->first_seq)
        cr_assert_eq(rc, -ERANGE);
    else
        cr_assert(rc == 0 && seq == at, "%d %s: %d, not %d", rc, err.text, (int)seq, (int)at);
}

static struct gtid_set *set_before(struct model *m, uint64_t seq)
{
    struct gtid_set *set = gtid_set_new(m->f.flavor);

    for (uint64_t i = 1; i < seq; i++)
        gtid_set_add(set, &m->records[i].gtid);
    return set;
}

static bool same_set(const struct gtid_set *a, const struct gtid_set *b)
{
    return a && b && gtid_set_equal(a, b);
}

static void find_set(struct model *m)
{
    struct gtid_set *has, *before = NULL, *is, *purged, *gone;
    uint64_t at, seq, want;

    sync_all(m);
    purged = journal_purged(m->j);
    at = m->first_seq + draw(m, m->next_seq - m->first_seq + 1);
    has = set_before(m, at);
    gone = set_before(m, m->first_seq);
    cr_assert(same_set(purged, gone));
    for (want = at; want < m->next_seq && m->records[want].gtid.number == 0; want++)
        continue;
    err = ERR_INIT;
    OK(journal_find_set(m->j, has, &seq, &before, NULL, &err));
    cr_assert_eq(seq, want, "%d, not %d", (int)seq, (int)want);
    is = journal_gtids_before(m->j, seq, &err);
    cr_assert(same_set(before, is) && same_set(before, has));
    gtid_set_free(is);
    gtid_set_free(before);
    gtid_set_free(has);
    gtid_set_free(gone);
    gtid_set_free(purged);
}

static const struct {
    unsigned weight;
    void (*step)(struct model *m);
} steps[] = { { 200, add_record }, { 2, begin_file }, { 2, sync_all },  { 2, idle },
              { 1, reopen },       { 1, collect },    { 3, read_some }, { 2, find_ts },
              { 2, find_place },   { 2, find_gtid },  { 2, find_set } };

static void one_step(struct model *m)
{
    uint64_t all = 0, x;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        all += steps[i].weight;
    x = draw(m, all);
    for (size_t i = 0;; x -= steps[i++].weight)
        if (x < steps[i].weight) {
            steps[i].step(m);
            return;
        }
}

static void run(struct store *s, enum flavor flavor, unsigned n_steps)
{
    struct model m = { .s = s, .all = journals_new(s), .next_seq = 1, .first_seq = 1 };

    m.x = (getenv("SEED") ? strtoull(getenv("SEED"), NULL, 10) : 1) * 2 + flavor;
    m.records = calloc(MAX_RECORDS, sizeof *m.records);
    OK(journal_open(m.all, "s1", true, &m.j, &err));
    feed_begin(&m.f, m.j, flavor);
    m.f.clock_us = INT64_C(1700000000000000);
    for (unsigned i = 0; i < n_steps && m.next_seq < MAX_RECORDS; i++)
        one_step(&m);
    OK(journal_write_end(m.j, &err));
    journal_close(m.j);
    OK(journal_delete(m.all, "s1", &err));
    {
        SCOPED(store_iter_freep) struct store_iter *it = NULL;
        struct slice key, value;

        for (enum store_family f = STORE_JOURNAL; f < STORE_N_FAMILIES; f++) {
            store_iter_free(it);
            it = store_iter_new(s, f, slice_of(NULL, 0));
            cr_assert_eq(store_iter_next(it, &key, &value, &err), 0, "all is gone");
        }
    }
    journals_free(m.all);
    free(m.records);
}

BOTH_STORES(journal_random, mysql_is_as_the_model)
{
    run(s, FLAVOR_MYSQL, dir[0] ? 1500 : 6000);
}

BOTH_STORES(journal_random, mariadb_is_as_the_model)
{
    run(s, FLAVOR_MARIADB, dir[0] ? 1500 : 6000);
}
